//! `.skill/evidence/ID.intoto.jsonl`: one DSSE envelope a line.
//!
//! The file is append-only by habit and by nothing else, so reading it is bounded before anything is
//! parsed, and every line stands for itself: one that cannot be read is named by its number and takes
//! nothing with it.

use serde::Deserialize;

use super::approval::{APPROVAL, Approval};
use super::run::{Run, TEST_RESULT};
use super::statement::malformed;
use crate::digest::Sha256;
use crate::dsse::{Envelope, EnvelopeJson, IN_TOTO};
use crate::json;
use crate::key::PublicKey;
use crate::limits::STATEMENT_BYTES_MAX;
use crate::refusal::Refusal;

/// Largest evidence file, in bytes: 10,000 runs of the usual 2 KB.
pub const EVIDENCE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most lines of one file. Each costs a signature check, so this bounds the time: a second, not a day.
pub const EVIDENCE_LINES_MAX: usize = 10_000;

/// Largest line, in bytes: the largest statement in base64, and its envelope.
const LINE_BYTES_MAX: usize = STATEMENT_BYTES_MAX / 3 * 4 + 4_096;

/// A line of the file.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its number, from 1.
    pub number: usize,
    /// What stands there, or why it cannot be read.
    pub content: Result<Signed, Refusal>,
}

/// A statement and the signature over its exact bytes; nothing is checked yet.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The envelope with the bytes.
    pub envelope: Envelope,
    /// What they say.
    pub statement: Statement,
}

/// What evidence files hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// A run of a check.
    Run(Box<Run>),
    /// A human's decision.
    Approval(Box<Approval>),
}

impl Signed {
    /// The digest of the payload, which is how approvals name what they saw.
    pub fn digest(&self) -> Sha256 {
        Sha256::of(&self.envelope.payload)
    }

    /// Whether this key signed exactly these bytes. The key id decides nothing.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        !self.envelope.signers([key]).is_empty()
    }

    fn parse(line: &[u8]) -> Result<Self, Refusal> {
        let envelope: EnvelopeJson =
            json::parse(line, LINE_BYTES_MAX).map_err(|refusal| malformed(&refusal.message))?;
        let envelope = envelope.decode()?;
        if envelope.signatures.len() != 1 {
            return Err(malformed("a line has one signature"));
        }
        if envelope.payload_type != IN_TOTO {
            return Err(malformed("its payload is not an in-toto statement"));
        }
        let statement = Statement::parse(&envelope.payload)?;
        Ok(Self { envelope, statement })
    }
}

impl Statement {
    /// Parses a payload as what its predicate type says that it is.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Probe {
            predicate_type: String,
        }
        let probe: Probe = json::parse(payload, STATEMENT_BYTES_MAX).map_err(|refusal| malformed(&refusal.message))?;
        match probe.predicate_type.as_str() {
            TEST_RESULT => Run::parse(payload).map(|run| Self::Run(Box::new(run))),
            APPROVAL => Approval::parse(payload).map(|approval| Self::Approval(Box::new(approval))),
            other => {
                let head: String = other.chars().take(80).collect();
                Err(malformed(&format!("predicate type `{}` is not one of ours", head.escape_debug())))
            }
        }
    }
}

/// The line that is appended for an envelope, its end included.
pub fn format(envelope: &Envelope) -> String {
    let line = serde_json::to_string(&EnvelopeJson::encode(envelope));
    line.expect("an envelope is strings only, which always serialise") + "\n"
}

/// Reads a whole file. Only its size can refuse it; a line that is unreadable is a line that says so.
/// A line that stands there twice is the same statement, and is given once.
pub fn read(bytes: &[u8]) -> Result<Vec<Line>, Refusal> {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    if bytes.len() > EVIDENCE_BYTES_MAX || lines > EVIDENCE_LINES_MAX {
        let message = format!(
            "{} bytes in {lines} lines are more evidence than is read: at most {EVIDENCE_BYTES_MAX} bytes in \
             {EVIDENCE_LINES_MAX} lines",
            bytes.len()
        );
        return Err(Refusal::new("evidence-too-large", message)
            .hint("keep the newest run of each check and the approvals; the rest is in the history"));
    }
    let mut seen = std::collections::HashSet::new();
    let all = bytes.split(|byte| *byte == b'\n').enumerate();
    let once = all.filter(|(_, line)| !line.trim_ascii().is_empty() && seen.insert(Sha256::of(line)));
    Ok(once.map(|(at, line)| Line { number: at + 1, content: Signed::parse(line) }).collect())
}

#[cfg(test)]
mod tests {
    use super::super::{approval, run};
    use super::*;
    use crate::key::SigningKey;

    fn line(payload: Vec<u8>) -> String {
        format(&Envelope::sign(IN_TOTO, payload, &SigningKey::from_seed(&[7; 32])))
    }

    fn codes(text: &str) -> Vec<(usize, Option<&'static str>)> {
        let lines = read(text.as_bytes()).expect("a file");
        lines.iter().map(|line| (line.number, line.content.as_ref().err().map(|refusal| refusal.code))).collect()
    }

    #[test]
    fn what_is_formatted_reads_back() {
        let (run, approval) = (run::tests::run(), approval::tests::approval());
        let text = line(run.to_payload()) + &line(approval.to_payload());
        let lines = read(text.as_bytes()).expect("a file");
        let statements: Vec<&Statement> =
            lines.iter().map(|line| &line.content.as_ref().expect("readable").statement).collect();
        assert_eq!(statements, [&Statement::Run(Box::new(run)), &Statement::Approval(Box::new(approval))]);
        let key = SigningKey::from_seed(&[7; 32]).public();
        assert!(lines.iter().all(|line| line.content.as_ref().is_ok_and(|signed| signed.is_signed_by(&key))));
    }

    #[test]
    fn the_line_is_the_same_on_every_machine_and_in_every_year() {
        let text = line(run::tests::run().to_payload());
        assert!(text.starts_with(r#"{"payload":"eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEi"#), "{text}");
        assert_eq!(Sha256::of(&text).hex(), GOLDEN, "{text}");
    }

    /// Of the run of FORMATS §5, signed by the key of 32 sevens.
    const GOLDEN: &str = "abe15b11fa4cde6786c9c43a954d72cb420c43e85b9ad572592e4228a689072d";

    #[test]
    fn a_line_that_is_cut_off_is_named_and_takes_nothing_with_it() {
        let good = line(run::tests::run().to_payload());
        let cut = &good[..good.len() / 2];
        assert_eq!(codes(&format!("{good}{cut}")), [(1, None), (2, Some("evidence-malformed"))]);
        assert_eq!(codes(&format!("{cut}\n{good}")), [(1, Some("evidence-malformed")), (2, None)]);
    }

    #[test]
    fn a_line_twice_is_one_statement_and_blank_lines_are_none() {
        let good = line(run::tests::run().to_payload());
        assert_eq!(codes(&format!("\n{good}\r\n{good}{good}")), [(2, None)]);
        assert_eq!(codes(""), []);
    }

    #[test]
    fn what_is_no_statement_of_ours_is_refused() {
        let good = line(run::tests::run().to_payload());
        let twice = good.replacen("{\"payload\"", "{\"payloadType\":\"x\",\"payload\"", 1);
        let typed = good.replacen("in-toto+json", "in-toto+xml", 1);
        let other = line(br#"{"_type":"x","predicateType":"https://slsa.dev/provenance/v1"}"#.to_vec());
        let signature = good.split_once("\"signatures\":[").expect("signatures").1.trim_end().trim_end_matches("]}");
        let two = good.replacen(signature, &format!("{signature},{signature}"), 1);
        let none = good.replacen(signature, "", 1);
        let duplicate = {
            let text = String::from_utf8(run::tests::run().to_payload()).expect("UTF-8");
            line(text.replacen("\"exit\":0", "\"exit\":0,\"exit\":0", 1).into_bytes())
        };
        for text in [&twice, &typed, &other, &two, &none, &duplicate, "[]\n", "{}\n", "\u{feff}{}\n", "\0\n"] {
            assert!(matches!(codes(text)[..], [(1, Some(_))]), "{text}");
        }
    }

    #[test]
    fn a_hundred_thousand_lines_are_refused_before_one_is_parsed() {
        let text = "x\n".repeat(100_000);
        assert_eq!(read(text.as_bytes()).expect_err("too many").code, "evidence-too-large");
        let long = vec![b'x'; EVIDENCE_BYTES_MAX + 1];
        assert_eq!(read(&long).expect_err("too long").code, "evidence-too-large");
        assert!(read("x\n".repeat(EVIDENCE_LINES_MAX).as_bytes()).is_ok());
    }
}
