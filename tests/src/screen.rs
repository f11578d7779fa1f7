//! What a person sees: exit code, stdout, stderr; and transcripts of whole journeys.
//!
//! A transcript is a text file under `tests/screens/` that shows each command as typed and each
//! screen as seen, with whatever differs from run to run (digests, keys, ports, times, folders)
//! replaced by its kind. The test runs the journey and compares the whole. After a change on
//! purpose, `SKILL_SCREENS=write cargo test` writes the files anew, and the diff is for reviewers.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;

/// How a program ended, and what it said.
#[derive(Debug, Clone)]
pub struct Screen {
    /// The command as typed, for messages.
    pub command: String,
    /// The exit code; -1 where a signal ended it.
    pub exit: i32,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl Screen {
    /// The end of a process.
    pub fn of(command: String, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let exit = output.status.code().unwrap_or(-1);
        Self { command, exit, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.exit, code, "{self}");
        self
    }

    /// Asserts success.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Asserts that stdout or stderr says this.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "expected `{text}`\n{self}");
        self
    }

    /// Asserts that neither stdout nor stderr says this.
    #[track_caller]
    pub fn keeps_quiet_about(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "did not expect `{text}`\n{self}");
        self
    }

    /// Stdout as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("not one JSON document: {error}\n{self}"))
    }
}

impl std::fmt::Display for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, exit, stdout, stderr } = self;
        write!(f, "$ {command}\nexit {exit}\n-- stdout\n{stdout}-- stderr\n{stderr}")
    }
}

/// A journey as seen, to be compared with a file.
pub struct Transcript {
    name: &'static str,
    seen: String,
    known: Vec<(String, String)>,
}

impl Transcript {
    /// Starts a transcript that is kept as `tests/screens/NAME.txt`.
    pub fn new(name: &'static str) -> Self {
        Self { name, seen: String::new(), known: Vec::new() }
    }

    /// Shows a text that differs from run to run as `shown`.
    pub fn show_as(&mut self, text: impl Into<String>, shown: &str) {
        self.known.push((text.into(), shown.to_owned()));
        self.known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    }

    /// A sentence between two screens: what happens beside the commands.
    pub fn note(&mut self, text: &str) {
        writeln!(self.seen, "\n# {text}").expect("writing to a string");
    }

    /// Adds a screen: the command, stdout as it is, stderr after `| `, an exit code that is not 0.
    pub fn add(&mut self, who: &str, screen: &Screen) {
        let (stdout, stderr) = (self.normal(&screen.stdout), self.normal(&screen.stderr));
        writeln!(self.seen, "\n{who} $ {}", self.normal(&screen.command)).expect("writing to a string");
        self.seen.push_str(&stdout);
        if !stdout.is_empty() && !stdout.ends_with('\n') {
            self.seen.push_str("(no newline)\n");
        }
        for line in stderr.lines() {
            writeln!(self.seen, "| {line}").expect("writing to a string");
        }
        if screen.exit != 0 {
            writeln!(self.seen, "= exit {}", screen.exit).expect("writing to a string");
        }
    }

    fn normal(&self, text: &str) -> String {
        let known = self.known.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        normalise(&known)
    }

    /// Compares the whole journey with its file.
    #[track_caller]
    pub fn compare(self) {
        let path = self.path();
        let seen = self.seen.trim_start().to_owned();
        if std::env::var_os("SKILL_SCREENS").is_some_and(|value| value == "write") {
            std::fs::create_dir_all(path.parent().expect("in a folder")).expect("the folder of screens");
            std::fs::write(&path, seen).expect("the transcript is written");
            return;
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(at) = first_difference(&expected, &seen) {
            panic!("{} differs at line {at}; `SKILL_SCREENS=write` accepts\n{}", path.display(), around(&seen, at));
        }
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(format!("{}.txt", self.name))
    }
}

fn first_difference(expected: &str, seen: &str) -> Option<usize> {
    let (mut expected, mut seen) = (expected.lines(), seen.lines());
    let mut line = 0;
    loop {
        line += 1;
        match (expected.next(), seen.next()) {
            (None, None) => return None,
            (a, b) if a != b => return Some(line),
            _ => {}
        }
    }
}

fn around(text: &str, at: usize) -> String {
    let lines = text.lines().enumerate().skip(at.saturating_sub(4)).take(10);
    lines.map(|(number, line)| format!("{:>4} {line}\n", number + 1)).collect()
}

/// Replaces what differs from run to run by its kind, word for word.
fn normalise(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+/=_-:.".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        out.push_str(&normalise_word(word));
        let next = tail.find(is_part).unwrap_or(tail.len());
        out.push_str(&tail[..next]);
        rest = &tail[next..];
    }
    out
}

fn normalise_word(word: &str) -> String {
    let (stem, stop) = match word.strip_suffix(['.', ':']) {
        Some(stem) => (stem, &word[stem.len()..]),
        None => (word, ""),
    };
    let kind = kind_of(stem).unwrap_or_else(|| hex_runs(stem));
    format!("{kind}{stop}")
}

fn kind_of(word: &str) -> Option<String> {
    let b64 = |text: &str, len: usize| {
        text.len() == len && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
    };
    if word.strip_prefix("h1:").is_some_and(|tail| b64(tail, 44)) {
        return Some("h1:TREE".to_owned());
    }
    if word.strip_prefix("SHA256:").is_some_and(|tail| b64(tail, 43)) {
        return Some("SHA256:FINGERPRINT".to_owned());
    }
    if b64(word, 44) && word.ends_with('=') {
        return Some("KEYID".to_owned());
    }
    if b64(word, 60) && word.starts_with("MCowBQYDK2Vw") {
        return Some("SPKI".to_owned());
    }
    if b64(word, 68) && word.starts_with("AAAAC3NzaC1lZDI1NTE5") {
        return Some("SSHKEY".to_owned());
    }
    let date = word.as_bytes();
    if word.len() == 10 && date[4] == b'-' && date[7] == b'-' && word.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Some("DATE".to_owned());
    }
    let is_time = word.len() == 20 && date[4] == b'-' && date[10] == b'T' && date[19] == b'Z';
    is_time.then(|| "TIME".to_owned())
}

/// 64 lower-case hex digits anywhere in a word are a digest.
fn hex_runs(word: &str) -> String {
    let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let mut out = String::new();
    let mut rest = word;
    while let Some(start) = rest.find(is_hex) {
        let run = rest[start..].find(|c| !is_hex(c)).unwrap_or(rest.len() - start);
        out.push_str(&rest[..start]);
        let found = &rest[start..start + run];
        out.push_str(if found.len() == 64 { "HEX" } else { found });
        rest = &rest[start + run..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, shown: &str) {
        assert_eq!(normalise(text), shown);
    }

    #[test]
    fn digests_keys_and_times_are_shown_as_their_kind_and_the_rest_as_it_is() {
        let hex = "0".repeat(63) + "a";
        check(&format!("archive  sha256:{hex}, whole"), "archive  sha256:HEX, whole");
        check(&format!("/archives/sha256/{hex}.tar.gz"), "/archives/sha256/HEX.tar.gz");
        check(&format!("tree h1:{}=.", "A".repeat(43)), "tree h1:TREE.");
        check(&format!("key {}=", "b/+4".repeat(10) + "abc"), "key KEYID");
        check("at 2026-11-22T10:00:00Z.", "at TIME.");
        check("acme/pdf@1.0.0 é", "acme/pdf@1.0.0 é");
    }
}
