//! Why a `SKILL.md` could not be read: once for `read` (a refusal), once for `lint` (a finding).

use crate::lint::{Finding, Level, SKILL_MD};
use crate::refusal::Refusal;

/// What ended the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    lint_code: &'static str,
    refusal: Refusal,
    line: Option<usize>,
}

impl Stop {
    pub(super) fn new(lint_code: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self { lint_code, refusal: Refusal::new(code, message), line: None }
    }

    pub(super) fn line(mut self, line: impl Into<Option<usize>>) -> Self {
        self.line = line.into();
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.refusal = self.refusal.hint(hint);
        self
    }

    /// The refusal, its sentence naming the place.
    pub(crate) fn refusal(self) -> Refusal {
        match self.line {
            Some(line) => self.refusal.at(format_args!("SKILL.md line {line}")),
            None => self.refusal.at("SKILL.md"),
        }
    }

    /// The finding.
    pub(crate) fn finding(self) -> Finding {
        Finding {
            code: self.lint_code,
            level: Level::Error,
            file: SKILL_MD.to_owned(),
            line: self.line,
            message: self.refusal.message,
            hint: self.refusal.hint,
            fixable: false,
        }
    }
}
