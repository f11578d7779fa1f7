//! Each finding once, and what fixing makes of it.

use super::{Finding, Level, fix, lint};
use crate::path::FilePath;
use crate::tree::{File, Mode, Tree};

const GOOD: &str = "---\nname: pdf\ndescription: Fill forms.\n---\nbody\n";

fn tree(files: &[(&str, &[u8])]) -> Tree {
    let file = |(path, bytes): &(&str, &[u8])| File {
        path: FilePath::parse(path).expect("lawful"),
        mode: Mode::Regular,
        bytes: bytes.to_vec(),
    };
    Tree::new(files.iter().map(file).collect()).expect("lawful")
}

fn skill(text: &str) -> Tree {
    tree(&[("SKILL.md", text.as_bytes())])
}

fn found(tree: &Tree) -> Vec<(&'static str, Level)> {
    lint(tree, Some("pdf")).iter().map(|finding| (finding.code, finding.level)).collect()
}

fn errs(text: &str, code: &'static str) {
    assert_eq!(found(&skill(text)), [(code, Level::Error)], "{text:?}");
}

fn warns(text: &str, code: &'static str) {
    assert_eq!(found(&skill(text)), [(code, Level::Warning)], "{text:?}");
}

/// The only finding is this one, and fixing turns the one text into the other and leaves nothing.
fn mends(code: &'static str, from: &str, to: &str) {
    let tree = skill(from);
    let before: Vec<Finding> = lint(&tree, Some("pdf"));
    assert!(before.iter().all(|finding| finding.fixable), "{from:?}: {before:?}");
    assert!(before.iter().any(|finding| finding.code == code), "{from:?}: {before:?}");
    let fixed = fix(&tree, Some("pdf")).expect("fixable");
    assert_eq!(fixed.len(), 1, "{from:?}");
    assert_eq!(String::from_utf8_lossy(&fixed[0].1), to);
    assert_eq!(found(&skill(to)), [], "{to:?}");
    assert_eq!(fix(&skill(to), Some("pdf")), Ok(vec![]), "fixing twice is fixing once");
}

#[test]
fn a_good_skill_has_no_findings_and_nothing_to_fix() {
    assert_eq!(found(&skill(GOOD)), []);
    assert_eq!(fix(&skill(GOOD), Some("pdf")), Ok(vec![]));
}

#[test]
fn a_skill_md_that_agents_do_not_find_is_an_error() {
    assert_eq!(found(&tree(&[("README.md", b"")])), [("S001", Level::Error)]);
    assert_eq!(found(&tree(&[("skill.md", GOOD.as_bytes())])), [("S002", Level::Error)]);
    assert_eq!(found(&tree(&[("Skill.MD", GOOD.as_bytes())])), [("S002", Level::Error)]);
}

#[test]
fn a_skill_md_that_cannot_be_read_is_an_error() {
    errs(&format!("{GOOD}{}", "x".repeat(512 * 1024)), "S003");
    assert_eq!(found(&tree(&[("SKILL.md", b"---\nname: \xff\n---\n")])), [("S004", Level::Error)]);
    errs("# no front matter\n", "S006");
    errs("---\nname: pdf\n", "S007");
    errs(&format!("---\n#{}\n---\n", "x".repeat(64 * 1024)), "S008");
    errs("---\nname: \"pdf\n---\n", "S009");
    errs("---\n- pdf\n---\n", "S009");
    errs("---\nname: pdf\nname: pdf\n---\n", "S011");
}

#[test]
fn a_byte_order_mark_and_blank_lines_at_the_top_are_mended() {
    mends("S005", &format!("\u{feff}{GOOD}"), GOOD);
    mends("S014", &format!("\n \n{GOOD}"), GOOD);
    mends("S014", &format!("\u{feff}\r\n{GOOD}"), GOOD);
}

#[test]
fn crlf_is_mended_in_the_front_matter_and_left_in_the_body() {
    mends(
        "S013",
        "---\r\nname: pdf\r\ndescription: Fill.\r\n---\r\nbody\r\n",
        "---\nname: pdf\ndescription: Fill.\n---\nbody\r\n",
    );
}

#[test]
fn values_that_lack_quotes_are_mended_and_comments_stay() {
    mends(
        "S010",
        "---\n# who\nname: pdf # mine\ndescription: Use when: forms\n---\nbody\n",
        "---\n# who\nname: pdf # mine\ndescription: \"Use when: forms\"\n---\nbody\n",
    );
    mends(
        "S010",
        "---\nname: pdf\ndescription: Say \"x\": it's\n  more: of it\nlicense: MIT\n---\nbody\n",
        "---\nname: pdf\ndescription: 'Say \"x\": it''s more: of it'\nlicense: MIT\n---\nbody\n",
    );
    mends(
        "S010",
        "---\nname: pdf\ndescription: >-\nFill\nforms\n---\nbody\n",
        "---\nname: pdf\ndescription: >-\n  Fill\n  forms\n---\nbody\n",
    );
}

#[test]
fn tabs_in_the_indentation_are_mended() {
    mends(
        "S012",
        "---\nname: pdf\ndescription: Fill.\nmetadata:\n\tauthor: me\n---\nbody\n",
        "---\nname: pdf\ndescription: Fill.\nmetadata:\n  author: me\n---\nbody\n",
    );
}

#[test]
fn the_name_becomes_that_of_the_folder() {
    mends("S020", "---\ndescription: Fill.\n---\nbody\n", "---\nname: pdf\ndescription: Fill.\n---\nbody\n");
    mends("S021", &GOOD.replace("pdf", "PDF Tools"), GOOD);
    mends("S022", &GOOD.replace("pdf", "'other' # why"), &GOOD.replace("pdf", "pdf # why"));
}

#[test]
fn without_a_folder_the_name_becomes_the_nearest_name() {
    let other = skill(&GOOD.replace("pdf", "PDF Tools"));
    assert_eq!(fix(&other, None).expect("fixable")[0].1, GOOD.replace("pdf", "pdf-tools").as_bytes());
    let nameless = skill("---\ndescription: Fill.\n---\nbody\n");
    let found = lint(&nameless, None);
    assert_eq!((found[0].code, found[0].fixable), ("S020", false));
}

#[test]
fn the_manifest_decides_the_name_before_the_folder_does() {
    let manifest = b"[package]\nschema = 1\nname = \"acme/other\"\nversion = \"1.0.0\"\nkind = \"skill\"\n";
    let files = [("SKILL.md", GOOD.as_bytes()), ("skill.toml", &manifest[..])];
    assert_eq!(found(&tree(&files)), [("S022", Level::Error)]);
}

#[test]
fn a_folder_that_is_no_name_asks_for_the_nearest_one() {
    assert!(lint(&skill(GOOD), Some("PDF")).is_empty());
    assert_eq!(lint(&skill(GOOD), Some("My PDF"))[0].code, "S022");
}

#[test]
fn a_description_that_says_nothing_is_an_error() {
    for text in ["", "\"\"", "\"  \"", "~", "# words"] {
        errs(&format!("---\nname: pdf\ndescription: {text}\n---\nbody\n"), "S023");
    }
    errs("---\nname: pdf\n---\nbody\n", "S023");
    for text in ["\"[TODO: what it does]\"", "TODO", "<describe the skill>", "Replace with description of the skill"] {
        errs(&format!("---\nname: pdf\ndescription: {text}\n---\nbody\n"), "S025");
    }
}

#[test]
fn a_description_is_bounded_to_the_character() {
    let with = |chars: usize| format!("---\nname: pdf\ndescription: {}\n---\nbody\n", "é".repeat(chars));
    assert_eq!(found(&skill(&with(1_024))), []);
    errs(&with(1_025), "S024");
}

#[test]
fn values_that_are_no_text_are_mended() {
    mends(
        "S026",
        "---\nname: pdf\ndescription: true\nlicense: 1.0 # one\n---\nbody\n",
        "---\nname: pdf\ndescription: \"true\"\nlicense: \"1.0\" # one\n---\nbody\n",
    );
    mends(
        "S030",
        "---\nname: pdf\ndescription: Fill.\nmetadata:\n  version: 1.10 # so far\n  a: 1\n  b: x\n---\nbody\n",
        "---\nname: pdf\ndescription: Fill.\nmetadata:\n  version: \"1.10\" # so far\n  a: \"1\"\n  b: x\n---\nbody\n",
    );
}

#[test]
fn a_number_in_flow_style_is_found_and_left_to_the_author() {
    let flow = skill("---\nname: pdf\ndescription: Fill.\nmetadata: {version: 1.0}\n---\nbody\n");
    let found = lint(&flow, Some("pdf"));
    assert_eq!((found.len(), found[0].code, found[0].fixable), (1, "S030", false));
}

#[test]
fn what_agents_read_otherwise_is_a_warning() {
    warns("---\nname: pdf\ndescription: Use C # and more\n---\nbody\n", "S027");
    warns("---\nname: pdf\ndescription: Fill.\nmodel: x\n---\nbody\n", "S031");
    warns("---\nname: pdf\ndescription: Fill.\nlicense: [a]\n---\nbody\n", "S032");
    warns(&format!("---\nname: pdf\ndescription: Fill.\ncompatibility: {}\n---\nbody\n", "x".repeat(501)), "S033");
    warns("---\nname: pdf\ndescription: Fill.\nmetadata:\n  a: [b]\n---\nbody\n", "S034");
    warns("---\nname: pdf\ndescription: Fill.\n---\n\n", "S035");
}

#[test]
fn a_manifest_that_cannot_be_used_is_an_error_with_its_line() {
    let with = |path: &str, text: &str| {
        let text = format!("[package]\nschema = 1\nname = \"acme/pdf\"\nversion = \"1.0.0\"\n{text}");
        let found = lint(&tree(&[("SKILL.md", GOOD.as_bytes()), (path, text.as_bytes())]), Some("pdf"));
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].code, found[0].line, found[0].message.clone())
    };
    let (code, line, message) = with("skill.toml", "kind = \"skill\"\nkeyword = 1\n");
    assert_eq!((code, line), ("S040", Some(6)));
    assert!(message.starts_with("unknown field `keyword`"), "{message}");
    assert_eq!(with("skill.toml", "kind = \"check\"\n").0, "S040");
    assert_eq!(with("skill.toml", "kind = \"skill\"\nlicense = \"MIT\"\n").0, "S042");
    assert_eq!(with("Skill.toml", "kind = \"skill\"\n").0, "S043");
}

#[test]
fn a_private_key_is_an_error_and_an_example_of_one_is_not() {
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode([7; 48]);
    let pem = |body: &str| format!("x\n-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    let of = |text: &str| found(&tree(&[("SKILL.md", GOOD.as_bytes()), ("key.pem", text.as_bytes())]));
    assert_eq!(of(&pem(&body)), [("S050", Level::Error)]);
    assert_eq!(of(&pem(&body).replace("PRIVATE", "RSA PRIVATE")), [("S050", Level::Error)]);
    assert_eq!(of(&pem(&body).replace('\n', "\\n")), [("S050", Level::Error)]);
    assert_eq!(of(&pem("MIIEvQ...")), []);
    assert_eq!(of(&pem("<your key>")), []);
    assert_eq!(of("grep '-----BEGIN PRIVATE KEY-----' file"), []);
}

#[test]
fn names_that_usually_hold_secrets_are_warnings() {
    let of = |path: &str| found(&tree(&[("SKILL.md", GOOD.as_bytes()), (path, b"x")]));
    for path in [".env", "a/.env.production", "id_rsa", "certs/a.p12"] {
        assert_eq!(of(path), [("S051", Level::Warning)], "{path}");
    }
    for path in [".env.example", "a.pem", "id_rsa.pub", "environment.md"] {
        assert_eq!(of(path), [], "{path}");
    }
}

#[test]
fn a_script_with_crlf_is_mended_whole() {
    let script = tree(&[("SKILL.md", GOOD.as_bytes()), ("run.sh", b"#!/bin/sh\r\necho\r\n")]);
    assert_eq!(found(&script), [("S052", Level::Warning), ("S053", Level::Warning)]);
    let fixed = fix(&script, Some("pdf")).expect("fixable");
    assert_eq!((fixed[0].0.as_str(), &fixed[0].1[..]), ("run.sh", &b"#!/bin/sh\necho\n"[..]));
    assert!(fix(&tree(&[("a.bat", b"echo\r\n"), ("a.rs", b"#![x]\r\n")]), None).expect("nothing").is_empty());
}

#[test]
fn broken_links_are_warnings_and_examples_are_not() {
    let of = |body: &str| {
        let text = format!("{GOOD}{body}");
        found(&tree(&[("SKILL.md", text.as_bytes()), ("docs/a b.md", b""), ("x.md", b"")]))
    };
    let broken = [("S054", Level::Warning)];
    assert_eq!(of("[a](missing.md)"), broken);
    assert_eq!(of("[a](../outside.md)"), broken);
    assert_eq!(of("![a](img/x.png \"title\")"), broken);
    for fine in [
        "[a](x.md)",
        "[a](./x.md#part)",
        "[a](docs/)",
        "[a](docs/a%20b.md)",
        "[a](https://example.org/x.md)",
        "[a](#part)",
        "[a](mailto:x@example.org)",
        "`[a](missing.md)`",
        "```\n[a](missing.md)\n```",
        "[a](path/to/{name}.md)",
        "[a](url)",
    ] {
        assert_eq!(of(fine), [], "{fine}");
    }
}

#[test]
fn our_own_folder_is_no_part_of_a_package() {
    assert_eq!(found(&tree(&[("SKILL.md", GOOD.as_bytes()), (".skill/state", b"")])), [("S056", Level::Error)]);
    assert_eq!(found(&tree(&[("SKILL.md", GOOD.as_bytes()), ("a/.skill/state", b"")])), []);
}

const CHECK: &str = "[package]\nschema = 1\nname = \"acme/pdf\"\nversion = \"1.0.0\"\nkind = \"check\"\n\
                     description = \"It works.\"\n[check]\nargv = [\"./run.sh\"]\ninputs = [\"**\"]\n";

/// The findings about a check of these files.
fn of_check(manifest: &str, program: Option<Mode>, fixtures: &[&str]) -> Vec<&'static str> {
    let file = |path: &str, mode: Mode, bytes: &str| File {
        path: FilePath::parse(path).expect("lawful"),
        mode,
        bytes: bytes.into(),
    };
    let mut files = vec![file("skill.toml", Mode::Regular, manifest)];
    files.extend(program.map(|mode| file("run.sh", mode, "x")));
    files.extend(fixtures.iter().map(|path| file(path, Mode::Regular, "x")));
    let found = lint(&Tree::new(files).expect("lawful"), Some("pdf"));
    found.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_check_has_a_program_that_starts_and_fixtures_of_both_colours() {
    let both = ["fixtures/pass/good/a.txt", "fixtures/fail/bad/a.txt"];
    assert_eq!(of_check(CHECK, Some(Mode::Executable), &both), [""; 0]);
    assert_eq!(of_check(CHECK, None, &both), ["S045"]);
    assert_eq!(of_check(CHECK, Some(Mode::Regular), &both), ["S046"]);
    assert_eq!(of_check(CHECK, Some(Mode::Executable), &both[..1]), ["S047"]);
    assert_eq!(of_check(CHECK, Some(Mode::Executable), &both[1..]), ["S048"]);
    assert_eq!(of_check(CHECK, Some(Mode::Executable), &["fixtures/fail/a.txt"]), ["S047", "S048"]);
}

#[test]
fn other_kinds_say_in_the_manifest_what_they_are_for_and_need_no_skill_md() {
    let both = ["fixtures/pass/good/a.txt", "fixtures/fail/bad/a.txt"];
    for description in ["", "description = \" \"\n", &format!("description = \"{}\"\n", "x".repeat(1025))] {
        let manifest = CHECK.replace("description = \"It works.\"\n", description);
        assert_eq!(of_check(&manifest, Some(Mode::Executable), &both), ["S044"], "{description}");
    }
    let broken = CHECK.replace("argv", "args");
    assert_eq!(of_check(&broken, Some(Mode::Executable), &both), ["S040"], "and nothing about SKILL.md");
}

#[test]
fn evals_that_are_named_are_there() {
    let skill = "---\nname: pdf\ndescription: Fills forms.\n---\nDo it.\n";
    let manifest = "[package]\nschema = 1\nname = \"acme/pdf\"\nversion = \"1.0.0\"\nkind = \"skill\"\n\
                    [evals]\nfile = \"evals/evals.json\"\n";
    let files = [("SKILL.md", skill.as_bytes()), ("skill.toml", manifest.as_bytes()), ("evals/evals.json", b"{}")];
    assert_eq!(found(&tree(&files)), []);
    assert_eq!(found(&tree(&files[..2])), [("S057", Level::Error)]);
}

#[test]
fn variables_that_a_server_takes_are_named_for_people() {
    let bundle = |requires: &str| {
        let text = format!(
            "[package]\nschema = 1\nname = \"acme/pdf\"\nversion = \"1.0.0\"\nkind = \"tools\"\ndescription = \"Reads.\"\n\
             [boundary]\ntask-class = [\"any\"]\nenvironment = [\"dev\"]\ndata-class = \"public\"\napproval = \"plan-first\"\n\
             [server.pg]\ntransport = \"http\"\nurl = \"https://mcp.example.org/pg\"\n\
             headers = {{ Authorization = {{ from-env = \"PG_HEADER\" }} }}\ntools = {{ query = {{ access = \"read\" }} }}\n{requires}"
        );
        found(&tree(&[("skill.toml", text.as_bytes())]))
    };
    assert_eq!(bundle("[requires]\nenv = [\"PG_HEADER\"]\n"), []);
    assert_eq!(bundle(""), [("S049", Level::Warning)]);
}
