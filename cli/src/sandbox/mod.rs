//! The sandbox of a check: what it may read, write and reach, and that nothing of it stays behind.
//!
//! Three processes, all of them this program, so that no other tool is needed and nothing unsafe is done
//! between `fork` and `exec`:
//!
//! ```text
//! outside   the command; sends orders over a socket, reads the output, keeps the time   outside.rs
//!   └ outer   leaves the network, the processes and the mounts of the machine             outer.rs
//!       └ inner   process 1 in there: Landlock, limits; starts the check, reaps, ends all  inner.rs
//!           └ the check
//! ```
//!
//! When `inner` ends, the kernel ends everything that the check started, however it was detached. What
//! the kernel does not grant is left out, and the run says which bounds were *enforced*, not which were
//! asked for. Elsewhere than on Linux nothing is enforced, and the run says that.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod inner;
#[cfg(target_os = "linux")]
mod loopback;
#[cfg(target_os = "linux")]
mod outer;
#[cfg(target_os = "linux")]
mod outside;
pub(crate) mod reach;
#[cfg(target_os = "linux")]
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skills::check::Network;

use self::reach::Reach;
use crate::failure::Failure;

/// The word that makes this program one of the two processes inside. Nobody types it: it does nothing
/// without orders on a socket, and those only take rights away.
pub(crate) const CONFINE: &str = "__confine";

/// What is run, and within which bounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it is started.
    pub cwd: PathBuf,
    /// All of its environment.
    pub env: Vec<(String, String)>,
    /// What it may reach.
    pub network: Network,
    /// How long it may take.
    pub timeout: Duration,
    /// What it may read, run and write.
    pub reach: Reach,
    /// How much it may use.
    pub limits: Limits,
    /// Whether it is not started at all where the bounds cannot be enforced.
    pub required: bool,
}

/// How much a check may use: far more than an honest one needs, far less than a machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest file.
    pub file_bytes: u64,
    /// What may go from the disks that it can write to, all files together.
    pub disk_bytes: u64,
    /// Memory of its own, for each process.
    pub memory_bytes: u64,
    /// Processes and threads at once.
    pub processes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 4 << 30, disk_bytes: 8 << 30, memory_bytes: 16 << 30, processes: 4096 }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// We ended it: it took longer than it may.
    TimedOut,
    /// We ended it: it took more than there is for everybody, and of what.
    TookTooMuch(String),
    /// It never began: no such program, or the bounds that it requires cannot be enforced.
    NotStarted(String),
}

/// A run, ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What was really enforced, sorted as below.
    pub enforced: Vec<String>,
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub took: Duration,
}

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Who is given the output while it arrives.
pub type Listener = Arc<dyn Fn(Said, &[u8]) + Send + Sync>;

/// Runs something within its bounds, to its end.
pub fn run(orders: &Orders, listener: &Listener) -> Result<Run, Failure> {
    #[cfg(target_os = "linux")]
    return outside::run(orders, listener);
    #[cfg(not(target_os = "linux"))]
    return elsewhere::run(orders, listener);
}

/// What `required` asks for: the files by Landlock, the rest of the machine by namespaces.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "elsewhere nothing is enforced"))]
fn suffices(enforced: &[String], network: Network) -> bool {
    let has = |word: &str| enforced.iter().any(|one| one == word);
    enforced.iter().any(|one| one.starts_with("landlock-"))
        && has("pid-namespace")
        && (network == Network::Any || has("network-namespace"))
}

/// Plays one of the two processes inside, if that is what this program was started as.
pub(crate) fn entered() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != CONFINE {
        return None;
    }
    #[cfg(target_os = "linux")]
    return Some(match args.next() {
        None => outer::play(),
        Some(apart) => inner::play(outer::Apart::parse(&apart)),
    });
    #[cfg(not(target_os = "linux"))]
    return Some(ExitCode::from(2));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_files_and_processes_and_the_network_where_it_is_bounded() {
        let enforced = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let all = enforced(&["user-namespace", "network-namespace", "pid-namespace", "landlock-v7", "rlimits"]);
        assert!(suffices(&all, Network::None) && suffices(&all, Network::Loopback) && suffices(&all, Network::Any));
        let open = enforced(&["user-namespace", "pid-namespace", "landlock-v7"]);
        assert!(!suffices(&open, Network::None) && suffices(&open, Network::Any));
        assert!(!suffices(&enforced(&["landlock-v7", "rlimits"]), Network::Any));
        assert!(!suffices(&[], Network::Any));
    }
}
