//! One link: who holds which key, for what, and how many of them are needed.
//!
//! A link has laws of its own, whoever signed it: every key is an Ed25519 key of full order, is
//! named by the digest of its SPKI, and appears once; thresholds are at least one and can be met;
//! nothing revoked is still a member. Fields that came later are ignored, and so are roles that
//! came later: a role that we do not know gives no power that we would grant.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use skills::dsse::{Envelope, pae};
use skills::key::{KeyId, PublicKey};
use skills::{Refusal, Scope, Sha256, json};

/// Largest payload of one link, in bytes: 32 keys with their owners take a tenth of it.
pub const LINK_BYTES_MAX: usize = 64 * 1024;

/// Most keys in one link. Every signature of a stranger may be tried against each of them.
pub const KEYS_MAX: usize = 32;

/// Most revocations in one link: they are carried along for ever.
pub const REVOCATIONS_MAX: usize = 256;

/// Longest name of an owner, in bytes.
const OWNER_BYTES_MAX: usize = 100;

/// What a key may do in its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Change the keyring.
    Root,
    /// Sign releases.
    Release,
    /// Sign yanks.
    Yank,
}

/// How many distinct owners have to sign, for each role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// To change the keyring.
    pub root: u32,
    /// To release.
    pub release: u32,
    /// To yank.
    pub yank: u32,
}

/// One key, and the person or machine that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The key's name; always that of `spki`.
    pub id: KeyId,
    /// The key.
    pub spki: PublicKey,
    /// Who holds it. Two keys of one owner count once.
    pub owner: String,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// A CI workload that may release; read and carried along, honoured once there is a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publisher {
    /// Its name in the scope.
    pub id: String,
    /// Who issues its tokens.
    pub issuer: String,
    /// The repository, by number: names can be taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_id: Option<String>,
    /// The repository's owner, by number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_owner_id: Option<String>,
    /// The workflow file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The deployment environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// Why a key is trusted no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Somebody else has it.
    Compromised,
    /// Another key took its place.
    Superseded,
    /// Nobody has it.
    Lost,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Compromised => "compromised",
            Self::Superseded => "superseded",
            Self::Lost => "lost",
        })
    }
}

/// The end of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Which key.
    pub id: KeyId,
    /// Why.
    pub reason: Reason,
    /// From which log index on; judged once there is a log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_index: Option<u64>,
}

/// Whether a scope releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does.
    Active,
    /// Nothing new is believed under this link.
    Frozen,
}

/// One link of a scope's keyring, lawful by itself. Whether it is *believed* the chain decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The scope.
    pub namespace: Scope,
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// Payload digest of the link before; `None` exactly in the first.
    pub prev: Option<Sha256>,
    /// How many owners each role needs.
    pub threshold: Threshold,
    /// The keys.
    pub keys: Vec<Member>,
    /// CI workloads.
    pub publishers: Vec<Publisher>,
    /// Keys that are trusted no longer.
    pub revoked: Vec<Revocation>,
    /// Whether the scope releases.
    pub state: State,
}

impl Link {
    /// The first link of a scope: each member may do everything, one is enough for anything.
    pub fn first(namespace: &Scope, members: &[(PublicKey, String)]) -> Self {
        let member = |(spki, owner): &(PublicKey, String)| Member {
            id: spki.id(),
            spki: *spki,
            owner: owner.clone(),
            roles: vec![Role::Root, Role::Release, Role::Yank],
        };
        Self {
            namespace: namespace.clone(),
            seq: 1,
            prev: None,
            threshold: Threshold { root: 1, release: 1, yank: 1 },
            keys: members.iter().map(member).collect(),
            publishers: Vec::new(),
            revoked: Vec::new(),
            state: State::Active,
        }
    }

    /// The payload to sign. Call it once and keep the bytes.
    pub fn to_payload(&self) -> Vec<u8> {
        let key = |member: &Member| WireKey {
            id: member.id.clone(),
            spki: member.spki.to_string(),
            owner: member.owner.clone(),
            roles: member.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        };
        let wire = Wire {
            namespace: self.namespace.to_string(),
            seq: self.seq,
            prev: self.prev,
            threshold: self.threshold,
            keys: self.keys.iter().map(key).collect(),
            publishers: self.publishers.clone(),
            revoked: self.revoked.clone(),
            state: self.state,
        };
        serde_json::to_vec(&wire).expect("a link is strings and numbers, which always serialise")
    }

    /// Parses a payload and applies the laws of a single link.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        let wire: Wire = json::parse(payload, LINK_BYTES_MAX).map_err(|refusal| malformed(&refusal.message))?;
        let namespace = Scope::parse(&wire.namespace)?;
        // `Scope::parse` drops a leading `@`; here it would let the chain of the registry itself,
        // `@registry`, pass for the chain of a scope called `registry`.
        if namespace.as_str() != wire.namespace {
            return Err(malformed("its namespace is not a scope"));
        }
        if wire.keys.len() > KEYS_MAX || wire.revoked.len() > REVOCATIONS_MAX {
            return Err(malformed(&format!("it has more than {KEYS_MAX} keys or {REVOCATIONS_MAX} revocations")));
        }
        let link = Self {
            namespace,
            seq: wire.seq,
            prev: wire.prev,
            threshold: wire.threshold,
            keys: wire.keys.into_iter().map(WireKey::decode).collect::<Result<_, _>>()?,
            publishers: wire.publishers,
            revoked: wire.revoked,
            state: wire.state,
        };
        link.check_place()?;
        link.check_keys()?;
        link.check_thresholds()?;
        Ok(link)
    }

    /// The members of a role that really signed this envelope, each once, by order of signature.
    ///
    /// Key ids are hints and decide nothing: each signature is tried against every key that has not
    /// signed yet. But the key that it names is tried first, which for honest bundles is one
    /// verification a signature instead of one a key.
    pub fn signers(&self, envelope: &Envelope, role: Role) -> Vec<&Member> {
        let message = pae(&envelope.payload_type, &envelope.payload);
        let holders = || self.keys.iter().filter(|member| member.roles.contains(&role));
        let mut signed: Vec<&Member> = Vec::new();
        for (named, signature) in &envelope.signatures {
            let first = holders().filter(|member| member.id == *named);
            let others = holders().filter(|member| member.id != *named);
            let mut left = first.chain(others).filter(|member| !signed.contains(member));
            if let Some(member) = left.find(|member| member.spki.verifies(&message, signature)) {
                signed.push(member);
            }
        }
        signed
    }

    /// The member of that id.
    pub fn member(&self, id: &KeyId) -> Option<&Member> {
        self.keys.iter().find(|member| member.id == *id)
    }

    fn check_place(&self) -> Result<(), Refusal> {
        if self.seq == 0 || (self.seq == 1) != self.prev.is_none() {
            return Err(malformed("links are numbered from 1, and all but the first name the one before in `prev`"));
        }
        Ok(())
    }

    fn check_keys(&self) -> Result<(), Refusal> {
        let mut seen = HashSet::new();
        for member in &self.keys {
            if !seen.insert(&member.id) {
                return Err(Refusal::new("keyring-duplicate-key", format!("key {} appears twice", member.id)));
            }
            if let Some(end) = self.revoked.iter().find(|end| end.id == member.id) {
                let (id, reason) = (&member.id, end.reason);
                return Err(Refusal::new(
                    "keyring-revoked-key",
                    format!("key {id} is revoked ({reason}) and a member"),
                ));
            }
        }
        Ok(())
    }

    /// A threshold of none would let anybody in; one that cannot be met would lock everybody out.
    /// No key has to hold the yank role: until yanks are signed, a token suffices.
    fn check_thresholds(&self) -> Result<(), Refusal> {
        let needed = [
            (Role::Root, self.threshold.root, false),
            (Role::Release, self.threshold.release, false),
            (Role::Yank, self.threshold.yank, true),
        ];
        for (role, threshold, may_be_empty) in needed {
            let holders = self.keys.iter().filter(|member| member.roles.contains(&role));
            let owners = distinct_owners(holders);
            let met = owners >= threshold as usize || (may_be_empty && owners == 0);
            if threshold == 0 || !met {
                return Err(Refusal::new(
                    "keyring-threshold",
                    format!(
                        "the {} threshold is {threshold} and its keys have {owners} distinct owners: expected 1 to {}",
                        role.as_str(),
                        owners.max(1)
                    ),
                ));
            }
        }
        Ok(())
    }
}

impl Role {
    /// The role as keyrings write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Release => "release",
            Self::Yank => "yank",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Root, Self::Release, Self::Yank].into_iter().find(|role| role.as_str() == text)
    }
}

/// How many different owners hold these keys: what every threshold counts.
pub fn distinct_owners<'a>(members: impl IntoIterator<Item = &'a Member>) -> usize {
    members.into_iter().map(|member| member.owner.as_str()).collect::<BTreeSet<_>>().len()
}

/// Owners are shown when trust is asked for: what changes how text looks without being seen could
/// make one owner look like another.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

pub(super) fn malformed(why: &str) -> Refusal {
    Refusal::new("keyring-malformed", format!("the keyring link cannot be used: {why}"))
}

#[derive(Serialize, Deserialize)]
struct Wire {
    namespace: String,
    seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prev: Option<Sha256>,
    threshold: Threshold,
    keys: Vec<WireKey>,
    #[serde(default)]
    publishers: Vec<Publisher>,
    #[serde(default)]
    revoked: Vec<Revocation>,
    state: State,
}

#[derive(Serialize, Deserialize)]
struct WireKey {
    id: KeyId,
    spki: String,
    owner: String,
    roles: Vec<String>,
}

impl WireKey {
    fn decode(self) -> Result<Member, Refusal> {
        let spki = PublicKey::parse(&self.spki).map_err(|refusal| refusal.at(format_args!("key {}", self.id)))?;
        if spki.id() != self.id {
            let (named, real) = (&self.id, spki.id());
            return Err(Refusal::new("keyring-key-id", format!("the key named {named} is {real}")));
        }
        if self.owner.is_empty() || self.owner.len() > OWNER_BYTES_MAX || self.owner.chars().any(is_hidden) {
            return Err(malformed(&format!("an owner has 1 to {OWNER_BYTES_MAX} printable bytes")));
        }
        let roles = self.roles.iter().filter_map(|text| Role::parse(text)).collect();
        Ok(Member { id: self.id, spki, owner: self.owner, roles })
    }
}
