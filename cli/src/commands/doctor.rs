//! `skill doctor`: is everything here that the other commands need?
//!
//! Every check looks and changes nothing, none stops the others, and each line says what to do.
//! What is broken is a `fail` and exit 3; what will surprise somebody is a `warn`.

mod machine;
mod registry;
mod repository;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::ui::Answer;

/// Arguments of `skill doctor`: none of its own.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    Warn,
    Fail,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    fn style(self) -> &'static str {
        match self {
            Self::Ok => "32",
            Self::Warn => "33",
            Self::Fail => "1;31",
        }
    }
}

/// What one check found.
#[derive(Debug)]
struct Finding {
    level: Level,
    /// What was looked at, in one word.
    topic: &'static str,
    message: String,
    hint: Option<String>,
}

impl Finding {
    fn ok(topic: &'static str, message: impl Into<String>) -> Self {
        Self { level: Level::Ok, topic, message: message.into(), hint: None }
    }

    fn warn(topic: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { level: Level::Warn, topic, message: message.into(), hint: Some(hint.into()) }
    }

    fn fail(topic: &'static str, failure: Failure) -> Self {
        Self { level: Level::Fail, topic, message: failure.message, hint: failure.hint }
    }
}

/// Runs every check.
pub fn run(_args: Args, context: &Context) -> Result<Answer, Failure> {
    let mut findings = machine::folders(context);
    findings.extend(machine::keys(context));
    findings.extend(registry::look(context));
    findings.extend(repository::look(context));
    let failed = findings.iter().any(|finding| finding.level == Level::Fail);
    let text = findings.iter().map(|finding| line(finding, context)).collect::<String>();
    let rows: Vec<Value> = findings.iter().map(row).collect();
    Ok(Answer::new(text, json!({ "checks": rows })).exit(if failed { Exit::Could } else { Exit::Done }))
}

fn line(finding: &Finding, context: &Context) -> String {
    let Finding { level, topic, message, hint } = finding;
    let mut text =
        format!("{} {topic:<9} {message}\n", context.ui.paint(level.style(), &format!("{:<4}", level.name())));
    if let Some(hint) = hint {
        let _ = writeln!(text, "     {} {hint}", context.ui.paint("36", "hint:"));
    }
    text
}

fn row(finding: &Finding) -> Value {
    json!({"level": finding.level.name(), "topic": finding.topic, "message": finding.message, "hint": finding.hint})
}
