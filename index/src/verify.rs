//! Release verification: the only maker of [`Verified`], and so of what may reach a disk.
//!
//! A client knows three things by itself: what it asked for, its trust policy, and which day it is.
//! Everything else comes from strangers: the bundle, the keyring chain, the archive. [`judge`]
//! weighs all of it but the content, in the order of TRUST §8; [`verify_archive`] adds the content.
//! Nothing stops at the first failure: every check that can still mean something is made, and every
//! finding is reported. What cannot mean anything (signatures over a statement that does not parse)
//! is left out instead of guessed.
//!
//! ```text
//! deny list → statement binds what was asked → keyring chain from the pin → link that the
//! statement names → distinct owners, strict → revoked keys → demands of the policy → content
//! ```
//!
//! Without a log there is no "when". So a release is judged by the link that it names, and a key
//! that any link of the chain revokes counts for nothing, whatever it signed before: judging by log
//! index will be kinder, never stricter. Demands that need the log are refused, not skipped.

mod disk;
mod finding;
mod judge;
mod kind;

use skills::key::KeyId;
use skills::statement::{Dependency, Statement};
use skills::tree::Tree;
use skills::{PackageName, Refusal, Sha256, TreeDigest, Version, archive};

use crate::entry::Entry;
use crate::keyring::Chain;
use crate::lock::{LockedSkill, Source};
use crate::policy::{Date, Policy};

pub use disk::{DiskContent, OnDisk, compare_disk};
pub use finding::{Class, Finding, RULES, exit_code};
pub use kind::check_kind;

/// What the client wanted, by its own knowledge.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The registry it was looked for in, by the name that statements bind.
    pub registry: &'a str,
    /// The package.
    pub package: &'a PackageName,
    /// The version.
    pub version: &'a Version,
}

/// What strangers brought.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The release's bundle: JSON Lines.
    pub bundle: &'a [u8],
    /// The scope's keyring: JSON Lines.
    pub keyring: &'a [u8],
}

/// A key of the keyring whose signature over the release verified, and that may release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub id: KeyId,
    /// Who holds it, by the keyring's word.
    pub owner: String,
}

/// Everything but the content, weighed.
#[derive(Debug, Clone)]
pub struct Judged {
    skill: String,
    name: PackageName,
    statement: Option<Statement>,
    payload: Option<Sha256>,
    findings: Vec<Finding>,
    signers: Vec<Signer>,
    keyring_root: Option<Sha256>,
}

/// A release that verification admitted, or an unsigned one that an exception of the policy let in.
/// Its fields are private and nothing else makes one.
#[derive(Debug)]
pub struct Verified {
    name: PackageName,
    version: Version,
    statement: Option<Statement>,
    payload: Option<Sha256>,
    tree: Tree,
    findings: Vec<Finding>,
}

/// Weighs everything but the content. Where many releases of one scope are judged, parse the chain
/// once and use [`judge_with`].
pub fn judge(asked: &Asked<'_>, evidence: &Evidence<'_>, policy: &Policy, today: Date) -> Judged {
    let chain = Chain::parse(evidence.keyring, asked.package.scope());
    judge_with(asked, evidence.bundle, chain.as_ref(), policy, today)
}

/// [`judge`] with the scope's chain parsed before, or the refusal of parsing it.
///
/// The day is part of the question even though nothing about a signed release depends on it yet:
/// ages and expiries come with the log.
pub fn judge_with(
    asked: &Asked<'_>,
    bundle: &[u8],
    chain: Result<&Chain, &Refusal>,
    policy: &Policy,
    _today: Date,
) -> Judged {
    judge::judge(asked, bundle, chain, policy)
}

impl Judged {
    /// What the publisher signed; `None` where it cannot be read. Believe it only if nothing is
    /// refused.
    pub fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }

    /// Digest of the exact bytes that were signed.
    pub fn payload_digest(&self) -> Option<Sha256> {
        self.payload
    }

    /// Everything that was found, in the order of the checks.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whose signatures counted.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// Payload digest of the first link of the keyring that came with it: what a pin would be.
    pub fn keyring_root(&self) -> Option<Sha256> {
        self.keyring_root
    }

    /// Whether anything but notes was found.
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.class != Class::Note)
    }

    /// Adds what the lock says otherwise than the statement. The lock is a reminder of what was
    /// resolved; it grants nothing, and a tampered one has to show.
    #[must_use]
    pub fn against_lock(mut self, locked: &LockedSkill) -> Self {
        if let (Some(signed), Source::Registry { registry, archive, statement, keyring }) =
            (self.statement.clone(), &locked.source)
        {
            self.same("the lock's registry", &signed.registry, registry);
            self.same("the lock's archive digest", &signed.archive, archive);
            self.same("the lock's tree digest", &signed.tree, &locked.tree);
            self.same("the lock's keyring link", &signed.keyring.seq, keyring);
            if let Some(payload) = self.payload {
                self.same("the lock's statement digest", &payload, statement);
            }
        }
        self
    }

    /// Adds what the index line says otherwise than the statement (TRUST §2): a version chosen by
    /// other dependencies, or other bytes, than the publisher signed.
    #[must_use]
    pub fn against_entry(mut self, entry: &Entry) -> Self {
        if let Some(signed) = self.statement.clone() {
            self.same("the index's archive digest", &signed.archive, &entry.cksum);
            self.same("the index's tree digest", &signed.tree, &entry.tree);
            self.same("the index's dependencies", &listed(&signed.dependencies), &listed(&entry.deps));
            if let (Some(payload), Some(statement)) = (self.payload, entry.statement) {
                self.same("the index's statement digest", &payload, &statement);
            }
        }
        self
    }

    fn same<T: PartialEq + std::fmt::Display>(&mut self, what: &str, signed: &T, said: &T) {
        if signed != said {
            let (said, signed) = (said.to_string(), signed.to_string());
            let (said, signed) = (said.escape_debug(), signed.escape_debug());
            let message = format!("{what} is `{said}`, the publisher signed `{signed}`");
            self.findings.push(Finding::new("SKV001", Class::Failed, &self.skill, message));
        }
    }
}

fn listed(dependencies: &[Dependency]) -> String {
    let mut rows: Vec<String> = dependencies.iter().map(|needs| format!("{} {}", needs.name, needs.req)).collect();
    rows.sort_unstable();
    rows.join(", ")
}

/// Weighs the content of a judged release: the archive is the one that was signed, obeys the laws
/// of archives, and holds exactly the files, bytes and modes of the statement. All findings, those
/// of [`judge`] included, come back where any of them refuses.
pub fn verify_archive(judged: Judged, archive: &[u8]) -> Result<Verified, Vec<Finding>> {
    let Judged { skill, name, statement, payload, mut findings, .. } = judged;
    let Some(statement) = statement else { return Err(findings) };
    let tree = match unpack_signed(&skill, &statement, archive) {
        Ok(tree) => {
            findings.extend(compare_disk(&skill, &statement.resources, &as_disk(&tree)));
            Some(tree)
        }
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    let refused = findings.iter().any(|finding| finding.class != Class::Note);
    match tree.filter(|_| !refused) {
        Some(tree) => {
            let version = statement.version.clone();
            Ok(Verified { name, version, statement: Some(statement), payload, tree, findings })
        }
        None => Err(findings),
    }
}

/// The digest first: bytes that nobody signed are not even inflated.
fn unpack_signed(skill: &str, statement: &Statement, bytes: &[u8]) -> Result<Tree, Finding> {
    let (expected, found) = (statement.archive, Sha256::of(bytes));
    if expected != found {
        let message = format!("the archive is not the signed one: expected {expected}, found {found}");
        return Err(Finding::new("SKV001", Class::Failed, skill, message)
            .hint("the registry or a mirror sent other bytes: try again, then tell its operator"));
    }
    archive::unpack(bytes).map_err(|refusal| {
        let message = format!("the signed archive is refused: {} ({})", refusal.message, refusal.code);
        Finding::new("SKV001", Class::Failed, skill, message)
    })
}

fn as_disk(tree: &Tree) -> Vec<OnDisk> {
    let regular = |resource: skills::tree::Resource| OnDisk {
        path: resource.path.to_string(),
        content: DiskContent::Regular { digest: resource.digest, mode: resource.mode },
    };
    tree.resources().into_iter().map(regular).collect()
}

/// Admits something unsigned, through an `[[exception]]` for this very version and content.
pub fn verify_unsigned(
    name: &PackageName,
    version: &Version,
    tree: Tree,
    policy: &Policy,
    today: Date,
) -> Result<Verified, Vec<Finding>> {
    let findings = judge_unsigned(name, version, tree.digest(), policy, today);
    if findings.iter().any(|finding| finding.class != Class::Note) {
        return Err(findings);
    }
    let (name, version) = (name.clone(), version.clone());
    Ok(Verified { name, version, statement: None, payload: None, tree, findings })
}

/// What the policy says about something unsigned, by its tree digest.
pub fn judge_unsigned(
    name: &PackageName,
    version: &Version,
    tree: TreeDigest,
    policy: &Policy,
    today: Date,
) -> Vec<Finding> {
    let skill = format!("{name}@{version}");
    let mut findings = judge::denied(&skill, name, version, Some(tree), policy);
    findings.push(judge::exception(&skill, name, version, tree, policy, today));
    findings
}

impl Verified {
    /// The package.
    pub fn name(&self) -> &PackageName {
        &self.name
    }

    /// The version, build metadata as signed.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// What the publisher signed; `None` for something unsigned that an exception let in.
    pub fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }

    /// Digest of the signed bytes; `None` for something unsigned that an exception let in.
    pub fn payload_digest(&self) -> Option<Sha256> {
        self.payload
    }

    /// The files.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What was worth saying; notes only.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The files, to be placed.
    pub fn into_tree(self) -> Tree {
        self.tree
    }
}

#[cfg(test)]
mod tests;
