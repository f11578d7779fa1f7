//! `skill scope`: a team's namespace, and the keys that may publish in it.

use std::fmt::Write as _;

use clap::{Args as ClapArgs, Subcommand};
use index::api::{ScopeAnswer, ScopeRequest};
use index::keyring::{CHAIN_BYTES_MAX, Chain, Link, Member, State};
use index::urls;
use reqwest::Method;
use serde_json::{Value, json};
use skills::Scope;

use super::key::fingerprint;
use crate::api::{self, Api};
use crate::argument;
use crate::client::{Body, Client};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::shown;
use crate::ui::Answer;

/// Arguments of `skill scope`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Create a scope; it is yours
    Create(Create),
    /// Show a scope: its owner, its keyring, whose keys are in it
    Show(Show),
}

#[derive(Debug, ClapArgs)]
struct Create {
    /// The scope
    #[arg(value_parser = argument::parse::<Scope>)]
    name: Scope,
    /// Create nothing; say what would be created
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, ClapArgs)]
struct Show {
    /// The scope
    #[arg(value_parser = argument::parse::<Scope>)]
    name: Scope,
}

/// Runs one of the two.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    match args.action {
        Do::Create(args) => create(args, context),
        Do::Show(args) => show(&args.name, context),
    }
}

fn create(args: Create, context: &Context) -> Result<Answer, Failure> {
    let api = Api::open(context, "`scope create`")?;
    let (name, url) = (args.name, api.client.url());
    if args.dry_run {
        context.ui.note(format!("would create scope `{name}` at {url}"));
        return Ok(Answer::new("", json!({"name": name, "dry_run": true})));
    }
    let body = Body::Json(json!(ScopeRequest { name: name.clone() }));
    let answer: ScopeAnswer = context.block_on(api.ask(Method::POST, "/scopes", body))?;
    context.ui.note(format!("scope `{name}` at {url} is owned by {}", shown::line(&answer.owner, 60)));
    if answer.keyring.is_none() {
        context.ui.note("next: the first `skill publish` registers your key for it");
    }
    Ok(Answer::new("", json!(answer)))
}

fn show(name: &Scope, context: &Context) -> Result<Answer, Failure> {
    let client = context.client()?;
    let (answer, chain) = context.block_on(async {
        let answer: ScopeAnswer = api::ask_publicly(&client, &format!("/scopes/{name}")).await?;
        Ok((answer, fetch_chain(&client, name).await?))
    })?;
    let mut text = format!("scope    {name}\nowner    {}\n", shown::line(&answer.owner, 60));
    let Some(chain) = chain else {
        text.push_str("keyring  none yet: the first publish registers a key\n");
        return Ok(Answer::new(text, json!({"name": name, "owner": answer.owner, "keyring": null})));
    };
    let head = chain.head();
    let state = if head.state == State::Frozen { ", frozen" } else { "" };
    let _ = writeln!(text, "keyring  link {}{state}", head.seq);
    if head.seq > 1 {
        let _ = writeln!(text, "head     {}", chain.head_digest());
    }
    let _ = writeln!(text, "root     {}", chain.root());
    for member in &head.keys {
        let _ = writeln!(text, "key      {}", member_line(member));
    }
    let data = json!({"name": name, "owner": answer.owner, "keyring": keyring_json(&chain)});
    Ok(Answer::new(text, data))
}

/// The keyring of a scope, every rule of it checked; `None` before a first key.
pub(super) async fn fetch_chain(client: &Client, scope: &Scope) -> Result<Option<Chain>, Failure> {
    let Some(bytes) = client.fetch(&urls::keyring(scope), CHAIN_BYTES_MAX).await? else { return Ok(None) };
    let chain = Chain::parse(&bytes, scope).map_err(|refusal| {
        Failure::of(Exit::Failed, refusal).at(format_args!("keyring of `{scope}` at {}", client.url()))
    })?;
    Ok(Some(chain))
}

/// Which key, whose, and what it may do: the line that `add` shows before a scope is trusted.
pub(super) fn member_line(member: &Member) -> String {
    let roles: Vec<&str> = member.roles.iter().map(|role| role.as_str()).collect();
    format!("{}  {} ({})", member.id, shown::line(&member.owner, 30), roles.join(", "))
}

fn keyring_json(chain: &Chain) -> Value {
    let head: &Link = chain.head();
    let key = |member: &Member| {
        json!({
            "id": member.id, "spki": member.spki, "owner": member.owner, "roles": member.roles,
            "fingerprint": fingerprint(&member.spki),
        })
    };
    let keys: Vec<Value> = head.keys.iter().map(key).collect();
    json!({
        "seq": head.seq, "digest": chain.head_digest(), "root": chain.root(), "state": head.state,
        "threshold": head.threshold, "keys": keys,
    })
}
