//! Grants: what a bundle wishes to be allowed without asking.
//!
//! A wish and no more: nothing is written before a human approves it, and the approval is bound to the
//! digest of this very package. A wish that the same bundle contradicts is a mistake, and refused.

use serde::Deserialize;
use toml::Spanned;

use super::rule::command_words;
use super::{Access, Bundle, reason};
use crate::boundary::Approval;
use crate::manifest::source::Source;
use crate::refusal::Refusal;

/// What is wished for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// A tool that the bundle exposes.
    Tool {
        /// The id of its server.
        server: String,
        /// Its name.
        tool: String,
    },
    /// Commands that begin with these words.
    Command(Vec<String>),
}

/// One wish, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What.
    pub granted: Granted,
    /// Why, for the one who approves it.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantTable {
    mcp: Option<Spanned<String>>,
    command: Option<Vec<Spanned<String>>>,
    reason: Spanned<String>,
}

pub(super) fn grant(source: Source<'_>, table: Spanned<GrantTable>, bundle: &Bundle) -> Result<Grant, Refusal> {
    let at = Spanned::new(table.span(), ());
    let table = table.into_inner();
    let granted = match (table.mcp, table.command) {
        (Some(mcp), None) => tool(source, mcp, bundle)?,
        (None, Some(command)) => command_of(source, command_words(source, &at, command)?, &at, bundle)?,
        _ => return Err(source.refuse("tools-grant", &at, "a grant has exactly one of `mcp`, `command`")),
    };
    let reason = reason(source, Some(table.reason))?.expect("a reason was given");
    Ok(Grant { granted, reason })
}

fn tool(source: Source<'_>, mcp: Spanned<String>, bundle: &Bundle) -> Result<Granted, Refusal> {
    let known = mcp.get_ref().split_once(':').and_then(|(server, name)| Some((server, bundle.tool(server, name)?)));
    let Some((server, tool)) = known else {
        let message = "the grant names what is not a tool of this bundle: expected `server:tool`";
        return Err(source.refuse("tools-grant", &mcp, message));
    };
    let fault = match tool.access {
        Access::Destructive => "the tool is destructive, and what cannot be undone is never granted in advance",
        _ if tool.ask => "the tool is to be asked about, so granting it contradicts its own `approval`",
        Access::Mutate if bundle.boundary.approval > Approval::Autonomous => {
            "the tool changes something, which the bundle's approval (`ask-on-mutate` or stricter) does not leave to the agent"
        }
        _ => return Ok(Granted::Tool { server: server.to_owned(), tool: tool.name.clone() }),
    };
    Err(source.refuse("tools-grant", &mcp, fault))
}

fn command_of<T>(source: Source<'_>, words: Vec<String>, at: &Spanned<T>, bundle: &Bundle) -> Result<Granted, Refusal> {
    if bundle.judge_command(&words).is_some() {
        let message = "a rule of this bundle denies or asks about this command, so granting it contradicts the rule";
        return Err(source.refuse("tools-grant", at, message));
    }
    Ok(Granted::Command(words))
}
