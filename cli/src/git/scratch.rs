//! A repository of our own for a check's fixtures: two commits, the same ids on every machine.

use std::path::Path;

use super::check_revision;
use super::command::{Git, NOWHERE};
use crate::failure::Failure;

/// When everything in it was committed, and by whom.
const FIXED: [(&str, &str); 6] = [
    ("GIT_AUTHOR_NAME", "fixture"),
    ("GIT_AUTHOR_EMAIL", "fixture@example.invalid"),
    ("GIT_AUTHOR_DATE", "2001-02-03T04:05:06Z"),
    ("GIT_COMMITTER_NAME", "fixture"),
    ("GIT_COMMITTER_EMAIL", "fixture@example.invalid"),
    ("GIT_COMMITTER_DATE", "2001-02-03T04:05:06Z"),
];

/// A new repository.
#[derive(Debug)]
pub struct Scratch<'a>(&'a Path);

impl<'a> Scratch<'a> {
    /// Starts one in a folder, on the branch `main`, from no template.
    pub fn start(folder: &'a Path) -> Result<Self, Failure> {
        let scratch = Self(folder);
        scratch.git(&["init", "--quiet", "--initial-branch=main", "--template="])?;
        Ok(scratch)
    }

    /// Goes on with a new branch.
    pub fn branch(&self, name: &str) -> Result<(), Failure> {
        check_revision(name)?;
        self.git(&["checkout", "--quiet", "-b", name])
    }

    /// Commits all that lies there, ignored or not, or nothing at all.
    pub fn commit(&self, message: &str) -> Result<(), Failure> {
        self.git(&["add", "--all", "--force", "--", "."])?;
        let message = format!("--message={message}");
        self.git(&["commit", "--quiet", "--allow-empty", "--allow-empty-message", "--no-gpg-sign", &message])
    }

    fn git(&self, args: &[&str]) -> Result<(), Failure> {
        let git = Git::at(self.0).env("GIT_CONFIG_GLOBAL", NOWHERE).env("GIT_CONFIG_NOSYSTEM", "1");
        let git = FIXED.iter().fold(git, |git, (name, value)| git.env(name, value));
        git.run(args).map(drop)
    }
}
