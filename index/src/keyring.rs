//! The keyring chain of a scope: who may sign, from the first key to now (TRUST §4).
//!
//! A scope's trust starts at the digest of its first link, which is what a policy pins. Every
//! further link is signed by the root threshold of the link before *and* by its own, so whoever
//! follows the chain from the pin needs to ask nobody. Each line of `/keyrings/SCOPE.jsonl` is a
//! DSSE envelope; its payload is kept verbatim and never written again.
//!
//! ```text
//! link 1   signed by its own root threshold          <- policies pin its payload digest
//! link 2   prev = digest of 1, signed by the threshold of 1 and of 2
//! link 3   …                     or: only `state` became `frozen`, signed by one root key
//! ```
//!
//! A threshold counts distinct owners of distinct keys: one person with two keys is one voice.
//! Revocations are parsed here and judged in `verify`; judging them by log index comes with the
//! log.

mod link;

use skills::dsse::{Envelope, EnvelopeJson, KEYRING};
use skills::{Refusal, Scope, Sha256, json};

pub use link::{
    KEYS_MAX, LINK_BYTES_MAX, Link, Member, Publisher, REVOCATIONS_MAX, Reason, Revocation, Role, State, Threshold,
    distinct_owners,
};

/// Most links of one chain: a change of keys a month for twenty years.
pub const LINKS_MAX: usize = 256;

/// Largest keyring file, in bytes. What a stranger can make us compute is bounded by this and by
/// the keys and signatures of one link.
pub const CHAIN_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A chain in which every link is believed because of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    links: Vec<Kept>,
}

/// A link with the bytes that were signed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    link: Link,
    digest: Sha256,
    envelope: Envelope,
}

impl Chain {
    /// Reads a keyring file and applies every rule of the chain, from the first link on.
    pub fn parse(bytes: &[u8], scope: &Scope) -> Result<Self, Refusal> {
        let of_scope = |refusal: Refusal| refusal.at(format_args!("keyring of {scope}"));
        if bytes.len() > CHAIN_BYTES_MAX {
            return Err(of_scope(too_large(&format!("it has {} bytes", bytes.len()))));
        }
        let mut lines = bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let first = lines.next().ok_or_else(|| of_scope(Refusal::new("keyring-empty", "it has no link")))?;
        let first = first_link(first, scope).map_err(|refusal| of_scope(refusal.at("link 1")))?;
        let mut chain = Self { links: vec![first] };
        for line in lines {
            let seq = chain.links.len() + 1;
            chain.push(line).map_err(|refusal| of_scope(refusal.at(format_args!("link {seq}"))))?;
        }
        Ok(chain)
    }

    /// Adds the next link, one DSSE envelope in JSON, if the chain believes it.
    pub fn push(&mut self, envelope_json: &[u8]) -> Result<(), Refusal> {
        if self.links.len() == LINKS_MAX {
            return Err(too_large(&format!("it has {LINKS_MAX} links already")));
        }
        let next = decode(envelope_json)?;
        follows(&next.link, self.last())?;
        if !is_freeze(&next, &self.last().link) {
            signed_by_threshold(&next.envelope, &self.last().link)?;
            signed_by_threshold(&next.envelope, &next.link)?;
        }
        self.links.push(next);
        Ok(())
    }

    /// Payload digest of the first link: what policies pin.
    pub fn root(&self) -> Sha256 {
        self.links[0].digest
    }

    /// The newest link.
    pub fn head(&self) -> &Link {
        &self.last().link
    }

    /// Payload digest of the newest link.
    pub fn head_digest(&self) -> Sha256 {
        self.last().digest
    }

    /// One link, by its place from 1, and its payload digest.
    pub fn link(&self, seq: u64) -> Option<(&Link, Sha256)> {
        let at = usize::try_from(seq).ok()?.checked_sub(1)?;
        self.links.get(at).map(|kept| (&kept.link, kept.digest))
    }

    /// Every link, oldest first, with its payload digest.
    pub fn links(&self) -> impl Iterator<Item = (&Link, Sha256)> {
        self.links.iter().map(|kept| (&kept.link, kept.digest))
    }

    /// The keyring file.
    pub fn to_jsonl(&self) -> String {
        self.links.iter().map(|kept| format_line(&kept.envelope) + "\n").collect()
    }

    fn last(&self) -> &Kept {
        self.links.last().expect("a chain has a first link from the start")
    }
}

/// One link as a line of the keyring file, and as the body that registers it; no newline.
pub fn format_line(envelope: &Envelope) -> String {
    serde_json::to_string(&EnvelopeJson::encode(envelope)).expect("an envelope is strings only, which always serialise")
}

fn first_link(line: &[u8], scope: &Scope) -> Result<Kept, Refusal> {
    let first = decode(line)?;
    if first.link.namespace != *scope {
        return Err(other_namespace(&first.link.namespace, scope));
    }
    if first.link.seq != 1 {
        return Err(out_of_order(first.link.seq, 1));
    }
    signed_by_threshold(&first.envelope, &first.link)?;
    Ok(first)
}

fn decode(line: &[u8]) -> Result<Kept, Refusal> {
    let envelope: EnvelopeJson =
        json::parse(line, 2 * LINK_BYTES_MAX).map_err(|refusal| link::malformed(&refusal.message))?;
    let envelope = envelope.decode()?;
    if envelope.payload_type != KEYRING {
        let seen = envelope.payload_type.escape_debug();
        return Err(link::malformed(&format!("its payload type is `{seen}`, expected `{KEYRING}`")));
    }
    Ok(Kept { link: Link::parse(&envelope.payload)?, digest: Sha256::of(&envelope.payload), envelope })
}

/// Same scope, next number, and `prev` is the digest of the bytes before: a link of another chain,
/// or one with a link left out before it, does not fit.
fn follows(link: &Link, last: &Kept) -> Result<(), Refusal> {
    if link.namespace != last.link.namespace {
        return Err(other_namespace(&link.namespace, &last.link.namespace));
    }
    if link.seq != last.link.seq + 1 {
        return Err(out_of_order(link.seq, last.link.seq + 1));
    }
    if link.prev != Some(last.digest) {
        return Err(Refusal::new(
            "keyring-prev",
            format!("`prev` is not the link before it: expected {}", last.digest),
        ));
    }
    Ok(())
}

/// Any single root key may stop releases, and nothing else: a stolen key can be an annoyance that
/// the threshold undoes, and a team that notices a theft need not gather first.
fn is_freeze(next: &Kept, last: &Link) -> bool {
    let frozen = Link { seq: next.link.seq, prev: next.link.prev, state: State::Frozen, ..last.clone() };
    last.state == State::Active && next.link == frozen && !last.signers(&next.envelope, Role::Root).is_empty()
}

fn signed_by_threshold(envelope: &Envelope, link: &Link) -> Result<(), Refusal> {
    let owners = distinct_owners(link.signers(envelope, Role::Root));
    if owners < link.threshold.root as usize {
        return Err(Refusal::new(
            "keyring-signatures",
            format!(
                "{owners} distinct owners of root keys of link {} signed it, {} are needed",
                link.seq, link.threshold.root
            ),
        ));
    }
    Ok(())
}

fn other_namespace(seen: &Scope, expected: &Scope) -> Refusal {
    Refusal::new("keyring-namespace", format!("it is for scope `{seen}`, expected `{expected}`"))
}

fn out_of_order(seen: u64, expected: u64) -> Refusal {
    Refusal::new("keyring-order", format!("its number is {seen}, expected {expected}"))
}

fn too_large(seen: &str) -> Refusal {
    Refusal::new("keyring-too-large", format!("{seen}, at most {LINKS_MAX} links and {CHAIN_BYTES_MAX} bytes are read"))
}

#[cfg(test)]
mod tests;
