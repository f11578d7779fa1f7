//! Ed25519 keys and signatures, strict only.
//!
//! Verification is `verify_strict`: of the 914 CCTV vectors that a single strict verification
//! rejects, batch verification accepts 135, so there is no batch here. Low-order ("weak") public
//! keys are refused when they are parsed, because such a key accepts signatures that nobody made.
//! A key is named by `keyid` = base64(SHA-256(SPKI DER)); the name is a hint and decides nothing.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Sha256;
use crate::name::text_type;
use crate::refusal::Refusal;

/// What precedes the 32 key bytes in an Ed25519 SubjectPublicKeyInfo (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A public key that is a point of full order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// Base64 of the SHA-256 of a key's SPKI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

/// 64 bytes that claim to be an Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// A secret key, in memory; zeroed when dropped.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl PublicKey {
    /// Parses 32 bytes; refuses what is no point, no canonical encoding, or of low order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| malformed("expected 32 bytes"))?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| malformed("not a point on the curve"))?;
        if key.to_bytes() != *bytes || key.to_edwards().compress().to_bytes() != *bytes {
            return Err(malformed("not in canonical form"));
        }
        if key.is_weak() {
            return Err(Refusal::new(
                "key-weak",
                "the public key is of low order: it would accept signatures that nobody made",
            ));
        }
        Ok(Self(key))
    }

    /// Parses a SubjectPublicKeyInfo in DER.
    pub fn from_spki(der: &[u8]) -> Result<Self, Refusal> {
        der.strip_prefix(&SPKI_PREFIX)
            .map_or_else(|| Err(malformed("expected the SPKI of an Ed25519 key")), Self::from_bytes)
    }

    /// Parses the base64 of a SubjectPublicKeyInfo, as keyrings hold it.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        Self::from_spki(&STANDARD.decode(text).map_err(|_| malformed("expected base64"))?)
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> Vec<u8> {
        [&SPKI_PREFIX[..], self.0.as_bytes()].concat()
    }

    /// The 32 key bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The PEM that `openssl pkey -pubin` reads.
    pub fn pem(&self) -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(self.spki()))
    }

    /// The key's name.
    pub fn id(&self) -> KeyId {
        KeyId(STANDARD.encode(Sha256::of(self.spki()).bytes()))
    }

    /// Verifies strictly (RFC 8032 with canonical encodings and full-order points). Whatever
    /// [`SigningKey::sign`] made, this accepts.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature.0)).is_ok()
    }
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("key-malformed", format!("not an Ed25519 public key: {why}"))
}

impl KeyId {
    /// Takes any short text as a key's name: it is only a hint.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() || text.len() > 128 || text.chars().any(char::is_control) {
            return Err(Refusal::new("key-id-malformed", "a key id has 1 to 128 printable characters"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of the id for a person to compare: its first 12 characters.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl Signature {
    /// Takes 64 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let seen = bytes.len();
        bytes.try_into().map(Self).map_err(|_| {
            Refusal::new("signature-malformed", format!("an Ed25519 signature has 64 bytes, this one has {seen}"))
        })
    }

    /// The 64 bytes.
    pub fn bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl SigningKey {
    /// The key made from 32 secret bytes (RFC 8032 seed).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs. Deterministic, as RFC 8032 demands.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }

    /// The 32 secret bytes, for the one caller that stores keys.
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

text_type!(PublicKey, |self, f| f.write_str(&STANDARD.encode(self.spki())));
text_type!(KeyId, |self, f| f.write_str(&self.0));

impl std::str::FromStr for Signature {
    type Err = Refusal;
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let bytes = STANDARD
            .decode(text)
            .map_err(|_| Refusal::new("signature-malformed", "a signature is written in padded base64"))?;
        Self::from_bytes(&bytes)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

/// Shows nothing of the secret, whatever prints it.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public().id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_was_signed_verifies_and_nothing_else_does() {
        let key = SigningKey::from_seed(&[7; 32]);
        let signature = key.sign(b"greet");
        assert!(key.public().verifies(b"greet", &signature));
        assert!(!key.public().verifies(b"greed", &signature));
        assert!(!SigningKey::from_seed(&[8; 32]).public().verifies(b"greet", &signature));
    }

    #[test]
    fn weak_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::from_bytes(&identity).expect_err("order 1").code, "key-weak");
        assert_eq!(PublicKey::from_bytes(&[0; 32]).expect_err("order 4").code, "key-weak");
    }

    #[test]
    fn a_public_key_survives_its_text_form() {
        let public = SigningKey::from_seed(&[7; 32]).public();
        assert_eq!(PublicKey::parse(&public.to_string()), Ok(public));
    }

    #[test]
    fn a_secret_key_shows_nothing_when_debugged() {
        let shown = format!("{:?}", SigningKey::from_seed(&[7; 32]));
        assert!(shown.starts_with("SigningKey(of "));
        assert!(!shown.contains("0707") && !shown.contains("7, 7"));
    }
}
