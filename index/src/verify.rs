//! Release verification: the only maker of `Verified`.
#![allow(clippy::todo, missing_docs, dead_code)]

use skills::key::KeyId;
use skills::statement::Statement;
use skills::tree::{Mode, Resource, Tree};
use skills::{PackageName, Refusal, Sha256, Version};

use crate::entry::Entry;
use crate::keyring::Chain;
use crate::lock::LockedSkill;
use crate::policy::{Date, Policy};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// exit 1
    Failed,
    /// exit 3
    Missing,
    /// exit 4
    Policy,
    /// exit 5
    Stale,
    /// exit 0
    Note,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub id: &'static str,
    pub class: Class,
    pub skill: String,
    pub path: Option<String>,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub registry: &'a str,
    pub package: &'a PackageName,
    pub version: &'a Version,
}

#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    pub bundle: &'a [u8],
    pub keyring: &'a [u8],
}

#[derive(Debug, Clone)]
pub struct Judged {
    statement: Option<Statement>,
    payload: Option<Sha256>,
    findings: Vec<Finding>,
    signers: Vec<Signer>,
    keyring_root: Option<Sha256>,
}

/// A key of the pinned keyring whose signature on the release verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    pub id: KeyId,
    pub owner: String,
}

impl Judged {
    pub fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }
    pub fn payload_digest(&self) -> Option<Sha256> {
        self.payload
    }
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }
    pub fn keyring_root(&self) -> Option<Sha256> {
        self.keyring_root
    }
    /// Any finding that is not a note.
    pub fn is_refused(&self) -> bool {
        todo!()
    }
    /// Adds SKV001 findings where the lock says something else than the statement.
    #[must_use]
    pub fn against_lock(self, _locked: &LockedSkill) -> Self {
        todo!()
    }
    /// Adds SKV001 findings where the index line says something else than the statement.
    #[must_use]
    pub fn against_entry(self, _entry: &Entry) -> Self {
        todo!()
    }
}

/// Judges everything but the content. Parses the chain; where many releases of one scope are
/// judged, parse it once and use `judge_with`.
pub fn judge(_asked: &Asked<'_>, _evidence: &Evidence<'_>, _policy: &Policy, _today: Date) -> Judged {
    todo!()
}

/// `judge`, with the scope's chain parsed before (or the refusal of parsing it).
pub fn judge_with(
    _asked: &Asked<'_>,
    _bundle: &[u8],
    _chain: Result<&Chain, &Refusal>,
    _policy: &Policy,
    _today: Date,
) -> Judged {
    todo!()
}

/// A release that verification (or an exception of the policy) admitted. Nothing else makes one.
#[derive(Debug)]
pub struct Verified {
    name: PackageName,
    version: Version,
    statement: Option<Statement>,
    payload: Option<Sha256>,
    tree: Tree,
    findings: Vec<Finding>,
}

impl Verified {
    pub fn name(&self) -> &PackageName {
        &self.name
    }
    pub fn version(&self) -> &Version {
        &self.version
    }
    /// `None` for an unsigned one that an exception let in.
    pub fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }
    /// `None` for an unsigned one that an exception let in.
    pub fn payload_digest(&self) -> Option<Sha256> {
        self.payload
    }
    pub fn tree(&self) -> &Tree {
        &self.tree
    }
    /// Notes only.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
    pub fn into_tree(self) -> Tree {
        self.tree
    }
}

pub fn verify_archive(_judged: Judged, _archive: &[u8]) -> Result<Verified, Vec<Finding>> {
    todo!()
}

pub fn verify_unsigned(
    _name: &PackageName,
    _version: &Version,
    _tree: Tree,
    _policy: &Policy,
    _today: Date,
) -> Result<Verified, Vec<Finding>> {
    todo!()
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDisk {
    /// Relative to the skill's folder, `/` between components.
    pub path: String,
    pub content: DiskContent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskContent {
    Regular {
        digest: Sha256,
        mode: Mode,
    },
    /// What it is instead: `symlink`, `socket`, …
    Other(&'static str),
}

pub fn compare_disk(_skill: &str, _resources: &[Resource], _disk: &[OnDisk]) -> Vec<Finding> {
    todo!()
}

/// The exit code of a report.
pub fn exit_code<'a>(_findings: impl IntoIterator<Item = &'a Finding>) -> u8 {
    todo!()
}

/// Every report id: id, name, what it means.
pub const RULES: &[(&str, &str, &str)] = &[];
