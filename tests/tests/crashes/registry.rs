//! `kill -9` of the registry while many publish at once.
//!
//! The check is that of a write-once register: what was acknowledged is there for ever with exactly the
//! bytes that were sent; what was not acknowledged is there whole or not at all, and asking again gives
//! the same answer; of a publish of several, all are there or none.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tests::http::get;
use tests::publisher::{Publisher, Release};
use tests::{Registry, World};

const WRITERS: usize = 4;
const KILLS: usize = 8;

/// A pair that was sent in one publish, and whether that was acknowledged.
struct Sent {
    pair: [Release; 2],
    acknowledged: bool,
}

/// Publishes pairs until the registry is gone.
fn write(url: &str, publisher: &Publisher, next: &AtomicUsize, stop: &AtomicBool, sent: &Mutex<Vec<Sent>>) {
    while !stop.load(Ordering::SeqCst) {
        let number = next.fetch_add(1, Ordering::SeqCst);
        let pair = ["left", "right"].map(|name| publisher.release(name, &format!("1.{number}.0")));
        let bundles = pair.each_ref().map(|release| publisher.sign(release));
        let pairs = [(&bundles[0][..], &pair[0].archive[..]), (&bundles[1][..], &pair[1].archive[..])];
        let answer = publisher.request(&pairs).try_send(url);
        let (acknowledged, gone) = (answer.as_ref().is_some_and(|answer| answer.status == 201), answer.is_none());
        if let Some(answer) = answer {
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
        sent.lock().expect("no writer panics with the list").push(Sent { pair, acknowledged });
        if gone {
            return;
        }
    }
}

/// The versions that an index file lists.
fn listed(registry: &Registry, name: &str) -> String {
    let answer = registry.get(&format!("/index/acme/{name}"));
    if answer.status == 404 { String::new() } else { answer.text() }
}

/// Everything that a reader can see, held to what was promised. Gives how many pairs are there.
fn judge(registry: &Registry, sent: &[Sent]) -> usize {
    let index = ["left", "right"].map(|name| listed(registry, name));
    let mut there = 0;
    for Sent { pair, acknowledged } in sent {
        let seen = [0, 1].map(|side| index[side].contains(&format!("\"{}\"", pair[side].statement.archive)));
        assert_eq!(seen[0], seen[1], "half of a publish is visible: {}", pair[0].statement.version);
        assert!(seen[0] || !acknowledged, "an acknowledged release is lost: {}", pair[0].statement.version);
        for release in pair {
            let bundle = get(registry.url(), &release.bundle_path());
            assert_eq!(bundle.status == 200, seen[0], "index and bundle disagree");
            if seen[0] {
                assert_eq!(get(registry.url(), &release.archive_path()).body, release.archive, "other bytes");
            }
        }
        there += usize::from(seen[0]);
    }
    there
}

#[test]
fn whatever_was_acknowledged_survives_every_kill_and_nothing_is_half_visible() {
    let world = World::new();
    let mut registry = world.registry();
    let publisher = Publisher::register(&registry, "alice", "acme", 7);
    let (next, sent) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    for kill in 0..KILLS {
        let stop = AtomicBool::new(false);
        let before = next.load(Ordering::SeqCst);
        let url = registry.url().to_owned();
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| write(&url, &publisher, &next, &stop, &sent));
            }
            // Not a pause: the kill comes after so many publishes were begun, at another point each time.
            let until = before + WRITERS + 3 * kill;
            while next.load(Ordering::SeqCst) < until {
                std::thread::yield_now();
            }
            registry.kill();
            stop.store(true, Ordering::SeqCst);
        });
        registry.check().ok();
        registry.resume();
        judge(&registry, &sent.lock().expect("all writers are done"));
    }
    let mut sent = sent.into_inner().expect("all writers are done");
    let there = judge(&registry, &sent);
    // What was not acknowledged can be sent again, and is then there: `published` or `unchanged`.
    for Sent { pair, acknowledged } in &mut sent {
        for release in pair.iter().filter(|_| !*acknowledged) {
            let status = publisher.publish(&registry, release).status;
            assert!(matches!(status, 200 | 201), "{status}");
        }
        *acknowledged = true;
    }
    assert_eq!(judge(&registry, &sent), sent.len());
    registry.check().ok();
    tests::tools::say(&format!("crashes: {KILLS} kills, {} publishes begun, {there} survived", sent.len()));
}

#[test]
fn a_graceful_stop_drains_and_exits_0() {
    let world = World::new();
    let mut registry = world.registry();
    let publisher = Publisher::register(&registry, "alice", "acme", 7);
    let release = publisher.release("pdf", "1.0.0");
    assert_eq!(publisher.publish(&registry, &release).status, 201);
    assert_eq!(registry.stop(), Some(0));
    registry.check().ok();
    registry.resume();
    assert_eq!(registry.get(&release.archive_path()).body, release.archive);
}

#[test]
fn a_yank_survives_a_kill() {
    let world = World::new();
    let mut registry = world.registry();
    let publisher = Publisher::register(&registry, "alice", "acme", 7);
    assert_eq!(publisher.publish(&registry, &publisher.release("pdf", "1.0.0")).status, 201);
    let yank = tests::http::Request::new("POST", "/api/v1/yank/acme/pdf/1.0.0").token(&publisher.token);
    assert_eq!(registry.send(&yank.json(&serde_json::json!({"reason": "broken"}))).status, 200);
    let before = registry.get("/index/acme/pdf").body;
    registry.kill();
    registry.resume();
    assert_eq!(registry.get("/index/acme/pdf").body, before);
    assert!(String::from_utf8_lossy(&before).contains("\"yanked\":true"));
}
