//! What is really on the disk where a skill should be.
//!
//! Links are never followed: a skill folder that is itself a link, or holds one, is reported as
//! what it is. Every file is read and hashed; sizes and times prove nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use index::verify::{DiskContent, OnDisk};
use skills::limits::UNPACKED_BYTES_MAX;
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, Sha256, TreeDigest};

use crate::failure::{Exit, Failure, OnPath};

/// What stands at a path.
#[derive(Debug)]
pub enum DiskFolder {
    /// Nothing.
    Absent,
    /// A folder, with all files below it, sorted by path; our own `.skill/` at its top left out.
    Folder(Vec<OnDisk>),
    /// A link, with its content.
    Link(std::path::PathBuf),
    /// Something else: a file, a device.
    Other,
}

impl DiskFolder {
    /// The tree digest, if this is a folder of regular files only.
    pub fn tree_digest(&self) -> Option<TreeDigest> {
        let Self::Folder(files) = self else { return None };
        let digests = files.iter().map(|file| match &file.content {
            DiskContent::Regular { digest, .. } => Some((file.path.as_str(), *digest)),
            DiskContent::Other(_) => None,
        });
        digests.collect::<Option<Vec<_>>>().map(TreeDigest::of)
    }
}

/// Reads and hashes what is at `path`.
pub fn read_folder(path: &Path) -> Result<DiskFolder, Failure> {
    let kind = match path.symlink_metadata() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(DiskFolder::Absent);
        }
        metadata => metadata.on("look at", path)?.file_type(),
    };
    if kind.is_symlink() {
        return Ok(DiskFolder::Link(fs::read_link(path).on("read", path)?));
    }
    if !kind.is_dir() {
        return Ok(DiskFolder::Other);
    }
    let mut files = Vec::new();
    read_below(path, "", &mut files)?;
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(DiskFolder::Folder(files))
}

/// The files themselves, for showing what somebody changed.
pub fn read_tree(path: &Path) -> Result<Tree, Failure> {
    let DiskFolder::Folder(listed) = read_folder(path)? else {
        return Err(Failure::could_not("not-a-folder", format!("`{}` is not a folder", path.display())));
    };
    let mut files = Vec::with_capacity(listed.len());
    for file in listed {
        match file.content {
            DiskContent::Regular { mode, .. } => {
                let at = path.join(&file.path);
                files.push(File { path: FilePath::parse(&file.path)?, mode, bytes: fs::read(&at).on("read", &at)? });
            }
            DiskContent::Other(kind) => {
                return Err(Failure::new(
                    Exit::Failed,
                    "not-a-file",
                    format!("`{}` is a {kind}", path.join(&file.path).display()),
                ));
            }
        }
    }
    Ok(Tree::new(files)?)
}

fn read_below(folder: &Path, prefix: &str, files: &mut Vec<OnDisk>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).on("list", folder)? {
        let entry = entry.on("list", folder)?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().on("look at", &entry.path())?;
        if kind.is_dir() {
            if path != ".skill" {
                read_below(&entry.path(), &format!("{path}/"), files)?;
            }
            continue;
        }
        let content = if kind.is_file() { read_file(&entry.path())? } else { DiskContent::Other(kind_name(kind)) };
        files.push(OnDisk { path, content });
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<DiskContent, Failure> {
    let file = fs::File::open(path).on("read", path)?;
    let metadata = file.metadata().on("look at", path)?;
    if metadata.len() > UNPACKED_BYTES_MAX {
        return Ok(DiskContent::Other("file larger than any skill may be"));
    }
    if has_special_bits(&metadata) {
        return Ok(DiskContent::Other("file that runs as another user"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    std::io::Read::read_to_end(&mut std::io::Read::take(file, UNPACKED_BYTES_MAX + 1), &mut bytes).on("read", path)?;
    Ok(DiskContent::Regular { digest: Sha256::of(&bytes), mode: Mode::from_executable(is_executable(&metadata)) })
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

/// Set-user-id, set-group-id: nothing that we place has them.
#[cfg(unix)]
fn has_special_bits(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o6000 != 0
}

#[cfg(not(unix))]
fn has_special_bits(_metadata: &fs::Metadata) -> bool {
    false
}

/// Windows keeps no exec bit, so there is none to check.
#[cfg(not(unix))]
fn is_executable(_metadata: &fs::Metadata) -> bool {
    false
}

fn kind_name(kind: fs::FileType) -> &'static str {
    if kind.is_symlink() { "symbolic link" } else { "special file" }
}
