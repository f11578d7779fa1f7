//! A work tree at one moment: what evidence is about, and whether something moved since.
//!
//! With Git, the files are those that it would commit; without, all that lie there. A link counts as
//! the text of where it leads and is never followed; a repository inside counts as its own tree, so
//! that an edit in a submodule is noticed before anybody commits it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use skills::Sha256;
use skills::check::Inputs;

use crate::failure::{Failure, OnPath};
use crate::git::{Entry, GitTree, Repository, os_path};
use crate::runner::digest;

/// Most files of a folder without Git.
const FILES_MAX: usize = 500_000;

/// How deep repositories inside repositories are looked into.
const NESTED_MAX: usize = 8;

/// A work tree at one moment.
#[derive(Debug)]
pub struct Snapshot {
    root: PathBuf,
    tree: Option<GitTree>,
    /// By path relative to the root.
    entries: BTreeMap<Vec<u8>, Entry>,
}

impl Snapshot {
    /// Looks at everything below a project's root.
    pub fn take(root: &Path) -> Result<Self, Failure> {
        let root = root.canonicalize().on("find", root)?;
        let Some(repository) = Repository::around(&root)? else {
            let entries = walk(&root)?;
            return Ok(Self { root, tree: None, entries });
        };
        let tree = repository.tree(&root)?;
        let prefix = prefix(repository.top(), &root);
        let below = tree
            .entries()
            .iter()
            .filter_map(|entry| Some((entry.path.strip_prefix(prefix.as_slice())?.to_vec(), entry.clone())));
        Ok(Self { entries: below.collect(), root, tree: Some(tree) })
    }

    /// The tree as Git has it; none without Git.
    pub fn tree(&self) -> Option<&GitTree> {
        self.tree.as_ref()
    }

    /// Whether a file is part of it: with Git, one that it would commit.
    pub fn has(&self, path: &str) -> bool {
        self.entries.contains_key(path.as_bytes())
    }

    /// The digest of a check's inputs.
    pub fn inputs(&self, inputs: &Inputs) -> Result<Sha256, Failure> {
        self.inputs_within(inputs, NESTED_MAX)
    }

    fn inputs_within(&self, inputs: &Inputs, nested: usize) -> Result<Sha256, Failure> {
        let covered = self.entries.iter().filter(|(path, _)| inputs.covers(&String::from_utf8_lossy(path)));
        let mut files: Vec<(Vec<u8>, bool)> =
            covered.map(|(path, entry)| (path.clone(), entry.is_repository())).collect();
        for named in inputs.named().filter(|named| !self.entries.contains_key(named.as_bytes())) {
            if self.root.join(named).symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
                files.push((named.as_bytes().to_vec(), false));
            }
        }
        let digests: Vec<(Vec<u8>, Sha256)> = files
            .into_par_iter()
            .map(|(path, is_repository)| {
                let place = self.root.join(os_path(&path));
                let digest = if is_repository { repository(&place, nested)? } else { content(&place)? };
                Ok::<_, Failure>((path, digest))
            })
            .collect::<Result<_, _>>()?;
        Ok(inputs.digest(digests.iter().map(|(path, digest)| (path.as_slice(), *digest))))
    }

    /// The files that were made, changed or removed between this moment and a later one, without those
    /// that the check may write.
    pub fn moved(&self, later: &Self, inputs: &Inputs) -> Vec<String> {
        let differs = |path: &&Vec<u8>| self.entries.get(*path) != later.entries.get(*path);
        let mut moved: Vec<String> = self
            .entries
            .keys()
            .chain(later.entries.keys())
            .filter(differs)
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        moved.retain(|path| !inputs.writes(path));
        moved.sort();
        moved.dedup();
        moved
    }
}

/// `app/` for a project in the folder `app` of its repository.
fn prefix(top: &Path, root: &Path) -> Vec<u8> {
    let below = root.strip_prefix(top).unwrap_or(Path::new(""));
    below.components().flat_map(|part| [part.as_os_str().as_encoded_bytes(), b"/"].concat()).collect()
}

/// A file's bytes, or the text of a link.
fn content(place: &Path) -> Result<Sha256, Failure> {
    let metadata = place.symlink_metadata().on("read", place)?;
    if metadata.is_symlink() {
        return Ok(Sha256::of(fs::read_link(place).on("read", place)?.as_os_str().as_encoded_bytes()));
    }
    if !metadata.is_file() {
        return Err(Failure::could_not("not-a-file", format!("`{}` is not a regular file any more", place.display())));
    }
    Ok(digest::of_file(place)?.0)
}

/// What lies in a repository inside: its tree, and not only the commit that it is at.
fn repository(place: &Path, nested: usize) -> Result<Sha256, Failure> {
    let is_there = place.join(".git").symlink_metadata().is_ok();
    if !is_there {
        return Ok(Sha256::of("no work tree"));
    }
    if nested == 0 {
        let seen = format!("`{}`: more than {NESTED_MAX} repositories inside each other", place.display());
        return Err(Failure::could_not("git-refused", seen));
    }
    Ok(match Repository::around(place)? {
        Some(inner) => Sha256::of(inner.tree(place)?.id()),
        None => Sha256::of("no work tree"),
    })
}

/// Every file and link below a folder that no Git looks after.
fn walk(root: &Path) -> Result<BTreeMap<Vec<u8>, Entry>, Failure> {
    let mut found: Vec<(Vec<u8>, PathBuf)> = Vec::new();
    let mut folders = vec![(root.to_owned(), Vec::new())];
    while let Some((folder, inside)) = folders.pop() {
        for entry in fs::read_dir(&folder).on("read", &folder)? {
            let entry = entry.on("read", &folder)?;
            let path = [inside.as_slice(), entry.file_name().as_encoded_bytes()].concat();
            let kind = entry.file_type().on("read", &entry.path())?;
            if kind.is_dir() && !matches!(path.as_slice(), b".git" | b".skill/evidence" | b".skill/state") {
                folders.push((entry.path(), [path.as_slice(), b"/"].concat()));
            } else if kind.is_file() || kind.is_symlink() {
                found.push((path, entry.path()));
            }
            if found.len() + folders.len() > FILES_MAX {
                let seen =
                    format!("`{}` has more than {FILES_MAX} files, and no Git says which matter", root.display());
                return Err(Failure::could_not("too-many-files", seen).hint("`git init` in it, with a `.gitignore`"));
            }
        }
    }
    let entry = |(path, place): (Vec<u8>, PathBuf)| {
        let object = content(&place)?.hex();
        Ok((path.clone(), Entry { path, mode: mode(&place), object }))
    };
    found.into_par_iter().map(entry).collect()
}

/// The mode that Git would give a file.
fn mode(place: &Path) -> String {
    let metadata = place.symlink_metadata().ok();
    let is_link = metadata.as_ref().is_some_and(fs::Metadata::is_symlink);
    #[cfg(unix)]
    let is_program =
        metadata.is_some_and(|metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0);
    #[cfg(not(unix))]
    let is_program = false;
    match (is_link, is_program) {
        (true, _) => "120000",
        (false, true) => "100755",
        (false, false) => "100644",
    }
    .to_owned()
}

#[cfg(test)]
mod tests;
