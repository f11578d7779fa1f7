//! Tokens for registries: who may submit, not who signs.
//!
//! `config/credentials.toml`, mode 0600, one token a registry URL:
//!
//! ```toml
//! [registry."https://skills.example"]
//! token = "skr_…"
//! ```
//!
//! `SKILL_TOKEN` is used instead of the file where it is set, which is how CI does it. A token is
//! sent to the registry that it was stored for and to no other, and is shown by nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::home::Home;
use crate::private;

/// Environment variable that holds a token.
pub const VARIABLE: &str = "SKILL_TOKEN";

/// Longest token in bytes: ours have 47; it becomes an HTTP header.
const TOKEN_BYTES_MAX: usize = 512;

/// A registry token, zeroed when dropped and shown by nothing.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// Takes what was typed or piped, without the white space around it.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        if text.is_empty() {
            return Err(
                Failure::usage("token-empty", "the token is empty").hint("a registry's tokens begin with `skr_`")
            );
        }
        if text.len() > TOKEN_BYTES_MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let seen = format!("not a token: expected at most {TOKEN_BYTES_MAX} visible ASCII characters in one word");
            return Err(Failure::usage("token-malformed", seen));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The token, for the one header that carries it.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(default)]
    registry: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    token: String,
}

/// The credentials file of a person.
#[derive(Debug, Clone)]
pub struct Credentials(PathBuf);

impl Credentials {
    /// The file of the person whose home this is.
    pub fn of(home: &Home) -> Self {
        Self(home.config.join("credentials.toml"))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The token stored for a registry.
    pub fn token(&self, registry: &str) -> Result<Option<Token>, Failure> {
        self.read()?.registry.get(registry).map(|entry| Token::parse(&entry.token)).transpose()
    }

    /// Keeps a token for a registry, over the one that was there.
    pub fn keep(&self, registry: &str, token: &Token) -> Result<(), Failure> {
        let mut stored = self.read()?;
        stored.registry.insert(registry.to_owned(), Entry { token: token.secret().to_owned() });
        self.write(&stored)
    }

    /// Forgets the token of a registry; whether there was one.
    pub fn forget(&self, registry: &str) -> Result<bool, Failure> {
        let mut stored = self.read()?;
        let removed = stored.registry.remove(registry).is_some();
        if removed {
            self.write(&stored)?;
        }
        Ok(removed)
    }

    fn read(&self) -> Result<Stored, Failure> {
        let Some(bytes) = private::read(&self.0)? else {
            return Ok(Stored::default());
        };
        // The parser's own message quotes the line, and the line may be the token.
        let malformed = || {
            Failure::usage("credentials-malformed", format!("`{}` cannot be read as TOML of ours", self.0.display()))
                .hint("remove the file and run `skill login` again")
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed())?;
        toml::from_str(text).map_err(|_| malformed())
    }

    fn write(&self, stored: &Stored) -> Result<(), Failure> {
        let body = toml::to_string(stored).expect("strings in tables always have a TOML form");
        let text = Zeroizing::new(format!("# Written by `skill login`. Whoever has a token acts as you.\n{body}"));
        private::replace(&self.0, text.as_bytes())
    }
}

/// The token to use with a registry: `SKILL_TOKEN`, else the stored one, else none.
///
/// The variable goes only to a registry that the same person named: by `--registry`,
/// `SKILL_REGISTRY` or the user's own configuration. `skills.toml` is anybody's who can open a pull
/// request, and must not be able to send CI's token to a server of its choice.
pub fn find_token(context: &Context, registry: &str) -> Result<Option<Token>, Failure> {
    match std::env::var(VARIABLE) {
        Ok(text) if !text.is_empty() && context.registry_is_the_projects()? => Err(Failure::new(
            Exit::Policy,
            "token-not-sent",
            format!("{VARIABLE} is set, and only skills.toml names {registry}"),
        )
        .hint(format!("set SKILL_REGISTRY or pass `--registry {registry}` if the token is meant for it"))),
        Ok(text) if !text.is_empty() => Token::parse(&text).map(Some).map_err(|failure| failure.at(VARIABLE)),
        _ => Credentials::of(context.home()?).token(registry),
    }
}

/// The token to use with a registry, where nothing goes on without one.
pub fn require_token(context: &Context, registry: &str) -> Result<Token, Failure> {
    find_token(context, registry)?.ok_or_else(|| {
        Failure::could_not("not-logged-in", format!("you are not logged in to {registry}"))
            .hint(format!("run `skill login`, or set {VARIABLE}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(folder: &Path) -> Credentials {
        Credentials::of(&Home {
            config: folder.join("config"),
            cache: folder.join("cache"),
            state: folder.join("state"),
        })
    }

    #[test]
    fn a_token_is_kept_for_its_registry_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let credentials = credentials(folder.path());
        let token = Token::parse(" skr_abc\n").expect("a token");
        credentials.keep("https://one.example", &token).expect("kept");
        let found = |registry: &str| {
            credentials.token(registry).expect("the file is read").map(|token| token.secret().to_owned())
        };
        assert_eq!(found("https://one.example").as_deref(), Some("skr_abc"));
        assert_eq!(found("https://one.example.evil.example"), None);
        assert!(credentials.forget("https://one.example").expect("forgotten"));
        assert!(!credentials.forget("https://one.example").expect("nothing to forget"));
        assert_eq!(found("https://one.example"), None);
    }

    #[test]
    fn a_token_is_shown_by_nothing() {
        let token = Token::parse("skr_secret").expect("a token");
        assert!(!format!("{token:?}").contains("secret"));
        let folder = tempfile::tempdir().expect("a folder");
        let credentials = credentials(folder.path());
        private::replace(credentials.path(), b"[registry.x]\ntoken = skr_secret\n").expect("a damaged file");
        let failure = credentials.token("x").expect_err("it is not TOML");
        assert_eq!(failure.code, "credentials-malformed");
        assert!(!format!("{failure:?}").contains("secret"));
    }

    #[test]
    fn what_cannot_be_a_header_is_not_a_token() {
        for text in ["", "  ", "two words", "naïve", "line\nbreak", &"x".repeat(TOKEN_BYTES_MAX + 1)] {
            assert!(Token::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
