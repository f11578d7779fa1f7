//! Bodies: bounded in size and in time before anything is made of them.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use skills::Refusal;
use tokio::sync::OwnedSemaphorePermit;

use super::multipart::{Reader, malformed};
use crate::admit::Upload;
use crate::answer::No;
use crate::app::App;

/// Largest body of a JSON request, in bytes; a keyring link with its signatures fits.
const JSON_BYTES_MAX: usize = 1024 * 1024;

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
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let reader = Reader::new(kind)?;
    let room = app.room_for(declared.unwrap_or(most)).await?;
    match tokio::time::timeout(app.body_time(), pairs(request.into_body(), reader, most)).await {
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

/// Every byte is read as it comes; a body that is not what it should be is refused at the first wrong one.
async fn pairs(body: Body, mut reader: Reader, most: u64) -> Result<Vec<Upload>, Refusal> {
    let most_here = usize::try_from(most).unwrap_or(usize::MAX);
    let mut body = Limited::new(body, most_here);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
            true => too_large(most),
            false => malformed("it ended early"),
        })?;
        if let Some(piece) = frame.data_ref() {
            reader.push(piece)?;
        }
    }
    reader.finish()
}

fn too_large(most: u64) -> Refusal {
    Refusal::new("body-too-large", format!("the body has more than {most} bytes"))
}

fn too_slow(app: &App) -> Refusal {
    let seconds = app.config.limits.body_seconds;
    Refusal::new("request-timeout", format!("the body did not arrive within {seconds} seconds"))
}
