//! Installing and verifying: every journey of the CLI over two sets of skills, each beside its
//! floor, and beside the same files as packages of others.

use std::ops::Add;
use std::process::Command;

use crate::floor;
use crate::input::{self, Skill};
use crate::once::Cost;
use crate::peers::{self, Times};
use crate::stage::Stage;
use crate::table;

/// Measures `even` made-up skills for one agent and `real` ones for two.
pub(crate) fn measure(stage: &Stage, even: usize, real: usize) {
    table::header("floor");
    set(stage, &format!("{even} skills, 5 files each"), "even", &input::even(even), &["codex"]);
    let agents = ["claude-code", "codex"];
    set(stage, &format!("{real} real skills, two agents"), "real", &input::real(real), &agents);
    start(stage);
}

/// Every journey over one set of skills.
fn set(stage: &Stage, title: &str, scope: &str, skills: &[Skill], agents: &[&str]) {
    println!("\n{title}");
    let floor = floor::measure(skills, &stage.fresh_folder());
    publish(stage, scope, skills, &floor.durable);
    let project = stage.project(scope, skills, agents);
    let place = floor.start + floor.hash + floor.verify + floor.write;
    let cold = journey(
        "cold install, signatures verified",
        &(floor.get + place),
        || project.forget_everything(),
        || project.install(&[]),
    );
    let warm = journey(
        "install from the lock, warm cache",
        &place,
        || project.clear_places(),
        || project.install(&["--locked"]),
    );
    let idle = journey("no-op install", &(floor.start + floor.hash), || (), || project.install(&[]));
    journey("verify --offline", &(floor.start + floor.hash + floor.verify), || (), || project.verify());
    journey(
        "resolve anew, index revalidated",
        &(floor.start + floor.get),
        || project.forget_lock(),
        || project.install(&["--dry-run"]),
    );
    peers::measure(skills, &stage.fresh_folder(), &Times { cold, warm, idle });
}

/// One journey, a line of the table.
fn journey(name: &str, floor: &Cost, prepare: impl Fn(), command: impl Fn() -> Command) -> Cost {
    let cost = table::median(prepare, command);
    table::row(name, &cost, floor);
    cost
}

/// `skill publish` of all folders, fifty at a time: the way a collection moves in.
fn publish(stage: &Stage, scope: &str, skills: &[Skill], floor: &Cost) {
    const AT_ONCE: usize = 50;
    let root = stage.write_packages(scope, skills);
    let costs: Vec<Cost> = skills.chunks(AT_ONCE).map(|part| stage.publish(&root, part)).collect();
    let total = costs.into_iter().fold(Cost::default(), Cost::add);
    table::row(&format!("skill publish, {AT_ONCE} at once, durable"), &total, floor);
}

/// The start of the process is the floor of everything.
fn start(stage: &Stage) {
    println!("\nthe program");
    let nothing = table::median(|| (), || Command::new("true"));
    journey("skill --version, floor is `true`", &nothing, || (), || stage.skill(stage.root(), &["--version"]));
}
