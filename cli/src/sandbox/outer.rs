//! The process that leaves the machine: a user, a network, processes and mounts of its own.
//!
//! It has the rights of those namespaces until it starts `inner`, which has none: so whatever needs a
//! right is done here.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
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
    /// Folders over which an empty one is put, with what the check needs put back below.
    pub(super) emptied: Vec<PathBuf>,
    /// What the check needs.
    pub(super) needed: Vec<PathBuf>,
    /// Folders over which an empty one is put.
    pub(super) hidden: Vec<PathBuf>,
    /// Sockets over which nothing is put.
    pub(super) sockets: Vec<PathBuf>,
}

/// Leaves, then starts `inner` and ends when it does.
pub(super) fn play() -> ExitCode {
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned().map(UnixStream::from) else { return ExitCode::from(2) };
    let Ok(Some(orders)) = wire::receive::<Leave>(&socket) else { return ExitCode::from(2) };
    // Whoever started us may be killed; then nobody waits for the check any more.
    let _ = prctl::set_pdeathsig(Signal::SIGKILL);
    let apart = match orders.namespaces.then(|| leave(&orders).and_then(|()| with_mounts(&orders))) {
        None => Apart::Not,
        Some(Ok(apart)) => apart,
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
    // This program may lie below a folder that looks empty by now, as may the folder we are in.
    let mut inner = Command::new("/proc/self/exe");
    inner.current_dir("/").arg(CONFINE).arg(apart.as_str());
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

/// Mounts of its own. Some systems forbid them where they grant the rest; then Landlock has to do. Once
/// something is covered, what is needed has to be put back, or the check would not find it.
fn with_mounts(orders: &Leave) -> io::Result<Apart> {
    if mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>).is_err() {
        return Ok(Apart::InNamespaces);
    }
    empty(orders)?;
    Ok(hide(orders).map_or(Apart::InNamespaces, |()| Apart::WithMounts))
}

/// Makes folders look empty, but for what the check needs below: sockets of others lie there, and who may
/// connect to them Landlock does not ask.
fn empty(orders: &Leave) -> io::Result<()> {
    let is_below = |path: &&PathBuf| orders.emptied.iter().any(|folder| path.starts_with(folder));
    let hold = |path: &PathBuf| {
        let flags = nix::libc::O_PATH | nix::libc::O_NOFOLLOW;
        Ok((path.clone(), fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?))
    };
    let held = orders.needed.iter().filter(is_below).map(hold).collect::<io::Result<Vec<(PathBuf, File)>>>()?;
    for folder in &orders.emptied {
        cover(folder, if folder == Path::new(SHM) { SHARED_MEMORY } else { HIDDEN })?;
    }
    held.iter().try_for_each(|(path, file)| put_back(path, file))
}

fn put_back(path: &Path, file: &File) -> io::Result<()> {
    if file.metadata()?.is_dir() {
        fs::create_dir_all(path)?;
    } else {
        fs::create_dir_all(path.parent().unwrap_or(path))?;
        File::create(path)?;
    }
    let source = format!("/proc/self/fd/{}", file.as_raw_fd());
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    Ok(mount(Some(source.as_str()), path, None::<&str>, flags, None::<&str>)?)
}

/// Puts empty folders over places of keys, and nothing over sockets that are left.
fn hide(orders: &Leave) -> io::Result<()> {
    for folder in orders.hidden.iter().filter(|folder| folder.is_dir()) {
        cover(folder, HIDDEN)?;
    }
    for socket in orders.sockets.iter().filter(|socket| socket.exists()) {
        mount(Some("/dev/null"), socket, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    }
    Ok(())
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
