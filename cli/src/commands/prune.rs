//! `skill prune`: forget what is recorded here for nobody.
//!
//! Two things only: rows of the ledger whose bundle is gone while its entry was changed by hand, and
//! kept transactions that nothing can go back to. The entries themselves are the user's now, and stay.

use clap::Args as ClapArgs;
use index::lock::Lock;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::place::{self, Change, Spot, generations};
use crate::project::{Held, Project};
use crate::shown;
use crate::ui::Answer;

/// Arguments of `skill prune`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// For the user instead of a repository
    #[arg(short, long)]
    global: bool,
    /// Change nothing; say what would go
    #[arg(long)]
    dry_run: bool,
}

/// Forgets, and says what.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let held = project.hold(context, args.dry_run)?;
    let mut lock = project.lock()?;
    let rows = take_unowned(&mut lock);
    let lost = generations::lost(&project, &held)?;
    if !args.dry_run {
        // What cannot be gone back to first: the row's own transaction gets the next number.
        generations::forget(&project, &held, &lost)?;
        keep(&project, &held, &lock, !rows.is_empty())?;
    }
    let verb = if args.dry_run { "would forget" } else { "forgot" };
    let lines = rows.iter().map(|row| format!("{verb} {row}: what stands there is yours\n"));
    let lines =
        lines.chain(lost.iter().map(|number| format!("{verb} transaction {number}: nothing goes back to it\n")));
    let text: String = lines.collect();
    if text.is_empty() {
        context.ui.note("nothing to forget");
    }
    Ok(Answer::new(text, json!({"rows": rows, "generations": lost, "dry_run": args.dry_run})))
}

/// Takes the rows without an owner out of the ledger, and names their places.
fn take_unowned(lock: &mut Lock) -> Vec<String> {
    let (owned, unowned): (Vec<_>, Vec<_>) = lock.entries.drain(..).partition(|row| !row.owners.is_empty());
    lock.entries = owned;
    let name = |row: &index::lock::Entry| {
        let at = [Some(row.at.as_str()).filter(|at| !at.is_empty()), row.item.as_deref()];
        let parts: Vec<&str> = [Some(row.path.as_str())].into_iter().chain(at).flatten().collect();
        shown::line(&parts.join(" "), 300)
    };
    unowned.iter().map(name).collect()
}

/// Writes the lock as a transaction that `skill rollback` undoes.
fn keep(project: &Project, held: &Held, lock: &Lock, changed: bool) -> Result<(), Failure> {
    if !changed {
        return Ok(());
    }
    place::apply_kept(project, held, &[Change::File(Spot::root("skills.lock"), lock.format().into_bytes())])
}
