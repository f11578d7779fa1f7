//! The lockfile `skills.lock`.
#![allow(clippy::todo, missing_docs)]

use serde::{Deserialize, Serialize};
use skills::{FilePath, PackageName, Refusal, Sha256, SkillName, TreeDigest, Version};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    pub skills: Vec<LockedSkill>,
    pub written: Vec<Written>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedSkill {
    pub name: PackageName,
    pub version: Version,
    pub source: Source,
    pub tree: TreeDigest,
    pub folder: SkillName,
    pub dependencies: Vec<PackageName>,
    pub files: Vec<FilePath>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Registry { registry: String, archive: Sha256, statement: Sha256, keyring: u64 },
    Path { path: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub folder: SkillName,
    pub agent: String,
    pub path: String,
    pub link: LinkKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    Symlink,
    Copy,
}

impl Lock {
    pub fn parse(_text: &str) -> Result<Self, Refusal> {
        todo!()
    }
    pub fn format(&self) -> String {
        todo!()
    }
    pub fn skill(&self, name: &PackageName) -> Option<&LockedSkill> {
        self.skills.iter().find(|skill| skill.name == *name)
    }
    pub fn folder(&self, folder: &SkillName) -> Option<&LockedSkill> {
        self.skills.iter().find(|skill| skill.folder == *folder)
    }
}
