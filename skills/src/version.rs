//! Versions and requirements.
//!
//! Versions are SemVer 2.0. Build metadata is kept for display and ignored for identity: two
//! versions that differ only in it are the same version, so `1.0.0+b` cannot be published after
//! `1.0.0+a`. Requirements use Cargo's syntax and Cargo's rule for pre-releases: one is chosen only
//! when a requirement names a pre-release of the same `major.minor.patch`.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::name::text_type;
use crate::refusal::Refusal;

/// Longest version text accepted, in bytes: it becomes a file name.
pub const VERSION_BYTES_MAX: usize = 64;

/// A published version; equality, order and hash ignore build metadata.
#[derive(Debug, Clone)]
pub struct Version(semver::Version);

impl Version {
    /// Parses a full SemVer version, all three numbers present.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > VERSION_BYTES_MAX {
            return Err(Refusal::new(
                "version-malformed",
                format!("a version has at most {VERSION_BYTES_MAX} bytes, this one has {}", text.len()),
            ));
        }
        semver::Version::parse(text).map(Self).map_err(|error| {
            Refusal::new("version-malformed", format!("`{}` is not a version: {error}", text.escape_debug()))
                .hint("write all three numbers, for example `1.0.0`")
        })
    }

    /// The identity of the version: without build metadata. Used in paths and as a key.
    pub fn number(&self) -> String {
        let mut bare = self.0.clone();
        bare.build = semver::BuildMetadata::EMPTY;
        bare.to_string()
    }

    /// Whether this is a pre-release, such as `1.0.0-rc.1`.
    pub fn is_prerelease(&self) -> bool {
        !self.0.pre.is_empty()
    }

    /// The SemVer value, for the resolver.
    pub fn semver(&self) -> &semver::Version {
        &self.0
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.major, self.0.minor, self.0.patch, self.0.pre.as_str()).hash(state);
    }
}

text_type!(Version, |self, f| self.0.fmt(f));

/// Which versions are wanted, in Cargo's syntax: `^1.2`, `>=1, <3`, `=1.0.0-rc.1`, `*`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement(semver::VersionReq);

impl Requirement {
    /// Parses a requirement.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > 4 * VERSION_BYTES_MAX {
            return Err(Refusal::new("requirement-malformed", "a requirement has at most 256 bytes"));
        }
        semver::VersionReq::parse(text).map(Self).map_err(|error| {
            Refusal::new("requirement-malformed", format!("`{}` is not a requirement: {error}", text.escape_debug()))
                .hint("Cargo's syntax: `^1.2`, `~1.2.3`, `=1.0.0`, `>=1, <3`, `*`")
        })
    }

    /// Any release version.
    pub fn any() -> Self {
        Self(semver::VersionReq::STAR)
    }

    /// Exactly this version.
    pub fn exactly(version: &Version) -> Self {
        let bare = version.number();
        Self(
            semver::VersionReq::parse(&format!("={bare}"))
                .expect("a version without build metadata makes a requirement"),
        )
    }

    /// Whether the version satisfies the requirement, pre-release rule included.
    pub fn matches(&self, version: &Version) -> bool {
        self.0.matches(&version.0)
    }

    /// The SemVer value, for the resolver.
    pub fn semver(&self) -> &semver::VersionReq {
        &self.0
    }
}

text_type!(Requirement, |self, f| self.0.fmt(f));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_differ_only_in_build_metadata_are_the_same() {
        let a = Version::parse("1.0.0+a").expect("a version");
        let b = Version::parse("1.0.0+b").expect("a version");
        assert_eq!(a, b);
        assert_eq!(a.to_string(), "1.0.0+a");
        assert_eq!(a.number(), "1.0.0");
    }

    #[test]
    fn a_prerelease_matches_only_when_asked_for() {
        let rc = Version::parse("2.0.0-rc.1").expect("a version");
        assert!(!Requirement::parse("*").expect("a requirement").matches(&rc));
        assert!(!Requirement::parse(">=1").expect("a requirement").matches(&rc));
        assert!(Requirement::parse("^2.0.0-rc.0").expect("a requirement").matches(&rc));
    }

    #[test]
    fn half_a_version_is_refused_with_the_way_out() {
        let refusal = Version::parse("1.2").expect_err("two numbers");
        assert_eq!(refusal.code, "version-malformed");
        assert!(refusal.hint.is_some());
    }
}
