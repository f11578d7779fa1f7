//! `skill tools list`: the installed bundles, what they are cleared for and what they wish for.

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};
use skills::manifest::{Kind, Kinded, Manifest};
use skills::tools::{Bundle, Granted};

use crate::context::Context;
use crate::failure::Failure;
use crate::installed;
use crate::project::Project;
use crate::shown;
use crate::ui::Answer;

/// Arguments of `skill tools list`.
#[derive(Debug, Args)]
pub(super) struct List {}

/// Reads them all; an edited one is a failure, as its files say nothing any more.
pub(super) fn run(_: &List, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, false)?;
    let found = installed::all(&project, &project.lock()?, Kind::Tools)?;
    let (mut text, mut rows) = (String::new(), Vec::new());
    for manifest in found.into_iter().filter_map(|installed| installed.manifest) {
        if let Kinded::Tools(bundle) = &manifest.kinded {
            text.push_str(&paragraph(&manifest, bundle));
            rows.push(row(&manifest, bundle));
        }
    }
    if rows.is_empty() {
        context.ui.note("no tool bundle is installed");
    }
    Ok(Answer::new(text, json!({"bundles": rows})))
}

fn paragraph(manifest: &Manifest, bundle: &Bundle) -> String {
    let boundary = &bundle.boundary;
    let mut text = format!("{} {}\n", manifest.name, manifest.version);
    let environments = boundary.environment.join(", ");
    let _ = writeln!(text, "  boundary  {environments} · {} · {}", boundary.data_class, boundary.approval);
    for server in &bundle.servers {
        let tools: Vec<&str> = server.tools.iter().map(|tool| tool.name.as_str()).collect();
        let _ = writeln!(text, "  server    {} {}: {}", server.id, shown::single(&server.pin()), tools.join(", "));
    }
    let _ = writeln!(text, "  rules     {}", bundle.rules.len());
    for grant in &bundle.grants {
        let _ = writeln!(text, "  wishes    {}: {}", wish(&grant.granted), shown::single(&grant.reason));
    }
    text
}

/// As an approval names it.
fn wish(granted: &Granted) -> String {
    match granted {
        Granted::Tool { server, tool } => format!("mcp:{server}:{tool}"),
        Granted::Command(words) => format!("command:{}", words.join(" ")),
    }
}

fn row(manifest: &Manifest, bundle: &Bundle) -> Value {
    let servers: Vec<Value> = bundle
        .servers
        .iter()
        .map(|server| {
            let tools: Vec<Value> = server
                .tools
                .iter()
                .map(|tool| json!({"name": tool.name, "access": tool.access, "ask": tool.ask}))
                .collect();
            json!({"id": server.id, "pin": server.pin(), "tools": tools})
        })
        .collect();
    let wishes: Vec<Value> =
        bundle.grants.iter().map(|grant| json!({"grant": wish(&grant.granted), "reason": grant.reason})).collect();
    let boundary = &bundle.boundary;
    json!({
        "name": manifest.name.to_string(), "version": manifest.version.to_string(),
        "boundary": {"task_class": boundary.task_class, "environment": boundary.environment,
                     "data_class": boundary.data_class, "approval": boundary.approval},
        "servers": servers, "rules": bundle.rules.len(), "wishes": wishes,
    })
}
