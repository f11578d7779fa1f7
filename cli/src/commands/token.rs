//! `skill token`: make, list and revoke tokens. A token submits; it never signs.

use std::fmt::Write as _;

use clap::{Args as ClapArgs, Subcommand};
use index::api::{Action, TokenAnswer, TokenList, TokenRequest};
use reqwest::Method;
use serde_json::json;

use super::whoami::{day, token_line};
use crate::api::Api;
use crate::client::Body;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Answer;

/// Arguments of `skill token`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Make a token and print it, once
    Create(Create),
    /// List your tokens
    List,
    /// Revoke a token
    Revoke(Revoke),
}

#[derive(Debug, ClapArgs)]
struct Create {
    /// What it may be used for
    #[arg(long = "action", value_name = "ACTION", required = true, value_delimiter = ',', value_parser = parse_action)]
    actions: Vec<Action>,
    /// The scopes that it is limited to; `*` for all of yours
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
    scopes: Vec<String>,
    /// Days until it expires, instead of the registry's default
    #[arg(long, value_name = "DAYS")]
    expires: Option<u32>,
    /// What to call it
    #[arg(long, default_value = "")]
    name: String,
    /// Make nothing; say what would be asked for
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, ClapArgs)]
struct Revoke {
    /// Its id, as `skill token list` shows it
    id: String,
    /// Revoke nothing; say what would be revoked
    #[arg(long)]
    dry_run: bool,
}

fn parse_action(text: &str) -> Result<Action, String> {
    serde_json::from_value(json!(text)).map_err(|_| "expected publish, yank, scope or token".to_owned())
}

/// Runs one of the three.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let api = Api::open(context, "`token`")?;
    match args.action {
        Do::Create(args) => create(args, &api, context),
        Do::List => list(&api, context),
        Do::Revoke(args) => revoke(&args, &api, context),
    }
}

fn create(args: Create, api: &Api, context: &Context) -> Result<Answer, Failure> {
    let Create { actions, scopes, expires, name, dry_run } = args;
    let request = TokenRequest { name, actions, scopes, expires_days: expires };
    if dry_run {
        context.ui.note(format!("would ask {} for a token", api.client.url()));
        return Ok(Answer::new("", json!({"request": request, "dry_run": true})));
    }
    let answer: TokenAnswer = context.block_on(api.ask(Method::POST, "/tokens", Body::Json(json!(request))))?;
    let until = answer.summary.expires.as_deref().map(|when| format!(", expires {}", day(when))).unwrap_or_default();
    context.ui.note(format!("made token {}{until}; it is shown this once", answer.summary.id));
    Ok(Answer::new(format!("{}\n", answer.token), json!({"token": answer.token, "summary": answer.summary})))
}

fn list(api: &Api, context: &Context) -> Result<Answer, Failure> {
    let list: TokenList = context.block_on(api.ask(Method::GET, "/tokens", Body::Empty))?;
    let mut text = String::new();
    for token in &list.tokens {
        let _ = writeln!(text, "{}", token_line(token).trim_end());
    }
    Ok(Answer::new(text, json!({"tokens": list.tokens})))
}

fn revoke(args: &Revoke, api: &Api, context: &Context) -> Result<Answer, Failure> {
    // The id becomes a path: what could lead elsewhere is no id.
    if args.id.is_empty() || !args.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return Err(Failure::usage("token-id", format!("`{}` is not the id of a token", args.id.escape_debug()))
            .hint("`skill token list` shows the ids"));
    }
    if !args.dry_run {
        context.block_on(api.tell(Method::DELETE, &format!("/tokens/{}", args.id), Body::Empty))?;
    }
    let verb = if args.dry_run { "would revoke" } else { "revoked" };
    context.ui.note(format!("{verb} token {}", args.id));
    Ok(Answer::new("", json!({"id": args.id, "dry_run": args.dry_run})))
}
