//! Publish and read back, from outside.

use axum::body::Body;
use registry::token::Action;

use crate::signed::{Pair, making, release};
use crate::world::{World, multipart};

#[tokio::test]
async fn what_was_published_is_read_back_byte_for_byte_in_the_next_request() {
    let world = World::new().await;
    let pair = release("acme/greet", "1.0.0");
    let answer = world.publish(std::slice::from_ref(&pair)).await.is(201).json();
    let published = &answer["releases"][0];
    assert_eq!(published["status"], "published");
    let hex = published["archive"].as_str().expect("a digest").replace("sha256:", "");
    let archive = world.get(&format!("/archives/sha256/{hex}.tar.gz")).await.is(200);
    assert_eq!((archive.header("content-type"), &archive.body), ("application/gzip", &pair.archive));
    assert_eq!(world.get("/bundles/acme/greet/1.0.0.sigstore.jsonl").await.is(200).body, pair.bundle);
    let index = world.get("/index/acme/greet").await.is(200);
    assert_eq!(index.text().trim_end(), published["entry"].as_str().expect("a line"));
}

#[tokio::test]
async fn an_index_file_is_sorted_by_version_and_its_tag_follows_its_bytes() {
    let world = World::published().await;
    let before = world.get("/index/acme/greet").await.header("etag").to_owned();
    world.publish(&[release("acme/greet", "1.10.0")]).await.is(201);
    world.publish(&[release("acme/greet", "1.9.0")]).await.is(201);
    let after = world.get("/index/acme/greet").await;
    assert_ne!(after.header("etag"), before);
    let name = skills::PackageName::parse("acme/greet").expect("a name");
    let versions = index::entry::parse(&after.body, &name).expect("an index file");
    let versions: Vec<String> = versions.iter().map(|entry| entry.vers.to_string()).collect();
    assert_eq!(versions, ["1.0.0", "1.9.0", "1.10.0"]);
    let lines: Vec<&str> = after.text().lines().collect();
    assert!(lines[1].contains("1.9.0") && lines[2].contains("1.10.0"), "the file itself is sorted");
}

#[tokio::test]
async fn publishing_the_same_bytes_again_succeeds_and_changes_nothing() {
    let world = World::published().await;
    let before = world.get("/index/acme/greet").await.body;
    let again = world.publish(&[release("acme/greet", "1.0.0")]).await.is(200).json();
    assert_eq!(again["releases"][0]["status"], "unchanged");
    assert_eq!(again["releases"][0]["entry"].as_str().expect("a line").as_bytes(), before.trim_ascii_end());
    assert_eq!(world.get("/index/acme/greet").await.body, before);
}

#[tokio::test]
async fn other_bytes_under_a_version_that_exists_are_refused() {
    let world = World::published().await;
    world.publish(&[making("acme/greet", "1.0.0", "Other.").seal()]).await.refuses(409, "version-exists");
    world.publish(&[making("acme/greet", "1.0.0+b", "Other.").seal()]).await.refuses(409, "version-exists");
    world
        .publish(&[making("acme/greet", "1.0.0+b", "Say hello, from 1.0.0.").seal()])
        .await
        .refuses(409, "version-exists");
}

#[tokio::test]
async fn of_several_releases_all_are_kept_or_none() {
    let world = World::published().await;
    let mut broken = making("acme/third", "1.0.0", "Hello.");
    broken.keys = vec![8];
    let pairs = [release("acme/first", "1.0.0"), release("acme/second", "1.0.0"), broken.seal()];
    world.publish(&pairs).await.refuses(422, "signature-invalid");
    let taken = [release("acme/first", "1.0.0"), making("acme/greet", "1.0.0", "Other.").seal()];
    world.publish(&taken).await.refuses(409, "version-exists");
    let twice = [release("acme/first", "1.0.0"), release("acme/first", "1.0.0")];
    world.publish(&twice).await.refuses(422, "publish-duplicate");
    for name in ["first", "second", "third"] {
        world.get(&format!("/index/acme/{name}")).await.refuses(404, "package-not-found");
    }
    let answer = world.publish(&[release("acme/greet", "1.0.0"), release("acme/first", "1.0.0")]).await.is(201).json();
    assert_eq!(answer["releases"][0]["status"], "unchanged");
    assert_eq!(answer["releases"][1]["status"], "published");
}

#[tokio::test]
async fn of_many_publishes_of_one_version_at_once_one_is_new_and_the_same_bytes_are_the_same() {
    let world = std::sync::Arc::new(World::new().await);
    let mut racers = tokio::task::JoinSet::new();
    for number in 0..8 {
        let world = world.clone();
        let body = if number % 2 == 0 { "Even." } else { "Odd." };
        racers.spawn(async move { world.publish(&[making("acme/race", "1.0.0", body).seal()]).await });
    }
    let statuses: Vec<u16> = racers.join_all().await.iter().map(|answer| answer.status.as_u16()).collect();
    let count = |status| statuses.iter().filter(|seen| **seen == status).count();
    assert_eq!((count(201), count(200), count(409)), (1, 3, 4), "{statuses:?}");
    assert_eq!(world.get("/index/acme/race").await.text().lines().count(), 1);
}

#[tokio::test]
async fn a_token_that_is_expired_revoked_or_out_of_scope_publishes_nothing() {
    let world = World::new().await;
    let pair = [release("acme/greet", "1.0.0")];
    let expired = world.token(&[Action::Publish], &["*"], 1).await;
    world.publish_as(&expired, &pair).await.refuses(401, "token-expired");
    let elsewhere = world.token(&[Action::Publish], &["other"], i64::MAX / 2).await;
    world.publish_as(&elsewhere, &pair).await.refuses(403, "token-out-of-scope");
    let yanker = world.token(&[Action::Yank], &["*"], i64::MAX / 2).await;
    world.publish_as(&yanker, &pair).await.refuses(403, "token-out-of-scope");
    let bob = world.user("bob").await;
    world.publish_as(&bob, &pair).await.refuses(403, "not-owner");
    world.get("/index/acme/greet").await.refuses(404, "package-not-found");
}

#[tokio::test]
async fn a_scope_that_nobody_made_and_a_scope_without_a_key_take_nothing() {
    let world = World::new().await;
    world.publish(&[release("none/greet", "1.0.0")]).await.refuses(404, "scope-not-found");
    world.post("/api/v1/scopes", &world.ann, r#"{"name":"empty"}"#).await.is(201);
    world.publish(&[release("empty/greet", "1.0.0")]).await.refuses(422, "keyring-missing");
}

#[tokio::test]
async fn parts_that_are_missing_or_in_another_order_are_refused() {
    let world = World::new().await;
    let Pair { bundle, archive } = release("acme/greet", "1.0.0");
    let cases: [&[(&str, &[u8])]; 5] = [
        &[],
        &[("bundle", &bundle)],
        &[("archive", &archive), ("bundle", &bundle)],
        &[("bundle", &bundle), ("archive", &archive), ("bundle", &bundle)],
        &[("bundle", &bundle), ("other", &archive)],
    ];
    for parts in cases {
        world.request(multipart(&world.ann, parts)).await.refuses(400, "multipart-malformed");
    }
    world.post("/api/v1/publish", &world.ann, "{}").await.refuses(415, "media-type-unsupported");
}

#[tokio::test]
async fn a_truncated_body_is_refused() {
    let world = World::new().await;
    let pair = release("acme/greet", "1.0.0");
    let request = multipart(&world.ann, &[("bundle", &pair.bundle), ("archive", &pair.archive)]);
    let (parts, body) = request.into_parts();
    let whole = http_body_util::BodyExt::collect(body).await.expect("a body").to_bytes();
    let half = Body::from(whole.slice(..whole.len() / 2));
    world.request(axum::http::Request::from_parts(parts, half)).await.refuses(400, "multipart-malformed");
}

#[tokio::test]
async fn other_installers_find_the_newest_release_of_each_skill() {
    let world = World::published().await;
    world.publish(&[release("acme/greet", "1.1.0"), release("acme/greet", "2.0.0-rc.1")]).await.is(201);
    let document = world.get("/.well-known/agent-skills/index.json").await.is(200).json();
    assert_eq!(document["$schema"], "https://schemas.agentskills.io/discovery/0.2.0/schema.json");
    let skills = document["skills"].as_array().expect("skills");
    assert_eq!(skills.len(), 1);
    assert_eq!((&skills[0]["name"], &skills[0]["type"]), (&"greet".into(), &"archive".into()));
    assert_eq!(skills[0]["version"], "1.1.0", "a pre-release is not the newest");
    let archive = world.get(skills[0]["url"].as_str().expect("a url")).await.is(200);
    assert_eq!(skills[0]["digest"], skills::Sha256::of(&archive.body).to_string());
    world.get("/acme/.well-known/agent-skills/index.json").await.is(200);
}

#[tokio::test]
async fn of_two_scopes_with_one_last_part_the_first_published_is_in_the_root_document() {
    let world = World::published().await;
    world.post("/api/v1/scopes", &world.ann, r#"{"name":"aaa"}"#).await.is(201);
    world.send("PUT", "/api/v1/scopes/aaa/keyring", Some(&world.ann), crate::signed::link_body("aaa", 7)).await.is(201);
    world.publish(&[release("aaa/greet", "9.0.0")]).await.is(201);
    let root = world.get("/.well-known/agent-skills/index.json").await.json();
    assert_eq!(root["skills"].as_array().expect("skills").len(), 1);
    assert_eq!(root["skills"][0]["version"], "1.0.0");
    let own = world.get("/aaa/.well-known/agent-skills/index.json").await.json();
    assert_eq!(own["skills"][0]["version"], "9.0.0");
}

#[tokio::test]
async fn search_finds_what_was_published() {
    let world = World::published().await;
    let answer = world.get("/api/v1/search?q=greet+arrives").await.is(200).json();
    assert_eq!((&answer["total"], &answer["hits"][0]["name"]), (&1.into(), &"acme/greet".into()));
    world.get("/api/v1/search?q=x&limit=101").await.refuses(400, "query-malformed");
    world.get("/api/v1/search?q=x&limit=many").await.refuses(400, "query-malformed");
    world.get("/api/v1/search?query=x").await.refuses(400, "query-malformed");
}
