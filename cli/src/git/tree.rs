//! The work tree as a tree object, made in a Git folder of our own.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::command::Git;
use super::{Repository, unusual};
use crate::evidence::{EVIDENCE_PATH, is_record};
use crate::failure::{Failure, OnPath};
use crate::project::{Regular, read_regular};

/// Largest `info/exclude` that is believed, in bytes.
const EXCLUDE_BYTES_MAX: usize = 1024 * 1024;

/// A work tree as Git would commit it.
#[derive(Debug)]
pub struct GitTree {
    id: String,
    entries: Vec<Entry>,
    folder: TempDir,
}

/// One file of a tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The path as Git has it: bytes, `/` between the parts, relative to the top.
    pub path: Vec<u8>,
    /// `100644`, `100755`, `120000` a link, `160000` a repository of its own.
    pub mode: String,
    /// The object.
    pub object: String,
}

impl Entry {
    /// Whether this is a submodule, or another repository inside.
    pub fn is_repository(&self) -> bool {
        self.mode == "160000"
    }

    /// Whether this is evidence itself, in the folder of evidence. Anything else that lies there is work: a
    /// script that a check starts would else be swapped under a proof.
    fn is_record(&self, evidence: &str) -> bool {
        let name = self.path.strip_prefix(evidence.as_bytes()).and_then(|name| std::str::from_utf8(name).ok());
        self.mode.starts_with("100") && name.is_some_and(is_record)
    }

    /// `100644 OBJECT 0 TAB path`, as `ls-files --stage` has it.
    fn parse(row: &[u8]) -> Option<Self> {
        let tab = row.iter().position(|byte| *byte == b'\t')?;
        let columns = std::str::from_utf8(&row[..tab]).ok()?;
        let mut columns = columns.split(' ');
        let (mode, object) = (columns.next()?.to_owned(), columns.next()?.to_owned());
        Some(Self { path: row[tab + 1..].to_vec(), mode, object })
    }
}

impl GitTree {
    /// The id of the tree, in hex: what evidence calls `gitTree`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Every file in it, sorted by path.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether a path is that of evidence, which the tree leaves out.
    pub(super) fn leaves_out(&self, path: &str, evidence: &str) -> bool {
        let is_here = || self.entries.binary_search_by(|entry| entry.path.as_slice().cmp(path.as_bytes())).is_ok();
        path.strip_prefix(evidence).is_some_and(is_record) && !is_here()
    }

    /// A run of Git in the repository that sees the objects of this tree, too.
    pub(super) fn beside(&self, git: Git) -> Git {
        git.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.folder.path().join("objects"))
    }
}

/// Adds everything to an empty index, in a folder of our own, and writes that.
pub(super) fn of(repository: &Repository, folder: &Path) -> Result<GitTree, Failure> {
    let ours = prepare(repository)?;
    let git = || {
        Git::with_folder(ours.path(), &repository.top)
            .env("GIT_ALTERNATE_OBJECT_DIRECTORIES", repository.shared.join("objects"))
    };
    let tracked = tracked(repository)?;
    git().reading(tracked.files).run(["update-index", "--add", "--remove", "-z", "--stdin"])?;
    git().reading(tracked.submodules).run(["update-index", "-z", "--index-info"])?;
    git().run(["add", "--all", "--", "."])?;
    let listed = git().run(["ls-files", "--stage", "-z"])?.stdout;
    let rows = listed.split(|byte| *byte == 0).filter(|row| !row.is_empty());
    let entries = rows.map(Entry::parse).collect::<Option<Vec<_>>>().ok_or_else(|| unusual("ls-files"))?;
    let evidence = repository.inside(folder, &format!("{EVIDENCE_PATH}/"));
    let (records, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry.is_record(&evidence));
    let records = records.iter().flat_map(|entry| [entry.path.as_slice(), b"\0"].concat()).collect();
    git().reading(records).run(["update-index", "--force-remove", "-z", "--stdin"])?;
    let id = git().run(["write-tree"])?.text()?.trim().to_owned();
    Ok(GitTree { id, entries, folder: ours })
}

/// A Git folder with nothing in it that anybody else wrote, but the names of what to ignore.
fn prepare(repository: &Repository) -> Result<TempDir, Failure> {
    let ours =
        tempfile::Builder::new().prefix("skill-tree-").tempdir().on("create a folder in", &std::env::temp_dir())?;
    let write = |name: &str, text: &[u8]| {
        let path = ours.path().join(name);
        fs::write(&path, text).on("write", &path)
    };
    for name in ["objects", "refs", "info"] {
        let path = ours.path().join(name);
        fs::create_dir(&path).on("create", &path)?;
    }
    write("HEAD", b"ref: refs/heads/none\n")?;
    write("info/exclude", &excluded(repository)?)?;
    let (version, extension) = match repository.format.as_str() {
        "sha1" => (0, String::new()),
        other => (1, format!("[extensions]\nobjectFormat = {other}\n")),
    };
    let ignored = ignored_by_user(repository)?.map(|path| format!("excludesFile = {path:?}\n")).unwrap_or_default();
    let config = format!(
        "[core]\nrepositoryFormatVersion = {version}\nbare = false\n{ignored}compression = 0\nfsync = none\n\
         autocrlf = false\nsafecrlf = false\nfsmonitor = false\nuntrackedCache = false\n[gc]\nauto = 0\n{extension}"
    );
    write("config", config.as_bytes())?;
    Ok(ours)
}

/// `info/exclude`: what this clone ignores; it can only name files that nobody tracks.
fn excluded(repository: &Repository) -> Result<Vec<u8>, Failure> {
    let path = repository.shared.join("info/exclude");
    Ok(match read_regular(&path, EXCLUDE_BYTES_MAX).on("read", &path)? {
        Regular::Bytes(bytes) => bytes,
        Regular::Absent | Regular::NotAFile | Regular::TooLarge => Vec::new(),
    })
}

/// The user's own list of what to ignore, such as what an editor leaves behind.
fn ignored_by_user(repository: &Repository) -> Result<Option<String>, Failure> {
    // Not the repository's: it could name a pipe, and Git would wait at it.
    let asked = ["config", "--global", "--type=path", "--get", "core.excludesFile"];
    let answer = Git::at(&repository.top).ask(asked)?;
    let path = answer.map(|answer| answer.text()).transpose()?;
    Ok(path.map(|path| path.trim_end_matches('\n').to_owned()).filter(|path| !path.contains(['\n', '\0'])))
}

/// What the repository's index names: files that are there, and submodules that are not.
struct Tracked {
    files: Vec<u8>,
    submodules: Vec<u8>,
}

fn tracked(repository: &Repository) -> Result<Tracked, Failure> {
    let listed = Git::at(&repository.top).run(["ls-files", "--stage", "-z"])?.stdout;
    let mut tracked = Tracked { files: Vec::new(), submodules: Vec::new() };
    let mut folders = Folders { top: &repository.top, real: HashMap::new() };
    for row in listed.split(|byte| *byte == 0).filter(|row| !row.is_empty()) {
        let entry = Entry::parse(row).ok_or_else(|| unusual("ls-files"))?;
        let Some(path) = folders.place(&entry.path) else { continue };
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if entry.is_repository() && metadata.is_dir() && path.join(".git").symlink_metadata().is_err() {
            tracked.submodules.extend(row);
            tracked.submodules.push(0);
        } else if metadata.is_file() || metadata.is_symlink() {
            tracked.files.extend(&entry.path);
            tracked.files.push(0);
        }
    }
    Ok(tracked)
}

/// Which folders are really folders: a tracked file behind a link is not there any more.
struct Folders<'a> {
    top: &'a Path,
    real: HashMap<PathBuf, bool>,
}

impl Folders<'_> {
    fn place(&mut self, path: &[u8]) -> Option<PathBuf> {
        let path = self.top.join(os_path(path));
        let parent = path.parent()?.to_owned();
        self.is_real(&parent).then_some(path)
    }

    fn is_real(&mut self, folder: &Path) -> bool {
        if folder == self.top {
            return true;
        }
        if let Some(known) = self.real.get(folder) {
            return *known;
        }
        let is_folder = folder.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        let real = is_folder && folder.parent().is_some_and(|parent| self.is_real(parent));
        self.real.insert(folder.to_owned(), real);
        real
    }
}

/// A path of Git's on this machine.
#[cfg(unix)]
pub(crate) fn os_path(path: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(path))
}

/// A path of Git's on this machine, where names are text.
#[cfg(not(unix))]
pub(crate) fn os_path(path: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(path).into_owned())
}
