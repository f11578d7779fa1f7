//! `skill brief list`: what is being worked on, what is over, and what could be rendered.

use clap::Args;
use serde_json::{Value, json};
use skills::manifest::Kind;

use crate::briefs::{self, Shelved};
use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::shown;
use crate::ui::Answer;

/// Arguments of `skill brief list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Leave out what is closed
    #[arg(long)]
    open: bool,
}

/// Lists both; a brief that cannot be read is said, and the others are listed all the same.
pub(super) fn run(args: &List, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find_or_start(context, false)?;
    let (mut shelved, unread) = briefs::all(&project)?;
    shelved.retain(|brief| !args.open || brief.outcome.is_none());
    for failure in &unread {
        context.ui.warn(&failure.message);
    }
    let lock = project.lock()?;
    let installed: Vec<_> = lock.skills.iter().filter(|locked| locked.kind == Kind::Brief).collect();
    let rows: Vec<[String; 4]> = shelved.iter().map(row).collect();
    let packages = installed.iter().map(|locked| {
        [
            locked.folder.to_string(),
            format!("{}@{}", locked.name, locked.version),
            "installed".to_owned(),
            String::new(),
        ]
    });
    let text = table(rows.into_iter().chain(packages).collect());
    let data = json!({
        "briefs": shelved.iter().map(data).collect::<Vec<_>>(),
        "packages": installed.iter().map(|locked| json!({
            "package": locked.name, "version": locked.version, "folder": locked.folder,
        })).collect::<Vec<_>>(),
        "unread": unread.iter().map(|failure| json!({"code": failure.code, "message": failure.message})).collect::<Vec<_>>(),
    });
    Ok(Answer::new(text, data))
}

fn state(brief: &Shelved) -> &'static str {
    brief.outcome.as_ref().map_or("open", |closed| closed.outcome.as_str())
}

fn row(brief: &Shelved) -> [String; 4] {
    let from = &brief.document.from;
    let tasks = brief.document.tasks.len();
    [
        brief.id.to_string(),
        format!("{}@{}", from.package, from.version),
        state(brief).to_owned(),
        format!("{tasks} task{}", if tasks == 1 { "" } else { "s" }),
    ]
}

fn data(brief: &Shelved) -> Value {
    json!({
        "id": brief.id, "package": brief.document.from.package, "version": brief.document.from.version,
        "digest": brief.document.digest(), "state": state(brief), "outcome": brief.outcome,
        "tasks": brief.document.tasks.len(),
    })
}

/// Columns as wide as they need to be.
fn table(rows: Vec<[String; 4]>) -> String {
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let line = |row: &[String; 4]| {
        let [id, package, state, tasks] = row;
        let line = format!("{id:0$}  {package:1$}  {state:2$}  {tasks}", widths[0], widths[1], widths[2]);
        format!("{}\n", shown::single(line.trim_end()))
    };
    rows.iter().map(line).collect()
}
