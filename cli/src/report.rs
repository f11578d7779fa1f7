//! How findings are shown: one line for people, one object for programs.

use index::verify::{Class, Finding};
use serde_json::{Value, json};

use crate::shown;

/// A finding in one line: id, what it is about, the sentence.
pub fn finding_line(finding: &Finding) -> String {
    let place = finding.path.as_ref().map(|path| format!(" {path}")).unwrap_or_default();
    let hint = finding.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    shown::text(&format!("{} {}{place}: {}{hint}", finding.id, finding.skill, finding.message))
}

/// A finding as JSON.
pub fn finding_json(finding: &Finding) -> Value {
    json!({
        "id": finding.id,
        "class": class_name(finding.class),
        "skill": finding.skill,
        "path": finding.path,
        "message": finding.message,
        "hint": finding.hint,
    })
}

/// The stable name of a class.
pub fn class_name(class: Class) -> &'static str {
    match class {
        Class::Failed => "failed",
        Class::Missing => "missing",
        Class::Policy => "policy",
        Class::Stale => "stale",
        Class::Note => "note",
    }
}
