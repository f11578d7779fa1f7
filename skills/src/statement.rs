//! The release statement: what a publisher signs about one version (TRUST.md §2).
//!
//! An in-toto Statement v1 with exactly one subject. Name, version, registry and modes are inside,
//! because systems that left them out could be fooled by a genuine signed skill under another
//! name, or by an added exec bit. The payload bytes are kept verbatim; this module parses them and
//! never writes them again.

use serde::{Deserialize, Serialize};

use crate::digest::{Sha256, TreeDigest};
use crate::json;
use crate::limits::{FILES_MAX, STATEMENT_BYTES_MAX};
use crate::name::PackageName;
use crate::path::FilePath;
use crate::refusal::Refusal;
use crate::tree::{Mode, Resource, check_paths};
use crate::version::{Requirement, Version};

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// What the publisher says about one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The registry it was made for, by name.
    pub registry: String,
    /// The package.
    pub package: PackageName,
    /// The version, build metadata included.
    pub version: Version,
    /// Digest of the exact archive bytes.
    pub archive: Sha256,
    /// Digest of the content.
    pub tree: TreeDigest,
    /// The keyring link in force when it was signed.
    pub keyring: KeyringRef,
    /// Every file: path, digest, mode, sorted by path bytes.
    pub resources: Vec<Resource>,
    /// What it needs.
    pub dependencies: Vec<Dependency>,
    /// Where it came from, if the publisher says.
    pub source: Option<Source>,
}

/// A keyring link by number and payload digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyringRef {
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// Digest of its payload.
    pub digest: DigestSet,
}

/// A dependency on another package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Which package.
    pub name: PackageName,
    /// Which versions of it.
    pub req: Requirement,
}

/// Where a release was built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// `git+https://…`
    pub uri: String,
    /// Digests of it, such as `gitCommit`.
    #[serde(default)]
    pub digest: std::collections::BTreeMap<String, String>,
}

/// An in-toto digest set of which we read SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestSet {
    #[serde(with = "hex_digest")]
    sha256: Sha256,
}

impl KeyringRef {
    /// Names a link.
    pub fn new(seq: u64, payload: Sha256) -> Self {
        Self { seq, digest: DigestSet { sha256: payload } }
    }

    /// The digest of the link's payload.
    pub fn payload(&self) -> Sha256 {
        self.digest.sha256
    }
}

/// The predicate type that a registry's releases carry.
pub fn predicate_type(registry: &str) -> String {
    format!("https://{registry}/attestation/skill-release/v1")
}

impl Statement {
    /// The payload to sign. Call it once and keep the bytes.
    pub fn to_payload(&self) -> Vec<u8> {
        let wire = Wire {
            _type: STATEMENT_TYPE.to_owned(),
            subject: vec![Subject {
                name: format!("{}@{}", self.package, self.version),
                digest: SubjectDigest { sha256: self.archive.hex(), dir_hash1: self.tree.hex() },
            }],
            predicate_type: predicate_type(&self.registry),
            predicate: Predicate {
                registry: self.registry.clone(),
                package: self.package.clone(),
                version: self.version.clone(),
                keyring: self.keyring.clone(),
                resources: self.resources.iter().map(ResourceJson::encode).collect(),
                dependencies: self.dependencies.clone(),
                source: self.source.clone(),
            },
        };
        serde_json::to_vec(&wire).expect("a statement is strings and numbers, which always serialise")
    }

    /// Parses a payload, strictly, and checks that it agrees with itself: one subject, whose name is
    /// `package@version`; the predicate type of its registry; a tree digest that follows from its
    /// own resources. Unknown fields are ignored. Whether it is *believed* is not decided here.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        let wire: Wire = json::parse(payload, STATEMENT_BYTES_MAX).map_err(|refusal| malformed(&refusal.message))?;
        let [subject] = wire.subject.as_slice() else {
            return Err(malformed(&format!("it has {} subjects, expected exactly one", wire.subject.len())));
        };
        let predicate = wire.predicate;
        if wire._type != STATEMENT_TYPE {
            return Err(malformed("its type is not in-toto Statement v1"));
        }
        if wire.predicate_type != predicate_type(&predicate.registry) {
            return Err(malformed(&format!(
                "its predicate type `{}` is not that of registry `{}`",
                wire.predicate_type.escape_debug(),
                predicate.registry.escape_debug()
            )));
        }
        if subject.name != format!("{}@{}", predicate.package, predicate.version) {
            return Err(malformed(&format!(
                "its subject `{}` is not `{}@{}`",
                subject.name.escape_debug(),
                predicate.package,
                predicate.version
            )));
        }
        let statement = Self {
            archive: Sha256::parse_hex(&subject.digest.sha256)?,
            tree: TreeDigest::parse_hex(&subject.digest.dir_hash1)?,
            registry: predicate.registry,
            package: predicate.package,
            version: predicate.version,
            keyring: predicate.keyring,
            resources: predicate.resources.into_iter().map(ResourceJson::decode).collect::<Result<_, _>>()?,
            dependencies: predicate.dependencies,
            source: predicate.source,
        };
        statement.check_resources()?;
        Ok(statement)
    }

    /// The resources are sorted, lawful together, and hash to the tree digest of the subject.
    fn check_resources(&self) -> Result<(), Refusal> {
        if self.resources.len() > FILES_MAX {
            return Err(malformed(&format!("it lists more than {FILES_MAX} files")));
        }
        if !self.resources.is_sorted_by(|a, b| a.path < b.path) {
            return Err(malformed("its resources are not sorted by path, each once"));
        }
        check_paths(&self.resources.iter().map(|resource| &resource.path).collect::<Vec<_>>())?;
        let digest = TreeDigest::of(self.resources.iter().map(|resource| (resource.path.as_str(), resource.digest)));
        if digest != self.tree {
            return Err(malformed("its tree digest does not follow from its resources"));
        }
        Ok(())
    }
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("statement-malformed", format!("the release statement cannot be used: {why}"))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    #[serde(rename = "_type")]
    _type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: SubjectDigest,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubjectDigest {
    sha256: String,
    dir_hash1: String,
}

#[derive(Serialize, Deserialize)]
struct Predicate {
    registry: String,
    package: PackageName,
    version: Version,
    keyring: KeyringRef,
    resources: Vec<ResourceJson>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
}

#[derive(Serialize, Deserialize)]
struct ResourceJson {
    name: FilePath,
    digest: DigestSet,
    mode: Mode,
}

impl ResourceJson {
    fn encode(resource: &Resource) -> Self {
        Self { name: resource.path.clone(), digest: DigestSet { sha256: resource.digest }, mode: resource.mode }
    }

    fn decode(self) -> Result<Resource, Refusal> {
        Ok(Resource { path: self.name, digest: self.digest.sha256, mode: self.mode })
    }
}

/// In-toto writes digests as bare hex.
mod hex_digest {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::digest::Sha256;

    pub(super) fn serialize<S: Serializer>(digest: &Sha256, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&digest.hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sha256, D::Error> {
        Sha256::parse_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{File, Tree};

    fn statement() -> Statement {
        let file =
            |path: &str| File { path: FilePath::parse(path).expect("lawful"), mode: Mode::Regular, bytes: path.into() };
        let tree = Tree::new(vec![file("SKILL.md"), file("a/b.md")]).expect("lawful");
        Statement {
            registry: "skills.example".into(),
            package: PackageName::parse("acme/pdf-fill").expect("a name"),
            version: Version::parse("1.4.2").expect("a version"),
            archive: Sha256::of(b"archive"),
            tree: tree.digest(),
            keyring: KeyringRef::new(1, Sha256::of(b"link")),
            resources: tree.resources(),
            dependencies: vec![Dependency {
                name: PackageName::parse("acme/pdf-lib").expect("a name"),
                req: Requirement::parse("^2").expect("a requirement"),
            }],
            source: None,
        }
    }

    fn refuses(from: &str, to: &str) {
        let text = String::from_utf8(statement().to_payload()).expect("UTF-8");
        let changed = text.replacen(from, to, 1);
        assert_ne!(text, changed, "`{from}` is in the payload");
        assert_eq!(Statement::parse(changed.as_bytes()).expect_err(to).code, "statement-malformed", "{to}");
    }

    #[test]
    fn what_is_written_parses_back() {
        assert_eq!(Statement::parse(&statement().to_payload()), Ok(statement()));
    }

    #[test]
    fn a_statement_that_disagrees_with_itself_is_refused() {
        refuses("acme/pdf-fill@1.4.2", "acme/pdf-fill@1.4.3");
        refuses("acme/pdf-fill@1.4.2", "acme/other@1.4.2");
        refuses("\"registry\":\"skills.example\"", "\"registry\":\"evil.example\"");
        refuses("skill-release/v1", "skill-release/v2");
        refuses("in-toto.io/Statement/v1", "in-toto.io/Statement/v0.1");
        refuses("\"name\":\"a/b.md\"", "\"name\":\"a/c.md\"");
        refuses("\"name\":\"a/b.md\"", "\"name\":\"../b.md\"");
        refuses("\"mode\":\"644\"", "\"mode\":\"4755\"");
        refuses("\"subject\":[", "\"subject\":[{\"name\":\"x\",\"digest\":{\"sha256\":\"\",\"dirHash1\":\"\"}},");
        refuses("\"version\":\"1.4.2\"", "\"version\":\"1.4.2\",\"version\":\"1.4.2\"");
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let text = String::from_utf8(statement().to_payload()).expect("UTF-8");
        let more = text.replacen("\"predicate\":{", "\"predicate\":{\"later\":1,", 1);
        assert_eq!(Statement::parse(more.as_bytes()), Ok(statement()));
    }
}
