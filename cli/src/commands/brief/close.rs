//! `skill brief close`: how the work ended is recorded, and the brief is put away.
//!
//! A brief that stays open for ever says nothing. Closing moves its files, and writes the outcome
//! beside them, in one transaction; evidence stays where it is, because it names digests. What is
//! closed stays closed: nobody changes how something ended.

use clap::Args;
use serde_json::json;

use crate::briefs::{self, BRIEFS_PATH, CLOSED_PATH, Closed, Outcome, Shelved};
use crate::context::Context;
use crate::failure::{Failure, OnPath};
use crate::place::{self, Change, Spot};
use crate::project::Project;
use crate::ui::Answer;

/// Arguments of `skill brief close`.
#[derive(Debug, Args)]
pub(super) struct Close {
    /// The rendered brief
    id: String,
    /// How it ended
    #[arg(long = "as", value_enum, value_name = "OUTCOME")]
    outcome: Outcome,
    /// Write nothing; say what would be moved
    #[arg(long)]
    dry_run: bool,
}

/// Moves text, document and escalations, and records the outcome.
pub(super) fn run(args: &Close, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find_or_start(context, false)?;
    let held = project.hold(context, args.dry_run)?;
    let brief = briefs::find_open(&project, &args.id)?;
    let outcome = Closed {
        v: 1,
        id: brief.id.clone(),
        brief: brief.document.digest(),
        outcome: args.outcome,
        closed: briefs::now(),
    };
    let changes = changes(&project, &brief, &outcome)?;
    if !args.dry_run {
        place::apply(&project, &held, &changes)?;
    }
    let verb = if args.dry_run { "would close" } else { "closed" };
    context.ui.note(format!("{verb} `{}` as {}", brief.id, args.outcome.as_str()));
    let moved: Vec<&str> = changes.iter().map(|change| change.spot().as_str()).collect();
    Ok(Answer::new("", json!({"id": brief.id, "outcome": args.outcome, "changed": moved, "dry_run": args.dry_run})))
}

/// The files at their new places, the outcome, and nothing at the old ones.
fn changes(project: &Project, brief: &Shelved, outcome: &Closed) -> Result<Vec<Change>, Failure> {
    let (open, closed) = (briefs::paths(BRIEFS_PATH, &brief.id), briefs::paths(CLOSED_PATH, &brief.id));
    let mut changes = Vec::new();
    for (from, to) in open.iter().zip(closed) {
        let path = project.root.join(from);
        match path.symlink_metadata() {
            Err(_) => continue,
            Ok(metadata) if !metadata.is_file() => {
                return Err(Failure::usage("not-a-file", format!("`{from}` is not a regular file")));
            }
            Ok(_) => {}
        }
        let bytes = std::fs::read(&path).on("read", &path)?;
        changes.push(Change::File(Spot::root(to), bytes));
        changes.push(Change::Remove(Spot::root(&**from)));
    }
    let text = serde_json::to_string_pretty(outcome).expect("an outcome is strings, which always serialise");
    changes.push(Change::File(Spot::root(briefs::outcome_path(&brief.id)), format!("{text}\n").into_bytes()));
    Ok(changes)
}
