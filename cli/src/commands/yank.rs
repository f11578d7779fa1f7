//! `skill yank NAME@VERSION`: withdraw a version. It stays installable where it is locked, and is
//! never newly chosen; `--undo` brings it back.

use index::api::{YankAnswer, YankRequest};
use reqwest::Method;
use serde_json::json;
use skills::{PackageName, Version};

use crate::api::Api;
use crate::argument;
use crate::client::Body;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Answer;

/// Longest reason sent, in characters: it is shown in one breath to everybody whom it touches.
const REASON_CHARS_MAX: usize = 500;

/// Arguments of `skill yank`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The release
    #[arg(value_name = "SCOPE/NAME@VERSION", value_parser = parse_release)]
    release: (PackageName, Version),
    /// Why; shown to everybody who uses it
    #[arg(long)]
    reason: String,
    /// Bring it back
    #[arg(long)]
    undo: bool,
    /// Change nothing; say what would change
    #[arg(long)]
    dry_run: bool,
}

/// `scope/name@version`, where a leading `@` belongs to the name.
pub(super) fn parse_release(text: &str) -> Result<(PackageName, Version), String> {
    let (name, version) = text
        .rsplit_once('@')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("`{}` names no version: expected scope/name@1.2.3", text.escape_debug()))?;
    let name = argument::parse(name)?;
    Ok((name, argument::parse(version)?))
}

/// Asks the registry to yank or unyank.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let (name, version) = args.release;
    check_reason(&args.reason)?;
    let api = Api::open(context, "`yank`")?;
    let verb = if args.undo { "unyank" } else { "yank" };
    if args.dry_run {
        context.ui.note(format!("would {verb} {name}@{version} at {}", api.client.url()));
        return Ok(Answer::new("", json!({"name": name, "version": version, "yanked": !args.undo, "dry_run": true})));
    }
    let path = format!("/{verb}/{name}/{}", version.number());
    let body = Body::Json(json!(YankRequest { reason: args.reason }));
    let answer: YankAnswer = context.block_on(api.ask(Method::POST, &path, body))?;
    let state =
        if answer.yanked { "is yanked: it is never newly chosen" } else { "is not yanked: it can be chosen again" };
    context.ui.note(format!("{name}@{version} {state}"));
    Ok(Answer::new("", json!(answer)))
}

fn check_reason(reason: &str) -> Result<(), Failure> {
    let chars = reason.chars().count();
    if reason.trim().is_empty() || chars > REASON_CHARS_MAX {
        let seen = format!("a reason has 1 to {REASON_CHARS_MAX} characters, this one has {chars}");
        return Err(Failure::usage("yank-reason", seen).hint("say what is wrong and what to use instead"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_a_name_and_a_version_with_or_without_the_leading_at() {
        for text in ["acme/pdf@1.2.3", "@acme/pdf@1.2.3"] {
            let (name, version) = parse_release(text).expect(text);
            assert_eq!((name.to_string(), version.to_string()), ("acme/pdf".to_owned(), "1.2.3".to_owned()));
        }
        for text in ["acme/pdf", "@acme/pdf", "acme/pdf@", "acme/pdf@^1", "@", ""] {
            assert!(parse_release(text).is_err(), "{text} was accepted");
        }
    }
}
