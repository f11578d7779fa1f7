//! What a GET costs the registry, beside a handler that does nothing but give out the same bytes.

use tests::publisher::Publisher;

use crate::bare::Bare;
use crate::input;
use crate::load::{self, Load};
use crate::sealed::{self, Sealed};
use crate::stage::Stage;
use crate::wire;

/// How many connections ask at once.
const CONNECTIONS: usize = 16;

/// How often registry and bare handler take turns, so that both see the same moods of the machine.
const TURNS: usize = 5;

/// The size of the archive, in bytes: what `ENGINEERING.md` compares servers with.
const ARCHIVE_BYTES: usize = 23_000;

const SCOPE: &str = "served";

/// Asks both servers `count` times a turn, for an index file and for an archive.
pub(crate) fn measure(stage: &Stage, count: usize) {
    println!("\nGET, {CONNECTIONS} connections, beside a bare axum handler with the same bytes in memory");
    let publisher = Publisher::register(stage.registry(), "served", SCOPE, 8);
    let sealed = Sealed::of(&publisher, SCOPE, &input::of_size("digits", ARCHIVE_BYTES));
    let request = sealed::request(&publisher, std::slice::from_ref(&sealed));
    assert_eq!(wire::Connection::open(stage.registry().url()).exchange(&request), 201, "it is published");
    let paths = [("index file", sealed.release.index_path()), ("archive", sealed.release.archive_path())];
    let bodies: Vec<Vec<u8>> = paths.iter().map(|(_, path)| stage.registry().get(path).body).collect();
    let files: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(number, body)| {
            let file = stage.root().join(format!("bare-{number}"));
            tests::write(&file, body);
            file
        })
        .collect();
    let bare = Bare::start(&files);
    for (number, (name, path)) in paths.iter().enumerate() {
        let (mut ours, mut theirs) = (Load::default(), Load::default());
        for _ in 0..TURNS {
            ours = ours.and(ask(stage.registry().url(), stage.registry().process_id(), path, count));
            theirs = theirs.and(ask(bare.url(), bare.process_id(), &format!("/{number}"), count));
        }
        print(&format!("{name}, {} bytes", bodies[number].len()), &ours, &theirs);
    }
}

fn ask(url: &str, process_id: u32, path: &str, count: usize) -> Load {
    let request = wire::get(path);
    let clients = vec![vec![request.as_slice(); count / CONNECTIONS]; CONNECTIONS];
    load::send(url, process_id, &clients, 200)
}

fn print(name: &str, ours: &Load, theirs: &Load) {
    println!(
        "  {name:<44} {:>7.0}/s, {} errors, {:.1} µs of CPU each; bare {:.0}/s, {:.1} µs, ratio of CPU {:.2}x",
        ours.rate(),
        ours.errors + theirs.errors,
        ours.cpu_us(),
        theirs.rate(),
        theirs.cpu_us(),
        ours.cpu_us() / theirs.cpu_us()
    );
}
