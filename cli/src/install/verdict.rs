//! The verdict of the last run, so that an install with nothing to do costs only the hashing.
//!
//! After a whole journey, `state/verdicts/` in the user's own folder says: this lock, under this
//! policy, on this day, by this program, was judged and admitted. It is not kept in the repository,
//! where a stranger's branch could bring a verdict of its own. While all four are the same, signatures need not be
//! checked again to *leave things as they are*. The disk is always read and hashed in full. As soon
//! as anything is to be written, and always in `verify`, everything is judged anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use index::lock::{LinkKind, Lock, LockedSkill, Written};
use index::verify::{DiskContent, Judged};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use skills::tree::{Mode, Resource};
use skills::{FilePath, PackageName, Sha256};

use super::evidence::today;
use super::plan::{proof_paths, written_rows};
use super::resolution::{Pick, PickOrigin};
use super::standing::{expected_link, read_installed, rows_by_folder};
use crate::agents::CANONICAL;
use crate::context::Context;
use crate::failure::Failure;
use crate::place::{DiskFolder, read_folder};
use crate::project::Project;
use crate::wants::Wants;

/// Which files may be executed: the one thing about the content that the tree digest leaves out.
pub(super) type Executables = BTreeMap<PackageName, Vec<FilePath>>;

#[derive(Serialize, Deserialize)]
struct Verdict {
    judged: Sha256,
    executables: Executables,
}

/// Digest of everything that the judgement depended on.
fn judged(lock_text: &str, trust_text: &str) -> Sha256 {
    let parts = [lock_text, trust_text, &today().to_string(), env!("CARGO_PKG_VERSION")];
    Sha256::of(parts.map(|part| Sha256::of(part).to_string()).join("\n"))
}

/// The executable files of every pick, from what was signed or read.
pub(super) fn executables(picks: &[Pick], judged: &[Option<Judged>]) -> Executables {
    let of = |resources: &[Resource]| {
        resources
            .iter()
            .filter(|resource| resource.mode == Mode::Executable)
            .map(|resource| resource.path.clone())
            .collect::<Vec<_>>()
    };
    let each = picks.iter().zip(judged).map(|(pick, judged)| {
        match (&pick.origin, judged.as_ref().and_then(Judged::statement)) {
            (PickOrigin::Path(_, package), _) => (pick.name.clone(), of(&package.tree.resources())),
            (_, statement) => {
                (pick.name.clone(), statement.map(|statement| of(&statement.resources)).unwrap_or_default())
            }
        }
    });
    each.filter(|(_, files)| !files.is_empty()).collect()
}

/// Keeps the verdict. Losing it costs the next run some milliseconds, so a failure is no failure.
pub(super) fn keep(context: &Context, project: &Project, lock_text: &str, trust_text: &str, executables: Executables) {
    let verdict = Verdict { judged: judged(lock_text, trust_text), executables };
    let Some(path) = path(context, project) else { return };
    if let (Some(folder), Ok(bytes)) = (path.parent(), serde_json::to_vec(&verdict)) {
        let _ = fs::create_dir_all(folder).and_then(|()| fs::write(&path, bytes));
    }
}

/// One file a project; none on a machine without a home.
fn path(context: &Context, project: &Project) -> Option<PathBuf> {
    let root = project.root.canonicalize().ok()?;
    let name = Sha256::of(root.as_os_str().as_encoded_bytes()).hex();
    Some(context.home().ok()?.state.join("verdicts").join(name))
}

/// Whether the lock stands on the disk, all of it, and was judged before exactly as it is.
pub(super) fn stands(
    context: &Context,
    project: &Project,
    wants: &Wants,
    lock: &Lock,
    trust_text: &str,
) -> Result<bool, Failure> {
    let Some(Ok(bytes)) = path(context, project).map(fs::read) else { return Ok(false) };
    let Ok(verdict) = serde_json::from_slice::<Verdict>(&bytes) else { return Ok(false) };
    let sorted = |mut rows: Vec<Written>| {
        rows.sort_by(|a, b| a.path.cmp(&b.path));
        rows
    };
    let same_agents = sorted(written_rows(&lock.skills, wants, project, lock)?) == sorted(lock.written.clone());
    if verdict.judged != judged(&project.lock_text()?, trust_text) || !same_agents {
        return Ok(false);
    }
    let proofs = proof_paths(lock)?;
    if !proofs.iter().all(|proof| project.root.join(proof).is_file()) {
        return Ok(false);
    }
    let rows = rows_by_folder(&lock.written);
    let skills = lock.skills.par_iter().map(|skill| {
        let executables = verdict.executables.get(&skill.name).map_or(&[][..], Vec::as_slice);
        skill_stands(project, skill, rows.get(&skill.folder).map_or(&[][..], Vec::as_slice), executables)
    });
    skills.try_fold(|| true, |all, stands| stands.map(|stands| all && stands)).try_reduce(|| true, |a, b| Ok(a && b))
}

fn skill_stands(
    project: &Project,
    skill: &LockedSkill,
    rows: &[&Written],
    executables: &[FilePath],
) -> Result<bool, Failure> {
    if !folder_stands(project, &format!("{CANONICAL}/{}", skill.folder), skill, executables)? {
        return Ok(false);
    }
    for row in rows {
        let stands = match row.link {
            LinkKind::Copy => folder_stands(project, &row.path, skill, executables)?,
            LinkKind::Symlink => {
                matches!(read_folder(&project.places.join(&row.path))?, DiskFolder::Link(target) if target == expected_link(row))
            }
        };
        if !stands {
            return Ok(false);
        }
    }
    Ok(true)
}

fn folder_stands(
    project: &Project,
    place: &str,
    skill: &LockedSkill,
    executables: &[FilePath],
) -> Result<bool, Failure> {
    let seen = read_installed(&project.places.join(place), skill)?;
    if seen.tree_digest() != Some(skill.tree) {
        return Ok(false);
    }
    let DiskFolder::Folder(files) = seen.disk else { return Ok(false) };
    let marked = files
        .iter()
        .filter(|file| matches!(file.content, DiskContent::Regular { mode: Mode::Executable, .. }))
        .map(|file| file.path.as_str());
    Ok(cfg!(windows) || marked.eq(executables.iter().map(FilePath::as_str)))
}
