//! What every statement of ours has in common: type, subjects, predicate type, predicate.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Sha256;
use crate::json;
use crate::limits::STATEMENT_BYTES_MAX;
use crate::name::text_type;
use crate::refusal::Refusal;

/// The type of an in-toto statement.
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// The subject that names the whole tree, evidence left out.
pub(super) const TREE: &str = "git-tree";

/// The subject that names what the check reads.
pub(super) const INPUTS: &str = "check-inputs";

/// The name that Git gives to a tree: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GitTree(String);

impl GitTree {
    /// Takes what `git write-tree` prints.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let is_hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !is_hex || ![40, 64].contains(&text.len()) {
            let head: String = text.chars().take(80).collect();
            return Err(malformed(&format!("`{}` does not name a Git tree", head.escape_debug())));
        }
        Ok(Self(text.to_owned()))
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_type!(GitTree, |self, f| f.write_str(&self.0));

/// An in-toto statement around a predicate of ours. Unknown fields are ignored, as in-toto demands.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire<P> {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    pub(super) predicate: P,
}

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: Digests,
}

/// A digest of one of the two kinds that our subjects have.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Digests {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    git_tree: Option<GitTree>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<Hex>,
}

/// SHA-256 as in-toto writes it: bare hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hex(pub(super) Sha256);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.hex())
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Sha256::parse_hex(&String::deserialize(deserializer)?).map(Self).map_err(serde::de::Error::custom)
    }
}

/// `{"sha256": "…"}`
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HexDigest {
    pub(super) sha256: Hex,
}

impl HexDigest {
    pub(super) fn of(digest: Sha256) -> Self {
        Self { sha256: Hex(digest) }
    }
}

/// Name, place and digest of something: in-toto's resource descriptor, as far as we use it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Resource {
    pub(super) name: String,
    pub(super) uri: String,
    pub(super) digest: HexDigest,
}

impl<P: Serialize> Wire<P> {
    pub(super) fn new(predicate_type: &str, tree: Option<&GitTree>, inputs: Option<Sha256>, predicate: P) -> Self {
        let subject = |name: &str, digest| Subject { name: name.to_owned(), digest };
        let tree = tree.map(|tree| subject(TREE, Digests { git_tree: Some(tree.clone()), sha256: None }));
        let inputs = inputs.map(|inputs| subject(INPUTS, Digests { git_tree: None, sha256: Some(Hex(inputs)) }));
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: tree.into_iter().chain(inputs).collect(),
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }

    pub(super) fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a statement is strings and whole numbers, which always serialise")
    }
}

impl<P: DeserializeOwned> Wire<P> {
    /// Parses a payload of exactly this predicate type.
    pub(super) fn parse(payload: &[u8], predicate_type: &str) -> Result<Self, Refusal> {
        let wire: Self = json::parse(payload, STATEMENT_BYTES_MAX).map_err(|refusal| malformed(&refusal.message))?;
        if wire.statement_type != STATEMENT_TYPE || wire.predicate_type != predicate_type {
            return Err(malformed("its types are not the ones that were expected"));
        }
        Ok(wire)
    }

    /// The subjects by name: each at most once, no other.
    pub(super) fn subjects(&self) -> Result<(Option<GitTree>, Option<Sha256>), Refusal> {
        let (mut tree, mut inputs) = (None, None);
        for Subject { name, digest } in &self.subject {
            match (name.as_str(), digest) {
                (TREE, Digests { git_tree: Some(git_tree), .. }) if tree.is_none() => tree = Some(git_tree.clone()),
                (INPUTS, Digests { sha256: Some(sha256), .. }) if inputs.is_none() => inputs = Some(sha256.0),
                _ => {
                    let name: String = name.chars().take(80).collect();
                    return Err(malformed(&format!("subject `{}` is unknown, twice or empty", name.escape_debug())));
                }
            }
        }
        Ok((tree, inputs))
    }
}

pub(super) fn malformed(why: &str) -> Refusal {
    Refusal::new("evidence-malformed", format!("the evidence cannot be read: {why}"))
}
