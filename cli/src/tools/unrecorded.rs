//! What in clients' files allows a tool of our bundles, and no row of the ledger accounts for.
//!
//! One row a list or map that a client consults for what it may do without asking. Somebody who denies
//! or asks for more than the bundle does is welcome; somebody who allows more has widened it.

use serde_json::Value;

use crate::clients::Client;
use crate::edits;
use crate::failure::Failure;
use crate::project::Project;

use super::files;
use super::place::{Part, Place};
use super::reconcile::Found;

/// How a client names a tool where it is allowed.
enum Naming {
    /// An element of a list that is, or begins with, one of these.
    List(fn(&str) -> [String; 2]),
    /// A key of a map that begins with this, unless its value denies or asks.
    Map(fn(&str) -> String),
}

/// Where a client is told what it may do without asking.
struct Allowed {
    client: Client,
    path: &'static str,
    at: &'static str,
    naming: Naming,
}

fn claude(server: &str) -> [String; 2] {
    [format!("mcp__{server}"), format!("mcp__{server}__")]
}

fn cursor_cli(server: &str) -> [String; 2] {
    [format!("Mcp({server})"), format!("Mcp({server}:")]
}

fn cursor(server: &str) -> [String; 2] {
    [server.to_owned(), format!("{server}:")]
}

fn opencode(server: &str) -> String {
    format!("{server}_")
}

const ALLOWED: [Allowed; 4] = [
    Allowed {
        client: Client::ClaudeCode,
        path: ".claude/settings.json",
        at: "/permissions/allow",
        naming: Naming::List(claude),
    },
    Allowed {
        client: Client::Cursor,
        path: ".cursor/cli.json",
        at: "/permissions/allow",
        naming: Naming::List(cursor_cli),
    },
    Allowed {
        client: Client::Cursor,
        path: ".cursor/permissions.json",
        at: "/mcpAllowlist",
        naming: Naming::List(cursor),
    },
    Allowed {
        client: Client::OpenCode,
        path: ".opencode/opencode.json",
        at: "/permission",
        naming: Naming::Map(opencode),
    },
];

/// The places that allow a tool of one of these servers, in the files of the repository.
pub(super) fn allowed(project: &Project, servers: &[(Client, String)]) -> Result<Vec<Place>, Failure> {
    let files = files::read(project, ALLOWED.iter().map(|known| known.path))?;
    let mut places = Vec::new();
    for known in &ALLOWED {
        let Some(Found::Text(text)) = files.get(known.path) else { continue };
        let (Some(format), Some(at)) = (edits::format_of(known.path), edits::steps(known.at)) else { continue };
        // What cannot be read allows nothing; that it cannot be read is said elsewhere.
        let Ok(Some(value)) = edits::value_at(format, text, &at) else { continue };
        let ids = servers.iter().filter(|(client, _)| *client == known.client).map(|(_, id)| id.as_str());
        for part in ids.flat_map(|id| named(known, format, &at, &value, id)) {
            places.push(Place { client: known.client, path: known.path.to_owned(), part });
        }
    }
    Ok(places)
}

fn named(known: &Allowed, format: edits::Format, at: &[String], value: &Value, server: &str) -> Vec<Part> {
    match (&known.naming, value) {
        (Naming::List(naming), Value::Array(items)) => {
            let [whole, start] = naming(server);
            let is_about = |item: &&Value| item.as_str().is_some_and(|text| text == whole || text.starts_with(&start));
            items.iter().filter(is_about).map(|item| Part::Item(format, at.to_vec(), item.clone())).collect()
        }
        (Naming::Map(naming), Value::Object(map)) => {
            let start = naming(server);
            let widens = |(key, value): &(&String, &Value)| {
                key.starts_with(&start) && !matches!(value.as_str(), Some("deny" | "ask"))
            };
            let entry = |(key, _): (&String, &Value)| Part::Entry(format, at.iter().chain([key]).cloned().collect());
            map.iter().filter(widens).map(entry).collect()
        }
        _ => Vec::new(),
    }
}
