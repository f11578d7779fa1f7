//! `skill login`: keep a registry's token, once the registry has said whose it is.

use std::io::Read;

use index::api::Me;
use reqwest::Method;
use serde_json::json;
use zeroize::Zeroizing;

use super::whoami;
use crate::api::{self, Api};
use crate::client::Body;
use crate::context::Context;
use crate::credentials::{self, Credentials, Token};
use crate::failure::{Exit, Failure, OnPath};
use crate::ui::Answer;

/// Most bytes of stdin that we take for a token.
const STDIN_BYTES_MAX: u64 = 4096;

/// Arguments of `skill login`. There is none for the token: others can read a process's arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Read the token from stdin instead of asking for it
    #[arg(long)]
    token_stdin: bool,
    /// Keep nothing; only ask the registry whose token it is
    #[arg(long)]
    dry_run: bool,
}

/// Asks for a token, checks it, keeps it.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    if args.token_stdin && context.registry_is_the_projects()? {
        return Err(Failure::new(
            Exit::Policy,
            "token-not-sent",
            "only skills.toml names the registry, and nobody is asked about it",
        )
        .hint("pass `--registry URL` for the registry that the token is meant for"));
    }
    let client = context.client()?;
    let url = client.url().to_owned();
    let token = if args.token_stdin { read_stdin()? } else { prompt(context, &url)? };
    api::warn_of_plain_text(context, &client);
    let api = Api::with_token(client, token.clone());
    let me: Me = context.block_on(api.ask(Method::GET, "/me", Body::Empty))?;
    let credentials = Credentials::of(context.home()?);
    if !args.dry_run {
        credentials.keep(&url, &token)?;
        context.ui.detail(format!("kept in {}", credentials.path().display()));
    }
    if !args.dry_run && context.remember_registry(&url)? {
        context.ui.note(format!("{url} is the default registry from now on"));
    }
    let verb = if args.dry_run { "would be logged in" } else { "logged in" };
    context.ui.note(format!("{verb} to {url} as {}", me.user));
    if std::env::var_os(credentials::VARIABLE).is_some() {
        context.ui.warn(format!("{} is set, and is used instead of this token", credentials::VARIABLE));
    }
    Ok(Answer::new("", json!({"registry": url, "me": whoami::me_json(&me), "dry_run": args.dry_run})))
}

fn read_stdin() -> Result<Token, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(STDIN_BYTES_MAX as usize));
    let stdin = std::path::Path::new("stdin");
    std::io::stdin().take(STDIN_BYTES_MAX).read_to_string(&mut text).on("read the token from", stdin)?;
    Token::parse(&text)
}

fn prompt(context: &Context, url: &str) -> Result<Token, Failure> {
    if !context.ui.interactive() {
        return Err(Failure::could_not("token-missing", "there is no terminal to ask for the token on")
            .hint("pipe it in: `skill login --token-stdin < FILE`"));
    }
    let typed = rpassword::prompt_password(format!("Token for {url}: "))
        .map_err(|error| Failure::could_not("token-missing", format!("the token could not be read: {error}")))?;
    Token::parse(&Zeroizing::new(typed))
}
