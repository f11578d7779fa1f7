//! One fixture of a check: a tree, and what the check is told about it.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use skills::FilePath;
use skills::check::Fixtures;
use skills::tree::{File, Tree};

use crate::failure::{Exit, Failure, OnPath};
use crate::git::Scratch;
use crate::place::write_tree;

/// The branch that a fixture is on, if nothing is said.
const BRANCH: &str = "work";

/// What its commit says, if nothing is said.
const MESSAGE: &str = "fixture";

/// What stands beside a fixture, in `NAME.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Beside {
    with: Map<String, Value>,
    git: Commit,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Commit {
    branch: Option<String>,
    message: Option<String>,
}

/// A fixture, read.
#[derive(Debug)]
pub(super) struct Fixture {
    /// `pass/NAME` or `fail/NAME`
    pub(super) name: String,
    /// Whether the check has to pass on it.
    pub(super) passes: bool,
    /// The check's parameters.
    pub(super) with: Map<String, Value>,
    /// The brief's document, where one stands beside it.
    pub(super) document: Option<Vec<u8>>,
    base: Tree,
    tree: Tree,
    commit: Commit,
}

/// The fixtures of a check, those to pass on first.
pub(super) fn all(package: &Tree) -> Result<Vec<Fixture>, Failure> {
    let Fixtures { pass, fail } = Fixtures::of(package);
    let named = pass.iter().map(|name| (true, name)).chain(fail.iter().map(|name| (false, name)));
    named.map(|(passes, name)| fixture(package, passes, name)).collect()
}

fn fixture(package: &Tree, passes: bool, name: &str) -> Result<Fixture, Failure> {
    let title = format!("{}/{name}", if passes { "pass" } else { "fail" });
    let beside = match package.file(&format!("fixtures/{title}.toml")) {
        Some(file) => beside(&file.bytes).map_err(|failure| failure.at(format!("fixtures/{title}.toml")))?,
        None => Beside::default(),
    };
    Ok(Fixture {
        passes,
        with: beside.with,
        document: package.file(&format!("fixtures/{title}.brief.json")).map(|file| file.bytes.clone()),
        base: below(package, &format!("fixtures/base/{name}/"))?,
        tree: below(package, &format!("fixtures/{title}/"))?,
        commit: beside.git,
        name: title,
    })
}

fn beside(bytes: &[u8]) -> Result<Beside, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::usage("file-not-utf8", "not UTF-8"))?;
    toml::from_str(text).map_err(|error| Failure::usage("fixture-malformed", error.message().trim_end().to_owned()))
}

/// The files below a folder, as a tree of their own.
fn below(package: &Tree, folder: &str) -> Result<Tree, Failure> {
    let mut files = Vec::new();
    for file in package.files() {
        if let Some(path) = file.path.as_str().strip_prefix(folder) {
            files.push(File { path: FilePath::parse(path)?, ..file.clone() });
        }
    }
    Tree::new(files).map_err(|refusal| Failure::of(Exit::Failed, refusal))
}

impl Fixture {
    /// Lays the fixture out: the base on `main`, the fixture itself on a branch.
    pub(super) fn lay_out(&self, folder: &Path) -> Result<(), Failure> {
        let scratch = Scratch::start(folder)?;
        write_files(folder, &self.base)?;
        scratch.commit("base")?;
        let branch = self.commit.branch.as_deref().unwrap_or(BRANCH);
        if branch != "main" {
            scratch.branch(branch)?;
        }
        for file in self.base.files() {
            let path = folder.join(file.path.as_str());
            std::fs::remove_file(&path).on("remove", &path)?;
        }
        write_files(folder, &self.tree)?;
        scratch.commit(self.commit.message.as_deref().unwrap_or(MESSAGE))
    }
}

/// Writes files into a folder that is there already.
fn write_files(folder: &Path, tree: &Tree) -> Result<(), Failure> {
    let staged = tempfile::tempdir().on("create a folder in", &std::env::temp_dir())?;
    let whole = staged.path().join("tree");
    write_tree(&whole, tree)?;
    for file in tree.files() {
        let (from, to) = (whole.join(file.path.as_str()), folder.join(file.path.as_str()));
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).on("create", parent)?;
        }
        std::fs::copy(&from, &to).on("write", &to)?;
    }
    Ok(())
}
