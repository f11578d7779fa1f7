//! What looks like a secret where only names belong.
//!
//! A published version is never taken back, so a literal that has the form of a credential is refused
//! before it is packed. This catches accidents, not intent. No sentence repeats what was found.

/// How issued credentials begin, each with at least this many characters after it.
const PREFIXES: [(&str, usize); 16] = [
    ("sk-", 16),
    ("sk_live_", 8),
    ("ghp_", 16),
    ("gho_", 16),
    ("ghs_", 16),
    ("github_pat_", 16),
    ("glpat-", 12),
    ("npm_", 24),
    ("pypi-", 24),
    ("xoxb-", 8),
    ("xoxp-", 8),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 24),
    ("eyJ", 32),
    ("-----BEGIN ", 0),
];

/// Words in the name of a variable that holds a secret.
const NAMES: [&str; 9] =
    ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "PASSPHRASE", "PGPASS", "APIKEY", "API_KEY", "PRIVATE_KEY"];

/// Whether a text holds something of the form of a credential.
pub fn looks_secret(text: &str) -> bool {
    has_prefix(text) || has_password_in_address(text)
}

/// Whether a variable of this name holds a secret.
pub(crate) fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    NAMES.iter().any(|word| name.contains(word))
}

fn has_prefix(text: &str) -> bool {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '=' | ':' | ',' | '"' | '\''));
    let is_key = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/');
    let begins = |word: &str| {
        PREFIXES.iter().any(|(prefix, least)| {
            word.strip_prefix(prefix).is_some_and(|rest| rest.chars().take_while(is_key).count() >= *least)
        })
    };
    text.contains("-----BEGIN ") || words.into_iter().any(begins)
}

/// `scheme://user:password@host`.
fn has_password_in_address(text: &str) -> bool {
    let mut after = text.split("://").skip(1);
    after.any(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_known_by_their_form() {
        for secret in [
            "sk-ant-0123456789abcdef0123",
            "--token=ghp_0123456789abcdefghij",
            "Authorization: AKIAIOSFODNN7EXAMPLE",
            "postgres://app:hunter2@db/orders",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIi",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert!(looks_secret(secret), "{secret}");
        }
    }

    #[test]
    fn ordinary_words_are_not_secrets() {
        for word in ["-y", "pg-readonly-mcp@0.6.2", "sk-1", "https://example.org/a@b", "git@github.com:a/b", "eyJ", ""]
        {
            assert!(!looks_secret(word), "{word}");
        }
    }

    #[test]
    fn variables_of_secrets_are_known_by_their_name() {
        assert!(["PGPASSWORD", "GITHUB_TOKEN", "aws_secret_access_key"].into_iter().all(names_secret));
        assert!(["CI", "PATH", "PG_READONLY_URL", "LANG"].into_iter().all(|name| !names_secret(name)));
    }
}
