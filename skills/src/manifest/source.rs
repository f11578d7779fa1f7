//! The text of a manifest: sentences that name the line, and the laws that every list and word in it
//! obeys.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use toml::Spanned;

use crate::refusal::Refusal;

/// Most entries in any list, and longest text in one, in characters: they are shown on one screen,
/// and carried in the index entry of every version.
pub(crate) const LIST_MAX: usize = 64;
const TEXT_CHARS_MAX: usize = 256;

/// The text of a manifest, for sentences that name the line.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a>(pub(crate) &'a str);

impl Source<'_> {
    /// Reads the tables that `T` knows, with the line of what is wrong in them.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        toml::from_str(self.0).map_err(|error| self.malformed(&error))
    }

    pub(crate) fn refuse<T>(&self, code: &'static str, at: &Spanned<T>, message: impl AsRef<str>) -> Refusal {
        let line = self.line(at.span().start);
        Refusal::new(code, format!("skill.toml line {line}: {}", message.as_ref()))
    }

    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.0.as_bytes()[..at.min(self.0.len())].iter().filter(|&&b| b == b'\n').count()
    }

    pub(crate) fn malformed(&self, error: &toml::de::Error) -> Refusal {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        let place = error.span().map_or_else(String::new, |span| format!(" line {}", self.line(span.start)));
        Refusal::new("manifest-malformed", format!("skill.toml{place}: {message}"))
    }

    /// A bounded list of lawful texts.
    pub(crate) fn list(&self, key: &str, values: Vec<Spanned<String>>, most: usize) -> Result<Vec<String>, Refusal> {
        if let Some(over) = values.get(most) {
            let message = format!("`{key}` has {} entries, at most {most} are allowed", values.len());
            return Err(self.refuse("manifest-limit", over, message));
        }
        values.into_iter().map(|value| self.text(key, value)).collect()
    }

    /// One line of bounded text.
    pub(crate) fn text(&self, key: &str, value: Spanned<String>) -> Result<String, Refusal> {
        let text = value.get_ref();
        if text.trim().is_empty() || text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
            let message = format!("a value of `{key}` is empty, has control characters or more than {TEXT_CHARS_MAX}");
            return Err(self.refuse("manifest-limit", &value, message));
        }
        Ok(value.into_inner())
    }

    /// Names only: a value here would be a secret in a public file.
    pub(crate) fn env(&self, values: Vec<Spanned<String>>) -> Result<Vec<String>, Refusal> {
        if let Some(bad) = values.iter().find(|value| !is_env_name(value.get_ref())) {
            return Err(self
                .refuse("manifest-env", bad, "an entry of `env` is not the name of an environment variable")
                .hint("names only, for example `PG_URL`; values never belong in a package"));
        }
        self.list("env", values, LIST_MAX)
    }

    /// A web address: it becomes a link on a page, where `javascript:` would be code.
    pub(crate) fn url(&self, key: &str, value: Spanned<String>) -> Result<String, Refusal> {
        if !["https://", "http://"].iter().any(|scheme| value.get_ref().starts_with(scheme)) {
            let message = format!("`{key}` is not a web address: expected `https://…`");
            return Err(self.refuse("manifest-url", &value, message));
        }
        self.text(key, value)
    }
}

/// Whether a text is the name of an environment variable, and cannot be a value.
pub(crate) fn is_env_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The entries of a table whose keys are the author's own, in the author's order.
pub(crate) struct Ordered<T>(pub(crate) Vec<(Spanned<String>, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    if entries.len() == LIST_MAX {
                        return Err(A::Error::custom(format_args!("a table has more than {LIST_MAX} entries")));
                    }
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}
