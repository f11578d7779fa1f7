//! Programs of others that some tests need: openssl, ssh-keygen, strace, node.
//!
//! On a developer's machine a test without its tool says so and passes. In CI it fails: `.ci/run`
//! installs every tool, and a promise that nobody checked is none.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Whether this is CI.
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// Says a line on stderr, also from a test that passes: `println!` would be swallowed there.
pub fn say(line: &str) {
    // Nobody listens: then nothing is lost.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Says that a test cannot run here; in CI, fails.
#[track_caller]
pub fn skip(why: &str) {
    assert!(!is_ci(), "CI must not skip this: {why}");
    say(&format!("skipped: {why}"));
}

/// Whether a program can be started; where not, the test is skipped.
#[track_caller]
pub fn have(program: &str, version: &str) -> bool {
    let mut command = Command::new(program);
    let found = command.arg(version).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        skip(&format!("`{program}` is not installed"));
    }
    found
}

/// A path from an environment variable; where it is not set, the test is skipped.
#[track_caller]
pub fn path_from(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.exists());
    if path.is_none() {
        skip(&format!("{variable} names no file; `.ci/run` shows how to set it"));
    }
    path
}

/// Whether we are root: some tests mount a small disk.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}
