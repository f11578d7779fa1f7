//! One shape for every "no" of the pure rooms.
//!
//! A refusal has two readers. A program branches on [`Refusal::code`], which never changes once
//! released; a person reads the sentence, which says what was seen and what was expected, and the
//! hint, which says what to do. Which status or exit code a refusal becomes is decided at the edge
//! that answers (the registry's table of statuses, the CLI's table of exit codes), not here.

use std::fmt;

/// Why something was refused: a stable code, a sentence, and where possible the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable, lower-case, dash-separated: `archive-symlink`.
    pub code: &'static str,
    /// What was seen and what was expected, for a person; no full stop at the end.
    pub message: String,
    /// What to do about it, where there is something to do.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same refusal, with the way out named.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same refusal, its sentence prefixed by where it happened: `skills.lock: …`.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
