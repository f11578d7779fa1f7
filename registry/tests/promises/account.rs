//! Tokens and scopes, from outside.

use axum::body::Body;
use registry::token::Action;

use crate::signed::link_body;
use crate::world::World;

#[tokio::test]
async fn me_tells_whose_token_it_is() {
    let world = World::new().await;
    let me = world.send("GET", "/api/v1/me", Some(&world.ann), Body::empty()).await.is(200).json();
    assert_eq!((&me["user"], &me["token"]["scopes"][0]), (&"ann".into(), &"*".into()));
    assert!(!me.to_string().contains("skr_"));
}

#[tokio::test]
async fn a_token_is_shown_once_listed_without_its_secret_and_ends_when_revoked() {
    let world = World::new().await;
    let asked = r#"{"name":"ci","actions":["publish"],"scopes":["acme"],"expires_days":1}"#;
    let made = world.post("/api/v1/tokens", &world.ann, asked).await.is(201).json();
    let (secret, id) = (made["token"].as_str().expect("a token"), made["id"].as_str().expect("an id"));
    let list = world.send("GET", "/api/v1/tokens", Some(&world.ann), Body::empty()).await.is(200);
    assert!(list.text().contains(id) && !list.text().contains(secret));
    world.send("GET", "/api/v1/me", Some(secret), Body::empty()).await.is(200);
    world.post("/api/v1/tokens", secret, asked).await.refuses(403, "token-out-of-scope");
    let path = format!("/api/v1/tokens/{id}");
    world.send("DELETE", &path, Some(&world.ann), Body::empty()).await.is(204);
    world.send("GET", "/api/v1/me", Some(secret), Body::empty()).await.refuses(401, "token-revoked");
    let list = world.send("GET", "/api/v1/tokens", Some(&world.ann), Body::empty()).await.is(200);
    assert!(!list.text().contains(id));
}

#[tokio::test]
async fn a_token_that_may_do_little_can_still_end_itself() {
    let world = World::new().await;
    let token = world.token(&[Action::Publish], &["acme"], i64::MAX / 2).await;
    let me = world.send("GET", "/api/v1/me", Some(&token), Body::empty()).await.is(200).json();
    let own = format!("/api/v1/tokens/{}", me["token"]["id"].as_str().expect("an id"));
    world.send("DELETE", &own, Some(&token), Body::empty()).await.is(204);
}

#[tokio::test]
async fn nobody_revokes_the_tokens_of_others() {
    let world = World::new().await;
    let bob = world.user("bob").await;
    let me = world.send("GET", "/api/v1/me", Some(&world.ann), Body::empty()).await.json();
    let path = format!("/api/v1/tokens/{}", me["token"]["id"].as_str().expect("an id"));
    world.send("DELETE", &path, Some(&bob), Body::empty()).await.refuses(404, "token-not-found");
}

#[tokio::test]
async fn requests_are_read_strictly() {
    let world = World::new().await;
    for body in [
        "",
        "[]",
        r#"{"actions":["publish"],"scopes":["*"],"expires_day":1}"#,
        r#"{"actions":["publish"],"actions":["token"],"scopes":["*"]}"#,
        r#"{"actions":[],"scopes":["*"]}"#,
        r#"{"actions":["publish"],"scopes":[]}"#,
        r#"{"actions":["publish"],"scopes":["*"],"expires_days":0}"#,
    ] {
        world.post("/api/v1/tokens", &world.ann, body).await.refuses(400, "request-malformed");
    }
}

#[tokio::test]
async fn a_scope_belongs_to_the_first_who_makes_it() {
    let world = World::new().await;
    let bob = world.user("bob").await;
    world.post("/api/v1/scopes", &world.ann, r#"{"name":"acme"}"#).await.is(200);
    world.post("/api/v1/scopes", &bob, r#"{"name":"acme"}"#).await.refuses(409, "scope-exists");
    world.post("/api/v1/scopes", &bob, r#"{"name":"Not A Scope"}"#).await.refuses(400, "request-malformed");
    let scope = world.get("/api/v1/scopes/acme").await.is(200).json();
    assert_eq!((&scope["owner"], &scope["keyring"]["seq"]), (&"ann".into(), &1.into()));
}

#[tokio::test]
async fn where_only_the_operator_makes_scopes_users_do_not() {
    let mut world = World::new().await;
    world.restart_with("scope-creation = \"admin\"").await;
    world.post("/api/v1/scopes", &world.ann, r#"{"name":"mine"}"#).await.refuses(403, "not-owner");
}

#[tokio::test]
async fn the_first_link_is_registered_once_by_the_owner_who_holds_the_key() {
    let world = World::new().await;
    let path = "/api/v1/scopes/acme/keyring";
    world.send("PUT", path, Some(&world.ann), link_body("acme", 7)).await.is(200);
    world.send("PUT", path, Some(&world.ann), link_body("acme", 8)).await.refuses(409, "keyring-exists");
    world.send("PUT", path, Some(&world.ann), link_body("other", 7)).await.refuses(422, "keyring-namespace");
    world.send("PUT", path, Some(&world.ann), "{}").await.refuses(400, "request-malformed");
    let bob = world.user("bob").await;
    world.send("PUT", path, Some(&bob), link_body("acme", 7)).await.refuses(403, "not-owner");
    world
        .send("PUT", "/api/v1/scopes/none/keyring", Some(&bob), link_body("none", 7))
        .await
        .refuses(404, "scope-not-found");
    assert_eq!(world.get("/keyrings/acme.jsonl").await.is(200).text(), format!("{}\n", link_body("acme", 7)));
}

#[tokio::test]
async fn a_link_that_its_own_key_did_not_sign_is_no_proof_of_possession() {
    let world = World::new().await;
    world.post("/api/v1/scopes", &world.ann, r#"{"name":"mine"}"#).await.is(201);
    let (link, _) = crate::signed::link("mine", 7);
    let stolen = skills::dsse::Envelope::sign(skills::dsse::KEYRING, link.to_payload(), &crate::signed::key(8));
    let body = index::keyring::format_line(&stolen);
    world.send("PUT", "/api/v1/scopes/mine/keyring", Some(&world.ann), body).await.refuses(422, "keyring-signatures");
}
