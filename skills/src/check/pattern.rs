//! Regular expressions of strangers: compiled once, in bounded memory, run in linear time.

use regex::{Regex, RegexBuilder};
use toml::Spanned;

use crate::manifest::source::Source;
use crate::refusal::Refusal;

/// Longest expression in characters.
const CHARS_MAX: usize = 512;

/// Largest compiled expression in bytes: a hundred times what ours need.
const COMPILED_BYTES_MAX: usize = 256 * 1024;

/// A regular expression, compiled. `^` and `$` are the ends of a line.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// The compiled expression.
    pub fn regex(&self) -> &Regex {
        &self.0
    }

    pub(super) fn parse(source: Source<'_>, text: &Spanned<String>) -> Result<Self, Refusal> {
        let short = text.get_ref().chars().count() <= CHARS_MAX && !text.get_ref().is_empty();
        let mut builder = RegexBuilder::new(text.get_ref());
        builder.multi_line(true).size_limit(COMPILED_BYTES_MAX).dfa_size_limit(COMPILED_BYTES_MAX);
        let regex = short.then(|| builder.build().ok()).flatten();
        regex.map(Self).ok_or_else(|| {
            let message = format!("not a regular expression of at most {CHARS_MAX} characters that stays small");
            source
                .refuse("check-regex", text, message)
                .hint("the syntax is that of Rust's `regex`: no look-around, no back-references")
        })
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}
