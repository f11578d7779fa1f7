//! Yank and unyank: retiring a release without taking it away.
//!
//! A yank is a new record, who and when and why; the release stays where it is for those who locked it.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use index::api::{YankAnswer, YankRequest};
use skills::{PackageName, Refusal, Version};

use super::caller::Caller;
use super::receive;
use crate::admit::may;
use crate::answer::{No, json};
use crate::app::{App, now, scope_not_found};
use crate::store::{Change, YankEvent};
use crate::token::{Action, Grant};

/// Longest reason, in bytes: a sentence, with a link.
const REASON_BYTES_MAX: usize = 500;

type Named = Path<(String, String, String)>;

/// `POST /api/v1/yank/SCOPE/NAME/VERSION`
pub(super) async fn yank(
    State(app): State<Arc<App>>,
    Caller(grant): Caller,
    Path(named): Named,
    request: Request,
) -> Result<Response, No> {
    record(&app, &grant, named, request, true).await
}

/// `POST /api/v1/unyank/SCOPE/NAME/VERSION`
pub(super) async fn unyank(
    State(app): State<Arc<App>>,
    Caller(grant): Caller,
    Path(named): Named,
    request: Request,
) -> Result<Response, No> {
    record(&app, &grant, named, request, false).await
}

async fn record(
    app: &App,
    grant: &Grant,
    (scope, name, version): (String, String, String),
    request: Request,
    yanked: bool,
) -> Result<Response, No> {
    grant.allows(Action::Yank, None)?;
    app.count_write(grant.user())?;
    let package = PackageName::parse(&format!("{scope}/{name}"))?;
    let version = Version::parse(&version)?;
    let scope = package.scope();
    grant.allows(Action::Yank, Some(scope))?;
    let row = app.store.scope(scope).await?.ok_or_else(|| scope_not_found(scope))?;
    may(grant, Action::Yank, scope, &row.owner)?;
    let reason = reason(receive::json(app, request).await?)?;
    let by = format!("user:{}", grant.user());
    let event = YankEvent { package: package.clone(), version: version.clone(), yanked, reason, by, at: now() };
    app.store.commit(Change::Yank(event)).await?;
    tracing::info!(%package, %version, yanked, by = grant.user(), "yank recorded");
    let kept = app.store.release(&package, &version).await?;
    let kept = kept.ok_or_else(|| Refusal::new("internal", "a release that was yanked is gone"))?;
    let answer =
        YankAnswer { name: package, version: kept.version, yanked: kept.yanked.is_some(), reason: kept.yanked };
    Ok(json(StatusCode::OK, &answer))
}

fn reason(asked: YankRequest) -> Result<String, Refusal> {
    let reason = asked.reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX || reason.chars().any(char::is_control) {
        return Err(Refusal::new(
            "request-malformed",
            format!("a reason is one line of 1 to {REASON_BYTES_MAX} bytes, for everybody whom the yank touches"),
        ));
    }
    Ok(reason.to_owned())
}
