//! Names: `scope/name`, and the two parts on their own.
//!
//! Lower-case ASCII words joined by single dashes and nothing else. That makes look-alikes
//! (`раypal`), case games (`Acme/PDF`), path tricks (`..`, `a/b/c`) and reserved shell characters
//! unsayable instead of filtered. The name part equals the `name` in `SKILL.md` and the installed
//! folder, so it also has to be a name that every file system can hold.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::path::is_windows_reserved;
use crate::refusal::Refusal;

/// Longest scope, in characters.
pub const SCOPE_CHARS_MAX: usize = 39;

/// Longest skill name, in characters: the Agent Skills limit.
pub const NAME_CHARS_MAX: usize = 64;

/// A team's namespace: the part before the slash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

/// The part after the slash: the skill's own name and its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SkillName(String);

/// A package's full name, `scope/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName {
    scope: Scope,
    name: SkillName,
}

impl Scope {
    /// Parses a scope. A leading `@` is accepted and dropped.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let text = text.strip_prefix('@').unwrap_or(text);
        check_part(text, SCOPE_CHARS_MAX, "scope")?;
        Ok(Self(text.to_owned()))
    }

    /// The scope as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SkillName {
    /// Parses a skill name, the last part of a package name.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        check_part(text, NAME_CHARS_MAX, "name")?;
        if is_windows_reserved(text) {
            return Err(Refusal::new(
                "name-reserved",
                format!("`{text}` is a device name on Windows and cannot be a folder there"),
            )
            .hint(format!("choose another name, for example `{text}-skill`")));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PackageName {
    /// Joins two parsed parts.
    pub fn new(scope: Scope, name: SkillName) -> Self {
        Self { scope, name }
    }

    /// Parses `scope/name` or `@scope/name`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let Some((scope, name)) = text.split_once('/') else {
            return Err(Refusal::new(
                "name-malformed",
                format!("`{text}` is not a package name: expected `scope/name`"),
            )
            .hint("a folder is written with a leading `./`"));
        };
        Ok(Self { scope: Scope::parse(scope)?, name: SkillName::parse(name)? })
    }

    /// The scope.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The last part, which is also the installed folder.
    pub fn name(&self) -> &SkillName {
        &self.name
    }
}

/// The grammar of both parts: `[a-z0-9]+(-[a-z0-9]+)*`, bounded.
fn check_part(text: &str, chars_max: usize, what: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::new("name-malformed", format!("the {what} is empty")));
    }
    if text.chars().count() > chars_max {
        let seen = text.chars().count();
        return Err(Refusal::new(
            "name-too-long",
            format!("the {what} `{}…` has {seen} characters, at most {chars_max} are allowed", head(text)),
        ));
    }
    let words_ok = text
        .split('-')
        .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
    if words_ok {
        return Ok(());
    }
    let refusal = Refusal::new(
        "name-malformed",
        format!(
            "`{}` is not a {what}: lower-case ASCII letters and digits, joined by single dashes",
            text.escape_debug()
        ),
    );
    Err(match slug(text) {
        Some(better) if better != text => refusal.hint(format!("`{better}` would be accepted")),
        _ => refusal,
    })
}

/// The nearest acceptable name, for hints and `lint --fix`; `None` where nothing is left.
pub fn slug(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    (!words.is_empty()).then(|| words.join("-"))
}

fn head(text: &str) -> String {
    text.chars().take(20).collect::<String>().escape_debug().to_string()
}

/// Display, `FromStr` and serde as a plain string, for a type with `parse`.
macro_rules! text_type {
    ($type:ty, |$self:ident, $f:ident| $display:expr) => {
        impl fmt::Display for $type {
            fn fmt(&$self, $f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $display
            }
        }
        impl std::str::FromStr for $type {
            type Err = Refusal;
            fn from_str(text: &str) -> Result<Self, Refusal> {
                Self::parse(text)
            }
        }
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_type;

text_type!(Scope, |self, f| f.write_str(&self.0));
text_type!(SkillName, |self, f| f.write_str(&self.0));
text_type!(PackageName, |self, f| write!(f, "{}/{}", self.scope, self.name));

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(text: &str) {
        assert!(PackageName::parse(text).is_ok(), "{text} should be a name");
    }

    fn refuses(text: &str, code: &str) {
        assert_eq!(PackageName::parse(text).expect_err(text).code, code, "{text}");
    }

    #[test]
    fn a_name_is_lower_case_words_joined_by_single_dashes() {
        accepts("acme/pdf-fill");
        accepts("a/b");
        accepts("9lives/7-zip");
        for text in [
            "acme",
            "acme/",
            "/pdf",
            "a/b/c",
            "Acme/pdf",
            "acme/PDF",
            "acme/-a",
            "acme/a-",
            "acme/a--b",
            "acme/a_b",
            "acme/a.b",
            "acme/..",
            "acme/a b",
            "acme/a\n",
        ] {
            refuses(text, "name-malformed");
        }
    }

    #[test]
    fn a_leading_at_is_dropped() {
        assert_eq!(PackageName::parse("@acme/pdf").expect("a name").to_string(), "acme/pdf");
    }

    #[test]
    fn look_alikes_from_other_alphabets_are_refused() {
        refuses("\u{430}cme/pdf", "name-malformed");
        refuses("acme/\u{ff50}df", "name-malformed");
        refuses("acme/p\u{200b}df", "name-malformed");
    }

    #[test]
    fn lengths_are_bounded_to_the_character() {
        accepts(&format!("{}/{}", "s".repeat(39), "n".repeat(64)));
        refuses(&format!("{}/n", "s".repeat(40)), "name-too-long");
        refuses(&format!("s/{}", "n".repeat(65)), "name-too-long");
    }

    #[test]
    fn windows_device_names_are_no_skill_names() {
        refuses("acme/con", "name-reserved");
        refuses("acme/com1", "name-reserved");
        accepts("acme/console");
    }

    #[test]
    fn the_hint_offers_the_nearest_name() {
        let refusal = PackageName::parse("acme/PDF Fill").expect_err("spaces");
        assert_eq!(refusal.hint.as_deref(), Some("`pdf-fill` would be accepted"));
    }
}
