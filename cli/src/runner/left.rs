//! How a check left the tree: what its expectations ask for, and what it made.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use skills::FilePath;
use skills::check::{Check, Found, Inputs, Left, tells_secret};
use skills::evidence::Artifact;

use super::digest;
use crate::failure::{Failure, OnPath};

/// Largest file that an expectation reads, in bytes; of larger ones only the digest is taken.
const READ_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Most files that are named as artifacts: evidence is no list of a build folder.
const ARTIFACTS_MAX: usize = 256;

/// Most entries looked at in search of outputs.
const WALKED_MAX: usize = 100_000;

/// What tells one writing of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    changed: (i64, i64, u64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            bytes: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            changed: (metadata.ctime(), metadata.ctime_nsec(), metadata.ino()),
        }
    }
}

/// The work tree after a run, with the outputs that were there before.
#[derive(Debug)]
pub(super) struct FinalState {
    root: PathBuf,
    inputs: Inputs,
    earlier: BTreeMap<String, Stamp>,
    clean: Option<bool>,
}

impl FinalState {
    pub(super) fn new(root: &Path, inputs: Inputs, earlier: BTreeMap<String, Stamp>, clean: Option<bool>) -> Self {
        Self { root: root.to_owned(), inputs, earlier, clean }
    }

    /// What the check made, by digest; or why it cannot be named.
    pub(super) fn artifacts(&self, check: &Check, secrets: &[String]) -> Result<Vec<Artifact>, String> {
        let made = outputs(&self.root, check, &self.inputs).map_err(|failure| failure.message)?;
        let fresh: Vec<&String> =
            made.iter().filter(|(path, stamp)| self.earlier.get(*path) != Some(*stamp)).map(|(path, _)| path).collect();
        if fresh.len() > ARTIFACTS_MAX {
            return Err(format!("it made {} outputs, at most {ARTIFACTS_MAX} are kept by name", fresh.len()));
        }
        // A name is evidence as the output is, and is not repeated here either.
        if fresh.iter().any(|path| tells_secret(path, &check.evidence, secrets)) {
            return Err("the name of a file that it made holds a secret, or what it asks to redact".to_owned());
        }
        let artifact = |path: &String| {
            let name = FilePath::parse(path).map_err(|refusal| refusal.message)?;
            let (sha256, bytes) = digest::of_file(&self.root.join(path)).map_err(|failure| failure.message)?;
            Ok(Artifact { path: name, sha256, bytes })
        };
        fresh.into_iter().map(artifact).collect()
    }

    /// Whether no part of the way to a file is a link: a check could plant one that leads to a file which
    /// it did not make.
    fn is_real(&self, path: &FilePath) -> bool {
        path.parents().all(|folder| !self.root.join(folder).is_symlink())
    }
}

impl Left for FinalState {
    fn file(&self, path: &FilePath) -> Found {
        let place = self.root.join(path.as_str());
        let Ok(metadata) = place.symlink_metadata() else { return Found::Absent };
        if !metadata.is_file() || !self.is_real(path) {
            return Found::NotAFile;
        }
        if self.inputs.is_output(path.as_str()) && self.earlier.get(path.as_str()) == Some(&Stamp::of(&metadata)) {
            return Found::Stale;
        }
        let Ok((digest, bytes)) = digest::of_file(&place) else { return Found::NotAFile };
        Found::File(digest, (bytes <= READ_BYTES_MAX).then(|| fs::read(&place).ok()).flatten())
    }

    fn is_clean(&self) -> Option<bool> {
        self.clean
    }
}

/// The files that are outputs of a check and lie there now. Links are never followed.
pub(super) fn outputs(root: &Path, check: &Check, inputs: &Inputs) -> Result<BTreeMap<String, Stamp>, Failure> {
    let mut found = BTreeMap::new();
    let mut waiting: Vec<String> = check.outputs.iter().map(|glob| fixed(glob)).collect();
    waiting.sort();
    waiting.dedup();
    let mut walked = 0;
    while let Some(path) = waiting.pop() {
        let place = root.join(&path);
        walked += 1;
        if walked > WALKED_MAX {
            let seen = format!("more than {WALKED_MAX} files lie where the outputs of the check are");
            return Err(Failure::could_not("too-many-files", seen));
        }
        let Ok(metadata) = place.symlink_metadata() else { continue };
        if metadata.is_file() && inputs.is_output(&path) {
            found.insert(path, Stamp::of(&metadata));
        } else if metadata.is_dir() {
            for entry in fs::read_dir(&place).on("read", &place)?.flatten() {
                if let Some(name) = entry.file_name().to_str().filter(|name| !(path.is_empty() && *name == ".git")) {
                    waiting.push(if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") });
                }
            }
        }
    }
    Ok(found)
}

/// The part of a glob before its first pattern: `out/` of `out/*.sql`.
fn fixed(glob: &str) -> String {
    let parts = glob.split('/').filter(|part| !part.is_empty());
    parts.take_while(|part| !part.contains(['*', '?', '[', '{'])).collect::<Vec<_>>().join("/")
}
