//! What is wrong with a package, each with a stable code, and what a machine can mend.

use crate::path::FilePath;
use crate::refusal::Refusal;
use crate::tree::Tree;

/// The file that makes a folder a skill.
pub const SKILL_MD: &str = "SKILL.md";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It cannot be published like this.
    Error,
    /// It can, and somebody will be surprised.
    Warning,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable: `S001`.
    pub code: &'static str,
    /// How bad it is.
    pub level: Level,
    /// In which file, by its path in the package.
    pub file: String,
    /// On which line, from 1.
    pub line: Option<usize>,
    /// What was seen and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether [`fix`] mends it.
    pub fixable: bool,
}

/// Looks at everything; `folder` is the directory's own name when the tree was read from disk.
pub fn lint(_tree: &Tree, _folder: Option<&str>) -> Vec<Finding> {
    todo!("the findings")
}

/// The new contents of the files that a machine can mend.
pub fn fix(_tree: &Tree, _folder: Option<&str>) -> Result<Vec<(FilePath, Vec<u8>)>, Refusal> {
    todo!("the mending")
}
