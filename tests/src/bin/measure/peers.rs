//! The same files as packages of others, installed by the fastest tools of two neighbours: where they
//! are on the `PATH`, or named by `SKILL_MEASURE_UV` and `SKILL_MEASURE_PNPM`.
//!
//! Every choice is made in their favour: packages and metadata come from memory over loopback, with
//! nothing to look up; what is particular to them (a virtual environment, the interpreter's facts) is
//! made before the clock starts; and they install once, where we install for two agents. They check
//! the digests of what they download, and no signatures.

mod pnpm;
mod shelf;
mod uv;
mod wheel;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::input::Skill;
use crate::once::Cost;
use crate::table;

use pnpm::Pnpm;
use uv::Uv;

/// What our own journeys cost.
pub(crate) struct Times {
    /// No lock, no cache.
    pub cold: Cost,
    /// Lock and cache are there, the installed files are not.
    pub warm: Cost,
    /// Everything is there.
    pub idle: Cost,
}

/// Another installer, set up in a folder of its own with packages of our files.
trait Peer {
    /// What it is called in the table: its name, version, and command.
    fn name(&self) -> String;
    /// As if it had never run: no lock, no cache, nothing installed.
    fn forget_everything(&self);
    /// As in a fresh clone: the lock is there, and so is the cache of this machine.
    fn clear_places(&self);
    /// Installs what is wanted, without a lock or with one that is up to date.
    fn install(&self) -> Command;
    /// Installs exactly what the lock says.
    fn install_locked(&self) -> Command;
    /// The same, writing every file anew as we do: an edit of what is installed stays where it is made.
    fn install_copies(&self) -> Command;
    /// Where a file of a package lies once it is installed.
    fn place(&self, skill: &str, file: &str) -> PathBuf;
}

/// Times every peer that is here, in a folder that is deleted later.
pub(crate) fn measure(skills: &[Skill], folder: &Path, ours: &Times) {
    table::header("ours");
    match find("SKILL_MEASURE_UV", "uv") {
        Some(program) => match Uv::set_up(program, folder.join("uv"), skills) {
            Some(uv) => time(&uv, skills, ours),
            None => println!("  uv is here, and no python3: not measured"),
        },
        None => println!("  uv is not on the PATH and SKILL_MEASURE_UV names none: not measured"),
    }
    match find("SKILL_MEASURE_PNPM", "pnpm") {
        Some(program) => time(&Pnpm::set_up(program, folder.join("pnpm"), skills), skills, ours),
        None => println!("  pnpm is not on the PATH and SKILL_MEASURE_PNPM names none: not measured"),
    }
}

fn time(peer: &impl Peer, skills: &[Skill], ours: &Times) {
    let name = peer.name();
    let row = |what: &str, cost: &Cost, ours: &Cost| table::row(&format!("{name}, {what}"), cost, ours);
    row("cold", &table::median(|| peer.forget_everything(), || peer.install()), &ours.cold);
    check(peer, skills);
    row("locked, warm, copies", &table::median(|| peer.clear_places(), || peer.install_copies()), &ours.warm);
    check(peer, skills);
    row("locked, warm", &table::median(|| peer.clear_places(), || peer.install_locked()), &ours.warm);
    check(peer, skills);
    row("no-op", &table::median(|| (), || peer.install()), &ours.idle);
}

/// Every file arrived: a time for less than the whole would say nothing.
fn check(peer: &impl Peer, skills: &[Skill]) {
    for skill in skills {
        for (path, bytes) in &skill.files {
            let place = peer.place(&skill.name, path);
            let found = std::fs::read(&place).unwrap_or_default();
            assert!(found == *bytes, "{} did not install {}", peer.name(), place.display());
        }
    }
}

/// The program that a variable names, or the first of this name on the `PATH`.
fn find(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(PathBuf::from(path));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// What `PROGRAM --version` says, in one line; empty where it fails.
fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").current_dir("/").stderr(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).unwrap_or_default().to_owned()
}
