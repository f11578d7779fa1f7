//! The packages that a brief uses, exactly, with what a brief has to know of them.
//!
//! Whoever calls has resolved and verified these packages and read their manifests; here they are
//! sentences and lists to be shown, and a boundary to be met.

use super::param::Params;
use crate::tools::{self, Tool};
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Which one.
    pub package: Pinned,
    /// What its manifest says.
    pub tools: tools::Bundle,
}

impl Bundle {
    /// The tools that it exposes, each with its server's id.
    pub fn exposed(&self) -> impl Iterator<Item = (&str, &Tool)> {
        self.tools.servers.iter().flat_map(|server| server.tools.iter().map(|tool| (server.id.as_str(), tool)))
    }
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
