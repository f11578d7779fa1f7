//! What a tool bundle becomes in each agent's own configuration (FORMATS §4).
//!
//! One file a client, because each has its own words and changes them monthly. All of them are pure:
//! a bundle and what a human approved go in, wanted edits come out, together with an honest account
//! of how much of the bundle that client enforces. Who writes the edits, owns them and takes them
//! away again is the ledger's business, not ours.
//!
//! Three laws hold for every client. Only forms that the client consults are rendered: a rule that is
//! accepted and ignored is worse than none. Nothing here is a whole setting (`defaultMode`,
//! `approval_policy`), only entries beside the user's own. And an entry that allows something comes
//! from an approved grant, never from the bundle alone.

mod account;
mod claude_code;
mod client;
mod codex;
mod copilot;
mod cursor;
mod gemini;
mod globs;
mod opencode;
mod renames;
mod sheet;
mod verdict;

use serde::Serialize;
use serde_json::Value;
use skills::PackageName;
use skills::tools::{Bundle, Granted};

use self::sheet::Sheet;
pub(crate) use self::verdict::{Named, Verdict};
use crate::failure::Failure;

pub use self::client::Client;
pub use self::renames::Renames;

/// The language of a configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON in which people write comments and trailing commas.
    Json,
    /// TOML.
    Toml,
}

/// An edit that a client's configuration needs. Paths are relative to the repository, with `/`;
/// `at` names keys from the top of the document. Edits are applied in their order: in one client the
/// last of several entries counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "want", rename_all = "lowercase")]
pub enum Want {
    /// A whole file that is ours.
    File {
        /// Where it is.
        path: String,
        /// What is in it.
        text: String,
    },
    /// A key that must not be there with another value.
    Entry {
        /// The file.
        path: String,
        /// Its language.
        format: Format,
        /// The keys to it, its own last.
        at: Vec<String>,
        /// Its value.
        value: Value,
    },
    /// An element of a list, wherever in it.
    Item {
        /// The file.
        path: String,
        /// Its language.
        format: Format,
        /// The keys to the list.
        at: Vec<String>,
        /// The element.
        item: Value,
    },
}

impl Want {
    /// The file that it is about.
    pub fn path(&self) -> &str {
        match self {
            Self::File { path, .. } | Self::Entry { path, .. } | Self::Item { path, .. } => path,
        }
    }
}

/// How much of one part of a bundle a client enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Covered {
    /// As the bundle says it.
    Full,
    /// There are ways around it that the note names.
    Partial,
    /// Not at all.
    Unsupported,
}

/// One row of the account that is shown before anything is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The part of the bundle: `servers`, `expose only`, `tools`, `commands`, `reads`, `edits`, `grants`,
    /// `hook`. A part that the bundle does not have has no row.
    pub what: &'static str,
    /// How much of it.
    pub covered: Covered,
    /// What is missing, or what does it.
    pub note: String,
}

/// What one bundle becomes in one client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rendering {
    /// The client.
    pub client: Client,
    /// The edits, in their order.
    pub wants: Vec<Want>,
    /// What of the bundle is enforced then.
    pub coverage: Vec<Coverage>,
    /// Flags and snippets for what no file of the repository can say; printed, never written.
    pub by_hand: Vec<String>,
}

/// What is rendered.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The package: its name is in the names of files that we own.
    pub package: &'a PackageName,
    /// Its tables.
    pub bundle: &'a Bundle,
    /// The grants that a human approved for this very digest; by the bundle's own names of servers.
    pub approved: &'a [Granted],
    /// Servers that get another name here.
    pub renames: &'a Renames,
    /// Whether the client's hook calls `skill hook eval`: off by default, as it needs the program on
    /// every machine.
    pub hook: bool,
}

/// What a bundle becomes in one client. Fails only where renaming gives two servers one name.
pub fn render(client: Client, given: &Given<'_>) -> Result<Rendering, Failure> {
    let named = Named::of(given)?;
    let mut sheet = Sheet::default();
    match client {
        Client::ClaudeCode => claude_code::render(&named, &mut sheet),
        Client::Codex => codex::render(&named, &mut sheet),
        Client::Cursor => cursor::render(&named, &mut sheet),
        Client::Copilot => copilot::render(&named, &mut sheet),
        Client::Gemini => gemini::render(&named, &mut sheet),
        Client::OpenCode => opencode::render(&named, &mut sheet),
    }
    Ok(sheet.rendering(client))
}

/// The command of every hook: where the program is missing, or fails, the call is blocked.
pub(crate) fn hook_command(client: Client) -> String {
    format!("agent-skill hook eval --client {} || exit 2", client.as_str())
}

#[cfg(test)]
mod tests;
