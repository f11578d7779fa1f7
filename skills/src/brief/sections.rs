//! The sections that nobody writes by hand: tools, deliverables, checks, escalation.
//!
//! They are made from the packages that the brief uses, so that what the agent reads is what the
//! packages say: a bundle that is removed takes its lines with it.

use std::fmt::Write as _;

use super::tables::{Deliverable, Escalation};
use super::uses::{Bundle, Proof};
use crate::tools::{Effect, Rule, Subject};

/// Every tool and rule of every bundle, and that there is nothing else.
pub fn tools(bundles: &[&Bundle]) -> String {
    let mut text = String::new();
    for bundle in bundles {
        let _ = writeln!(text, "From `{}`:", bundle.package.spec());
        let mut tools: Vec<_> = bundle.exposed().collect();
        tools.sort_by_key(|(server, tool)| (*server, &tool.name));
        for (server, tool) in tools {
            let ask = if tool.ask { ", ask first" } else { "" };
            let name = format!("{server}:{}", tool.name);
            let _ = writeln!(text, "- {} — {}{ask}", code(&name), tool.access.as_str());
        }
        // Rules that say the same of several commands are one line: an agent reads all of them.
        for alike in bundle.tools.rules.chunk_by(says_the_same) {
            let _ = writeln!(text, "- {}", sentence(alike));
        }
    }
    if bundles.is_empty() {
        text.push_str("Reading and editing the files of this repository.\n");
    }
    text.push_str("Nothing else.");
    text
}

/// Whether two rules differ in nothing but the command: same effect, same reason.
fn says_the_same(one: &Rule, other: &Rule) -> bool {
    let are_commands = |rule: &Rule| matches!(rule.subject, Subject::Command(_));
    let is_reasoned = one.reason.is_some() && one.reason == other.reason;
    one.effect == other.effect && is_reasoned && are_commands(one) && are_commands(other)
}

/// `never: \`dropdb\`, \`dropuser\` (why)`.
fn sentence(alike: &[Rule]) -> String {
    let first = &alike[0];
    let effect = match first.effect {
        Effect::Deny => "never",
        Effect::Ask => "ask first",
    };
    let list = |globs: &[String]| globs.iter().map(|glob| code(glob)).collect::<Vec<_>>().join(", ");
    let about = |rule: &Rule| match &rule.subject {
        Subject::Command(words) => code(&words.join(" ")),
        Subject::Read(globs) => format!("reading {}", list(globs)),
        Subject::Edit(globs) => format!("editing {}", list(globs)),
    };
    let about = alike.iter().map(about).collect::<Vec<_>>().join(", ");
    let reason = first.reason.as_ref().map(|reason| format!(" ({})", one_line(reason))).unwrap_or_default();
    format!("{effect}: {about}{reason}")
}

/// One line a file.
pub fn deliverables(all: &[Deliverable]) -> String {
    lines(all.iter().map(|one| format!("- {} ({})", code(&one.path), one.id)), "None.")
}

/// One line a check: what it proves, and how one knows.
pub fn checks<'a>(all: impl Iterator<Item = (&'a str, &'a Proof)>) -> String {
    let line = |(id, proof): (&str, &Proof)| {
        let description = one_line(&proof.description);
        format!(
            "- **{id}**: {description} Run `skill check run {id}`; done means its evidence says PASSED for the tree you hand over."
        )
    };
    lines(all.map(line), "None.")
}

/// One line a condition, and the one that holds everywhere.
pub fn escalation(all: &[Escalation]) -> String {
    let line = |one: &Escalation| {
        let to = one.to.as_ref().map(|to| format!(" {}", one_line(to))).unwrap_or_default();
        format!("- Stop and ask{to} when {}.", one_line(&one.when).trim_end_matches('.'))
    };
    let always = "- Stop and ask when a tool you need is not listed above, or a check cannot run.".to_owned();
    lines(all.iter().map(line).chain([always]), "")
}

fn lines(lines: impl Iterator<Item = String>, none: &str) -> String {
    let text = lines.collect::<Vec<_>>().join("\n");
    if text.is_empty() { none.to_owned() } else { text }
}

/// A code span that its content cannot leave.
fn code(text: &str) -> String {
    format!("`{}`", one_line(text).replace('`', "'"))
}

/// A sentence of another package stays in its line: a line break could start a section of ours.
fn one_line(text: &str) -> String {
    let visible = |c: &char| !c.is_control();
    text.split_whitespace().map(|word| word.chars().filter(visible).collect()).collect::<Vec<String>>().join(" ")
}
