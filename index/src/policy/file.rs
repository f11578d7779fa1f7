//! The policy's TOML, row by row; every table refuses keys that it does not know.

use std::collections::{BTreeMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use skills::key::{KeyId, PublicKey};
use skills::{PackageName, Refusal, Requirement, Sha256, TreeDigest, Version};

use super::{
    Date, Demand, Deny, Exception, Namespace, Otherwise, POLICY_BYTES_MAX, Pattern, Policy, Provenance, RegistryTrust,
    Rotation, Signer, SignerRole, SignerTrust,
};

/// The version of the format that this program reads.
const POLICY_VERSION: u64 = 1;

/// Reads a policy.
pub(super) fn parse(text: &str) -> Result<Policy, Refusal> {
    if text.len() > POLICY_BYTES_MAX {
        return Err(malformed(&format!("it has {} bytes, at most {POLICY_BYTES_MAX} are read", text.len())));
    }
    let file: PolicyFile = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
    if file.version != POLICY_VERSION {
        return Err(other_version(file.version));
    }
    let registry = |(name, row): (String, RegistryRow)| Ok((name, row.decode()?));
    let policy = Policy {
        digest: Sha256::of(text),
        default: file.default.unwrap_or(DefaultRow::Deny).decode(),
        registries: file.registry.into_iter().map(registry).collect::<Result<_, Refusal>>()?,
        namespaces: file.namespace.into_iter().map(NamespaceRow::decode).collect::<Result<_, _>>()?,
        deny: file.deny.decode()?,
        signers: file.signer.into_iter().map(SignerRow::decode).collect::<Result<_, _>>()?,
        exceptions: file.exception.into_iter().map(ExceptionRow::decode).collect::<Result<_, _>>()?,
    };
    refuse_ambiguity(&policy)?;
    Ok(policy)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    version: u64,
    default: Option<DefaultRow>,
    #[serde(default)]
    registry: BTreeMap<String, RegistryRow>,
    #[serde(default)]
    namespace: Vec<NamespaceRow>,
    #[serde(default)]
    deny: DenyRow,
    #[serde(default)]
    signer: Vec<SignerRow>,
    #[serde(default)]
    exception: Vec<ExceptionRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum DefaultRow {
    Deny,
    Warn,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RegistryRow {
    log: Option<String>,
    root: Option<Sha256>,
    witness_policy: Option<String>,
    max_age: Option<MaxAgeRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MaxAgeRow {
    online: Option<String>,
    offline: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NamespaceRow {
    #[serde(rename = "match")]
    matches: String,
    registry: String,
    keyring: Sha256,
    min_seq: Option<u64>,
    rotation: Option<RotationRow>,
    min_signatures: Option<u32>,
    #[serde(default)]
    require: Vec<DemandRow>,
    #[serde(default)]
    no_downgrade: bool,
    min_release_age: Option<String>,
    provenance: Option<ProvenanceRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RotationRow {
    Follow,
    Pin,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum DemandRow {
    Logged,
    Witnessed,
    Provenance,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProvenanceRow {
    issuer: String,
    repository_id: String,
    workflow: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DenyRow {
    keys: Vec<KeyId>,
    trees: Vec<TreeDigest>,
    skills: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignerRow {
    name: String,
    key: String,
    trust: SignerTrust,
    roles: Vec<SignerRole>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionRow {
    skill: String,
    tree: TreeDigest,
    allow: Vec<AllowRow>,
    reason: String,
    expires: Option<toml::value::Datetime>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum AllowRow {
    Unsigned,
}

impl DefaultRow {
    fn decode(self) -> Otherwise {
        match self {
            Self::Deny => Otherwise::Deny,
            Self::Warn => Otherwise::Warn,
        }
    }
}

impl RegistryRow {
    fn decode(self) -> Result<RegistryTrust, Refusal> {
        let seconds = |text: Option<String>| text.as_deref().map(parse_duration).transpose();
        let max_age = self.max_age.map(|row| Ok::<_, Refusal>((seconds(row.online)?, seconds(row.offline)?)));
        Ok(RegistryTrust {
            log: self.log,
            root: self.root,
            witness_policy: self.witness_policy,
            max_age_seconds: max_age.transpose()?,
        })
    }
}

impl NamespaceRow {
    fn decode(self) -> Result<Namespace, Refusal> {
        let at = |refusal: Refusal| malformed(&format!("namespace `{}`: {}", self.matches.escape_debug(), refusal));
        let matches = Pattern::parse(&self.matches).map_err(at)?;
        if self.min_signatures == Some(0) || self.min_seq == Some(0) {
            return Err(malformed(&format!("namespace `{matches}`: min-signatures and min-seq are at least 1")));
        }
        Ok(Namespace {
            registry: self.registry,
            keyring: self.keyring,
            min_seq: self.min_seq.unwrap_or(1),
            rotation: match self.rotation {
                Some(RotationRow::Pin) => Rotation::Pin,
                Some(RotationRow::Follow) | None => Rotation::Follow,
            },
            min_signatures: self.min_signatures.unwrap_or(1),
            require: self.require.into_iter().map(DemandRow::decode).collect(),
            no_downgrade: self.no_downgrade,
            min_release_age_seconds: self.min_release_age.as_deref().map(parse_duration).transpose().map_err(at)?,
            provenance: self.provenance.map(ProvenanceRow::decode),
            matches,
        })
    }
}

impl DemandRow {
    fn decode(self) -> Demand {
        match self {
            Self::Logged => Demand::Logged,
            Self::Witnessed => Demand::Witnessed,
            Self::Provenance => Demand::Provenance,
        }
    }
}

impl ProvenanceRow {
    fn decode(self) -> Provenance {
        let Self { issuer, repository_id, workflow, reference } = self;
        Provenance { issuer, repository_id, workflow, reference }
    }
}

impl DenyRow {
    fn decode(self) -> Result<Deny, Refusal> {
        let skill = |text: &String| {
            let at = |refusal: Refusal| malformed(&format!("deny.skills: {refusal}"));
            Ok(match split_version(text) {
                (name, None) => (PackageName::parse(name).map_err(at)?, None),
                (name, Some(versions)) => {
                    (PackageName::parse(name).map_err(at)?, Some(Requirement::parse(versions).map_err(at)?))
                }
            })
        };
        let skills = self.skills.iter().map(skill).collect::<Result<_, Refusal>>()?;
        // A key id is a digest: a misspelt one would deny nothing, for ever, in silence.
        let is_digest = |id: &&KeyId| STANDARD.decode(id.as_str()).is_ok_and(|bytes| bytes.len() == 32);
        if let Some(id) = self.keys.iter().find(|id| !is_digest(id)) {
            return Err(malformed(&format!("deny.keys: `{}` is not a key id", id.as_str().escape_debug())));
        }
        Ok(Deny { keys: self.keys, trees: self.trees, skills })
    }
}

impl SignerRow {
    fn decode(self) -> Result<Signer, Refusal> {
        let key = parse_key(&self.key)
            .map_err(|refusal| malformed(&format!("signer `{}`: {refusal}", self.name.escape_debug())))?;
        Ok(Signer { name: self.name, key, trust: self.trust, roles: self.roles })
    }
}

impl ExceptionRow {
    fn decode(self) -> Result<Exception, Refusal> {
        let at = |refusal: Refusal| malformed(&format!("exception `{}`: {refusal}", self.skill.escape_debug()));
        let (name, version) = match split_version(&self.skill) {
            (name, Some(version)) => (PackageName::parse(name).map_err(at)?, Version::parse(version).map_err(at)?),
            (_, None) => return Err(at(Refusal::new("", "expected `scope/name@version`"))),
        };
        if self.allow.is_empty() || self.reason.trim().is_empty() {
            return Err(at(Refusal::new("", "an exception says what it allows, and for what reason")));
        }
        let expires = self.expires.map(|datetime| to_date(&datetime)).transpose().map_err(at)?;
        Ok(Exception { name, version, tree: self.tree, reason: self.reason, expires })
    }
}

/// `name@rest`, a leading `@` being part of the name.
fn split_version(text: &str) -> (&str, Option<&str>) {
    match text.rfind('@') {
        None | Some(0) => (text, None),
        Some(at) => (&text[..at], Some(&text[at + 1..])),
    }
}

/// `expires` is a TOML date and nothing more: with a time in it, whose time zone would count?
fn to_date(datetime: &toml::value::Datetime) -> Result<Date, Refusal> {
    match (datetime.date, datetime.time) {
        (Some(date), None) => Date::new(date.year, date.month, date.day),
        _ => Err(Refusal::new("date-malformed", "expires is a date without a time, for example 2027-01-31")),
    }
}

/// `ed25519:` and base64 of the 32 key bytes, or of their SubjectPublicKeyInfo as keyrings have it.
fn parse_key(text: &str) -> Result<PublicKey, Refusal> {
    let b64 = text
        .strip_prefix("ed25519:")
        .ok_or_else(|| Refusal::new("key-malformed", "expected `ed25519:` and the key in base64"))?;
    match STANDARD.decode(b64) {
        Ok(bytes) if bytes.len() == 32 => PublicKey::from_bytes(&bytes),
        _ => PublicKey::parse(b64),
    }
}

/// A whole number and one unit: `72h`, `30d`. In seconds.
fn parse_duration(text: &str) -> Result<u64, Refusal> {
    let refuse = || Refusal::new("duration-malformed", format!("`{}` is not a duration", text.escape_debug()));
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        Some('w') => 604_800,
        _ => return Err(refuse().hint("a number and one of s, m, h, d, w, for example `72h`")),
    };
    let digits = &text[..text.len() - 1];
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok()).flatten();
    number.and_then(|number| number.checked_mul(unit)).ok_or_else(refuse)
}

/// Two rows that are equally specific would leave it to their order who is believed.
fn refuse_ambiguity(policy: &Policy) -> Result<(), Refusal> {
    let mut patterns = HashSet::new();
    if let Some(twice) = policy.namespaces.iter().find(|row| !patterns.insert(row.matches.to_string())) {
        return Err(malformed(&format!("two namespaces match `{}`", twice.matches)));
    }
    let mut exceptions = HashSet::new();
    if let Some(twice) = policy.exceptions.iter().find(|row| !exceptions.insert((&row.name, &row.version, row.tree))) {
        return Err(malformed(&format!("two exceptions are for `{}@{}`", twice.name, twice.version)));
    }
    Ok(())
}

/// A policy of a newer program is told apart from a misspelt one.
fn unreadable(text: &str, error: &toml::de::Error) -> Refusal {
    #[derive(Deserialize)]
    struct Probe {
        version: u64,
    }
    if let Ok(Probe { version }) = toml::from_str(text)
        && version != POLICY_VERSION
    {
        return other_version(version);
    }
    let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
    malformed(&format!("line {line}: {}", error.message()))
}

fn other_version(seen: u64) -> Refusal {
    Refusal::new("policy-version", format!("the trust policy has version {seen}, this program knows {POLICY_VERSION}"))
        .hint("upgrade `skill`, or write `version = 1`")
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("policy-malformed", format!("the trust policy cannot be used: {why}"))
}
