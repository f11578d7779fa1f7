//! What people are told about edits of clients' files: the patch, what it enforces, what stands in the way.
//!
//! The lines around an edit are the user's own. What has the form of a credential is left out of what is
//! shown: a log of CI is read by more people than a configuration file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use skills::manifest::looks_secret;
use skills::{PackageName, Refusal};

use super::reconcile::{self, Files, Found, Wanted};
use super::{Decided, Place};
use crate::clients::{Client, Coverage, Want};
use crate::failure::{Exit, Failure};
use crate::shown;

/// Most lines of one file's patch that are shown where somebody did not ask for it.
const PATCH_LINES_MAX: usize = 16;

/// Where notes begin, and where a line ends.
const NOTE_INDENT: &str = "                           ";
const COLUMNS: usize = 80;

impl Decided {
    /// What a person sees before anything is written; all of every file's patch, or its beginning.
    pub fn show(&self, whole: bool) -> String {
        let mut text = if whole { self.diff.clone() } else { beginnings(&self.diff) };
        if !self.files.is_empty() {
            text.push_str(&coverage_text(&self.coverage));
            for line in &self.by_hand {
                text.push_str(&format!("by hand: {line}\n"));
            }
        }
        for (package, open) in &self.waiting {
            text.push_str(&format!("{package}: {open} grants wait for approval (`skill approve {package}`)\n"));
        }
        text
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "files": self.files.keys().collect::<Vec<_>>(),
            "diff": self.diff,
            "coverage": coverage_json(&self.coverage),
            "by_hand": self.by_hand,
            "modified": self.modified.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "approvals_lapsed": self.lapsed.iter().map(|row| format!("{} {}", row.package, row.grant)).collect::<Vec<_>>(),
            "grants_waiting": self.waiting.iter().map(|(package, open)| json!({"package": package, "grants": open})).collect::<Vec<_>>(),
        })
    }
}

/// A block for each bundle and client: how much of what, and why not more.
pub fn coverage_text(coverage: &[(PackageName, Client, Vec<Coverage>)]) -> String {
    let mut text = String::new();
    for (package, client, rows) in coverage {
        let _ = writeln!(text, "{package} in {}", client.as_str());
        for row in rows {
            let covered = serde_json::to_value(row.covered).ok();
            let covered = covered.as_ref().and_then(Value::as_str).unwrap_or_default();
            let head = format!("  {:<12} {covered:<12}", row.what);
            let note = shown::wrapped(&row.note, NOTE_INDENT, COLUMNS);
            let _ = writeln!(text, "{}", format!("{head}{}", note.get(head.len()..).unwrap_or_default()).trim_end());
        }
    }
    text
}

/// A patch in which no file takes more than a few lines: whoever installs ten bundles wants to see what
/// changes, not to scroll past it.
fn beginnings(diff: &str) -> String {
    let mut text = String::new();
    let mut left_out = 0;
    let mut lines_of_file = 0;
    for line in diff.lines() {
        if line.starts_with("--- ") {
            text.push_str(&rest(left_out));
            (left_out, lines_of_file) = (0, 0);
        }
        lines_of_file += 1;
        if lines_of_file > PATCH_LINES_MAX {
            left_out += 1;
        } else {
            let _ = writeln!(text, "{line}");
        }
    }
    text + &rest(left_out)
}

fn rest(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!("… {lines} more lines; `--dry-run` shows them all\n") }
}

pub(super) fn coverage_json(coverage: &[(PackageName, Client, Vec<Coverage>)]) -> Value {
    let rows =
        coverage.iter().map(|(package, client, rows)| json!({"package": package, "client": client, "rows": rows}));
    Value::Array(rows.collect())
}

pub(super) fn diff(files: &Files, changed: &BTreeMap<String, Option<String>>) -> String {
    let mut text = String::new();
    for (path, after) in changed {
        let before = match files.get(path) {
            Some(Found::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        text.push_str(&patch(path, before, after.as_deref()));
    }
    text
}

fn patch(path: &str, before: Option<&str>, after: Option<&str>) -> String {
    let name = |side: char, text: Option<&str>| match text {
        Some(_) => format!("{side}/{path}"),
        None => "/dev/null".to_owned(),
    };
    let mut options = diffy::DiffOptions::new();
    options.set_original_filename(name('a', before)).set_modified_filename(name('b', after));
    masked(&options.create_patch(before.unwrap_or_default(), after.unwrap_or_default()).to_string())
}

/// Everything that stands in the way, and what to write by hand where a file cannot be edited.
pub(super) fn refusal(refused: &[(Place, Refusal)], wanted: &[Wanted]) -> Failure {
    let (place, first) = &refused[0];
    let mut lines: Vec<String> = refused
        .iter()
        .map(|(place, refusal)| match refusal.message.contains(&place.path) {
            true => refusal.message.clone(),
            false => format!("`{}` {}", place.path, refusal.message),
        })
        .collect();
    lines.dedup();
    let mut message = format!("{}; nothing was changed", lines.join("; "));
    let mut paths: Vec<&str> = refused.iter().map(|(place, _)| place.path.as_str()).collect();
    paths.dedup();
    let is_conflict = first.code == "tools-conflict";
    for path in paths.into_iter().filter(|_| !is_conflict) {
        let wants: Vec<&Want> = wanted.iter().map(|one| &one.want).filter(|want| want.path() == path).collect();
        let fragment = reconcile::by_hand(&wants);
        if !fragment.is_empty() {
            message.push_str(&format!("\nto be added to `{path}` by hand:\n{}", patch(path, None, Some(&fragment))));
        }
    }
    let exit = if is_conflict || first.code == "tools-config-blocked" { Exit::Failed } else { Exit::Usage };
    let hint = first
        .hint
        .clone()
        .unwrap_or_else(|| format!("mend `{}`, or leave its client out under [tools] clients", place.path));
    Failure::new(exit, first.code, message).hint(hint)
}

/// The same text without what looks like a credential.
fn masked(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.+/=:@".contains(c);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|c| !is_part(c)).map_or(rest.len(), |length| start + length);
        out.push_str(&rest[..start]);
        let word = &rest[start..end];
        out.push_str(if looks_secret(word) { "…" } else { word });
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_shows_how_its_patch_begins_and_how_much_is_left_out() {
        let file = |name: &str, lines: usize| format!("--- /dev/null\n+++ b/{name}\n{}", "+x\n".repeat(lines));
        let long = file("long", 20);
        let shown = beginnings(&format!("{long}{}", file("short", 2)));
        assert!(
            shown.contains("+x\n… 6 more lines; `--dry-run` shows them all\n--- /dev/null\n+++ b/short\n"),
            "{shown}"
        );
        assert!(shown.ends_with("+++ b/short\n+x\n+x\n"), "{shown}");
    }

    #[test]
    fn a_credential_of_the_user_is_never_shown() {
        let before = "{\"env\":{\"A\":\"ghp_0123456789abcdef0123\",\"B\":\"postgres://u:hunter2pass@db/x\"}}";
        let shown = patch(".mcp.json", Some(before), Some(&before.replace("\"A\"", "\"C\"")));
        assert!(!shown.contains("0123456789") && !shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("\"A\":\"…\""), "{shown}");
        assert_eq!(masked("a ghp_x b\n"), "a ghp_x b\n");
    }
}
