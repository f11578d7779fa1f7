//! The URL layout: one place for the paths that the server answers and the client asks for.
//!
//! Everything that is read is a static file at a path that follows from its name, so any file
//! server can mirror it. A path is built from parsed values only; nothing in it ever needs
//! escaping, because names are lower-case words, digests are hex and a version is shown without its
//! build metadata (`+` would be read as a space by some servers, and it is no part of the identity).
//!
//! ```text
//! /config.json                                    what the registry is called, where the rest lies
//! /index/SCOPE/NAME                               one JSON line a version
//! /archives/sha256/HEX.tar.gz                     immutable
//! /bundles/SCOPE/NAME/VERSION.sigstore.jsonl      immutable
//! /keyrings/SCOPE.jsonl                           one link a line
//! /.well-known/agent-skills/index.json            for installers that know nothing of us
//! ```

use skills::{PackageName, Scope, Sha256, Version};

/// The ending of an archive's file name.
pub const ARCHIVE_ENDING: &str = ".tar.gz";

/// The ending of a bundle's file name.
pub const BUNDLE_ENDING: &str = ".sigstore.jsonl";

/// The ending of a keyring's file name.
pub const KEYRING_ENDING: &str = ".jsonl";

/// Where everything that changes something lives; also search.
pub const API: &str = "/api/v1";

/// The registry's own description.
pub fn config() -> &'static str {
    "/config.json"
}

/// The index file of a package.
pub fn index(name: &PackageName) -> String {
    format!("/index/{name}")
}

/// An archive, by its digest: two releases with the same bytes share one file.
pub fn archive(digest: &Sha256) -> String {
    format!("/archives/sha256/{}{ARCHIVE_ENDING}", digest.hex())
}

/// The signatures of a release.
pub fn bundle(name: &PackageName, version: &Version) -> String {
    format!("/bundles/{name}/{}{BUNDLE_ENDING}", version.number())
}

/// The keyring chain of a scope.
pub fn keyring(scope: &Scope) -> String {
    format!("/keyrings/{scope}{KEYRING_ENDING}")
}

/// The list that other installers read.
pub fn well_known() -> &'static str {
    "/.well-known/agent-skills/index.json"
}

/// Reads the last part of an archive's path.
pub fn parse_archive(file: &str) -> Option<Sha256> {
    Sha256::parse_hex(file.strip_suffix(ARCHIVE_ENDING)?).ok()
}

/// Reads the last part of a bundle's path; only the one spelling that [`bundle`] writes.
pub fn parse_bundle(file: &str) -> Option<Version> {
    let text = file.strip_suffix(BUNDLE_ENDING)?;
    Version::parse(text).ok().filter(|version| version.number() == text)
}

/// Reads the last part of a keyring's path; only the one spelling that [`keyring`] writes.
pub fn parse_keyring(file: &str) -> Option<Scope> {
    let text = file.strip_suffix(KEYRING_ENDING)?;
    Scope::parse(text).ok().filter(|scope| scope.as_str() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(path: &str) -> &str {
        path.rsplit('/').next().expect("a path has a last part")
    }

    #[test]
    fn a_path_that_is_built_is_read_back() {
        let digest = Sha256::of(b"archive");
        assert_eq!(parse_archive(last(&archive(&digest))), Some(digest));
        let name = PackageName::parse("acme/pdf-fill").expect("a name");
        let version = Version::parse("1.0.0-rc.1").expect("a version");
        assert_eq!(parse_bundle(last(&bundle(&name, &version))), Some(version));
        assert_eq!(parse_keyring(last(&keyring(name.scope()))), Some(name.scope().clone()));
    }

    #[test]
    fn a_release_has_one_bundle_path_whatever_its_build_metadata() {
        let name = PackageName::parse("acme/pdf-fill").expect("a name");
        let version = Version::parse("1.0.0+linux").expect("a version");
        assert_eq!(bundle(&name, &version), "/bundles/acme/pdf-fill/1.0.0.sigstore.jsonl");
        assert_eq!(parse_bundle("1.0.0+linux.sigstore.jsonl"), None);
    }

    #[test]
    fn a_path_with_a_second_spelling_is_no_path() {
        assert_eq!(parse_keyring("@acme.jsonl"), None);
        assert_eq!(parse_keyring("ACME.jsonl"), None);
        assert_eq!(parse_archive(&format!("{}.tar.gz", Sha256::of(b"").hex().to_uppercase())), None);
        assert_eq!(parse_archive("../../etc/passwd"), None);
    }
}
