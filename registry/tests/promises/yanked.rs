//! Yank and unyank: a record each, and one line changed.

use serde_json::Value;

use crate::signed::release;
use crate::world::World;

async fn line(world: &World) -> Value {
    serde_json::from_str(world.get("/index/acme/greet").await.is(200).text().lines().next().expect("a line"))
        .expect("JSON")
}

#[tokio::test]
async fn a_yank_changes_two_fields_of_one_line_and_an_unyank_brings_the_line_back() {
    let world = World::published().await;
    let before = world.get("/index/acme/greet").await.body;
    let mut expected = line(&world).await;
    let reason = r#"{"reason":"leaks tokens"}"#;
    let answer = world.post("/api/v1/yank/acme/greet/1.0.0", &world.ann, reason).await.is(200).json();
    assert_eq!((&answer["yanked"], &answer["reason"]), (&true.into(), &"leaks tokens".into()));
    expected["yanked"] = true.into();
    expected["yank_reason"] = "leaks tokens".into();
    assert_eq!(line(&world).await, expected);
    world.post("/api/v1/unyank/acme/greet/1.0.0", &world.ann, r#"{"reason":"it does not"}"#).await.is(200);
    assert_eq!(world.get("/index/acme/greet").await.body, before);
}

#[tokio::test]
async fn a_yanked_release_stays_where_it_is_and_is_no_longer_offered() {
    let world = World::published().await;
    world.publish(&[release("acme/greet", "1.1.0")]).await.is(201);
    world.post("/api/v1/yank/acme/greet/1.1.0", &world.ann, r#"{"reason":"broken"}"#).await.is(200);
    world.get("/bundles/acme/greet/1.1.0.sigstore.jsonl").await.is(200);
    let document = world.get("/.well-known/agent-skills/index.json").await.json();
    assert_eq!(document["skills"][0]["version"], "1.0.0");
    let hit = &world.get("/api/v1/search?q=greet").await.json()["hits"][0];
    assert_eq!((&hit["version"], &hit["yanked"]), (&"1.0.0".into(), &false.into()));
    world.post("/api/v1/yank/acme/greet/1.0.0", &world.ann, r#"{"reason":"broken"}"#).await.is(200);
    assert_eq!(world.get("/.well-known/agent-skills/index.json").await.json()["skills"], serde_json::json!([]));
    assert_eq!(world.get("/api/v1/search?q=greet").await.json()["hits"][0]["yanked"], true);
}

#[tokio::test]
async fn a_yanked_number_is_not_free_again() {
    let world = World::published().await;
    world.post("/api/v1/yank/acme/greet/1.0.0", &world.ann, r#"{"reason":"broken"}"#).await.is(200);
    let other = crate::signed::making("acme/greet", "1.0.0", "Other.").seal();
    world.publish(&[other]).await.refuses(409, "version-exists");
    let same = world.publish(&[release("acme/greet", "1.0.0")]).await.is(200).json();
    assert!(same["releases"][0]["entry"].as_str().expect("a line").contains("\"yanked\":true"));
}

#[tokio::test]
async fn a_yank_needs_a_reason_a_release_and_its_owner() {
    let world = World::published().await;
    let path = "/api/v1/yank/acme/greet/1.0.0";
    for body in ["", "{}", r#"{"reason":" "}"#, r#"{"reason":"a\nb"}"#, r#"{"reason":"a","x":1}"#] {
        world.post(path, &world.ann, body).await.refuses(400, "request-malformed");
    }
    let reason = r#"{"reason":"broken"}"#;
    world.post("/api/v1/yank/acme/greet/2.0.0", &world.ann, reason).await.refuses(404, "version-not-found");
    world.post("/api/v1/yank/none/greet/1.0.0", &world.ann, reason).await.refuses(404, "scope-not-found");
    let bob = world.user("bob").await;
    world.post(path, &bob, reason).await.refuses(403, "not-owner");
    let publisher = world.token(&[registry::token::Action::Publish], &["*"], i64::MAX / 2).await;
    world.post(path, &publisher, reason).await.refuses(403, "token-out-of-scope");
}
