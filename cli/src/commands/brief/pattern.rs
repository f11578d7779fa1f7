//! A rendered brief, read backwards: the manifest and the template that would give it.
//!
//! Values become `{{ param.X }}` where they stand as words of their own; the sections that packages
//! make become `{{ sections.X }}` where they are exactly what those packages say. What is neither
//! stays as it is, with whatever looks like a template quoted. Since every parameter's default is the
//! value that it replaces, the text comes out the same, however well the guess was.

use serde_json::{Map, Value, json};
use skills::PackageName;
use skills::brief::uses::{Bundle, Proof};
use skills::brief::{Document, sections};

/// Shortest text that is taken for a parameter where it appears: shorter ones appear everywhere.
const TEXT_CHARS_MIN: usize = 3;

/// A value and what stands for it.
struct Blank {
    seen: String,
    tag: String,
    param: String,
}

/// `skill.toml` and `brief.md`.
pub(super) fn of(
    document: &Document,
    markdown: &str,
    name: &PackageName,
    bundles: &[Bundle],
    proofs: &[Proof],
) -> (String, String) {
    let blanks = blanks(&document.params);
    let mut template = String::new();
    let mut rest = body(markdown);
    let sections = made(document, bundles, proofs);
    while let Some((at, text, tag)) = next(rest, &sections) {
        template.push_str(&fill(&rest[..at], &blanks, false));
        template.push_str(tag);
        rest = &rest[at + text.len()..];
    }
    template.push_str(&fill(rest, &blanks, false));
    let manifest = manifest(document, name, &blanks, &template);
    (toml::to_string(&manifest).expect("tables, lists, texts and numbers always serialise"), template)
}

/// The text after the comment in its first line.
pub(super) fn body(markdown: &str) -> &str {
    let rest = markdown.strip_prefix("<!--").and_then(|rest| rest.split_once("-->\n"));
    rest.filter(|(comment, _)| !comment.contains('\n')).map_or(markdown, |(_, body)| body)
}

/// What packages make of a section, with what stands for it.
fn made(document: &Document, bundles: &[Bundle], proofs: &[Proof]) -> Vec<(String, &'static str)> {
    let spec = |uses: &str| bundles.iter().find(|bundle| bundle.package.spec() == uses);
    let tools: Vec<&Bundle> = document.tools.iter().filter_map(|tool| spec(&tool.uses)).collect();
    let proof = |uses: &str| proofs.iter().find(|proof| proof.package.spec() == uses);
    let checks = document.checks.iter().filter_map(|check| Some((check.id.as_str(), proof(&check.uses)?)));
    let all = [
        (sections::tools(&tools), "{{ sections.tools }}"),
        (sections::deliverables(&document.deliverables), "{{ sections.deliverables }}"),
        (sections::checks(checks), "{{ sections.checks }}"),
        (sections::escalation(&document.escalate), "{{ sections.escalation }}"),
    ];
    all.into_iter().filter(|(text, _)| text.chars().count() > 10).collect()
}

/// The first section in the text.
fn next<'a>(text: &str, sections: &'a [(String, &'static str)]) -> Option<(usize, &'a str, &'static str)> {
    let found = sections.iter().filter_map(|(made, tag)| Some((text.find(made.as_str())?, made.as_str(), *tag)));
    found.min_by_key(|(at, ..)| *at)
}

/// Texts and numbers that are long enough, and what they are in other letters; the longest first.
fn blanks(params: &Map<String, Value>) -> Vec<Blank> {
    let mut blanks = Vec::new();
    for (name, value) in params {
        let blank = |seen: String, filter: &str| Blank {
            seen,
            tag: format!("{{{{ param.{name}{filter} }}}}"),
            param: name.clone(),
        };
        match value {
            Value::String(text) if text.chars().count() >= TEXT_CHARS_MIN => {
                blanks.push(blank(text.clone(), ""));
                for (other, filter) in [(text.to_lowercase(), " | lower"), (text.to_uppercase(), " | upper")] {
                    if other != *text {
                        blanks.push(blank(other, filter));
                    }
                }
            }
            Value::Number(number) if number.to_string().len() > 1 => blanks.push(blank(number.to_string(), "")),
            _ => {}
        }
    }
    blanks.sort_by_key(|blank| std::cmp::Reverse(blank.seen.len()));
    blanks
}

/// The text with blanks in place of values that stand as words; in a path `_` ends a word, too.
fn fill(text: &str, blanks: &[Blank], is_path: bool) -> String {
    let is_word = |c: char| c.is_alphanumeric() || (c == '_' && !is_path);
    let (mut out, mut rest, mut before) = (String::new(), text, None);
    while let Some(first) = rest.chars().next() {
        let ends = |blank: &&Blank| {
            rest.strip_prefix(&*blank.seen).is_some_and(|after| !after.chars().next().is_some_and(is_word))
        };
        let found = if before.is_some_and(is_word) { None } else { blanks.iter().find(ends) };
        let quoted = ["{{", "{%", "{#"].into_iter().find(|open| rest.starts_with(open));
        let taken = match (found, quoted) {
            (Some(blank), _) => {
                out.push_str(&blank.tag);
                blank.seen.as_str()
            }
            (None, Some(open)) => {
                out.push_str(&format!("{{{{ '{open}' }}}}"));
                open
            }
            (None, None) => {
                out.push(first);
                &rest[..first.len_utf8()]
            }
        };
        before = taken.chars().next_back();
        rest = &rest[taken.len()..];
    }
    out
}

fn manifest(document: &Document, name: &PackageName, blanks: &[Blank], template: &str) -> Value {
    let from = &document.from;
    let text = |text: &str| fill(text, blanks, false);
    let with = |with: &Map<String, Value>| -> Map<String, Value> {
        with.iter().map(|(key, value)| (key.clone(), fill_value(value, blanks))).collect()
    };
    let list = |all: Vec<Value>| Value::Array(all);
    let deliverables: Vec<Value> = document
        .deliverables
        .iter()
        .map(|one| json!({"id": one.id, "path": fill(&one.path, blanks, true), "kind": one.kind}))
        .collect();
    let checks: Vec<Value> = document
        .checks
        .iter()
        .map(|one| without_empty(json!({"id": one.id, "use": package(&one.uses), "with": with(&one.with)})))
        .collect();
    let escalate: Vec<Value> =
        document.escalate.iter().map(|one| without_empty(json!({"when": text(&one.when), "to": one.to}))).collect();
    let tasks: Vec<Value> = document
        .tasks
        .iter()
        .map(|task| {
            let mut row = json!(task);
            if !task.with.is_empty() {
                row["with"] = with(&task.with).into();
            }
            without_empty(row)
        })
        .collect();
    let tools: Vec<&str> = document.tools.iter().map(|tool| package(&tool.uses)).collect();
    let brief = json!({
        "template": "brief.md", "tools": tools, "deliverable": list(deliverables), "check": list(checks),
        "escalate": list(escalate), "task": list(tasks),
    });
    let used = format!("{template}{brief}");
    json!({
        "package": {
            "schema": 1, "name": name, "version": "0.1.0", "kind": "brief", "license": "Apache-2.0",
            "description": format!("Work as in `{}`, which was rendered from {}@{}.", document.id, from.package, from.version),
        },
        "boundary": {
            "task-class": document.boundary.task_class, "environment": document.boundary.environment,
            "data-class": document.boundary.data_class, "approval": document.boundary.approval,
        },
        "param": params(document, blanks, &used),
        "dependencies": dependencies(document),
        "brief": brief,
    })
}

/// The parameters that something uses, each with its value as the default.
fn params(document: &Document, blanks: &[Blank], used: &str) -> Map<String, Value> {
    let is_used = |name: &String| blanks.iter().any(|blank| blank.param == *name && used.contains(&blank.tag));
    let table = |value: &Value| {
        let kind = match value {
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            _ => "string",
        };
        json!({"type": kind, "default": value})
    };
    document.params.iter().filter(|(name, _)| is_used(name)).map(|(name, value)| (name.clone(), table(value))).collect()
}

/// At least the versions that the brief was rendered with.
fn dependencies(document: &Document) -> Map<String, Value> {
    let tools = document.tools.iter().map(|one| one.uses.as_str());
    let specs = tools.chain(document.checks.iter().map(|one| one.uses.as_str()));
    let specs = specs.chain(document.briefs.iter().map(|one| one.uses.as_str()));
    specs
        .filter_map(|spec| spec.split_once('@'))
        .map(|(name, version)| (name.to_owned(), json!(format!("^{version}"))))
        .collect()
}

fn package(spec: &str) -> &str {
    spec.split_once('@').map_or(spec, |(name, _)| name)
}

fn fill_value(value: &Value, blanks: &[Blank]) -> Value {
    match value {
        Value::String(text) => fill(text, blanks, true).into(),
        Value::Array(items) => items.iter().map(|item| fill_value(item, blanks)).collect(),
        other => other.clone(),
    }
}

/// TOML has no null, and an empty table says nothing.
fn without_empty(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    let says = |value: &Value| !value.is_null() && value.as_object().is_none_or(|map| !map.is_empty());
    map.into_iter().filter(|(_, value)| says(value)).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, is_path: bool) -> String {
        let params = json!({"table": "orders", "ticket": "OPS-412", "budget": 500, "n": 1, "yes": true});
        fill(text, &blanks(params.as_object().expect("an object")), is_path)
    }

    #[test]
    fn a_value_becomes_a_blank_where_it_is_a_word() {
        assert_eq!(
            filled("on `orders`, not reorders or orders_old", false),
            "on `{{ param.table }}`, not reorders or orders_old"
        );
        assert_eq!(filled("a/ops-412_orders.sql", true), "a/{{ param.ticket | lower }}_{{ param.table }}.sql");
        assert_eq!(filled("500 ms, 1 turn, 5000", false), "{{ param.budget }} ms, 1 turn, 5000");
    }

    #[test]
    fn what_looks_like_a_template_is_quoted() {
        assert_eq!(filled("{{ 7*7 }} {% x %} {# y #}", false), "{{ '{{' }} 7*7 }} {{ '{%' }} x %} {{ '{#' }} y #}");
    }
}
