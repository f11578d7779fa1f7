//! DSSE: what exactly gets signed (secure-systems-lab/dsse, protocol v1.0.2).
//!
//! A signature covers the *pre-authentication encoding*
//! `DSSEv1 SP len(type) SP type SP len(body) SP body`, so the type is signed with the bytes, and the
//! bytes are never re-serialised: what was signed is what is kept and what is parsed. The first
//! bytes of everything that we ever sign differ, so a signature over one kind of thing can never
//! be shown as a signature over another.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::key::{KeyId, PublicKey, Signature, SigningKey};
use crate::limits::SIGNATURES_MAX;
use crate::refusal::Refusal;

/// The payload type of in-toto statements: releases, evidence, approvals.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// The payload type of keyring links.
pub const KEYRING: &str = "application/vnd.skill-keyring.v1+json";

/// The bytes that a signature covers.
pub fn pae(payload_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), body.len());
    [head.as_bytes(), body].concat()
}

/// A payload and the signatures over it, none of them checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What kind of bytes these are; signed with them.
    pub payload_type: String,
    /// The exact bytes that were signed.
    pub payload: Vec<u8>,
    /// Who claims to have signed, and the signature.
    pub signatures: Vec<(KeyId, Signature)>,
}

impl Envelope {
    /// Signs a payload with one key.
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &SigningKey) -> Self {
        let signature = key.sign(&pae(payload_type, &payload));
        Self { payload_type: payload_type.to_owned(), payload, signatures: vec![(key.public().id(), signature)] }
    }

    /// The given keys, each at most once, that really signed this payload. The key ids are ignored:
    /// every signature is tried against every key that has not signed yet.
    pub fn signers<'k>(&self, keys: impl IntoIterator<Item = &'k PublicKey>) -> Vec<&'k PublicKey> {
        let message = pae(&self.payload_type, &self.payload);
        let mut signers: Vec<&PublicKey> = Vec::new();
        for key in keys {
            let signed = self.signatures.iter().any(|(_, signature)| key.verifies(&message, signature));
            if signed && !signers.contains(&key) {
                signers.push(key);
            }
        }
        signers
    }
}

/// The JSON form of an envelope, as keyrings and bundles hold it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvelopeJson {
    payload: String,
    payload_type: String,
    signatures: Vec<SignatureJson>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
    sig: String,
}

impl EnvelopeJson {
    /// Decodes base64 and bounds the number of signatures.
    pub fn decode(self) -> Result<Envelope, Refusal> {
        if self.signatures.is_empty() || self.signatures.len() > SIGNATURES_MAX {
            let seen = self.signatures.len();
            return Err(Refusal::new(
                "envelope-malformed",
                format!("an envelope has 1 to {SIGNATURES_MAX} signatures, this one has {seen}"),
            ));
        }
        let payload = STANDARD
            .decode(&self.payload)
            .map_err(|_| Refusal::new("envelope-malformed", "the payload is not padded base64"))?;
        let signatures = self.signatures.iter().map(SignatureJson::decode).collect::<Result<_, _>>()?;
        Ok(Envelope { payload_type: self.payload_type, payload, signatures })
    }

    /// The JSON form of an envelope.
    pub fn encode(envelope: &Envelope) -> Self {
        let signature =
            |(id, sig): &(KeyId, Signature)| SignatureJson { keyid: Some(id.to_string()), sig: sig.to_string() };
        Self {
            payload: STANDARD.encode(&envelope.payload),
            payload_type: envelope.payload_type.clone(),
            signatures: envelope.signatures.iter().map(signature).collect(),
        }
    }
}

impl SignatureJson {
    fn decode(&self) -> Result<(KeyId, Signature), Refusal> {
        let id = match self.keyid.as_deref() {
            None | Some("") => KeyId::parse("-")?,
            Some(text) => KeyId::parse(text)?,
        };
        Ok((id, self.sig.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_one_of_the_specification() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn a_key_counts_once_however_often_it_signed() {
        let key = SigningKey::from_seed(&[1; 32]);
        let mut envelope = Envelope::sign(IN_TOTO, b"{}".to_vec(), &key);
        envelope.signatures.push(envelope.signatures[0].clone());
        let public = key.public();
        assert_eq!(envelope.signers([&public, &public]).len(), 1);
    }

    #[test]
    fn a_signature_over_one_type_is_none_over_another() {
        let key = SigningKey::from_seed(&[1; 32]);
        let mut envelope = Envelope::sign(IN_TOTO, b"{}".to_vec(), &key);
        envelope.payload_type = KEYRING.to_owned();
        assert!(envelope.signers([&key.public()]).is_empty());
    }
}
