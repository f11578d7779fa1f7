//! `skill install`: make the disk equal to the lock, resolving first what the lock lacks.

use serde_json::{Value, json};

use super::add::{self, Addition};
use crate::context::Context;
use crate::failure::Failure;
use crate::install::{Installed, Journey, Options, SkillChange};
use crate::project::Project;
use crate::report;
use crate::tools::Decided;
use crate::ui::Answer;

/// Arguments of `skill install`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    addition: Addition,
    /// Fail if skills.lock would change
    #[arg(long)]
    locked: bool,
    /// The same as --locked --offline
    #[arg(long)]
    frozen: bool,
}

/// With SPEC: add and install. Without: what `skills.toml` and the lock say.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    if !args.addition.specs.is_empty() {
        if args.locked || args.frozen {
            return Err(Failure::usage(
                "usage",
                "`--locked` and `--frozen` install what is locked; SPEC changes the lock",
            )
            .hint("leave one of them out"));
        }
        return add::run(args.addition.into(), context);
    }
    if args.addition.alias.is_some() {
        return Err(Failure::usage("usage", "`--as` names one added skill: `skill add SCOPE/NAME --as OTHER`"));
    }
    let project = Project::find(context, args.addition.global)?;
    let offline = args.frozen.then(|| context.offline());
    let context = offline.as_ref().unwrap_or(context);
    let held = project.hold(context, args.addition.dry_run)?;
    let options = Options {
        locked: args.locked || args.frozen,
        force: args.addition.force,
        dry_run: args.addition.dry_run,
        pin: args.addition.trust.then_some(true),
        ..Options::default()
    };
    let dry_run = options.dry_run;
    let wants_text = add::renamed(project.wants_text()?, &args.addition.renames)?;
    let journey = Journey { context, project: &project, wants_text, options };
    Ok(answer(context, journey.run(&held)?, dry_run))
}

/// What every command that installs says at its end.
pub fn answer(context: &Context, installed: Installed, dry_run: bool) -> Answer {
    for finding in &installed.notes {
        context.ui.warn(report::finding_line(finding));
    }
    for name in &installed.kept {
        context
            .ui
            .warn(format!("`{name}` was edited since it was installed, and is left as it is (`skill diff {name}`)"));
    }
    for change in &installed.changes {
        context.ui.note(format!("  {}", change_line(change)));
    }
    let changed = installed.changes.len();
    let verb = if dry_run { "would change" } else { "changed" };
    let sentence = match changed {
        0 => format!("{} installed, nothing to change", plural(installed.total)),
        _ => format!("{} installed, {changed} {verb}", plural(installed.total)),
    };
    context.ui.note(sentence);
    Answer::new("", answer_json(&installed, dry_run))
}

fn tools_json(decided: &Decided) -> Value {
    decided.to_json()
}

fn plural(count: usize) -> String {
    if count == 1 { "1 skill".to_owned() } else { format!("{count} skills") }
}

fn change_line(change: &SkillChange) -> String {
    match (&change.from, &change.to) {
        (_, Some(to)) if change.restored => format!("= {} {to} (put right)", change.name),
        (Some(from), Some(to)) if from == to => format!("~ {} {to}", change.name),
        (Some(from), Some(to)) => format!("~ {} {from} -> {to}", change.name),
        (None, Some(to)) => format!("+ {} {to}", change.name),
        (from, None) => format!("- {} {}", change.name, from.as_ref().map(ToString::to_string).unwrap_or_default()),
    }
}

fn answer_json(installed: &Installed, dry_run: bool) -> Value {
    let changes: Vec<Value> = installed
        .changes
        .iter()
        .map(|change| json!({ "name": change.name, "from": change.from, "to": change.to, "restored": change.restored }))
        .collect();
    json!({
        "installed": installed.total,
        "changes": changes,
        "lock_changed": installed.lock_changed,
        "dry_run": dry_run,
        "kept_edits": installed.kept,
        "tools": installed.tools.as_ref().map(tools_json),
        "notes": installed.notes.iter().map(report::finding_json).collect::<Vec<_>>(),
    })
}
