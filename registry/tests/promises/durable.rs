//! What was acknowledged survives, and what failed is not half there.

use axum::body::Body;

use crate::signed::release;
use crate::world::World;

const PATHS: [&str; 5] = [
    "/index/acme/greet",
    "/bundles/acme/greet/1.0.0.sigstore.jsonl",
    "/keyrings/acme.jsonl",
    "/api/v1/scopes/acme",
    "/.well-known/agent-skills/index.json",
];

#[tokio::test]
async fn a_restart_keeps_everything() {
    let mut world = World::published().await;
    world.publish(&[release("acme/greet", "1.1.0"), release("acme/other", "0.1.0")]).await.is(201);
    world.post("/api/v1/yank/acme/greet/1.1.0", &world.ann, r#"{"reason":"broken"}"#).await.is(200);
    let mut before = Vec::new();
    for path in PATHS {
        before.push(world.get(path).await.is(200).body);
    }
    world.restart().await;
    for (path, before) in PATHS.iter().zip(before) {
        assert_eq!(world.get(path).await.is(200).body, before, "{path}");
    }
    let pair = release("acme/greet", "1.0.0");
    let path = format!("/archives/sha256/{}.tar.gz", skills::Sha256::of(&pair.archive).hex());
    assert_eq!(world.get(&path).await.is(200).body, pair.archive);
    world.send("GET", "/api/v1/me", Some(&world.ann), Body::empty()).await.is(200);
}

#[tokio::test]
async fn an_archive_that_cannot_be_kept_publishes_nothing() {
    let world = World::new().await;
    let pair = release("acme/greet", "1.0.0");
    let hex = skills::Sha256::of(&pair.archive).hex();
    // A file where the folder of this blob should be: as broken as a disk can be made without one.
    let folder = world.path().join("blobs/sha256").join(&hex[..2]);
    std::fs::write(&folder, b"").expect("written");
    world.publish(&[pair]).await.refuses(503, "unavailable");
    world.get("/index/acme/greet").await.refuses(404, "package-not-found");
}

#[tokio::test]
async fn a_registry_without_a_name_of_its_own_is_called_localhost_and_never_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = async |text: &str| {
        let config = registry::config::Config::parse(text).expect("a configuration");
        registry::app::App::open(folder.path(), config).await.map(|app| app.name.clone())
    };
    assert_eq!(open("").await.expect("opens"), "localhost");
    assert_eq!(open("name = \"skills.example\"").await.expect_err("another name").code, "name-differs");
}

#[tokio::test]
async fn a_second_server_on_one_folder_is_refused() {
    let world = World::new().await;
    let config = registry::config::Config::default();
    let refusal = registry::app::App::open(world.path(), config).await.map(drop).expect_err("in use");
    assert_eq!(refusal.code, "data-in-use");
}

#[tokio::test]
async fn a_database_of_a_later_schema_is_refused_and_not_guessed_at() {
    let mut world = World::new().await;
    world.stop();
    let database = rusqlite::Connection::open(world.path().join("registry.sqlite")).expect("opens");
    database.pragma_update(None, "user_version", 99).expect("set");
    drop(database);
    let config = registry::config::Config::default();
    let refusal = registry::app::App::open(world.path(), config).await.map(drop).expect_err("later");
    assert!(refusal.message.contains("schema 99"), "{}", refusal.message);
}

#[tokio::test]
async fn what_is_published_is_never_updated_or_deleted_by_any_program() {
    let world = World::published().await;
    world.post("/api/v1/yank/acme/greet/1.0.0", &world.ann, r#"{"reason":"broken"}"#).await.is(200);
    let database = rusqlite::Connection::open(world.path().join("registry.sqlite")).expect("opens");
    for table in ["releases", "links", "yanks"] {
        for sql in [format!("DELETE FROM {table}"), format!("UPDATE {table} SET by = 'eve'")] {
            let error = database.execute(&sql, []).expect_err(&sql);
            assert!(error.to_string().contains("append-only"), "{sql}: {error}");
        }
    }
}
