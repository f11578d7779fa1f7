//! Mirrors that lie about what no signature covers, that break off, that never end.

use tests::mirror::{Lie, Lies};
use tests::publisher::Publisher;

use crate::stage::Stage;

/// The stage with an honest 1.1.0 at the registry, waiting for Bob.
fn with_update() -> (Stage, tests::publisher::Release) {
    let stage = Stage::set();
    let release = stage.publisher.release("pdf", "1.1.0");
    assert_eq!(stage.publisher.publish(&stage.registry, &release).status, 201);
    (stage, release)
}

#[test]
fn an_archive_that_breaks_off_is_refused_and_the_next_run_succeeds() {
    let (stage, release) = with_update();
    for at in [0, 1, release.archive.len() / 2, release.archive.len() - 1] {
        stage.client_refuses(Lies::from([(release.archive_path(), Lie::BreaksOff(at))]), 3);
    }
    stage.bob.skill(&["update"]).ok().says("1.1.0");
}

#[test]
fn a_bundle_index_or_keyring_that_breaks_off_is_refused() {
    let (stage, release) = with_update();
    for path in [release.bundle_path(), release.index_path(), "/keyrings/acme.jsonl".to_owned()] {
        stage.client_refuses(Lies::from([(path, Lie::BreaksOff(50))]), 3);
    }
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let (stage, release) = with_update();
    for path in [release.archive_path(), release.bundle_path(), release.index_path(), "/keyrings/acme.jsonl".to_owned()]
    {
        stage.client_refuses(Lies::from([(path, Lie::Endless)]), 3);
    }
}

#[test]
fn an_archive_with_one_byte_changed_is_refused() {
    let (stage, release) = with_update();
    for at in [0, 10, release.archive.len() / 2, release.archive.len() - 1] {
        let mut bytes = release.archive.clone();
        bytes[at] ^= 1;
        stage.client_refuses(Lies::from([(release.archive_path(), Lie::Bytes(bytes))]), 1).says("SKV001");
    }
    stage.bob.skill(&["cache", "verify"]).ok();
    stage.bob.skill(&["update"]).ok();
}

#[test]
fn an_older_archive_in_the_place_of_the_new_one_is_refused() {
    let (stage, release) = with_update();
    let older = stage.publisher.release("pdf", "1.0.0").archive;
    stage.client_refuses(Lies::from([(release.archive_path(), Lie::Bytes(older))]), 1).says("SKV001");
}

#[test]
fn files_that_are_withheld_are_missing_and_not_skipped() {
    let (stage, release) = with_update();
    for path in [release.archive_path(), release.bundle_path(), "/keyrings/acme.jsonl".to_owned()] {
        stage.client_refuses(Lies::from([(path, Lie::Absent)]), 3);
    }
}

#[test]
fn another_keyring_is_refused_against_the_pin() {
    let (stage, _) = with_update();
    let elsewhere = tests::World::new();
    let other = elsewhere.registry();
    Publisher::register(&other, "alice", "acme", 66);
    let keyring = other.get("/keyrings/acme.jsonl").body;
    stage.client_refuses(Lies::from([("/keyrings/acme.jsonl".to_owned(), Lie::Bytes(keyring))]), 1).says("SKV012");
}

#[test]
fn a_keyring_of_another_scope_is_refused() {
    let (stage, _) = with_update();
    stage.registry.scope("beta", "alice");
    Publisher::with_token(&stage.registry, stage.publisher.token.clone(), "alice", "beta", 7);
    let keyring = stage.registry.get("/keyrings/beta.jsonl").body;
    stage.client_refuses(Lies::from([("/keyrings/acme.jsonl".to_owned(), Lie::Bytes(keyring))]), 1).says("SKV012");
}

#[test]
fn an_index_that_lies_about_digests_or_dependencies_is_refused() {
    let (stage, release) = with_update();
    let genuine = stage.registry.get(&release.index_path()).text();
    let last = genuine.lines().last().expect("a line").to_owned();
    let lie = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut line: serde_json::Value = serde_json::from_str(&last).expect("JSON");
        change(&mut line);
        let text = genuine.replace(&last, &line.to_string());
        Lies::from([(release.index_path(), Lie::Bytes(text.into_bytes()))])
    };
    let other = skills::Sha256::of(b"other").to_string();
    stage.client_refuses(lie(&|line| line["cksum"] = other.clone().into()), 1).says("SKV001");
    stage.client_refuses(lie(&|line| line["statement"] = other.clone().into()), 1).says("SKV001");
    let tree = skills::TreeDigest::of([]).to_string();
    stage.client_refuses(lie(&|line| line["tree"] = tree.clone().into()), 1).says("SKV001");
    // Dependency confusion by the index: what the publisher did not sign does not come along.
    let dependency = serde_json::json!([{"name": "acme/pdf-evil", "req": "^1"}]);
    let forged = lie(&|line| line["deps"] = dependency.clone());
    let mut lies = forged;
    let evil = stage.publisher.release("pdf-evil", "1.0.0");
    assert_eq!(stage.publisher.publish(&stage.registry, &evil).status, 201);
    lies.insert("/nothing".to_owned(), Lie::Absent);
    stage.client_refuses(lies, 1).says("SKV001");
}

#[test]
fn an_index_of_nonsense_is_refused() {
    let (stage, release) = with_update();
    for text in ["not json\n", "{}\n", "[]\n", "{\"v\":1,\"name\":\"acme/other\",\"vers\":\"1.1.0\"}\n", "\u{0}"] {
        stage.client_refuses(Lies::from([(release.index_path(), Lie::Bytes(text.into()))]), 3);
    }
}

#[test]
fn a_registry_that_changes_its_name_is_not_the_one_that_was_pinned() {
    let (stage, _) = with_update();
    let config = stage.registry.get("/config.json").text().replace("localhost", "skills.example");
    let mirror = tests::mirror::Mirror::of(
        stage.registry.url(),
        Lies::from([("/config.json".to_owned(), Lie::Bytes(config.into()))]),
    );
    let bob = stage.world.stranger("carol").at(mirror.url());
    let screen = bob.skill(&["add", "acme/pdf", "--trust"]);
    assert_eq!(screen.exit, 1, "statements made for `localhost` are none of `skills.example`\n{screen}");
    assert!(!bob.work.join(".agents").exists());
}

#[test]
fn a_poisoned_cache_is_noticed_and_healed() {
    let (stage, release) = with_update();
    stage.bob.skill(&["update"]).ok();
    let cache = stage.bob.home.join("skill/cache");
    let archive =
        walk(&cache).into_iter().find(|path| path.ends_with(format!("{}.tar.gz", release.statement.archive.hex())));
    std::fs::write(archive.expect("the archive is cached"), b"poison").expect("written");
    std::fs::remove_dir_all(stage.bob.work.join(".agents")).expect("removed");
    stage.bob.skill(&["install"]).ok();
    stage.bob.skill(&["verify", "--offline"]).ok();
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
