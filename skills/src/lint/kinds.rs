//! What can be wrong with a package of another kind than `skill`, beyond its manifest: what is not
//! said, and what the manifest names and the files lack.

use std::collections::BTreeSet;

use super::{Finding, Level};
use crate::brief;
use crate::check::{Check, Fixtures};
use crate::limits::DESCRIPTION_CHARS_MAX;
use crate::manifest::{Kinded, Manifest, SKILL_TOML};
use crate::tools::{Bundle, Launch};
use crate::tree::{Mode, Tree};

/// All findings that need both the manifest and the files.
pub(super) fn findings(tree: &Tree, manifest: &Manifest) -> Vec<Finding> {
    let mut findings: Vec<Finding> = description(manifest).into_iter().collect();
    match &manifest.kinded {
        Kinded::Check(check) => {
            findings.extend(program(tree, check));
            findings.extend(fixtures(tree));
        }
        Kinded::Tools(bundle) => findings.extend(variables(bundle, &manifest.requires.env)),
        Kinded::Brief(_) => findings.extend(brief::lint::of_tree(tree, manifest)),
        Kinded::Skill => {}
    }
    findings
}

/// Evals that are named and not there would be shown as if there were some.
pub(super) fn evals(tree: &Tree, manifest: &Manifest) -> Option<Finding> {
    let path = manifest.evals.as_ref().filter(|path| tree.file(path.as_str()).is_none())?;
    let message = format!("`[evals]` names `{path}`, which the package does not have");
    Some(finding("S057", Level::Error, message).hint("add the file, or take the table out"))
}

/// Of these kinds the manifest says what they are for; it is what people choose by.
fn description(manifest: &Manifest) -> Option<Finding> {
    let text = manifest.description.as_deref().unwrap_or_default().trim();
    let message = if text.is_empty() {
        "there is no `description`".to_owned()
    } else if text.chars().count() > DESCRIPTION_CHARS_MAX || text.chars().any(char::is_control) {
        format!("`description` has control characters or more than {DESCRIPTION_CHARS_MAX}")
    } else {
        return None;
    };
    Some(finding("S044", Level::Error, message).hint("say in one sentence of `[package]` what it is for"))
}

/// A program of the package is there and can be started.
fn program(tree: &Tree, check: &Check) -> Option<Finding> {
    let path = check.program()?;
    match tree.file(path.as_str()).map(|file| file.mode) {
        None => {
            Some(finding("S045", Level::Error, format!("`argv` starts `./{path}`, which the package does not have")))
        }
        Some(Mode::Regular) => {
            let message = format!("`argv` starts `./{path}`, which has no exec bit");
            Some(finding("S046", Level::Error, message).hint(format!("`chmod +x {path}`")))
        }
        Some(Mode::Executable) => None,
    }
}

/// A check that was never seen to fail may be one that cannot.
fn fixtures(tree: &Tree) -> Vec<Finding> {
    let fixtures = Fixtures::of(tree);
    let mut findings = Vec::new();
    if fixtures.fail.is_empty() {
        let message = "the check has no fixture that it fails on, so it may be one that is always green".to_owned();
        let hint = "put a tree that it has to refuse into `fixtures/fail/NAME/`";
        findings.push(finding("S047", Level::Error, message).hint(hint));
    }
    if fixtures.pass.is_empty() {
        let message = "the check has no fixture that it passes on".to_owned();
        let hint = "put a tree that it has to accept into `fixtures/pass/NAME/`";
        findings.push(finding("S048", Level::Warning, message).hint(hint));
    }
    findings
}

/// Every variable that a server is given is one that people are told to have.
fn variables(bundle: &Bundle, required: &[String]) -> Vec<Finding> {
    let given = bundle.servers.iter().flat_map(|server| match &server.launch {
        Launch::Stdio { env, .. } => env.iter(),
        Launch::Http { headers, .. } => headers.iter(),
    });
    let names: BTreeSet<&String> = given.map(|(_, from)| from).filter(|from| !required.contains(from)).collect();
    let unsaid = |name: &String| {
        let message = format!("a server takes `{name}`, which `[requires] env` does not name");
        finding("S049", Level::Warning, message)
            .hint("name it there, so that `skill doctor` can say when it is missing")
    };
    names.into_iter().map(unsaid).collect()
}

fn finding(code: &'static str, level: Level, message: String) -> Finding {
    Finding { code, level, file: SKILL_TOML.to_owned(), line: None, message, hint: None, fixable: false }
}
