//! `skill brief escalate`: somebody stopped and asked, and it is on record beside the brief.

use clap::Args;
use serde_json::json;

use crate::briefs::{self, NOTE_CHARS_MAX};
use crate::context::Context;
use crate::diary::{self, Event};
use crate::failure::Failure;
use crate::place::{self, Change, Spot};
use crate::project::Project;
use crate::ui::Answer;

/// Arguments of `skill brief escalate`.
#[derive(Debug, Args)]
pub(super) struct Escalate {
    /// The rendered brief
    id: String,
    /// What was met and what is asked, in a few sentences
    #[arg(long, value_name = "TEXT")]
    note: String,
    /// Write nothing; say what would be recorded
    #[arg(long)]
    dry_run: bool,
}

/// Appends the note to the brief's escalations.
pub(super) fn run(args: &Escalate, context: &Context) -> Result<Answer, Failure> {
    let note = args.note.trim();
    if note.is_empty() || note.chars().count() > NOTE_CHARS_MAX {
        let seen = format!("a note has {} characters, expected 1 to {NOTE_CHARS_MAX}", note.chars().count());
        return Err(Failure::usage("note-malformed", seen));
    }
    let project = Project::find_or_start(context, false)?;
    let held = project.hold(context, args.dry_run)?;
    let brief = briefs::find_open(&project, &args.id)?;
    let (path, text) = briefs::with_escalation(&project, &brief, note)?;
    if !args.dry_run {
        place::apply(&project, &held, &[Change::File(Spot::root(&*path), text.into_bytes())])?;
        diary::note(&project, Event::Escalated { brief: args.id.clone() });
    }
    context.ui.note(format!("{} `{path}`", if args.dry_run { "would write" } else { "wrote" }));
    for one in brief.document.escalate.iter().filter_map(|one| one.to.as_ref()) {
        context.ui.detail(format!("the brief names {one}"));
    }
    Ok(Answer::new("", json!({"id": brief.id, "note": note, "file": path, "dry_run": args.dry_run})))
}
