//! `skill check list`: the installed checks, and the open briefs that ask for them.

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Value, json};
use skills::check::{Check, Fixtures};
use skills::manifest::Kind;

use super::brief::{self, Open};
use super::check_of;
use crate::context::Context;
use crate::failure::Failure;
use crate::installed::{self, Installed};
use crate::project::Project;
use crate::shown;
use crate::ui::Answer;

/// Arguments of `skill check list`.
#[derive(Debug, Args)]
pub(super) struct List {}

struct Row {
    installed: Installed,
    description: String,
    check: Check,
    fixtures: Fixtures,
}

/// Reads what is installed and what is open.
pub(super) fn run(_: &List, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, false)?;
    let rows =
        installed::all(&project, &project.lock()?, Kind::Check)?.into_iter().map(row).collect::<Result<Vec<_>, _>>()?;
    let briefs = brief::all(&project.root)?;
    let mut text = String::new();
    for row in &rows {
        let fixtures = format!("{} to pass, {} to fail", row.fixtures.pass.len(), row.fixtures.fail.len());
        let _ = writeln!(text, "{}@{}", row.installed.locked.name, row.installed.locked.version);
        let _ = writeln!(text, "    {}", shown::line(&row.description, 76));
        let (network, timeout) = (row.check.network.as_str(), row.check.timeout_seconds);
        let _ = writeln!(text, "    network {network}, at most {timeout} s, fixtures: {fixtures}");
    }
    for open in &briefs {
        let _ = writeln!(text, "{}brief {}", if text.is_empty() { "" } else { "\n" }, open.document.id);
        for check in &open.document.checks {
            let _ = writeln!(text, "    {}  {}  {}", check.id, check.uses, standing(&rows, check));
        }
    }
    if text.is_empty() {
        text.push_str("no check is installed, and no brief is open\n");
    }
    let checks: Vec<Value> = rows.iter().map(json_row).collect();
    let briefs: Vec<Value> = briefs.iter().map(|open| json_brief(open, &rows)).collect();
    Ok(Answer::new(text, json!({"checks": checks, "briefs": briefs})))
}

fn row(installed: Installed) -> Result<Row, Failure> {
    let (manifest, check) = check_of(installed.manifest.clone(), installed.locked.name.name().as_str())?;
    let fixtures = Fixtures::of(&installed.tree);
    Ok(Row { description: manifest.description.unwrap_or_default(), check, fixtures, installed })
}

/// Whether the very check that a brief pins is the one that is installed.
fn standing(rows: &[Row], pinned: &skills::brief::document::PinnedCheck) -> &'static str {
    let name = pinned.uses.rsplit_once('@').map_or("", |(name, _)| name);
    match rows.iter().find(|row| row.installed.locked.name.to_string() == name) {
        Some(row) if row.installed.digest == pinned.digest => "installed",
        Some(_) => "another one is installed",
        None => "not installed",
    }
}

fn json_row(row: &Row) -> Value {
    json!({
        "name": row.installed.locked.name, "version": row.installed.locked.version, "digest": row.installed.digest,
        "description": row.description, "network": row.check.network, "timeout_seconds": row.check.timeout_seconds,
        "fixtures": {"pass": row.fixtures.pass, "fail": row.fixtures.fail},
        "inputs": row.check.inputs, "writes": row.check.writes, "outputs": row.check.outputs,
    })
}

fn json_brief(open: &Open, rows: &[Row]) -> Value {
    let checks = open.document.checks.iter();
    let checks: Vec<Value> =
        checks.map(|check| json!({"id": check.id, "use": check.uses, "standing": standing(rows, check)})).collect();
    json!({"id": open.document.id, "checks": checks})
}
