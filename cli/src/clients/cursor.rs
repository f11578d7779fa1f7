//! Cursor: `.cursor/mcp.json`, `.cursor/cli.json` and, for grants, `.cursor/permissions.json`.
//!
//! By its documentation; it offers no checker. `cli.json` is read by the CLI only, where everything that
//! is not allowed is asked about; the editor knows denials through its hooks alone. `Shell(x)` is about
//! the first word, `Shell(x:y*)` about its arguments. `permissions.json` only allows, and a list in it
//! takes the place of the list in the user's settings. How an MCP tool is spelled in `cli.json` was seen
//! in two forms, so none is written.

use serde_json::{Map, Value, json};
use skills::tools::{Effect, Launch};

use super::globs::workspace;
use super::sheet::Sheet;
use super::verdict::{Named, Verdict};
use super::{Client, Covered, hook_command};

const SERVERS: &str = ".cursor/mcp.json";
const CLI: &str = ".cursor/cli.json";
const ALLOWED: &str = ".cursor/permissions.json";
const HOOKS: &str = ".cursor/hooks.json";

pub(super) fn render(named: &Named<'_>, sheet: &mut Sheet) {
    servers(named, sheet);
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
    sheet.covers("servers", Covered::Full, "enabled once a human approves them");
    sheet.covers("expose only", Covered::Unsupported, "no list of the only tools; the hook denies the others");
    let denies = named.tools().any(|(.., verdict)| verdict == Verdict::Deny);
    let (covered, note) = match denies {
        true => (Covered::Unsupported, "no file denies a tool by name; the hook does"),
        false => (Covered::Partial, "each call is asked about, unless the user lets tools run by themselves"),
    };
    sheet.covers("tools", covered, note);
}

/// Without `type`: a server with a `url` is a remote one.
fn launch(launch: &Launch) -> Value {
    let from = |pairs: &[(String, String)]| -> Map<String, Value> {
        pairs.iter().map(|(name, variable)| (name.clone(), json!(format!("${{env:{variable}}}")))).collect()
    };
    match launch {
        Launch::Stdio { command, args, env, .. } if env.is_empty() => json!({"command": command, "args": args}),
        Launch::Stdio { command, args, env, .. } => json!({"command": command, "args": args, "env": from(env)}),
        Launch::Http { url, headers } if headers.is_empty() => json!({"url": url}),
        Launch::Http { url, headers } => json!({"url": url, "headers": from(headers)}),
    }
}

fn commands(named: &Named<'_>, sheet: &mut Sheet) {
    let rules = named.commands();
    for (_, words, _) in rules.iter().filter(|(effect, ..)| *effect == Effect::Deny) {
        sheet.item(CLI, &["permissions", "deny"], shell(words));
    }
    if !rules.is_empty() {
        let note = "the CLI only: denied by name, and asked about by default; the editor needs the hook";
        sheet.covers("commands", Covered::Partial, note);
    }
}

fn shell(words: &[String]) -> String {
    match words {
        [program] => format!("Shell({program})"),
        [program, rest @ ..] => format!("Shell({program}:{}*)", rest.join(" ")),
        [] => String::from("Shell(*)"),
    }
}

fn paths(named: &Named<'_>, sheet: &mut Sheet) {
    for (what, tool, rules) in [("reads", "Read", named.reads()), ("edits", "Write", named.edits())] {
        let denied = rules.iter().filter(|(effect, ..)| *effect == Effect::Deny);
        for glob in denied.flat_map(|(_, globs, _)| globs.iter()).flat_map(|glob| workspace(glob)) {
            sheet.item(CLI, &["permissions", "deny"], format!("{tool}({glob})"));
        }
        if rules.iter().any(|(effect, ..)| *effect == Effect::Deny) {
            sheet.covers(what, Covered::Partial, "the CLI only, and not what a command opens");
        } else if !rules.is_empty() {
            sheet.covers(what, Covered::Unsupported, "files are denied or not; nothing asks about them");
        }
    }
}

fn grants(named: &Named<'_>, sheet: &mut Sheet) {
    for (server, tool, _) in named.tools().filter(|(.., verdict)| *verdict == Verdict::Allow) {
        sheet.item(ALLOWED, &["mcpAllowlist"], format!("{}:{}", server.id, tool.name));
    }
    for words in named.granted_commands() {
        sheet.item(ALLOWED, &["terminalAllowlist"], words.join(" "));
    }
    if named.grants_any() {
        let note = "the editor only; the list takes the place of the one in the user's settings";
        sheet.covers("grants", Covered::Partial, note);
    } else if named.wishes_any() {
        sheet.covers("grants", Covered::Partial, "none approved: the client asks");
    }
}

fn hook(named: &Named<'_>, sheet: &mut Sheet) {
    if !named.hook {
        return;
    }
    sheet.entry(HOOKS, &["version"], json!(1));
    for event in ["beforeShellExecution", "beforeReadFile", "beforeMCPExecution"] {
        let hook = json!({"command": hook_command(Client::Cursor), "failClosed": true});
        sheet.item(HOOKS, &["hooks", event], hook);
    }
    sheet.covers("hook", Covered::Partial, "reads are denied and never asked about; not into a script");
}
