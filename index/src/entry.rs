//! The index entry: one JSON line a version (FORMATS §2), all that choosing a version needs.
//!
//! An index file is append-only but for `yanked`, `yank_reason` and `deprecated`. It is nobody's
//! signed word: a client uses it to choose, and believes only the signed statement, which must agree
//! (TRUST §2). `caps` is computed by the registry from the archive, never declared.
//!
//! Older and newer: unknown fields are ignored, a line with `v` above 1 or of a kind that we do not
//! know is skipped (that version is not for this client), and fields that came later are optional.

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use skills::brief::lint::environments;
use skills::check::Fixtures;
use skills::key::KeyId;
use skills::manifest::{Kind, Kinded, Requires};
use skills::package::{Capabilities, Package};
use skills::statement::{Dependency, Statement};
use skills::{PackageName, Refusal, Sha256, TreeDigest, Version, json};

/// Largest index file, in bytes: ten thousand versions at 800 bytes each.
pub const INDEX_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most versions of one package: one an hour for a year.
pub const VERSIONS_MAX: usize = 10_000;

/// The newest shape of a line that this reader knows.
const LINE_VERSION: u64 = 1;

/// What the registry says about one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of this shape.
    pub v: u32,
    /// The package.
    pub name: PackageName,
    /// The version, build metadata included.
    pub vers: Version,
    /// The kind of package.
    pub kind: Kind,
    /// Digest of the archive.
    pub cksum: Sha256,
    /// Digest of the content.
    pub tree: TreeDigest,
    /// Length of the archive in bytes.
    pub size: u64,
    /// Number of files.
    pub files: u32,
    /// The description, in the publisher's words.
    #[serde(default)]
    pub desc: String,
    /// The licence.
    #[serde(default)]
    pub license: Option<String>,
    /// Keywords.
    #[serde(default)]
    pub kw: Vec<String>,
    /// What it needs; equal to the statement's, or the release is refused.
    #[serde(default)]
    pub deps: Vec<Dependency>,
    /// What it needs of the machine.
    #[serde(default, deserialize_with = "requires")]
    pub requires: Requires,
    /// What it can do.
    #[serde(default)]
    pub caps: Capabilities,
    /// The operating boundary of briefs and tool bundles; absent for skills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Boundary>,
    /// How many checks a brief asks for.
    #[serde(default)]
    pub checks: u32,
    /// How many fixtures a check has.
    #[serde(default)]
    pub fixtures: u32,
    /// Where its evals are.
    #[serde(default)]
    pub evals: Option<String>,
    /// When the registry kept it (RFC 3339, UTC): its word, not the publisher's.
    #[serde(rename = "pub")]
    pub published: String,
    /// Who submitted it: `user:alice`. Submitting is not signing.
    #[serde(default)]
    pub by: String,
    /// The ids of the keys whose signatures the registry verified.
    #[serde(default)]
    pub sigs: Vec<KeyId>,
    /// Digest of the statement's payload; absent from registries that do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Sha256>,
    /// The keyring link that the statement names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyring: Option<u64>,
    /// Whether it is withdrawn: never newly chosen, still installable where locked.
    #[serde(default)]
    pub yanked: bool,
    /// Why it was yanked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yank_reason: Option<String>,
    /// What to use instead, where the publisher says so.
    #[serde(default)]
    pub deprecated: Option<String>,
}

/// The operating boundary as data (FORMATS §4). What a parameter decides when a brief is rendered is left
/// out, but for the environments, which are all that it can be rendered for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Boundary {
    /// Environments it is cleared for.
    pub env: Vec<String>,
    /// The highest class of data it is cleared for.
    pub data: String,
    /// How much of its work a human approves.
    pub approval: String,
}

impl Boundary {
    /// The boundary that a package's own tables say; skills and checks have none.
    fn of(kinded: &Kinded) -> Option<Self> {
        match kinded {
            Kinded::Skill | Kinded::Check(_) => None,
            Kinded::Brief(tables) => {
                let fixed = |text: &Option<String>| text.clone().filter(|text| !text.contains('{')).unwrap_or_default();
                let (data, approval) = (fixed(&tables.boundary.data_class), fixed(&tables.boundary.approval));
                Some(Self { env: environments(tables), data, approval })
            }
            Kinded::Tools(bundle) => Some(Self {
                env: bundle.boundary.environment.clone(),
                data: bundle.boundary.data_class.as_str().to_owned(),
                approval: bundle.boundary.approval.as_str().to_owned(),
            }),
        }
    }
}

/// How many things of a kind a package has; the limits of the formats keep it small.
fn count(things: usize) -> u32 {
    u32::try_from(things).expect("a package has a few thousand of anything at most")
}

impl Entry {
    /// The line of a release that the registry has just admitted.
    pub fn of(
        package: &Package,
        statement: &Statement,
        archive_len: u64,
        payload: Sha256,
        signers: &[KeyId],
        published: &str,
        by: &str,
    ) -> Self {
        Self {
            v: 1,
            name: package.name.clone(),
            vers: package.version.clone(),
            kind: package.kind,
            cksum: statement.archive,
            tree: statement.tree,
            size: archive_len,
            files: count(package.tree.files().len()),
            desc: package.description.clone(),
            license: package.license.clone(),
            kw: package.keywords.clone(),
            deps: package.dependencies.clone(),
            requires: package.requires.clone(),
            caps: package.capabilities.clone(),
            boundary: Boundary::of(&package.kinded),
            checks: match &package.kinded {
                Kinded::Brief(tables) => count(tables.brief.checks.len()),
                _ => 0,
            },
            fixtures: match &package.kinded {
                Kinded::Check(_) => count(Fixtures::of(&package.tree).count()),
                _ => 0,
            },
            evals: package.evals.as_ref().map(ToString::to_string),
            published: published.to_owned(),
            by: by.to_owned(),
            sigs: signers.to_vec(),
            statement: Some(payload),
            keyring: Some(statement.keyring.seq),
            yanked: false,
            yank_reason: None,
            deprecated: None,
        }
    }

    /// The line, newline included.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("an entry is strings, numbers and flags, which always serialise") + "\n"
    }
}

/// Reads a whole index file: every line about `name`, sorted by version.
pub fn parse(bytes: &[u8], name: &PackageName) -> Result<Vec<Entry>, Refusal> {
    let at_name = |refusal: Refusal| refusal.at(format_args!("index of {name}"));
    if bytes.len() > INDEX_BYTES_MAX {
        let seen = bytes.len();
        return Err(at_name(Refusal::new(
            "index-too-large",
            format!("the file has {seen} bytes, at most {INDEX_BYTES_MAX} are allowed"),
        )));
    }
    let mut entries = Vec::new();
    for (number, line) in bytes.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
        if entries.len() == VERSIONS_MAX {
            return Err(at_name(Refusal::new("index-too-large", format!("more than {VERSIONS_MAX} versions"))));
        }
        let entry = parse_line(line, name).map_err(|refusal| at_name(refusal.at(format_args!("line {}", number + 1))));
        entries.extend(entry?);
    }
    refuse_duplicates(&entries).map_err(at_name)?;
    entries.sort_by(|a, b| a.vers.cmp(&b.vers));
    Ok(entries)
}

/// Reads one line; `None` for a line that is meant for newer clients.
fn parse_line(line: &[u8], name: &PackageName) -> Result<Option<Entry>, Refusal> {
    let value: Value = json::parse(line, INDEX_BYTES_MAX).map_err(|refusal| malformed(&refusal.message))?;
    if is_for_newer_clients(&value) {
        return Ok(None);
    }
    let entry: Entry = serde_json::from_value(value).map_err(|error| malformed(&error.to_string()))?;
    if entry.name != *name {
        return Err(Refusal::new("index-other-name", format!("the line is about `{}`", entry.name)));
    }
    Ok(Some(entry))
}

fn is_for_newer_clients(value: &Value) -> bool {
    let newer_shape = value.get("v").and_then(Value::as_u64).is_some_and(|v| v > LINE_VERSION);
    let unknown_kind = value.get("kind").is_some_and(|kind| kind.is_string() && Kind::deserialize(kind).is_err());
    newer_shape || unknown_kind
}

/// Two lines of one version would be two answers to one question. Build metadata does not tell
/// versions apart.
fn refuse_duplicates(entries: &[Entry]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    match entries.iter().find(|entry| !seen.insert(&entry.vers)) {
        Some(twice) => Err(Refusal::new("index-duplicate-version", format!("version {} appears twice", twice.vers))),
        None => Ok(()),
    }
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("index-malformed", why.to_owned())
}

/// The manifest refuses unknown keys of `[requires]`; an index line of a newer registry may have
/// them.
fn requires<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Requires, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Lenient {
        bins: Vec<String>,
        env: Vec<String>,
        os: Vec<String>,
        agents: Vec<String>,
    }
    let Lenient { bins, env, os, agents } = Lenient::deserialize(deserializer)?;
    Ok(Requires { bins, env, os, agents })
}

#[cfg(test)]
mod tests;
