//! The process that leaves the machine: a user, a network, processes and mounts of its own.
//!
//! It has the rights of those namespaces until it starts `inner`, which has none: so whatever needs a
//! right is done here.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{User, getegid, geteuid};
use serde::{Deserialize, Serialize};
use skills::check::Network;

use super::wire::{self, Report};
use super::{CONFINE, loopback};

/// Memory that the private `/dev/shm` may take; what is hidden holds nothing at all.
const SHARED_MEMORY: &str = "size=1g,mode=1777";
const HIDDEN: &str = "size=4k,mode=755";

/// Where shared memory has its files.
pub(super) const SHM: &str = "/dev/shm";

/// What concerns this process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Leave {
    /// Whether to leave at all: without, the check runs on the machine as it is.
    pub(super) namespaces: bool,
    /// What it may reach.
    pub(super) network: Network,
    /// Folders over which an empty one is put.
    pub(super) hidden: Vec<std::path::PathBuf>,
    /// Whether `/dev/shm` is replaced by a private one.
    pub(super) private_memory: bool,
}

/// Leaves, then starts `inner` and ends when it does.
pub(super) fn play() -> ExitCode {
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else { return ExitCode::from(2) };
    let Ok(Some(orders)) = wire::receive::<Leave>(&socket) else { return ExitCode::from(2) };
    // Whoever started us may be killed; then nobody waits for the check any more.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    let apart = match orders.namespaces.then(|| leave(&orders)) {
        None => Apart::Not,
        Some(Ok(())) if hide(&orders).is_ok() => Apart::WithMounts,
        Some(Ok(())) => Apart::InNamespaces,
        Some(Err(error)) => {
            let _ = wire::send(&socket, &Report::Refused(error.to_string()));
            return ExitCode::SUCCESS;
        }
    };
    match start(apart, socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(3),
    }
}

fn start(apart: Apart, socket: UnixStream) -> io::Result<()> {
    let mut inner = Command::new(std::env::current_exe()?);
    inner.arg(CONFINE).arg(apart.as_str());
    inner.stdin(Stdio::from(std::os::fd::OwnedFd::from(socket))).spawn()?.wait()?;
    Ok(())
}

/// How far `inner` is away from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Apart {
    /// Not at all.
    Not,
    /// In namespaces, with the files of the machine as they are.
    InNamespaces,
    /// In namespaces, with what is hidden hidden.
    WithMounts,
}

impl Apart {
    const ALL: [Self; 3] = [Self::Not, Self::InNamespaces, Self::WithMounts];

    fn as_str(self) -> &'static str {
        match self {
            Self::Not => "none",
            Self::InNamespaces => "namespaces",
            Self::WithMounts => "mounts",
        }
    }

    /// The word that [`start`] gives.
    pub(super) fn parse(word: &OsStr) -> Self {
        Self::ALL.into_iter().find(|one| word == one.as_str()).unwrap_or(Self::Not)
    }

    /// The words for what this enforces.
    pub(super) fn enforced(self, network: Network) -> Vec<String> {
        let words = [
            ("user-namespace", true),
            ("network-namespace", network != Network::Any),
            ("pid-namespace", true),
            ("mount-namespace", self == Self::WithMounts),
        ];
        let holds = words.into_iter().filter(|(_, holds)| *holds && self != Self::Not);
        holds.map(|(word, _)| word.to_owned()).collect()
    }
}

/// All of it or nothing: half of it would have to be explained.
fn leave(orders: &Leave) -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    let inside = inside(user.as_raw(), group.as_raw());
    let mut flags =
        CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC;
    if orders.network != Network::Any {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    unshare(flags)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/gid_map", format!("{} {group} 1", inside.1))?;
    std::fs::write("/proc/self/uid_map", format!("{} {user} 1", inside.0))?;
    if orders.network == Network::Loopback {
        loopback::up()?;
    }
    Ok(())
}

/// Puts empty folders over what the check must not see. Some systems forbid mounts where they grant the
/// rest; then Landlock has to do.
fn hide(orders: &Leave) -> io::Result<()> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
    if orders.private_memory {
        cover(Path::new(SHM), SHARED_MEMORY)?;
    }
    orders.hidden.iter().try_for_each(|folder| cover(folder, HIDDEN))
}

fn cover(folder: &Path, options: &str) -> io::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    Ok(mount(Some("tmpfs"), folder, Some("tmpfs"), flags, Some(options))?)
}

/// Who we are inside: root is an ordinary user there, because servers such as PostgreSQL refuse root,
/// and because an ordinary user keeps no rights when it starts a program.
fn inside(user: u32, group: u32) -> (u32, u32) {
    if user != 0 {
        return (user, group);
    }
    let nobody = User::from_name("nobody").ok().flatten();
    nobody.map_or((65534, 65534), |nobody| (nobody.uid.as_raw(), nobody.gid.as_raw()))
}

/// The arguments that this program is started with to play this part.
pub(super) fn arguments() -> [OsString; 1] {
    [CONFINE.into()]
}
