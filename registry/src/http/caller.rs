//! Who calls: the bearer token of a request, looked up before a byte of its body is read.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use skills::Refusal;

use crate::answer::No;
use crate::app::App;
use crate::token::{Grant, Secret};

/// The address of the other end of the connection; put into each request by [`crate::serve`].
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Somebody with a token in force. A handler that takes this refuses strangers.
pub(super) struct Caller(pub(super) Grant);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, No> {
        let address = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0);
        match grant(parts, app).await {
            Err(No(refusal)) if refusal.code.starts_with("token-") => {
                app.count_failed_auth(address)?;
                Err(No(refusal))
            }
            known => known.map(Self),
        }
    }
}

async fn grant(parts: &Parts, app: &App) -> Result<Grant, No> {
    let secret = secret(parts)?;
    let row = app.store.token(secret.hash()).await?;
    let row = row.ok_or_else(|| {
        Refusal::new("token-unknown", "this registry does not know the token").hint("`skill login` with one it made")
    })?;
    Ok(Grant::of(row, jiff::Timestamp::now().as_second())?)
}

fn secret(parts: &Parts) -> Result<Secret, Refusal> {
    let Some(header) = parts.headers.get(AUTHORIZATION) else {
        return Err(
            Refusal::new("token-missing", "this needs a token: `Authorization: Bearer skr_…`").hint("`skill login`")
        );
    };
    let malformed = || Refusal::new("token-malformed", "the token should be `Bearer skr_` and 43 characters");
    let (scheme, token) = header.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(malformed());
    }
    Secret::parse(token.trim()).ok_or_else(malformed)
}
