//! Links in `SKILL.md` that lead to no file of the package.
//!
//! An agent follows `[details](references/details.md)` and finds nothing: the most common reason is a
//! file that was never committed. Warnings only, because Markdown in the wild also writes examples.

use super::{Finding, Level, SKILL_MD};
use crate::tree::Tree;

/// Most findings: after a few, the author has understood.
const FINDINGS_MAX: usize = 20;

/// The broken relative links of a body that begins on line `first_line`.
pub(super) fn findings(body: &str, first_line: usize, tree: &Tree) -> Vec<Finding> {
    let mut fence: Option<&str> = None;
    let mut findings = Vec::new();
    for (index, line) in body.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                let broken = targets(line).into_iter().filter(|target| is_broken(target, tree));
                findings.extend(broken.map(|target| finding(&target, first_line + index)));
            }
            _ => {}
        }
    }
    findings.truncate(FINDINGS_MAX);
    findings
}

fn finding(target: &str, line: usize) -> Finding {
    let hint = if target.starts_with("../") {
        "a package is installed by itself: depend on the other skill in skill.toml, and name it in the text"
    } else {
        "add the file, or mend the link"
    };
    Finding {
        code: "S054",
        level: Level::Warning,
        file: SKILL_MD.to_owned(),
        line: Some(line),
        message: format!("the link leads to `{target}`, which is not in the package"),
        hint: Some(hint.to_owned()),
        fixable: false,
    }
}

/// The targets of inline links on a line, outside `code`.
fn targets(line: &str) -> Vec<String> {
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let mut rest = prose.as_str();
    let mut targets = Vec::new();
    while let Some(at) = rest.find("](") {
        rest = &rest[at + 2..];
        if let Some(end) = rest.find([')', ' ']) {
            targets.push(rest[..end].trim_matches(['<', '>']).to_owned());
        }
    }
    targets
}

/// Whether a target is a plain relative path that names neither a file nor a folder of the package.
fn is_broken(target: &str, tree: &Tree) -> bool {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    let path = path.replace("%20", " ");
    let is_plain = !path.is_empty()
        && !path.starts_with('/')
        && !path.contains(':')
        && !path.contains(['{', '}', '$', '*', '<', '>', '…', '%', '\\'])
        && !path.contains("...")
        && path.contains(['/', '.']);
    let folder = format!("{path}/");
    is_plain && !tree.files().iter().any(|file| file.path.as_str() == path || file.path.as_str().starts_with(&folder))
}
