//! Bodies that are truncated, too large, too slow, or not what they say.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tests::http::{Request, host_of, read_answer};
use tests::publisher::Publisher;
use tests::{Registry, World};

fn open(config: &str) -> (Registry, Publisher, World) {
    let world = World::new();
    let registry = world.registry_with(config);
    let publisher = Publisher::register(&registry, "alice", "acme", 7);
    (registry, publisher, world)
}

/// Sends the first `share` of a good publish and then hangs up.
fn hangs_up_after(registry: &Registry, publisher: &Publisher, part: impl Fn(usize) -> usize) {
    let release = publisher.release("pdf", "1.0.0");
    let bytes = publisher.request(&[(&publisher.sign(&release), &release.archive)]).to_bytes(host_of(registry.url()));
    let mut connection = TcpStream::connect(host_of(registry.url())).expect("it listens");
    connection.write_all(&bytes[..part(bytes.len())]).expect("it reads");
    drop(connection);
}

#[test]
fn a_body_that_ends_early_leaves_nothing() {
    let (registry, publisher, _world) = open("");
    for share in [2, 3, 4, 10] {
        hangs_up_after(&registry, &publisher, |length| length - length / share);
    }
    // In the middle of the closing boundary.
    hangs_up_after(&registry, &publisher, |length| length - 8);
    assert_eq!(registry.get("/index/acme/pdf").status, 404);
    // The registry is not impressed: the same publish, whole, passes.
    let release = publisher.release("pdf", "1.0.0");
    assert_eq!(publisher.publish(&registry, &release).status, 201);
    registry.check().ok();
}

#[test]
fn a_body_that_declares_too_much_is_refused_before_it_is_sent() {
    let (registry, publisher, _world) = open("");
    let request = Request::new("POST", "/api/v1/publish")
        .token(&publisher.token)
        .header("content-type", "multipart/form-data; boundary=x")
        .header("content-length", "99999999999");
    let answer = registry.send(&request);
    assert_eq!((answer.status, answer.code().as_str()), (413, "body-too-large"));
}

#[test]
fn a_json_body_over_the_limit_is_refused() {
    let (registry, publisher, _world) = open("");
    let request = Request::new("POST", "/api/v1/scopes").token(&publisher.token).body(vec![b' '; 2 << 20]);
    let answer = registry.send(&request);
    assert_eq!((answer.status, answer.code().as_str()), (413, "body-too-large"));
}

#[test]
fn a_package_of_the_largest_size_is_published() {
    let (registry, publisher, _world) = open("");
    // Eight megabytes that do not compress: well over every default limit of the libraries below us.
    let noise: String = (0..220_000_u32).map(|n| skills::Sha256::of(n.to_le_bytes()).hex()[..40].to_owned()).collect();
    let release = publisher.release_of("pdf", "1.0.0", &[("references/noise.txt", &noise)]);
    assert!(release.archive.len() > 4 << 20, "{}", release.archive.len());
    let answer = publisher.publish(&registry, &release);
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(registry.get(&release.archive_path()).body, release.archive);
}

#[test]
fn a_slow_body_is_cut_off() {
    let (registry, publisher, _world) = open("[limits]\nbody-seconds = 1\n");
    let release = publisher.release("pdf", "1.0.0");
    let bytes = publisher.request(&[(&publisher.sign(&release), &release.archive)]).to_bytes(host_of(registry.url()));
    let mut connection = TcpStream::connect(host_of(registry.url())).expect("it listens");
    connection.write_all(&bytes[..bytes.len() / 2]).expect("it reads");
    connection.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
    let started = Instant::now();
    let answer = read_answer(&mut connection).expect("an answer");
    assert_eq!((answer.status, answer.code().as_str()), (408, "request-timeout"));
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(registry.get("/index/acme/pdf").status, 404);
}

#[test]
fn a_slow_head_is_cut_off() {
    let (registry, _publisher, _world) = open("[limits]\nheader-seconds = 1\n");
    for head in ["", "P", "GET /config.json HTTP/1.1\r\nhost: x\r\n"] {
        let mut connection = TcpStream::connect(host_of(registry.url())).expect("it listens");
        connection.write_all(head.as_bytes()).expect("it reads");
        connection.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit");
        let started = Instant::now();
        let answer = read_answer(&mut connection);
        assert!(answer.is_none_or(|answer| answer.status == 408), "{head}");
        assert!(started.elapsed() < Duration::from_secs(20), "{head}");
    }
}

#[test]
fn a_multipart_body_in_another_shape_is_refused() {
    let (registry, publisher, _world) = open("");
    let release = publisher.release("pdf", "1.0.0");
    let bundle = publisher.sign(&release);
    let (bundle, archive) = (&bundle[..], &release.archive[..]);
    for parts in [
        &[][..],
        &[("bundle", bundle)],
        &[("archive", archive), ("bundle", bundle)],
        &[("bundle", bundle), ("bundle", bundle)],
        &[("bundle", bundle), ("archive", archive), ("more", b"x")],
    ] {
        let answer = registry.send(&Request::new("POST", "/api/v1/publish").token(&publisher.token).parts(parts));
        assert_eq!((answer.status, answer.code().as_str()), (400, "multipart-malformed"), "{}", answer.text());
    }
    let json = Request::new("POST", "/api/v1/publish").token(&publisher.token).json(&serde_json::json!({}));
    assert_eq!(registry.send(&json).status, 415);
    assert_eq!(registry.get("/index/acme/pdf").status, 404);
}

#[test]
fn one_bad_release_of_several_spoils_all() {
    let (registry, publisher, _world) = open("");
    let (good, bad) = (publisher.release("good", "1.0.0"), publisher.release("bad", "1.0.0"));
    let (good_bundle, bad_bundle) = (publisher.sign(&good), publisher.sign(&bad));
    let mut torn = bad.archive.clone();
    torn[20] ^= 1;
    for pairs in [
        [(&good_bundle[..], &good.archive[..]), (&bad_bundle, &torn)],
        [(&bad_bundle, &torn), (&good_bundle, &good.archive)],
        [(&good_bundle, &good.archive), (&bad_bundle[..40], &bad.archive)],
    ] {
        let answer = registry.send(&publisher.request(&pairs));
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert_eq!(registry.get("/index/acme/good").status, 404);
    }
    let twice = [(&good_bundle[..], &good.archive[..]), (&good_bundle, &good.archive)];
    let answer = registry.send(&publisher.request(&twice));
    assert_eq!(answer.code(), "publish-duplicate");
    registry.check().ok();
}
