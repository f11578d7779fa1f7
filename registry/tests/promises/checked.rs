//! `check` finds what is not as it was signed, each damage by its code.

use registry::check::check;
use registry::home::Home;
use rusqlite::Connection;

use crate::signed::release;
use crate::world::World;

async fn findings(world: &World) -> Vec<(String, bool)> {
    let home = Home::existing(world.path()).expect("a registry");
    let report = check(&home).await.expect("readable");
    report.findings.iter().map(|finding| (finding.code.to_owned(), finding.is_note)).collect()
}

#[track_caller]
fn finds(found: &[(String, bool)], code: &str) {
    assert!(found.iter().any(|(seen, is_note)| seen == code && !is_note), "{code} in {found:?}");
}

/// Changes the database behind the registry's back, as somebody who first removes the guards.
fn tamper(world: &World, table: &str, sql: &str) {
    let database = Connection::open(world.path().join("registry.sqlite")).expect("opens");
    database.pragma_update(None, "foreign_keys", false).expect("set");
    for verb in ["UPDATE", "DELETE"] {
        database.execute_batch(&format!("DROP TRIGGER {table}_never_{verb}")).expect("dropped");
    }
    assert!(database.execute(sql, []).expect(sql) > 0, "{sql} changes something");
}

fn blob(world: &World) -> std::path::PathBuf {
    let hex = skills::Sha256::of(&release("acme/greet", "1.0.0").archive).hex();
    world.path().join("blobs/sha256").join(&hex[..2]).join(hex)
}

#[tokio::test]
async fn a_registry_that_nobody_touched_is_sound_also_while_it_runs() {
    let world = World::published().await;
    world.post("/api/v1/yank/acme/greet/1.0.0", &world.ann, r#"{"reason":"broken"}"#).await.is(200);
    assert_eq!(findings(&world).await, []);
}

#[tokio::test]
async fn a_flipped_byte_in_a_blob_is_found() {
    let world = World::published().await;
    let mut bytes = std::fs::read(blob(&world)).expect("a blob");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(blob(&world), bytes).expect("written");
    finds(&findings(&world).await, "blob-digest");
}

#[tokio::test]
async fn a_missing_blob_is_found() {
    let world = World::published().await;
    std::fs::remove_file(blob(&world)).expect("removed");
    finds(&findings(&world).await, "blob-missing");
}

#[tokio::test]
async fn a_tampered_row_is_found() {
    for (sql, code) in [
        ("UPDATE releases SET version = '1.0.1', number = '1.0.1'", "row-tampered"),
        ("UPDATE releases SET keyring = 2", "row-tampered"),
        ("UPDATE releases SET statement = archive", "row-tampered"),
        ("UPDATE releases SET by = 'user:eve'", "index-differs"),
        ("UPDATE releases SET published = '2020-01-01T00:00:00Z'", "index-differs"),
        ("UPDATE releases SET entry = replace(entry, 'Greets', 'Robs')", "index-differs"),
        ("UPDATE releases SET entry = 'nonsense'", "index-unbuildable"),
        ("UPDATE releases SET bundle = x'7b7d'", "bundle-invalid"),
        ("UPDATE releases SET archive = 'sha256:0'", "row-tampered"),
    ] {
        let world = World::published().await;
        tamper(&world, "releases", sql);
        let found = findings(&world).await;
        assert!(found.iter().any(|(seen, _)| seen == code), "{sql}: {code} in {found:?}");
    }
}

#[tokio::test]
async fn a_tampered_keyring_is_found() {
    let world = World::published().await;
    let other = crate::signed::link_body("acme", 8);
    tamper(&world, "links", &format!("UPDATE links SET envelope = '{other}'"));
    let found = findings(&world).await;
    finds(&found, "row-tampered");
    finds(&found, "bundle-invalid");
    let world = World::published().await;
    tamper(&world, "links", "UPDATE links SET envelope = '{}'");
    finds(&findings(&world).await, "keyring-invalid");
}

#[tokio::test]
async fn what_an_unfinished_publish_left_is_a_note_and_no_damage() {
    let world = World::published().await;
    let orphan = skills::Sha256::of(b"orphan");
    world.app().blobs.put(vec![(orphan, b"orphan"[..].into())]).await.expect("kept");
    assert_eq!(findings(&world).await, [("blob-orphan".to_owned(), true)]);
}
