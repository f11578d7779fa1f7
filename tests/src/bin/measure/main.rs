//! `cargo measure`: how far are we from the physical floor?
//!
//! Publishes skills made from the corpus into a fresh registry, then times every journey of the
//! release binaries: wall, CPU, peak memory, and the ratio to a floor measured in the same run,
//! which does the same unavoidable work in one plain loop (hash the same bytes, check as many
//! signatures, write the same files, one GET each). Machines are noisy: these are figures to read,
//! not a test, and nothing here fails on a time.
//!
//! `cargo measure [--quick]`. Without `../shared` the skills are made up.

mod floor;
mod input;
mod once;
mod stage;

use std::process::ExitCode;

use stage::Stage;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.peek().is_some_and(|argument| argument == "--once") {
        return once::run(arguments.skip(1));
    }
    let quick = arguments.any(|argument| argument == "--quick");
    let (first, second) = if quick { (20, 40) } else { (100, 400) };
    let stage = Stage::open();
    println!("{:<42} {:>9} {:>9} {:>8} {:>9} {:>7}", "", "wall", "cpu", "peak", "floor", "ratio");
    measure(&stage, &format!("{first} skills, 5 files each"), "even", input::even(first), &["codex"]);
    measure(
        &stage,
        &format!("{second} real skills, two agents"),
        "real",
        input::real(second),
        &["claude-code", "codex"],
    );
    stage.measure_start();
    stage.print_registry();
    ExitCode::SUCCESS
}

/// Every journey over one set of skills.
fn measure(stage: &Stage, title: &str, scope: &str, skills: Vec<input::Skill>, agents: &[&str]) {
    println!("\n{title}");
    let floor = floor::measure(&skills);
    stage.publish(scope, &skills, &floor);
    let project = stage.project(scope, &skills, agents);
    let all = floor.get + floor.hash + floor.verify + floor.write;
    project.forget_everything();
    stage.row("cold install, signatures verified", all, || project.cold(), || project.install(&[]));
    stage.row(
        "install from the lock, warm cache",
        floor.hash + floor.verify + floor.write,
        || project.clear_places(),
        || project.install(&["--locked"]),
    );
    stage.row("no-op install", floor.hash, || (), || project.install(&[]));
    stage.row("verify --offline", floor.hash + floor.verify, || (), || project.verify());
    stage.row(
        "resolve anew, index revalidated",
        floor.get / 3,
        || project.forget_lock(),
        || project.install(&["--dry-run"]),
    );
}
