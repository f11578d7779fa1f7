//! Folder → package → archive: everything about a release that needs no key and no network.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
    let mut prepared = Vec::new();
    for folder in folders {
        prepared.push(one(folder, name, version, context)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    refuse_twice(&prepared)?;
    Ok(prepared)
}

fn one(
    path: &Path,
    name: Option<&PackageName>,
    version: Option<&Version>,
    context: &Context,
) -> Result<Prepared, Failure> {
    let folder = folder::read(path)?;
    // The package decides what `SKILL.md` is called; the folder only where nothing else names it.
    let expected = name.map(|name| name.name().as_str()).or(folder.name.as_deref());
    refuse_errors(path, &lint::lint(&folder.tree, expected), context)?;
    let package = Package::from_tree(folder.tree, name, version)
        .map_err(|refusal| Failure::of(Exit::Failed, refusal).at(path.display()))?;
    let archive =
        archive::pack(&package.tree).map_err(|refusal| Failure::of(Exit::Failed, refusal).at(path.display()))?;
    let digest = Sha256::of(&archive);
    Ok(Prepared { package, archive, digest })
}

fn refuse_errors(path: &Path, findings: &[Finding], context: &Context) -> Result<(), Failure> {
    let errors: Vec<&Finding> = findings.iter().filter(|finding| finding.level == Level::Error).collect();
    for finding in findings.iter().filter(|finding| finding.level == Level::Warning) {
        context.ui.detail(format!("{}: warning: {}", path.display(), line(finding)));
    }
    let Some(first) = errors.first() else { return Ok(()) };
    for finding in &errors[1..] {
        context.ui.note(format!("{}: {}", path.display(), line(finding)));
    }
    let more = if errors.len() > 1 { format!(" (and {} more above)", errors.len() - 1) } else { String::new() };
    let failure = Failure::new(Exit::Failed, first.code, format!("{}: {}{more}", path.display(), line(first)));
    let shown = path.display();
    Err(match (&first.hint, errors.iter().any(|finding| finding.fixable)) {
        (_, true) => failure.hint(format!("`skill lint --fix {shown}` mends what a machine can")),
        (Some(hint), false) => failure.hint(hint.clone()),
        (None, false) => failure.hint(format!("`skill lint {shown}` says all that is wrong")),
    })
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
