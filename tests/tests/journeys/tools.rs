//! A tool bundle on its way: into the configuration of six clients, approved, changed, and out again.

use std::path::Path;

use tests::binaries::repository;
use tests::files::{read, set_mode};
use tests::{Person, Shop, World, kinds};

pub(super) const PACKAGE: &str = "platform/tools-postgres-readonly";
const FOLDER: &str = "./packages/tools-postgres-readonly";
const ALLOW: &str = "mcp__pg__query";

/// What people have in their clients' files, in every layout that there is.
pub(super) const BEFORE: &[(&str, &str)] = &[
    (".mcp.json", "{\"mcpServers\":{\"mine\":{\"command\":\"x\"}}}"),
    (
        ".claude/settings.json",
        "{\n\t// ours\n\t\"model\": \"x\",\n\t\"permissions\": {\n\t\t\"deny\": [\n\t\t\t\"Read(.env)\", // secrets\n\t\t],\n\t},\n}\n",
    ),
    (".codex/config.toml", "# mine\r\nmodel = \"x\"\r\n\r\n[mcp_servers.other] # keep\r\ncommand = 'y'\r\n# end"),
    (".cursor/mcp.json", ""),
    (".cursor/cli.json", "{\r\n  \"permissions\": { \"allow\": [ ], \"deny\": [\"Shell(rm)\"] }\r\n}\r\n"),
    (".vscode/mcp.json", "{}\n"),
    (".gemini/settings.json", "\u{feff}{\n    \"theme\": \"dark\"\n}"),
    (".opencode/opencode.json", "{ \"permission\": { \"edit\": \"ask\" } }\n"),
];

/// Somebody whose repository has a bundle in a folder.
fn bob(world: &World) -> Person {
    let bob = world.stranger("bob");
    bob.write(
        "packages/tools-postgres-readonly/skill.toml",
        read(repository().join("skills/src/brief/samples/tools.toml")),
    );
    bob
}

pub(super) fn with_files(world: &World) -> Person {
    let bob = bob(world);
    BEFORE.iter().for_each(|(path, text)| bob.write(path, text));
    bob.write(".github/hooks/.keep", "");
    bob
}

#[track_caller]
pub(super) fn add(bob: &Person) {
    bob.skill(&["add", FOLDER, "--trust"]).ok();
}

/// A new version of the bundle in its folder.
fn next_version(bob: &Person) {
    let path = "packages/tools-postgres-readonly/skill.toml";
    let text = bob.read(path).replace("version = \"2.1.0\"", "version = \"2.2.0\"");
    bob.write(path, text);
}

#[test]
fn a_bundle_arrives_in_six_clients_and_leaves_every_byte_as_it_was() {
    let world = World::new();
    let bob = with_files(&world);
    let rehearsal = bob.skill(&["add", FOLDER, "--trust", "--dry-run"]).ok();
    rehearsal.says("+++ b/.mcp.json").says("in codex\n  servers      full");
    assert!(!bob.work.join("skills.lock").exists());
    add(&bob);
    for (path, expected) in [
        (".mcp.json", "\"pg\":{"),
        (".claude/settings.json", "\t\t\t\"Bash(dropdb *)\",\n"),
        (".codex/config.toml", "[mcp_servers.pg]\r\n"),
        (".codex/rules/skill-tools-postgres-readonly.rules", "prefix_rule("),
        (".cursor/mcp.json", "${env:PG_READONLY_URL}"),
        (".cursor/cli.json", "\"Shell(rm)\", \"Shell(dropdb)\""),
        (".vscode/mcp.json", "\"servers\": {"),
        (".gemini/settings.json", "\"includeTools\""),
        (".opencode/opencode.json", "\"pg_*\""),
    ] {
        assert!(bob.read(path).contains(expected), "{path}: {}", bob.read(path));
    }
    bob.skill(&["status"]).ok().says("waiting");
    bob.skill(&["verify", "--offline"]).ok();
    let before = bob.snapshot();
    bob.skill(&["install"]).ok().says("nothing to change");
    bob.snapshot().is_unchanged_from(&before);
    bob.skill(&["remove", PACKAGE]).ok();
    for (path, text) in BEFORE {
        assert_eq!(bob.read(path), *text, "{path}");
    }
    assert!(!bob.work.join(".codex/rules").exists());
    assert!(!bob.read("skills.lock").contains("[[written]]\nclient"), "{}", bob.read("skills.lock"));
}

#[test]
fn files_that_were_not_there_are_gone_again() {
    let world = World::new();
    let bob = bob(&world);
    bob.write(
        "skills.toml",
        "[tools]\nclients = [\"claude-code\", \"codex\", \"cursor\", \"copilot\", \"gemini\", \"opencode\"]\n",
    );
    add(&bob);
    let made =
        [".mcp.json", ".claude/settings.json", ".codex/config.toml", ".vscode/mcp.json", ".opencode/opencode.json"];
    for path in made {
        assert!(bob.read(path).ends_with('\n'), "{path}");
    }
    bob.skill(&["remove", PACKAGE]).ok();
    for path in made {
        assert!(!bob.work.join(path).exists(), "{path}");
    }
}

#[test]
fn nothing_is_allowed_before_a_human_approves_it_and_only_for_this_version() {
    let world = World::new();
    let bob = with_files(&world);
    add(&bob);
    let allows = |bob: &Person| {
        let texts: String = BEFORE.iter().map(|(path, _)| bob.read(path)).collect();
        let rules = std::fs::read_to_string(bob.work.join(".cursor/permissions.json")).unwrap_or_default();
        [ALLOW, "approval_mode = \"approve\"", "\"pg_query\": \"allow\"", "pg:query"]
            .map(|allow| texts.contains(allow) || rules.contains(allow))
    };
    assert_eq!(allows(&bob), [false; 4]);
    bob.skill(&["approve", PACKAGE]).exits(4).says("mcp:pg:query").says("prompting for each one stops work");
    bob.skill(&["approve", PACKAGE, "--grant", "mcp:pg:drop", "--yes"]).exits(2).says("its grants: mcp:pg:query");
    bob.skill(&["approve", PACKAGE, "--yes", "--dry-run"]).ok();
    assert_eq!(allows(&bob), [false; 4]);
    bob.skill(&["approve", PACKAGE, "--yes"]).ok().says("mcp__pg__query");
    assert_eq!(allows(&bob), [true; 4]);
    bob.skill(&["approve", PACKAGE, "--yes"]).ok().says("every grant is approved");
    bob.skill(&["verify", "--offline"]).ok();
    bob.skill(&["status"]).ok().keeps_quiet_about("waiting");

    next_version(&bob);
    bob.skill(&["install", "--trust"]).ok().says("not allowed any more");
    assert_eq!(allows(&bob), [false; 4]);
    assert!(!bob.read("skills.lock").contains("[[approved]]"));
    bob.skill(&["remove", PACKAGE]).ok();
    for (path, text) in BEFORE {
        assert_eq!(bob.read(path), *text, "{path}");
    }
}

#[test]
fn a_taken_name_is_refused_and_another_name_is_remembered() {
    let world = World::new();
    let bob = bob(&world);
    let mine = "{\n  \"mcpServers\": {\n    \"pg\": { \"command\": \"mine\" }\n  }\n}\n";
    bob.write(".mcp.json", mine);
    let before = bob.snapshot();
    bob.skill(&["add", FOLDER, "--trust"])
        .exits(1)
        .says("is there already, with another value")
        .says("--rename pg=pg2");
    assert_eq!(bob.read(".mcp.json"), mine);
    assert!(!bob.work.join("skills.toml").exists(), "{:?}", before.paths());
    bob.skill(&["add", FOLDER, "--trust", "--rename", "pg=pg2"]).ok();
    let renamed = bob.read(".mcp.json");
    assert!(renamed.contains("\"pg2\": {") && renamed.contains("\"mine\""), "{renamed}");
    assert!(bob.read("skills.toml").contains("[tools.rename]\npg = \"pg2\""));
    std::fs::write(bob.work.join(".mcp.json"), mine).expect("written");
    bob.skill(&["install"]).ok();
    assert_eq!(bob.read(".mcp.json"), renamed);
    bob.skill(&["approve", PACKAGE, "--yes"]).ok();
    assert!(bob.read(".claude/settings.json").contains("mcp__pg2__query"));
    bob.skill(&["remove", PACKAGE]).ok();
    assert_eq!(bob.read(".mcp.json"), mine);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_edited_stops_everything_and_the_patch_is_printed() {
    use std::os::unix::fs::symlink;
    type Spoiled = (&'static str, fn(&Path), i32);
    let spoil: [Spoiled; 7] = [
        ("not JSON", |path| std::fs::write(path, "{ \"mcpServers\": ").expect("written"), 2),
        ("a key twice", |path| std::fs::write(path, "{\"mcpServers\":{},\"mcpServers\":{}}").expect("written"), 2),
        ("another shape", |path| std::fs::write(path, "{\"mcpServers\":[]}").expect("written"), 2),
        ("not UTF-8", |path| std::fs::write(path, b"\xff\xfe{").expect("written"), 1),
        ("a link", |path| symlink("elsewhere.json", path).expect("linked"), 1),
        ("a folder", |path| std::fs::create_dir(path).expect("made"), 1),
        (
            "read-only",
            |path| {
                std::fs::write(path, "{}").expect("written");
                set_mode(path, 0o444);
            },
            1,
        ),
    ];
    for (name, make, exit) in spoil {
        let world = World::new();
        let bob = bob(&world);
        bob.write(".codex/config.toml", "model = \"x\"\n");
        bob.write("elsewhere.json", "{}");
        make(&bob.work.join(".mcp.json"));
        let screen = bob.skill(&["add", FOLDER, "--trust"]).exits(exit);
        screen.says("nothing was changed").says("+++ b/.mcp.json").says("\"pg\": {");
        assert_eq!(bob.read(".codex/config.toml"), "model = \"x\"\n", "{name}");
        assert_eq!(bob.read("elsewhere.json"), "{}", "{name}");
        assert!(!bob.work.join(".agents").exists() && !bob.work.join("skills.lock").exists(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let bob = with_files(&world);
    set_mode(&bob.work.join(".mcp.json"), 0o600);
    let mode =
        |bob: &Person| std::fs::metadata(bob.work.join(".mcp.json")).expect("there").permissions().mode() & 0o777;
    add(&bob);
    assert_eq!(mode(&bob), 0o600);
    bob.skill(&["remove", PACKAGE]).ok();
    assert_eq!(mode(&bob), 0o600);
}

#[test]
fn what_somebody_changes_is_found_by_its_own_id_and_never_undone_unasked() {
    let world = World::new();
    let bob = with_files(&world);
    add(&bob);
    let whole = |path: &str| (path.to_owned(), bob.read(path));
    let kept: Vec<(String, String)> =
        [".codex/config.toml", ".claude/settings.json", ".opencode/opencode.json", "skills.lock"].map(whole).into();
    let restore = || kept.iter().for_each(|(path, text)| bob.write(path, text));
    for (path, from, to, id, drift) in [
        (".codex/config.toml", "\"prompt\"", "\"approve\"", "SKV060", "modified"),
        (".codex/config.toml", "\"query\"", "\"query\", \"drop\"", "SKV060", "modified"),
        (".claude/settings.json", "\t\t\t\"Bash(dropdb *)\",\n", "", "SKV061", "missing"),
        (
            ".claude/settings.json",
            "\"ask\": [",
            "\"allow\": [\"mcp__pg__query\"],\n\t\t\"ask\": [",
            "SKV063",
            "unrecorded",
        ),
        (
            ".claude/settings.json",
            "\"ask\": [",
            "\"allow\": [\"mcp__pg__other\"],\n\t\t\"ask\": [",
            "SKV062",
            "unrecorded",
        ),
        (
            ".opencode/opencode.json",
            "\"pg_*\": \"deny\"",
            "\"pg_*\": \"deny\", \"pg_d*\": \"allow\"",
            "SKV062",
            "unrecorded",
        ),
        (".opencode/opencode.json", "\"pg_query\": \"ask\"", "\"pg_query\": \"allow\"", "SKV063", "unrecorded"),
    ] {
        let text = bob.read(path);
        assert!(text.contains(from), "{from}: {text}");
        bob.write(path, text.replacen(from, to, 1));
        bob.skill(&["verify", "--offline"]).exits(1).says(id);
        bob.skill(&["status"]).exits(1).says(drift);
        restore();
        bob.skill(&["verify", "--offline"]).ok();
    }
    let widened = bob.read(".codex/config.toml").replace("\"prompt\"", "\"approve\"");
    bob.write(".codex/config.toml", &widened);
    bob.skill(&["install"]).exits(1).says("was changed since it was written");
    assert_eq!(bob.read(".codex/config.toml"), widened);
    bob.skill(&["remove", PACKAGE]).ok().says("left as it is");
    assert!(bob.read(".codex/config.toml").contains("mcp_servers.pg"));
    add(&bob);
    bob.skill(&["install", "--force"]).ok();
    bob.skill(&["remove", PACKAGE]).ok();
    assert_eq!(bob.read(".codex/config.toml"), BEFORE[2].1);
}

#[test]
fn a_policy_that_grants_nothing_and_knows_its_data_is_obeyed() {
    for (policy, exit, code) in [
        ("scopes.allow = [\"acme\"]", 4, "policy-scope"),
        ("deny = [\"platform/tools-*\"]", 4, "policy-denied"),
        ("require-signature = true", 4, "policy-signature"),
        ("max-data-class = \"public\"", 4, "policy-data-class"),
        ("environments = [\"production\"]", 4, "policy-environment"),
        ("max-data-class = \"internal\"\nenvironments = [\"dev\"]", 0, ""),
    ] {
        let world = World::new();
        let bob = bob(&world);
        bob.write("skills.toml", format!("[policy]\n{policy}\n"));
        let screen = bob.skill(&["add", FOLDER, "--trust", "--json"]).exits(exit);
        assert!(screen.stdout.contains(code), "{policy}: {screen}");
        assert_eq!(bob.work.join(".agents").exists(), exit == 0, "{policy}");
    }
    let world = World::new();
    let bob = with_files(&world);
    bob.write("skills.toml", "[policy]\ngrants = \"deny\"\n");
    add(&bob);
    bob.skill(&["approve", PACKAGE, "--yes"]).exits(4).says("denies grants");
    assert!(!bob.read(".claude/settings.json").contains(ALLOW));
    // An approval that the lock has already counts no more than a new one.
    let world = World::new();
    let bob = with_files(&world);
    add(&bob);
    bob.skill(&["approve", PACKAGE, "--yes"]).ok();
    bob.write("skills.toml", bob.read("skills.toml") + "\n[policy]\ngrants = \"deny\"\n");
    bob.skill(&["verify"]).exits(1).says("SKV063");
    bob.skill(&["install"]).ok();
    assert!(!bob.read(".claude/settings.json").contains(ALLOW));
}

#[test]
fn a_layer_of_the_user_that_overrides_ours_is_listed() {
    let world = World::new();
    let bob = with_files(&world);
    add(&bob);
    tests::write(
        bob.home.join(".claude/settings.json"),
        "{\"permissions\":{\"allow\":[\"mcp__pg__query\"],\"defaultMode\":\"bypassPermissions\"}}",
    );
    tests::write(bob.home.join(".codex/config.toml"), "approval_policy = \"never\"\n");
    let rules = bob.read(".opencode/opencode.json");
    let widened = rules.replacen("\"pg_query\": \"ask\"", "\"pg_query\": \"ask\", \"*\": \"allow\"", 1);
    bob.write(".opencode/opencode.json", widened);
    let screen = bob.skill(&["status"]).ok();
    screen.says("ineffective").says("bypassPermissions").says("is not trusted there").says("the last one wins");
}

#[test]
fn an_approval_is_for_the_signed_archive_and_the_next_release_starts_without() {
    let shop = Shop::open();
    kinds::tools(&shop.alice.work, "1.0.0");
    shop.alice.skill(&["publish", "--register-key", "guard"]).ok();
    shop.bob.write(".claude/settings.json", "{}\n");
    shop.bob.skill(&["add", "acme/guard", "--trust"]).ok();
    shop.bob.skill(&["approve", "acme/guard", "--grant", "mcp:pg:query", "--yes"]).ok();
    let approved = shop.bob.read("skills.lock");
    assert!(approved.contains("[[approved]]") && shop.bob.read(".claude/settings.json").contains(ALLOW));

    let clone = shop.bob.within("../clone");
    for path in ["skills.toml", "skills.lock", ".mcp.json", ".claude/settings.json", ".skill/trust.toml"] {
        clone.write(path, shop.bob.read(path));
    }
    tests::files::copy(&shop.bob.work.join(".skill/proofs"), &clone.work.join(".skill/proofs"));
    clone.skill(&["install", "--locked"]).ok();
    for path in ["skills.lock", ".mcp.json", ".claude/settings.json"] {
        assert_eq!(clone.read(path), shop.bob.read(path), "a clone changes nothing of {path}");
    }
    clone.skill(&["verify", "--offline"]).ok();

    kinds::tools(&shop.alice.work, "1.1.0");
    shop.alice.skill(&["publish", "guard"]).ok();
    shop.bob.skill(&["update"]).ok().says("not allowed any more");
    assert!(!shop.bob.read(".claude/settings.json").contains(ALLOW));
    shop.bob.skill(&["verify", "--offline"]).ok();
    shop.bob.skill(&["remove", "guard"]).ok();
    assert_eq!(shop.bob.read(".claude/settings.json"), "{}\n");
    assert!(!shop.bob.work.join(".mcp.json").exists());
}

#[test]
fn what_two_bundles_share_goes_with_the_last_of_them() {
    let world = World::new();
    let bob = with_files(&world);
    let other = bob
        .read("packages/tools-postgres-readonly/skill.toml")
        .replace("platform/tools-postgres-readonly", "platform/tools-too");
    bob.write("packages/tools-too/skill.toml", other);
    bob.skill(&["add", FOLDER, "./packages/tools-too", "--trust"]).ok();
    assert_eq!(bob.read(".claude/settings.json").matches("Bash(dropdb *)").count(), 1);
    bob.skill(&["remove", PACKAGE]).ok();
    assert!(bob.read(".claude/settings.json").contains("Bash(dropdb *)"));
    bob.skill(&["verify", "--offline"]).ok();
    bob.skill(&["remove", "tools-too"]).ok();
    for (path, text) in BEFORE {
        assert_eq!(bob.read(path), *text, "{path}");
    }
}
