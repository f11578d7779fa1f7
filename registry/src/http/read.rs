//! The read side: what a mirror could serve as well, byte for byte.
//!
//! The hot routes look their path up in memory as the text it is: a path that is no name finds nothing, so
//! nothing is parsed and nothing allocated for it. What is not in memory is streamed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query as QueryString, State};
use axum::http::header::{CONTENT_LENGTH, HeaderValue};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use bytes::Bytes;
use index::api::RegistryConfig;
use index::urls;
use serde::Deserialize;
use skills::{PackageName, Refusal, Scope};
use tokio::io::AsyncReadExt;

use super::stream::Stream;
use crate::answer::{Caching, No, file, json, not_found, tagged};
use crate::app::{App, CACHED_BYTES_MAX};
use crate::blobs::Blob;
use crate::discovery::Discovery;
use crate::search::Query;
use crate::shelf::TaggedFile;

const GZIP: &str = "application/gzip";
const JSON: &str = "application/json";
const JSON_LINES: &str = "application/jsonl";

/// `GET /config.json`
pub(super) async fn config(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let config = RegistryConfig::named(app.name.clone());
    let bytes = serde_json::to_vec(&config).expect("a configuration is strings, which always serialise");
    tagged(&TaggedFile::new(bytes.into()), JSON, &headers)
}

/// `GET /index/SCOPE/NAME`
pub(super) async fn index(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Result<Response, No> {
    let name = uri.path().strip_prefix("/index/").unwrap_or_default();
    match app.shelf.page(name) {
        Some(page) => Ok(tagged(&page.file, JSON_LINES, &headers)),
        None => Err(No(Refusal::new("package-not-found", format!("there is no package `{}`", head(name))))),
    }
}

/// `GET /keyrings/SCOPE.jsonl`
pub(super) async fn keyring(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Result<Response, No> {
    let name = uri.path().strip_prefix("/keyrings/").and_then(|name| name.strip_suffix(urls::KEYRING_ENDING));
    match app.shelf.keyring(name.unwrap_or_default()) {
        Some(keyring) => Ok(tagged(&keyring.file, JSON_LINES, &headers)),
        None => Err(No(Refusal::new("keyring-not-found", "no key was registered for such a scope"))),
    }
}

/// `GET /archives/sha256/HEX.tar.gz`
pub(super) async fn archive(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, No> {
    if let Some(bytes) = app.immutable.get(uri.path()) {
        return Ok(file(bytes, GZIP, Caching::Immutable));
    }
    let not_found = || No(Refusal::new("archive-not-found", "there is no archive with this digest"));
    let name = uri.path().strip_prefix("/archives/sha256/").unwrap_or_default();
    let digest = urls::parse_archive(name).ok_or_else(not_found)?;
    let mut blob = app.blobs.open(digest).await?.ok_or_else(not_found)?;
    if blob.length > CACHED_BYTES_MAX as u64 {
        return Ok(stream(blob));
    }
    let mut bytes = Vec::with_capacity(blob.length as usize);
    blob.bytes.read_to_end(&mut bytes).await.map_err(|error| crate::store::Fault::Broken(error.to_string()))?;
    let bytes = Bytes::from(bytes);
    app.remember(urls::archive(&digest), bytes.clone());
    Ok(file(bytes, GZIP, Caching::Immutable))
}

fn stream(blob: Blob) -> Response {
    let length = HeaderValue::from(blob.length);
    let mut response = file(Bytes::new(), GZIP, Caching::Immutable);
    *response.body_mut() = Body::new(Stream::of(blob));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

/// `GET /bundles/SCOPE/NAME/VERSION.sigstore.jsonl`
pub(super) async fn bundle(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, No> {
    if let Some(bytes) = app.immutable.get(uri.path()) {
        return Ok(file(bytes, JSON_LINES, Caching::Immutable));
    }
    let missing = || No(Refusal::new("version-not-found", "there is no release with this bundle"));
    let path = uri.path().strip_prefix("/bundles/").unwrap_or_default();
    let (package, name) = path.rsplit_once('/').ok_or_else(missing)?;
    let package = PackageName::parse(package).ok().filter(|parsed| parsed.to_string() == package);
    let (package, version) = package.zip(urls::parse_bundle(name)).ok_or_else(missing)?;
    let bytes: Bytes = app.store.bundle(&package, &version.number()).await?.ok_or_else(missing)?.into();
    app.remember(urls::bundle(&package, &version), bytes.clone());
    Ok(file(bytes, JSON_LINES, Caching::Immutable))
}

/// `GET /.well-known/agent-skills/index.json`
pub(super) async fn discovery(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let base = app.config.public_url.clone().unwrap_or_default();
    tagged(&app.discovery.root(&app.shelf, &base), JSON, &headers)
}

/// The same for one scope, where two scopes have packages of one last part.
pub(super) async fn discovery_of_scope(
    State(app): State<Arc<App>>,
    Path(scope): Path<String>,
    headers: HeaderMap,
) -> Result<Response, No> {
    let scope = Scope::parse(&scope).map_err(|_| not_found())?;
    let base = app.config.public_url.clone().unwrap_or_default();
    Ok(tagged(&Discovery::scope(&app.shelf, scope.as_str(), &base), JSON, &headers))
}

/// The words, and which page of the hits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchParameters {
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    offset: Option<usize>,
}

/// `GET /api/v1/search?q=WORDS`
pub(super) async fn search(
    State(app): State<Arc<App>>,
    parameters: Result<QueryString<SearchParameters>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, No> {
    let QueryString(asked) = parameters.map_err(|error| Refusal::new("query-malformed", error.body_text()))?;
    let query = Query::parse(&asked.q, asked.limit, asked.offset)?;
    let searching = tokio::task::spawn_blocking(move || query.answer(&app.shelf.pages()));
    let answer = searching.await.map_err(|_| Refusal::new("internal", "the search failed, and it has been logged"))?;
    Ok(json(StatusCode::OK, &answer))
}

/// Enough of a stranger's text to recognise it.
fn head(text: &str) -> String {
    text.chars().take(110).collect::<String>().escape_debug().to_string()
}
