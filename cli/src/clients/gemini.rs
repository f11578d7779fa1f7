//! Gemini CLI: `.gemini/settings.json`.
//!
//! Tried with 0.61: in a folder that the user does not trust, all servers are disabled. `includeTools` is a
//! list of the only ones. Policies about commands and files are read at the user's and the administrator's
//! tier; those of a repository do not work. Trust is of a whole server, so a grant of one tool would be one
//! of all, and is not written. Variables that look like secrets are withheld unless they are named.

use serde_json::{Map, Value, json};
use skills::tools::{Launch, Server};

use super::sheet::Sheet;
use super::verdict::Named;
use super::{Client, Covered, hook_command};

const SETTINGS: &str = ".gemini/settings.json";

pub(super) fn render(named: &Named<'_>, sheet: &mut Sheet) {
    servers(named, sheet);
    unsupported(named, sheet);
    hook(named, sheet);
}

fn servers(named: &Named<'_>, sheet: &mut Sheet) {
    if named.bundle.servers.is_empty() {
        return;
    }
    for server in &named.bundle.servers {
        sheet.entry(SETTINGS, &["mcpServers", &server.id], entry(named, server));
    }
    sheet.covers("servers", Covered::Full, "in a folder that the user trusts");
    sheet.covers("expose only", Covered::Full, "`includeTools`");
    sheet.covers("tools", Covered::Full, "each call is asked about: `trust` is false");
}

fn entry(named: &Named<'_>, server: &Server) -> Value {
    let from = |pairs: &[(String, String)]| -> Map<String, Value> {
        pairs.iter().map(|(name, variable)| (name.clone(), json!(format!("${{{variable}}}")))).collect()
    };
    let mut value = match &server.launch {
        Launch::Stdio { command, args, .. } => json!({"command": command, "args": args}),
        Launch::Http { url, .. } => json!({"type": "http", "url": url}),
    };
    match &server.launch {
        Launch::Stdio { env, .. } if !env.is_empty() => value["env"] = from(env).into(),
        Launch::Http { headers, .. } if !headers.is_empty() => value["headers"] = from(headers).into(),
        Launch::Stdio { .. } | Launch::Http { .. } => {}
    }
    value["includeTools"] = named.exposed(server).into();
    value["trust"] = false.into();
    value
}

fn unsupported(named: &Named<'_>, sheet: &mut Sheet) {
    for (what, rules) in [("commands", named.commands()), ("reads", named.reads()), ("edits", named.edits())] {
        if !rules.is_empty() {
            sheet.covers(what, Covered::Unsupported, "policies of a repository do not work; the hook does");
        }
    }
    if named.wishes_any() {
        let note = "refused: `trust` is of a whole server, and would allow every tool of it";
        sheet.covers("grants", Covered::Unsupported, note);
    }
}

fn hook(named: &Named<'_>, sheet: &mut Sheet) {
    if !named.hook {
        return;
    }
    let command = hook_command(Client::Gemini);
    let hook = json!({"name": "skill", "type": "command", "command": command, "timeout": 10_000});
    sheet.item(SETTINGS, &["hooks", "BeforeTool"], json!({"matcher": "*", "hooks": [hook]}));
    sheet.covers("hook", Covered::Partial, "in a folder that the user trusts; not into a script");
}
