//! `POST /api/v1/publish`: decode → decide → keep → answer, one call a step.
//!
//! All releases of a request are kept, or none. Archives are durable before the rows that name them; the
//! rows are one change, which is the commit point. A kill before it leaves orphan blobs and nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use index::api::{PublishAnswer, PublishStatus, Published};
use index::urls;
use skills::{PackageName, Refusal, Scope, Sha256};

use super::caller::Caller;
use super::receive;
use crate::admit::{Claim, Decision, Desk, ScopeFacts, Upload, decide, refuse_twins};
use crate::answer::{self, No};
use crate::app::{App, now};
use crate::shelf::line_of;
use crate::store::{Change, Done, NewRelease, Release};
use crate::token::{Action, Grant};

pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Caller(grant): Caller,
    request: Request,
) -> Result<Response, No> {
    grant.allows(Action::Publish, None)?;
    app.count_write(grant.user())?;
    app.ready()?;
    let (uploads, _room) = receive::uploads(&app, request).await?;
    let claims = decode(&app, uploads).await?;
    let (scopes, kept) = facts(&app, &grant, &claims).await?;
    let decisions = decide_all(&app, grant, claims, scopes, kept).await?;
    keep(&app, decisions).await
}

/// The bundles, read. Their content is a stranger's: it is read off the threads that serve others.
async fn decode(app: &App, uploads: Vec<Upload>) -> Result<Vec<Claim>, No> {
    let _turn = app.turn_to_decide(0).await;
    blocking(move || {
        let claims: Vec<Claim> = uploads.into_iter().map(Claim::read).collect::<Result<_, _>>()?;
        refuse_twins(&claims)?;
        Ok(claims)
    })
    .await
}

type Scopes = HashMap<Scope, ScopeFacts>;

/// What the store knows: of each scope once, of each version whether its number is taken. A scope that the
/// token does not reach is refused before it is looked up: a token tells nothing about other scopes.
async fn facts(app: &App, grant: &Grant, claims: &[Claim]) -> Result<(Scopes, Vec<Option<Release>>), No> {
    let mut scopes = HashMap::new();
    let mut kept = Vec::with_capacity(claims.len());
    for claim in claims {
        grant.allows(Action::Publish, Some(claim.scope()))?;
        if !scopes.contains_key(claim.scope()) {
            scopes.insert(claim.scope().clone(), app.scope_facts(claim.scope()).await?);
        }
        let package = &claim.statement.package;
        let known = app.shelf.page(&package.to_string()).is_some();
        kept.push(if known { app.store.release(package, &claim.statement.version).await? } else { None });
    }
    Ok((scopes, kept))
}

async fn decide_all(
    app: &Arc<App>,
    grant: Grant,
    claims: Vec<Claim>,
    scopes: Scopes,
    kept: Vec<Option<Release>>,
) -> Result<Vec<Decision>, No> {
    let largest = claims.iter().map(Claim::archive_bytes).max().unwrap_or(0);
    let _turn = app.turn_to_decide(largest).await;
    let app = Arc::clone(app);
    blocking(move || {
        let now = now();
        let known = |name: &PackageName| app.shelf.kinds(name);
        let desk = Desk { registry: &app.name, grant: &grant, now: &now, known: &known };
        let pairs = claims.iter().zip(kept);
        pairs.map(|(claim, kept)| decide(claim, &scopes[claim.scope()], kept, &desk)).collect()
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, No> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => {
            tracing::error!(%error, "a decision panicked");
            Err(No(Refusal::new("internal", "the registry has a bug, and it has been logged")))
        }
    }
}

/// Archives first, durable; then the rows, in one change; then the answer.
async fn keep(app: &App, decisions: Vec<Decision>) -> Result<Response, No> {
    let mut answers = Vec::with_capacity(decisions.len());
    let mut rows = Vec::new();
    let mut blobs: Vec<(Sha256, Bytes)> = Vec::new();
    for decision in decisions {
        match decision {
            Decision::Unchanged(kept) => answers.push(unchanged(&kept)?),
            Decision::Publish { release, archive } => {
                answers.push(published(&release));
                blobs.push((release.archive, archive));
                rows.push(*release);
            }
        }
    }
    if rows.is_empty() {
        return Ok(answer::json(StatusCode::OK, &PublishAnswer { releases: answers }));
    }
    app.blobs.put(blobs.clone()).await?;
    let done = app.store.commit(Change::Releases(rows.clone())).await?;
    for (row, done) in rows.iter().zip(&done) {
        if *done == Done::Same {
            correct(app, &mut answers, row).await?;
        }
    }
    remember(app, &rows, blobs, &done);
    let new = done.contains(&Done::New);
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(answer::json(status, &PublishAnswer { releases: answers }))
}

/// Another request has published the very same bytes since we looked: its entry is the true one.
async fn correct(app: &App, answers: &mut [Published], row: &NewRelease) -> Result<(), No> {
    let kept = app.store.release(&row.package, &row.version).await?;
    let kept = kept.ok_or_else(|| Refusal::new("internal", "a release that was kept is gone"))?;
    let mut answers = answers.iter_mut();
    if let Some(answer) = answers.find(|answer| answer.name == row.package && answer.version == row.version) {
        *answer = unchanged(&kept)?;
    }
    Ok(())
}

/// What is true after the commit, for the counters, the log and the cache.
fn remember(app: &App, rows: &[NewRelease], blobs: Vec<(Sha256, Bytes)>, done: &[Done]) {
    for ((row, (digest, bytes)), done) in rows.iter().zip(blobs).zip(done) {
        if *done == Done::New {
            app.metrics.published(1, bytes.len() as u64);
            tracing::info!(package = %row.package, version = %row.version, by = row.by, "published");
        }
        app.remember(urls::bundle(&row.package, &row.version), Bytes::from(row.bundle.clone()));
        app.remember(urls::archive(&digest), bytes);
    }
}

fn published(release: &NewRelease) -> Published {
    Published {
        name: release.package.clone(),
        version: release.version.clone(),
        archive: release.archive,
        statement: release.statement,
        entry: release.entry.clone(),
        status: PublishStatus::Published,
    }
}

fn unchanged(release: &Release) -> Result<Published, Refusal> {
    Ok(Published {
        name: release.package.clone(),
        version: release.version.clone(),
        archive: release.archive,
        statement: release.statement,
        entry: line_of(release)?.trim_end().to_owned(),
        status: PublishStatus::Unchanged,
    })
}
