//! How often something is measured, and how a line of the table is printed.

use std::process::Command;
use std::time::Duration;

use crate::once::{Cost, cost};

/// How often each journey is measured; the median is shown.
const ROUNDS: usize = 5;

/// The median cost of a command by wall, each round after its preparation.
pub(crate) fn median(prepare: impl Fn(), command: impl Fn() -> Command) -> Cost {
    let mut costs: Vec<Cost> = (0..ROUNDS)
        .map(|_| {
            prepare();
            cost(&command())
        })
        .collect();
    costs.sort_by_key(|cost| cost.wall);
    costs[ROUNDS / 2]
}

/// The heads of the columns; `against` names what the ratios compare with.
pub(crate) fn header(against: &str) {
    println!(
        "  {:<44} {:>9} {:>9} {:>8} | {:>9} {:>9} | {:>6} {:>6}",
        "", "wall", "cpu", "peak", against, "cpu", "wall", "cpu"
    );
}

/// A cost beside what it is compared with, and how many times that it is.
pub(crate) fn row(name: &str, cost: &Cost, against: &Cost) {
    println!(
        "  {name:<44} {:>7.1}ms {:>7.1}ms {:>6.1}MB | {:>7.1}ms {:>7.1}ms | {:>5.1}x {:>5.1}x",
        ms(cost.wall),
        ms(cost.cpu),
        cost.peak_kib as f64 / 1024.0,
        ms(against.wall),
        ms(against.cpu),
        ratio(cost.wall, against.wall),
        ratio(cost.cpu, against.cpu)
    );
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64().max(1e-9)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
