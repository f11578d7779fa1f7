//! What a brief is told about the packages that it uses, as plain data.
//!
//! Whoever calls has resolved and verified these packages and read their manifests; here they are
//! sentences and lists to be shown, and a boundary to be met.

use super::boundary::{Approval, DataClass};
use super::param::Params;
use crate::{PackageName, Sha256, Version};

/// A package, exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Its name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// The digest of its archive.
    pub digest: Sha256,
}

impl Pinned {
    /// `scope/name@1.2.3`.
    pub fn spec(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// A bundle of tools.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// Which one.
    pub package: Pinned,
    /// The environments that it is cleared for.
    pub environments: Vec<String>,
    /// The most secret data that it is cleared for.
    pub data_class: DataClass,
    /// The least that it asks of a human.
    pub approval: Approval,
    /// Every tool that it exposes.
    pub tools: Vec<Tool>,
    /// What it denies or asks about.
    pub rules: Vec<Rule>,
}

/// One exposed tool of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// The server's name in the bundle.
    pub server: String,
    /// The tool's name.
    pub name: String,
    /// What it does, as the bundle's author declares it.
    pub access: Access,
    /// Whether a human is asked each time.
    pub ask: bool,
}

/// What a tool does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only looks.
    Read,
    /// It changes something that can be changed back.
    Mutate,
    /// What it changes is gone.
    Destructive,
}

impl Access {
    /// The word in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Mutate => "mutate",
            Self::Destructive => "destructive",
        }
    }
}

/// One rule of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Denied, or asked about.
    pub effect: Effect,
    /// What it speaks of.
    pub about: About,
    /// Why, in one sentence.
    pub reason: Option<String>,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Never.
    Deny,
    /// Only after a human agreed.
    Ask,
}

/// What a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// The first words of a command.
    Command(Vec<String>),
    /// Globs of files that are read.
    Read(Vec<String>),
    /// Globs of files that are written.
    Edit(Vec<String>),
}

/// A check that proves something.
#[derive(Debug, Clone, PartialEq)]
pub struct Proof {
    /// Which one.
    pub package: Pinned,
    /// What it proves, in one sentence.
    pub description: String,
    /// What it has to be told (`with`).
    pub params: Params,
}
