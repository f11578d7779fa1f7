//! Layers above the repository that make what we wrote mean less than it says.
//!
//! A client reads the user's own configuration too, and a repository cannot take back what a user
//! allows there. It can be said, though: each row is one layer, on this machine, and what it does to
//! ours. What cannot be read from here (settings of an organisation, flags of a session) is not said.

use std::path::Path;

use serde_json::Value;

use crate::clients::Client;
use crate::edits::{self, Format};
use crate::home;
use crate::project::{Project, Regular, read_regular};

/// A layer, the client that reads it, and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layer {
    /// Who reads it.
    pub client: Client,
    /// The file, as the user knows it.
    pub path: String,
    /// What it does to what we wrote.
    pub note: String,
}

/// Every layer of this machine that overrides something of these servers.
pub(super) fn layers(project: &Project, clients: &[Client], servers: &[String]) -> Vec<Layer> {
    let home = home::user_folder();
    let mut layers = Vec::new();
    for client in clients {
        let mut say = |path: &str, note: String| {
            layers.push(Layer { client: *client, path: path.to_owned(), note });
        };
        match client {
            Client::ClaudeCode => claude_code(project, home.as_deref(), servers, &mut say),
            Client::Codex => codex(project, home.as_deref(), servers, &mut say),
            Client::Cursor => cursor(home.as_deref(), servers, &mut say),
            Client::Gemini => gemini(home.as_deref(), servers, &mut say),
            Client::OpenCode => opencode(project, servers, &mut say),
            Client::Copilot => {}
        }
    }
    layers
}

type Say<'a> = dyn FnMut(&str, String) + 'a;

/// The user's own settings, for everywhere and for this repository: what they allow is not asked about.
fn claude_code(project: &Project, home: Option<&Path>, servers: &[String], say: &mut Say<'_>) {
    let local = (project.places.join(".claude/settings.local.json"), ".claude/settings.local.json");
    let user = home.map(|home| (home.join(".claude/settings.json"), "~/.claude/settings.json"));
    for (file, name) in [Some(local), user].into_iter().flatten() {
        let Some(settings) = value(&file, Format::Json) else { continue };
        if settings.pointer("/permissions/defaultMode").and_then(Value::as_str) == Some("bypassPermissions") {
            say(name, "`defaultMode` is `bypassPermissions`: nothing is asked about".to_owned());
        }
        for server in servers {
            let tools = texts(&settings, "/permissions/allow")
                .filter(|rule| *rule == format!("mcp__{server}") || rule.starts_with(&format!("mcp__{server}__")));
            for rule in tools {
                say(name, format!("allows `{rule}`, which no approval of this repository covers"));
            }
            if texts(&settings, "/disabledMcpjsonServers").any(|name| name == *server) {
                say(name, format!("disables the server `{server}`"));
            }
        }
    }
}

/// Project files load only in a project that the user trusts.
fn codex(project: &Project, home: Option<&Path>, servers: &[String], say: &mut Say<'_>) {
    const NAME: &str = "~/.codex/config.toml";
    let Some(settings) = home.and_then(|home| value(&home.join(".codex/config.toml"), Format::Toml)) else { return };
    let root = project.places.canonicalize().unwrap_or_else(|_| project.places.clone());
    let level = settings.get("projects").and_then(|all| all.get(root.to_string_lossy().as_ref()));
    if level.and_then(|one| one.get("trust_level")).and_then(Value::as_str) != Some("trusted") {
        say(NAME, "this project is not trusted there, so `.codex/` is not loaded".to_owned());
    }
    for server in servers.iter().filter(|server| settings.pointer(&format!("/mcp_servers/{server}")).is_some()) {
        say(NAME, format!("has a server `{server}` of its own, which is merged with ours"));
    }
    if settings.get("approval_policy").and_then(Value::as_str) == Some("never") {
        say(NAME, "`approval_policy` is `never`: nothing is asked about".to_owned());
    }
}

/// Lists of the user and of the repository are joined.
fn cursor(home: Option<&Path>, servers: &[String], say: &mut Say<'_>) {
    const NAME: &str = "~/.cursor/permissions.json";
    let Some(settings) = home.and_then(|home| value(&home.join(".cursor/permissions.json"), Format::Json)) else {
        return;
    };
    for server in servers {
        for tool in texts(&settings, "/mcpAllowlist")
            .filter(|tool| *tool == "*" || *tool == "*:*" || tool.starts_with(&format!("{server}:")))
        {
            say(NAME, format!("allows `{tool}`, which no approval of this repository covers"));
        }
    }
}

fn gemini(home: Option<&Path>, servers: &[String], say: &mut Say<'_>) {
    const NAME: &str = "~/.gemini/settings.json";
    let Some(settings) = home.and_then(|home| value(&home.join(".gemini/settings.json"), Format::Json)) else { return };
    for server in servers {
        if texts(&settings, "/mcp/excluded").any(|name| name == *server) {
            say(NAME, format!("excludes the server `{server}`"));
        }
        let allowed: Vec<&str> = texts(&settings, "/mcp/allowed").collect();
        if !allowed.is_empty() && !allowed.contains(&server.as_str()) {
            say(NAME, format!("allows other servers only, and `{server}` is not among them"));
        }
    }
}

/// The last rule that fits wins, so what somebody wrote behind ours may undo ours.
fn opencode(project: &Project, servers: &[String], say: &mut Say<'_>) {
    const NAME: &str = ".opencode/opencode.json";
    let Ok(Regular::Bytes(bytes)) = read_regular(&project.places.join(NAME), edits::CONFIG_BYTES_MAX) else { return };
    let Ok(keys) = edits::keys_in_order(&String::from_utf8_lossy(&bytes), &["permission".to_owned()]) else { return };
    for server in servers {
        let Some(ours) = keys.iter().position(|key| *key == format!("{server}_*")) else { continue };
        for later in keys[ours + 1..].iter().filter(|key| {
            *key == "*" || (key.ends_with('*') && format!("{server}_").starts_with(key.trim_end_matches('*')))
        }) {
            say(NAME, format!("`{later}` stands behind the rules of `{server}`, and the last one wins"));
        }
    }
}

/// A file as a value; what is not there or cannot be read overrides nothing that we could name.
fn value(path: &Path, format: Format) -> Option<Value> {
    let Ok(Regular::Bytes(bytes)) = read_regular(path, edits::CONFIG_BYTES_MAX) else { return None };
    edits::value_at(format, &String::from_utf8(bytes).ok()?, &[]).ok().flatten()
}

fn texts<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v str> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
