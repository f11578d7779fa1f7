//! The front matter of `SKILL.md`: the one parser, for everybody who reads a skill.
//!
//! Half of the published skills break some rule, and agents load most of them all the same. So
//! [`read`] is lenient where agents are, and says so: every leniency is a note, and `lint` and
//! publishing decide from the notes what an author has to mend. What would be read in two ways is
//! refused here, for everybody:
//!
//! ```text
//! split   two lines `---` alone, bounded         no front matter · not closed · too large
//! yaml    by budget, spelling kept               duplicate key · bomb · not YAML
//! mend    retry with values quoted, tabs mended  -> note
//! fields  the keys that agents know              other types, other keys -> note
//! ```

mod edit;
mod entries;
mod fields;
mod mend;
mod split;
mod stop;
mod yaml;

#[cfg(test)]
mod outcomes;

use std::collections::BTreeMap;

pub(crate) use edit::{quote_scalars, set_name};
pub(crate) use entries::entries;
pub(crate) use mend::yaml as mend_yaml;
pub(crate) use split::Parts;
pub(crate) use stop::Stop;

use self::mend::Mend;
use self::yaml::{Trouble, TroubleKind, Value};
use crate::limits::SKILL_MD_BYTES_MAX;
use crate::lint::{Finding, Level, SKILL_MD};
use crate::name::SkillName;
use crate::refusal::Refusal;

/// What the front matter says, as the agents read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// The skill's own name.
    pub name: Option<String>,
    /// When an agent should reach for it.
    pub description: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// What it needs of its surroundings, in words.
    pub compatibility: Option<String>,
    /// The tools that it may use without asking: a grant, not a restriction.
    pub allowed_tools: Option<Vec<String>>,
    /// Free keys.
    pub metadata: BTreeMap<String, String>,
    /// Keys that the specification does not name; agents ignore them.
    pub unknown: Vec<String>,
}

/// A `SKILL.md`, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillMd {
    /// What stands between the delimiters.
    pub front: FrontMatter,
    /// What stands after them.
    pub body: String,
    /// Where the reading had to be lenient.
    pub notes: Vec<Finding>,
}

/// Reads a `SKILL.md`, lenient where agents are.
pub fn read(bytes: &[u8]) -> Result<SkillMd, Refusal> {
    examine(bytes).map_err(Stop::refusal)
}

/// Rewrites the `name` and nothing else, for `install --as`.
pub fn rename(bytes: &[u8], name: &SkillName) -> Result<Vec<u8>, Refusal> {
    let text = text_of(bytes).map_err(Stop::refusal)?;
    let parts = Parts::split(text).map_err(Stop::refusal)?;
    let renamed = parts.with_front(&set_name(parts.front, name.as_str())).into_bytes();
    let is_renamed = read(&renamed).is_ok_and(|read| read.front.name.as_deref() == Some(name.as_str()));
    is_renamed.then_some(renamed).ok_or_else(|| {
        Refusal::new("frontmatter-rename", "SKILL.md: the name cannot be rewritten without touching the rest")
            .hint("write `name: …` on a line of its own in the front matter")
    })
}

/// Like [`read`], for callers that want the place and the lint code of a refusal.
pub(crate) fn examine(bytes: &[u8]) -> Result<SkillMd, Stop> {
    let text = text_of(bytes)?;
    let parts = Parts::split(text)?;
    let mut notes = notes_of_form(&parts);
    let (value, mends) = parse_leniently(&parts)?;
    notes.extend(mends.iter().map(|mend| note_of_mend(mend, parts.first_line())));
    let map = match value {
        Value::Null => Vec::new(),
        Value::Map(map) => map,
        Value::Scalar(..) | Value::List(_) => {
            return Err(Stop::new(
                "S009",
                "frontmatter-not-mapping",
                "the front matter is not a mapping of keys to values",
            )
            .line(parts.first_line())
            .hint("write one `key: value` a line"));
        }
    };
    let (front, more) = fields::read(map, parts.front, parts.first_line());
    notes.extend(more);
    Ok(SkillMd { front, body: parts.body.to_owned(), notes })
}

/// The bytes as bounded UTF-8.
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, Stop> {
    if bytes.len() > SKILL_MD_BYTES_MAX {
        let message = format!(
            "the file has {} bytes, at most {SKILL_MD_BYTES_MAX} are allowed: agents load it whole",
            bytes.len()
        );
        return Err(Stop::new("S003", "skill-md-too-large", message).hint("move parts of it into files of their own"));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|&&b| b == b'\n').count();
        Stop::new("S004", "skill-md-not-utf8", "the file is not UTF-8").line(line).hint("save it as UTF-8")
    })
}

/// Notes about the bytes around the YAML.
fn notes_of_form(parts: &Parts<'_>) -> Vec<Finding> {
    let mut notes = Vec::new();
    if parts.head.starts_with(split::BOM) {
        let message = "the file starts with a byte order mark, so agents do not find the `---`";
        notes.push(note("S005", Level::Error, 1, message, "save it as UTF-8 without BOM"));
    }
    if parts.head.trim_start_matches(split::BOM).starts_with([' ', '\t', '\r', '\n']) {
        let message = "blank lines precede the front matter, so agents do not find the `---`";
        notes.push(note("S014", Level::Error, 1, message, "remove them"));
    }
    if [parts.head, parts.front, parts.close].iter().any(|part| part.contains('\r')) {
        let message = "the front matter has CRLF line ends, which some agents keep in the values";
        notes.push(note("S013", Level::Warning, 1, message, "save it with LF line ends"));
    }
    notes
}

/// Parses the YAML, and once more after mending it.
fn parse_leniently(parts: &Parts<'_>) -> Result<(Value, Vec<Mend>), Stop> {
    let trouble = match yaml::parse(parts.front) {
        Ok(value) => return Ok((value, Vec::new())),
        Err(trouble) if trouble.kind != TroubleKind::Syntax => return Err(stop_of(trouble, parts)),
        Err(trouble) => trouble,
    };
    let (mended, mends) = mend_yaml(parts.front);
    if mends.is_empty() {
        return Err(stop_of(trouble, parts));
    }
    match yaml::parse(&mended) {
        Ok(value) => Ok((value, mends)),
        Err(again) if again.kind != TroubleKind::Syntax => Err(stop_of(again, parts)),
        Err(_) => Err(stop_of(trouble, parts)),
    }
}

fn stop_of(trouble: Trouble, parts: &Parts<'_>) -> Stop {
    let line = trouble.line.map(|line| line + parts.first_line() - 1);
    let stop = match trouble.kind {
        TroubleKind::DuplicateKey => {
            Stop::new("S011", "frontmatter-duplicate-key", format!("a key appears twice: {}", trouble.message))
                .hint("keep one of them; some agents read the first, some the last")
        }
        TroubleKind::Budget => {
            Stop::new("S009", "frontmatter-budget", format!("the front matter asks for too much: {}", trouble.message))
                .hint("write it out plainly, without anchors and aliases")
        }
        TroubleKind::Syntax => {
            Stop::new("S009", "frontmatter-yaml", format!("the front matter is not YAML: {}", trouble.message))
                .hint("put values with `: `, `#`, quotes or brackets in quotes")
        }
    };
    stop.line(line)
}

fn note_of_mend(mend: &Mend, first_line: usize) -> Finding {
    match mend {
        Mend::Tab(line) => {
            let message = "a tab indents the line, which YAML does not allow";
            note("S012", Level::Error, line + first_line - 1, message, "indent with spaces")
        }
        Mend::Quoted(line, key) => {
            let message =
                format!("the value of `{key}` is not YAML unless it is quoted, and many agents do not try that");
            note("S010", Level::Error, line + first_line - 1, message, "put the value in quotes")
        }
        Mend::Indented(line, key) => {
            let message = format!("the block of `{key}` is not indented, so it is not YAML");
            note("S010", Level::Error, line + first_line - 1, message, "indent its lines by two spaces")
        }
    }
}

fn note(code: &'static str, level: Level, line: usize, message: impl Into<String>, hint: &str) -> Finding {
    Finding {
        code,
        level,
        file: SKILL_MD.to_owned(),
        line: Some(line),
        message: message.into(),
        hint: Some(hint.to_owned()),
        fixable: true,
    }
}
