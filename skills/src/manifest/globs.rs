//! Which files of a folder go into the archive.

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use crate::path::FilePath;

/// What no package wants: other tools' state, and what editors and systems leave behind.
const FOLDERS: [&str; 7] = [".git", ".hg", ".svn", ".jj", "__pycache__", "node_modules", ".venv"];
const FILES: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];
const BACKUP_ENDINGS: [&str; 4] = ["~", ".swp", ".swo", ".pyc"];

/// Whether a file goes into the archive of a folder that has no manifest. `.skill/` at the top is
/// ours: what we keep there never was part of a package.
pub(super) fn by_default(path: &FilePath) -> bool {
    let mut parts: Vec<&str> = path.as_str().split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let in_folder = parts.first() == Some(&".skill") || parts.iter().any(|part| FOLDERS.contains(part));
    let is_left_over = FILES.contains(&name)
        || BACKUP_ENDINGS.iter().any(|ending| name.ends_with(ending))
        || name.starts_with("._")
        || name.starts_with(".#");
    !in_folder && !is_left_over
}

/// The globs of `include` and `exclude`, compiled.
#[derive(Debug, Clone, Default)]
pub(super) struct Globs {
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Globs {
    /// Compiles both lists; the error is the glob's own.
    pub(super) fn new(include: &[String], exclude: &[String]) -> Result<Self, globset::Error> {
        let included = compile(include)?;
        Ok(Self { include: (!include.is_empty()).then_some(included), exclude: compile(exclude)? })
    }

    /// Whether a file goes into the archive, as far as the globs say.
    pub(super) fn packs(&self, path: &FilePath) -> bool {
        // Without these two there is no package, whatever the globs say.
        matches!(path.as_str(), "SKILL.md" | "skill.toml")
            || (self.include.as_ref().is_none_or(|globs| globs.is_match(path.as_str()))
                && !self.exclude.is_match(path.as_str()))
    }
}

/// Two lists of the same patterns compile to the same globs, so the patterns are compared instead.
impl PartialEq for Globs {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Globs {}

/// A pattern names a file, or a folder with all below it; `*` stays within a folder.
fn compile(patterns: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let bare = pattern.strip_prefix("./").unwrap_or(pattern).trim_matches('/');
        set.add(glob(bare)?);
        set.add(glob(&format!("{bare}/**"))?);
    }
    set.build()
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}
