//! Places: where an entry of ours stands in a client's configuration, and the row that records it.
//!
//! The ledger comes with the branch, so it is a stranger's text. A row is believed only about places
//! where a rendering could have put something: the client's own files, below the containers that
//! bundles use, and as a whole only files that carry our name. Every other row is refused before
//! anything is looked at.

use std::fmt;

use index::lock::Entry;
use serde_json::Value;
use skills::{FilePath, PackageName, Sha256};

use crate::clients::{Client, Want};
use crate::edits::{self, Format};
use crate::failure::{Exit, Failure};

/// Where one thing stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Who reads it.
    pub client: Client,
    /// The file, relative to the project.
    pub path: String,
    /// What of the file.
    pub part: Part,
}

/// What of a file is ours.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// All of it.
    File,
    /// One key.
    Entry(Format, Vec<String>),
    /// One element of a list.
    Item(Format, Vec<String>, Value),
}

/// Keys at the top of clients' files below which bundles have entries.
const CONTAINERS: [&str; 10] = [
    "hooks",
    "inputs",
    "mcp",
    "mcpAllowlist",
    "mcpServers",
    "mcp_servers",
    "permission",
    "permissions",
    "servers",
    "terminalAllowlist",
];

impl Place {
    /// The place of a wanted edit.
    pub fn of(client: Client, want: &Want) -> Self {
        let part = match want {
            Want::File { .. } => Part::File,
            Want::Entry { format, at, .. } => Part::Entry(*format, at.clone()),
            Want::Item { format, at, item, .. } => Part::Item(*format, at.clone(), item.clone()),
        };
        Self { client, path: want.path().to_owned(), part }
    }

    /// The place of a row, if it is one that may be ours.
    pub fn of_row(row: &Entry) -> Result<Self, Failure> {
        let foreign = || {
            let seen =
                format!("skills.lock says that `{}` of `{}` is ours, which no bundle could write", row.at, row.path);
            Failure::new(Exit::Failed, "ledger-foreign", seen).hint("restore skills.lock from version control")
        };
        let client = Client::named(&row.client).map_err(|_| foreign())?;
        let part = Self::part_of(row).ok_or_else(foreign)?;
        let place = Self { client, path: row.path.to_string(), part };
        if place.is_lawful() { Ok(place) } else { Err(foreign()) }
    }

    fn part_of(row: &Entry) -> Option<Part> {
        if row.at.is_empty() {
            return Some(Part::File);
        }
        let format = edits::format_of(row.path.as_str())?;
        let at = steps(format, &row.at)?;
        Some(match &row.item {
            Some(text) => Part::Item(format, at, item_of(text, row.sha256)?),
            None => Part::Entry(format, at),
        })
    }

    /// Whether a rendering may name this place.
    pub fn is_lawful(&self) -> bool {
        let file = self.path.rsplit('/').next().unwrap_or_default();
        self.client.may_write(&self.path)
            && match &self.part {
                Part::File => file.starts_with("skill-"),
                // The one key at the top that a file of hooks has to have.
                Part::Entry(_, at) if at == &["version"] => self.path == ".cursor/hooks.json",
                Part::Entry(_, at) => at.len() >= 2 && is_container(&at[0]) && at[0] != "permissions",
                Part::Item(_, at, _) => at.first().is_some_and(|first| is_container(first)),
            }
    }

    /// The row that records it.
    pub fn row(&self, sha256: Sha256, owner: &PackageName) -> Result<Entry, Failure> {
        let item = match &self.part {
            Part::Item(_, _, item) => Some(item_text(item)),
            Part::File | Part::Entry(..) => None,
        };
        Ok(Entry {
            client: self.client.as_str().to_owned(),
            path: FilePath::parse(&self.path)?,
            at: self.at_text(),
            item,
            sha256,
            owners: vec![owner.clone()],
            preexisting: false,
            created: false,
            made: Vec::new(),
        })
    }

    /// What two equal places have in common, and no other.
    pub fn key(&self) -> (String, String, Option<String>) {
        let item = match &self.part {
            Part::Item(_, _, item) => Some(item_text(item)),
            Part::File | Part::Entry(..) => None,
        };
        (self.path.clone(), self.at_text(), item)
    }

    fn at_text(&self) -> String {
        match &self.part {
            Part::File => String::new(),
            Part::Entry(format, at) | Part::Item(format, at, _) => steps_text(*format, at),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            Part::File => write!(f, "{}", self.path),
            Part::Entry(format, at) => write!(f, "{} {}", self.path, steps_text(*format, at)),
            Part::Item(format, at, item) => {
                write!(f, "{} {} {}", self.path, steps_text(*format, at), item_text(item))
            }
        }
    }
}

fn is_container(step: &str) -> bool {
    CONTAINERS.contains(&step)
}

/// A path into a file as the ledger writes it: a JSON pointer, or a dotted TOML key.
pub(super) fn steps_text(format: Format, at: &[String]) -> String {
    match format {
        Format::Json => edits::pointer(at),
        Format::Toml => {
            let keys = at.iter().map(|step| toml_edit::Key::new(step).display_repr().into_owned());
            keys.collect::<Vec<_>>().join(".")
        }
    }
}

/// The path that the ledger wrote.
pub(super) fn steps(format: Format, text: &str) -> Option<Vec<String>> {
    match format {
        Format::Json => edits::steps(text),
        Format::Toml if text.is_empty() => Some(Vec::new()),
        Format::Toml => {
            let keys = toml_edit::Key::parse(text).ok()?;
            Some(keys.iter().map(|key| key.get().to_owned()).collect())
        }
    }
}

/// An element as the ledger writes it: its text, where it is one that fits on a line.
fn item_text(item: &Value) -> String {
    match item {
        Value::String(text) if !text.chars().any(char::is_control) => text.clone(),
        other => edits::canonical_text(other),
    }
}

/// The element that the ledger wrote: the one reading of the text that has its digest.
fn item_of(text: &str, sha256: Sha256) -> Option<Value> {
    let plain = Value::String(text.to_owned());
    if edits::digest(&plain) == sha256 {
        return Some(plain);
    }
    serde_json::from_str(text).ok().filter(|item| edits::digest(item) == sha256)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owner() -> PackageName {
        PackageName::parse("acme/tools").expect("a name")
    }

    fn item(path: &str, at: &str, item: Value) -> Want {
        Want::Item { path: path.into(), format: Format::Json, at: edits::steps(at).expect("a pointer"), item }
    }

    #[test]
    fn a_place_and_its_row_are_one_and_the_same() {
        let toml = vec!["mcp_servers".to_owned(), "pg.x".to_owned()];
        for (client, want, at) in [
            (
                Client::ClaudeCode,
                item(".claude/settings.json", "/permissions/deny", json!("Bash(a \"b\" *)")),
                "/permissions/deny",
            ),
            (
                Client::Copilot,
                item(".vscode/mcp.json", "/inputs", json!({"id": "pg", "type": "promptString"})),
                "/inputs",
            ),
            (Client::Copilot, item(".vscode/mcp.json", "/inputs", json!("{\"a\":1}")), "/inputs"),
            (Client::Copilot, item(".vscode/mcp.json", "/inputs", json!("a\nb")), "/inputs"),
            (
                Client::Codex,
                Want::Entry { path: ".codex/config.toml".into(), format: Format::Toml, at: toml, value: json!({}) },
                "mcp_servers.\"pg.x\"",
            ),
            (Client::Codex, Want::File { path: ".codex/rules/skill-pg.rules".into(), text: String::new() }, ""),
        ] {
            let place = Place::of(client, &want);
            let digest = match &want {
                Want::Item { item, .. } => edits::digest(item),
                _ => Sha256::of("x"),
            };
            let row = place.row(digest, &owner()).expect("a row");
            assert_eq!(row.at, at);
            assert_eq!(Place::of_row(&row).expect("ours"), place);
        }
    }

    #[test]
    fn a_row_about_what_no_bundle_writes_is_refused() {
        let foreign = |client: &str, path: &str, at: &str, item: Option<&str>| {
            let row = Entry {
                client: client.into(),
                path: FilePath::parse(path).expect("lawful"),
                at: at.into(),
                item: item.map(str::to_owned),
                sha256: Sha256::of(item.map(|item| format!("\"{item}\"")).unwrap_or_default()),
                owners: vec![owner()],
                preexisting: false,
                created: false,
                made: Vec::new(),
            };
            assert_eq!(Place::of_row(&row).expect_err(path).code, "ledger-foreign");
        };
        foreign("claude-code", ".claude/settings.json", "", None);
        foreign("claude-code", ".mcp.json", "", None);
        foreign("claude-code", "src/main.rs", "", None);
        foreign("claude-code", "package.json", "/scripts/test", None);
        foreign("claude-code", ".codex/config.toml", "mcp_servers.pg", None);
        foreign("claude-code", ".claude/settings.json", "/model", None);
        foreign("claude-code", ".claude/settings.json", "/permissions", None);
        foreign("claude-code", ".claude/settings.json", "/permissions/deny", None);
        foreign("claude-code", ".claude/settings.json", "/env", Some("X"));
        foreign("claude-code", ".mcp.json", "/mcpServers", None);
        foreign("codex", ".codex/config.toml", "model", None);
        foreign("codex", ".codex/config.toml", "projects.home", None);
        foreign("codex", ".codex/rules/mine.rules", "", None);
        foreign("nobody", ".mcp.json", "/mcpServers/pg", None);
        foreign("opencode", ".opencode/opencode.json", "/permission", None);
    }
}
