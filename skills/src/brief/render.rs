//! Rendering: package and values in, text and document out.
//!
//! Reads as a straight line: the boundary, the files, the checks and the conditions each from their
//! own template; then the sections that are made from packages; then the body; then lint, whose errors
//! refuse. A brief without a check, or for an environment that a bundle is not cleared for, is never
//! handed to an agent.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::boundary::Boundary;
use super::document::{self, Document, PinnedCheck, SCHEMA, Used};
use super::param::{Params, Values};
use super::tables::{Deliverable, Escalation, Tables, Task};
use super::template::Template;
use super::uses::{Bundle, Pinned, Proof};
use super::{lint, sections};
use crate::boundary::{Approval, DataClass};
use crate::digest::Sha256;
use crate::lint::Level;
use crate::name::{NAME_CHARS_MAX, PackageName, SkillName, slug};
use crate::path::FilePath;
use crate::refusal::Refusal;

/// Everything that a brief is rendered from, besides values.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The brief's package.
    pub package: &'a Pinned,
    /// Its tables.
    pub tables: &'a Tables,
    /// The text of its template.
    pub template: &'a str,
    /// The bundles that it uses, resolved; others are passed over.
    pub bundles: &'a [Bundle],
    /// The checks that it uses, resolved; others are passed over.
    pub proofs: &'a [Proof],
}

/// A rendered brief.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The `.brief.md`, for the agent.
    pub markdown: String,
    /// The `.brief.json`, for programs.
    pub document: Document,
    /// What lint says about it; no errors, or there would be no such value.
    pub warnings: Vec<crate::lint::Finding>,
}

/// What templates see.
#[derive(Serialize)]
struct Scope<'a> {
    param: &'a Map<String, Value>,
    boundary: Option<&'a Boundary>,
    sections: Map<String, Value>,
}

/// Renders a brief. `id` names it; without one, the ticket and the first text do.
pub fn render(source: &Source, values: &Values, id: Option<&str>) -> Result<Rendered, Refusal> {
    let id = id.map_or_else(|| derived_id(source, values), str::to_owned);
    SkillName::parse(&id).map_err(|refusal| refusal.at("id of the brief"))?;
    let mut scope = Scope { param: values.as_map(), boundary: None, sections: Map::new() };
    let bundles = bundles(source)?;
    let boundary = boundary(source, &scope, &bundles)?;
    scope.boundary = Some(&boundary);
    let deliverables = deliverables(source, &scope)?;
    let checks = checks(source, &scope)?;
    let escalate = escalations(source, &scope)?;
    let tasks = tasks(source, &scope)?;
    scope.sections = Map::from_iter([
        ("tools".to_owned(), sections::tools(&bundles).into()),
        ("deliverables".to_owned(), sections::deliverables(&deliverables).into()),
        ("checks".to_owned(), sections::checks(checks.iter().map(|(check, proof)| (check.id.as_str(), *proof))).into()),
        ("escalation".to_owned(), sections::escalation(&escalate).into()),
    ]);
    let body = Template::parse(source.tables.brief.template.as_str(), source.template)?.render(&scope)?;
    let body = format!("{}\n", body.trim());
    let document = Document {
        schema: SCHEMA.to_owned(),
        from: document::From {
            package: source.package.name.clone(),
            version: source.package.version.clone(),
            digest: source.package.digest,
        },
        params: values.as_map().clone(),
        boundary: boundary.clone(),
        tools: bundles.iter().map(|bundle| used(&bundle.package)).collect(),
        deliverables,
        checks: checks.into_iter().map(|(check, _)| check).collect(),
        escalate,
        tasks,
        briefs: Vec::new(),
        body_sha256: Sha256::of(&body).hex(),
        id,
    };
    judged(Rendered {
        markdown: format!("{}\n{body}", first_line(source, &document.id)),
        document,
        warnings: Vec::new(),
    })
}

/// Lint's errors refuse; its warnings go along.
fn judged(rendered: Rendered) -> Result<Rendered, Refusal> {
    let (errors, warnings): (Vec<_>, Vec<_>) = lint::rendered(&rendered.markdown, Some(&rendered.document))
        .into_iter()
        .partition(|finding| finding.level == Level::Error);
    if errors.is_empty() {
        return Ok(Rendered { warnings, ..rendered });
    }
    let all: Vec<String> = errors.iter().map(|error| format!("{} {}", error.code, error.message)).collect();
    Err(Refusal::new("brief-lint", format!("the brief cannot be handed to an agent: {}", all.join("; "))))
}

/// An HTML comment, not front matter: with front matter the file would look like a skill.
fn first_line(source: &Source, id: &str) -> String {
    let package = source.package;
    format!(
        "<!-- skill: {} {} · params in {id}.brief.json · edit the package, not this line -->",
        package.spec(),
        package.digest
    )
}

/// Ticket and first text, as far as they make a name: `ops-412-orders`.
fn derived_id(source: &Source, values: &Values) -> String {
    let text = |name: &str| values.as_map().get(name).and_then(Value::as_str);
    let ticket = text("ticket").unwrap_or(source.package.name.name().as_str());
    let names = source.tables.params.iter().map(|param| param.name.as_str());
    let first = names.filter(|name| *name != "ticket").find_map(text).unwrap_or_default();
    let id = slug(&format!("{ticket} {first}")).unwrap_or_default();
    let cut: String = id.chars().take(NAME_CHARS_MAX).collect();
    cut.trim_end_matches('-').to_owned()
}

fn bundles<'a>(source: &Source<'a>) -> Result<Vec<&'a Bundle>, Refusal> {
    let find = |name: &PackageName| {
        let bundle = source.bundles.iter().find(|bundle| bundle.package.name == *name);
        bundle.ok_or_else(|| unresolved("bundle", name))
    };
    source.tables.brief.tools.iter().flatten().map(find).collect()
}

fn unresolved(what: &str, name: &PackageName) -> Refusal {
    Refusal::new("brief-unresolved", format!("{what} `{name}` is used, but was not resolved"))
        .hint(format!("name it in `[dependencies]`, and install it: `skill add {name}`"))
}

/// The meet of brief and bundles: everybody cleared, the strictest approval.
fn boundary(source: &Source, scope: &Scope, bundles: &[&Bundle]) -> Result<Boundary, Refusal> {
    let mut values = Vec::new();
    for (key, value) in source.tables.boundary.fields() {
        let value = value.ok_or_else(|| {
            Refusal::new("brief-boundary", format!("`{key}` is missing in [boundary]"))
                .hint("B011: a brief says its task class, tools, environment, data class and approval")
        })?;
        values.push(Template::parse(&format!("[boundary] {key}"), value)?.render(scope)?);
    }
    if source.tables.brief.tools.is_none() {
        return Err(Refusal::new("brief-boundary", "`tools` is missing in [brief]").hint("`tools = []` says none"));
    }
    let [task_class, environment, data_class, approval]: [String; 4] = values.try_into().expect("there are four");
    let data_class = DataClass::parse(&data_class)?;
    let own = Approval::parse(&approval)?;
    if let Some(fault) = bundles.iter().find_map(|bundle| lint::clearance(bundle, &environment, data_class)) {
        return Err(Refusal::new("brief-boundary", format!("B012 {fault}")));
    }
    if let Some(fault) = bundles.iter().find_map(|bundle| lint::authority(bundle, own)) {
        return Err(Refusal::new("brief-boundary", format!("B006 {fault}")));
    }
    let approval = own.strictest(bundles.iter().map(|bundle| bundle.tools.boundary.approval));
    Ok(Boundary { task_class, environment, data_class, approval })
}

/// Paths are rendered, and then are lawful paths, each once: a value cannot lead out of the repository.
fn deliverables(source: &Source, scope: &Scope) -> Result<Vec<Deliverable>, Refusal> {
    let mut seen = BTreeSet::new();
    let render = |one: &Deliverable| {
        let place = format!("deliverable `{}`", one.id);
        let path = Template::parse(&place, &one.path)?.render(scope)?;
        let key = FilePath::parse(&path).map_err(|refusal| refusal.at(&place))?.fold_key();
        if !seen.insert(key) {
            return Err(Refusal::new("brief-malformed", format!("{place} has the path of another one: `{path}`")));
        }
        Ok(Deliverable { path, ..one.clone() })
    };
    source.tables.brief.deliverables.iter().map(render).collect()
}

fn checks<'a>(source: &Source<'a>, scope: &Scope) -> Result<Vec<(PinnedCheck, &'a Proof)>, Refusal> {
    let pin = |check: &super::tables::Check| {
        let proof = source.proofs.iter().find(|proof| proof.package.name == check.uses);
        let proof = proof.ok_or_else(|| unresolved("check", &check.uses))?;
        let place = format!("check `{}`", check.id);
        let with = typed(&proof.params, with(&place, &check.with, scope)?);
        let with = proof.params.accept(&with).map_err(|refusal| refusal.at(&place))?.as_map().clone();
        let Used { uses, digest } = used(&proof.package);
        Ok((PinnedCheck { id: check.id.clone(), uses, digest, with }, proof))
    };
    source.tables.brief.checks.iter().map(pin).collect()
}

fn used(package: &Pinned) -> Used {
    Used { uses: package.spec(), digest: package.digest }
}

fn escalations(source: &Source, scope: &Scope) -> Result<Vec<Escalation>, Refusal> {
    let render = |one: &Escalation| {
        Ok(Escalation { when: Template::parse("[[brief.escalate]]", &one.when)?.render(scope)?, to: one.to.clone() })
    };
    source.tables.brief.escalate.iter().map(render).collect()
}

fn tasks(source: &Source, scope: &Scope) -> Result<Vec<Task>, Refusal> {
    let render = |task: &Task| {
        let with = with(&format!("task `{}`", task.id), &task.with, scope)?;
        Ok(Task { with, ..task.clone() })
    };
    source.tables.brief.tasks.iter().map(render).collect()
}

/// A template gives a text, and a check may ask for a number or a list: what a template gave is read by the
/// parameter's type, as `--set` would be, and the check's own schema judges it.
fn typed(params: &Params, with: Map<String, Value>) -> Map<String, Value> {
    let read = |(key, value): (String, Value)| match (params.named(&key), value) {
        (Some(param), Value::String(text)) => (key, param.read(&text)),
        (_, value) => (key, value),
    };
    with.into_iter().map(read).collect()
}

/// Texts are templates, also in lists; other values are what they are.
fn with(place: &str, given: &Map<String, Value>, scope: &Scope) -> Result<Map<String, Value>, Refusal> {
    let render = |value: &Value| match list_alone(value, scope) {
        Some(list) => Ok(list.clone()),
        None => with_value(place, value, scope),
    };
    given.iter().map(|(key, value)| Ok((key.clone(), render(value)?))).collect()
}

/// The list that a text stands for, if it is `{{ param.NAME }}` and nothing else: as text it would be a
/// list no more, and its words could not be told apart.
fn list_alone<'a>(value: &Value, scope: &Scope<'a>) -> Option<&'a Value> {
    let inside = value.as_str()?.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let name = inside.trim().strip_prefix("param.")?;
    scope.param.get(name).filter(|value| value.is_array())
}

fn with_value(place: &str, value: &Value, scope: &Scope) -> Result<Value, Refusal> {
    match value {
        Value::String(text) => Ok(Template::parse(place, text)?.render(scope)?.into()),
        Value::Array(items) => items.iter().map(|item| with_value(place, item, scope)).collect(),
        Value::Object(_) => Err(Refusal::new("brief-malformed", format!("{place}: a table in `with` is no value"))),
        other => Ok(json!(other)),
    }
}
