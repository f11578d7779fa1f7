//! `skill whoami`: who the registry takes us for, and what our token may do.

use index::api::{Me, TokenSummary};
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::client::Body;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Answer;

/// Arguments of `skill whoami`: none of its own.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Asks the registry.
pub fn run(_args: Args, context: &Context) -> Result<Answer, Failure> {
    let api = Api::open(context, "`whoami`")?;
    let me: Me = context.block_on(api.ask(Method::GET, "/me", Body::Empty))?;
    let text = format!("{}\ntoken    {}\n", me.user, token_line(&me.token).trim_end());
    Ok(Answer::new(text, json!({"registry": api.client.url(), "me": me_json(&me)})))
}

/// A token in one line: id, what it may do, where, until when, what it is called.
pub(super) fn token_line(token: &TokenSummary) -> String {
    let actions: Vec<&str> = token.actions.iter().map(|action| action_name(*action)).collect();
    let expires = token.expires.as_ref().map_or("never expires".to_owned(), |when| format!("expires {}", day(when)));
    format!("{}  {}  in {}  {expires}  {}", token.id, actions.join(","), token.scopes.join(","), token.name)
}

/// The day of an RFC 3339 time; the registry's text is shown without what a terminal would obey.
pub(super) fn day(time: &str) -> String {
    time.chars().take(10).filter(|c| !c.is_control()).collect()
}

/// An action as it is written.
pub(super) fn action_name(action: index::api::Action) -> &'static str {
    use index::api::Action;
    match action {
        Action::Publish => "publish",
        Action::Yank => "yank",
        Action::Scope => "scope",
        Action::Token => "token",
    }
}

/// Who, as JSON.
pub(super) fn me_json(me: &Me) -> Value {
    json!({"user": me.user, "token": me.token})
}
