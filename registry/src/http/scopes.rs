//! Scopes and their keyrings.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use index::api::{KeyringHead, ScopeAnswer, ScopeRequest};
use index::keyring::{Chain, format_line};
use skills::dsse::EnvelopeJson;
use skills::{Refusal, Scope};

use super::caller::Caller;
use super::receive;
use crate::admit::may;
use crate::answer::{No, json};
use crate::app::{App, now, scope_not_found};
use crate::config::ScopeCreation;
use crate::store::{Change, Done, LinkRow, ScopeRow};
use crate::token::Action;

/// `POST /api/v1/scopes`
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(grant): Caller,
    request: Request,
) -> Result<Response, No> {
    grant.allows(Action::Scope, None)?;
    app.count_write(grant.user())?;
    let asked: ScopeRequest = receive::json(&app, request).await?;
    grant.allows(Action::Scope, Some(&asked.name))?;
    if app.config.scope_creation == ScopeCreation::Admin {
        return Err(No(Refusal::new("not-owner", "only the operator of this registry creates scopes")
            .hint("ask for `skill-registry admin scope create`")));
    }
    let owner = grant.user().to_owned();
    let change = Change::Scope { scope: asked.name.clone(), owner, created: now() };
    let done = app.store.commit(change).await?;
    tracing::info!(scope = %asked.name, owner = grant.user(), "scope created");
    answer_with(&app, &asked.name, status(&done)).await
}

fn status(done: &[Done]) -> StatusCode {
    if done.contains(&Done::New) { StatusCode::CREATED } else { StatusCode::OK }
}

/// `GET /api/v1/scopes/SCOPE`
pub(super) async fn show(State(app): State<Arc<App>>, Path(scope): Path<String>) -> Result<Response, No> {
    answer_with(&app, &parse(&scope)?, StatusCode::OK).await
}

fn parse(text: &str) -> Result<Scope, Refusal> {
    Scope::parse(text).map_err(|refusal| Refusal::new("scope-not-found", refusal.message))
}

async fn answer_with(app: &App, scope: &Scope, status: StatusCode) -> Result<Response, No> {
    let ScopeRow { owner, links } = app.store.scope(scope).await?.ok_or_else(|| scope_not_found(scope))?;
    let keyring = links.last().map(|link| KeyringHead { seq: link.seq, digest: link.payload });
    Ok(json(status, &ScopeAnswer { name: scope.clone(), owner, keyring }))
}

/// `PUT /api/v1/scopes/SCOPE/keyring`: the first link, signed by its own root keys, which proves that the
/// owner holds them.
pub(super) async fn register(
    State(app): State<Arc<App>>,
    Caller(grant): Caller,
    Path(scope): Path<String>,
    request: Request,
) -> Result<Response, No> {
    let scope = parse(&scope)?;
    grant.allows(Action::Scope, Some(&scope))?;
    app.count_write(grant.user())?;
    let row = app.store.scope(&scope).await?.ok_or_else(|| scope_not_found(&scope))?;
    may(&grant, Action::Scope, &scope, &row.owner)?;
    let body = receive::small(&app, request).await?;
    let link = first_link(&body, &scope, grant.user())?;
    let digest = link.payload;
    let done = app.store.commit(Change::Link(link)).await?;
    tracing::info!(%scope, keyring = %digest, by = grant.user(), "keyring registered");
    answer_with(&app, &scope, status(&done)).await
}

/// Verifies the link as a chain of one: every rule, weak keys and proof of possession included.
fn first_link(body: &[u8], scope: &Scope, by: &str) -> Result<LinkRow, Refusal> {
    let envelope: EnvelopeJson =
        skills::json::parse(body, body.len()).map_err(|refusal| Refusal::new("request-malformed", refusal.message))?;
    let envelope = format_line(&envelope.decode()?);
    let chain = Chain::parse(envelope.as_bytes(), scope)?;
    let seq = chain.head().seq;
    Ok(LinkRow { scope: scope.clone(), seq, payload: chain.root(), envelope, by: by.to_owned(), created: now() })
}
