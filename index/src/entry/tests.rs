//! The shape of the contract, what later registries may add, and what no registry may say.

use super::*;
use skills::statement::KeyringRef;
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, Requirement};

/// The example of FORMATS §2, its ellipses filled in, on one line.
fn example() -> String {
    let (archive, tree) = (Sha256::of(b"archive"), TreeDigest::of([]));
    format!(
        r#"{{"v":1,"name":"platform/tools-postgres-readonly","vers":"2.1.0","kind":"tools","cksum":"{archive}","tree":"{tree}","size":4812,"files":3,"desc":"Read-only PostgreSQL: …","license":"Apache-2.0","kw":["postgres"],"deps":[{{"name":"platform/x","req":"^1.2"}}],"requires":{{"bins":["npx","psql >=14"],"env":["PG_READONLY_URL"]}},"caps":{{"exec":false,"scripts":0,"servers":[{{"id":"pg","pin":"npm:pg-readonly-mcp@0.6.2"}}],"mutates":true,"network":"any","grants":1,"allowed_tools":false}},"boundary":{{"env":["dev","staging"],"data":"internal","approval":"ask-on-mutate"}},"checks":0,"fixtures":0,"evals":null,"pub":"2026-11-20T10:02:11Z","by":"key:ed25519:x","sigs":["x"],"yanked":false,"deprecated":null}}"#
    )
}

fn name() -> PackageName {
    PackageName::parse("platform/tools-postgres-readonly").expect("a name")
}

/// The example with one thing in its text changed.
fn changed(from: &str, to: &str) -> String {
    let text = example().replacen(from, to, 1);
    assert_ne!(text, example(), "`{from}` is in the example");
    text
}

fn read(text: &str) -> Vec<Entry> {
    parse(text.as_bytes(), &name()).expect("an index file")
}

fn refuses(text: &str, code: &str) {
    assert_eq!(parse(text.as_bytes(), &name()).expect_err(code).code, code);
}

#[test]
fn the_example_of_the_contract_is_read() {
    let entry = &read(&example())[0];
    assert_eq!((entry.kind, entry.size, entry.files), (Kind::Tools, 4812, 3));
    assert_eq!(entry.boundary.as_ref().map(|boundary| boundary.env.len()), Some(2));
    assert_eq!(entry.caps.servers[0].id, "pg");
    assert_eq!((entry.statement, entry.keyring, entry.yanked), (None, None, false));
}

#[test]
fn a_line_that_is_written_is_read_back() {
    let entry = read(&example()).remove(0);
    let line = entry.to_line();
    assert!(line.ends_with("}\n") && line.matches('\n').count() == 1);
    assert_eq!(read(&line), [entry]);
}

#[test]
fn versions_are_sorted_as_versions_whatever_their_order_in_the_file() {
    let lines = ["10.0.0", "9.0.0", "9.0.0-rc.1"].map(|number| changed("2.1.0", number));
    let numbers: Vec<String> = read(&lines.join("\n")).iter().map(|entry| entry.vers.to_string()).collect();
    assert_eq!(numbers, ["9.0.0-rc.1", "9.0.0", "10.0.0"]);
}

#[test]
fn an_empty_file_is_a_package_without_versions() {
    assert_eq!(read(""), []);
    assert_eq!(read("\n\r\n \n"), []);
}

#[test]
fn what_a_newer_registry_adds_is_ignored() {
    let entry = read(&example());
    assert_eq!(read(&changed("{\"v\":1", "{\"v\":1,\"later\":{\"x\":[1]}")), entry);
    assert_eq!(read(&changed("\"bins\":", "\"gpus\":[\"any\"],\"bins\":")), entry);
    assert_eq!(read(&changed("\"exec\":", "\"moons\":1,\"exec\":")), entry);
}

#[test]
fn a_line_for_newer_clients_is_skipped_and_the_others_stay() {
    let newer = changed("\"v\":1", "\"v\":2").replace("2.1.0", "3.0.0");
    let other_kind = changed("\"kind\":\"tools\"", "\"kind\":\"swarm\"").replace("2.1.0", "3.1.0");
    assert_eq!(read(&[newer, other_kind, example()].join("\n")), read(&example()));
}

#[test]
fn what_an_older_registry_leaves_out_has_a_default() {
    let (archive, tree) = (Sha256::of(b"archive"), TreeDigest::of([]));
    let entry = read(&format!(
        r#"{{"v":1,"name":"{}","vers":"1.0.0","kind":"skill","cksum":"{archive}","tree":"{tree}","size":1,"files":1,"pub":"x"}}"#,
        name()
    ));
    assert_eq!((entry[0].deps.len(), entry[0].desc.as_str(), entry[0].yanked), (0, "", false));
}

#[test]
fn a_line_about_another_package_is_refused() {
    refuses(&changed("platform/tools-postgres-readonly", "platform/other"), "index-other-name");
}

#[test]
fn a_version_appears_once_whatever_its_build_metadata() {
    refuses(&[example(), example()].join("\n"), "index-duplicate-version");
    refuses(&[example(), changed("2.1.0", "2.1.0+linux")].join("\n"), "index-duplicate-version");
}

#[test]
fn a_line_that_two_readers_read_differently_is_refused() {
    refuses(&changed("\"size\":4812", "\"size\":4812,\"size\":1"), "index-malformed");
    refuses(&changed("\"size\":4812", "\"size\":-1"), "index-malformed");
    refuses(&changed("sha256:", "md5:"), "index-malformed");
    refuses(&changed("\"vers\":\"2.1.0\"", "\"vers\":\"2.1\""), "index-malformed");
    refuses(&changed("^1.2", "banana"), "index-malformed");
    refuses("[]", "index-malformed");
    refuses("<html>", "index-malformed");
}

#[test]
fn a_refusal_names_the_file_and_the_line() {
    let text = [example(), "{".into()].join("\n");
    let refusal = parse(text.as_bytes(), &name()).expect_err("half a line");
    assert!(refusal.message.starts_with("index of platform/tools-postgres-readonly: line 2: "), "{refusal}");
}

#[test]
fn a_file_is_bounded() {
    refuses(&" ".repeat(INDEX_BYTES_MAX + 1), "index-too-large");
    let short = |number| {
        let (archive, tree) = (Sha256::of(b"archive"), TreeDigest::of([]));
        format!(
            r#"{{"v":1,"name":"{}","vers":"1.0.{number}","kind":"skill","cksum":"{archive}","tree":"{tree}","size":1,"files":1,"pub":"x"}}"#,
            name()
        )
    };
    let lines: Vec<String> = (0..=VERSIONS_MAX).map(short).collect();
    refuses(&lines.join("\n"), "index-too-large");
    assert_eq!(read(&lines[1..].join("\n")).len(), VERSIONS_MAX);
}

#[test]
fn the_entry_of_a_release_says_what_was_signed() {
    let skill = "---\nname: greet\ndescription: Use when greeting somebody by name.\n---\n\n# Greet\n\nSay hello.\n";
    let file = |path, mode, text: &str| File { path: FilePath::parse(path).expect("a path"), mode, bytes: text.into() };
    let tree = Tree::new(vec![
        file("SKILL.md", Mode::Regular, skill),
        file("scripts/greet.sh", Mode::Executable, "#!/bin/sh\necho hello\n"),
    ]);
    let (package, version) =
        (PackageName::parse("acme/greet").expect("a name"), Version::parse("1.0.0+linux").expect("a version"));
    let package = Package::from_tree(tree.expect("a tree"), Some(&package), Some(&version)).expect("a package");
    let statement = Statement {
        registry: "skills.example".into(),
        package: package.name.clone(),
        version,
        archive: Sha256::of(b"archive"),
        tree: package.tree.digest(),
        keyring: KeyringRef::new(3, Sha256::of(b"link")),
        resources: package.tree.resources(),
        dependencies: vec![],
        source: None,
    };
    let signer = KeyId::parse("x").expect("an id");
    let payload = Sha256::of(statement.to_payload());
    let entry = Entry::of(&package, &statement, 7, payload, &[signer], "2026-11-22T10:00:00Z", "user:alice");
    assert_eq!((entry.cksum, entry.tree, entry.statement), (statement.archive, statement.tree, Some(payload)));
    assert_eq!((entry.keyring, entry.files, entry.size, entry.vers.to_string()), (Some(3), 2, 7, "1.0.0+linux".into()));
    assert!(entry.caps.exec && entry.caps.scripts == 1);
    assert_eq!(parse(entry.to_line().as_bytes(), &package.name), Ok(vec![entry]));
}

#[test]
fn a_requirement_survives_the_line() {
    let entry = read(&changed("^1.2", ">=1.2, <3")).remove(0);
    assert_eq!(entry.deps[0].req, Requirement::parse(">=1.2,<3").expect("a requirement"));
    assert_eq!(read(&entry.to_line()), [entry]);
}

/// The entry that a registry makes of these files.
fn entry_of(files: &[(&str, &str)]) -> Entry {
    let file = |(path, text): &(&str, &str)| File {
        path: FilePath::parse(path).expect("lawful"),
        mode: Mode::Regular,
        bytes: (*text).into(),
    };
    let tree = Tree::new(files.iter().map(file).collect()).expect("lawful");
    let package = Package::from_tree(tree, None, None).expect("a package");
    let statement = Statement {
        registry: "skills.example".to_owned(),
        package: package.name.clone(),
        version: package.version.clone(),
        archive: Sha256::of(b"archive"),
        tree: package.tree.digest(),
        keyring: KeyringRef::new(1, Sha256::of(b"link")),
        resources: package.tree.resources(),
        dependencies: package.dependencies.clone(),
        source: None,
    };
    Entry::of(&package, &statement, 1, Sha256::of(b"payload"), &[], "2026-11-22T12:00:00Z", "user:ann")
}

#[test]
fn an_entry_says_of_each_kind_what_its_files_say() {
    let head = |kind: &str| {
        format!(
            "[package]\nschema = 1\nname = \"acme/x\"\nversion = \"1.0.0\"\nkind = \"{kind}\"\ndescription = \"It is.\"\n"
        )
    };
    let tools = head("tools")
        + "[boundary]\ntask-class = [\"any\"]\nenvironment = [\"dev\", \"staging\"]\ndata-class = \"internal\"\n\
           approval = \"plan-first\"\n[[rule]]\neffect = \"deny\"\ncommand = [\"dropdb\"]\n";
    let entry = entry_of(&[("skill.toml", &tools)]);
    let env = vec!["dev".to_owned(), "staging".to_owned()];
    let boundary = Boundary { env, data: "internal".to_owned(), approval: "plan-first".to_owned() };
    assert_eq!((entry.boundary, entry.checks, entry.fixtures), (Some(boundary.clone()), 0, 0));

    let check = head("check") + "[check]\nargv = [\"true\"]\ninputs = [\"**\"]\nnetwork = \"loopback\"\n";
    let files = [
        ("skill.toml", check.as_str()),
        ("fixtures/pass/a/x", ""),
        ("fixtures/fail/b/x", ""),
        ("fixtures/fail/c/x", ""),
    ];
    let entry = entry_of(&files);
    assert_eq!((entry.kind, entry.boundary, entry.checks, entry.fixtures), (Kind::Check, None, 0, 3));
    assert_eq!(entry.caps.network, "loopback");

    let brief = head("brief")
        + "[boundary]\ntask-class = \"any\"\nenvironment = \"{{ param.where }}\"\ndata-class = \"internal\"\n\
           approval = \"plan-first\"\n[param.where]\ntype = \"string\"\nenum = [\"dev\", \"staging\"]\n\
           [dependencies]\n\"acme/green\" = \"^1\"\n[evals]\nfile = \"evals/evals.json\"\n\
           [brief]\ntemplate = \"brief.md\"\ntools = []\n[[brief.deliverable]]\nid = \"mark\"\npath = \"done\"\nkind = \"text\"\n\
           [[brief.check]]\nid = \"marked\"\nuse = \"acme/green\"\n[[brief.escalate]]\nwhen = \"it is dark\"\n\
           [[brief.task]]\nid = \"write\"\nmakes = [\"mark\"]\n[[brief.task]]\nid = \"prove\"\nneeds = [\"write\"]\nchecks = [\"marked\"]\n";
    let text = "## Objective\nWrite `done` in {{ param.where }}.\n\n## Constraints\n- Touch no other file.\n\n## Allowed tools\n{{ sections.tools }}\n\n\
                ## Deliverables\n{{ sections.deliverables }}\n\n## Checks\n{{ sections.checks }}\n\n## Escalation\n{{ sections.escalation }}\n";
    let entry = entry_of(&[("skill.toml", &brief), ("brief.md", text), ("evals/evals.json", "{}")]);
    assert_eq!((entry.boundary.as_ref(), entry.checks, entry.fixtures), (Some(&boundary), 1, 0));
    assert_eq!(entry.evals.as_deref(), Some("evals/evals.json"));
    assert_eq!(parse(entry.to_line().as_bytes(), &entry.name).expect("a line"), [entry]);
}
