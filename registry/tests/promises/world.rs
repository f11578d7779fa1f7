//! A registry in a temporary folder, and requests to it.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use registry::app::App;
use registry::config::Config;
use registry::store::Change;
use registry::token::{ACTIONS, Action, Scopes, Secret, TokenRow};
use serde_json::Value;
use skills::Scope;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::signed::{Pair, REGISTRY, link_body, release};

/// A running registry with user `ann`, who owns scope `acme`, whose keyring has key 7.
pub(crate) struct World {
    folder: TempDir,
    app: Option<Arc<App>>,
    /// A token of `ann` that may do everything.
    pub(crate) ann: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("JSON: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// A header as text, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The status and, of a refusal, its code.
    pub(crate) fn verdict(&self) -> (u16, String) {
        let code = match self.header("content-type") {
            "application/problem+json" => self.json()["code"].as_str().expect("a code").to_owned(),
            _ => String::new(),
        };
        (self.status.as_u16(), code)
    }

    /// Asserts success, and says why not.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// Asserts a refusal.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, code: &str) {
        assert_eq!(self.verdict(), (status, code.to_owned()), "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("cache-control"), "no-store");
    }
}

impl World {
    /// With the defaults.
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    /// With a configuration.
    pub(crate) async fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let app = open(folder.path(), config).await;
        let mut world = Self { folder, app: Some(app), ann: String::new() };
        world.ann = world.user("ann").await;
        let created = serde_json::json!({"name": "acme"}).to_string();
        world.post("/api/v1/scopes", &world.ann, created).await.is(201);
        let ann = world.ann.clone();
        world.send("PUT", "/api/v1/scopes/acme/keyring", Some(&ann), link_body("acme", 7)).await.is(201);
        world
    }

    /// The same, with `acme/greet` 1.0.0 published.
    pub(crate) async fn published() -> Self {
        let world = Self::new().await;
        world.publish(&[release("acme/greet", "1.0.0")]).await.is(201);
        world
    }

    /// The registry itself.
    pub(crate) fn app(&self) -> &Arc<App> {
        self.app.as_ref().expect("running")
    }

    /// The data folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Stops the registry and starts it again on the same folder.
    pub(crate) async fn restart(&mut self) {
        self.restart_with("").await;
    }

    /// The same, with another configuration.
    pub(crate) async fn restart_with(&mut self, config: &str) {
        self.app = None;
        self.app = Some(open(self.folder.path(), config).await);
    }

    /// Stops the registry.
    pub(crate) fn stop(&mut self) {
        self.app = None;
    }

    /// A new user with a token that may do everything.
    pub(crate) async fn user(&self, name: &str) -> String {
        let (secret, token) = token(name, &ACTIONS, Scopes::All, i64::MAX / 2);
        self.app().store.commit(Change::User { name: name.to_owned(), token }).await.expect("a new user");
        secret.reveal().to_owned()
    }

    /// Another token of `ann`.
    pub(crate) async fn token(&self, actions: &[Action], scopes: &[&str], expires: i64) -> String {
        let scopes = match scopes {
            ["*"] => Scopes::All,
            names => Scopes::Only(names.iter().map(|name| Scope::parse(name).expect("a scope")).collect()),
        };
        let (secret, token) = token("ann", actions, scopes, expires);
        self.app().store.commit(Change::Token(token)).await.expect("a token");
        secret.reveal().to_owned()
    }

    /// Sends a request.
    pub(crate) async fn request(&self, request: Request<Body>) -> Answer {
        let response = registry::http::router(self.app()).oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a body with a token.
    pub(crate) async fn send(&self, method: &str, path: &str, token: Option<&str>, body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        self.request(request.body(body.into()).expect("a request")).await
    }

    /// `GET`, as a stranger.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, Body::empty()).await
    }

    /// `POST` with a token.
    pub(crate) async fn post(&self, path: &str, token: &str, body: impl Into<Body>) -> Answer {
        self.send("POST", path, Some(token), body).await
    }

    /// Publishes as `ann`.
    pub(crate) async fn publish(&self, pairs: &[Pair]) -> Answer {
        let ann = self.ann.clone();
        self.publish_as(&ann, pairs).await
    }

    /// Publishes with a token.
    pub(crate) async fn publish_as(&self, token: &str, pairs: &[Pair]) -> Answer {
        let parts: Vec<(&str, &[u8])> =
            pairs.iter().flat_map(|pair| [("bundle", &pair.bundle[..]), ("archive", &pair.archive[..])]).collect();
        self.request(multipart(token, &parts)).await
    }
}

async fn open(folder: &Path, config: &str) -> Arc<App> {
    let mut config = Config::parse(config).expect("a configuration");
    config.name = Some(REGISTRY.to_owned());
    App::open(folder, config).await.expect("opens")
}

fn token(user: &str, actions: &[Action], scopes: Scopes, expires: i64) -> (Secret, TokenRow) {
    let secret = Secret::generate().expect("random bytes");
    let row = TokenRow::new(&secret, user, actions, scopes, 0, expires);
    (secret, row)
}

/// A publish with these parts.
pub(crate) fn multipart(token: &str, parts: &[(&str, &[u8])]) -> Request<Body> {
    const BOUNDARY: &str = "xYzZy";
    let mut body = Vec::new();
    for (name, bytes) in parts {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    Request::post("/api/v1/publish")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(Body::from(body))
        .expect("a request")
}
