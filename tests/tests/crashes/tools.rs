//! `kill -9` of `skill` while it changes clients' configuration files: all of them are as before, or all as
//! after, and the ledger agrees with them.

use std::path::Path;
use std::process::Command;

use tests::binaries::repository;
use tests::files::read;
use tests::tools::have;
use tests::{Person, Snapshot, World};

use super::cli::{CALLS, copy_all, run_traced};

const PACKAGE: &str = "platform/tools-postgres-readonly";
const SETTINGS: &str = "{\n  // mine\n  \"permissions\": {\n    \"deny\": [\"Read(.env)\"]\n  }\n}\n";

fn installed(world: &World) -> Person {
    let bob = world.stranger("bob");
    let bundle = read(repository().join("skills/src/brief/samples/tools.toml"));
    bob.write("packages/tools-postgres-readonly/skill.toml", bundle);
    bob.write(".claude/settings.json", SETTINGS);
    bob.write(".codex/config.toml", "model = \"x\"\n");
    bob.skill(&["add", "./packages/tools-postgres-readonly", "--trust"]).ok();
    bob
}

fn copy_of(bob: &Person, target: &Path) -> Person {
    let _ = std::fs::remove_dir_all(target);
    copy_all(&bob.work, target);
    bob.within(target)
}

fn files(person: &Person) -> Vec<Option<String>> {
    let paths = [".claude/settings.json", ".mcp.json", ".codex/config.toml", "skills.lock", "skills.toml"];
    let rules = ".codex/rules/skill-tools-postgres-readonly.rules";
    paths.iter().chain([&rules]).map(|path| std::fs::read_to_string(person.work.join(path)).ok()).collect()
}

#[test]
fn killed_while_a_bundle_is_removed_every_file_is_old_or_every_file_is_new() {
    if !have("strace", "-V") {
        return;
    }
    let world = World::new();
    let bob = installed(&world);
    let gone = copy_of(&bob, &world.path("gone"));
    gone.skill(&["remove", PACKAGE]).ok();
    let (old, new) = (files(&bob), files(&gone));
    assert_eq!(new[0].as_deref(), Some(SETTINGS));
    let (mut kept, mut removed) = (0, 0);
    for point in 1..400 {
        let person = copy_of(&bob, &world.path("crash"));
        let before = Snapshot::of(&person.work);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={CALLS}")]);
        strace.args(["-e", &format!("inject={CALLS}:signal=KILL:when={point}")]);
        run_traced(&person, strace, &["remove", PACKAGE]);
        let is_whole = files(&person) == new && !person.work.join(".skill/state/txn").exists();
        person.skill(&["install"]).ok();
        let now = files(&person);
        assert!(now == old || now == new, "call {point}: neither the old state nor the new one: {:?}", before.paths());
        person.skill(&["status"]).ok();
        if now == new {
            removed += 1
        } else {
            kept += 1
        }
        if is_whole && removed > 3 {
            break;
        }
    }
    assert!(kept > 0 && removed > 0, "old {kept}, new {removed}: both states must occur");
    tests::tools::say(&format!("crashes: clients' files, {kept} times the old state, {removed} times the new one"));
}
