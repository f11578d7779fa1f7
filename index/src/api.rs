//! What is asked of the API and what it answers, and the one table from refusal to status.
//!
//! Requests refuse unknown fields: a misspelt `expires_day` must not make a token that never
//! expires. Answers ignore them, so a newer server can say more to an older client. Refusals travel
//! as RFC 9457 problem documents; a program branches on `code`, never on the sentence.

use serde::{Deserialize, Serialize};

use skills::manifest::Kind;
use skills::{PackageName, Refusal, Scope, Sha256, Version};

/// The media type of a refusal (RFC 9457).
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// Everything that is not a refusal of the content (422), with its status. Codes are for ever.
pub const STATUSES: &[(&str, u16)] = &[
    ("request-malformed", 400),
    ("query-malformed", 400),
    ("multipart-malformed", 400),
    ("token-missing", 401),
    ("token-malformed", 401),
    ("token-unknown", 401),
    ("token-expired", 401),
    ("token-revoked", 401),
    ("token-out-of-scope", 403),
    ("not-owner", 403),
    ("not-found", 404),
    ("package-not-found", 404),
    ("version-not-found", 404),
    ("archive-not-found", 404),
    ("scope-not-found", 404),
    ("keyring-not-found", 404),
    ("token-not-found", 404),
    ("method-not-allowed", 405),
    ("request-timeout", 408),
    ("version-exists", 409),
    ("scope-exists", 409),
    ("keyring-exists", 409),
    ("scope-frozen", 409),
    ("tokens-too-many", 409),
    ("user-exists", 409),
    ("body-too-large", 413),
    ("uri-too-long", 414),
    ("media-type-unsupported", 415),
    ("too-many-requests", 429),
    ("headers-too-large", 431),
    ("internal", 500),
    ("random-unavailable", 503),
    ("unavailable", 503),
    ("storage-full", 507),
];

/// The HTTP status of a refusal. What the table does not name is a refusal of the content: 422.
pub fn status_of(code: &str) -> u16 {
    STATUSES.iter().find(|(known, _)| *known == code).map_or(422, |(_, status)| *status)
}

/// A refusal on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Always `about:blank`: the code says which problem it is, and no page has to exist for it.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The phrase of the status, as RFC 9457 asks for with `about:blank`.
    #[serde(default)]
    pub title: String,
    /// The HTTP status once more, for those who keep only the body.
    #[serde(default)]
    pub status: u16,
    /// The sentence: what was seen and what was expected.
    #[serde(default)]
    pub detail: String,
    /// The refusal's stable code.
    #[serde(default)]
    pub code: String,
    /// The way out, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Problem {
    /// The problem document of a refusal.
    pub fn of(refusal: &Refusal) -> Self {
        let status = status_of(refusal.code);
        Self {
            kind: about_blank(),
            title: phrase(status).to_owned(),
            status,
            detail: refusal.message.clone(),
            code: refusal.code.to_owned(),
            hint: refusal.hint.clone(),
        }
    }
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        _ => "Internal Server Error",
    }
}

/// `GET /config.json`: who the registry is, and where the rest lies. Every place is a path on the
/// same host, or a full URL (an archive store elsewhere); a client appends what `urls` builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryConfig {
    /// Version of this shape; 1. A client refuses what it does not know.
    pub v: u32,
    /// The name that statements bind; not necessarily the host that serves it.
    pub name: String,
    /// Base of the API.
    pub api: String,
    /// Base of the index.
    pub index: String,
    /// Base of the archives.
    pub archives: String,
    /// Base of the bundles.
    pub bundles: String,
    /// Base of the keyrings.
    pub keyrings: String,
    /// Base of the transparency log; absent until the registry keeps one.
    #[serde(default)]
    pub log: Option<String>,
}

impl RegistryConfig {
    /// A registry of this name with the standard layout and no log.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            v: 1,
            name: name.into(),
            api: crate::urls::API.to_owned(),
            index: "/index".to_owned(),
            archives: "/archives".to_owned(),
            bundles: "/bundles".to_owned(),
            keyrings: "/keyrings".to_owned(),
            log: None,
        }
    }
}

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Submit releases.
    Publish,
    /// Yank and unyank them.
    Yank,
    /// Create scopes and register keyrings.
    Scope,
    /// Make, list and revoke tokens.
    Token,
}

/// `GET /api/v1/me`: who the token speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The user.
    pub user: String,
    /// The token that asked.
    pub token: TokenSummary,
}

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSummary {
    /// Its public handle, for `DELETE /api/v1/tokens/ID`.
    pub id: String,
    /// What a person called it.
    #[serde(default)]
    pub name: String,
    /// What it may be used for.
    pub actions: Vec<Action>,
    /// The scopes it is limited to; `*` alone means every scope of its user.
    pub scopes: Vec<String>,
    /// When it stops working (RFC 3339, UTC).
    #[serde(default)]
    pub expires: Option<String>,
}

/// `POST /api/v1/tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// What a person calls it.
    #[serde(default)]
    pub name: String,
    /// What it may be used for; at least one, none that the asking token lacks.
    pub actions: Vec<Action>,
    /// The scopes it is limited to, or `*` alone.
    pub scopes: Vec<String>,
    /// Days until it expires; the server has a default and a most.
    #[serde(default)]
    pub expires_days: Option<u32>,
}

/// The answer to [`TokenRequest`]: the only time that the secret is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAnswer {
    /// The secret, `skr_…`.
    pub token: String,
    /// The rest of it.
    #[serde(flatten)]
    pub summary: TokenSummary,
}

/// Never shows the secret, whatever prints it.
impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenAnswer({})", self.summary.id)
    }
}

/// `GET /api/v1/tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenList {
    /// The user's tokens that still work.
    pub tokens: Vec<TokenSummary>,
}

/// `POST /api/v1/scopes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeRequest {
    /// The scope to create.
    pub name: Scope,
}

/// `GET /api/v1/scopes/SCOPE`, and the answer to creating one or registering its keyring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeAnswer {
    /// The scope.
    pub name: Scope,
    /// The user who owns it.
    pub owner: String,
    /// The newest link of its keyring; absent before a first key is registered.
    #[serde(default)]
    pub keyring: Option<KeyringHead>,
}

/// The newest link of a keyring chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyringHead {
    /// Its place in the chain, from 1.
    pub seq: u64,
    /// Digest of its payload.
    pub digest: Sha256,
}

/// The answer to `POST /api/v1/publish`: one row a release, in the order sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishAnswer {
    /// What was kept.
    pub releases: Vec<Published>,
}

/// One release as the registry kept it; the client compares every digest with what it sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Digest of the archive kept.
    pub archive: Sha256,
    /// Digest of the statement's payload kept.
    pub statement: Sha256,
    /// The index line, as `GET /index/…` answers it.
    pub entry: String,
    /// Whether this request made it.
    pub status: PublishStatus,
}

/// Whether a publish changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublishStatus {
    /// It is new.
    Published,
    /// The very same bytes were there before.
    Unchanged,
}

/// `POST /api/v1/yank/…` and `/api/v1/unyank/…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YankRequest {
    /// Why; shown to everybody whom it touches.
    pub reason: String,
}

/// The answer to [`YankRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct YankAnswer {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Its state after the request.
    pub yanked: bool,
    /// The reason on record.
    #[serde(default)]
    pub reason: Option<String>,
}

/// `GET /api/v1/search`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchAnswer {
    /// The words as they were read.
    pub query: String,
    /// How many packages match, on all pages.
    pub total: u64,
    /// This page.
    pub hits: Vec<SearchHit>,
}

fn skill() -> Kind {
    Kind::Skill
}

/// One package that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The package.
    pub name: PackageName,
    /// Its newest version that is not yanked, or the newest if all are.
    pub version: Version,
    /// What kind of package it is; registries that kept skills only did not say it.
    #[serde(default = "skill")]
    pub kind: Kind,
    /// Its description.
    #[serde(default)]
    pub description: String,
    /// Its keywords.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Whether every version is yanked.
    #[serde(default)]
    pub yanked: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_does_not_name_is_a_refusal_of_the_content() {
        assert_eq!(status_of("archive-symlink"), 422);
        assert_eq!(status_of("version-exists"), 409);
    }

    #[test]
    fn a_code_has_one_status() {
        let mut codes: Vec<&str> = STATUSES.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), STATUSES.len());
    }

    #[test]
    fn every_status_has_its_phrase() {
        for (code, status) in STATUSES {
            assert_eq!(phrase(*status) == "Internal Server Error", *status == 500, "{code}");
        }
    }

    #[test]
    fn a_problem_survives_the_wire_and_ignores_what_is_new() {
        let problem = Problem::of(&Refusal::new("version-exists", "acme/pdf 1.0.0 exists").hint("raise the version"));
        let text = serde_json::to_string(&problem).expect("strings");
        assert!(text.starts_with(r#"{"type":"about:blank","title":"Conflict","status":409"#), "{text}");
        let more = text.replacen('{', r#"{"later":[1],"#, 1);
        assert_eq!(serde_json::from_str::<Problem>(&more).expect("a problem"), problem);
    }

    #[test]
    fn a_request_with_a_misspelt_field_is_refused() {
        let wrong = r#"{"actions":["publish"],"scopes":["*"],"expires_day":1}"#;
        assert!(serde_json::from_str::<TokenRequest>(wrong).is_err());
    }

    #[test]
    fn a_token_shows_nothing_when_debugged() {
        let text = r#"{"token":"skr_secret","id":"7","actions":["publish"],"scopes":["*"]}"#;
        let answer: TokenAnswer = serde_json::from_str(text).expect("an answer");
        assert_eq!(format!("{answer:?}"), "TokenAnswer(7)");
    }
}
