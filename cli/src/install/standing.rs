//! What stands on the disk, seen from what should stand there.
//!
//! Five answers about a place: it is right, it is empty, it is exactly what an earlier run placed
//! (ours to change), it was edited since, or it was never ours. `plan.rs` turns them into changes
//! and refusals. Links are never followed, and every file is read and hashed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use index::lock::{LinkKind, Lock, LockedSkill, Written};
use index::verify::{DiskContent, Judged, OnDisk};
use rayon::prelude::*;
use skills::lint::SKILL_MD;
use skills::manifest::{Kind, SKILL_TOML};
use skills::tree::{Mode, Resource};
use skills::{PackageName, Sha256, SkillName, TreeDigest, placed};

use super::resolution::{Pick, PickOrigin};
use crate::agents::CANONICAL;
use crate::failure::{Failure, OnPath};
use crate::place::{DiskFolder, read_folder};
use crate::project::Project;

/// What stands at the places of one skill.
#[derive(Debug)]
pub(super) struct Standing {
    /// The canonical folder.
    pub(super) canonical: State,
    /// Every agent's own place, in the order of the lock's rows.
    pub(super) agents: Vec<State>,
}

/// What stands at one place, seen from what should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Exactly what should.
    Right,
    /// Nothing.
    Absent,
    /// Exactly what an earlier run placed.
    Ours,
    /// What an earlier run placed, and somebody changed.
    Edited,
    /// What no run of ours placed.
    Foreign,
    /// Not as it should be, and none of this command's business.
    Kept,
}

impl Standing {
    /// Whether nothing has to be done.
    pub(super) fn is_right(&self) -> bool {
        self.states().all(State::is_settled)
    }

    fn states(&self) -> impl Iterator<Item = State> {
        std::iter::once(self.canonical).chain(self.agents.iter().copied())
    }
}

impl State {
    /// Nothing has to be done about it.
    pub(super) fn is_settled(self) -> bool {
        matches!(self, Self::Right | Self::Kept)
    }

    /// What people did, and only `--force` undoes.
    pub(super) fn is_peoples(self) -> bool {
        matches!(self, Self::Edited | Self::Foreign)
    }
}

/// Leaves alone what people edited in skills that this command does not change: adding one skill
/// is no reason to refuse, or to undo, an edit of another. Gives the names left alone.
pub(super) fn keep_edits(stands: &mut BTreeMap<PackageName, Standing>, lock: &Lock, old: &Lock) -> Vec<PackageName> {
    let unchanged = |name: &PackageName| lock.skill(name).is_some() && lock.skill(name) == old.skill(name);
    let mut kept = Vec::new();
    for (name, standing) in stands.iter_mut().filter(|(name, _)| unchanged(name)) {
        if standing.states().any(State::is_peoples) {
            standing.canonical = State::Kept;
            standing.agents.iter_mut().for_each(|state| *state = State::Kept);
            kept.push(name.clone());
        }
    }
    kept
}

/// Looks at every place that the lock names, in parallel.
pub(super) fn look_at_disk(
    project: &Project,
    picks: &[Pick],
    lock: &Lock,
    old: &Lock,
    judged: &[Option<Judged>],
) -> Result<BTreeMap<PackageName, Standing>, Failure> {
    let rows = rows_by_folder(&lock.written);
    let old_rows: BTreeMap<&str, &Written> = old.written.iter().map(|row| (row.path.as_str(), row)).collect();
    let work: Vec<((&LockedSkill, &Pick), &Option<Judged>)> = lock.skills.iter().zip(picks).zip(judged).collect();
    work.into_par_iter()
        .map(|((skill, pick), judged)| {
            let resources = match (&pick.origin, judged) {
                (PickOrigin::Path(_, package), _) => package.tree.resources(),
                (_, Some(judged)) => {
                    judged.statement().map(|statement| statement.resources.clone()).unwrap_or_default()
                }
                _ => Vec::new(),
            };
            let before = old.folder(&skill.folder);
            let path = project.places.join(canonical_path(&skill.folder));
            let canonical = canonical_state(&path, skill, &resources, before)?;
            let mut agents = Vec::new();
            for row in rows.get(&skill.folder).into_iter().flatten() {
                let path = project.places.join(&row.path);
                let recorded = old_rows.get(row.path.as_str()).copied();
                agents.push(match row.link {
                    LinkKind::Symlink => link_state(project, row, before, recorded)?,
                    LinkKind::Copy => folder_state(&path, skill, &resources, before, recorded)?,
                });
            }
            Ok((skill.name.clone(), Standing { canonical, agents }))
        })
        .collect()
}

pub(super) fn rows_by_folder(rows: &[Written]) -> BTreeMap<&SkillName, Vec<&Written>> {
    let mut by_folder: BTreeMap<&SkillName, Vec<&Written>> = BTreeMap::new();
    for row in rows {
        by_folder.entry(&row.folder).or_default().push(row);
    }
    by_folder
}

fn canonical_state(
    path: &Path,
    skill: &LockedSkill,
    resources: &[Resource],
    before: Option<&LockedSkill>,
) -> Result<State, Failure> {
    let seen = read_installed(path, skill)?;
    Ok(match &seen {
        seen if is_exactly(seen, resources) => State::Right,
        seen if before.is_some() && is_part_of(seen, resources) => State::Ours,
        seen => state_of_canonical(path, &seen.disk, before)?,
    })
}

/// The canonical folder, seen from the skill that an earlier run placed there. A link was never
/// ours: it is an edit like any other.
pub(super) fn state_of_canonical(
    path: &Path,
    disk: &DiskFolder,
    before: Option<&LockedSkill>,
) -> Result<State, Failure> {
    Ok(match (disk, before) {
        (DiskFolder::Absent, _) => State::Absent,
        (_, None) => State::Foreign,
        (_, Some(before)) if is_unedited(path, before)? => State::Ours,
        _ => State::Edited,
    })
}

/// An agent's own copy.
fn folder_state(
    path: &Path,
    skill: &LockedSkill,
    resources: &[Resource],
    before: Option<&LockedSkill>,
    recorded: Option<&Written>,
) -> Result<State, Failure> {
    let seen = read_installed(path, skill)?;
    if is_exactly(&seen, resources) {
        return Ok(State::Right);
    }
    if recorded.is_some() && is_part_of(&seen, resources) {
        return Ok(State::Ours);
    }
    state_of_row(path, &seen.disk, before, recorded)
}

/// An agent's place, seen from the row of the lock that an earlier run wrote about it: ours is the
/// very link, or the unedited copy, that the row records.
pub(super) fn state_of_row(
    path: &Path,
    disk: &DiskFolder,
    before: Option<&LockedSkill>,
    recorded: Option<&Written>,
) -> Result<State, Failure> {
    Ok(match (disk, recorded, before) {
        (DiskFolder::Absent, _, _) => State::Absent,
        (_, None, _) => State::Foreign,
        (DiskFolder::Link(target), Some(row), _) if *target == expected_link(row) => State::Ours,
        (DiskFolder::Folder(_), Some(_), Some(before)) if is_unedited(path, before)? => State::Ours,
        _ => State::Edited,
    })
}

fn is_unedited(path: &Path, before: &LockedSkill) -> Result<bool, Failure> {
    Ok(read_installed(path, before)?.tree_digest() == Some(before.tree))
}

fn link_state(
    project: &Project,
    row: &Written,
    before: Option<&LockedSkill>,
    recorded: Option<&Written>,
) -> Result<State, Failure> {
    let path = project.places.join(&row.path);
    match read_folder(&path)? {
        DiskFolder::Link(target) if target == expected_link(row) => Ok(State::Right),
        disk => state_of_row(&path, &disk, before, recorded),
    }
}

/// An installed folder as its publisher would see it, and apart from it what installing added.
#[derive(Debug)]
pub struct Seen {
    /// The published files, as far as they are there.
    pub disk: DiskFolder,
    /// The `SKILL.md` that installing made.
    pub stub: Stub,
}

/// What became of the `SKILL.md` that a brief without one of its own is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stub {
    /// It is there to the byte, or none belongs there.
    Right,
    /// It was taken away.
    Missing,
    /// Something else stands there.
    Edited,
}

impl Seen {
    /// The tree digest of what was published, if exactly that was placed here and nothing else.
    pub fn tree_digest(&self) -> Option<TreeDigest> {
        self.disk.tree_digest().filter(|_| self.stub == Stub::Right)
    }
}

/// Reads an installed folder as its publisher would see it: where it was installed under another
/// name, the one line of `SKILL.md` that differs is turned back before it is hashed; the stub of a brief
/// is judged and left out.
pub fn read_installed(path: &Path, skill: &LockedSkill) -> Result<Seen, Failure> {
    let mut disk = read_folder(path)?;
    let mut stub = Stub::Right;
    if let DiskFolder::Folder(files) = &mut disk {
        match stub_for(path, files, skill)? {
            Some(text) => stub = take_stub(files, &text),
            None if skill.folder != *skill.name.name() => turn_back(path, files, skill)?,
            None => {}
        }
    }
    Ok(Seen { disk, stub })
}

/// The stub that belongs into a folder: its manifest asks for one, and what was published had no
/// `SKILL.md`. Where the other files are not what was published, nobody can say, and a file with the
/// words of the stub is taken for one.
fn stub_for(path: &Path, files: &[OnDisk], skill: &LockedSkill) -> Result<Option<Vec<u8>>, Failure> {
    let regular = |name: &str| {
        let is_regular = |file: &&OnDisk| file.path == name && matches!(file.content, DiskContent::Regular { .. });
        files.iter().find(is_regular).map(|_| path.join(name))
    };
    let Some(manifest) = regular(SKILL_TOML).filter(|_| skill.kind == Kind::Brief) else { return Ok(None) };
    let Some(text) = placed::stub(&std::fs::read(&manifest).on("read", &manifest)?, &skill.folder) else {
        return Ok(None);
    };
    let others = files.iter().filter(|file| file.path != SKILL_MD).cloned().collect();
    let had_none = DiskFolder::Folder(others).tree_digest() == Some(skill.tree);
    let whole = DiskFolder::Folder(files.to_vec()).tree_digest() == Some(skill.tree);
    let has_words = files.iter().any(|file| is_stub(file, &text));
    Ok((had_none || (has_words && !whole)).then_some(text))
}

/// Leaves the stub out of the list, and says what stood in its place.
fn take_stub(files: &mut Vec<OnDisk>, text: &[u8]) -> Stub {
    let Some(at) = files.iter().position(|file| file.path == SKILL_MD) else { return Stub::Missing };
    if is_stub(&files.remove(at), text) { Stub::Right } else { Stub::Edited }
}

fn is_stub(file: &OnDisk, text: &[u8]) -> bool {
    let expected = Sha256::of(text);
    let same = |content: &DiskContent| match content {
        DiskContent::Regular { digest, mode } => *digest == expected && *mode == Mode::Regular,
        DiskContent::Other(_) => false,
    };
    file.path == SKILL_MD && same(&file.content)
}

fn turn_back(path: &Path, files: &mut [OnDisk], skill: &LockedSkill) -> Result<(), Failure> {
    let Some(file) = files.iter_mut().find(|file| file.path == SKILL_MD) else { return Ok(()) };
    let DiskContent::Regular { digest, .. } = &mut file.content else { return Ok(()) };
    let path = path.join(SKILL_MD);
    let bytes = std::fs::read(&path).on("read", &path)?;
    if let Some(original) = placed::turned_back(&bytes, skill.name.name(), &skill.folder) {
        *digest = Sha256::of(original);
    }
    Ok(())
}

/// Whether the files are these, with these modes, and no others.
fn is_exactly(seen: &Seen, resources: &[Resource]) -> bool {
    let (DiskFolder::Folder(files), Stub::Right) = (&seen.disk, seen.stub) else { return false };
    files.len() == resources.len()
        && files.iter().zip(resources).all(|(file, resource)| {
            let right = |digest: &Sha256, mode: &skills::tree::Mode| {
                *digest == resource.digest && (cfg!(windows) || *mode == resource.mode)
            };
            file.path == resource.path.as_str()
                && matches!(&file.content, DiskContent::Regular { digest, mode } if right(digest, mode))
        })
}

/// Whether files are missing and nothing else is wrong: putting them back overwrites nothing.
fn is_part_of(seen: &Seen, resources: &[Resource]) -> bool {
    let (DiskFolder::Folder(files), Stub::Right | Stub::Missing) = (&seen.disk, seen.stub) else { return false };
    files.iter().all(|file| {
        let resource = resources.iter().find(|resource| resource.path.as_str() == file.path);
        matches!((&file.content, resource), (DiskContent::Regular { digest, .. }, Some(resource)) if *digest == resource.digest)
    })
}

/// The canonical folder of a skill, relative to the placing root.
pub(super) fn canonical_path(folder: &SkillName) -> String {
    format!("{CANONICAL}/{folder}")
}

/// The content of an agent's link: relative, so that the repository can be moved.
pub fn expected_link(row: &Written) -> PathBuf {
    let ups = "../".repeat(row.path.matches('/').count());
    PathBuf::from(format!("{ups}{}", canonical_path(&row.folder)))
}
