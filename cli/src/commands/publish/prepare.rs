//! Folder → package → archive: everything about a release that needs no key and no network.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::{Value, json};
use skills::lint::{self, Finding, Level};
use skills::package::Package;
use skills::{PackageName, Sha256, Version, archive};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::folder;

/// A package that may be published, and its archive.
pub(super) struct Prepared {
    pub(super) package: Package,
    pub(super) archive: Vec<u8>,
    pub(super) digest: Sha256,
}

impl Prepared {
    /// `scope/name@version`
    pub(super) fn title(&self) -> String {
        format!("{}@{}", self.package.name, self.package.version)
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "name": self.package.name, "version": self.package.version, "archive": self.digest,
            "tree": self.package.tree.digest(), "size": self.archive.len(),
        })
    }
}

/// Prepares every folder; the first that may not be published ends it, before anything is sent.
pub(super) fn all(
    folders: &[PathBuf],
    name: Option<&PackageName>,
    version: Option<&Version>,
    context: &Context,
) -> Result<Vec<Prepared>, Failure> {
    if name.is_some() && folders.len() > 1 {
        let seen = format!("`--name` names one package, and {} folders are given", folders.len());
        return Err(Failure::usage("name-for-several", seen).hint("publish them one by one, or give each a skill.toml"));
    }
    let bar = context.ui.bar("packing", folders.len());
    let one = |folder: &PathBuf| {
        let prepared = one(folder, name, version);
        bar.inc(1);
        prepared
    };
    // All are prepared before the first refusal is said, so that it is the same one every time.
    let results: Vec<Result<Prepared, Refused>> = folders.par_iter().map(one).collect();
    bar.finish_and_clear();
    let mut prepared = Vec::with_capacity(results.len());
    for result in results {
        prepared.push(result.map_err(|refused| refused.say(context))?);
    }
    refuse_twice(&prepared)?;
    Ok(prepared)
}

/// Why a folder may not be published, and what else is wrong with it.
struct Refused {
    failure: Box<Failure>,
    others: Vec<String>,
}

impl Refused {
    fn say(self, context: &Context) -> Failure {
        for line in &self.others {
            context.ui.note(line);
        }
        *self.failure
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure: Box::new(failure), others: Vec::new() }
    }
}

fn one(path: &Path, name: Option<&PackageName>, version: Option<&Version>) -> Result<Prepared, Refused> {
    let folder = folder::read(path)?;
    // The package decides what `SKILL.md` is called; the folder only where nothing else names it.
    let expected = name.map(|name| name.name().as_str()).or(folder.name.as_deref());
    refuse_errors(path, &lint::lint(&folder.tree, expected))?;
    let refuse = |refusal| Failure::of(Exit::Failed, refusal).at(path.display());
    let package = Package::from_tree(folder.tree, name, version).map_err(refuse)?;
    let archive = archive::pack(&package.tree).map_err(refuse)?;
    let digest = Sha256::of(&archive);
    Ok(Prepared { package, archive, digest })
}

fn refuse_errors(path: &Path, findings: &[Finding]) -> Result<(), Refused> {
    let errors: Vec<&Finding> = findings.iter().filter(|finding| finding.level == Level::Error).collect();
    let Some(first) = errors.first() else { return Ok(()) };
    let shown = path.display();
    let others: Vec<String> = errors[1..].iter().map(|finding| format!("{shown}: {}", line(finding))).collect();
    let more = if others.is_empty() { String::new() } else { format!(" (and {} more above)", others.len()) };
    let failure = Failure::new(Exit::Failed, first.code, format!("{shown}: {}{more}", line(first)));
    let failure = match (&first.hint, errors.iter().any(|finding| finding.fixable)) {
        (_, true) => failure.hint(format!("`skill lint --fix {shown}` mends what a machine can")),
        (Some(hint), false) => failure.hint(hint.clone()),
        (None, false) => failure.hint(format!("`skill lint {shown}` says all that is wrong")),
    };
    Err(Refused { failure: Box::new(failure), others })
}

fn line(finding: &Finding) -> String {
    let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("{}{line}: {}", finding.file, finding.message)
}

/// One version twice in one request would be two answers to one question.
fn refuse_twice(prepared: &[Prepared]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    match prepared.iter().find(|p| !seen.insert((&p.package.name, p.package.version.number()))) {
        Some(twice) => Err(Failure::usage("release-twice", format!("{} is given twice", twice.title()))),
        None => Ok(()),
    }
}
