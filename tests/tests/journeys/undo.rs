//! What was done is undone to the byte, and what is recorded for nobody is forgotten.

use tests::{Person, World};

use super::tools::{BEFORE, PACKAGE, add, with_files};

const CODEX: &str = ".codex/config.toml";

/// What somebody changes by hand in an entry of the bundle.
fn edit(bob: &Person) -> String {
    let text = bob.read(CODEX);
    let edited = text.replace("\"query\"", "\"query\", \"mine\"");
    assert_ne!(edited, text);
    bob.write(CODEX, &edited);
    edited
}

#[test]
fn rollback_gives_clients_their_files_back_to_the_byte() {
    let world = World::new();
    let bob = with_files(&world);
    add(&bob);
    let installed: Vec<(&str, String)> = BEFORE.iter().map(|(path, _)| (*path, bob.read(path))).collect();
    bob.skill(&["approve", PACKAGE, "--yes"]).ok();
    let approved = bob.snapshot();
    bob.skill(&["rollback", "--dry-run"]).ok().says(".codex/config.toml").says("would undo transaction 2");
    bob.snapshot().is_unchanged_from(&approved);

    bob.skill(&["rollback"]).ok().says("undid transaction 2");
    for (path, text) in &installed {
        assert_eq!(bob.read(path), *text, "{path} after the approval was undone");
    }
    assert!(!bob.read("skills.lock").contains("[[approved]]"));
    bob.skill(&["verify", "--offline"]).ok();

    bob.skill(&["rollback"]).ok().says("undid transaction 1");
    for (path, text) in BEFORE {
        assert_eq!(bob.read(path), *text, "{path} after everything was undone");
    }
    for path in ["skills.toml", "skills.lock", ".agents/skills/tools-postgres-readonly", ".codex/rules"] {
        assert!(!bob.work.join(path).exists(), "{path}");
    }
    bob.skill(&["rollback"]).exits(3).says("none is kept");
}

#[test]
fn rollback_loses_no_edit_unless_forced() {
    let world = World::new();
    let bob = with_files(&world);
    add(&bob);
    let edited = edit(&bob);
    bob.skill(&["rollback"]).exits(1).says("edited since: `.codex/config.toml`").says("--force");
    assert_eq!(bob.read(CODEX), edited);
    assert!(bob.work.join("skills.lock").exists());
    bob.skill(&["rollback", "--force"]).ok();
    for (path, text) in BEFORE {
        assert_eq!(bob.read(path), *text, "{path}");
    }
}

#[test]
fn prune_forgets_what_nobody_owns_and_leaves_it_where_it_is() {
    let world = World::new();
    let bob = with_files(&world);
    add(&bob);
    bob.skill(&["prune"]).ok().says("nothing to forget");
    edit(&bob);
    bob.skill(&["remove", PACKAGE]).ok().says("left as it is");
    let (lock, kept) = (bob.read("skills.lock"), bob.read(CODEX));
    assert!(lock.contains("[[written]]") && kept.contains("\"mine\""), "{lock}");
    bob.skill(&["prune", "--dry-run"]).ok().says("would forget .codex/config.toml");
    assert_eq!(bob.read("skills.lock"), lock);
    bob.skill(&["prune"]).ok().says("forgot .codex/config.toml");
    assert!(!bob.read("skills.lock").contains("[[written]]"), "{}", bob.read("skills.lock"));
    assert_eq!(bob.read(CODEX), kept);
    bob.skill(&["status"]).ok();
    bob.skill(&["verify", "--offline"]).ok();
    bob.skill(&["rollback"]).ok();
    assert_eq!((bob.read("skills.lock"), bob.read(CODEX)), (lock, kept));
}

#[test]
fn prune_frees_rollback_from_a_transaction_that_a_branch_brought() {
    let world = World::new();
    let bob = with_files(&world);
    add(&bob);
    let generation = bob.read(".skill/state/generations/1/generation.json");
    bob.write(".skill/state/generations/7/generation.json", generation);
    let before = bob.snapshot();
    bob.skill(&["rollback"]).exits(3).says("not written by this user").says("`skill prune`");
    bob.skill(&["prune", "--dry-run"]).ok().says("would forget transaction 7");
    bob.snapshot().is_unchanged_from(&before);
    let answer = bob.skill(&["prune", "--json"]).ok().stdout.clone();
    assert!(answer.contains("\"generations\":[7]") && answer.contains("\"rows\":[]"), "{answer}");
    bob.skill(&["rollback"]).ok().says("undid transaction 1");
}
