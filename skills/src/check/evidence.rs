//! What is kept of a check's output: a few lines, few bytes, nothing secret.

use serde::Deserialize;
use toml::Spanned;

use super::pattern::Pattern;
use crate::manifest::source::{LIST_MAX, Source};
use crate::refusal::Refusal;

/// Evidence is committed and read by people: more lines than this are a log, not evidence.
const LINES_MAX: u64 = 200;
const BYTES_MAX: u64 = 64 * 1024;

/// What holds when nothing is said.
const LINES: usize = 20;
const BYTES: usize = 4096;

/// What is kept, at most.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Lines that match one of these are kept.
    pub key_lines: Vec<Pattern>,
    /// Most lines.
    pub max_lines: usize,
    /// Most bytes of all of them.
    pub max_bytes: usize,
    /// What matches one of these is blotted out before anything is kept.
    pub redact: Vec<Pattern>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(super) struct EvidenceTable {
    key_lines: Vec<Spanned<String>>,
    max_lines: Option<Spanned<u64>>,
    max_bytes: Option<Spanned<u64>>,
    redact: Vec<Spanned<String>>,
}

impl EvidenceTable {
    pub(super) fn evidence(self, source: Source<'_>) -> Result<Evidence, Refusal> {
        let redact = patterns(source, "redact", &self.redact)?;
        if let Some(at) = redact.iter().position(|pattern| pattern.regex().is_match("")) {
            let message = "a pattern of `redact` matches nothing at all, which is everywhere";
            return Err(source.refuse("check-regex", &self.redact[at], message));
        }
        Ok(Evidence {
            key_lines: patterns(source, "key-lines", &self.key_lines)?,
            max_lines: bound(source, "max-lines", self.max_lines, LINES, LINES_MAX)?,
            max_bytes: bound(source, "max-bytes", self.max_bytes, BYTES, BYTES_MAX)?,
            redact,
        })
    }
}

fn patterns(source: Source<'_>, key: &str, texts: &[Spanned<String>]) -> Result<Vec<Pattern>, Refusal> {
    if let Some(over) = texts.get(LIST_MAX) {
        return Err(source.refuse("manifest-limit", over, format!("`{key}` has more than {LIST_MAX} entries")));
    }
    texts.iter().map(|text| Pattern::parse(source, text)).collect()
}

fn bound(
    source: Source<'_>,
    key: &str,
    value: Option<Spanned<u64>>,
    default: usize,
    most: u64,
) -> Result<usize, Refusal> {
    let Some(value) = value else { return Ok(default) };
    if *value.get_ref() > most {
        return Err(source.refuse("check-evidence", &value, format!("`{key}` is more than {most}")));
    }
    Ok(usize::try_from(value.into_inner()).expect("the bound fits every machine"))
}
