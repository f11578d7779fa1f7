//! The front matter of `SKILL.md`: the one parser.

use std::collections::BTreeMap;

use crate::lint;
use crate::name::SkillName;
use crate::refusal::Refusal;

/// What the front matter says, as the agents read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// The skill's own name.
    pub name: Option<String>,
    /// When an agent should reach for it.
    pub description: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// What it needs of its surroundings, in words.
    pub compatibility: Option<String>,
    /// The tools that it may use without asking: a grant, not a restriction.
    pub allowed_tools: Option<Vec<String>>,
    /// Free keys.
    pub metadata: BTreeMap<String, String>,
    /// Keys that the specification does not name; agents ignore them.
    pub unknown: Vec<String>,
}

/// A `SKILL.md`, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillMd {
    /// What stands between the delimiters.
    pub front: FrontMatter,
    /// What stands after them.
    pub body: String,
    /// Where the reading had to be lenient.
    pub notes: Vec<lint::Finding>,
}

/// Reads a `SKILL.md`, lenient where agents are.
pub fn read(_bytes: &[u8]) -> Result<SkillMd, Refusal> {
    todo!("the parser")
}

/// Rewrites the `name` and nothing else, for `install --as`.
pub fn rename(_bytes: &[u8], _name: &SkillName) -> Result<Vec<u8>, Refusal> {
    todo!("the one rewrite")
}
