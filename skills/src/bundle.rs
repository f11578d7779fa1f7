//! The Sigstore bundle v0.3: how a signed statement travels and rests.
//!
//! JSON Lines, one signature a line, so that adding a signature appends a line. All lines carry the
//! same payload: a file with two payloads would be two statements under one name, and is refused.
//! `verificationMaterial.publicKey.hint` is the key id and, like it, decides nothing.

use serde::{Deserialize, Serialize};

use crate::dsse::{Envelope, EnvelopeJson};
use crate::json;
use crate::limits::{SIGNATURES_MAX, STATEMENT_BYTES_MAX};
use crate::refusal::Refusal;

/// The media type on every line.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Largest bundle file in bytes: every line carries the statement in base64.
pub const BUNDLE_BYTES_MAX: usize = 4 * STATEMENT_BYTES_MAX;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    media_type: String,
    verification_material: Material,
    dsse_envelope: EnvelopeJson,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: PublicKeyHint,
}

#[derive(Serialize, Deserialize)]
struct PublicKeyHint {
    hint: String,
}

/// Reads a bundle file: one payload, every signature over it.
pub fn parse(bytes: &[u8]) -> Result<Envelope, Refusal> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().ok_or_else(|| malformed("it is empty"))?;
    let mut envelope = parse_line(first)?;
    for line in lines {
        let more = parse_line(line)?;
        if more.payload_type != envelope.payload_type || more.payload != envelope.payload {
            return Err(Refusal::new(
                "bundle-two-payloads",
                "the bundle's lines carry different payloads, all must carry the same",
            ));
        }
        envelope.signatures.extend(more.signatures);
        if envelope.signatures.len() > SIGNATURES_MAX {
            return Err(malformed(&format!("it has more than {SIGNATURES_MAX} signatures")));
        }
    }
    Ok(envelope)
}

fn parse_line(line: &str) -> Result<Envelope, Refusal> {
    let line: Line = json::parse(line.as_bytes(), BUNDLE_BYTES_MAX).map_err(|refusal| malformed(&refusal.message))?;
    if line.media_type != MEDIA_TYPE {
        return Err(malformed(&format!(
            "its media type is `{}`, expected `{MEDIA_TYPE}`",
            line.media_type.escape_debug()
        )));
    }
    let envelope = line.dsse_envelope.decode()?;
    if envelope.payload.len() > STATEMENT_BYTES_MAX {
        return Err(malformed(&format!("its statement has more than {STATEMENT_BYTES_MAX} bytes")));
    }
    Ok(envelope)
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("bundle-malformed", format!("the bundle cannot be read: {why}"))
}

/// Writes a bundle file, one line a signature.
pub fn format(envelope: &Envelope) -> String {
    envelope.signatures.iter().map(|signature| format_line(envelope, signature)).collect()
}

fn format_line(envelope: &Envelope, signature: &(crate::key::KeyId, crate::key::Signature)) -> String {
    let single = Envelope { signatures: vec![signature.clone()], ..envelope.clone() };
    let line = Line {
        media_type: MEDIA_TYPE.to_owned(),
        verification_material: Material { public_key: PublicKeyHint { hint: signature.0.to_string() } },
        dsse_envelope: EnvelopeJson::encode(&single),
    };
    serde_json::to_string(&line).expect("a line is strings only, which always serialise") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsse::IN_TOTO;
    use crate::key::SigningKey;

    fn signed(body: &str, seed: u8) -> Envelope {
        Envelope::sign(IN_TOTO, body.as_bytes().to_vec(), &SigningKey::from_seed(&[seed; 32]))
    }

    #[test]
    fn what_is_formatted_parses_back() {
        let mut envelope = signed("{}", 1);
        envelope.signatures.extend(signed("{}", 2).signatures);
        assert_eq!(parse(format(&envelope).as_bytes()), Ok(envelope));
    }

    #[test]
    fn a_bundle_with_two_payloads_is_refused() {
        let text = format(&signed("{}", 1)) + &format(&signed("[]", 1));
        assert_eq!(parse(text.as_bytes()).expect_err("two payloads").code, "bundle-two-payloads");
    }

    #[test]
    fn a_truncated_or_empty_bundle_is_refused() {
        let text = format(&signed("{}", 1));
        assert_eq!(parse(b"").expect_err("empty").code, "bundle-malformed");
        assert_eq!(parse(&text.as_bytes()[..text.len() / 2]).expect_err("half").code, "bundle-malformed");
    }
}
