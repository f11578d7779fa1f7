//! Pins: which bytes a server is started from.
//!
//! A version alone is a promise of somebody else's registry; the digest beside it is what can be
//! checked. And a pin that the command line does not start would be decoration, so it has to.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use toml::Spanned;

use crate::manifest::source::Source;
use crate::refusal::Refusal;

/// What exactly a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// A package of npm.
    Npm {
        /// Its name, with its scope.
        name: String,
        /// Its version.
        version: String,
        /// `sha512-BASE64`, as lockfiles have it.
        integrity: String,
    },
    /// A package of PyPI.
    Pypi {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
        /// The SHA-256 of the file, in hex.
        sha256: String,
    },
    /// An image.
    Oci {
        /// Its name, with its registry and without a tag.
        name: String,
        /// `sha256:HEX`
        digest: String,
    },
    /// An MCP bundle.
    Mcpb {
        /// Where it is fetched from.
        url: String,
        /// The SHA-256 of the file, in hex.
        file_sha256: String,
    },
    /// A commit.
    Git {
        /// The repository.
        url: String,
        /// The whole id, in hex.
        commit: String,
    },
}

impl Pin {
    /// The word that a command line names it by; for MCP bundles and commits, what the word ends in.
    pub fn word(&self) -> String {
        match self {
            Self::Npm { name, version, .. } => format!("{name}@{version}"),
            Self::Pypi { name, version, .. } => format!("{name}=={version}"),
            Self::Oci { name, digest } => format!("{name}@{digest}"),
            Self::Mcpb { url, .. } => url.clone(),
            Self::Git { url, commit } => format!("{url}@{commit}"),
        }
    }

    /// Whether a word of a command line means exactly this.
    pub(super) fn is_named_by(&self, value: &str) -> bool {
        match self {
            Self::Npm { .. } => value == self.word(),
            // `uvx` takes both spellings, and extras in brackets are part of the same file.
            Self::Pypi { name, version, .. } => value.strip_prefix(name.as_str()).is_some_and(|rest| {
                let rest = rest.split_once(']').filter(|_| rest.starts_with('[')).map_or(rest, |(_, rest)| rest);
                rest.strip_prefix("==").or_else(|| rest.strip_prefix('@')) == Some(version)
            }),
            Self::Oci { name, digest } => value.strip_suffix(&format!("@{digest}")).is_some_and(|image| {
                image == name || image.strip_prefix(name.as_str()).is_some_and(|tag| tag.starts_with(':'))
            }),
            Self::Mcpb { url, .. } => value == url,
            Self::Git { url, commit } => {
                let value = value.strip_prefix("git+").unwrap_or(value);
                value.strip_prefix(url.as_str()).is_some_and(|rest| rest[..].strip_prefix(['@', '#']) == Some(commit))
            }
        }
    }
}

/// As the index shows it.
impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Npm { name, version, .. } => write!(f, "npm:{name}@{version}"),
            Self::Pypi { name, version, .. } => write!(f, "pypi:{name}@{version}"),
            Self::Oci { name, digest } => write!(f, "oci:{name}@{digest}"),
            Self::Mcpb { url, file_sha256 } => write!(f, "mcpb:{url}@sha256:{file_sha256}"),
            Self::Git { url, commit } => write!(f, "git:{url}@{commit}"),
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Registry {
    Npm,
    Pypi,
    Oci,
    Mcpb,
    Git,
}

/// All keys of all registries; which of them belong together is said with a better sentence.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct PinTable {
    registry: Registry,
    name: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    integrity: Option<Spanned<String>>,
    sha256: Option<Spanned<String>>,
    digest: Option<Spanned<String>>,
    url: Option<Spanned<String>>,
    file_sha256: Option<Spanned<String>>,
    commit: Option<Spanned<String>>,
}

impl PinTable {
    pub(super) fn pin(self, source: Source<'_>, at: &Spanned<()>) -> Result<Pin, Refusal> {
        let keys = self.keys();
        let expected: &[&str] = match self.registry {
            Registry::Npm => &["name", "version", "integrity"],
            Registry::Pypi => &["name", "version", "sha256"],
            Registry::Oci => &["name", "digest"],
            Registry::Mcpb => &["url", "file-sha256"],
            Registry::Git => &["url", "commit"],
        };
        if keys != expected {
            let message = format!("the pin has the keys {}, expected {}", keys.join(", "), expected.join(", "));
            return Err(source.refuse("tools-pin", at, message));
        }
        let law = |key: &str, value: Option<Spanned<String>>, is_lawful: fn(&str) -> bool, expected: &str| {
            let value = value.expect("the keys were compared with those expected");
            if is_lawful(value.get_ref()) {
                return Ok(value.into_inner());
            }
            Err(source.refuse("tools-pin", &value, format!("`{key}` of a pin is not {expected}")))
        };
        let version = |value| law("version", value, is_exact, "one exact version: no range, no `latest`");
        let hex = |key: &str, value| law(key, value, is_sha256, "64 lower-case hex digits");
        let name = |value| law("name", value, is_name, "a package's name, without version or tag");
        let url = |value| law("url", value, is_url, "a plain `https://` address");
        Ok(match self.registry {
            Registry::Npm => Pin::Npm {
                name: name(self.name)?,
                version: version(self.version)?,
                integrity: law("integrity", self.integrity, is_sha512, "`sha512-` and the base64 of 64 bytes")?,
            },
            Registry::Pypi => Pin::Pypi {
                name: name(self.name)?,
                version: version(self.version)?,
                sha256: hex("sha256", self.sha256)?,
            },
            Registry::Oci => Pin::Oci {
                name: name(self.name)?,
                digest: law("digest", self.digest, is_digest, "`sha256:` and 64 lower-case hex digits")?,
            },
            Registry::Mcpb => Pin::Mcpb { url: url(self.url)?, file_sha256: hex("file-sha256", self.file_sha256)? },
            Registry::Git => Pin::Git {
                url: url(self.url)?,
                commit: law("commit", self.commit, is_commit, "a whole commit id, 40 or 64 lower-case hex digits")?,
            },
        })
    }

    /// The keys that are there, in the order of this table.
    fn keys(&self) -> Vec<&'static str> {
        let keys = [
            ("name", &self.name),
            ("version", &self.version),
            ("integrity", &self.integrity),
            ("sha256", &self.sha256),
            ("digest", &self.digest),
            ("url", &self.url),
            ("file-sha256", &self.file_sha256),
            ("commit", &self.commit),
        ];
        keys.into_iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key).collect()
    }
}

/// A version and not a range: `^`, `~`, `*`, `x`, `latest` and blanks have no place in it, nor has `1`.
fn is_exact(text: &str) -> bool {
    let lawful = |c: char| c.is_ascii_alphanumeric() || ".-+!".contains(c);
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    let is_wild = numbers.split('.').any(|part| matches!(part, "x" | "X" | ""));
    text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('.') && text.chars().all(lawful) && !is_wild
}

fn is_name(text: &str) -> bool {
    let lawful = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let bare = text.strip_prefix('@').unwrap_or(text);
    !bare.is_empty()
        && bare.starts_with(|c: char| c.is_ascii_alphanumeric())
        && bare.chars().all(lawful)
        && !bare.contains("..")
}

fn is_url(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_graphic() && !"@?#${}\"'`\\<>".contains(c);
    text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(is_sha256)
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && is_hex(text)
}

fn is_sha512(text: &str) -> bool {
    let decoded = text.strip_prefix("sha512-").and_then(|base64| STANDARD.decode(base64).ok());
    decoded.is_some_and(|digest| digest.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(text: &str) -> Result<Pin, Refusal> {
        #[derive(Deserialize)]
        struct Wire {
            pin: Spanned<PinTable>,
        }
        let hex = "ab".repeat(32);
        let text = text
            .replace("HEX", &hex)
            .replace("COMMIT", &hex[..40])
            .replace("SHA512", &format!("sha512-{}==", "A".repeat(86)));
        let text = format!("pin = {{ {text} }}");
        let source = Source(&text);
        let wire: Wire = source.read()?;
        let at = Spanned::new(wire.pin.span(), ());
        wire.pin.into_inner().pin(source, &at)
    }

    const NPM: &str = r#"registry = "npm", name = "@acme/pg", version = "0.6.2", integrity = "SHA512""#;
    const PYPI: &str = r#"registry = "pypi", name = "pg-mcp", version = "1.2.0", sha256 = "HEX""#;
    const OCI: &str = r#"registry = "oci", name = "ghcr.io/acme/pg", digest = "sha256:HEX""#;
    const MCPB: &str = r#"registry = "mcpb", url = "https://example.org/pg.mcpb", file-sha256 = "HEX""#;
    const GIT: &str = r#"registry = "git", url = "https://example.org/pg", commit = "COMMIT""#;

    #[test]
    fn each_registry_has_its_own_exact_form() {
        let hex = "ab".repeat(32);
        for (text, shown) in [
            (NPM, "npm:@acme/pg@0.6.2".to_owned()),
            (PYPI, "pypi:pg-mcp@1.2.0".to_owned()),
            (OCI, format!("oci:ghcr.io/acme/pg@sha256:{hex}")),
            (MCPB, format!("mcpb:https://example.org/pg.mcpb@sha256:{hex}")),
            (GIT, format!("git:https://example.org/pg@{}", &hex[..40])),
        ] {
            assert_eq!(pin(text).expect(text).to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        let refuses = |text: &str, from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            let refusal = pin(&text.replacen(from, to, 1)).expect_err(to);
            assert_eq!(refusal.code, "tools-pin", "{to}: {refusal}");
        };
        for version in ["latest", "^0.6.2", "~0.6", "0.6.x", "*", ">=1.0", "1", "", "0.6.2 || 1.0", "v1.0"] {
            refuses(NPM, "0.6.2", version);
        }
        refuses(NPM, ", integrity = \"SHA512\"", "");
        refuses(NPM, "SHA512", "sha512-AAAA");
        refuses(NPM, "SHA512", "sha1-AAAA");
        refuses(NPM, "@acme/pg", "@acme/pg@1.0");
        refuses(PYPI, "sha256 = \"HEX\"", "integrity = \"SHA512\"");
        refuses(OCI, "ghcr.io/acme/pg", "ghcr.io/acme/pg:1.0");
        refuses(OCI, "digest = \"sha256:HEX\"", "version = \"1.0\"");
        refuses(MCPB, "https://", "http://");
        refuses(GIT, "COMMIT", "main");
        refuses(GIT, "COMMIT", "abcdef0");
    }

    #[test]
    fn a_word_means_what_is_pinned_or_it_does_not() {
        let names = |text: &str, word: &str| {
            let hex = "ab".repeat(32);
            pin(text).expect(text).is_named_by(&word.replace("HEX", &hex).replace("COMMIT", &hex[..40]))
        };
        for (text, word) in [
            (NPM, "@acme/pg@0.6.2"),
            (PYPI, "pg-mcp==1.2.0"),
            (PYPI, "pg-mcp[ssl]@1.2.0"),
            (OCI, "ghcr.io/acme/pg@sha256:HEX"),
            (OCI, "ghcr.io/acme/pg:1.0@sha256:HEX"),
            (MCPB, "https://example.org/pg.mcpb"),
            (GIT, "git+https://example.org/pg@COMMIT"),
            (GIT, "https://example.org/pg#COMMIT"),
        ] {
            assert!(names(text, word), "{word}");
        }
        for (text, word) in [
            (NPM, "@acme/pg"),
            (NPM, "@acme/pg@0.6.3"),
            (NPM, "@acme/pg@^0.6.2"),
            (PYPI, "pg-mcp>=1.2.0"),
            (PYPI, "pg-mcp-evil==1.2.0"),
            (OCI, "ghcr.io/acme/pg:1.0"),
            (OCI, "ghcr.io/acme/pg-evil@sha256:HEX"),
            (GIT, "git+https://example.org/pg@main"),
        ] {
            assert!(!names(text, word), "{word}");
        }
    }
}
