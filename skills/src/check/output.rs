//! What a check says, heard while it says it, in little memory.
//!
//! Everything counts for the digests; of the text, only the lines that the check asked for are kept, and
//! nothing secret: redaction comes before keeping. Lines are heard one by one, so a pattern never matches
//! across two. A line without end is heard up to [`LINE_BYTES_MAX`].

use std::collections::VecDeque;
use std::io::BufRead;

use super::{Check, Evidence, OutputExpectation, Pattern, Stream};
use crate::digest::{Growing, Sha256};
use crate::manifest::secrets::{looks_secret, names_secret};

/// Longest line that is heard as one, in bytes; what follows is heard as nothing.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Longest line that is kept, in characters.
const KEPT_CHARS_MAX: usize = 1024;

/// How many of the last lines are remembered, for whoever watches; they are never evidence.
const TAIL_LINES: usize = 12;

/// Shortest value that is taken for a secret: blotting out every `1` would hide the result.
const SECRET_CHARS_MIN: usize = 4;

/// In place of what is not kept.
const BLOT: &str = "[redacted]";

/// Whether the value of a variable has to be blotted out.
pub fn is_secret(name: &str, value: &str) -> bool {
    value.chars().count() >= SECRET_CHARS_MIN && (names_secret(name) || looks_secret(value))
}

/// Whether a text holds what is not kept: a value that the check was given, or what it asks to redact.
pub fn tells_secret(text: &str, evidence: &Evidence, secrets: &[String]) -> bool {
    let all: Vec<String> = secrets.iter().cloned().flat_map(with_password).collect();
    looks_secret(text)
        || all.iter().any(|secret| text.contains(secret.as_str()))
        || evidence.redact.iter().any(|pattern| pattern.regex().is_match(text))
}

/// A check's output, as far as it was heard.
#[derive(Debug)]
pub struct Output {
    evidence: Evidence,
    expected: Vec<OutputExpectation>,
    counts: Vec<u32>,
    secrets: Vec<String>,
    streams: [Heard; 2],
    key_lines: Vec<String>,
    kept_bytes: usize,
    tail: VecDeque<String>,
}

#[derive(Debug, Default)]
struct Heard {
    all: Growing,
    line: Vec<u8>,
    is_open: bool,
}

/// What is left when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The lines that the check asked to keep, redacted, within its bounds.
    pub key_lines: Vec<String>,
    /// The last lines, redacted: not to be kept.
    pub tail: Vec<String>,
    /// Digest and size of all of stdout.
    pub stdout: (Sha256, u64),
    /// Digest and size of all of stderr.
    pub stderr: (Sha256, u64),
    /// How often each expectation of output matched.
    pub counts: Vec<u32>,
}

impl Output {
    /// Begins to listen for a check. `secrets` are values that it was given and must not tell.
    pub fn of(check: &Check, secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> = secrets.into_iter().flat_map(with_password).collect();
        // The longest first, or a part of it would be left standing.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self {
            evidence: check.evidence.clone(),
            expected: check.expect.outputs.clone(),
            counts: vec![0; check.expect.outputs.len()],
            secrets,
            streams: [Heard::default(), Heard::default()],
            key_lines: Vec::new(),
            kept_bytes: 0,
            tail: VecDeque::new(),
        }
    }

    /// Hears more of standard output, or of standard error.
    pub fn hear(&mut self, is_stderr: bool, bytes: &[u8]) {
        let at = usize::from(is_stderr);
        self.streams[at].all.update(bytes);
        let (mut rest, mut piece) = (bytes, Vec::new());
        while !rest.is_empty() {
            piece.clear();
            rest.read_until(b'\n', &mut piece).expect("memory is read without errors");
            let line = &mut self.streams[at].line;
            let room = LINE_BYTES_MAX - line.len();
            line.extend(&piece[..piece.len().min(room)]);
            self.streams[at].is_open = true;
            if piece.ends_with(b"\n") {
                self.end_line(at);
            }
        }
    }

    fn end_line(&mut self, at: usize) {
        let stream = &mut self.streams[at];
        stream.is_open = false;
        let line = std::mem::take(&mut stream.line);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
        self.line(at == 1, &text);
    }

    fn line(&mut self, is_stderr: bool, text: &str) {
        for (count, expected) in self.counts.iter_mut().zip(&self.expected) {
            let hears = match expected.stream {
                Stream::Any => true,
                Stream::Stdout => !is_stderr,
                Stream::Stderr => is_stderr,
            };
            if hears {
                let found = expected.regex.regex().find_iter(text).count();
                *count = count.saturating_add(u32::try_from(found).unwrap_or(u32::MAX));
            }
        }
        let is_key = self.evidence.key_lines.iter().any(|pattern| pattern.regex().is_match(text));
        let kept = redacted(text, &self.evidence.redact, &self.secrets);
        if is_key
            && self.key_lines.len() < self.evidence.max_lines
            && self.kept_bytes + kept.len() <= self.evidence.max_bytes
        {
            self.kept_bytes += kept.len();
            self.key_lines.push(kept.clone());
        }
        if self.tail.len() == TAIL_LINES {
            self.tail.pop_front();
        }
        self.tail.push_back(kept);
    }

    /// It is over.
    pub fn finish(mut self) -> Said {
        for at in 0..2 {
            if self.streams[at].is_open {
                self.end_line(at);
            }
        }
        let [stdout, stderr] = self.streams.map(|stream| {
            let bytes = stream.all.bytes();
            (stream.all.finish(), bytes)
        });
        Said { key_lines: self.key_lines, tail: self.tail.into(), stdout, stderr, counts: self.counts }
    }
}

/// A secret, and the password in it where it is an address.
fn with_password(secret: String) -> Vec<String> {
    let authority = secret.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let password = authority.and_then(|authority| authority.rsplit_once('@')?.0.split_once(':').map(|(_, word)| word));
    let password = password.filter(|word| word.chars().count() >= SECRET_CHARS_MIN).map(str::to_owned);
    password.into_iter().chain([secret]).filter(|secret| !secret.is_empty()).collect()
}

/// A line as it may be kept: by the check's own patterns, by the values that it was given, and by the
/// forms that issued credentials have. Cut afterwards, so that no half of a secret is left.
fn redacted(line: &str, patterns: &[Pattern], secrets: &[String]) -> String {
    let mut line = line.to_owned();
    for secret in secrets {
        line = line.replace(secret.as_str(), BLOT);
    }
    for pattern in patterns {
        line = pattern.regex().replace_all(&line, BLOT).into_owned();
    }
    if looks_secret(&line) {
        return BLOT.to_owned();
    }
    line.chars().take(KEPT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn check(tables: &str) -> Check {
        let text = format!("[check]\nargv = [\"true\"]\ninputs = [\"**\"]\n{tables}\n");
        Check::read(Source(&text)).expect("a check")
    }

    fn said(check: &Check, secrets: &[&str], chunks: &[(bool, &[u8])]) -> Said {
        let mut output = Output::of(check, secrets.iter().map(|secret| (*secret).to_owned()));
        chunks.iter().for_each(|(is_stderr, bytes)| output.hear(*is_stderr, bytes));
        output.finish()
    }

    #[test]
    fn key_lines_are_kept_in_order_and_everything_counts_for_the_digests() {
        let check = check("[check.evidence]\nkey-lines = [\"^ok\"]");
        let said = said(&check, &[], &[(false, b"noise\nok 1\r\no"), (true, b"ok 2\n"), (false, b"k 3")]);
        assert_eq!(said.key_lines, ["ok 1", "ok 2", "ok 3"]);
        assert_eq!(said.stdout, (Sha256::of("noise\nok 1\r\nok 3"), 16));
        assert_eq!(said.stderr, (Sha256::of("ok 2\n"), 5));
        assert_eq!(said.tail, ["noise", "ok 1", "ok 2", "ok 3"]);
    }

    #[test]
    fn evidence_stays_within_its_bounds_however_much_is_said() {
        let check = check("[check.evidence]\nkey-lines = [\".\"]\nmax-lines = 5\nmax-bytes = 20");
        let lines: String = (0..1000).map(|n| format!("{n}\n")).collect();
        assert_eq!(said(&check, &[], &[(false, lines.as_bytes())]).key_lines.len(), 5);
        let wide = said(&check, &[], &[(false, b"123456789012345\n123456789012345\n1234\n")]);
        assert_eq!(wide.key_lines, ["123456789012345", "1234"]);
        assert!(said(&check, &[], &[(false, lines.as_bytes())]).tail.len() <= TAIL_LINES);
    }

    #[test]
    fn a_line_without_end_costs_no_memory_and_ends_with_the_next_line_break() {
        let check = check("[check.evidence]\nkey-lines = [\"^x\", \"^after\"]\nmax-bytes = 65536");
        let mut output = Output::of(&check, []);
        for _ in 0..100 {
            output.hear(false, &[b'x'; 10_000]);
        }
        assert!(output.streams[0].line.len() <= LINE_BYTES_MAX);
        output.hear(false, b"\nafter\n");
        let said = output.finish();
        assert_eq!(said.key_lines.iter().map(String::len).collect::<Vec<_>>(), [KEPT_CHARS_MAX, 5]);
        assert_eq!(said.stdout.1, 1_000_007);
    }

    #[test]
    fn what_is_no_text_is_heard_as_well_as_it_can_be() {
        let check = check("[check.evidence]\nkey-lines = [\"ok\"]");
        assert_eq!(said(&check, &[], &[(false, b"\xff\xfeok\0\n")]).key_lines, ["\u{fffd}\u{fffd}ok\0"]);
    }

    #[test]
    fn secrets_are_blotted_out_before_anything_is_kept() {
        let check = check("[check.evidence]\nkey-lines = [\".\"]\nredact = [\"(?i)password=\\\\S+\"]");
        let secrets = ["hunter2-and-more", "postgres://app:s3cr3t-pw@db/x"];
        let lines = b"PASSWORD=abc rest\nlogin hunter2-and-more ok\npw s3cr3t-pw\nat postgres://app:s3cr3t-pw@db/x\nkey AKIAABCDEFGHIJKLMNOP\n";
        let said = said(&check, &secrets, &[(false, &lines[..20]), (true, b""), (false, &lines[20..])]);
        let expected = ["[redacted] rest", "login [redacted] ok", "pw [redacted]", "at [redacted]", "[redacted]"];
        assert_eq!(said.key_lines, expected);
        assert_eq!(said.tail, expected);
    }

    #[test]
    fn a_secret_at_the_end_of_an_endless_line_is_not_kept_by_half() {
        let check = check("[check.evidence]\nkey-lines = [\".\"]\nmax-bytes = 65536");
        let line = [vec![b'x'; KEPT_CHARS_MAX - 4], b"hunter2-and-more".to_vec()].concat();
        let said = said(&check, &["hunter2-and-more"], &[(false, &line)]);
        assert!(!said.key_lines[0].contains("hunt"), "{}", said.key_lines[0]);
    }

    #[test]
    fn matches_are_counted_on_the_stream_that_is_asked_for() {
        let table = |stream: &str| format!("[[check.expect.output]]\nstream = \"{stream}\"\nregex = \"^ok|fine\"\n");
        let check = check(&["any", "stdout", "stderr"].map(table).concat());
        assert_eq!(said(&check, &[], &[(false, b"ok fine fine\n ok\n"), (true, b"ok\n")]).counts, [4, 3, 1]);
    }

    #[test]
    fn a_value_is_a_secret_by_its_name_or_by_its_form() {
        assert!(is_secret("PGPASSWORD", "hunter2") && is_secret("X", "postgres://a:b@h/d"));
        assert!(!is_secret("PATH", "/usr/bin") && !is_secret("GITHUB_TOKEN", "x"));
    }
}
