//! The files of a package, in memory, with the laws that only a whole set of files can break.
//!
//! A [`Tree`] is the one thing that packing makes archives from and unpacking makes: sorted by path
//! bytes, no duplicates, no two names that one file system would merge, within the limits, each
//! file hashed exactly once.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::digest::{Sha256, TreeDigest};
use crate::limits::{FILES_MAX, UNPACKED_BYTES_MAX};
use crate::path::FilePath;
use crate::refusal::Refusal;

/// The one bit of a file's mode that survives packing, and is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// `rw-r--r--`
    #[serde(rename = "644")]
    Regular,
    /// `rwxr-xr-x`
    #[serde(rename = "755")]
    Executable,
}

impl Mode {
    /// The permission bits, as `chmod` takes them.
    pub fn bits(self) -> u32 {
        match self {
            Self::Regular => 0o644,
            Self::Executable => 0o755,
        }
    }

    /// The mode of a file whose owner may, or may not, execute it.
    pub fn from_executable(executable: bool) -> Self {
        if executable { Self::Executable } else { Self::Regular }
    }
}

/// One file of a package. Its digest is computed when the tree is made, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it lies inside the package.
    pub path: FilePath,
    /// Whether it may be executed.
    pub mode: Mode,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A file as a statement lists it: path, digest, mode, without the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Where it lies inside the package.
    pub path: FilePath,
    /// SHA-256 of its content.
    pub digest: Sha256,
    /// Whether it may be executed.
    pub mode: Mode,
}

/// A lawful set of files, sorted by path bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    files: Vec<File>,
    digests: Vec<Sha256>,
}

impl Tree {
    /// Checks the laws of a set of files, sorts and hashes them.
    pub fn new(mut files: Vec<File>) -> Result<Self, Refusal> {
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        check_paths(&files.iter().map(|file| &file.path).collect::<Vec<_>>())?;
        let total: u64 = files.iter().map(|file| file.bytes.len() as u64).sum();
        if total > UNPACKED_BYTES_MAX {
            return Err(Refusal::new(
                "archive-unpacked-too-large",
                format!("the files have {total} bytes together, at most {UNPACKED_BYTES_MAX} are allowed"),
            ));
        }
        let digests = files.iter().map(|file| Sha256::of(&file.bytes)).collect();
        Ok(Self { files, digests })
    }

    /// The files, sorted by path bytes.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The bytes of one file.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path.as_str() == path)
    }

    /// The list that gets signed: path, digest and mode of every file.
    pub fn resources(&self) -> Vec<Resource> {
        let with_digest = self.files.iter().zip(&self.digests);
        with_digest
            .map(|(file, digest)| Resource { path: file.path.clone(), digest: *digest, mode: file.mode })
            .collect()
    }

    /// The `h1:` digest of the content.
    pub fn digest(&self) -> TreeDigest {
        TreeDigest::of(self.files.iter().map(|file| file.path.as_str()).zip(self.digests.iter().copied()))
    }

    /// Sum of the file sizes, in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes.len() as u64).sum()
    }
}

/// The laws of a set of paths: not too many, no duplicate, no two that fold to one name, and no
/// file that another file needs as its folder (under folding as well).
pub fn check_paths(paths: &[&FilePath]) -> Result<(), Refusal> {
    if paths.len() > FILES_MAX {
        return Err(Refusal::new(
            "archive-too-many-files",
            format!("{} files, at most {FILES_MAX} are allowed", paths.len()),
        ));
    }
    let mut seen: HashMap<String, &FilePath> = HashMap::with_capacity(paths.len());
    for path in paths {
        if let Some(other) = seen.insert(path.fold_key(), path) {
            return Err(collision(other, path));
        }
    }
    check_folders(paths, &BTreeSet::new())
}

/// The laws of folders: none is a file as well, and none is spelt in two cases, which would be one
/// folder on some disks and two on others. `named` are folders that an archive has entries for.
pub(crate) fn check_folders(paths: &[&FilePath], named: &BTreeSet<FilePath>) -> Result<(), Refusal> {
    let files: HashMap<String, &FilePath> = paths.iter().map(|path| (path.fold_key(), *path)).collect();
    let above = paths.iter().copied().chain(named).flat_map(|path| path.parents().map(move |parent| (parent, path)));
    let mut folders: HashMap<String, &str> = HashMap::new();
    for (folder, path) in named.iter().map(|folder| (folder.as_str(), folder)).chain(above) {
        let key = FilePath::parse(folder).expect("the parent of a lawful path is lawful").fold_key();
        if let Some(file) = files.get(&key) {
            return Err(Refusal::new(
                "archive-file-as-folder",
                format!("`{file}` is a file, and `{path}` needs it as a folder"),
            ));
        }
        let spelt = *folders.entry(key).or_insert(folder);
        if spelt != folder {
            return Err(Refusal::new(
                "archive-case-collision",
                format!("folders `{spelt}` and `{folder}` are one folder where case is ignored"),
            ));
        }
    }
    Ok(())
}

fn collision(a: &FilePath, b: &FilePath) -> Refusal {
    if a == b {
        Refusal::new("archive-duplicate", format!("`{a}` appears twice"))
    } else {
        Refusal::new("archive-case-collision", format!("`{a}` and `{b}` are one file where case is ignored"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Result<Tree, Refusal> {
        let file =
            |path: &&str| File { path: FilePath::parse(path).expect("lawful"), mode: Mode::Regular, bytes: Vec::new() };
        Tree::new(paths.iter().map(file).collect())
    }

    fn refuses(paths: &[&str], code: &str) {
        assert_eq!(tree(paths).expect_err("a law is broken").code, code, "{paths:?}");
    }

    #[test]
    fn names_that_one_file_system_merges_are_refused() {
        refuses(&["a", "a"], "archive-duplicate");
        refuses(&["README.md", "readme.md"], "archive-case-collision");
        refuses(&["docs/a", "Docs/b"], "archive-case-collision");
        refuses(&["a", "a/b"], "archive-file-as-folder");
        refuses(&["A", "a/b"], "archive-file-as-folder");
        assert!(tree(&["docs/a", "docs/b", "docs.md"]).is_ok());
    }

    #[test]
    fn files_are_sorted_by_path_bytes() {
        let tree = tree(&["b", "a/c", "a-b", "a.c"]).expect("lawful");
        let order: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
        assert_eq!(order, ["a-b", "a.c", "a/c", "b"]);
    }

    #[test]
    fn the_number_of_files_is_bounded() {
        let paths: Vec<String> = (0..=FILES_MAX).map(|n| format!("f{n}")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert!(tree(&paths[1..]).is_ok());
        refuses(&paths, "archive-too-many-files");
    }
}
