//! OpenCode: `.opencode/opencode.json`, merged over the project's own.
//!
//! Tried with 1.18, where `opencode debug agent build --tool …` runs a tool under these very rules. The last
//! rule that fits wins, so entries are written from the weakest to the strictest, and no command is ever
//! allowed: an `allow` written after another bundle's `deny` would undo it. `dropdb *` also fits a bare
//! `dropdb`, inside lists and substitutions too; not a path, an assignment in front, or `sh -c`. In a glob
//! `*` is any text. What is not named is allowed by default, so what is only read is asked about.

use serde_json::{Map, Value, json};
use skills::tools::{Effect, Launch, Server};

use super::Covered;
use super::globs::any_text;
use super::sheet::Sheet;
use super::verdict::{Named, Verdict};

const CONFIG: &str = ".opencode/opencode.json";

pub(super) fn render(named: &Named<'_>, sheet: &mut Sheet) {
    servers(named, sheet);
    commands(named, sheet);
    paths(named, sheet);
    grants(named, sheet);
    if named.hook {
        sheet.covers("hook", Covered::Unsupported, "this client has plugins and no hooks");
    }
}

fn servers(named: &Named<'_>, sheet: &mut Sheet) {
    if named.bundle.servers.is_empty() {
        return;
    }
    for server in &named.bundle.servers {
        sheet.entry(CONFIG, &["mcp", &server.id], entry(server));
        sheet.entry(CONFIG, &["permission", &format!("{}_*", server.id)], json!("deny"));
    }
    for (server, tool, verdict) in named.tools() {
        let action = match verdict {
            Verdict::Allow => "allow",
            Verdict::Default | Verdict::Ask => "ask",
            Verdict::Deny => continue,
        };
        sheet.entry(CONFIG, &["permission", &tool_name(server, &tool.name)], json!(action));
    }
    sheet.covers("servers", Covered::Full, "started with the client");
    sheet.covers("expose only", Covered::Full, "every tool of the server is denied, then the named ones asked about");
    sheet.covers("tools", Covered::Full, "asked about, unless the client runs with `--auto`");
}

/// Other characters than these become `_`, as in the names that the model sees.
fn tool_name(server: &Server, tool: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{}_{}", server.id, tool.chars().map(plain).collect::<String>())
}

fn entry(server: &Server) -> Value {
    let from = |pairs: &[(String, String)]| -> Map<String, Value> {
        pairs.iter().map(|(name, variable)| (name.clone(), json!(format!("{{env:{variable}}}")))).collect()
    };
    match &server.launch {
        Launch::Stdio { command, args, env, .. } => {
            let words: Vec<&String> = std::iter::once(command).chain(args).collect();
            let mut value = json!({"type": "local", "command": words});
            if !env.is_empty() {
                value["environment"] = from(env).into();
            }
            value
        }
        Launch::Http { url, headers } if headers.is_empty() => json!({"type": "remote", "url": url}),
        Launch::Http { url, headers } => json!({"type": "remote", "url": url, "headers": from(headers)}),
    }
}

fn commands(named: &Named<'_>, sheet: &mut Sheet) {
    let rules = named.commands();
    let patterns = rules.iter().map(|(effect, words, _)| (format!("{} *", words.join(" ")), *effect));
    permissions(sheet, "bash", patterns);
    if !rules.is_empty() {
        let note = "not through a path, an assignment, `sh -c` or a script; a rule written later would win";
        sheet.covers("commands", Covered::Partial, note);
    }
}

fn paths(named: &Named<'_>, sheet: &mut Sheet) {
    for (what, key, rules) in [("reads", "read", named.reads()), ("edits", "edit", named.edits())] {
        let globs = rules.iter().flat_map(|(effect, globs, _)| globs.iter().map(move |glob| (glob, *effect)));
        permissions(
            sheet,
            key,
            globs.flat_map(|(glob, effect)| any_text(glob).into_iter().map(move |glob| (glob, effect))),
        );
        if !rules.is_empty() {
            sheet.covers(what, Covered::Partial, "the client's own tools; not its search, nor what a command opens");
        }
    }
}

/// Each pattern once: two rules about the same come from the weakest to the strictest, and the last counts.
fn permissions(sheet: &mut Sheet, key: &str, patterns: impl Iterator<Item = (String, Effect)>) {
    let mut entries: Vec<(String, Effect)> = Vec::new();
    for (pattern, effect) in patterns {
        entries.retain(|(known, _)| *known != pattern);
        entries.push((pattern, effect));
    }
    for (pattern, effect) in entries {
        sheet.entry(CONFIG, &["permission", key, &pattern], json!(effect.as_str()));
    }
}

fn grants(named: &Named<'_>, sheet: &mut Sheet) {
    if named.granted_commands().next().is_some() {
        let note = "of tools as approved; of commands none, as the last rule wins and would undo a denial";
        sheet.covers("grants", Covered::Partial, note);
    } else if named.wishes_any() {
        let note = if named.grants_any() { "as approved" } else { "none approved: the client asks" };
        sheet.covers("grants", Covered::Full, note);
    }
}
