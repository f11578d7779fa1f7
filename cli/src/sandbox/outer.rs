//! The process that leaves the machine: a user, a network, processes and mounts of its own.
//!
//! It has the rights of those namespaces until it starts `inner`, which has none: so whatever needs a
//! right is done here.

use std::ffi::OsString;
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
    if orders.namespaces
        && let Err(error) = leave(&orders)
    {
        let _ = wire::send(&socket, &Report::Refused(error.to_string()));
        return ExitCode::SUCCESS;
    }
    match start(&orders, socket) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(3),
    }
}

fn start(orders: &Leave, socket: UnixStream) -> io::Result<()> {
    let mut inner = Command::new(std::env::current_exe()?);
    inner.arg(CONFINE).arg(if orders.namespaces { "namespaces" } else { "none" });
    inner.stdin(Stdio::from(std::os::fd::OwnedFd::from(socket))).spawn()?.wait()?;
    Ok(())
}

/// All of it or nothing: half a sandbox would have to be explained.
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

/// The words for what [`leave`] enforces.
pub(super) fn enforced(network: Network) -> Vec<String> {
    let words = ["user-namespace", "network-namespace", "pid-namespace", "mount-namespace"];
    words
        .iter()
        .filter(|word| network != Network::Any || **word != "network-namespace")
        .map(|word| (*word).to_owned())
        .collect()
}

/// The arguments that this program is started with to play this part.
pub(super) fn arguments() -> [OsString; 1] {
    [CONFINE.into()]
}
