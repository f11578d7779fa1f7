//! Who I am, and my tokens.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use index::api::{Me, TokenAnswer, TokenList, TokenRequest};
use skills::Refusal;

use super::caller::Caller;
use super::receive;
use crate::answer::{Caching, No, json};
use crate::app::App;
use crate::store::Change;
use crate::token::{Action, DAYS_MAX, Grant, Scopes, Secret, TokenRow};

/// Days that a token lasts where the request does not say.
const DAYS_DEFAULT: u32 = 90;

/// Longest name of a token, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Most tokens in force of one user.
const TOKENS_MAX: usize = 100;

/// `GET /api/v1/me`
pub(super) async fn me(Caller(grant): Caller) -> Response {
    json(StatusCode::OK, &Me { user: grant.user().to_owned(), token: grant.token().summary() })
}

/// `GET /api/v1/tokens`: those in force.
pub(super) async fn list(State(app): State<Arc<App>>, Caller(grant): Caller) -> Result<Response, No> {
    grant.allows(Action::Token, None)?;
    let tokens = in_force(&app, &grant).await?;
    Ok(json(StatusCode::OK, &TokenList { tokens: tokens.iter().map(TokenRow::summary).collect() }))
}

async fn in_force(app: &App, grant: &Grant) -> Result<Vec<TokenRow>, No> {
    let now = jiff::Timestamp::now().as_second();
    let mut tokens = app.store.tokens(grant.user()).await?;
    tokens.retain(|token| !token.revoked && token.expires > now);
    Ok(tokens)
}

/// `POST /api/v1/tokens`: a token that can do no more, no further and no longer than the one that asks.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(grant): Caller,
    request: Request,
) -> Result<Response, No> {
    grant.allows(Action::Token, None)?;
    app.count_write(grant.user())?;
    let asked: TokenRequest = receive::json(&app, request).await?;
    let secret = Secret::generate()?;
    let token = no_more_than(&grant, asked, &secret, jiff::Timestamp::now().as_second())?;
    if in_force(&app, &grant).await?.len() >= TOKENS_MAX {
        return Err(No(Refusal::new("tokens-too-many", format!("you have {TOKENS_MAX} tokens in force already"))
            .hint("revoke one that you do not use")));
    }
    let summary = token.summary();
    app.store.commit(Change::Token(token)).await?;
    tracing::info!(user = grant.user(), id = summary.id, "token made");
    Ok(json(StatusCode::CREATED, &TokenAnswer { token: secret.reveal().to_owned(), summary }))
}

/// Attack: a leaked token that may only publish, used to make one that may do more or lasts longer.
fn no_more_than(grant: &Grant, asked: TokenRequest, secret: &Secret, now: i64) -> Result<TokenRow, Refusal> {
    let scopes = Scopes::parse(&asked.scopes)?;
    let days = asked.expires_days.unwrap_or(DAYS_DEFAULT);
    if asked.actions.is_empty() || days == 0 || days > DAYS_MAX {
        return Err(malformed(&format!("a token has at least one action and 1 to {DAYS_MAX} days")));
    }
    if asked.name.len() > NAME_BYTES_MAX || asked.name.chars().any(char::is_control) {
        return Err(malformed(&format!("a token's name has at most {NAME_BYTES_MAX} printable bytes")));
    }
    for action in &asked.actions {
        grant.allows(*action, None)?;
    }
    if !grant.token().scopes.cover(&scopes) {
        return Err(Refusal::new("token-out-of-scope", "a token cannot make one that reaches further than itself"));
    }
    let expires = (now + i64::from(days) * 86_400).min(grant.token().expires);
    let mut token = TokenRow::new(secret, grant.user(), &asked.actions, scopes, now, expires);
    token.name = asked.name;
    Ok(token)
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("request-malformed", why)
}

/// `DELETE /api/v1/tokens/ID`: also the token that asks, whatever it may do otherwise: `skill logout`.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Caller(grant): Caller,
    Path(id): Path<String>,
) -> Result<Response, No> {
    if grant.token().id != id {
        grant.allows(Action::Token, None)?;
    }
    app.store.commit(Change::Revoke { user: grant.user().to_owned(), id: id.clone() }).await?;
    tracing::info!(user = grant.user(), id, "token revoked");
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, Caching::NoStore.header());
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(actions: &[Action], scopes: &[&str], days: Option<u32>) -> Result<TokenRow, Refusal> {
        let secret = Secret::generate().expect("random bytes");
        let scope = Scopes::parse(&["acme".to_owned()]).expect("a scope");
        let row = TokenRow::new(&secret, "ann", &[Action::Publish, Action::Token], scope, 0, 10 * 86_400);
        let grant = Grant::of(row, 0).expect("in force");
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let asked = TokenRequest { name: String::new(), actions: actions.to_vec(), scopes, expires_days: days };
        no_more_than(&grant, asked, &secret, 0)
    }

    #[test]
    fn a_token_makes_no_token_that_can_do_more_or_lasts_longer() {
        let token = asks(&[Action::Publish], &["acme"], Some(30)).expect("no more than itself");
        assert_eq!(token.expires, 10 * 86_400);
        for (actions, scopes) in [(Action::Yank, "acme"), (Action::Publish, "*"), (Action::Publish, "other")] {
            assert_eq!(asks(&[actions], &[scopes], None).expect_err(scopes).code, "token-out-of-scope");
        }
        for (actions, scopes, days) in
            [(&[][..], &["acme"][..], None), (&[Action::Publish], &[], None), (&[Action::Publish], &["acme"], Some(0))]
        {
            assert_eq!(asks(actions, scopes, days).expect_err("malformed").code, "request-malformed");
        }
    }
}
