//! The examples of FORMATS are read as what they are.
//!
//! Skips, saying so, where they are not laid beside the repository.

#![expect(clippy::disallowed_methods, reason = "tests may read the examples; the room itself may not")]

use std::fs;
use std::path::Path;

use skills::boundary::{Approval, DataClass};
use skills::check::{Network, StateExpectation};
use skills::manifest::{Kind, Kinded, Manifest};
use skills::package::Package;
use skills::tools::{Access, Effect, Granted};
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, PackageName, Refusal, Version};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/examples");

/// The files of an example, all of which lie at its top.
fn example(name: &str) -> Option<Tree> {
    let Ok(entries) = fs::read_dir(Path::new(EXAMPLES).join(name)) else {
        eprintln!("skipped: there is no {EXAMPLES}/{name}");
        return None;
    };
    let files = entries.map(|entry| {
        let path = entry.expect("readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("ASCII");
        let bytes = fs::read(&path).expect("readable");
        File { path: FilePath::parse(name).expect("lawful"), mode: Mode::Regular, bytes }
    });
    let files = files.collect();
    Some(Tree::new(files).expect("lawful"))
}

fn package(tree: Tree) -> Result<Package, Refusal> {
    Package::from_tree(tree, None, None)
}

#[test]
fn the_skill_with_a_manifest_is_a_package() {
    let Some(tree) = example("skill-postgres-ops") else { return };
    let package = package(tree).expect("a package");
    assert_eq!(package.name.to_string(), "platform/skill-postgres-ops");
    assert_eq!(package.version.to_string(), "2.0.1");
    assert_eq!(package.keywords, ["postgres", "migration"]);
    assert_eq!(package.requires.bins, ["psql >=14"]);
    assert_eq!(package.requires.agents, ["claude-code >=2.1.210", "codex >=0.150"]);
    let dependencies: Vec<String> =
        package.dependencies.iter().map(|dependency| format!("{} {}", dependency.name, dependency.req)).collect();
    assert_eq!(dependencies, ["platform/brief-database-migration ^1.4"]);
    assert!(package.description.starts_with("Work safely on PostgreSQL schemas."));
}

#[test]
fn the_plain_skill_is_a_package_once_it_is_named() {
    let Some(tree) = example("plain-skill") else { return };
    let name = PackageName::parse("acme/plain-skill").expect("a name");
    let version = Version::parse("1.0.0").expect("a version");
    assert!(Package::from_tree(tree, Some(&name), Some(&version)).is_ok());
}

fn manifest(folder: &str) -> Option<Manifest> {
    let tree = example(folder)?;
    let bytes = &tree.file("skill.toml").expect("it has one").bytes;
    Some(Manifest::parse(bytes).unwrap_or_else(|refusal| panic!("{folder}: {refusal}")))
}

#[test]
fn the_tool_bundle_is_read_whole() {
    let Some(manifest) = manifest("tools-postgres-readonly") else { return };
    let Kinded::Tools(bundle) = manifest.kinded else { panic!("{:?}", manifest.kinded) };
    assert_eq!(bundle.boundary.environment, ["dev", "staging"]);
    assert_eq!(bundle.boundary.data_class, DataClass::Internal);
    assert_eq!(bundle.boundary.approval, Approval::AskOnMutate);
    assert_eq!(bundle.servers[0].pin(), "npm:pg-readonly-mcp@0.6.2");
    let tools: Vec<(&str, Access, bool)> =
        bundle.servers[0].tools.iter().map(|tool| (tool.name.as_str(), tool.access, tool.ask)).collect();
    let expected = [
        ("query", Access::Read, false),
        ("describe_table", Access::Read, false),
        ("cancel_backend", Access::Mutate, true),
    ];
    assert_eq!(tools, expected);
    let effects: Vec<Effect> = bundle.rules.iter().map(|rule| rule.effect).collect();
    assert_eq!(effects, [Effect::Deny, Effect::Ask, Effect::Deny]);
    assert_eq!(bundle.grants[0].granted, Granted::Tool { server: "pg".to_owned(), tool: "query".to_owned() });
}

#[test]
fn the_tool_bundle_shows_what_the_format_shows() {
    let Some(tree) = example("tools-postgres-readonly") else { return };
    let package = package(tree).expect("a package");
    assert_eq!(
        serde_json::to_string(&package.capabilities).expect("JSON"),
        r#"{"exec":false,"scripts":0,"servers":[{"id":"pg","pin":"npm:pg-readonly-mcp@0.6.2"}],"mutates":true,"network":"any","grants":1,"allowed_tools":false}"#
    );
    assert!(package.description.starts_with("Read-only PostgreSQL"));
}

#[test]
fn the_checks_are_read_whole() {
    let Some(rollback) = manifest("check-rollback-valid") else { return };
    let Kinded::Check(check) = rollback.kinded else { panic!("{:?}", rollback.kinded) };
    assert_eq!((check.network, check.timeout_seconds, check.sandbox_required), (Network::Loopback, 300, false));
    assert_eq!(check.program().expect("its own").as_str(), "run.sh");
    assert!(matches!(check.expect.states[..], [StateExpectation::EqualFiles(..)]));

    let Some(tests) = manifest("check-tests-pass") else { return };
    let Kinded::Check(check) = tests.kinded else { panic!("{:?}", tests.kinded) };
    assert_eq!((check.network, check.timeout_seconds), (Network::None, 900));
    assert_eq!(check.env_pass, ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME"]);
    let values = check.params.accept(&serde_json::Map::new()).expect("defaults");
    assert_eq!(check.command(&values).expect("words"), ["cargo", "test", "--workspace"]);
    assert!(check.expect.outputs[0].regex.regex().is_match("x\ntest result: ok. 3 passed"));
}

#[test]
fn the_example_checks_lack_the_fixtures_and_programs_that_publishing_asks_for() {
    for (folder, words) in [("check-tests-pass", "[S047]"), ("check-rollback-valid", "[S045]")] {
        let Some(tree) = example(folder) else { continue };
        let refusal = package(tree).expect_err(folder);
        assert_eq!(refusal.code, "package-lint");
        assert!(refusal.message.contains(words), "{folder}: {refusal}");
    }
}

#[test]
fn a_brief_without_its_template_is_refused_as_lint_refuses_it() {
    let Some(tree) = example("brief-database-migration") else { return };
    let files = tree.files().iter().filter(|file| file.path.as_str() == "skill.toml").cloned().collect();
    let refusal = package(Tree::new(files).expect("lawful")).expect_err("no template");
    assert_eq!(refusal.code, "package-lint");
    assert!(refusal.message.contains("brief.md"), "{refusal}");
}

#[test]
fn the_brief_is_a_package() {
    let Some(tree) = example("brief-database-migration") else { return };
    let package = package(tree).expect("a package");
    let Kinded::Brief(tables) = &package.kinded else { panic!("{:?}", package.kinded) };
    assert_eq!(tables.brief.template.as_str(), "brief.md");
    assert_eq!((package.capabilities.mutates, package.capabilities.network.as_str()), (false, "none"));
}

#[test]
fn the_other_kinds_parse_as_what_they_are() {
    for (folder, kind, version, dependencies) in [
        ("brief-database-migration", Kind::Brief, "1.4.0", 3),
        ("tools-postgres-readonly", Kind::Tools, "2.1.0", 0),
        ("check-tests-pass", Kind::Check, "1.2.0", 0),
        ("check-rollback-valid", Kind::Check, "1.0.3", 0),
    ] {
        let Some(tree) = example(folder) else { continue };
        let bytes = &tree.file("skill.toml").expect("it has one").bytes;
        let manifest = Manifest::parse(bytes).unwrap_or_else(|refusal| panic!("{folder}: {refusal}"));
        assert_eq!((manifest.kind, manifest.version.to_string().as_str()), (kind, version), "{folder}");
        assert_eq!(manifest.dependencies.len(), dependencies, "{folder}");
        assert!(manifest.description.is_some() && manifest.license.is_some(), "{folder}");
    }
}
