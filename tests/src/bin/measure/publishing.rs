//! Signed, durable publishes a second, one skill a request: from clients who signed before, so that
//! the registry is what is measured, and from the command, which starts, packs and signs each time.

use std::time::Duration;

use tests::Registry;
use tests::publisher::Publisher;

use crate::durable;
use crate::input;
use crate::load::{self, Load};
use crate::sealed::{self, Sealed};
use crate::stage::Stage;

/// The scope of what is published directly.
const SCOPE: &str = "direct";

/// How many clients publish at once.
const MANY: usize = 8;

/// Publishes `count` real skills from one client, twice as many from eight, and some by the command.
pub(crate) fn measure(stage: &Stage, count: usize) {
    println!(
        "\npublish, signed and durable, one skill a request; the floor is write + fsync + rename, and an fsync of a log"
    );
    let publisher = Publisher::register(stage.registry(), "direct", SCOPE, 7);
    eprintln!("packing and signing {} skills ahead", count * 3);
    let sealed: Vec<Sealed> = input::each_real(count * 3).map(|skill| Sealed::of(&publisher, SCOPE, &skill)).collect();
    let (first, rest) = sealed.split_at(count);
    direct(stage, &publisher, "the registry, from 1 client", &[first]);
    let parts: Vec<&[Sealed]> = rest.chunks(rest.len() / MANY).take(MANY).collect();
    direct(stage, &publisher, "the registry, from 8 clients", &parts);
    command(stage, count / 10);
}

/// What each client has to publish, sent to the registry directly.
fn direct(stage: &Stage, publisher: &Publisher, name: &str, clients: &[&[Sealed]]) {
    let requests: Vec<Vec<Vec<u8>>> = clients
        .iter()
        .map(|part| part.iter().map(|one| sealed::request(publisher, std::slice::from_ref(one))).collect())
        .collect();
    let lists: Vec<Vec<&[u8]>> = requests.iter().map(|list| list.iter().map(Vec::as_slice).collect()).collect();
    let sizes: Vec<Vec<(usize, usize)>> = clients.iter().map(|part| part.iter().map(Sealed::sizes).collect()).collect();
    // Half of the floor before and half after: a disk has moods.
    let half: Vec<Vec<(usize, usize)>> = sizes.iter().map(|list| list.iter().step_by(2).copied().collect()).collect();
    let before = durable::keep(&stage.fresh_folder(), &half);
    let registry: &Registry = stage.registry();
    let load = load::send(registry.url(), registry.process_id(), &lists, 201);
    print(name, &load, before + durable::keep(&stage.fresh_folder(), &half));
}

/// `skill publish` of one folder, again and again.
fn command(stage: &Stage, count: usize) {
    let skills = input::even(count);
    let root = stage.write_packages("alone", &skills);
    let wall: Duration = skills.chunks(1).map(|one| stage.publish(&root, one).wall).sum();
    println!(
        "  {:<44} {:>7.0}/s, each a process that packs and signs: {:.1} ms",
        "skill publish, one after the other",
        count as f64 / wall.as_secs_f64(),
        wall.as_secs_f64() * 1_000.0 / count as f64
    );
}

fn print(name: &str, load: &Load, floor: Duration) {
    println!(
        "  {name:<44} {:>7.0}/s, {} errors, {:.2} ms of CPU each; floor {:.0}/s, ratio {:.1}x",
        load.rate(),
        load.errors,
        load.cpu_us() / 1_000.0,
        f64::from(load.requests) / floor.as_secs_f64(),
        load.wall.as_secs_f64() / floor.as_secs_f64()
    );
}
