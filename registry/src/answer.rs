//! Answers: how a file, a value or a refusal becomes an HTTP response.
//!
//! Every answer says how long it may be kept. What never changes is immutable, what changes with the next
//! publish is revalidated by ETag, everything else is `no-store`, refusals too: a 404 that a proxy keeps
//! would hide the release that makes it a lie.

use axum::body::Body;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use index::api::{PROBLEM_MEDIA_TYPE, Problem};
use serde::Serialize;
use skills::Refusal;

use crate::shelf::TaggedFile;
use crate::store::Fault;

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// Not at all.
    NoStore,
    /// For ever: the path names the bytes.
    Immutable,
    /// Kept, and asked about each time by ETag.
    Short,
}

impl Caching {
    /// The value of `cache-control`.
    pub fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::NoStore => "no-store",
            Self::Immutable => "public, max-age=31536000, immutable",
            // No lifetime: with one, a yank would reach clients that much later.
            Self::Short => "public, max-age=0, must-revalidate",
        })
    }
}

/// Bytes of a type.
pub fn file(bytes: Bytes, media_type: &'static str, caching: Caching) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.headers_mut().insert(CACHE_CONTROL, caching.header());
    response
}

/// A file with an ETag, or 304 where the client has it.
pub fn tagged(file: &TaggedFile, media_type: &'static str, request: &HeaderMap) -> Response {
    let mut response = if has(request, &file.etag) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(file.bytes.clone()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    };
    response.headers_mut().insert(CACHE_CONTROL, Caching::Short.header());
    response.headers_mut().insert(ETAG, file.etag.clone());
    response
}

/// RFC 9110 §13.1.2: a list of tags, or `*`; `If-None-Match` compares weakly.
fn has(request: &HeaderMap, etag: &HeaderValue) -> bool {
    request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(',')).any(
        |tag| {
            let tag = tag.trim();
            tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
        },
    )
}

/// A value as JSON, not to be kept.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("answers are strings and numbers, which always serialise");
    let mut response = file(body.into(), "application/json", Caching::NoStore);
    *response.status_mut() = status;
    response
}

/// A refusal on its way out, as a problem document.
#[derive(Debug)]
pub struct No(pub Refusal);

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

/// A storage that failed is told to the operator, in the log, and not to the client.
impl From<Fault> for No {
    fn from(fault: Fault) -> Self {
        Self(match fault {
            Fault::Refused(refusal) => refusal,
            Fault::Full => Refusal::new("storage-full", "the registry's disk is full; nothing was changed"),
            Fault::Busy => Refusal::new("unavailable", "too many changes are waiting; nothing was changed")
                .hint("try again in a moment"),
            Fault::Broken(why) => {
                tracing::error!(why, "a request met a failed storage");
                Refusal::new("unavailable", "the registry cannot keep or read this now")
                    .hint("tell its operator; the reason is in its log")
            }
        })
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let problem = Problem::of(&self.0);
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = json(status, &problem);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        match status {
            StatusCode::UNAUTHORIZED => headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))
            }
            _ => None,
        };
        response
    }
}

/// The answer to a path that is no route.
pub fn not_found() -> No {
    No(Refusal::new("not-found", "there is nothing at this path").hint("`/api/v1/openapi.json` lists the routes"))
}

/// The answer to a method that a path does not have. The router has set `Allow` to those it has.
pub fn method_not_allowed(allowed: Option<HeaderValue>) -> Response {
    let mut response = No(Refusal::new("method-not-allowed", "this path does not take this method")).into_response();
    if let Some(allowed) = allowed {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(value: &'static str, expected: bool) {
        let mut request = HeaderMap::new();
        request.insert(IF_NONE_MATCH, HeaderValue::from_static(value));
        assert_eq!(has(&request, &HeaderValue::from_static("\"abc\"")), expected, "{value}");
    }

    #[test]
    fn a_tag_matches_alone_in_a_list_weakly_and_by_star() {
        for value in ["\"abc\"", "\"x\", \"abc\"", "W/\"abc\"", "*"] {
            matches(value, true);
        }
        for value in ["\"abd\"", "abc", ""] {
            matches(value, false);
        }
    }
}
