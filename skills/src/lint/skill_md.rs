//! What can be wrong with `SKILL.md` itself.

use super::{Finding, Level, SKILL_MD, links};
use crate::frontmatter::{self, FrontMatter};
use crate::limits::DESCRIPTION_CHARS_MAX;
use crate::name::SkillName;
use crate::tree::Tree;

/// Longest `compatibility`, in characters: the Agent Skills limit.
const COMPATIBILITY_CHARS_MAX: usize = 500;

/// What templates leave in a description for the author to replace.
const LEFTOVERS: [&str; 4] = ["todo", "[todo", "replace with", "description of the skill"];

/// All findings about `SKILL.md`; `expected` is the name that it has to have.
pub(super) fn findings(tree: &Tree, expected: Option<&SkillName>) -> Vec<Finding> {
    let Some(file) = tree.file(SKILL_MD) else { return vec![missing(tree)] };
    let skill = match frontmatter::examine(&file.bytes) {
        Ok(skill) => skill,
        Err(stop) => return vec![stop.finding()],
    };
    let mut findings = skill.notes;
    let lines = Lines::of(&file.bytes);
    findings.extend(name(&skill.front, expected, &lines));
    findings.extend(description(&skill.front, &lines));
    if skill.front.compatibility.as_ref().is_some_and(|text| text.chars().count() > COMPATIBILITY_CHARS_MAX) {
        let message = format!("`compatibility` has more than {COMPATIBILITY_CHARS_MAX} characters");
        findings.push(finding("S033", Level::Warning, lines.key("compatibility"), message));
    }
    if skill.body.trim().is_empty() {
        let message = "nothing follows the front matter, so an agent that loads the skill learns nothing".to_owned();
        findings.push(finding("S035", Level::Warning, None, message));
    }
    findings.extend(links::findings(&skill.body, lines.body, tree));
    findings
}

/// `skill.md` is found by some agents, on some disks.
fn missing(tree: &Tree) -> Finding {
    let other = tree.files().iter().find(|file| file.path.as_str().eq_ignore_ascii_case(SKILL_MD));
    match other {
        Some(file) => {
            finding("S002", Level::Error, None, format!("the file is called `{}`, expected `SKILL.md`", file.path))
                .hint("rename it; where case counts, agents do not find it")
        }
        None => finding("S001", Level::Error, None, "the package has no SKILL.md".to_owned())
            .hint("add one, or name the folder that holds it"),
    }
}

fn name(front: &FrontMatter, expected: Option<&SkillName>, lines: &Lines) -> Option<Finding> {
    let at = lines.key("name").or(Some(1));
    let Some(name) = front.name.as_deref().filter(|name| !name.is_empty()) else {
        let hint = expected.map_or("add `name: …`".to_owned(), |name| format!("add `name: {name}`"));
        return Some(finding("S020", Level::Error, at, "the front matter has no `name`".to_owned()).hint(hint));
    };
    if let Err(refusal) = SkillName::parse(name) {
        let found = finding("S021", Level::Error, at, refusal.message);
        return Some(match refusal.hint {
            Some(hint) => found.hint(hint),
            None => found,
        });
    }
    let expected = expected.filter(|expected| expected.as_str() != name)?;
    Some(
        finding(
            "S022",
            Level::Error,
            at,
            format!("the name is `{name}`, but the skill's folder or package is `{expected}`"),
        )
        .hint(format!("write `name: {expected}`, or rename the folder")),
    )
}

fn description(front: &FrontMatter, lines: &Lines) -> Vec<Finding> {
    let at = lines.key("description").or(Some(1));
    let Some(text) = front.description.as_deref().map(str::trim).filter(|text| !text.is_empty()) else {
        let message = "the front matter has no `description`, by which agents decide when to load the skill".to_owned();
        return vec![finding("S023", Level::Error, at, message).hint("say what the skill does and when to use it")];
    };
    let mut findings = Vec::new();
    let chars = text.chars().count();
    if chars > DESCRIPTION_CHARS_MAX {
        let message = format!("the description has {chars} characters, at most {DESCRIPTION_CHARS_MAX} are allowed");
        findings.push(finding("S024", Level::Error, at, message).hint("shorten it; details belong in the body"));
    }
    let lower = text.to_lowercase();
    let is_bracketed = text.starts_with('<') && text.ends_with('>') || text.starts_with('[') && text.ends_with(']');
    if is_bracketed || LEFTOVERS.iter().any(|words| lower.starts_with(words)) {
        let message = "the description is what a template left there".to_owned();
        findings.push(finding("S025", Level::Error, at, message).hint("say what the skill does and when to use it"));
    }
    if let Some(line) = lines.cut {
        let message = "` #` begins a comment, so agents do not see the rest of the description".to_owned();
        findings.push(finding("S027", Level::Warning, Some(line), message).hint("put the description in quotes"));
    }
    findings
}

fn finding(code: &'static str, level: Level, line: Option<usize>, message: String) -> Finding {
    Finding { code, level, file: SKILL_MD.to_owned(), line, message, hint: None, fixable: false }
}

/// Where things stand in the file.
struct Lines {
    keys: Vec<(String, usize)>,
    body: usize,
    /// The line of a description that a comment cuts off.
    cut: Option<usize>,
}

impl Lines {
    fn of(bytes: &[u8]) -> Self {
        let parts = frontmatter::text_of(bytes).ok().and_then(|text| frontmatter::Parts::split(text).ok());
        let parts = parts.expect("the file was read a moment ago");
        let first = parts.first_line();
        let entries = frontmatter::entries(parts.front);
        let cut = entries.iter().find(|entry| entry.key == "description" && entry.is_cut(parts.front));
        Self {
            cut: cut.map(|entry| entry.line + first - 1),
            keys: entries.into_iter().map(|entry| (entry.key, entry.line + first - 1)).collect(),
            body: first + parts.front.matches('\n').count() + 1,
        }
    }

    fn key(&self, key: &str) -> Option<usize> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, line)| *line)
    }
}
