//! Bearer tokens: what they look like, what is kept of them, what they allow.
//!
//! A token is `skr_` and 43 base64url characters, 256 random bits. Only its SHA-256 is kept: with that
//! much entropy a plain hash cannot be searched, and looking a token up *by* its hash needs no
//! constant-time comparison, since an attacker cannot choose the hash. The prefix is there so that
//! scanners of repositories can find a leaked one.
//!
//! A token only submits. What it submits is signed by a key that the registry never sees.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub use index::api::Action;
use index::api::TokenSummary;
use skills::{Refusal, Scope, Sha256};

/// What every token starts with.
pub const PREFIX: &str = "skr_";

/// Longest life of a token, in days.
pub const DAYS_MAX: u32 = 3_650;

/// A token in the clear: shown once, never kept, never printed by accident.
pub struct Secret(String);

impl Secret {
    /// A fresh token from the system's random source.
    pub fn generate() -> Result<Self, Refusal> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| Refusal::new("random-unavailable", format!("no random bytes to be had: {error}")))?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// Reads what a client sent; anything that cannot be a token is refused before it is hashed.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let lawful = rest.len() == 43 && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        lawful.then(|| Self(text.to_owned()))
    }

    /// What is kept of it.
    pub fn hash(&self) -> Sha256 {
        Sha256::of(&self.0)
    }

    /// The token itself, for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(skr_…)")
    }
}

/// Everything that may be done with a token, in the order in which it is listed.
pub const ACTIONS: [Action; 4] = [Action::Publish, Action::Yank, Action::Scope, Action::Token];

/// The word for an action, in rows and sentences.
pub fn word(action: Action) -> &'static str {
    match action {
        Action::Publish => "publish",
        Action::Yank => "yank",
        Action::Scope => "scope",
        Action::Token => "token",
    }
}

/// Which scopes a token reaches, within those that its user may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scopes {
    /// Every one, later ones included.
    All,
    /// These.
    Only(Vec<Scope>),
}

impl Scopes {
    /// Reads the list of a request: `*` alone, or names.
    pub fn parse(words: &[String]) -> Result<Self, Refusal> {
        match words {
            [] => Err(Refusal::new("request-malformed", "a token needs at least one scope, or `*`")),
            [star] if star == "*" => Ok(Self::All),
            names => names.iter().map(|name| Scope::parse(name)).collect::<Result<_, _>>().map(Self::Only),
        }
    }

    /// The list form, as requests and answers have it.
    pub fn words(&self) -> Vec<String> {
        match self {
            Self::All => vec!["*".to_owned()],
            Self::Only(scopes) => scopes.iter().map(Scope::to_string).collect(),
        }
    }

    /// Whether this scope is among them.
    pub fn contain(&self, scope: &Scope) -> bool {
        match self {
            Self::All => true,
            Self::Only(scopes) => scopes.contains(scope),
        }
    }

    /// Whether all of `other` are among them.
    pub fn cover(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Only(_), Self::All) => false,
            (Self::Only(_), Self::Only(scopes)) => scopes.iter().all(|scope| self.contain(scope)),
        }
    }
}

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// SHA-256 of the token.
    pub hash: Sha256,
    /// What it is called in lists; no secret.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// What a person called it.
    pub name: String,
    /// What it may be used for.
    pub actions: Vec<Action>,
    /// Where.
    pub scopes: Scopes,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub expires: i64,
    /// Ended before its time.
    pub revoked: bool,
}

impl TokenRow {
    /// The row for a fresh token. Its id is the head of its hash: unique, and no help in guessing it.
    pub fn new(secret: &Secret, user: &str, actions: &[Action], scopes: Scopes, created: i64, expires: i64) -> Self {
        let hash = secret.hash();
        Self {
            hash,
            id: hash.hex()[..16].to_owned(),
            user: user.to_owned(),
            name: String::new(),
            actions: actions.to_vec(),
            scopes,
            created,
            expires,
            revoked: false,
        }
    }

    /// What may be told about it.
    pub fn summary(&self) -> TokenSummary {
        TokenSummary {
            id: self.id.clone(),
            name: self.name.clone(),
            actions: self.actions.clone(),
            scopes: self.scopes.words(),
            expires: jiff::Timestamp::from_second(self.expires).ok().map(|time| time.to_string()),
        }
    }
}

/// Who is asking, and what they may do. Made only from a token in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    token: TokenRow,
}

impl Grant {
    /// Refuses a token whose time is over.
    pub fn of(token: TokenRow, now: i64) -> Result<Self, Refusal> {
        if token.revoked {
            return Err(Refusal::new("token-revoked", format!("the token `{}` was revoked", token.id))
                .hint("`skill login` with another one"));
        }
        if token.expires <= now {
            return Err(Refusal::new("token-expired", format!("the token `{}` has expired", token.id))
                .hint("`skill login` with a fresh one"));
        }
        Ok(Self { token })
    }

    /// The user behind the token.
    pub fn user(&self) -> &str {
        &self.token.user
    }

    /// The token itself.
    pub fn token(&self) -> &TokenRow {
        &self.token
    }

    /// Refuses what the token is not made for. Whether the *user* may is another question.
    pub fn allows(&self, action: Action, scope: Option<&Scope>) -> Result<(), Refusal> {
        if !self.token.actions.contains(&action) {
            return Err(Refusal::new(
                "token-out-of-scope",
                format!("the token `{}` does not allow `{}`", self.token.id, word(action)),
            ));
        }
        match scope {
            Some(scope) if !self.token.scopes.contain(scope) => Err(Refusal::new(
                "token-out-of-scope",
                format!("the token `{}` does not reach scope `{scope}`", self.token.id),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::parse(text).expect("a scope")
    }

    fn token(actions: &[Action], scopes: Scopes) -> TokenRow {
        let secret = Secret::generate().expect("random bytes");
        TokenRow::new(&secret, "ann", actions, scopes, 0, 100)
    }

    #[test]
    fn a_fresh_token_has_the_form_that_is_accepted_and_shows_nothing_when_debugged() {
        let secret = Secret::generate().expect("random bytes");
        assert_eq!(secret.reveal().len(), 47);
        assert_eq!(Secret::parse(secret.reveal()).expect("our own").hash(), secret.hash());
        assert!(!format!("{secret:?}").contains(&secret.reveal()[4..]));
    }

    #[test]
    fn what_cannot_be_a_token_is_not_looked_up() {
        for text in ["", "skr_", "skr_short", "ghp_0123456789012345678901234567890123456789012", &"skr_é".repeat(12)] {
            assert!(Secret::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_token_allows_its_actions_in_its_scopes_and_nothing_else() {
        let token = token(&[Action::Publish], Scopes::Only(vec![scope("acme")]));
        let grant = Grant::of(token, 0).expect("in force");
        assert!(grant.allows(Action::Publish, Some(&scope("acme"))).is_ok());
        for (action, name) in [(Action::Publish, "other"), (Action::Yank, "acme")] {
            assert_eq!(grant.allows(action, Some(&scope(name))).expect_err(name).code, "token-out-of-scope");
        }
    }

    #[test]
    fn a_token_ends_at_its_second_or_when_revoked() {
        let token = token(&ACTIONS, Scopes::All);
        assert!(Grant::of(token.clone(), 99).is_ok());
        assert_eq!(Grant::of(token.clone(), 100).expect_err("over").code, "token-expired");
        assert_eq!(Grant::of(TokenRow { revoked: true, ..token }, 0).expect_err("revoked").code, "token-revoked");
    }

    #[test]
    fn some_scopes_never_cover_all() {
        let some = Scopes::Only(vec![scope("a"), scope("b")]);
        assert!(Scopes::All.cover(&some) && some.cover(&Scopes::Only(vec![scope("b")])));
        assert!(!some.cover(&Scopes::All) && !some.cover(&Scopes::Only(vec![scope("c")])));
    }
}
