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
use skills::tree::Resource;
use skills::{PackageName, Sha256, SkillName, frontmatter};

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
            let canonical = folder_state(
                &project.places.join(canonical_path(&skill.folder)),
                skill,
                &resources,
                before,
                before.is_some(),
            )?;
            let mut agents = Vec::new();
            for row in rows.get(&skill.folder).into_iter().flatten() {
                let path = project.places.join(&row.path);
                let recorded = old_rows.get(row.path.as_str()).copied();
                agents.push(match row.link {
                    LinkKind::Symlink => link_state(&path, row, before, recorded)?,
                    LinkKind::Copy => folder_state(&path, skill, &resources, before, recorded.is_some())?,
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

fn folder_state(
    path: &Path,
    skill: &LockedSkill,
    resources: &[Resource],
    before: Option<&LockedSkill>,
    recorded: bool,
) -> Result<State, Failure> {
    let disk = read_installed(path, &skill.name, &skill.folder)?;
    if is_exactly(&disk, resources) {
        return Ok(State::Right);
    }
    if recorded && is_part_of(&disk, resources) {
        return Ok(State::Ours);
    }
    state_of_old(path, &disk, before.filter(|_| recorded), recorded)
}

/// What stands there, seen from what an earlier run placed there.
pub(super) fn state_of_old(
    path: &Path,
    disk: &DiskFolder,
    before: Option<&LockedSkill>,
    recorded: bool,
) -> Result<State, Failure> {
    if let DiskFolder::Absent = disk {
        return Ok(State::Absent);
    }
    let Some(before) = before else { return Ok(if recorded { State::Edited } else { State::Foreign }) };
    let as_before = read_installed(path, &before.name, &before.folder)?.tree_digest();
    // A link of ours that became a copy, or the other way round, is ours as well.
    let link = matches!(disk, DiskFolder::Link(_)) && recorded;
    Ok(if as_before == Some(before.tree) || link { State::Ours } else { State::Edited })
}

fn link_state(
    path: &Path,
    row: &Written,
    before: Option<&LockedSkill>,
    recorded: Option<&Written>,
) -> Result<State, Failure> {
    match read_folder(path)? {
        DiskFolder::Link(target) if target == expected_link(row) => Ok(State::Right),
        disk => state_of_old(path, &disk, before.filter(|_| recorded.is_some()), recorded.is_some()),
    }
}

/// Reads an installed folder as its publisher would see it: where it was installed under another
/// name, the one line of `SKILL.md` that differs is turned back before it is hashed.
pub fn read_installed(path: &Path, name: &PackageName, folder: &SkillName) -> Result<DiskFolder, Failure> {
    let mut disk = read_folder(path)?;
    if folder == name.name() {
        return Ok(disk);
    }
    if let DiskFolder::Folder(files) = &mut disk {
        for file in files.iter_mut().filter(|file| file.path == "SKILL.md") {
            turn_back(path, file, name.name())?;
        }
    }
    Ok(disk)
}

fn turn_back(folder: &Path, file: &mut OnDisk, name: &SkillName) -> Result<(), Failure> {
    let path = folder.join("SKILL.md");
    if let DiskContent::Regular { digest, .. } = &mut file.content
        && let Ok(original) = frontmatter::rename(&std::fs::read(&path).on("read", &path)?, name)
    {
        *digest = Sha256::of(original);
    }
    Ok(())
}

/// Whether the files are these, with these modes, and no others.
fn is_exactly(disk: &DiskFolder, resources: &[Resource]) -> bool {
    let DiskFolder::Folder(files) = disk else { return false };
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
fn is_part_of(disk: &DiskFolder, resources: &[Resource]) -> bool {
    let DiskFolder::Folder(files) = disk else { return false };
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
