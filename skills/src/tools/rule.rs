//! Rules: what is denied, and what is asked about first.
//!
//! One subject a rule, because agents' configurations have one; a prefix of words or a glob, because
//! that is all that they can match. The examples that a rule brings along are its unit tests.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{reason, words};
use crate::manifest::patterns;
use crate::manifest::source::{LIST_MAX, Source};
use crate::refusal::Refusal;

/// What a rule does; later is stricter. There is no `allow`: a bundle only narrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// A human is asked first.
    Ask,
    /// It is not done.
    Deny,
}

impl Effect {
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

/// What a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Commands that begin with these words.
    Command(Vec<String>),
    /// Reading of files, by globs.
    Read(Vec<String>),
    /// Changing of files, by globs.
    Edit(Vec<String>),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it does.
    pub effect: Effect,
    /// What it is about.
    pub subject: Subject,
    /// Why, for the one who meets it.
    pub reason: Option<String>,
    /// Command lines that it fits: tried when the manifest is read.
    pub matches: Vec<String>,
    /// Command lines that it does not fit: tried as well.
    pub not_matches: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct RuleTable {
    effect: Spanned<String>,
    command: Option<Vec<Spanned<String>>>,
    read: Option<Vec<Spanned<String>>>,
    edit: Option<Vec<Spanned<String>>>,
    reason: Option<Spanned<String>>,
    #[serde(default, rename = "match")]
    matches: Vec<Spanned<String>>,
    #[serde(default, rename = "not-match")]
    not_matches: Vec<Spanned<String>>,
}

impl Rule {
    /// Whether it is about this command.
    pub fn fits_command(&self, argv: &[String]) -> bool {
        matches!(&self.subject, Subject::Command(prefix) if words::begins(argv, prefix))
    }
}

pub(super) fn rule(source: Source<'_>, table: Spanned<RuleTable>) -> Result<Rule, Refusal> {
    let span = table.span();
    let table = table.into_inner();
    let at = Spanned::new(span, ());
    let effect = effect(source, &table.effect)?;
    let subject = match (table.command, table.read, table.edit) {
        (Some(command), None, None) => Subject::Command(command_words(source, &at, command)?),
        (None, Some(read), None) => Subject::Read(globs(source, &at, "read", read)?),
        (None, None, Some(edit)) => Subject::Edit(globs(source, &at, "edit", edit)?),
        _ => return Err(source.refuse("tools-rule", &at, "a rule has exactly one of `command`, `read`, `edit`")),
    };
    let has_examples = !table.matches.is_empty() || !table.not_matches.is_empty();
    if has_examples && !matches!(subject, Subject::Command(_)) {
        return Err(source.refuse(
            "tools-rule",
            &at,
            "`match` and `not-match` are command lines, for a rule of commands",
        ));
    }
    let reason = reason(source, table.reason)?;
    let mut rule = Rule { effect, subject, reason, matches: Vec::new(), not_matches: Vec::new() };
    rule.matches = tried(source, &rule, "match", true, table.matches)?;
    rule.not_matches = tried(source, &rule, "not-match", false, table.not_matches)?;
    Ok(rule)
}

fn effect(source: Source<'_>, effect: &Spanned<String>) -> Result<Effect, Refusal> {
    match effect.get_ref().as_str() {
        "ask" => Ok(Effect::Ask),
        "deny" => Ok(Effect::Deny),
        _ => Err(source
            .refuse("tools-effect", effect, "an effect is `deny` or `ask`: a bundle only narrows what an agent may do")
            .hint("what has to be allowed is a `[[grant]]`, which a human approves")),
    }
}

/// The words of a command, as they will stand in agents' configurations: literal there and here.
pub(super) fn command_words<T>(
    source: Source<'_>,
    at: &Spanned<T>,
    words: Vec<Spanned<String>>,
) -> Result<Vec<String>, Refusal> {
    let is_plain = |word: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.=/:@+%".contains(c);
        !word.is_empty() && word.chars().all(plain) && !word.ends_with(":")
    };
    let Some(program) = words.first() else {
        return Err(source.refuse("tools-pattern", at, "`command` has no word, so it would be about every command"));
    };
    if program.get_ref().contains(['/', '=']) {
        let message = "a command begins with the name of a program, not with a path or an assignment";
        return Err(source.refuse("tools-pattern", program, message));
    }
    if let Some(bad) = words.iter().find(|word| !is_plain(word.get_ref())) {
        let message = "a word of `command` is empty or has blanks, wildcards or other syntax";
        return Err(source
            .refuse("tools-pattern", bad, message)
            .hint("one word each; a rule fits what begins with them"));
    }
    source.list("command", words, LIST_MAX)
}

fn globs<T>(
    source: Source<'_>,
    at: &Spanned<T>,
    key: &str,
    patterns: Vec<Spanned<String>>,
) -> Result<Vec<String>, Refusal> {
    if patterns.is_empty() {
        return Err(source.refuse("tools-pattern", at, format!("`{key}` has no pattern")));
    }
    for pattern in &patterns {
        if let Some(fault) = patterns::fault(pattern.get_ref()) {
            return Err(source.refuse("tools-pattern", pattern, format!("a pattern of `{key}` {fault}")));
        }
    }
    source.list(key, patterns, LIST_MAX)
}

/// The examples of a rule, each of them tried.
fn tried(
    source: Source<'_>,
    rule: &Rule,
    key: &str,
    expected: bool,
    lines: Vec<Spanned<String>>,
) -> Result<Vec<String>, Refusal> {
    for line in &lines {
        let refuse = |message: String| Err(source.refuse("tools-rule-test", line, message));
        match words::split(line.get_ref()) {
            Err(fault) => return refuse(format!("an example of `{key}` {fault}")),
            Ok(argv) if rule.fits_command(&argv) == expected => {}
            Ok(_) if expected => return refuse(format!("the rule does not fit this example of `{key}`")),
            Ok(_) => return refuse(format!("the rule fits this example of `{key}`")),
        }
    }
    source.list(key, lines, LIST_MAX)
}
