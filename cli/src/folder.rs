//! A package's folder on the disk, and the tree in memory: both directions.
//!
//! Reading never follows a link: what `pack` signs is what lies in this folder, not what a link
//! leads to on the publisher's machine (`references/notes.md -> ~/.ssh/id_ed25519`). A link, device,
//! socket or pipe is refused by its path, unless the manifest excludes it. Every bound of
//! `skills::limits` holds while reading, so a folder with a million files or one endless file is
//! refused early and not when memory is full.
//!
//! Writing goes into a fresh folder beside the target, then one rename.

use std::fs::{self, File, FileType, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use skills::FilePath;
use skills::limits::{FILES_MAX, MANIFEST_BYTES_MAX, UNPACKED_BYTES_MAX};
use skills::manifest::{Manifest, packs_by_default};
use skills::tree::{self, Mode, Tree};

use crate::failure::{Exit, Failure, OnPath};
use crate::place;

/// Most directory entries looked at, packed or not: thirty times what may be packed.
const WALKED_MAX: usize = 65_536;

/// A folder, read.
#[derive(Debug, Clone)]
pub struct Folder {
    /// As it was named.
    pub path: PathBuf,
    /// Its own name, where it has one: the root of a disk has none.
    pub name: Option<String>,
    /// The files that belong to the package.
    pub tree: Tree,
}

/// Reads the folder of a package: what its manifest packs, or all but the default excludes.
pub fn read(path: &Path) -> Result<Folder, Failure> {
    let root = fs::canonicalize(path).on("read", path)?;
    if !root.is_dir() {
        return Err(Failure::could_not("not-a-folder", format!("`{}` is not a folder", path.display())));
    }
    let manifest = read_manifest(&root)?;
    let tree = walk(&root, manifest).map_err(|failure| failure.at(path.display()))?;
    let name = root.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    Ok(Folder { path: path.to_owned(), name, tree })
}

fn walk(root: &Path, manifest: Option<Manifest>) -> Result<Tree, Failure> {
    let mut walk = Walk { manifest, files: Vec::new(), walked: 0, total_bytes: 0 };
    walk.folder(root)?;
    // A package that breaks a law of its kind failed a check; it is no wrong usage.
    Tree::new(walk.files).map_err(|refusal| Failure::of(Exit::Failed, refusal))
}

/// The manifest, for its `include` and `exclude`. One that cannot be read packs what a folder
/// without manifest does: `lint` says what is wrong with it, and nothing publishes it.
fn read_manifest(root: &Path) -> Result<Option<Manifest>, Failure> {
    let path = root.join("skill.toml");
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= MANIFEST_BYTES_MAX as u64 => {
            Ok(Manifest::parse(&fs::read(&path).on("read", &path)?).ok())
        }
        _ => Ok(None),
    }
}

/// Whether nothing below this folder is ever packed, so that it need not be walked: asked of a file
/// in it whose own name excludes nothing.
fn is_excluded_folder(place: &str) -> bool {
    FilePath::parse(&format!("{place}/probe")).is_ok_and(|probe| !packs_by_default(&probe))
}

struct Walk {
    manifest: Option<Manifest>,
    files: Vec<tree::File>,
    walked: usize,
    total_bytes: u64,
}

impl Walk {
    /// Walks with a list of its own instead of recursion: depth is the attacker's to choose.
    fn folder(&mut self, root: &Path) -> Result<(), Failure> {
        let mut folders = vec![(root.to_path_buf(), String::new())];
        while let Some((folder, inside)) = folders.pop() {
            for entry in fs::read_dir(&folder).on("read", &folder)? {
                let path = entry.on("read", &folder)?.path();
                self.count_entry(root)?;
                let Some(place) = place_of(&path, &inside)? else { continue };
                // `symlink_metadata` is lstat: it looks at a link, not through it.
                let metadata = fs::symlink_metadata(&path).on("read", &path)?;
                if metadata.is_dir() {
                    if !is_excluded_folder(&place) {
                        folders.push((path, place));
                    }
                } else {
                    self.file(&path, &place, &metadata)?;
                }
            }
        }
        Ok(())
    }

    fn count_entry(&mut self, root: &Path) -> Result<(), Failure> {
        self.walked += 1;
        if self.walked > WALKED_MAX {
            let seen =
                format!("`{}` holds more than {WALKED_MAX} files and folders: it is not one package", root.display());
            return Err(
                Failure::new(Exit::Failed, "folder-too-large", seen).hint("name the folder that holds `SKILL.md`")
            );
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, place: &str, metadata: &Metadata) -> Result<(), Failure> {
        let file_path = FilePath::parse(place).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
        if !self.packs(&file_path) {
            return Ok(());
        }
        if !metadata.is_file() {
            return Err(refuse_kind(path, metadata.file_type()));
        }
        if self.files.len() == FILES_MAX {
            let seen = format!("more than {FILES_MAX} files, the last seen is `{}`", path.display());
            return Err(Failure::new(Exit::Failed, "archive-too-many-files", seen)
                .hint("leave some out with `exclude` in skill.toml"));
        }
        let bytes = self.read_bounded(path, metadata)?;
        self.files.push(tree::File { path: file_path, mode: mode_of(metadata), bytes });
        Ok(())
    }

    fn packs(&self, path: &FilePath) -> bool {
        self.manifest.as_ref().map_or_else(|| packs_by_default(path), |manifest| manifest.packs(path))
    }

    /// Reads the very file that was looked at, and no more than may still come.
    fn read_bounded(&mut self, path: &Path, metadata: &Metadata) -> Result<Vec<u8>, Failure> {
        let left = UNPACKED_BYTES_MAX - self.total_bytes;
        let file = File::open(path).on("read", path)?;
        // Between looking and opening, the file may have been replaced by a link.
        if !is_same_file(metadata, &file.metadata().on("read", path)?) {
            return Err(Failure::could_not(
                "file-changed",
                format!("`{}` was replaced while it was read", path.display()),
            ));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(left)).unwrap_or(0));
        file.take(left + 1).read_to_end(&mut bytes).on("read", path)?;
        if bytes.len() as u64 > left {
            let seen = format!(
                "`{}` brings the files over {UNPACKED_BYTES_MAX} bytes together, the most allowed",
                path.display()
            );
            return Err(Failure::new(Exit::Failed, "archive-unpacked-too-large", seen)
                .hint("leave some out with `exclude` in skill.toml"));
        }
        self.total_bytes += bytes.len() as u64;
        Ok(bytes)
    }
}

/// Where something lies inside the package, not yet a lawful path; `None` for what is never a
/// package's own: Git's folder, or the file that stands for it.
fn place_of(path: &Path, inside: &str) -> Result<Option<String>, Failure> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        let seen = format!("the name of `{}` is not UTF-8", path.display());
        Failure::new(Exit::Failed, "path-not-utf8", seen).hint("rename the file")
    })?;
    let below = |inside: &str| if inside.is_empty() { name.to_owned() } else { format!("{inside}/{name}") };
    Ok((name != ".git").then(|| below(inside)))
}

fn refuse_kind(path: &Path, kind: FileType) -> Failure {
    let what = kind_name(kind);
    let failure = Failure::new(
        Exit::Failed,
        format!("folder-{}", what.replace(' ', "-")),
        format!("`{}` is a {what}, and only regular files can be packed", path.display()),
    );
    match what {
        "symlink" => failure.hint("put a copy of the file in its place, or leave it out with `exclude` in skill.toml"),
        _ => failure.hint("remove it, or leave it out with `exclude` in skill.toml"),
    }
}

fn kind_name(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "pipe";
        }
        if kind.is_socket() {
            return "socket";
        }
        if kind.is_block_device() || kind.is_char_device() {
            return "device";
        }
    }
    if kind.is_symlink() { "symlink" } else { "special file" }
}

#[cfg(unix)]
fn mode_of(metadata: &Metadata) -> Mode {
    use std::os::unix::fs::PermissionsExt;
    Mode::from_executable(metadata.permissions().mode() & 0o100 != 0)
}

/// There is no exec bit here: what needs one is published from a system that has it.
#[cfg(not(unix))]
fn mode_of(_metadata: &Metadata) -> Mode {
    Mode::Regular
}

#[cfg(unix)]
fn is_same_file(seen: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (seen.dev(), seen.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same_file(_seen: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

/// Writes a tree as a new folder, whole or not at all. An empty folder may be there already.
pub fn write_new(tree: &Tree, target: &Path) -> Result<(), Failure> {
    check_free(target)?;
    let beside = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(beside).on("create", beside)?;
    let staged = tempfile::Builder::new().prefix(".unpack-").tempdir_in(beside).on("create a folder in", beside)?;
    // One deeper: the temporary folder is its owner's alone, the package is as readable as its files.
    let whole = staged.path().join("tree");
    place::write_tree(&whole, tree)?;
    if cfg!(windows) && target.exists() {
        fs::remove_dir(target).on("replace", target)?;
    }
    // Renaming onto an empty folder replaces it; onto one that was filled meanwhile, it fails.
    fs::rename(&whole, target).on("write", target)
}

/// Refuses a target that holds something.
pub fn check_free(target: &Path) -> Result<(), Failure> {
    let refuse = |what: &str| {
        Err(Failure::could_not("target-exists", format!("`{}` {what}, and is not overwritten", target.display()))
            .hint("name another folder, or empty this one"))
    };
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::io("look at", target, &error)),
        Ok(metadata) if !metadata.is_dir() => refuse("exists"),
        Ok(_) => match fs::read_dir(target).on("read", target)?.next() {
            Some(_) => refuse("is not empty"),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests;
