//! Bodies: bounded in size and in time before anything is made of them.

use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use skills::Refusal;
use skills::bundle::BUNDLE_BYTES_MAX;
use skills::limits::ARCHIVE_BYTES_MAX;
use tokio::sync::OwnedSemaphorePermit;

use crate::admit::Upload;
use crate::answer::No;
use crate::app::App;

/// Largest body of a JSON request, in bytes; a keyring link with its signatures fits.
const JSON_BYTES_MAX: usize = 1024 * 1024;

/// Most pairs in one publish: a whole collection, and still a bounded transaction.
pub(super) const UPLOADS_MAX: usize = 1_024;

/// Reads a small body whole.
pub(super) async fn small(app: &App, request: Request) -> Result<Bytes, Refusal> {
    refuse_declared(&request, JSON_BYTES_MAX as u64)?;
    let body = Limited::new(request.into_body(), JSON_BYTES_MAX);
    match tokio::time::timeout(app.body_time(), body.collect()).await {
        Err(_) => Err(too_slow(app)),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large(JSON_BYTES_MAX as u64)),
        Ok(Err(_)) => Err(Refusal::new("request-malformed", "the body ended early")),
    }
}

/// Reads a small body as a JSON request, strictly.
pub(super) async fn json<T: DeserializeOwned>(app: &App, request: Request) -> Result<T, Refusal> {
    let bytes = small(app, request).await?;
    skills::json::parse(&bytes, JSON_BYTES_MAX).map_err(|refusal| Refusal::new("request-malformed", refusal.message))
}

/// Reads the pairs of a publish, and holds the memory for them until the permit is dropped.
pub(super) async fn uploads(app: &App, request: Request) -> Result<(Vec<Upload>, OwnedSemaphorePermit), No> {
    let most = app.config.limits.publish_bytes();
    let declared = refuse_declared(&request, most)?;
    is_multipart(&request)?;
    let room = app.room_for(declared.unwrap_or(most)).await?;
    match tokio::time::timeout(app.body_time(), pairs(request, most)).await {
        Err(_) => Err(No(too_slow(app))),
        Ok(pairs) => Ok((pairs?, room)),
    }
}

/// The length that a request declares. One that is too large is refused before its first byte is read.
fn refuse_declared(request: &Request, most: u64) -> Result<Option<u64>, Refusal> {
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    match declared {
        Some(length) if length > most => Err(too_large(most)),
        declared => Ok(declared),
    }
}

fn is_multipart(request: &Request) -> Result<(), Refusal> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        return Ok(());
    }
    Err(Refusal::new("media-type-unsupported", "a publish is `multipart/form-data`"))
}

/// The router's `DefaultBodyLimit` ends a body at `most`; each part has a limit of its own.
async fn pairs(request: Request, most: u64) -> Result<Vec<Upload>, Refusal> {
    let mut parts = Multipart::from_request(request, &()).await.map_err(|error| malformed(&error.body_text()))?;
    let mut uploads = Vec::new();
    while let Some(bundle) = next(&mut parts, "bundle", BUNDLE_BYTES_MAX as u64, most).await? {
        if uploads.len() == UPLOADS_MAX {
            return Err(Refusal::new("body-too-large", format!("more than {UPLOADS_MAX} releases in one publish")));
        }
        let archive = next(&mut parts, "archive", ARCHIVE_BYTES_MAX, most).await?;
        let archive = archive.ok_or_else(|| malformed("the last `bundle` has no `archive` after it"))?;
        uploads.push(Upload { bundle, archive });
    }
    if uploads.is_empty() {
        return Err(malformed("there is no part: expected pairs of `bundle` and `archive`"));
    }
    Ok(uploads)
}

/// The next part, which must have this name; `None` after the last one.
async fn next(parts: &mut Multipart, name: &str, most: u64, body_most: u64) -> Result<Option<Bytes>, Refusal> {
    let failed = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(body_most),
        _ => malformed(&error.body_text()),
    };
    let Some(field) = parts.next_field().await.map_err(failed)? else { return Ok(None) };
    if field.name() != Some(name) {
        let seen = field.name().unwrap_or_default().escape_debug().to_string();
        return Err(malformed(&format!("expected a part `{name}`, found `{seen}`")));
    }
    collect(field, name, most, failed).await.map(Some)
}

async fn collect(
    mut field: Field<'_>,
    name: &str,
    most: u64,
    failed: impl Fn(axum::extract::multipart::MultipartError) -> Refusal,
) -> Result<Bytes, Refusal> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = field.chunk().await.map_err(&failed)? {
        if (whole.len() + chunk.len()) as u64 > most {
            return Err(Refusal::new("body-too-large", format!("a part `{name}` has at most {most} bytes")));
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("multipart-malformed", format!("the publish cannot be read: {why}"))
}

fn too_large(most: u64) -> Refusal {
    Refusal::new("body-too-large", format!("the body has more than {most} bytes"))
}

fn too_slow(app: &App) -> Refusal {
    let seconds = app.config.limits.body_seconds;
    Refusal::new("request-timeout", format!("the body did not arrive within {seconds} seconds"))
}
