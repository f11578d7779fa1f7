//! What the registry holds in memory: empty, while thousands of skills arrive, and started anew with
//! them.

use tests::Registry;
use tests::publisher::Publisher;

use crate::input;
use crate::process;
use crate::sealed::{self, Sealed};
use crate::stage::start_registry;
use crate::wire::{self, Connection};

/// How many skills one request publishes.
const BATCH: usize = 100;

const SCOPE: &str = "many";

/// Publishes `count` skills into a registry of its own.
pub(crate) fn measure(count: usize) {
    println!("\nmemory of the registry");
    let (mut registry, _folder) = start_registry();
    assert_eq!(registry.get("/healthz").status, 200, "it is well");
    print("empty", &registry);
    let publisher = Publisher::register(&registry, "many", SCOPE, 9);
    let paths = publish(&registry, &publisher, count);
    print(&format!("after {count} skills were published"), &registry);
    assert_eq!(registry.stop(), Some(0), "a graceful stop");
    registry.resume();
    print(&format!("started again with {count} skills"), &registry);
    let mut connection = Connection::open(registry.url());
    for path in &paths {
        assert_eq!(connection.exchange(&wire::get(path)), 200, "{path}");
    }
    print("after every index file and archive was read", &registry);
}

/// Publishes in batches; gives the path of every index file and archive.
fn publish(registry: &Registry, publisher: &Publisher, count: usize) -> Vec<String> {
    let mut connection = Connection::open(registry.url());
    let mut paths = Vec::new();
    for first in (0..count).step_by(BATCH) {
        let batch: Vec<Sealed> = (first..count.min(first + BATCH))
            .map(|n| Sealed::of(publisher, SCOPE, &input::tiny(format!("tiny-{n:05}"))))
            .collect();
        let status = connection.exchange(&sealed::request(publisher, &batch));
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(connection.body()));
        paths.extend(batch.iter().flat_map(|one| [one.release.index_path(), one.release.archive_path()]));
    }
    paths
}

fn print(name: &str, registry: &Registry) {
    let memory = process::memory(registry.process_id());
    println!("  {name:<44} {:>7.1} MB, peak {:.1} MB", memory.now, memory.peak);
}
