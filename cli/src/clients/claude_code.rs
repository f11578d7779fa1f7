//! Claude Code: `.mcp.json` and `.claude/settings.json`.
//!
//! Tried with 2.1.330: `claude mcp list` shows a project's server as pending until a human approves it.
//! Rules are judged deny, ask, allow, and the first that fits wins. `Bash(dropdb *)` also fits a bare
//! `dropdb`; it does not see through a path, `sh -c` or a script. Of rules about files only `Read` and
//! `Edit` are consulted; `Write(…)` and `Glob(…)` would be accepted and ignored. There is no list of the
//! only tools of a server: each other tool has to be denied by its name, which nobody knows. What a project
//! allows is ignored until the user trusts the folder; `claude doctor` names every rule that it skips.

use serde_json::{Map, Value, json};
use skills::tools::{Effect, Launch};

use super::globs::from_the_top;
use super::sheet::Sheet;
use super::verdict::{Named, Verdict};
use super::{Client, Covered, hook_command};

const SERVERS: &str = ".mcp.json";
const SETTINGS: &str = ".claude/settings.json";

pub(super) fn render(named: &Named<'_>, sheet: &mut Sheet) {
    servers(named, sheet);
    tools(named, sheet);
    commands(named, sheet);
    paths(named, sheet);
    grants(named, sheet);
    hook(named, sheet);
}

fn servers(named: &Named<'_>, sheet: &mut Sheet) {
    if named.bundle.servers.is_empty() {
        return;
    }
    for server in &named.bundle.servers {
        sheet.entry(SERVERS, &["mcpServers", &server.id], launch(&server.launch));
    }
    sheet.covers("servers", Covered::Full, "pending until a human approves them in `claude`");
    let note = "no list of the only tools: a tool that the bundle does not name is asked about, not hidden";
    sheet.covers("expose only", Covered::Unsupported, note);
}

fn launch(launch: &Launch) -> Value {
    let from = |pairs: &[(String, String)]| -> Map<String, Value> {
        pairs.iter().map(|(name, variable)| (name.clone(), json!(format!("${{{variable}}}")))).collect()
    };
    let mut value = match launch {
        Launch::Stdio { command, args, .. } => json!({"command": command, "args": args}),
        Launch::Http { url, .. } => json!({"type": "http", "url": url}),
    };
    match launch {
        Launch::Stdio { env, .. } if !env.is_empty() => value["env"] = from(env).into(),
        Launch::Http { headers, .. } if !headers.is_empty() => value["headers"] = from(headers).into(),
        Launch::Stdio { .. } | Launch::Http { .. } => {}
    }
    value
}

fn tools(named: &Named<'_>, sheet: &mut Sheet) {
    for (server, tool, verdict) in named.tools() {
        let rule = tool_name(&server.id, &tool.name);
        match verdict {
            Verdict::Ask => sheet.item(SETTINGS, &["permissions", "ask"], rule),
            Verdict::Deny => sheet.item(SETTINGS, &["permissions", "deny"], rule),
            Verdict::Allow => sheet.item(SETTINGS, &["permissions", "allow"], rule),
            Verdict::Default => {}
        }
    }
    if !named.bundle.servers.is_empty() {
        sheet.covers(
            "tools",
            Covered::Full,
            "asked about or denied by name; the others as this client does by default",
        );
    }
}

/// A tool in rules: other characters than these become `_`, as in the names that the model sees.
fn tool_name(server: &str, tool: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let tool: String = tool.chars().map(plain).collect();
    format!("mcp__{server}__{tool}")
}

fn commands(named: &Named<'_>, sheet: &mut Sheet) {
    let rules = named.commands();
    for (effect, words, _) in &rules {
        sheet.item(SETTINGS, &["permissions", list(*effect)], format!("Bash({} *)", words.join(" ")));
    }
    if !rules.is_empty() {
        sheet.covers("commands", Covered::Partial, "not through a path, `sh -c`, an assignment or a script");
    }
}

fn paths(named: &Named<'_>, sheet: &mut Sheet) {
    for (what, tool, rules) in [("reads", "Read", named.reads()), ("edits", "Edit", named.edits())] {
        for (effect, globs, _) in &rules {
            for glob in *globs {
                let rule = format!("{tool}({})", from_the_top(glob));
                sheet.item(SETTINGS, &["permissions", list(*effect)], rule);
            }
        }
        if !rules.is_empty() {
            sheet.covers(what, Covered::Partial, "the client's own tools; not what a command opens");
        }
    }
}

fn list(effect: Effect) -> &'static str {
    match effect {
        Effect::Ask => "ask",
        Effect::Deny => "deny",
    }
}

fn grants(named: &Named<'_>, sheet: &mut Sheet) {
    for words in named.granted_commands() {
        sheet.item(SETTINGS, &["permissions", "allow"], format!("Bash({} *)", words.join(" ")));
    }
    if named.wishes_any() {
        let note = if named.grants_any() {
            "as approved, once the user trusts the folder"
        } else {
            "none approved: the client asks"
        };
        sheet.covers("grants", Covered::Full, note);
    }
}

fn hook(named: &Named<'_>, sheet: &mut Sheet) {
    if !named.hook {
        return;
    }
    let command = json!({"type": "command", "command": hook_command(Client::ClaudeCode), "timeout": 10});
    sheet.item(SETTINGS, &["hooks", "PreToolUse"], json!({"matcher": "*", "hooks": [command]}));
    sheet.covers("hook", Covered::Partial, "sees through shells and paths, not into a script");
}
