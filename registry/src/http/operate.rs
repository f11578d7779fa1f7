//! For operators, their probes and their tools: health, metrics, the API's description, a front door.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;

use crate::answer::{Caching, No, file, tagged};
use crate::app::App;
use crate::shelf::TaggedFile;

const TEXT: &str = "text/plain; charset=utf-8";

/// The API's description, kept true by a test that compares it with the table of routes.
pub const OPENAPI: &str = include_str!("../../openapi.json");

/// `GET /healthz`: the process lives.
pub(super) async fn healthz() -> Response {
    file(Bytes::from_static(b"ok\n"), TEXT, Caching::NoStore)
}

/// `GET /readyz`: changes can be kept. 503 once the storage has failed.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<Response, No> {
    app.ready()?;
    Ok(file(Bytes::from_static(b"ready\n"), TEXT, Caching::NoStore))
}

/// `GET /metrics`
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let text = app.metrics.format(app.shelf.len());
    file(text.into(), "text/plain; version=0.0.4; charset=utf-8", Caching::NoStore)
}

/// `GET /api/v1/openapi.json`
pub(super) async fn openapi(headers: HeaderMap) -> Response {
    tagged(&TaggedFile::new(Bytes::from_static(OPENAPI.as_bytes())), "application/json", &headers)
}

/// `GET /`: who this is and where to look, for a person who typed the address.
pub(super) async fn home(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    // The name is a host name, checked at start: nothing in it needs escaping.
    let name = &app.name;
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{name}</title>\n\
         <h1>{name}</h1>\n<p>A registry of signed agent skills, {count} of them.</p>\n\
         <ul>\n<li><a href=\"/config.json\">/config.json</a>: what clients start from\n\
         <li><a href=\"/.well-known/agent-skills/index.json\">/.well-known/agent-skills/index.json</a>: the skills\n\
         <li><a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>: the API\n</ul>\n</html>\n",
        count = app.shelf.len()
    );
    let mut response = tagged(&TaggedFile::new(html.into()), "text/html; charset=utf-8", &headers);
    let policy = axum::http::HeaderValue::from_static("default-src 'none'");
    response.headers_mut().insert(axum::http::header::CONTENT_SECURITY_POLICY, policy);
    response
}
