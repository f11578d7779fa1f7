//! What strangers can make the registry hold: bounded in size, time, number and rate.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use hyper::body::Frame;

use crate::signed::release;
use crate::world::{World, multipart};

/// A body that sends its pieces and then never ends, and never says so.
struct Stalled(Vec<Bytes>);

impl hyper::body::Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.pop().map_or(Poll::Pending, |piece| Poll::Ready(Some(Ok(Frame::data(piece)))))
    }
}

/// A body without an end.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 65_536])))))
    }
}

/// A body that begins with one piece and repeats another one, and counts what was taken.
struct Counted {
    first: Option<Bytes>,
    again: Bytes,
    left: usize,
    taken: Arc<AtomicUsize>,
}

impl hyper::body::Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.first.take().or_else(|| {
            self.left = self.left.checked_sub(1)?;
            Some(self.again.clone())
        });
        self.taken.fetch_add(piece.as_ref().map_or(0, Bytes::len), Ordering::Relaxed);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}

fn upload(token: &str, body: Body) -> Request<Body> {
    let mut request = multipart(token, &[]);
    *request.body_mut() = body;
    request
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_refused() {
    let world = World::with("[limits]\nbody-seconds = 0").await;
    let head = Bytes::from_static(b"--xYzZy\r\nContent-Disposition: form-data; name=\"bundle\"\r\n\r\n{");
    let stalled = Body::new(Stalled(vec![head]));
    world.request(upload(&world.ann, stalled)).await.refuses(408, "request-timeout");
    let stalled = Body::new(Stalled(vec![Bytes::from_static(b"{\"name\"")]));
    world.post("/api/v1/scopes", &world.ann, stalled).await.refuses(408, "request-timeout");
}

#[tokio::test]
async fn a_body_that_declares_too_much_is_refused_before_it_is_read() {
    let world = World::new().await;
    let stalled = || Body::new(Stalled(Vec::new()));
    let mut request = upload(&world.ann, stalled());
    request.headers_mut().insert(CONTENT_LENGTH, "999999999999".parse().expect("a value"));
    world.request(request).await.refuses(413, "body-too-large");
    let request = Request::post("/api/v1/scopes")
        .header(AUTHORIZATION, format!("Bearer {}", world.ann))
        .header(CONTENT_LENGTH, "2000000")
        .body(stalled())
        .expect("a request");
    world.request(request).await.refuses(413, "body-too-large");
}

#[tokio::test]
async fn a_body_without_an_end_is_refused_at_the_limit() {
    let world = World::with("[limits]\npublish-mib = 1").await;
    world.post("/api/v1/scopes", &world.ann, Body::new(Endless)).await.refuses(413, "body-too-large");
    let endless = Request::post("/api/v1/publish")
        .header(AUTHORIZATION, format!("Bearer {}", world.ann))
        .header(CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body(Body::new(Endless))
        .expect("a request");
    let answer = world.request(endless).await;
    assert!(matches!(answer.status.as_u16(), 400 | 413), "{}", answer.text());
    let large = vec![b'x'; 1_500_000];
    let mut request = multipart(&world.ann, &[("bundle", b"{}"), ("archive", &large)]);
    request.headers_mut().remove(CONTENT_LENGTH);
    world.request(request).await.refuses(413, "body-too-large");
}

#[tokio::test]
async fn a_part_over_its_own_limit_is_refused() {
    let world = World::new().await;
    let large = vec![b'x'; 17 * 1024 * 1024];
    let request = multipart(&world.ann, &[("bundle", b"{}"), ("archive", &large)]);
    world.request(request).await.refuses(413, "body-too-large");
    let request = multipart(&world.ann, &[("bundle", &large), ("archive", b"")]);
    world.request(request).await.refuses(413, "body-too-large");
}

#[tokio::test]
async fn a_part_whose_head_does_not_end_is_refused_before_the_rest_is_read() {
    let world = World::new().await;
    for piece in ["X: y\r\n".repeat(1_000), "x".repeat(6_000), "\r\n--xYzZ: \r\n".repeat(500)] {
        let taken = Arc::new(AtomicUsize::new(0));
        let (first, again) = (Some(Bytes::from_static(b"--xYzZy\r\n")), Bytes::from(piece));
        let body = Counted { first, again, left: 7_000, taken: taken.clone() };
        world.request(upload(&world.ann, Body::new(body))).await.refuses(400, "multipart-malformed");
        assert!(taken.load(Ordering::Relaxed) < 32 * 1024, "{taken:?} bytes of 40 MB were read");
    }
}

#[tokio::test]
async fn uploads_that_do_not_fit_in_memory_together_wait_and_are_told_to_come_back() {
    let world = World::with("[limits]\nbody-seconds = 0\nuploads-mib = 1\npublish-mib = 1").await;
    let _held = world.app().room_for(1024 * 1024).await.expect("room");
    world.publish(&[release("acme/greet", "1.0.0")]).await.refuses(503, "unavailable");
}

#[tokio::test]
async fn a_user_who_makes_too_many_changes_waits_and_others_do_not() {
    let world = World::with("[rates]\nwrites-per-minute = 1\nwrites-burst = 3").await;
    world.publish(&[release("acme/greet", "1.0.0")]).await.is(201);
    let answer = world.publish(&[release("acme/greet", "1.1.0")]).await;
    assert_eq!(answer.header("retry-after"), "1");
    answer.refuses(429, "too-many-requests");
    let bob = world.user("bob").await;
    world.post("/api/v1/scopes", &bob, r#"{"name":"bobs"}"#).await.is(201);
}

#[tokio::test]
async fn wrong_tokens_from_one_address_are_slowed_and_right_ones_are_not() {
    let world = World::with("[rates]\nfailed-auth-per-minute = 2").await;
    let wrong = format!("skr_{}", "b".repeat(43));
    for _ in 0..2 {
        world.post("/api/v1/scopes", &wrong, "{}").await.refuses(401, "token-unknown");
    }
    world.post("/api/v1/scopes", &wrong, "{}").await.refuses(429, "too-many-requests");
    world.send("GET", "/api/v1/me", Some(&world.ann), Body::empty()).await.is(200);
}

#[tokio::test]
async fn an_archive_too_large_for_the_cache_is_streamed_whole() {
    let world = World::new().await;
    let mut noise = String::new();
    let mut digest = skills::Sha256::of(b"seed");
    while noise.len() < 1_000_000 {
        digest = skills::Sha256::of(digest.hex());
        noise.push_str(&digest.hex());
    }
    let pair = crate::signed::making("acme/large", "1.0.0", "See `noise.txt`.");
    let text = String::from_utf8(pair.tree.files()[0].bytes.clone()).expect("UTF-8");
    let pair = crate::signed::making_of(
        "acme/large",
        "1.0.0",
        crate::signed::tree(&[("SKILL.md", &text), ("noise.txt", &noise)]),
    )
    .seal();
    assert!(pair.archive.len() > registry::app::CACHED_BYTES_MAX);
    world.publish(std::slice::from_ref(&pair)).await.is(201);
    let path = format!("/archives/sha256/{}.tar.gz", skills::Sha256::of(&pair.archive).hex());
    for _ in 0..2 {
        let answer = world.get(&path).await.is(200);
        assert_eq!(answer.header("content-length"), pair.archive.len().to_string());
        assert_eq!(answer.body, pair.archive);
    }
    let head = world.send("HEAD", &path, None, Body::empty()).await.is(200);
    assert_eq!(head.header("content-length"), pair.archive.len().to_string());
}

#[tokio::test]
async fn nothing_secret_is_in_a_refusal() {
    let world = World::new().await;
    let answer = world.post("/api/v1/scopes", &world.ann, r#"{"token":"hunter2"}"#).await;
    assert!(!answer.text().contains(&world.ann[4..]));
}
