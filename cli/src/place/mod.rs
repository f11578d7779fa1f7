//! The transaction that changes the disk: all of it, or none.
//!
//! Everything new is first written below `.skill/state/txn/new/`. Then a journal naming every move
//! is renamed into place: that rename is the commit point. After it the moves are carried out; each
//! can be told from the disk whether it happened, so whoever comes after a crash carries out the
//! rest. Killed before the journal: the old state, whole. Killed after: the next run completes the
//! new one. A move that fails (a folder in the way, another file system) takes back those before it.
//! No journal, but a `txn` folder: leftovers, thrown away.
//!
//! A journal is obeyed only if this user wrote it: its digest is kept outside the project, in the
//! *seal*. A stranger's branch may bring a journal along, and it is thrown away like any leftover.
//!
//! ```text
//! .skill/state/txn/new/N      what will stand at the N-th target
//! .skill/state/txn/old/N      what stood there
//! .skill/state/txn/journal    the targets, in order
//! ```

mod disk;
pub mod generations;

use std::borrow::Borrow;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use skills::tree::{File, Tree};
use skills::{FilePath, Sha256};

use crate::failure::{Failure, OnPath};
use crate::project::{Base, Held, Project, Regular, read_regular};

pub use disk::{DiskFolder, read_folder, read_tree};

/// Largest journal read, in bytes: 100,000 moves fit.
const JOURNAL_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Where something stands, in a way that survives the project being moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    base: Base,
    path: String,
}

/// One change of the disk.
#[derive(Debug)]
pub enum Change {
    /// A folder with exactly these files.
    Folder(Spot, Tree),
    /// A symbolic link with this content.
    Link(Spot, PathBuf),
    /// A file with these bytes.
    File(Spot, Vec<u8>),
    /// Nothing.
    Remove(Spot),
}

/// A move of the journal: put `txn/new/N` there, or, if `gone`, only take away what is there.
#[derive(Debug, Serialize, Deserialize)]
struct Move {
    spot: Spot,
    gone: bool,
}

impl Spot {
    /// A file of the project itself.
    pub fn root(path: impl Into<String>) -> Self {
        Self { base: Base::Root, path: path.into() }
    }

    /// A place where agents read.
    pub fn places(path: impl Into<String>) -> Self {
        Self { base: Base::Places, path: path.into() }
    }

    /// Where it is on this machine.
    pub fn path(&self, project: &Project) -> PathBuf {
        project.path(self.base, &self.path)
    }

    /// The path as text, for people.
    pub fn as_str(&self) -> &str {
        &self.path
    }
}

impl Change {
    /// What it changes.
    pub fn spot(&self) -> &Spot {
        match self {
            Self::Folder(spot, _) | Self::Link(spot, _) | Self::File(spot, _) | Self::Remove(spot) => spot,
        }
    }
}

/// Carries out the changes, in order, all or none.
pub fn apply(project: &Project, held: &Held, changes: &[Change]) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    carry(project, held, &changes.iter().collect::<Vec<_>>())
}

/// The same, and keeps what it replaces as a generation that [`generations::back`] returns to.
pub fn apply_kept(project: &Project, held: &Held, changes: &[Change]) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let kept = generations::keep(project, held, changes)?;
    carry(project, held, &changes.iter().chain(&kept).collect::<Vec<_>>())
}

fn carry(project: &Project, held: &Held, changes: &[&Change]) -> Result<(), Failure> {
    changes.iter().try_for_each(|change| stay_inside(project, change.spot()))?;
    let txn = txn_path(project);
    let staged = stage(project, &txn, changes).and_then(|()| commit(&txn, held.seal.as_deref(), changes));
    if let Err(failure) = staged {
        let _ = fs::remove_dir_all(&txn);
        return Err(failure);
    }
    carry_out(project, &txn, held.seal.as_deref())
}

/// Finishes or throws away what an interrupted run left; says whether there was a commit to finish.
pub fn recover(project: &Project, seal: Option<&Path>) -> Result<bool, Failure> {
    let txn = txn_path(project);
    let sealed = seal.and_then(|seal| fs::read_to_string(seal).ok());
    let journal = match read_regular(&txn.join("journal"), JOURNAL_BYTES_MAX) {
        Ok(Regular::Bytes(bytes)) => Some(Sha256::of(bytes).to_string()),
        _ => None,
    };
    if journal.is_some() && journal == sealed {
        return carry_out(project, &txn, seal).map(|()| true);
    }
    match fs::remove_dir_all(&txn) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::io("remove", &txn, &error)),
        _ => Ok(false),
    }
}

/// Whether an interrupted run waits to be finished; for those who only read.
pub fn interrupted(project: &Project) -> bool {
    txn_path(project).join("journal").exists()
}

/// Nothing is ever placed outside the project: the path is lawful, and no folder on the way to it
/// is a link that leads out. The user's own folders (`--global`) may be linked as the user likes.
fn stay_inside(project: &Project, spot: &Spot) -> Result<(), Failure> {
    FilePath::parse(&spot.path)?;
    if project.global {
        return Ok(());
    }
    let base = project.path(spot.base, "");
    let inside = base.canonicalize().on("find", &base)?;
    let parents = Path::new(&spot.path).ancestors().skip(1).map(|parent| base.join(parent));
    for parent in parents.filter(|parent| parent.is_symlink()) {
        if !parent.canonicalize().is_ok_and(|real| real.starts_with(&inside)) {
            return Err(Failure::could_not(
                "leaves-project",
                format!("`{}` is a link that leads out of the project", parent.display()),
            )
            .hint("replace it by a folder, or remove it"));
        }
    }
    Ok(())
}

fn txn_path(project: &Project) -> PathBuf {
    project.state_path().join("txn")
}

/// Writes everything new below `txn/new`.
fn stage(project: &Project, txn: &Path, changes: &[impl Borrow<Change> + Sync]) -> Result<(), Failure> {
    for folder in [txn.join("new"), txn.join("old")] {
        fs::create_dir_all(&folder).on("create", &folder)?;
    }
    let numbered: Vec<(usize, &Change)> = changes.iter().map(Borrow::borrow).enumerate().collect();
    numbered.into_par_iter().try_for_each(|(number, change)| {
        let new = txn.join("new").join(number.to_string());
        match change {
            Change::Folder(_, tree) => write_tree(&new, tree),
            Change::Link(_, target) => link(target, &new).on("link", &new),
            Change::File(spot, bytes) => {
                fs::write(&new, bytes).and_then(|()| keep_mode(&spot.path(project), &new)).on("write", &new)
            }
            Change::Remove(_) => Ok(()),
        }
    })
}

/// Who may read and write a file is its owner's business, whatever is in it now.
fn keep_mode(target: &Path, new: &Path) -> std::io::Result<()> {
    match target.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => fs::set_permissions(new, metadata.permissions()),
        _ => Ok(()),
    }
}

/// Seals the journal and makes it appear: from here on the new state is the state.
fn commit(txn: &Path, seal: Option<&Path>, changes: &[impl Borrow<Change>]) -> Result<(), Failure> {
    let moves = changes
        .iter()
        .map(Borrow::borrow)
        .map(|change| Move { spot: change.spot().clone(), gone: matches!(change, Change::Remove(_)) });
    let journal = serde_json::to_vec(&moves.collect::<Vec<_>>()).expect("a journal is strings, which always serialise");
    if let Some(seal) = seal {
        let folder = seal.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(seal, Sha256::of(&journal).to_string())).on("write", seal)?;
    }
    let draft = txn.join("journal.draft");
    fs::write(&draft, journal).on("write", &draft)?;
    fs::rename(&draft, txn.join("journal")).on("write", &txn.join("journal"))
}

/// Carries out the moves that have not happened yet, then forgets the journal. If one fails, those
/// that happened are taken back, and the old state is the state again.
fn carry_out(project: &Project, txn: &Path, seal: Option<&Path>) -> Result<(), Failure> {
    let journal = txn.join("journal");
    let bytes = fs::read(&journal).on("read", &journal)?;
    let moves: Vec<Move> = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::could_not("journal-damaged", format!("`{}` cannot be read: {error}", journal.display()))
            .hint("remove the folder it is in, then run `skill install --force`")
    })?;
    let place = |step: &Move, number: usize| {
        stay_inside(project, &step.spot)?;
        let (new, old) = (txn.join(format!("new/{number}")), txn.join(format!("old/{number}")));
        carry_out_one(&step.spot, project, step.gone, &new, &old)
    };
    let carried = moves.iter().enumerate().try_for_each(|(number, step)| place(step, number));
    if let Err(failure) = carried {
        take_back(project, txn, &moves).map_err(|worse| worse.hint(failure.message.clone()))?;
        forget(txn, seal)?;
        return Err(failure.hint("nothing was changed"));
    }
    forget(txn, seal)
}

/// The moves in reverse: what was put in place goes, what stood there comes back.
fn take_back(project: &Project, txn: &Path, moves: &[Move]) -> Result<(), Failure> {
    for (number, step) in moves.iter().enumerate().rev() {
        let target = step.spot.path(project);
        let (new, old) = (txn.join(format!("new/{number}")), txn.join(format!("old/{number}")));
        if !step.gone && !exists(&new) && exists(&target) {
            fs::rename(&target, &new).on("take back", &target)?;
        }
        if exists(&old) {
            let parent = target.parent().expect("a target is inside the project");
            fs::create_dir_all(parent).and_then(|()| fs::rename(&old, &target)).on("put back", &target)?;
        }
    }
    Ok(())
}

/// The journal first: without it, whatever is left is a leftover.
fn forget(txn: &Path, seal: Option<&Path>) -> Result<(), Failure> {
    let journal = txn.join("journal");
    fs::remove_file(&journal).on("remove", &journal)?;
    // A seal without a journal seals nothing.
    let _ = seal.map(fs::remove_file);
    fs::remove_dir_all(txn).on("remove", txn)
}

/// One move. The disk says how far it came: `old` is there once the target was cleared, `new` is
/// gone once it was put in place.
fn carry_out_one(spot: &Spot, project: &Project, gone: bool, new: &Path, old: &Path) -> Result<(), Failure> {
    let target = &spot.path(project);
    let to_do = if gone { !exists(old) } else { exists(new) };
    if !to_do {
        return Ok(());
    }
    if exists(target) && !exists(old) {
        fs::rename(target, old).on("move away", target)?;
    }
    if gone {
        // An agent's own folder stays, even with nothing left in it: by it we know that the agent is used.
        if spot.path.matches('/').count() > 1 {
            remove_empty_parent(target);
        }
        return Ok(());
    }
    match fs::rename(new, target) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let parent = target.parent().expect("a target is inside the project");
            fs::create_dir_all(parent).on("create", parent)?;
            fs::rename(new, target).on("put in place", target)
        }
        renamed => renamed.on("put in place", target),
    }
}

/// A folder of skills that has become empty goes too; its own parent, the agent's, stays.
fn remove_empty_parent(target: &Path) {
    if let Some(parent) = target.parent() {
        // Not empty, or not ours to remove: then it stays.
        let _ = fs::remove_dir(parent);
    }
}

/// Whether anything is there, a dangling link included.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Writes a tree into a folder that does not exist yet.
pub fn write_tree(folder: &Path, tree: &Tree) -> Result<(), Failure> {
    fs::create_dir(folder).on("create", folder)?;
    let mut last_parent = None;
    for file in tree.files() {
        // Files come sorted, so those of one folder come together: one look a folder, not a file.
        let parent = file.path.parents().last();
        if let Some(parent) = parent
            && last_parent != Some(parent)
        {
            fs::create_dir_all(folder.join(parent)).on("create", &folder.join(parent))?;
            last_parent = Some(parent);
        }
        write_file(&folder.join(file.path.as_str()), file)?;
    }
    Ok(())
}

fn write_file(path: &Path, file: &File) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, file.mode.bits());
    options.open(path).and_then(|mut handle| handle.write_all(&file.bytes)).on("write", path)
}

#[cfg(unix)]
fn link(target: &Path, path: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn link(target: &Path, path: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(target, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use skills::tree::Mode;

    fn tree(text: &str) -> Tree {
        let file = |path: &str, mode| File { path: FilePath::parse(path).expect("lawful"), mode, bytes: text.into() };
        Tree::new(vec![file("SKILL.md", Mode::Regular), file("a/b/run.sh", Mode::Executable)]).expect("lawful")
    }

    fn changes(text: &str) -> Vec<Change> {
        vec![
            Change::Folder(Spot::places(".agents/skills/x"), tree(text)),
            Change::Link(Spot::places(".claude/skills/x"), PathBuf::from("../../.agents/skills/x")),
            Change::File(Spot::root("skills.lock"), text.into()),
        ]
    }

    /// Outside the project, as the user's own folder is.
    fn seal(project: &Project) -> PathBuf {
        project.root.with_extension("seal")
    }

    fn content(project: &Project) -> Option<String> {
        fs::read_to_string(project.root.join(".claude/skills/x/a/b/run.sh")).ok()
    }

    /// Stages and commits `text`, then stops after `steps` renames of the moves.
    fn crash_after(project: &Project, text: &str, steps: usize) {
        let txn = txn_path(project);
        let changes = changes(text);
        stage(project, &txn, &changes).and_then(|()| commit(&txn, Some(&seal(project)), &changes)).expect("committed");
        let mut left = steps;
        for (number, change) in changes.iter().enumerate() {
            let (target, new, old) =
                (change.spot().path(project), txn.join(format!("new/{number}")), txn.join(format!("old/{number}")));
            for (from, to) in [(&target, &old), (&new, &target)] {
                if left == 0 {
                    return;
                }
                left -= 1;
                if exists(from) {
                    fs::create_dir_all(to.parent().expect("a parent")).expect("created");
                    fs::rename(from, to).expect("renamed");
                }
            }
        }
    }

    #[test]
    fn a_kill_after_any_rename_is_repaired_to_the_new_state() {
        for steps in 0..=6 {
            let folder = tempfile::tempdir().expect("a folder");
            let project = Project::at(folder.path());
            crash_after(&project, "old", 6);
            assert!(recover(&project, Some(&seal(&project))).expect("recovered"));
            crash_after(&project, "new", steps);
            assert!(interrupted(&project));
            assert!(recover(&project, Some(&seal(&project))).expect("recovered"), "after {steps} renames");
            assert_eq!(content(&project).as_deref(), Some("new"), "after {steps} renames");
            assert_eq!(fs::read_to_string(project.lock_path()).expect("a lock"), "new");
            assert!(!txn_path(&project).exists());
        }
    }

    #[test]
    fn a_kill_before_the_journal_leaves_the_old_state() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::at(folder.path());
        crash_after(&project, "old", 6);
        recover(&project, Some(&seal(&project))).expect("recovered");
        stage(&project, &txn_path(&project), &changes("new")).expect("staged");
        assert!(!recover(&project, Some(&seal(&project))).expect("thrown away"));
        assert_eq!(content(&project).as_deref(), Some("old"));
        assert!(!txn_path(&project).exists());
    }

    fn bring_journal(project: &Project, path: &str) -> Vec<u8> {
        let txn = txn_path(project);
        fs::create_dir_all(txn.join("new")).expect("created");
        fs::write(txn.join("new/0"), "evil").expect("written");
        let journal = serde_json::to_vec(&[Move { spot: Spot::root(path), gone: false }]).expect("JSON");
        fs::write(txn.join("journal"), &journal).expect("written");
        journal
    }

    #[test]
    fn a_strangers_journal_is_thrown_away_unread() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::at(folder.path());
        bring_journal(&project, "README.md");
        assert!(!recover(&project, Some(&seal(&project))).expect("thrown away"));
        assert!(!folder.path().join("README.md").exists());
        assert!(!txn_path(&project).exists());
    }

    #[test]
    fn even_a_sealed_journal_cannot_reach_outside_the_project() {
        for path in ["../escaped", "/tmp/escaped", ".git/hooks/post-checkout", "a/../../escaped"] {
            let folder = tempfile::tempdir().expect("a folder");
            let project = Project::at(&folder.path().join("project"));
            let journal = bring_journal(&project, path);
            fs::write(seal(&project), Sha256::of(journal).to_string()).expect("written");
            assert!(recover(&project, Some(&seal(&project))).is_err(), "{path}");
            assert!(!folder.path().join("escaped").exists(), "{path}");
        }
    }

    #[test]
    fn a_move_that_fails_takes_back_those_before_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::at(folder.path());
        crash_after(&project, "old", 6);
        recover(&project, Some(&seal(&project))).expect("recovered");
        let txn = txn_path(&project);
        let mut changes = changes("new");
        fs::write(folder.path().join("file"), "in the way").expect("written");
        changes.push(Change::File(Spot::root("file/below"), b"never".to_vec()));
        stage(&project, &txn, &changes)
            .and_then(|()| commit(&txn, Some(&seal(&project)), &changes))
            .expect("committed");
        assert!(carry_out(&project, &txn, Some(&seal(&project))).is_err());
        assert_eq!(content(&project).as_deref(), Some("old"));
        assert_eq!(fs::read_to_string(project.lock_path()).expect("a lock"), "old");
        assert!(!txn.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_linked_parent_that_leads_out_of_the_project_is_refused() {
        let (folder, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let project = Project::at(folder.path());
        link(outside.path(), &folder.path().join(".claude")).expect("linked");
        let refused = stay_inside(&project, &Spot::places(".claude/skills/x")).expect_err("it leads out");
        assert_eq!(refused.code, "leaves-project");
        fs::create_dir(folder.path().join("inside")).expect("created");
        link(Path::new("inside"), &folder.path().join(".cursor")).expect("linked");
        assert!(stay_inside(&project, &Spot::places(".cursor/skills/x")).is_ok());
    }

    #[test]
    fn a_removal_takes_the_empty_folder_of_skills_and_no_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::at(folder.path());
        crash_after(&project, "old", 6);
        recover(&project, Some(&seal(&project))).expect("recovered");
        let txn = txn_path(&project);
        let removals = [Change::Remove(Spot::places(".claude/skills/x"))];
        let seal = seal(&project);
        stage(&project, &txn, &removals).and_then(|()| commit(&txn, Some(&seal), &removals)).expect("committed");
        carry_out(&project, &txn, Some(&seal)).expect("removed");
        assert!(!folder.path().join(".claude/skills").exists());
        assert!(folder.path().join(".claude").exists());
    }
}
