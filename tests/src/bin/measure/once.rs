//! One command, with what it cost: run in a process of its own, so that the kernel's account of
//! its children is the account of this one child.

use std::ffi::OsString;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// What a command cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// From start to exit.
    pub wall: Duration,
    /// User and system time together.
    pub cpu: Duration,
    /// Peak resident memory, in KiB.
    pub peak_kib: u64,
}

/// `measure --once COMMAND…`: runs it, prints three numbers.
pub fn run(mut command: impl Iterator<Item = OsString>) -> ExitCode {
    let program = command.next().expect("a command");
    let start = Instant::now();
    let output = Command::new(program).args(command).stdin(Stdio::null()).output().expect("the command starts");
    let wall = start.elapsed();
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        return ExitCode::FAILURE;
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the kernel keeps accounts");
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    println!("{} {cpu} {}", wall.as_micros(), usage.max_rss());
    ExitCode::SUCCESS
}

/// Runs a command through `--once` and reads its cost.
pub fn cost(command: &Command) -> Cost {
    let mut once = Command::new(std::env::current_exe().expect("we are a program"));
    once.arg("--once").arg(command.get_program()).args(command.get_args());
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
