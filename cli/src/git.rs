//! Git, asked from the outside: what the work tree is as a tree, and what other revisions hold.
//!
//! The repository may be a stranger's, and an agent may have written its configuration. So the caller's
//! `GIT_*` variables are gone, and nothing that configuration can name is started: no hook, no file
//! system monitor, no filter, no pager, no external diff, no fetch of what is missing.
//!
//! The tree of the work tree is made in a Git folder of our own, with no configuration at all and an
//! *empty* index: `.git/index` could say of an edited file that it was not (`assume-unchanged`, forged
//! times). Only the names in it are believed, so that a tracked file is looked at although it is ignored.
//! Neither the repository's index nor its objects are touched.

mod command;
mod scratch;
mod tree;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use self::command::Git;
pub use self::scratch::Scratch;
pub(crate) use self::tree::os_path;
pub use self::tree::{Entry, GitTree};
use crate::failure::Failure;

/// A repository with a work tree.
#[derive(Debug, Clone)]
pub struct Repository {
    top: PathBuf,
    /// What belongs to all its work trees: objects, `info/exclude`.
    shared: PathBuf,
    /// `sha1` or `sha256`
    format: String,
}

impl Repository {
    /// The repository that a folder belongs to; none where there is none, or it has no work tree.
    pub fn around(folder: &Path) -> Result<Option<Self>, Failure> {
        let Ok(folder) = folder.canonicalize() else { return Ok(None) };
        let Some(top) = folder.ancestors().find(|one| one.join(".git").symlink_metadata().is_ok()) else {
            return Ok(None);
        };
        let asked = ["rev-parse", "--is-bare-repository", "--show-object-format", "--git-common-dir"];
        let answer = Git::at(top).run(asked)?.text()?;
        let mut lines = answer.lines();
        let (Some(bare), Some(format), Some(shared)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(unusual("rev-parse"));
        };
        let shared = top.join(shared);
        Ok((bare == "false").then(|| Self { top: top.to_owned(), shared, format: format.to_owned() }))
    }

    /// The top of the work tree.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The work tree as `git add --all` would commit it, without the evidence of the project in
    /// `folder`, so that committing evidence does not move what it is about.
    pub fn tree(&self, folder: &Path) -> Result<GitTree, Failure> {
        tree::of(self, folder)
    }

    /// The commit that a revision names; `None` where Git knows no such revision.
    pub fn commit(&self, revision: &str) -> Result<Option<String>, Failure> {
        check_revision(revision)?;
        let asked = format!("{revision}^{{commit}}");
        let answer = Git::at(&self.top).ask(["rev-parse", "--verify", "--quiet", "--end-of-options", &asked])?;
        answer.map(|answer| Ok(answer.text()?.trim().to_owned())).transpose()
    }

    /// A file at a revision, its path relative to the top; `None` where it is not there.
    pub fn show(&self, revision: &str, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Some(commit) = self.commit(revision)? else { return Ok(None) };
        let answer = Git::at(&self.top).ask(["cat-file", "blob", &format!("{commit}:{path}")])?;
        Ok(answer.map(|answer| answer.stdout))
    }

    /// The paths, relative to the top, of what lies in a folder at a revision, `folder/`; none where it is not there.
    pub fn files(&self, revision: &str, folder: &str) -> Result<Vec<String>, Failure> {
        let commit = self.known(revision)?;
        let answer = Git::at(&self.top).run(["ls-tree", "-z", "--name-only", "--full-tree", &commit, "--", folder])?;
        let paths = answer.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// The path, relative to the top, of what a folder of the work tree has at `path`.
    pub fn inside(&self, folder: &Path, path: &str) -> String {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let below = folder.strip_prefix(&self.top).unwrap_or(Path::new(""));
        let below = below.components().map(|part| format!("{}/", part.as_os_str().to_string_lossy()));
        format!("{}{path}", below.collect::<String>())
    }

    /// Where two revisions parted; `None` where they never met, or the history is cut off before that.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, Failure> {
        let (Some(one), Some(other)) = (self.commit(one)?, self.commit(other)?) else { return Ok(None) };
        let answer = Git::at(&self.top).ask(["merge-base", &one, &other])?;
        answer.map(|answer| Ok(answer.text()?.trim().to_owned())).transpose()
    }

    /// Lines added and removed for each file that differs between a revision and a tree of the work tree;
    /// a binary file has no lines. Renames are a file less and a file more.
    pub fn diff_stat(&self, revision: &str, tree: &GitTree) -> Result<Vec<Changed>, Failure> {
        let commit = self.known(revision)?;
        let asked = ["diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"];
        let answer = tree.beside(Git::at(&self.top)).run(asked.into_iter().chain([&*commit, tree.id()]))?;
        Ok(answer.stdout.split(|byte| *byte == 0).filter_map(Changed::parse).collect())
    }

    /// The difference itself, as a patch.
    pub fn diff(&self, revision: &str, tree: &GitTree) -> Result<Vec<u8>, Failure> {
        let commit = self.known(revision)?;
        let asked = ["diff-tree", "-r", "-p", "--no-color", "--no-renames", "--no-ext-diff", "--no-textconv"];
        Ok(tree.beside(Git::at(&self.top)).run(asked.into_iter().chain([&*commit, tree.id()]))?.stdout)
    }

    /// Whether the last commit holds exactly what lies in the work tree, evidence of the project in
    /// `folder` aside.
    pub fn is_clean(&self, folder: &Path, tree: &GitTree) -> Result<bool, Failure> {
        if self.commit("HEAD")?.is_none() {
            return Ok(tree.entries().is_empty());
        }
        let mut changed = self.diff_stat("HEAD", tree)?.into_iter();
        Ok(changed.all(|changed| self.is_evidence(folder, tree, &changed.path)))
    }

    /// Whether a path, relative to the top, is evidence of the project in `folder`, and so no part of the tree.
    pub fn is_evidence(&self, folder: &Path, tree: &GitTree, path: &str) -> bool {
        tree.leaves_out(path, &self.inside(folder, &format!("{}/", crate::evidence::EVIDENCE_PATH)))
    }

    /// Where Git keeps its files, outside the work tree for a second one.
    pub fn folders(&self) -> Result<Vec<PathBuf>, Failure> {
        let own = Git::at(&self.top).run(["rev-parse", "--absolute-git-dir"])?.text()?;
        Ok(vec![self.shared.clone(), PathBuf::from(own.trim_end_matches('\n'))])
    }

    /// Runs Git in the work tree, hardened, and gives what it prints; for questions of `skill stats` and
    /// the like. `None` where Git says no.
    pub fn ask<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<Option<Vec<u8>>, Failure> {
        Ok(Git::at(&self.top).ask(args)?.map(|answer| answer.stdout))
    }

    fn known(&self, revision: &str) -> Result<String, Failure> {
        self.commit(revision)?.ok_or_else(|| {
            Failure::could_not("git-revision", format!("Git knows no revision `{}` here", revision.escape_debug()))
                .hint("in CI, fetch the base branch first: `git fetch origin main`")
        })
    }
}

/// A file that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its path, relative to the top.
    pub path: String,
    /// Lines added and removed; none of a binary file.
    pub lines: Option<(u64, u64)>,
}

impl Changed {
    /// `3 TAB 1 TAB path`, or `- TAB - TAB path`.
    fn parse(row: &[u8]) -> Option<Self> {
        let row = String::from_utf8_lossy(row);
        let mut columns = row.splitn(3, '\t');
        let (added, removed, path) = (columns.next()?, columns.next()?, columns.next()?);
        Some(Self { path: path.to_owned(), lines: added.parse().ok().zip(removed.parse().ok()) })
    }
}

/// An option, or a name with `:` in it (`:0` is the index of the change under review), is no revision.
pub(crate) fn check_revision(revision: &str) -> Result<(), Failure> {
    if revision.is_empty() || revision.starts_with('-') || revision.contains([':', '\n', '\0']) {
        let seen = format!("`{}` is not the name of a Git revision", revision.escape_debug());
        return Err(Failure::usage("policy-ref", seen).hint("name a branch, a tag or a commit, such as origin/main"));
    }
    Ok(())
}

fn unusual(asked: &str) -> Failure {
    Failure::could_not("git-refused", format!("`git {asked}` gave an answer that cannot be read"))
}

#[cfg(test)]
mod tests;
