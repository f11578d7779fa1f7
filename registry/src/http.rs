//! The routes: one table, from which the router is made and the tests of the house are run.
//!
//! What the table says of a route (how long its answer may be kept, whether a stranger may call it), the
//! tests hold the handlers to, each route one by one; `openapi.json` is held to it as well. So a route
//! that forgets its caching header, or its token, cannot be added unnoticed.

mod account;
mod caller;
mod multipart;
mod operate;
mod publish;
mod read;
mod receive;
mod scopes;
mod stream;
mod yank;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::ALLOW;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use skills::Refusal;
use tower_http::catch_panic::CatchPanicLayer;

pub use caller::Peer;
pub use operate::OPENAPI;

use crate::answer::{Caching, No, method_not_allowed, not_found};
use crate::app::App;
use crate::metrics::Class;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Who has a token in force.
    Token,
}

/// One line of the table.
pub struct Route {
    /// `GET`, `POST`, `PUT` or `DELETE`. A `GET` answers `HEAD` too.
    pub method: &'static str,
    /// The path, parameters in braces.
    pub path: &'static str,
    /// How long its answers may be kept.
    pub caching: Caching,
    /// Who may call it.
    pub access: Access,
    handler: MethodRouter<Arc<App>>,
}

/// Every route that there is.
pub fn routes() -> Vec<Route> {
    use Access::{Public, Token};
    use Caching::{Immutable, NoStore, Short};
    let route = |method, path, caching, access, handler| Route { method, path, caching, access, handler };
    vec![
        route("GET", "/", Short, Public, get(operate::home)),
        route("GET", "/config.json", Short, Public, get(read::config)),
        route("GET", "/index/{scope}/{name}", Short, Public, get(read::index)),
        route("GET", "/archives/sha256/{file}", Immutable, Public, get(read::archive)),
        route("GET", "/bundles/{scope}/{name}/{file}", Immutable, Public, get(read::bundle)),
        route("GET", "/keyrings/{file}", Short, Public, get(read::keyring)),
        route("GET", "/.well-known/agent-skills/index.json", Short, Public, get(read::discovery)),
        route("GET", "/{scope}/.well-known/agent-skills/index.json", Short, Public, get(read::discovery_of_scope)),
        route("GET", "/healthz", NoStore, Public, get(operate::healthz)),
        route("GET", "/readyz", NoStore, Public, get(operate::readyz)),
        route("GET", "/metrics", NoStore, Public, get(operate::metrics)),
        route("GET", "/api/v1/openapi.json", Short, Public, get(operate::openapi)),
        route("GET", "/api/v1/search", NoStore, Public, get(read::search)),
        route("GET", "/api/v1/me", NoStore, Token, get(account::me)),
        route("GET", "/api/v1/tokens", NoStore, Token, get(account::list)),
        route("POST", "/api/v1/tokens", NoStore, Token, post(account::create)),
        route("DELETE", "/api/v1/tokens/{id}", NoStore, Token, delete(account::revoke)),
        route("POST", "/api/v1/scopes", NoStore, Token, post(scopes::create)),
        route("GET", "/api/v1/scopes/{scope}", NoStore, Public, get(scopes::show)),
        route("PUT", "/api/v1/scopes/{scope}/keyring", NoStore, Token, put(scopes::register)),
        route("POST", "/api/v1/publish", NoStore, Token, post(publish::publish)),
        route("POST", "/api/v1/yank/{scope}/{name}/{version}", NoStore, Token, post(yank::yank)),
        route("POST", "/api/v1/unyank/{scope}/{name}/{version}", NoStore, Token, post(yank::unyank)),
    ]
}

/// The router over a running registry. Needs no port: tests call it as a service.
pub fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = router.route(route.path, route.handler);
    }
    router
        .fallback(async || not_found())
        .method_not_allowed_fallback(async || No(Refusal::new("method-not-allowed", "")))
        .layer(from_fn(refuse_method))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app.clone())
}

/// Counts and times every answer. No line of log a request: a busy registry would write more log than
/// skills.
async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let class = Class::of(request.uri().path());
    let response = next.run(request).await;
    app.metrics.answered(class, response.status().as_u16(), started.elapsed());
    response
}

/// Gives the 405 of the router its problem document, and keeps the `Allow` that the router has set.
async fn refuse_method(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status() != axum::http::StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    method_not_allowed(response.headers().get(ALLOW).cloned())
}

/// A panic is our bug: the client gets a problem, the operator the reason, the process lives on.
fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let why = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    tracing::error!(why, "a handler panicked");
    No(Refusal::new("internal", "the registry has a bug, and it has been logged")).into_response()
}
