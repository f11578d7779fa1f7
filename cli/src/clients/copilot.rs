//! Copilot: `.vscode/mcp.json`, and flags and snippets for everything else.
//!
//! By its documentation. VS Code asks for a variable's value and keeps it (`inputs`). No file of the
//! repository denies a command: the CLI takes flags, and the cloud agent has its servers in the settings of
//! the repository on the web, with secrets called `COPILOT_MCP_…`. A server's `tools` there is a list of the
//! only ones.

use serde_json::{Map, Value, json};
use skills::tools::{Effect, Launch, Server};

use super::sheet::Sheet;
use super::verdict::{Named, Verdict};
use super::{Client, Covered, hook_command};

const SERVERS: &str = ".vscode/mcp.json";

pub(super) fn render(named: &Named<'_>, sheet: &mut Sheet) {
    servers(named, sheet);
    commands(named, sheet);
    grants(named, sheet);
    hook(named, sheet);
}

fn servers(named: &Named<'_>, sheet: &mut Sheet) {
    if named.bundle.servers.is_empty() {
        return;
    }
    for server in &named.bundle.servers {
        for (_, variable) in variables(&server.launch) {
            let input =
                json!({"type": "promptString", "id": input_id(variable), "description": variable, "password": true});
            sheet.item(SERVERS, &["inputs"], input);
        }
        sheet.entry(
            SERVERS,
            &["servers", &server.id],
            launch(server, |variable| format!("${{input:{}}}", input_id(variable))),
        );
    }
    sheet.covers("servers", Covered::Partial, "VS Code; the CLI and the cloud agent need the printed snippet");
    sheet.covers("expose only", Covered::Partial, "not in VS Code; `tools` of the printed snippet");
    let denied = named.tools().filter(|(.., verdict)| *verdict == Verdict::Deny);
    let flags: Vec<String> = denied
        .map(|(server, tool, _)| format!("--deny-tool {}", quoted(&format!("{}({})", server.id, tool.name))))
        .collect();
    sheet.covers("tools", Covered::Partial, "each call is asked about by default; what is denied, by a printed flag");
    flags.into_iter().for_each(|flag| sheet.by_hand(format!("copilot {flag}")));
    sheet.by_hand(snippet(named));
}

fn variables(launch: &Launch) -> &[(String, String)] {
    match launch {
        Launch::Stdio { env, .. } => env,
        Launch::Http { headers, .. } => headers,
    }
}

/// `PG_READONLY_URL` as `pg_readonly_url`.
fn input_id(variable: &str) -> String {
    variable.to_ascii_lowercase()
}

fn launch(server: &Server, spelled: impl Fn(&str) -> String) -> Value {
    let from = variables(&server.launch).iter().map(|(name, variable)| (name.clone(), json!(spelled(variable))));
    let from: Map<String, Value> = from.collect();
    let (mut value, key) = match &server.launch {
        Launch::Stdio { command, args, .. } => (json!({"type": "stdio", "command": command, "args": args}), "env"),
        Launch::Http { url, .. } => (json!({"type": "http", "url": url}), "headers"),
    };
    if !from.is_empty() {
        value[key] = from.into();
    }
    value
}

/// For `copilot --additional-mcp-config` and the settings page of the cloud agent.
fn snippet(named: &Named<'_>) -> String {
    let servers: Map<String, Value> = named
        .bundle
        .servers
        .iter()
        .map(|server| {
            let mut value = launch(server, |variable| format!("$COPILOT_MCP_{variable}"));
            if value["type"] == "stdio" {
                value["type"] = "local".into();
            }
            value["tools"] = named.exposed(server).into();
            (server.id.clone(), value)
        })
        .collect();
    let text = json!({"mcpServers": servers});
    format!("MCP servers of the Copilot CLI and of the cloud agent (repository settings):\n{text:#}")
}

fn commands(named: &Named<'_>, sheet: &mut Sheet) {
    let rules = named.commands();
    for (_, words, _) in rules.iter().filter(|(effect, ..)| *effect == Effect::Deny) {
        sheet.by_hand(format!("copilot --deny-tool {}", quoted(&format!("shell({}:*)", words.join(" ")))));
    }
    if !rules.is_empty() {
        sheet.covers("commands", Covered::Unsupported, "no file of a repository; the CLI takes the printed flags");
    }
    for (what, rules) in [("reads", named.reads()), ("edits", named.edits())] {
        if !rules.is_empty() {
            sheet.covers(what, Covered::Unsupported, "no file of a repository, and no flag");
        }
    }
}

/// A word of a POSIX shell, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn grants(named: &Named<'_>, sheet: &mut Sheet) {
    for (server, tool, _) in named.tools().filter(|(.., verdict)| *verdict == Verdict::Allow) {
        sheet.by_hand(format!("copilot --allow-tool {}", quoted(&format!("{}({})", server.id, tool.name))));
    }
    for words in named.granted_commands() {
        sheet.by_hand(format!("copilot --allow-tool {}", quoted(&format!("shell({}:*)", words.join(" ")))));
    }
    if named.wishes_any() {
        sheet.covers("grants", Covered::Unsupported, "no file of a repository; what is approved is a printed flag");
    }
}

fn hook(named: &Named<'_>, sheet: &mut Sheet) {
    if !named.hook {
        return;
    }
    let command = hook_command(Client::Copilot);
    let hook = json!({"type": "command", "bash": command, "powershell": command, "timeoutSec": 10});
    let text = json!({"version": 1, "hooks": {"preToolUse": [hook]}});
    let path = format!(".github/hooks/skill-{}.json", named.package.name().as_str());
    sheet.file(path, format!("{text:#}\n"));
    sheet.covers("hook", Covered::Partial, "the CLI and the cloud agent; not into a script");
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_printed_flag_is_one_word_of_a_shell() {
        assert_eq!(quoted("shell(dropdb:*)"), "'shell(dropdb:*)'");
        assert_eq!(quoted("a'; rm -rf ~; '"), r"'a'\''; rm -rf ~; '\'''");
    }
}
