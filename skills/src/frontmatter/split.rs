//! Where the front matter ends and the body begins.
//!
//! A delimiter is a line that is `---` and nothing else but trailing blanks. The reference parser
//! splits at the first `---` anywhere, so a description of `fast --- and safe` loses half of
//! itself there, without a word.

use super::stop::Stop;
use crate::limits::FRONT_MATTER_BYTES_MAX;

/// The byte order mark.
pub(super) const BOM: &str = "\u{feff}";

/// A `SKILL.md` cut in three; the parts and the bytes between them make up the whole again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    /// Byte order mark, blank lines and the opening delimiter with its line end.
    pub(crate) head: &'a str,
    /// The YAML.
    pub(crate) front: &'a str,
    /// The closing delimiter with its line end.
    pub(crate) close: &'a str,
    /// All that follows.
    pub(crate) body: &'a str,
}

impl<'a> Parts<'a> {
    /// Cuts the text of a `SKILL.md`.
    pub(crate) fn split(text: &'a str) -> Result<Self, Stop> {
        let Some(opening) = opening_end(text) else {
            return Err(Stop::new(
                "S006",
                "frontmatter-missing",
                "the front matter is missing: the first line has to be `---`",
            )
            .line(1)
            .hint("start the file with `---`, `name: …`, `description: …`, `---`"));
        };
        let rest = &text[opening..];
        let mut at = 0;
        for line in rest.split_inclusive('\n') {
            if is_delimiter(line) {
                let parts = Self {
                    head: &text[..opening],
                    front: &rest[..at],
                    close: &rest[at..at + line.len()],
                    body: &rest[at + line.len()..],
                };
                return parts.bounded();
            }
            at += line.len();
        }
        Err(Stop::new(
            "S007",
            "frontmatter-unclosed",
            "the front matter has no end: no later line is `---` and nothing else",
        )
        .line(1)
        .hint("add a line `---` after the last key"))
    }

    fn bounded(self) -> Result<Self, Stop> {
        let size = self.head.len() + self.front.len() + self.close.len();
        if size <= FRONT_MATTER_BYTES_MAX {
            return Ok(self);
        }
        let message = format!("the front matter has {size} bytes, at most {FRONT_MATTER_BYTES_MAX} are allowed");
        Err(Stop::new("S008", "frontmatter-too-large", message).line(1).hint("move the text into the body"))
    }

    /// The number of the first line of the YAML, from 1.
    pub(crate) fn first_line(&self) -> usize {
        1 + self.head.matches('\n').count()
    }

    /// The whole text with another YAML.
    pub(crate) fn with_front(&self, front: &str) -> String {
        [self.head, front, self.close, self.body].concat()
    }
}

/// Where the YAML begins: after a `---` that only a byte order mark and blank lines precede.
fn opening_end(text: &str) -> Option<usize> {
    let mut at = if text.starts_with(BOM) { BOM.len() } else { 0 };
    for line in text[at..].split_inclusive('\n') {
        at += line.len();
        if is_delimiter(line) {
            return Some(at);
        }
        if !line.trim().is_empty() {
            return None;
        }
    }
    None
}

fn is_delimiter(line: &str) -> bool {
    line.trim_end_matches(['\n', '\r', ' ', '\t']) == "---"
}
