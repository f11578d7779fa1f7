//! The house's own tests: each route does what the table of routes says of it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use registry::answer::Caching;
use registry::http::{Access, OPENAPI, Route, routes};
use serde_json::Value;

use crate::signed::release;
use crate::world::World;

/// A path of the table with the parameters of what [`World::published`] holds.
fn path_of(route: &Route, world_archive: &str) -> String {
    let file = match route.path {
        path if path.starts_with("/archives") => format!("{world_archive}.tar.gz"),
        path if path.starts_with("/bundles") => "1.0.0.sigstore.jsonl".to_owned(),
        _ => "acme.jsonl".to_owned(),
    };
    let filled = [("{scope}", "acme"), ("{name}", "greet"), ("{version}", "1.0.0"), ("{id}", "0"), ("{file}", &file)];
    filled.iter().fold(route.path.to_owned(), |path, (parameter, value)| path.replace(parameter, value))
}

fn archive_hex() -> String {
    skills::Sha256::of(release("acme/greet", "1.0.0").archive).hex()
}

#[tokio::test]
async fn every_route_that_is_read_has_the_caching_header_of_the_table() {
    let world = World::published().await;
    for route in routes().iter().filter(|route| route.method == "GET") {
        let answer = world.send("GET", &path_of(route, &archive_hex()), Some(&world.ann), Body::empty()).await.is(200);
        let expected = route.caching.header();
        assert_eq!(answer.headers.get("cache-control"), Some(&expected), "{}", route.path);
        assert!(!answer.header("content-type").is_empty(), "{}", route.path);
        assert_eq!(answer.header("content-encoding"), "", "{}", route.path);
    }
}

#[tokio::test]
async fn every_short_lived_file_has_a_strong_etag_and_answers_304_to_it() {
    let world = World::published().await;
    for route in routes().iter().filter(|route| route.caching == Caching::Short) {
        let path = path_of(route, &archive_hex());
        let first = world.get(&path).await.is(200);
        let etag = first.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.len() == 66, "{path}: {etag}");
        let again = Request::get(&path).header("if-none-match", &etag).body(Body::empty()).expect("a request");
        let again = world.request(again).await.is(304);
        assert!(again.body.is_empty() && again.header("etag") == etag, "{path}");
        let other = Request::get(&path).header("if-none-match", "\"0\"").body(Body::empty()).expect("a request");
        assert_eq!(world.request(other).await.is(200).body, first.body, "{path}");
    }
}

#[tokio::test]
async fn every_route_that_needs_a_token_refuses_a_stranger() {
    let world = World::published().await;
    for route in routes().iter().filter(|route| route.access == Access::Token) {
        let path = path_of(route, &archive_hex());
        world.send(route.method, &path, None, "{}").await.refuses(401, "token-missing");
        let guess = format!("skr_{}", "a".repeat(43));
        world.send(route.method, &path, Some(&guess), "{}").await.refuses(401, "token-unknown");
        world.send(route.method, &path, Some("hunter2"), "{}").await.refuses(401, "token-malformed");
    }
}

#[tokio::test]
async fn every_route_that_changes_something_needs_a_token_and_is_never_kept() {
    for route in routes().iter().filter(|route| route.method != "GET") {
        assert_eq!(route.access, Access::Token, "{} {}", route.method, route.path);
        assert_eq!(route.caching, Caching::NoStore, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn every_file_answers_head_with_its_length_and_no_body() {
    let world = World::published().await;
    for route in routes().iter().filter(|route| route.method == "GET" && route.caching != Caching::NoStore) {
        let path = path_of(route, &archive_hex());
        let whole = world.get(&path).await.is(200);
        let head = world.send("HEAD", &path, None, Body::empty()).await.is(200);
        assert!(head.body.is_empty(), "{path}");
        assert_eq!(head.header("content-length"), whole.body.len().to_string(), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_path_and_a_wrong_method_are_problems_too() {
    let world = World::new().await;
    world.get("/no/such/path/anywhere").await.refuses(404, "not-found");
    world.get("/index/acme/none").await.refuses(404, "package-not-found");
    world.get("/index/acme/..%2f..%2fetc").await.refuses(404, "package-not-found");
    world.get("/archives/sha256/00.tar.gz").await.refuses(404, "archive-not-found");
    world.get("/bundles/acme/greet/1.0.0.sigstore.jsonl").await.refuses(404, "version-not-found");
    world.get("/keyrings/none.jsonl").await.refuses(404, "keyring-not-found");
    world.get("/api/v1/scopes/none").await.refuses(404, "scope-not-found");
    let answer = world.send("DELETE", "/api/v1/publish", None, Body::empty()).await;
    assert_eq!(answer.header("allow"), "POST");
    answer.refuses(405, "method-not-allowed");
    world.send("POST", "/index/acme/greet", None, Body::empty()).await.refuses(405, "method-not-allowed");
}

#[test]
fn the_description_of_the_api_lists_exactly_the_routes_that_there_are() {
    let document: Value = serde_json::from_str(OPENAPI).expect("JSON");
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            described.insert((method.to_uppercase(), path.clone(), operation.get("security").is_some()));
        }
    }
    let table: BTreeSet<_> = routes()
        .iter()
        .map(|route| (route.method.to_owned(), route.path.to_owned(), route.access == Access::Token))
        .collect();
    assert_eq!(described, table);
}
