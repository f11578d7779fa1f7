//! One command, with what it cost: run in a process of its own, so that the kernel's account of
//! its children is the account of this one child.

use std::ffi::OsString;
use std::ops::Add;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The hidden argument that makes this program run one command and account for it.
pub(crate) const FLAG: &str = "--once";

/// What a command cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    /// From start to exit.
    pub wall: Duration,
    /// User and system time together.
    pub cpu: Duration,
    /// Peak resident memory, in KiB.
    pub peak_kib: u64,
}

impl Add for Cost {
    type Output = Self;

    /// The cost of doing one after the other.
    fn add(self, other: Self) -> Self {
        Self { wall: self.wall + other.wall, cpu: self.cpu + other.cpu, peak_kib: self.peak_kib.max(other.peak_kib) }
    }
}

/// What some work costs this process: its time, not its memory.
pub(crate) fn here(work: impl FnOnce()) -> Cost {
    let (start, before) = (Instant::now(), usage(UsageWho::RUSAGE_SELF));
    work();
    let wall = start.elapsed();
    Cost { wall, cpu: cpu(&usage(UsageWho::RUSAGE_SELF)) - cpu(&before), peak_kib: 0 }
}

/// `measure --once COMMAND…`: runs it, prints three numbers.
pub(crate) fn run(mut command: impl Iterator<Item = OsString>) -> ExitCode {
    let program = command.next().expect("a command");
    let start = Instant::now();
    let output = Command::new(program).args(command).stdin(Stdio::null()).output().expect("the command starts");
    let wall = start.elapsed();
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        return ExitCode::FAILURE;
    }
    let usage = usage(UsageWho::RUSAGE_CHILDREN);
    println!("{} {} {}", wall.as_micros(), cpu(&usage).as_micros(), usage.max_rss());
    ExitCode::SUCCESS
}

fn usage(whose: UsageWho) -> Usage {
    getrusage(whose).expect("the kernel keeps accounts")
}

fn cpu(usage: &Usage) -> Duration {
    let us = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(us.unsigned_abs())
}

/// Runs a command through `--once` and reads its cost.
pub(crate) fn cost(command: &Command) -> Cost {
    let mut once = Command::new(std::env::current_exe().expect("we are a program"));
    once.arg(FLAG).arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        once.env(key, value.unwrap_or_default());
    }
    if let Some(folder) = command.get_current_dir() {
        once.current_dir(folder);
    }
    let output = once.stderr(Stdio::inherit()).output().expect("it starts");
    assert!(output.status.success(), "a measured command failed, see above: {command:?}");
    let text = String::from_utf8(output.stdout).expect("numbers");
    let mut numbers = text.split_whitespace().map(|number| number.parse::<u64>().expect("a number"));
    let mut number = || numbers.next().expect("three numbers");
    Cost { wall: Duration::from_micros(number()), cpu: Duration::from_micros(number()), peak_kib: number() }
}
