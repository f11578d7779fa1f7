//! `--config FILE`: what an operator may say, every key with its default.
//!
//! Unknown keys are refused: a misspelt limit that silently keeps its default is worse than a server that
//! does not start. The file holds no secrets.

use std::path::Path;

use serde::Deserialize;
use skills::Refusal;

/// The configuration; what a missing file means as well.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The registry's identity in statements. Kept in the data folder at the first start, and never another
    /// one later: every statement ever published names it.
    pub name: Option<String>,
    /// The address that clients use, where it is not the one listened on: behind a proxy.
    pub public_url: Option<String>,
    /// Who may create scopes through the API.
    pub scope_creation: ScopeCreation,
    database: Option<String>,
    blobs: Option<String>,
    /// Bounds on what strangers can make the process hold.
    pub limits: Limits,
    /// Bounds on how often.
    pub rates: RateLimits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: None,
            public_url: None,
            scope_creation: ScopeCreation::Users,
            database: None,
            blobs: None,
            limits: Limits::default(),
            rates: RateLimits::default(),
        }
    }
}

/// Who may create scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeCreation {
    /// Every user whose token allows it.
    Users,
    /// Only `skill-registry admin scope create`.
    Admin,
}

/// Bounds on memory, connections and time.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Open connections; further ones wait to be accepted.
    pub connections: usize,
    /// Largest body of one publish, in MiB: two largest archives with their bundles, or hundreds of usual ones.
    pub publish_mib: u32,
    /// Bodies of publishes held in memory at once, together, in MiB.
    pub uploads_mib: u32,
    /// Small archives kept in memory, together, in MiB.
    pub archive_cache_mib: u32,
    /// Seconds in which the head of a request must have arrived; also how long an idle connection is kept.
    pub header_seconds: u64,
    /// Seconds in which the body of a request must have arrived.
    pub body_seconds: u64,
    /// Seconds that requests in flight are given when the server is asked to stop.
    pub drain_seconds: u64,
}

impl Limits {
    /// [`Limits::publish_mib`] in bytes.
    pub fn publish_bytes(&self) -> u64 {
        u64::from(self.publish_mib) * 1024 * 1024
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            publish_mib: 48,
            uploads_mib: 48,
            archive_cache_mib: 16,
            header_seconds: 30,
            body_seconds: 60,
            drain_seconds: 10,
        }
    }
}

/// Bounds on how often. High enough for a team's CI and for a migration; low enough that one token gone
/// wild leaves room for others.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateLimits {
    /// Changes a user may make, a minute.
    pub writes_per_minute: u32,
    /// Changes a user may make at once.
    pub writes_burst: u32,
    /// Requests with a wrong token that one address may make, a minute.
    pub failed_auth_per_minute: u32,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { writes_per_minute: 60_000, writes_burst: 10_000, failed_auth_per_minute: 60 }
    }
}

impl Config {
    /// Reads the file, or takes the defaults where none is named.
    pub fn read(path: Option<&Path>) -> Result<Self, Refusal> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| Refusal::new("config-unreadable", format!("{}: {error}", path.display())))?;
        Self::parse(&text).map_err(|refusal| refusal.at(path.display()))
    }

    /// Parses and checks the text of the file.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let config: Self = toml::from_str(text).map_err(|error| malformed(error.to_string().trim_end().to_owned()))?;
        not_yet("database", config.database.as_deref(), "SQLite in the data folder")?;
        not_yet("blobs", config.blobs.as_deref(), "a folder in the data folder")?;
        config.name.as_deref().map_or(Ok(()), check_name)?;
        if let Some(url) = &config.public_url
            && (!(url.starts_with("https://") || url.starts_with("http://")) || url.ends_with('/'))
        {
            return Err(malformed(format!("public-url `{url}` should be `https://HOST`, with no `/` at its end")));
        }
        Ok(config)
    }
}

fn malformed(why: String) -> Refusal {
    Refusal::new("config-malformed", why)
}

fn not_yet(key: &str, value: Option<&str>, instead: &str) -> Result<(), Refusal> {
    match value {
        None => Ok(()),
        Some(_) => Err(Refusal::new(
            "config-unsupported",
            format!("`{key}` is not in this version, which keeps everything in {instead}"),
        )
        .hint(format!("remove `{key}`"))),
    }
}

/// A registry's name is a host name, with a port where it needs one: it stands inside a URL.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    let lawful = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':');
    if name.is_empty() || name.len() > 253 || !name.bytes().all(lawful) {
        let seen = name.escape_debug();
        return Err(malformed(format!("name `{seen}` should be a host name in lower case, such as `skills.example`")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(text: &str, code: &str) {
        assert_eq!(Config::parse(text).expect_err(text).code, code, "{text}");
    }

    #[test]
    fn an_empty_file_means_the_defaults() {
        let config = Config::parse("").expect("defaults");
        assert_eq!(config.scope_creation, ScopeCreation::Users);
        assert_eq!(config.limits.publish_mib, 48);
    }

    #[test]
    fn unknown_keys_and_senseless_values_are_refused() {
        for text in [
            "nam = \"a\"",
            "[limits]\nconnection = 1",
            "name = \"Skills Example\"",
            "name = \"\"",
            "public-url = \"example\"",
        ] {
            refuses(text, "config-malformed");
        }
    }

    #[test]
    fn what_this_version_lacks_is_said_and_not_ignored() {
        refuses("database = \"postgres://db/skills\"", "config-unsupported");
        refuses("blobs = \"s3://bucket\"", "config-unsupported");
    }

    #[test]
    fn a_refused_database_never_shows_its_password() {
        let refusal = Config::parse("database = \"postgres://u:hunter2@db/x\"").expect_err("not in this version");
        assert!(!refusal.message.contains("hunter2"));
    }
}
