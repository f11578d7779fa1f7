//! The trust policy `.skill/trust.toml`: whom a repository believes (TRUST §8).
//!
//! The one file that grants trust, and so the one whose every word must count: unknown keys are
//! errors, two rows about one namespace are an error, and what a policy demands but this version
//! cannot show (log, witnesses, provenance, age) is never ignored: `verify` then refuses, and says
//! which demand it could not meet. [`Policy::unprovable`] is the list of those demands.
//!
//! ```text
//! [[namespace]]   whose signatures are believed for which names    most specific match wins
//! [deny]          what is refused whoever signed it
//! [[exception]]   the only way in for anything unsigned            by tree digest, with a last day
//! [[signer]]      who may sign evidence and approvals              `skills::evidence` judges by it
//! ```
//!
//! Editing the file with its comments kept is the CLI's work; here it is only read.

mod date;
mod file;

use std::collections::BTreeMap;

use skills::key::KeyId;
use skills::{PackageName, Refusal, Requirement, Scope, Sha256, TreeDigest, Version};

pub use date::Date;
/// Who may sign evidence and approvals (FORMATS §5): the policy registers them, `skills` judges by them.
pub use skills::evidence::{Role as SignerRole, Signer, Trust as SignerTrust};

/// Largest policy, in bytes: a thousand namespaces fit.
pub const POLICY_BYTES_MAX: usize = 1024 * 1024;

/// A policy, every word of it understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    digest: Sha256,
    default: Otherwise,
    registries: BTreeMap<String, RegistryTrust>,
    namespaces: Vec<Namespace>,
    deny: Deny,
    signers: Vec<Signer>,
    exceptions: Vec<Exception>,
}

/// What happens to a name that no namespace matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// It is refused.
    Deny,
    /// It is judged by the keyring that came with it, and noted.
    Warn,
}

/// What is demanded of one registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryTrust {
    /// The verifier key of its log, in note syntax.
    pub log: Option<String>,
    /// Digest of the first link of the registry's own keyring.
    pub root: Option<Sha256>,
    /// File with the witness quorum.
    pub witness_policy: Option<String>,
    /// How old its newest snapshot may be, in seconds: online, offline.
    pub max_age_seconds: Option<(Option<u64>, Option<u64>)>,
}

/// Whose signatures are believed for which names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Which names.
    pub matches: Pattern,
    /// The only registry they may come from: no dependency confusion.
    pub registry: String,
    /// The pin: payload digest of the first link of the scope's keyring.
    pub keyring: Sha256,
    /// The oldest link that a release may name.
    pub min_seq: u64,
    /// Whether later links are followed.
    pub rotation: Rotation,
    /// How many distinct owners have to sign, beside the keyring's own threshold.
    pub min_signatures: u32,
    /// Further demands.
    pub require: Vec<Demand>,
    /// Whether signatures and provenance may get weaker within a major line.
    pub no_downgrade: bool,
    /// How long a release has to be public first, in seconds.
    pub min_release_age_seconds: Option<u64>,
    /// Where a release has to come from.
    pub provenance: Option<Provenance>,
}

/// Which names a namespace row is about; the later variant is the more specific.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// `*`
    All,
    /// `scope/*`
    Scope(Scope),
    /// `scope/name`
    Package(PackageName),
}

/// Whether a keyring may move on after the pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// Every link that follows from the pin is believed.
    Follow,
    /// Only the pinned link is.
    Pin,
}

/// What a namespace may require beside signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// An inclusion proof.
    Logged,
    /// A quorum of witnesses.
    Witnessed,
    /// A build provenance.
    Provenance,
}

/// Where a release has to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Who issues the identity.
    pub issuer: String,
    /// The repository, by number.
    pub repository_id: String,
    /// The workflow file.
    pub workflow: Option<String>,
    /// The Git reference, `{version}` being filled in.
    pub reference: Option<String>,
}

/// What is refused whoever signed it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deny {
    /// Keys, by id.
    pub keys: Vec<KeyId>,
    /// Contents.
    pub trees: Vec<TreeDigest>,
    /// Packages, with the versions meant; `None` means every version.
    pub skills: Vec<(PackageName, Option<Requirement>)>,
}

/// The only way in for anything unsigned: one version, one content, a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Its content.
    pub tree: TreeDigest,
    /// Why it is let in.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Option<Date>,
}

impl Policy {
    /// Reads a policy: every word of it is understood, or it is refused.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        file::parse(text)
    }

    /// The policy of a repository without one: nothing is pinned, and what is not pinned is refused.
    pub fn empty() -> Self {
        Self {
            digest: Sha256::of(b""),
            default: Otherwise::Deny,
            registries: BTreeMap::new(),
            namespaces: Vec::new(),
            deny: Deny::default(),
            signers: Vec::new(),
            exceptions: Vec::new(),
        }
    }

    /// Digest of the text, printed in every report.
    pub fn digest(&self) -> Sha256 {
        self.digest
    }

    /// What happens to a name that no namespace matches.
    pub fn default(&self) -> Otherwise {
        self.default
    }

    /// The row about a name: the most specific one that matches.
    pub fn namespace(&self, name: &PackageName) -> Option<&Namespace> {
        self.namespaces.iter().filter(|row| row.matches.matches(name)).max_by(|a, b| a.matches.cmp(&b.matches))
    }

    /// Every row, as in the file.
    pub fn namespaces(&self) -> &[Namespace] {
        &self.namespaces
    }

    /// What is demanded of a registry.
    pub fn registry(&self, name: &str) -> Option<&RegistryTrust> {
        self.registries.get(name)
    }

    /// What is refused whoever signed it.
    pub fn deny(&self) -> &Deny {
        &self.deny
    }

    /// Who may sign evidence and approvals.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// The ways in for anything unsigned.
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// What the policy demands of this name, from this registry, that cannot be shown before there
    /// is a log: the report id of each demand, and the words that make it.
    pub fn unprovable(&self, name: &PackageName, registry: &str) -> Vec<(&'static str, &'static str)> {
        let mut demands = Vec::new();
        if let Some(row) = self.namespace(name) {
            let required = |demand| row.require.contains(&demand);
            demands.extend(required(Demand::Logged).then_some(("SKV020", "require = [\"logged\"]")));
            demands.extend(required(Demand::Witnessed).then_some(("SKV022", "require = [\"witnessed\"]")));
            demands.extend(required(Demand::Provenance).then_some(("SKV040", "require = [\"provenance\"]")));
            demands.extend(row.provenance.as_ref().map(|_| ("SKV040", "[namespace.provenance]")));
            demands.extend(row.no_downgrade.then_some(("SKV041", "no-downgrade = true")));
            demands.extend(row.min_release_age_seconds.map(|_| ("SKV042", "min-release-age")));
        }
        if let Some(registry) = self.registry(registry) {
            demands.extend(registry.witness_policy.as_ref().map(|_| ("SKV022", "witness-policy")));
            demands.extend(registry.max_age_seconds.map(|_| ("SKV030", "max-age")));
        }
        demands
    }
}

impl Deny {
    /// Whether a release is denied by name.
    pub fn denies_skill(&self, name: &PackageName, version: &Version) -> bool {
        self.skills.iter().any(|(denied, versions)| {
            denied == name && versions.as_ref().is_none_or(|versions| covers(versions, version))
        })
    }
}

/// Whether a denied range covers a version. A deny list errs on the side of denying: Cargo's rule
/// keeps pre-releases out of a range that does not name one, and `<1.2` must not let `1.1.9-rc.1` in.
fn covers(versions: &Requirement, version: &Version) -> bool {
    if versions.matches(version) {
        return true;
    }
    let mut release = version.semver().clone();
    release.pre = semver::Prerelease::EMPTY;
    version.is_prerelease() && versions.semver().matches(&release)
}

impl Pattern {
    /// Parses `scope/name`, `scope/*` or `*`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.strip_suffix("/*") {
            _ if text == "*" => Ok(Self::All),
            Some(scope) => Scope::parse(scope).map(Self::Scope),
            None => PackageName::parse(text).map(Self::Package),
        }
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &PackageName) -> bool {
        match self {
            Self::All => true,
            Self::Scope(scope) => scope == name.scope(),
            Self::Package(package) => package == name,
        }
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Scope(scope) => write!(f, "{scope}/*"),
            Self::Package(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
