//! Traces: which tools an agent called, out of the recordings that its client keeps.
//!
//! A recording holds everything: prompts, file contents, answers. From it only calls are taken, each as a
//! tool's name and, where it is a command, the command line; and of those only counts are ever kept.
//! Three forms are read: transcripts of Claude Code (JSONL), sessions of Codex (JSONL), and OTel as JSON.
//! What a line does not say in one of these forms is passed over: most lines are talk.

use std::collections::BTreeMap;

use serde_json::Value;
use skills::brief::uses::Bundle;
use skills::tools::Effect;
use skills::tools::unwrap::{Line, judge};

use crate::failure::Failure;

/// Largest recording read, in bytes.
pub const TRACE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Largest line: one answer of a tool, with a picture in it.
const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Most calls of one recording.
const CALLS_MAX: usize = 1_000_000;

/// What clients bring along for reading and editing the files of a repository, running its commands, and
/// planning: what every brief allows. Whatever else an agent calls has to be in a bundle.
const BUILT_IN: [&str; 50] = [
    "Bash",
    "BashOutput",
    "KillShell",
    "KillBash",
    "Read",
    "Write",
    "Edit",
    "MultiEdit",
    "NotebookEdit",
    "NotebookRead",
    "Glob",
    "Grep",
    "LS",
    "TodoWrite",
    "TodoRead",
    "Task",
    "Agent",
    "Skill",
    "SlashCommand",
    "EnterPlanMode",
    "ExitPlanMode",
    "AskUserQuestion",
    "TaskCreate",
    "TaskUpdate",
    "TaskList",
    "TaskGet",
    "TaskOutput",
    "shell",
    "local_shell",
    "shell_command",
    "exec_command",
    "write_stdin",
    "apply_patch",
    "update_plan",
    "view_image",
    "request_user_input",
    "container.exec",
    "run_shell_command",
    "read_file",
    "read_many_files",
    "write_file",
    "replace",
    "list_directory",
    "glob",
    "grep_search",
    "search_file_content",
    "edit",
    "read",
    "bash",
    "write",
];

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `Bash`, or `server:tool`.
    pub tool: String,
    /// The command line, where the call runs one.
    pub command: Option<String>,
}

/// What is kept of a recording.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls by tool.
    pub tools: BTreeMap<String, usize>,
    /// Calls outside of the bundles, with the reason: by tool.
    pub foreign: BTreeMap<String, usize>,
}

/// The form of a recording and its calls.
pub fn read(text: &str) -> Result<(&'static str, Vec<Call>), Failure> {
    if let Ok(value) = serde_json::from_str::<Value>(text)
        && (value["resourceSpans"].is_array() || value["resourceLogs"].is_array())
    {
        let mut calls = Vec::new();
        otel(&value, &mut calls, 0);
        return bounded("otel", calls);
    }
    let (mut calls, mut form) = (Vec::new(), None);
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |why: &str| Failure::usage("trace-malformed", format!("line {}: {why}", number + 1));
        if line.len() > LINE_BYTES_MAX {
            return Err(wrong("it is longer than 32 MiB"));
        }
        let value: Value = serde_json::from_str(line).map_err(|error| wrong(&format!("it is not JSON: {error}")))?;
        let before = calls.len();
        let seen = claude(&value, &mut calls).or_else(|| codex(&value, &mut calls)).or_else(|| {
            let is_otel = value["resourceSpans"].is_array() || value["resourceLogs"].is_array();
            is_otel.then(|| otel(&value, &mut calls, 0)).map(|()| "otel")
        });
        form = form.or(seen);
        debug_assert!(calls.len() >= before);
        if calls.len() > CALLS_MAX {
            return Err(wrong("there are more than 1,000,000 calls"));
        }
    }
    let form = form.ok_or_else(|| {
        Failure::usage("trace-malformed", "no line is one of a Claude Code transcript, a Codex session or OTel as JSON")
    })?;
    bounded(form, calls)
}

fn bounded(form: &'static str, calls: Vec<Call>) -> Result<(&'static str, Vec<Call>), Failure> {
    if calls.len() > CALLS_MAX {
        return Err(Failure::usage("trace-malformed", "there are more than 1,000,000 calls"));
    }
    Ok((form, calls))
}

/// Counts calls, and those that the bundles do not hold.
pub fn count(calls: &[Call], bundles: &[Bundle]) -> Counts {
    let mut counts = Counts::default();
    for call in calls {
        *counts.tools.entry(call.tool.clone()).or_default() += 1;
        if let Some(foreign) = foreign(call, bundles) {
            *counts.foreign.entry(foreign).or_default() += 1;
        }
    }
    counts
}

/// Why a call is outside of the bundles, without its arguments: those may hold a secret.
fn foreign(call: &Call, bundles: &[Bundle]) -> Option<String> {
    let exposed = |name: &str| {
        bundles.iter().flat_map(Bundle::exposed).any(|(server, tool)| format!("{server}:{}", tool.name) == name)
    };
    if !BUILT_IN.contains(&call.tool.as_str()) && !exposed(&call.tool) {
        return Some(format!("{}: not in a bundle", call.tool));
    }
    let rules = bundles.iter().flat_map(|bundle| &bundle.tools.rules);
    let line = Line::read(call.command.as_deref()?);
    let Ok(line) = line else { return Some(format!("{}: a command that cannot be read", call.tool)) };
    match judge(rules, &line) {
        Some((Effect::Deny, rule)) => {
            Some(format!("{}: denied, {}", call.tool, rule.reason.as_deref().unwrap_or("by a rule")))
        }
        _ => None,
    }
}

/// `{"type":"assistant","message":{"content":[{"type":"tool_use","name":…,"input":…}]}}`
fn claude(value: &Value, calls: &mut Vec<Call>) -> Option<&'static str> {
    if !matches!(value["type"].as_str()?, "assistant" | "user" | "system" | "summary") {
        return None;
    }
    for part in value["message"]["content"].as_array().into_iter().flatten() {
        if part["type"] == "tool_use"
            && let Some(name) = part["name"].as_str()
        {
            let command = part["input"]["command"].as_str().map(str::to_owned);
            calls.push(Call { tool: named(name), command });
        }
    }
    Some("claude-code")
}

/// `{"type":"response_item","payload":{"type":"function_call","name":…,"arguments":"…"}}`
fn codex(value: &Value, calls: &mut Vec<Call>) -> Option<&'static str> {
    if !matches!(value["type"].as_str()?, "response_item" | "event_msg" | "session_meta" | "turn_context" | "compacted")
    {
        return None;
    }
    let item = &value["payload"];
    if value["type"] == "response_item"
        && matches!(
            item["type"].as_str(),
            Some("function_call" | "custom_tool_call" | "local_shell_call" | "web_search_call")
        )
    {
        let name = item["name"].as_str().unwrap_or(match item["type"].as_str() {
            Some("local_shell_call") => "local_shell",
            _ => "web_search",
        });
        let arguments = item["arguments"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let arguments = arguments.unwrap_or_else(|| item["action"].clone());
        calls.push(Call { tool: named(name), command: command(&arguments) });
    }
    Some("codex")
}

/// A command as text, or as a list of words, which is quoted so that it reads back.
fn command(arguments: &Value) -> Option<String> {
    let value = [&arguments["command"], &arguments["cmd"]].into_iter().find(|value| !value.is_null())?;
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    let quote = |word: &Value| format!("'{}'", word.as_str().unwrap_or_default().replace('\'', "'\\''"));
    Some(value.as_array()?.iter().map(quote).collect::<Vec<_>>().join(" "))
}

/// Any object with `attributes` that name a tool is a call: a span, or an event of a log.
fn otel(value: &Value, calls: &mut Vec<Call>, depth: usize) {
    if depth > 16 {
        return;
    }
    let attribute = |key: &str| {
        let found = value["attributes"].as_array()?.iter().find(|one| one["key"] == key)?;
        found["value"]["stringValue"].as_str().map(str::to_owned)
    };
    if let Some(tool) = attribute("gen_ai.tool.name").or_else(|| attribute("tool_name")) {
        calls.push(Call { tool: named(&tool), command: attribute("command") });
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| otel(item, calls, depth + 1)),
        Value::Object(map) => {
            let below = map.iter().filter(|(key, _)| *key != "attributes");
            below.for_each(|(_, item)| otel(item, calls, depth + 1));
        }
        _ => {}
    }
}

/// `mcp__server__tool`, `server__tool` → `server:tool`; names are a stranger's, and bounded.
fn named(name: &str) -> String {
    let name: String = name.chars().take(200).collect();
    let inner = name.strip_prefix("mcp__").unwrap_or(&name);
    match inner.split_once("__") {
        Some((server, tool)) => format!("{server}:{tool}"),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use skills::brief::uses::Pinned;
    use skills::manifest::{Kinded, Manifest};
    use skills::{PackageName, Sha256, Version};

    use super::*;

    const TOOLS: &[u8] = include_bytes!("../../skills/src/brief/samples/tools.toml");

    fn bundle() -> Bundle {
        let manifest = Manifest::parse(TOOLS).expect("a bundle");
        let Kinded::Tools(tools) = manifest.kinded else { panic!("of kind `tools`") };
        let name = PackageName::parse("platform/tools-postgres-readonly").expect("a name");
        let version = Version::parse("2.1.0").expect("a version");
        Bundle { package: Pinned { name, version, digest: Sha256::of("") }, tools: *tools }
    }

    fn foreign_of(text: &str, form: &str) -> Vec<String> {
        let (seen, calls) = read(text).expect(form);
        assert_eq!(seen, form);
        count(&calls, &[bundle()]).foreign.into_keys().collect()
    }

    fn claude_line(tool: &str, input: &str) -> String {
        format!(
            "{{\"type\":\"assistant\",\"message\":{{\"content\":[{{\"type\":\"text\",\"text\":\"hi\"}},{{\"type\":\"tool_use\",\"name\":\"{tool}\",\"input\":{input}}}]}}}}\n"
        )
    }

    fn codex_line(tool: &str, arguments: &str) -> String {
        let arguments = serde_json::to_string(arguments).expect("text");
        format!(
            "{{\"type\":\"response_item\",\"payload\":{{\"type\":\"function_call\",\"name\":\"{tool}\",\"arguments\":{arguments}}}}}\n"
        )
    }

    #[test]
    fn one_foreign_call_in_a_transcript_is_found() {
        let lawful = claude_line("mcp__pg__query", "{}") + &claude_line("Bash", "{\"command\":\"cargo test\"}");
        assert_eq!(foreign_of(&lawful, "claude-code"), [""; 0]);
        let foreign = lawful + &claude_line("mcp__prod__drop_table", "{}");
        assert_eq!(foreign_of(&foreign, "claude-code"), ["prod:drop_table: not in a bundle"]);
        assert_eq!(foreign_of(&claude_line("WebFetch", "{}"), "claude-code"), ["WebFetch: not in a bundle"]);
    }

    #[test]
    fn a_denied_command_is_foreign_however_it_is_wrapped_and_its_arguments_are_not_kept() {
        for command in ["dropdb orders", "sudo /usr/bin/dropdb orders", "sh -c 'dropdb orders'"] {
            let found =
                foreign_of(&claude_line("Bash", &serde_json::json!({"command": command}).to_string()), "claude-code");
            assert_eq!(found.len(), 1, "{command}");
            assert!(found[0].contains("denied") && !found[0].contains("orders"), "{found:?}");
        }
    }

    #[test]
    fn a_codex_session_and_otel_are_read_too() {
        let session = codex_line("shell", "{\"command\":[\"bash\",\"-lc\",\"ls\"]}") + &codex_line("pg__query", "{}");
        assert_eq!(foreign_of(&session, "codex"), [""; 0]);
        let session = session
            + &codex_line("shell", "{\"command\":[\"bash\",\"-lc\",\"dropdb x\"]}")
            + &codex_line("prod__x", "{}");
        assert_eq!(foreign_of(&session, "codex").len(), 2);
        let span = |tool: &str| {
            format!(
                "{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":[{{\"name\":\"execute_tool\",\"attributes\":[{{\"key\":\"gen_ai.tool.name\",\"value\":{{\"stringValue\":\"{tool}\"}}}}]}}]}}]}}]}}"
            )
        };
        assert_eq!(foreign_of(&span("mcp__pg__query"), "otel"), [""; 0]);
        assert_eq!(foreign_of(&span("fetch"), "otel"), ["fetch: not in a bundle"]);
    }

    #[test]
    fn what_is_no_recording_is_refused_and_not_taken_for_an_empty_one() {
        for text in ["", "{}", "hello", "{\"type\":\"other\"}", "[1]"] {
            assert_eq!(read(text).expect_err(text).code, "trace-malformed", "{text}");
        }
    }
}
