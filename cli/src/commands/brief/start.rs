//! `skill brief start`: the line that starts an agent with the approval mode of a brief.
//!
//! The mode is a switch of the whole client, so it is printed for a person to run and never written
//! into a file: a file would hold for all other work, too. Nothing is started.

use clap::Args;
use serde_json::json;
use skills::boundary::Approval;

use crate::briefs::{self, BRIEFS_PATH};
use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::ui::Answer;

/// Arguments of `skill brief start`.
#[derive(Debug, Args)]
pub(super) struct Start {
    /// The rendered brief
    id: String,
    /// The agent to start: claude-code, codex, gemini
    #[arg(long, value_name = "NAME")]
    agent: String,
}

/// Clients that have no flag for an approval mode, and what a person does instead.
const BY_HAND: [(&str, &str); 3] = [
    ("cursor", "choose the mode in the editor"),
    ("copilot", "its cloud agent has no such mode; the editor asks for each tool"),
    ("opencode", "press Tab for its plan agent"),
];

/// Prints the line; what to tell the agent is said beside it.
pub(super) fn run(args: &Start, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find_or_start(context, false)?;
    let brief = briefs::find_open(&project, &args.id)?;
    let approval = brief.document.boundary.approval;
    let line = line(&args.agent, approval)?;
    if !brief.document.is_of(&briefs::markdown(&project, &brief)?) {
        context.ui.warn(format!("`{}` was edited after it was rendered", args.id));
    }
    let [path, ..] = briefs::paths(BRIEFS_PATH, &brief.id);
    let prompt = format!("Read {path} and work by it.");
    context.ui.note(format!("tell it: {prompt}"));
    let data = json!({"id": brief.id, "agent": args.agent, "approval": approval, "line": line, "prompt": prompt});
    Ok(Answer::new(format!("{line}\n"), data))
}

/// The launch line of a client. A plan comes first where a human decides on it, or does the work.
fn line(agent: &str, approval: Approval) -> Result<&'static str, Failure> {
    let [claude, gemini, codex] = match approval {
        Approval::PlanFirst | Approval::HumanExecutes => [
            "claude --permission-mode plan",
            "gemini --approval-mode plan",
            "codex --sandbox read-only --ask-for-approval on-request",
        ],
        Approval::AskOnMutate => [
            "claude --permission-mode default",
            "gemini --approval-mode default",
            "codex --sandbox workspace-write --ask-for-approval untrusted",
        ],
        Approval::Autonomous => [
            "claude --permission-mode acceptEdits",
            "gemini --approval-mode auto_edit",
            "codex --sandbox workspace-write --ask-for-approval on-request",
        ],
    };
    match agent {
        "claude-code" | "claude" => return Ok(claude),
        "gemini" | "gemini-cli" => return Ok(gemini),
        "codex" => return Ok(codex),
        _ => {}
    }
    match BY_HAND.iter().find(|(name, _)| *name == agent) {
        Some((name, way)) => {
            let seen = format!("`{name}` has no launch flag for `{}`", approval.as_str());
            Err(Failure::could_not("launch-unknown", seen).hint(*way))
        }
        None => {
            let seen = format!("no agent is called `{}`", agent.escape_debug());
            Err(Failure::usage("agent-unknown", seen).hint("claude-code, codex, gemini, cursor, copilot, opencode"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_comes_first_where_the_brief_wants_one() {
        for (agent, want) in [
            ("claude-code", "claude --permission-mode plan"),
            ("gemini", "gemini --approval-mode plan"),
            ("codex", "codex --sandbox read-only --ask-for-approval on-request"),
        ] {
            assert_eq!(line(agent, Approval::PlanFirst).expect(agent), want);
            assert_eq!(line(agent, Approval::HumanExecutes).expect(agent), want);
            assert_ne!(line(agent, Approval::AskOnMutate).expect(agent), want);
        }
    }

    #[test]
    fn a_client_without_such_a_flag_is_said_to_have_none() {
        assert_eq!(line("cursor", Approval::PlanFirst).expect_err("no flag").code, "launch-unknown");
        assert_eq!(line("emacs", Approval::PlanFirst).expect_err("unknown").code, "agent-unknown");
    }
}
