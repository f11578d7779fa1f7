//! Why a command failed, and the one table of exit codes.
//!
//! Scripts branch on the exit code, programs on `code`, people read the sentence and the hint. The
//! meaning of the codes is the same for every command (DESIGN.md §4).

use std::fmt;
use std::path::Path;

use index::verify::{Class, Finding};
use skills::Refusal;

/// The exit codes, the same everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// A verification or a check failed.
    Failed = 1,
    /// Wrong usage, or a malformed file.
    Usage = 2,
    /// Could not: I/O, network, something missing. Fails closed.
    Could = 3,
    /// The policy refused; the cryptography is fine.
    Policy = 4,
    /// Only stale.
    Stale = 5,
}

/// A command's failure.
#[derive(Debug)]
pub struct Failure {
    /// What the process exits with.
    pub exit: Exit,
    /// Stable, for programs.
    pub code: String,
    /// What was seen and expected.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// What a verification found, where one failed.
    pub findings: Vec<Finding>,
}

impl Failure {
    /// A failure with a code and a sentence.
    pub fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { exit, code: code.into(), message: message.into(), hint: None, findings: Vec::new() }
    }

    /// Wrong usage or a malformed file: exit 2.
    pub fn usage(code: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, code, message)
    }

    /// Something is missing or unreachable: exit 3.
    pub fn could_not(code: &str, message: impl Into<String>) -> Self {
        Self::new(Exit::Could, code, message)
    }

    /// An operation on a path failed: exit 3.
    pub fn io(verb: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::could_not("io", format!("could not {verb} `{}`: {error}", path.display()))
    }

    /// A verification refused: the exit code is the worst class among the findings.
    pub fn refused(message: impl Into<String>, findings: Vec<Finding>) -> Self {
        let exit = exit_of(&findings);
        let code = findings
            .iter()
            .find(|finding| exit_of_class(finding.class) == exit)
            .map_or("refused", |finding| finding.id);
        Self { exit, code: code.to_owned(), message: message.into(), hint: None, findings }
    }

    /// A refusal of the pure rooms, with the exit code that this place gives it.
    pub fn of(exit: Exit, refusal: Refusal) -> Self {
        Self { exit, code: refusal.code.to_owned(), message: refusal.message, hint: refusal.hint, findings: Vec::new() }
    }

    /// The same failure, with the way out named.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure, its sentence prefixed by where it happened.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

/// A refusal is a malformed input (exit 2) unless the caller knows better.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::of(Exit::Usage, refusal)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The exit code of a list of findings: failed before missing before policy before stale.
pub fn exit_of(findings: &[Finding]) -> Exit {
    let rank =
        |exit: &Exit| [Exit::Done, Exit::Stale, Exit::Policy, Exit::Could, Exit::Failed].iter().position(|e| e == exit);
    findings.iter().map(|finding| exit_of_class(finding.class)).max_by_key(rank).unwrap_or(Exit::Done)
}

fn exit_of_class(class: Class) -> Exit {
    match class {
        Class::Failed => Exit::Failed,
        Class::Missing => Exit::Could,
        Class::Policy => Exit::Policy,
        Class::Stale => Exit::Stale,
        Class::Note => Exit::Done,
    }
}

/// Attaches a path and a verb to an I/O error: `fs::read(p).on("read", p)?`.
pub trait OnPath<T> {
    /// Turns the error into a [`Failure`] that names what was tried on which path.
    fn on(self, verb: &str, path: &Path) -> Result<T, Failure>;
}

impl<T> OnPath<T> for std::io::Result<T> {
    fn on(self, verb: &str, path: &Path) -> Result<T, Failure> {
        self.map_err(|error| Failure::io(verb, path, &error))
    }
}
