//! A decision in the words of the client that asked.

use serde_json::{Value, json};
use skills::PackageName;
use skills::tools::{Effect, Rule, Subject};

use crate::clients::Client;

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) effect: Effect,
    pub(super) reason: String,
}

impl Said {
    pub(super) fn deny(reason: impl Into<String>) -> Self {
        Self { effect: Effect::Deny, reason: reason.into() }
    }

    pub(super) fn ask(reason: impl Into<String>) -> Self {
        Self { effect: Effect::Ask, reason: reason.into() }
    }

    /// In the author's words; where there are none, what the rule is about.
    pub(super) fn by_rule(package: &PackageName, effect: Effect, rule: &Rule) -> Self {
        let about = match &rule.subject {
            Subject::Command(words) => words.join(" "),
            Subject::Read(globs) => format!("reading {}", globs.join(", ")),
            Subject::Edit(globs) => format!("changing {}", globs.join(", ")),
        };
        let verb = match effect {
            Effect::Ask => "asked about",
            Effect::Deny => "denied",
        };
        let why = rule.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        Self { effect, reason: format!("{package}: `{about}` is {verb}{why}") }
    }
}

/// The answer, or nothing where there is nothing to say. The event decides in clients that have several.
pub(super) fn worded(client: Client, call: Option<&Value>, said: Option<&Said>) -> Option<Value> {
    let event = call.and_then(|call| call["hook_event_name"].as_str()).unwrap_or_default();
    match client {
        // A hook that fails closed has to say something, and this says nothing.
        Client::Cursor => Some(said.map_or_else(|| json!({}), |said| of_cursor(event, said))),
        Client::Gemini => said
            .map(|said| json!({"decision": said.effect.as_str(), "reason": said.reason, "systemMessage": said.reason})),
        Client::Copilot if call.is_none_or(|call| call.get("tool_name").is_none()) => said
            .map(|said| json!({"permissionDecision": said.effect.as_str(), "permissionDecisionReason": said.reason})),
        Client::ClaudeCode | Client::Codex | Client::Copilot | Client::OpenCode => said.map(of_claude),
    }
}

fn of_claude(said: &Said) -> Value {
    json!({"hookSpecificOutput": {
        "hookEventName": "PreToolUse",
        "permissionDecision": said.effect.as_str(),
        "permissionDecisionReason": said.reason,
    }})
}

/// Reading a file is allowed or denied; nothing asks about it.
fn of_cursor(event: &str, said: &Said) -> Value {
    let permission = if event == "beforeReadFile" { "deny" } else { said.effect.as_str() };
    json!({"permission": permission, "user_message": said.reason, "agent_message": said.reason})
}
