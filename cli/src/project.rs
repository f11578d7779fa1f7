//! A repository that uses skills: its files, and the right to change them.
//!
//! ```text
//! skills.toml          what is wanted                wants.rs
//! skills.lock          what was resolved             index::lock
//! .skill/trust.toml    whom we trust                 trust.rs, index::policy
//! .skill/proofs/       signatures and keyrings       trust.rs
//! .skill/state/        lock, journal, verdict        place/   (ignored by git)
//! .agents/skills/      the installed skills          place/
//! ```
//!
//! Reading takes no lock and writes nothing. Whoever changes something first takes [`Held`]: one
//! process at a time, and whatever an interrupted one left half done is finished before.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use index::lock::Lock;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::wants::{WANTS_BYTES_MAX, Wants};
use crate::{home, place};

/// Largest `skills.lock` read, in bytes: 10,000 skills of 100 files fit.
const LOCK_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A repository, or with `--global` the user.
#[derive(Debug, Clone)]
pub struct Project {
    /// The folder of `skills.toml`, `skills.lock` and `.skill/`.
    pub root: PathBuf,
    /// What `.agents/skills` is below: the repository, or the user's folder.
    pub places: PathBuf,
    /// Whether this is the user's own project.
    pub global: bool,
}

/// Which of a project's two folders a path is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// [`Project::root`]
    Root,
    /// [`Project::places`]
    Places,
}

/// The right to change a project; given back when dropped.
#[derive(Debug)]
pub struct Held {
    /// The process lock; none where nothing will be written.
    _file: Option<File>,
    /// Where, in the user's own folder, the digest of the journal is kept while there is one. None on
    /// a machine without a home: there an interrupted run is thrown away, not finished.
    pub(crate) seal: Option<PathBuf>,
}

impl Project {
    /// The project around the current folder, or the user's own.
    pub fn find(context: &Context, global: bool) -> Result<Self, Failure> {
        if global {
            return Self::of_user(context);
        }
        let here = context.cwd()?;
        Self::around(&here).ok_or_else(|| {
            Failure::could_not("project-missing", format!("no skills.toml in `{}` or above it", here.display()))
                .hint("`skill init` starts one, `skill add SCOPE/NAME` too")
        })
    }

    /// The project around the current folder, or a new one: at the top of the Git work tree, else here.
    pub fn find_or_start(context: &Context, global: bool) -> Result<Self, Failure> {
        if global {
            return Self::of_user(context);
        }
        let here = context.cwd()?;
        let top = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here);
        Ok(Self::around(&here).unwrap_or_else(|| Self::at(top)))
    }

    /// The project in exactly this folder.
    pub fn at(folder: &Path) -> Self {
        Self { root: folder.to_owned(), places: folder.to_owned(), global: false }
    }

    fn around(here: &Path) -> Option<Self> {
        here.ancestors().find(|folder| folder.join("skills.toml").is_file()).map(Self::at)
    }

    fn of_user(context: &Context) -> Result<Self, Failure> {
        let places = home::user_folder().ok_or_else(|| {
            Failure::could_not("home-missing", "`--global` needs the user's folder, and HOME is not set")
        })?;
        Ok(Self { root: context.home()?.state.join("global"), places, global: true })
    }

    /// The path of `skills.toml`.
    pub fn wants_path(&self) -> PathBuf {
        self.root.join("skills.toml")
    }

    /// The path of `skills.lock`.
    pub fn lock_path(&self) -> PathBuf {
        self.root.join("skills.lock")
    }

    /// The path of local state.
    pub fn state_path(&self) -> PathBuf {
        self.root.join(".skill/state")
    }

    /// Where a spot is on this machine.
    pub fn path(&self, base: Base, path: &str) -> PathBuf {
        match base {
            Base::Root => self.root.join(path),
            Base::Places => self.places.join(path),
        }
    }

    /// The text of `skills.toml`; empty where there is none.
    pub fn wants_text(&self) -> Result<String, Failure> {
        read_text(&self.wants_path(), WANTS_BYTES_MAX)
    }

    /// What is wanted.
    pub fn wants(&self) -> Result<Wants, Failure> {
        parse_wants(&self.wants_text()?)
    }

    /// The text of `skills.lock`; empty where there is none.
    pub fn lock_text(&self) -> Result<String, Failure> {
        read_text(&self.lock_path(), LOCK_BYTES_MAX)
    }

    /// What was resolved; nothing where there is no lock yet.
    pub fn lock(&self) -> Result<Lock, Failure> {
        parse_lock(&self.lock_text()?)
    }

    /// Waits for the right to change this project, and finishes what was interrupted. With
    /// `dry_run` nothing will be written, so nothing is locked and nothing is finished.
    pub fn hold(&self, context: &Context, dry_run: bool) -> Result<Held, Failure> {
        self.refuse_links()?;
        let seal = self.seal(context);
        if dry_run {
            return match place::interrupted(self) {
                true => Err(Failure::could_not("interrupted", "an earlier run was interrupted half way")
                    .hint("`skill install` finishes it")),
                false => Ok(Held { _file: None, seal }),
            };
        }
        let state = self.start_state()?;
        let path = state.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path).on("open", &path)?;
        if file.try_lock().is_err() {
            context.ui.note("waiting for another skill process in this folder");
            file.lock().on("lock", &path)?;
        }
        if place::recover(self, seal.as_deref())? {
            context.ui.note("finished what an interrupted run had begun");
        }
        Ok(Held { _file: Some(file), seal })
    }

    /// Makes the folder of local state, and sees to it that Git ignores it.
    pub fn start_state(&self) -> Result<PathBuf, Failure> {
        self.refuse_links()?;
        let state = self.state_path();
        fs::create_dir_all(&state).on("create", &state)?;
        let ignore = self.root.join(".skill/.gitignore");
        // Only where nothing is, a link included: a stranger's branch may have put one there.
        match File::options().write(true).create_new(true).open(&ignore) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            opened => opened.and_then(|mut file| file.write_all(b"state/\n")).on("write", &ignore)?,
        }
        Ok(state)
    }

    /// One file a project, outside it: what a branch brings along cannot forge it.
    fn seal(&self, context: &Context) -> Option<PathBuf> {
        let root = self.root.canonicalize().unwrap_or_else(|_| self.root.clone());
        let name = skills::Sha256::of(root.as_os_str().as_encoded_bytes()).hex();
        Some(context.home().ok()?.state.join("journals").join(name))
    }
}

impl Project {
    /// What is staged there is moved into place later, and the lock file is opened for writing:
    /// they have to be of this project.
    fn refuse_links(&self) -> Result<(), Failure> {
        let ours = [
            self.root.join(".skill"),
            self.state_path(),
            self.state_path().join("lock"),
            self.state_path().join("txn"),
        ];
        match ours.into_iter().find(|path| path.is_symlink()) {
            Some(path) => Err(Failure::could_not(
                "leaves-project",
                format!("`{}` is a link, and must not be one", path.display()),
            )
            .hint("remove it")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
impl Held {
    /// For tests of transactions: nobody else is there, and the seal lies here.
    pub(crate) fn sealed(seal: PathBuf) -> Self {
        Self { _file: None, seal: Some(seal) }
    }
}

/// Parses `skills.toml`, naming the file in what it refuses.
pub fn parse_wants(text: &str) -> Result<Wants, Failure> {
    Wants::parse(text).map_err(|refusal| Failure::of(Exit::Usage, refusal).at("skills.toml"))
}

/// Parses `skills.lock`, naming the file in what it refuses. Empty text is an empty lock.
pub fn parse_lock(text: &str) -> Result<Lock, Failure> {
    if text.is_empty() {
        return Ok(Lock::default());
    }
    Lock::parse(text).map_err(|refusal| {
        let named = refusal.message.starts_with("skills.lock");
        let failure = Failure::of(Exit::Usage, refusal);
        if named { failure } else { failure.at("skills.lock") }
    })
}

/// Reads a text file of the project, of bounded size; one that is not there is empty. A link is
/// refused: a branch could bring one to a file whose lines an error message would show.
pub fn read_text(path: &Path, bytes_max: usize) -> Result<String, Failure> {
    let bytes = match read_regular(path, bytes_max).on("read", path)? {
        Regular::Absent => return Ok(String::new()),
        Regular::Bytes(bytes) => bytes,
        Regular::NotAFile => {
            return Err(Failure::usage("not-a-file", format!("`{}` is not a regular file", path.display()))
                .hint("a link or a device is never read in its place"));
        }
        Regular::TooLarge => {
            return Err(Failure::usage(
                "file-too-large",
                format!("`{}` has more than {bytes_max} bytes", path.display()),
            ));
        }
    };
    String::from_utf8(bytes).map_err(|_| Failure::usage("file-not-utf8", format!("`{}` is not UTF-8", path.display())))
}

/// What reading a file of the project found.
pub enum Regular {
    /// Nothing is there.
    Absent,
    /// The bytes of a regular file.
    Bytes(Vec<u8>),
    /// A link, a folder, a device.
    NotAFile,
    /// More bytes than allowed.
    TooLarge,
}

/// Reads at most `bytes_max` bytes of a regular file; never waits for a pipe or follows a link.
pub fn read_regular(path: &Path, bytes_max: usize) -> std::io::Result<Regular> {
    match path.symlink_metadata() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(Regular::Absent);
        }
        Err(error) => return Err(error),
        Ok(metadata) if !metadata.is_file() => return Ok(Regular::NotAFile),
        Ok(metadata) if metadata.len() > bytes_max as u64 => return Ok(Regular::TooLarge),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > bytes_max { Regular::TooLarge } else { Regular::Bytes(bytes) })
}

/// A TOML error in one line: its sentence and where, without quoting the line it is about.
pub fn toml_sentence(text: &str, message: &str, span: Option<std::ops::Range<usize>>) -> String {
    let line = span.map(|span| text.get(..span.start).unwrap_or_default().matches('\n').count() + 1);
    match line {
        Some(line) => format!("line {line}: {}", message.trim_end()),
        None => message.trim_end().to_owned(),
    }
}
