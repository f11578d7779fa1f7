//! `skill brief schema` and `show`: what a brief asks for, and what it binds an agent to.

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};
use skills::SkillName;
use skills::brief::graph::Graph;
use skills::brief::param::Param;

use super::package::{self, Package};
use crate::briefs::{self, Shelved};
use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::shown;
use crate::ui::Answer;

/// Arguments of `skill brief schema`.
#[derive(Debug, Args)]
pub(super) struct Schema {
    /// An installed brief, or the folder of a brief's package
    brief: String,
}

/// Arguments of `skill brief show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// A rendered brief, an installed one, or the folder of a brief's package
    brief: String,
    /// Print only the task graph, as mermaid
    #[arg(long)]
    graph: bool,
}

/// The schema, for forms and editors.
pub(super) fn schema(args: &Schema, context: &Context) -> Result<Answer, Failure> {
    let schema = package::open(&args.brief, None, context)?.0.tables.params.schema();
    Ok(Answer::new(format!("{schema:#}\n"), schema))
}

/// Everything that somebody decides by.
pub(super) fn show(args: &Show, context: &Context) -> Result<Answer, Failure> {
    if let Some(brief) = shelved(&args.brief, context)? {
        let graph = Graph::of_document(&brief.document).to_mermaid();
        let text = if args.graph { graph.clone() } else { rendered_text(&brief) };
        let data = json!({"id": brief.id, "digest": brief.document.digest(), "outcome": brief.outcome, "brief": brief.document, "graph": graph});
        return Ok(Answer::new(text, data));
    }
    let (package, _) = package::open(&args.brief, None, context)?;
    let graph = Graph::of(&package.tables.brief).to_mermaid();
    let text = if args.graph { graph.clone() } else { text(&package) };
    Ok(Answer::new(text, data(&package, &graph)))
}

/// The rendered brief of that id; a name with a slash is never one.
pub(super) fn shelved(id: &str, context: &Context) -> Result<Option<Shelved>, Failure> {
    if SkillName::parse(id).is_err() {
        return Ok(None);
    }
    match briefs::find(&Project::find_or_start(context, false)?, id) {
        Err(failure) if failure.code == "brief-missing" => Ok(None),
        found => found.map(Some),
    }
}

fn rendered_text(brief: &Shelved) -> String {
    let document = &brief.document;
    let from = &document.from;
    let state = brief.outcome.as_ref().map_or("open", |closed| closed.outcome.as_str());
    let mut text = format!("{} ({state})\n    {}@{} {}\n", brief.id, from.package, from.version, from.digest);
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    section(&mut text, "parameters", document.params.iter().map(|(name, value)| (name.clone(), word(value))));
    let boundary = json!(document.boundary);
    let boundary = boundary.as_object().into_iter().flatten();
    section(&mut text, "boundary", boundary.map(|(key, value)| (key.replace('_', "-"), word(value))));
    section(&mut text, "tools", document.tools.iter().map(|one| (one.uses.clone(), one.digest.to_string())));
    section(&mut text, "deliverables", document.deliverables.iter().map(|one| (one.id.clone(), one.path.clone())));
    section(&mut text, "checks", document.checks.iter().map(|one| (one.id.clone(), one.uses.clone())));
    let order = Graph::of_document(document).in_order().into_iter();
    section(&mut text, "tasks", order.map(|task| (task.id.clone(), format!("after {}", list(&task.needs)))));
    if !document.briefs.is_empty() {
        section(&mut text, "briefs of tasks", document.briefs.iter().map(|one| (one.task.clone(), one.id.clone())));
    }
    text
}

fn text(package: &Package) -> String {
    let (tables, brief) = (&package.tables, &package.tables.brief);
    let mut text = format!("{}\n", package.pinned.spec());
    if let Some(description) = &package.manifest.description {
        let _ = writeln!(text, "    {}", shown::line(description, 96));
    }
    section(&mut text, "parameters", tables.params.iter().map(|param| (param.name.clone(), parameter(param))));
    let fields = tables.boundary.fields().into_iter();
    section(&mut text, "boundary", fields.map(|(key, value)| (key.to_owned(), value.unwrap_or("missing").to_owned())));
    section(&mut text, "tools", brief.tools.iter().flatten().map(|name| (name.to_string(), String::new())));
    section(&mut text, "deliverables", brief.deliverables.iter().map(|one| (one.id.clone(), one.path.clone())));
    section(&mut text, "checks", brief.checks.iter().map(|one| (one.id.clone(), one.uses.to_string())));
    let order = Graph::of(brief).in_order().into_iter();
    section(&mut text, "tasks", order.map(|task| (task.id.clone(), format!("after {}", list(&task.needs)))));
    text
}

fn list(needs: &[String]) -> String {
    if needs.is_empty() { "nothing".to_owned() } else { needs.join(", ") }
}

fn section(text: &mut String, title: &str, rows: impl Iterator<Item = (String, String)>) {
    let rows: Vec<(String, String)> = rows.collect();
    let _ = writeln!(text, "\n{title}{}", if rows.is_empty() { ": none" } else { "" });
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, rest) in rows {
        let line = format!("    {name:width$}  {}", shown::line(&rest, 96));
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// `string, required: The one table to change.`
fn parameter(param: &Param) -> String {
    let table = &param.table;
    let default = table.default.as_ref().map_or_else(|| "required".to_owned(), |value| format!("default {value}"));
    let only = table.r#enum.as_ref().map(|values| format!(", one of {}", json!(values))).unwrap_or_default();
    let description = table.description.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    format!("{}, {default}{only}{description}", table.r#type.as_str())
}

fn data(package: &Package, graph: &str) -> Value {
    let (tables, brief) = (&package.tables, &package.tables.brief);
    let boundary: serde_json::Map<String, Value> =
        tables.boundary.fields().into_iter().map(|(key, value)| (key.replace('-', "_"), json!(value))).collect();
    let checks: Vec<Value> = brief.checks.iter().map(|one| json!({"id": one.id, "use": one.uses})).collect();
    json!({
        "package": package.pinned.name, "version": package.pinned.version, "digest": package.pinned.digest,
        "description": package.manifest.description, "schema": tables.params.schema(), "boundary": boundary,
        "tools": brief.tools, "deliverables": brief.deliverables, "checks": checks, "escalate": brief.escalate,
        "tasks": brief.tasks, "graph": graph,
    })
}
