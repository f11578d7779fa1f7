//! Each way in which front matter is written in the wild has one outcome.

use super::{SkillMd, read, rename};
use crate::limits::{FRONT_MATTER_BYTES_MAX, SKILL_MD_BYTES_MAX};
use crate::name::SkillName;

fn accepts(text: &str) -> SkillMd {
    read(text.as_bytes()).unwrap_or_else(|refusal| panic!("{text:?}: {refusal}"))
}

/// The skill whose front matter is this YAML.
fn yaml(yaml: &str) -> SkillMd {
    accepts(&format!("---\n{yaml}---\nbody\n"))
}

fn refuses(text: &str, code: &str) {
    assert_eq!(read(text.as_bytes()).expect_err(text).code, code, "{text:?}");
}

fn refuses_yaml(yaml: &str, code: &str) {
    refuses(&format!("---\n{yaml}---\nbody\n"), code);
}

fn notes(skill: &SkillMd) -> Vec<(&str, Option<usize>)> {
    skill.notes.iter().map(|note| (note.code, note.line)).collect()
}

fn description(yaml_text: &str) -> String {
    yaml(yaml_text).front.description.expect("a description")
}

#[test]
fn plain_front_matter_is_read_without_a_note() {
    let skill = accepts("---\nname: pdf\ndescription: Fill forms.\nlicense: MIT\ncompatibility: psql\n---\n# Body\n");
    assert_eq!(skill.front.name.as_deref(), Some("pdf"));
    assert_eq!(skill.front.license.as_deref(), Some("MIT"));
    assert_eq!(skill.front.compatibility.as_deref(), Some("psql"));
    assert_eq!((skill.body.as_str(), notes(&skill)), ("# Body\n", vec![]));
}

#[test]
fn a_byte_order_mark_is_read_and_noted() {
    let skill = accepts("\u{feff}---\nname: x\n---\n");
    assert_eq!((skill.front.name.as_deref(), notes(&skill)), (Some("x"), vec![("S005", Some(1))]));
}

#[test]
fn blank_lines_before_the_front_matter_are_read_and_noted() {
    let skill = accepts("\n  \n---\nname: 1\n---\n");
    assert_eq!(notes(&skill), [("S014", Some(1)), ("S026", Some(4))]);
}

#[test]
fn crlf_is_read_and_kept_out_of_the_values() {
    let skill = accepts("---\r\nname: x\r\ndescription: >\r\n  a\r\n  b\r\n---\r\nbody\r\n");
    assert_eq!(skill.front.name.as_deref(), Some("x"));
    assert_eq!(skill.front.description.as_deref(), Some("a b\n"));
    assert_eq!((skill.body.as_str(), notes(&skill)), ("body\r\n", vec![("S013", Some(1))]));
}

#[test]
fn delimiters_count_only_alone_on_a_line() {
    assert_eq!(description("description: fast --- and safe\n"), "fast --- and safe");
    assert_eq!(description("description: |\n  a\n  ---\n  b\n"), "a\n---\nb\n");
    assert_eq!(accepts("--- \t\nname: x\n---  \nbody\n---\nmore\n").body, "body\n---\nmore\n");
    refuses("---\nname: x\n----\nbody\n", "frontmatter-unclosed");
    refuses("--- name: x\n---\n", "frontmatter-missing");
}

#[test]
fn a_colon_in_an_unquoted_value_is_read_as_meant_and_noted() {
    let skill = yaml("name: x\ndescription: Use when: the \"query\" is slow\nlicense: MIT\n");
    assert_eq!(skill.front.description.as_deref(), Some("Use when: the \"query\" is slow"));
    assert_eq!((skill.front.license.as_deref(), notes(&skill)), (Some("MIT"), vec![("S010", Some(3))]));
}

#[test]
fn other_values_that_only_lack_quotes_are_read_as_meant() {
    for meant in [
        "[Beta] does things",
        "@scope/tool helps: a lot",
        "`code` first",
        "*bold* words",
        "'quoted' and it's more",
        "\"quoted\" and: more",
        "ends in colon: ",
        "{braces} are: not a mapping",
        "% done",
    ] {
        assert_eq!(description(&format!("description: {meant}\n")), meant.trim(), "{meant}");
    }
    assert_eq!(description("description: Use when: a\n  and: b\n"), "Use when: a and: b");
    assert_eq!(description("description: |\nnot indented\nat all\n"), "not indented\nat all\n");
}

#[test]
fn a_guess_is_not_made() {
    refuses_yaml("description: \"never closed\n", "frontmatter-yaml");
    refuses_yaml("allowed-tools: [a, b\n", "frontmatter-yaml");
    refuses_yaml("metadata:\n  a: b: c\n", "frontmatter-yaml");
    refuses_yaml("name: x\n  description: y\n z\n- a\n", "frontmatter-yaml");
}

#[test]
fn tabs_in_the_indentation_are_read_and_noted() {
    let skill = yaml("name: x\nmetadata:\n\tauthor: me\n");
    assert_eq!(skill.front.metadata["author"], "me");
    assert_eq!(notes(&skill), [("S012", Some(4))]);
}

#[test]
fn flow_style_is_read() {
    let skill = yaml("name: x\nmetadata: {author: me, tags: \"a,b\"}\n");
    assert_eq!((skill.front.metadata["author"].as_str(), notes(&skill)), ("me", vec![]));
    assert_eq!(yaml("{name: x, description: y}\n").front.name.as_deref(), Some("x"));
}

#[test]
fn block_scalars_are_read() {
    assert_eq!(description("description: >-\n  a\n  b\n\n  c\n"), "a b\nc");
    assert_eq!(description("description: |\n  a\n  b\n"), "a\nb\n");
    assert_eq!(description("description: a\n  b\n  c\n"), "a b c");
}

#[test]
fn duplicate_keys_are_refused() {
    refuses_yaml("name: a\nname: b\n", "frontmatter-duplicate-key");
    refuses_yaml("name: a\n\"name\": b\n", "frontmatter-duplicate-key");
    refuses_yaml("metadata:\n  a: 1\n  a: 2\n", "frontmatter-duplicate-key");
    refuses_yaml("name: a\ndescription: b: c\nname: d\n", "frontmatter-duplicate-key");
    let refusal = read(b"---\nname: a\nname: b\n---\n").expect_err("twice");
    assert!(refusal.message.starts_with("SKILL.md line 3: "), "{refusal}");
}

#[test]
fn bombs_are_refused_by_budget() {
    let mut laughs = String::from("a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (name, of) in ["b", "c", "d", "e", "f", "g"].iter().zip(["a", "b", "c", "d", "e", "f"]) {
        laughs.push_str(&format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 10].join(", ")));
    }
    refuses_yaml(&laughs, "frontmatter-budget");
    refuses_yaml(&format!("a: &a x\nb: [{}]\n", "*a, ".repeat(2_000)), "frontmatter-budget");
}

#[test]
fn no_front_matter_at_all_is_refused() {
    for text in ["", "# Title\n", "name: x\n---\n", "text\n---\nname: x\n---\n", "\u{feff}", "\n\n"] {
        refuses(text, "frontmatter-missing");
    }
}

#[test]
fn front_matter_without_an_end_is_refused() {
    for text in ["---", "---\n", "---\nname: x\n", "---\nname: x\n ---\n", "---\nname: x\n...\n"] {
        refuses(text, "frontmatter-unclosed");
    }
}

#[test]
fn empty_front_matter_says_nothing() {
    for text in ["---\n---\n", "---\n\n---\n", "---\n# only words\n---", "---\n~\n---\n"] {
        assert_eq!(accepts(text).front, Default::default(), "{text:?}");
    }
}

#[test]
fn front_matter_that_is_no_mapping_is_refused() {
    refuses_yaml("- a\n- b\n", "frontmatter-not-mapping");
    refuses_yaml("just words\n", "frontmatter-not-mapping");
    refuses_yaml("42\n", "frontmatter-not-mapping");
}

#[test]
fn scalars_that_are_no_text_are_read_as_they_are_spelt() {
    let skill = yaml("name: 1.10\ndescription: true\nmetadata:\n  version: 1.0\n  on: 2024-01-02\n  no: ~\n");
    assert_eq!(skill.front.name.as_deref(), Some("1.10"));
    assert_eq!(skill.front.description.as_deref(), Some("true"));
    assert_eq!(skill.front.metadata["version"], "1.0");
    assert_eq!(skill.front.metadata["on"], "2024-01-02");
    assert_eq!(skill.front.metadata["no"], "");
    assert_eq!(notes(&skill), [("S026", Some(2)), ("S026", Some(3)), ("S030", Some(5))]);
}

#[test]
fn lists_and_mappings_in_the_place_of_text_are_noted() {
    let skill = yaml("name: [x]\nlicense: {a: b}\nmetadata:\n  tags: [a, b]\n  deep: {a: {b: 1}}\n");
    assert_eq!((skill.front.name.as_deref(), skill.front.license.as_deref()), (None, None));
    assert_eq!(skill.front.metadata["tags"], "[a, b]");
    assert_eq!(skill.front.metadata["deep"], "{a: {b: 1}}");
    assert_eq!(notes(&skill), [("S032", Some(2)), ("S032", Some(3)), ("S034", Some(5)), ("S034", Some(6))]);
    assert_eq!(notes(&yaml("metadata: words\n")), [("S032", Some(2))]);
}

#[test]
fn allowed_tools_are_a_text_or_a_list() {
    let tools = |text: &str| yaml(&format!("allowed-tools: {text}\n")).front.allowed_tools.expect("tools");
    assert_eq!(tools("Read, Write"), ["Read", "Write"]);
    assert_eq!(tools("Read Write  Grep"), ["Read", "Write", "Grep"]);
    assert_eq!(tools("Bash(git add *) Bash(git:*, ls), Read"), ["Bash(git add *)", "Bash(git:*, ls)", "Read"]);
    assert_eq!(tools("[Read, \"Bash(git add *)\"]"), ["Read", "Bash(git add *)"]);
    assert_eq!(tools("\n  - Read\n  - Write"), ["Read", "Write"]);
    assert_eq!(tools("\"\""), Vec::<String>::new());
    assert_eq!(notes(&yaml("allowed-tools: {a: b}\n")), [("S032", Some(2))]);
}

#[test]
fn unknown_keys_are_kept_apart() {
    let skill = yaml("name: x\nversion: 1\nmodel: opus\n");
    assert_eq!(skill.front.unknown, ["version", "model"]);
    assert_eq!(notes(&skill), [("S031", Some(3)), ("S031", Some(4))]);
}

#[test]
fn two_documents_are_refused() {
    refuses_yaml("name: x\n--- # again\nname: y\n", "frontmatter-yaml");
    refuses_yaml("name: x\n...\nname: y\n", "frontmatter-yaml");
}

#[test]
fn sizes_hold_to_the_byte() {
    let front = |size: usize| format!("---\n#{}\n---\n", "x".repeat(size - 10));
    accepts(&front(FRONT_MATTER_BYTES_MAX));
    refuses(&front(FRONT_MATTER_BYTES_MAX + 1), "frontmatter-too-large");
    let whole = |size: usize| format!("---\n---\n{}", "x".repeat(size - 8));
    accepts(&whole(SKILL_MD_BYTES_MAX));
    refuses(&whole(SKILL_MD_BYTES_MAX + 1), "skill-md-too-large");
}

#[test]
fn what_is_not_utf8_is_refused_with_its_line() {
    let refusal = read(b"---\nname: caf\xe9\n---\n").expect_err("Latin-1");
    assert_eq!(
        (refusal.code, refusal.message.as_str()),
        ("skill-md-not-utf8", "SKILL.md line 2: the file is not UTF-8")
    );
}

#[test]
fn renaming_touches_the_name_and_nothing_else() {
    let name = SkillName::parse("other").expect("a name");
    let renamed = |text: &str| String::from_utf8(rename(text.as_bytes(), &name).expect(text)).expect("UTF-8");
    assert_eq!(
        renamed("---\nname: x # mine\n# c\ndescription: y\n---\nb\n"),
        "---\nname: other # mine\n# c\ndescription: y\n---\nb\n"
    );
    assert_eq!(renamed("---\nname:   \"x\"\r\n---\nname: x\n"), "---\nname: other\r\n---\nname: x\n");
    assert_eq!(renamed("---\ndescription: y: z\n---\n"), "---\nname: other\ndescription: y: z\n---\n");
    assert_eq!(renamed("---\nname: >-\n  x\nlicense: y\n---\n"), "---\nname: other\nlicense: y\n---\n");
    assert_eq!(renamed("\u{feff}---\nname:\n---\n"), "\u{feff}---\nname: other\n---\n");
    let number = SkillName::parse("2024-01-01").expect("a name");
    assert_eq!(rename(b"---\nname: x\n---\n", &number).as_deref(), Ok(&b"---\nname: \"2024-01-01\"\n---\n"[..]));
    assert_eq!(rename(b"---\n{name: x}\n---\n", &name).expect_err("flow").code, "frontmatter-rename");
}

/// Whatever stands there, reading ends in a skill or a refusal.
#[test]
fn no_bytes_make_the_reader_panic() {
    let seeds = [
        "---\nname: x\ndescription: a: b\nmetadata:\n\ta: 1.0\n---\nb",
        "---\n{a: [*x, &x {\"b\n---\n",
        "\u{feff}---\r\n'\r\n---",
    ];
    for seed in seeds {
        for at in 0..seed.len() {
            for byte in [b'\n', b':', b' ', b'\t', b'-', b'#', b'"', b'\'', b'&', b'*', b'{', b'[', b'|', b'>', 0, 0xff]
            {
                let mut bytes = seed.as_bytes().to_vec();
                bytes[at] = byte;
                let _ = read(&bytes);
                let _ = rename(&bytes, &SkillName::parse("x").expect("a name"));
            }
        }
    }
}
