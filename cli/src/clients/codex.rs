//! Codex: `.codex/config.toml` and a rules file of our own.
//!
//! Tried with 0.169: project files load only in a project that the user trusts; `codex mcp get` shows the
//! only enabled tools. Rules are Starlark, judged by prefix, and the strictest wins; their examples are
//! tried when the file loads, and a wrong one fails the load of all. Examples are written as words, not as
//! lines, so that its shell words and ours cannot differ. `/usr/bin/dropdb` does not match `dropdb`.
//! `env_vars` forwards a variable under its own name and no other.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use skills::tools::{Effect, Launch, Rule, Server, words};

use super::sheet::Sheet;
use super::verdict::{Named, Verdict};
use super::{Client, Covered, hook_command};

const CONFIG: &str = ".codex/config.toml";
const HOOKS: &str = ".codex/hooks.json";

pub(super) fn render(named: &Named<'_>, sheet: &mut Sheet) {
    servers(named, sheet);
    rules(named, sheet);
    grants(named, sheet);
    hook(named, sheet);
}

fn servers(named: &Named<'_>, sheet: &mut Sheet) {
    if named.bundle.servers.is_empty() {
        return;
    }
    let mut renamed = Vec::new();
    for server in &named.bundle.servers {
        sheet.toml_entry(CONFIG, &["mcp_servers", &server.id], entry(named, server));
        renamed.extend(renamed_variables(server));
    }
    if renamed.is_empty() {
        sheet.covers("servers", Covered::Full, "loaded once the user trusts the project");
    } else {
        let note = "loaded once the user trusts the project; a variable is forwarded under its own name only";
        sheet.covers("servers", Covered::Partial, note);
        renamed.into_iter().for_each(|line| sheet.by_hand(line));
    }
    sheet.covers("expose only", Covered::Full, "`enabled_tools`");
    sheet.covers("tools", Covered::Full, "`approval_mode` of each tool, `prompt` by default");
}

fn entry(named: &Named<'_>, server: &Server) -> Value {
    let mut value = match &server.launch {
        Launch::Stdio { command, args, .. } => json!({"command": command, "args": args}),
        Launch::Http { url, .. } => json!({"url": url}),
    };
    match &server.launch {
        Launch::Stdio { env, .. } if !env.is_empty() => {
            value["env_vars"] = env.iter().map(|(name, _)| name.as_str()).collect();
        }
        Launch::Http { headers, .. } if !headers.is_empty() => {
            let headers = headers.iter().map(|(name, variable)| (name.clone(), json!(variable)));
            value["env_http_headers"] = headers.collect::<Map<_, _>>().into();
        }
        Launch::Stdio { .. } | Launch::Http { .. } => {}
    }
    value["enabled_tools"] = named.exposed(server).into();
    value["default_tools_approval_mode"] = "prompt".into();
    let modes: Map<String, Value> = server.tools.iter().filter_map(|tool| mode(named, server, tool)).collect();
    if !modes.is_empty() {
        value["tools"] = modes.into();
    }
    value
}

fn mode(named: &Named<'_>, server: &Server, tool: &skills::tools::Tool) -> Option<(String, Value)> {
    let mode = match named.verdict(server, tool) {
        Verdict::Ask => "prompt",
        Verdict::Allow => "approve",
        Verdict::Default | Verdict::Deny => return None,
    };
    Some((tool.name.clone(), json!({"approval_mode": mode})))
}

fn renamed_variables(server: &Server) -> Vec<String> {
    let Launch::Stdio { env, .. } = &server.launch else { return Vec::new() };
    let renamed = env.iter().filter(|(name, from)| name != from);
    renamed
        .map(|(name, from)| format!("start codex with {name} set to the value of {from}: export {name}=\"${from}\""))
        .collect()
}

fn rules(named: &Named<'_>, sheet: &mut Sheet) {
    let commands = named.commands();
    let allowed: Vec<&[String]> = named.granted_commands().collect();
    if !commands.is_empty() || !allowed.is_empty() {
        let mut text = format!("# {}: written by `skill install`, removed by `skill remove`.\n", named.package);
        for (effect, words, rule) in &commands {
            text.push_str(&prefix_rule(words, decision(*effect), Some(rule)));
        }
        for words in allowed {
            text.push_str(&prefix_rule(words, "allow", None));
        }
        sheet.file(format!(".codex/rules/skill-{}.rules", named.package.name().as_str()), text);
    }
    if !commands.is_empty() {
        let note = "not through a path, a redirection, `$(…)` or a script";
        sheet.covers("commands", Covered::Partial, note);
    }
    for (what, rules) in [("reads", named.reads()), ("edits", named.edits())] {
        if !rules.is_empty() {
            sheet.covers(what, Covered::Unsupported, "rules are about commands only");
        }
    }
}

fn decision(effect: Effect) -> &'static str {
    match effect {
        Effect::Ask => "prompt",
        Effect::Deny => "forbidden",
    }
}

fn prefix_rule(pattern: &[String], decision: &str, rule: Option<&Rule>) -> String {
    let mut text = format!("prefix_rule(\n    pattern = {},\n    decision = \"{decision}\",\n", list(pattern));
    if let Some(reason) = rule.and_then(|rule| rule.reason.as_deref()) {
        let _ = writeln!(text, "    justification = {},", literal(reason));
    }
    let examples = rule.map(|rule| [("match", &rule.matches), ("not_match", &rule.not_matches)]);
    for (key, lines) in examples.into_iter().flatten() {
        let lines: Vec<String> =
            lines.iter().filter_map(|line| words::split(line).ok()).map(|words| list(&words)).collect();
        if !lines.is_empty() {
            let _ = writeln!(text, "    {key} = [{}],", lines.join(", "));
        }
    }
    text + ")\n"
}

fn list(words: &[String]) -> String {
    format!("[{}]", words.iter().map(|word| literal(word)).collect::<Vec<_>>().join(", "))
}

/// A string of Starlark: nothing in it ends it, whatever the manifest let through.
fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            c if c.is_control() || ('\u{2028}'..='\u{2029}').contains(&c) => {
                let _ = write!(literal, "\\u{:04x}", u32::from(c));
            }
            c => literal.push(c),
        }
    }
    literal + "\""
}

fn grants(named: &Named<'_>, sheet: &mut Sheet) {
    if named.wishes_any() {
        let note = if named.grants_any() { "as approved" } else { "none approved: the client asks" };
        sheet.covers("grants", Covered::Full, note);
    }
}

fn hook(named: &Named<'_>, sheet: &mut Sheet) {
    if !named.hook {
        return;
    }
    let command = json!({"type": "command", "command": hook_command(Client::Codex), "timeout": 10});
    sheet.item(HOOKS, &["hooks", "PreToolUse"], json!({"hooks": [command]}));
    let note = "runs once the user has reviewed it with `/hooks`; it can deny and not ask, so what is asked about is left to the rules";
    sheet.covers("hook", Covered::Partial, note);
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn a_string_of_starlark_cannot_be_left() {
        for (text, expected) in [
            ("plain é", "\"plain é\""),
            ("a\"b", r#""a\"b""#),
            ("a\\", r#""a\\""#),
            ("a\nb\r", r#""a\u000ab\u000d""#),
            ("\")\nprefix_rule(", r#""\")\u000aprefix_rule(""#),
        ] {
            assert_eq!(literal(text), expected);
        }
    }
}
