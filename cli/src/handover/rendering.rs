//! Whether a brief on the disk is what its package renders from its values.
//!
//! The document says what is proved and who decides, so an edit of it would be the cheapest way around
//! everything else: one check less, a wider boundary, another digest. It is rendered again from the
//! packages that the lock pins, and has to come out the same, byte for byte.

use std::fmt::Display;

use index::lock::Lock;
use index::verify::{Class, Finding};
use skills::PackageName;
use skills::Sha256;
use skills::brief::Document;

use crate::briefs::{self, Shelved};
use crate::commands::brief::render_again;
use crate::installed;
use crate::project::Project;

/// Everything that is wrong with the two files of a brief.
pub fn findings(project: &Project, lock: &Lock, brief: &Shelved) -> Vec<Finding> {
    let mut findings = unlocked(project, lock, &brief.document);
    let [text, document, _] = briefs::paths(briefs::BRIEFS_PATH, &brief.id);
    let found = |id, path: &str, message: String| {
        Finding::new(id, Class::Failed, brief.id.as_str(), message).path(path).hint(AGAIN)
    };
    let markdown = briefs::markdown(project, brief);
    match &markdown {
        Err(failure) => findings.push(found("SKV081", &text, failure.message.clone())),
        Ok(markdown) if !brief.document.is_of(markdown) => {
            findings.push(found("SKV081", &text, "its text is not the one that was rendered".to_owned()));
        }
        Ok(_) => {}
    }
    // Without the very packages there is nothing to compare with, and that has been said.
    if !findings.is_empty() {
        return findings;
    }
    match render_again(project, lock, &brief.document) {
        Err(failure) if failure.code.starts_with("param-") => {
            findings.push(found("SKV083", &document, failure.message));
        }
        Err(failure) => findings.push(found("SKV081", &document, failure.message)),
        Ok(again) if again.document != brief.document => {
            let message =
                format!("its package renders {}, which differs", difference(&again.document, &brief.document));
            findings.push(found("SKV081", &document, message));
        }
        Ok(again) if markdown.is_ok_and(|markdown| markdown != again.markdown) => {
            findings.push(found("SKV081", &text, "its first line is not the one that was rendered".to_owned()));
        }
        Ok(_) => {}
    }
    findings
}

const AGAIN: &str = "`skill brief render` with the same values writes it anew; nobody edits it by hand";

/// The first key that differs, for a person.
fn difference(again: &Document, seen: &Document) -> String {
    let [again, seen] = [again, seen].map(|document| serde_json::to_value(document).unwrap_or_default());
    let keys = again.as_object().into_iter().flat_map(|map| map.keys());
    let key = keys.into_iter().find(|key| again[key.as_str()] != seen[key.as_str()]);
    key.map_or_else(|| "another document".to_owned(), |key| format!("another `{key}`"))
}

/// The packages that the document names and the lock does not have, to the digest.
fn unlocked(project: &Project, lock: &Lock, document: &Document) -> Vec<Finding> {
    let from = (document.from.package.to_string(), document.from.version.to_string(), document.from.digest);
    let split = |uses: &str, digest| {
        let (name, version) = uses.rsplit_once('@').unwrap_or((uses, ""));
        (name.to_owned(), version.to_owned(), digest)
    };
    let tools = document.tools.iter().map(|used| split(&used.uses, used.digest));
    let checks = document.checks.iter().map(|check| split(&check.uses, check.digest));
    let mut all: Vec<(String, String, Sha256)> = [from].into_iter().chain(tools).chain(checks).collect();
    all.dedup();
    let why = |(name, version, digest): &(String, String, Sha256)| lacks(project, lock, name, version, *digest);
    let found = |why: String| {
        Finding::new("SKV082", Class::Failed, document.id.as_str(), why)
            .path("skills.lock")
            .hint("`skill install` puts the locked packages in place; `skill brief update` moves to newer ones")
    };
    all.iter().filter_map(why).map(found).collect()
}

fn lacks(project: &Project, lock: &Lock, name: &str, version: &str, digest: Sha256) -> Option<String> {
    let not = |why: &dyn Display| Some(format!("`{name}@{version}`, which the brief pins, {why}"));
    if PackageName::parse(name).is_err() {
        return not(&"is not the name of a package");
    }
    match installed::find(project, lock, name) {
        Err(failure) => not(&format_args!("cannot be used: {}", failure.message)),
        Ok(found) if found.locked.version.to_string() != version => {
            not(&format_args!("is locked at {}", found.locked.version))
        }
        Ok(found) if found.digest != digest => not(&format_args!("has another digest in the lock: {}", found.digest)),
        Ok(_) => None,
    }
}
