//! One run of Git, with everything turned off that a repository's configuration could start.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::unusual;
use crate::failure::Failure;
use crate::shown;

/// Configuration that wins over the repository's. An empty program is none.
const OVERRIDES: [(&str, &str); 12] = [
    ("core.fsmonitor", "false"),
    ("core.hooksPath", NOWHERE),
    ("core.pager", "cat"),
    ("core.sshCommand", "false"),
    ("core.untrackedCache", "false"),
    ("diff.external", ""),
    ("gc.auto", "0"),
    ("gpg.program", "false"),
    ("log.showSignature", "false"),
    ("maintenance.auto", "false"),
    ("protocol.allow", "never"),
    ("safe.bareRepository", "explicit"),
];

/// Where nothing is, and nothing can be put.
pub(super) const NOWHERE: &str = if cfg!(windows) { "NUL" } else { "/dev/null" };

/// A run of Git, not started yet.
pub(super) struct Git {
    command: Command,
    stdin: Vec<u8>,
}

/// What a run of Git printed.
pub(super) struct Answer {
    pub(super) stdout: Vec<u8>,
}

impl Answer {
    pub(super) fn text(self) -> Result<String, Failure> {
        String::from_utf8(self.stdout).map_err(|_| unusual("rev-parse"))
    }
}

impl Git {
    /// Git in the repository whose `.git` is in this very folder.
    pub(super) fn at(top: &Path) -> Self {
        let mut git = Self::bare();
        git.command.arg("-C").arg(top);
        if let Some(above) = top.parent() {
            git.command.env("GIT_CEILING_DIRECTORIES", above);
        }
        git.command.env("GIT_CONFIG_COUNT", OVERRIDES.len().to_string());
        for (at, (key, value)) in OVERRIDES.iter().enumerate() {
            git.command.env(format!("GIT_CONFIG_KEY_{at}"), key).env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        git
    }

    /// Git with this folder as its `.git`, and no configuration but what stands there.
    pub(super) fn with_folder(folder: &Path, work_tree: &Path) -> Self {
        let mut git = Self::bare();
        git.command.arg("-C").arg(work_tree).env("GIT_DIR", folder).env("GIT_WORK_TREE", work_tree);
        git.command.env("GIT_CONFIG_GLOBAL", NOWHERE).env("GIT_CONFIG_NOSYSTEM", "1");
        git
    }

    fn bare() -> Self {
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
            command.env_remove(name);
        }
        command.args(["--no-replace-objects", "--no-pager"]);
        let fixed = [
            ("GIT_ADVICE", "0"),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("LC_ALL", "C"),
        ];
        command.envs(fixed);
        Self { command, stdin: Vec::new() }
    }

    pub(super) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it reads.
    pub(super) fn reading(mut self, stdin: Vec<u8>) -> Self {
        self.stdin = stdin;
        self
    }

    /// Runs it; where Git says no, its sentence is the failure.
    pub(super) fn run<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Result<Answer, Failure> {
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let asked = args.first().map(|first| first.to_string_lossy().into_owned()).unwrap_or_default();
        match self.output(args)? {
            Ok(answer) => Ok(answer),
            Err(said) => {
                let failure =
                    Failure::could_not("git-refused", format!("`git {asked}` said: {}", shown::line(&said, 200)));
                Err(failure.hint("`git status` in this folder shows what is wrong"))
            }
        }
    }

    /// Runs it; where Git says no, nothing.
    pub(super) fn ask<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Result<Option<Answer>, Failure> {
        Ok(self.output(args.into_iter().map(|arg| arg.as_ref().to_owned()).collect())?.ok())
    }

    /// What it prints, or the last line of what it complains.
    fn output(mut self, args: Vec<OsString>) -> Result<Result<Answer, String>, Failure> {
        let could_not = |error: std::io::Error| Failure::could_not("io", format!("could not run git: {error}"));
        self.command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => Failure::could_not("git-missing", "this is a Git repository, and there is no `git`")
                .hint("install git: the tree that a proof is about is Git's"),
            _ => could_not(error),
        })?;
        let (stdin, written) = (child.stdin.take(), self.stdin);
        let writer = std::thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(&written)));
        let output = child.wait_with_output().map_err(could_not)?;
        // A Git that fails stops reading; its exit says so.
        let _ = writer.join();
        if output.status.success() {
            return Ok(Ok(Answer { stdout: output.stdout }));
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().lines().next_back().unwrap_or("nothing").to_owned();
        Ok(Err(said))
    }
}
