//! `skill status`: whether what was written here is still so, entry by entry.

use std::fmt::Write;

use index::lock::{LinkKind, Lock};
use serde_json::json;

use crate::agents::CANONICAL;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::install::{expected_link, read_installed};
use crate::place::{DiskFolder, read_folder};
use crate::project::Project;
use crate::shown;
use crate::tools::status::{self, Drift, Row, Status};
use crate::ui::Answer;

/// Arguments of `skill status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For the user instead of a repository
    #[arg(short, long)]
    global: bool,
}

/// One line for each folder, link and entry; exits 1 where one is modified, missing or unrecorded.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let lock = project.lock()?;
    let mut status = status::look(&project, &project.wants()?, &lock)?;
    status.rows.splice(0..0, folders(&project, &lock)?);
    let failed = status.rows.iter().any(Row::is_failure);
    if status.rows.is_empty() {
        context.ui.note("nothing is installed");
    }
    let answer = Answer::new(text(&status), json!(status.to_json()));
    Ok(answer.exit(if failed { Exit::Failed } else { Exit::Done }))
}

/// The installed folders and what shows them to agents.
fn folders(project: &Project, lock: &Lock) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for skill in &lock.skills {
        let place = format!("{CANONICAL}/{}", skill.folder);
        let disk = read_installed(&project.places.join(&place), skill)?;
        let drift = match &disk.disk {
            DiskFolder::Absent => Drift::Missing,
            _ if disk.tree_digest() == Some(skill.tree) => Drift::Ok,
            _ => Drift::Modified,
        };
        rows.push(Row { of: skill.name.to_string(), place, drift, note: String::new(), id: None });
        for written in lock.written.iter().filter(|row| row.folder == skill.folder) {
            let path = project.places.join(&written.path);
            let drift = match (written.link, read_folder(&path)?) {
                (_, DiskFolder::Absent) => Drift::Missing,
                (LinkKind::Symlink, DiskFolder::Link(target)) if target == expected_link(written) => Drift::Ok,
                (LinkKind::Copy, DiskFolder::Folder(_)) => {
                    let copy = read_installed(&path, skill)?;
                    if copy.tree_digest() == Some(skill.tree) { Drift::Ok } else { Drift::Modified }
                }
                _ => Drift::Modified,
            };
            let note = format!("for {}", written.agent);
            rows.push(Row { of: skill.name.to_string(), place: written.path.clone(), drift, note, id: None });
        }
    }
    Ok(rows)
}

fn text(status: &Status) -> String {
    let mut text = String::new();
    for row in &status.rows {
        let word = match row.drift {
            Drift::Ok => "ok",
            Drift::Modified => "modified",
            Drift::Missing => "missing",
            Drift::Unrecorded => "unrecorded",
            Drift::Ineffective => "ineffective",
        };
        let note = if row.note.is_empty() { String::new() } else { format!(": {}", row.note) };
        let line = shown::single(&format!("{word:<12} {}  ({}){note}", row.place, row.of));
        writeln!(text, "{line}").expect("writing to a string");
    }
    for (package, grant, reason) in &status.waiting {
        let line = format!("{:<12} {grant}  ({package}): {}", "waiting", shown::line(reason, 200));
        writeln!(text, "{}", shown::single(&line)).expect("writing to a string");
    }
    text.push_str(&crate::tools::coverage_text(&status.coverage));
    text
}
