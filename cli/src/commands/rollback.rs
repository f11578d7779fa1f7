//! `skill rollback`: what installs, updates and removals changed, as it was before.
//!
//! Lock, wishes, trust, proofs, skills and clients' files return together, to the byte, in one
//! transaction. Briefs and evidence stay: they name digests, and what was proved was proved.

use clap::Args as ClapArgs;
use serde_json::json;

use crate::context::Context;
use crate::diary;
use crate::failure::Failure;
use crate::place::generations;
use crate::project::Project;
use crate::ui::Answer;

/// Arguments of `skill rollback`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Undo this transaction and all after it, instead of the last one
    number: Option<u64>,
    /// Change the user's own skills instead of the project's
    #[arg(long)]
    global: bool,
    /// Go back although files were edited since; the edits are lost
    #[arg(long)]
    force: bool,
    /// Change nothing; say what would change
    #[arg(long)]
    dry_run: bool,
}

/// Goes back, and says how far.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global).or_else(|_| Project::find_or_start(context, args.global))?;
    let held = project.hold(context, args.dry_run)?;
    let back = generations::back(&project, &held, args.number, args.force, args.dry_run)?;
    diary::note_override(&project, args.force && !args.dry_run, "rollback", "--force");
    let verb = if args.dry_run { "would undo" } else { "undid" };
    let numbers: Vec<String> = back.undone.iter().map(u64::to_string).collect();
    context.ui.note(format!("{verb} transaction {}", numbers.join(", ")));
    let text = back.changed.iter().map(|path| format!("{path}\n")).collect::<String>();
    Ok(Answer::new(text, json!({"undone": back.undone, "changed": back.changed, "dry_run": args.dry_run})))
}
