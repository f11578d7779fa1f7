//! The manifest `skill.toml`, schema 1.

use serde::{Deserialize, Serialize};

use crate::name::PackageName;
use crate::path::FilePath;
use crate::refusal::Refusal;
use crate::statement::Dependency;
use crate::version::Version;

/// What kind of package it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A plain Agent Skills folder.
    Skill,
    /// A typed template for recurring work.
    Brief,
    /// A bundle of tools with a boundary.
    Tools,
    /// A program that proves that work is done.
    Check,
}

/// A manifest, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The package.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its kind.
    pub kind: Kind,
    /// What it is for; of a skill, `SKILL.md` says it.
    pub description: Option<String>,
    /// Its licence; of a skill, `SKILL.md` says it.
    pub license: Option<String>,
    /// Who answers for it.
    pub owners: Vec<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Where its source is kept.
    pub repository: Option<String>,
    /// Where people read about it.
    pub homepage: Option<String>,
    /// Globs of the only files to pack; empty means all.
    pub include: Vec<String>,
    /// Globs of files not to pack.
    pub exclude: Vec<String>,
    /// What it needs of the machine.
    pub requires: Requires,
    /// The packages that it needs, in the author's order.
    pub dependencies: Vec<Dependency>,
}

/// Preconditions, reported by `skill doctor`, never called a sandbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Requires {
    /// Programs, with an optional version: `psql >=14`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bins: Vec<String>,
    /// Names of environment variables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Operating systems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub os: Vec<String>,
    /// Agents, with an optional version: `codex >=0.150`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
}

impl Manifest {
    /// Parses `skill.toml`.
    pub fn parse(_bytes: &[u8]) -> Result<Self, Refusal> {
        todo!("the manifest")
    }

    /// Whether a file of the folder goes into the archive.
    pub fn packs(&self, _path: &FilePath) -> bool {
        todo!("include and exclude")
    }
}

/// Whether a file goes into the archive of a folder that has no manifest.
pub fn packs_by_default(_path: &FilePath) -> bool {
    todo!("the default excludes")
}
