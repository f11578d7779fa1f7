//! `skill brief status`: which tasks are done, which can be begun, and which wait for a human.
//!
//! It computes and starts nothing: files, evidence and decisions are what they are.

use clap::Args;
use serde_json::{Value, json};

use crate::briefs;
use crate::context::Context;
use crate::failure::Failure;
use crate::handover::{Judges, Standing, Workplace};
use crate::project::Project;
use crate::shown;
use crate::trust::Trust;
use crate::ui::Answer;

/// Arguments of `skill brief status`.
#[derive(Debug, Args)]
pub(super) struct Status {
    /// The rendered brief
    id: String,
}

/// Judges the brief and says where it stands.
pub(super) fn run(args: &Status, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, false)?;
    let judges = Judges::of(&project, &Trust::read(&project)?, None)?;
    let brief = briefs::find_open(&project, &args.id)?;
    let place = Workplace::look(project)?;
    let standing = Standing::of(&place, &judges, brief)?;
    for finding in &standing.findings {
        context.ui.warn(format!("{} {}", finding.id, finding.message));
    }
    let data = json!({
        "id": standing.brief.id, "digest": standing.reference.digest, "tree": place.tree,
        "done": standing.is_done(), "tasks": rows(&standing),
    });
    Ok(Answer::new(text(&standing), data))
}

fn text(standing: &Standing) -> String {
    let width = standing.tasks.iter().map(|task| task.id.chars().count()).max().unwrap_or(0);
    let line = |task: &skills::evidence::gate::TaskStatus| {
        format!("{:width$}  {:17}  {}\n", task.id, task.state.as_str(), shown::line(&task.why, 160))
    };
    standing.tasks.iter().map(line).collect()
}

/// The tasks, for programs.
pub(crate) fn rows(standing: &Standing) -> Vec<Value> {
    let row = |task: &skills::evidence::gate::TaskStatus| json!({"id": task.id, "state": task.state.as_str(), "why": task.why});
    standing.tasks.iter().map(row).collect()
}
