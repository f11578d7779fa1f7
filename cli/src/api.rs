//! The API of a registry, as somebody: a token goes with every request.
//!
//! Static files are read without a token (`client`, `registries`); what changes something, or says
//! who is asking, goes through here.

use std::net::Ipv4Addr;

use index::api::RegistryConfig;
use reqwest::Method;
use serde::de::DeserializeOwned;

use crate::client::{Body, Client};
use crate::context::Context;
use crate::credentials::{self, Token};
use crate::failure::{Exit, Failure};

/// The API of a registry, used as somebody.
pub struct Api {
    /// The registry.
    pub client: Client,
    token: Token,
}

impl Api {
    /// The configured registry, as whoever is logged in to it.
    pub fn open(context: &Context, what: &str) -> Result<Self, Failure> {
        context.require_online(what)?;
        let client = context.client()?;
        let token = credentials::require_token(context, client.url())?;
        warn_of_plain_text(context, &client);
        Ok(Self { client, token })
    }

    /// The same registry, as the bearer of a token that is not stored yet.
    pub fn with_token(client: Client, token: Token) -> Self {
        Self { client, token }
    }

    /// Asks and reads the answer as `T`.
    pub async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Body) -> Result<T, Failure> {
        let path = format!("{}{path}", index::urls::API);
        let answer = self.client.send(method, &path, Some(self.token.secret()), body).await?;
        read_answer(answer, &path)
    }

    /// Asks for something to be done that has no answer.
    pub async fn tell(&self, method: Method, path: &str, body: Body) -> Result<(), Failure> {
        let path = format!("{}{path}", index::urls::API);
        self.client.send(method, &path, Some(self.token.secret()), body).await.map(drop)
    }
}

/// A token in plain text is everybody's on the way; on the same machine there is no way.
pub fn warn_of_plain_text(context: &Context, client: &Client) {
    let host = client.url().strip_prefix("http://").map(|rest| rest.split('/').next().unwrap_or(rest));
    let local = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "localhost" | "[::1]") || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    };
    if host.is_some_and(|host| !local(host)) {
        context.ui.warn(format!("the token travels unencrypted to {}; use https", client.url()));
    }
}

/// Asks what anybody may ask.
pub async fn ask_publicly<T: DeserializeOwned>(client: &Client, path: &str) -> Result<T, Failure> {
    let path = format!("{}{path}", index::urls::API);
    let answer = client.send(Method::GET, &path, None, Body::Empty).await?;
    read_answer(answer, &path)
}

fn read_answer<T: DeserializeOwned>(answer: serde_json::Value, path: &str) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|error| {
        Failure::new(
            Exit::Could,
            "answer-malformed",
            format!("the registry's answer to {path} is not what was expected: {error}"),
        )
    })
}

/// The registry's description, of a shape that we know.
pub async fn config(client: &Client) -> Result<RegistryConfig, Failure> {
    let config = client.config().await?;
    if config.v != 1 {
        let seen = format!(
            "{} describes itself in version {} of the format, this program knows version 1",
            client.url(),
            config.v
        );
        return Err(Failure::could_not("registry-newer", seen).hint("install a newer `skill`"));
    }
    Ok(config)
}
