//! The registry, over HTTP: static files to read, a small API to change things.
//!
//! Nothing that arrives here is believed: every answer is bounded while it streams, and what it
//! says is checked by `index::verify` before anything relies on it. Reads are retried twice on a
//! broken connection or a busy server; an answer that fails a check is never asked for again.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use index::api::{Problem, RegistryConfig};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::failure::{Exit, Failure};

/// Largest answer of the API that we read, in bytes.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may send nothing before we give up on it.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a read is tried in all.
const READ_ATTEMPTS: u32 = 3;

/// One registry.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

/// What a request to the API carries.
#[derive(Debug)]
pub enum Body {
    /// Nothing.
    Empty,
    /// One JSON document.
    Json(Value),
    /// A document that is already bytes: a DSSE envelope.
    Raw(Vec<u8>),
    /// `multipart/form-data`: names and bytes, in this order.
    Parts(Vec<(&'static str, Vec<u8>)>),
}

/// What a conditional GET found.
#[derive(Debug)]
pub enum Fetched {
    /// The file, and the ETag it came with.
    Fresh(Bytes, Option<String>),
    /// The copy with the given ETag is still the file.
    Unchanged,
    /// There is no such file.
    Absent,
}

impl Client {
    /// A client for the registry at `url`.
    pub fn new(url: &str) -> Result<Self, Failure> {
        let base = url.trim_end_matches('/').to_owned();
        let parsed =
            reqwest::Url::parse(&base).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let parsed = parsed.ok_or_else(|| {
            Failure::usage("registry-url", format!("`{}` is not the URL of a registry", base.escape_debug()))
                .hint("it begins with `https://`")
        })?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(Failure::usage("registry-url", "the URL of a registry carries no user name or password")
                .hint("use `skill login`"));
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("skill/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // A redirect to another host would carry the reader away from the registry that the
            // policy names; static files and our API never need one.
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true);
        if parsed.scheme() == "http" {
            // Loading the platform's certificates costs more than a whole no-op install.
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .build()
            .map_err(|error| Failure::could_not("network", format!("could not set up HTTP: {}", chain(&error))))?;
        Ok(Self { http, base })
    }

    /// The URL that this client talks to.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// The registry's own account of itself.
    pub async fn config(&self) -> Result<RegistryConfig, Failure> {
        let bytes = self.fetch(index::urls::config(), ANSWER_BYTES_MAX).await?.ok_or_else(|| {
            Failure::could_not(
                "not-a-registry",
                format!("{} has no /config.json: it is not a skill registry", self.base),
            )
        })?;
        skills::json::parse(&bytes, ANSWER_BYTES_MAX)
            .map_err(|refusal| Failure::of(Exit::Could, refusal).at(format_args!("{}/config.json", self.base)))
    }

    /// Reads a file; `None` where there is none.
    pub async fn fetch(&self, path: &str, bytes_max: usize) -> Result<Option<Bytes>, Failure> {
        match self.fetch_if_changed(path, None, bytes_max).await? {
            Fetched::Fresh(bytes, _) => Ok(Some(bytes)),
            Fetched::Unchanged => Err(Failure::could_not(
                "network",
                format!("{}{path}: answered 304 to an unconditional request", self.base),
            )),
            Fetched::Absent => Ok(None),
        }
    }

    /// Reads a file unless it is still the one with this ETag.
    pub async fn fetch_if_changed(&self, path: &str, etag: Option<&str>, bytes_max: usize) -> Result<Fetched, Failure> {
        let mut attempt = 1;
        loop {
            match self.try_fetch(path, etag, bytes_max).await {
                Err(Attempt::Retry(_)) if attempt < READ_ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(100) * attempt).await;
                    attempt += 1;
                }
                Err(Attempt::Retry(failure) | Attempt::GiveUp(failure)) => return Err(failure),
                Ok(fetched) => return Ok(fetched),
            }
        }
    }

    async fn try_fetch(&self, path: &str, etag: Option<&str>, bytes_max: usize) -> Result<Fetched, Attempt> {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.get(&url);
        if let Some(etag) = etag {
            request = request.header(reqwest::header::IF_NONE_MATCH, etag);
        }
        let response = request.send().await.map_err(|error| Attempt::Retry(unreachable(&url, &error)))?;
        match response.status() {
            StatusCode::OK => {
                let etag = response
                    .headers()
                    .get(reqwest::header::ETAG)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned);
                Ok(Fetched::Fresh(read_bounded(response, &url, bytes_max).await?, etag))
            }
            StatusCode::NOT_MODIFIED => Ok(Fetched::Unchanged),
            StatusCode::NOT_FOUND => Ok(Fetched::Absent),
            status => {
                let failure = Failure::could_not("network", format!("{url} answered {status}"));
                let busy = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
                Err(if busy { Attempt::Retry(failure) } else { Attempt::GiveUp(failure) })
            }
        }
    }

    /// Sends a request to the API once, and reads its JSON answer. A refusal becomes a [`Failure`]
    /// with the registry's own code, sentence and hint.
    pub async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Body) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method, &url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = attach(request, body).send().await.map_err(|error| unreachable(&url, &error))?;
        let status = response.status();
        let bytes = read_bounded(response, &url, ANSWER_BYTES_MAX).await.map_err(|attempt| match attempt {
            Attempt::Retry(failure) | Attempt::GiveUp(failure) => failure,
        })?;
        if !status.is_success() {
            return Err(refused(status, &bytes, &url));
        }
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        skills::json::parse(&bytes, ANSWER_BYTES_MAX).map_err(|refusal| Failure::of(Exit::Could, refusal).at(&url))
    }
}

/// How one attempt at reading ended, if not well.
enum Attempt {
    /// The connection broke or the server is busy: another attempt may succeed.
    Retry(Failure),
    /// The answer is an answer: asking again is no use.
    GiveUp(Failure),
}

fn attach(request: RequestBuilder, body: Body) -> RequestBuilder {
    match body {
        Body::Empty => request,
        Body::Json(value) => request.header(reqwest::header::CONTENT_TYPE, "application/json").body(value.to_string()),
        Body::Raw(bytes) => request.header(reqwest::header::CONTENT_TYPE, "application/json").body(bytes),
        Body::Parts(parts) => {
            let form = parts.into_iter().fold(reqwest::multipart::Form::new(), |form, (name, bytes)| {
                form.part(name, reqwest::multipart::Part::bytes(bytes).file_name(name))
            });
            request.multipart(form)
        }
    }
}

/// Reads a body that may lie about its length, and never more than `bytes_max` of it.
async fn read_bounded(mut response: Response, url: &str, bytes_max: usize) -> Result<Bytes, Attempt> {
    let too_large =
        || Attempt::GiveUp(Failure::could_not("answer-too-large", format!("{url} sends more than {bytes_max} bytes")));
    let claimed = response.content_length().unwrap_or(0);
    if claimed > bytes_max as u64 {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(usize::try_from(claimed).unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(|error| Attempt::Retry(unreachable(url, &error)))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The one table from the registry's statuses to exit codes: what it could not do is 3, what it
/// refuses for what was sent is 1, what it cannot read is 2, what it does not allow is 4.
fn refused(status: StatusCode, body: &[u8], url: &str) -> Failure {
    let exit = match status.as_u16() {
        400 => Exit::Usage,
        409 | 413 | 422 => Exit::Failed,
        403 => Exit::Policy,
        _ => Exit::Could,
    };
    match skills::json::parse::<Problem>(body, ANSWER_BYTES_MAX) {
        Ok(problem) => {
            let failure = Failure::new(exit, problem.code, problem.detail);
            match problem.hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
        Err(_) => Failure::new(exit, "network", format!("{url} answered {status}, and not as a registry does")),
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> Failure {
    Failure::could_not("network", format!("could not read {url}: {}", chain(error)))
        .hint("is the registry running, and its URL right?")
}

/// The whole chain of causes in one line: the outermost says only "error sending request".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = error.source().or(Some(error));
    while let Some(cause) = next {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
