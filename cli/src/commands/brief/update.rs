//! `skill brief update`: a rendered brief moves to a newer version of its package.
//!
//! Three texts meet: what the old package gave (the base), what lies on the disk (with a person's
//! edits), and what the new package gives from the same values. The old package comes from the cache,
//! by the digest that the document pins, so the base is exactly what was rendered then. Edits that do
//! not touch the same lines are merged; others are left as marked conflicts, and the exit code says so.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};
use skills::brief::{Document, Rendered, render_family};
use skills::evidence::{self, Outcome as RunOutcome, Statement};

use super::package::{self, Package, Uses};
use super::render;
use crate::briefs::{self, BRIEFS_PATH, Shelved};
use crate::cache::Cache;
use crate::context::Context;
use crate::diary;
use crate::failure::{Exit, Failure, OnPath};
use crate::place::{self, Change, Spot};
use crate::project::{Project, Regular, read_regular};
use crate::ui::Answer;

/// Arguments of `skill brief update`.
#[derive(Debug, Args)]
pub(super) struct Update {
    /// The rendered brief
    id: String,
    /// The package to move to, instead of the installed one of that name: `./folder`
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// Where the packages lie that a folder's brief uses; beside it, if nothing is said
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// A value for a parameter that is new, or another one
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Go on although evidence becomes stale
    #[arg(long)]
    yes: bool,
    /// Write nothing; say what would change
    #[arg(long)]
    dry_run: bool,
}

/// One text after the merge.
struct Merged {
    id: String,
    markdown: String,
    document: String,
    conflicts: bool,
}

/// Renders old and new, merges, asks about evidence, writes.
pub(super) fn run(args: &Update, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find_or_start(context, false)?;
    let held = project.hold(context, args.dry_run)?;
    let brief = briefs::find_open(&project, &args.id)?;
    let name = args.to.clone().unwrap_or_else(|| brief.document.from.package.to_string());
    let (package, origin) = package::open(&name, args.from.as_deref(), context)?;
    let uses = package.uses(&origin)?.complete()?;
    let theirs = theirs(args, &brief, &package, &uses, context)?;
    render::hold_to_policy(&project, &theirs)?;
    if theirs[0].document == brief.document {
        context.ui.note(format!("`{}` is what {} gives: nothing to update", brief.id, package.pinned.spec()));
        return Ok(Answer::new("", json!({"id": brief.id, "changed": false, "dry_run": args.dry_run})));
    }
    let bases = bases(&project, &brief.document, (&package, &uses), context)?;
    let merged = merge_all(&project, &brief, &bases, &theirs)?;
    let stale = stale(&project, &brief)?;
    agree(args, &brief, &stale, context)?;
    if !args.dry_run {
        place::apply(&project, &held, &changes(&merged))?;
        package::remember(&package, &uses, &Cache::new(&context.home()?.cache));
        diary::note_override(&project, args.yes && !stale.is_empty(), "brief update", "--yes");
    }
    Ok(answer(args, &brief, &package, &merged, &stale, context))
}

/// The new package with the old values; those that it does not ask for any more are left out.
fn theirs(
    args: &Update,
    brief: &Shelved,
    package: &Package,
    uses: &Uses,
    context: &Context,
) -> Result<Vec<Rendered>, Failure> {
    let params = &package.tables.params;
    let (mut given, gone): (Map<String, Value>, Map<String, Value>) =
        brief.document.params.clone().into_iter().partition(|(name, _)| params.named(name).is_some());
    for name in gone.keys() {
        context.ui.note(format!("parameter `{name}` is gone"));
    }
    given.extend(render::given(&args.set, None, params)?);
    let values = params.accept(&given)?;
    render_family(&package.source(uses), &uses.library(), &values, Some(&brief.document.id)).map_err(render::of_refusal)
}

/// The old package with the old values: exactly what was rendered then.
fn bases(
    project: &Project,
    document: &Document,
    now: (&Package, &Uses),
    context: &Context,
) -> Result<Vec<Rendered>, Failure> {
    let documents = briefs::family(project, document);
    let cache = Cache::new(&context.home()?.cache);
    let (package, uses) = package::as_pinned(&documents, now, &cache)?;
    let values = package.tables.params.accept(&document.params)?;
    let bases = render_family(&package.source(&uses), &uses.library(), &values, Some(&document.id));
    let bases = bases.map_err(render::of_refusal)?;
    if bases[0].document.body_sha256 != document.body_sha256 {
        let seen = format!("{} does not give the text that `{}` was rendered with", package.pinned.spec(), document.id);
        return Err(Failure::could_not("brief-base", seen)
            .hint("its document was edited, or another version of this program wrote it: render anew with `--force`"));
    }
    Ok(bases)
}

fn merge_all(
    project: &Project,
    brief: &Shelved,
    bases: &[Rendered],
    theirs: &[Rendered],
) -> Result<Vec<Merged>, Failure> {
    let mut all = Vec::new();
    for theirs in theirs {
        let id = &theirs.document.id;
        let base = bases.iter().find(|base| base.document.id == *id);
        let ours = match (id == brief.id.as_str(), briefs::find_open(project, id)) {
            (true, _) => Some(briefs::markdown(project, brief)?),
            (false, Ok(child)) => Some(briefs::markdown(project, &child)?),
            (false, Err(_)) => None,
        };
        let merged = match (base, ours) {
            (Some(base), Some(ours)) => diffy::merge(&base.markdown, &ours, &theirs.markdown),
            _ => Ok(theirs.markdown.clone()),
        };
        let conflicts = merged.is_err();
        let markdown = merged.unwrap_or_else(|marked| marked);
        all.push(Merged { id: id.clone(), markdown, document: theirs.document.to_pretty(), conflicts });
    }
    Ok(all)
}

/// The checks whose evidence names the document as it is now, each once.
fn stale(project: &Project, brief: &Shelved) -> Result<Vec<String>, Failure> {
    let path = project.root.join(format!(".skill/evidence/{}.intoto.jsonl", brief.id));
    let Regular::Bytes(bytes) = read_regular(&path, evidence::line::EVIDENCE_BYTES_MAX).on("read", &path)? else {
        return Ok(Vec::new());
    };
    let digest = brief.document.digest();
    let mut stale = Vec::new();
    for line in evidence::read(&bytes)?.into_iter().filter_map(|line| line.content.ok()) {
        let name = match line.statement {
            Statement::Run(run) if run.brief.as_ref().is_some_and(|brief| brief.digest == digest) => {
                let is_error = matches!(run.outcome, RunOutcome::Error(_));
                let check = brief.document.checks.iter().find(|check| check.digest == run.check.digest);
                check.filter(|_| !is_error).map(|check| check.id.clone())
            }
            Statement::Approval(approval) if approval.brief.digest == digest => Some(approval.task.clone()),
            _ => None,
        };
        stale.extend(name.filter(|name| !stale.contains(name)));
    }
    Ok(stale)
}

/// Proofs and approvals are of the old document: whoever throws them away says so.
fn agree(args: &Update, brief: &Shelved, stale: &[String], context: &Context) -> Result<(), Failure> {
    if stale.is_empty() {
        return Ok(());
    }
    let list = stale.join(", ");
    context.ui.warn(format!("this makes what is proved or approved stale: {list}"));
    if args.yes || args.dry_run || context.ui.confirm("Update all the same?") {
        return Ok(());
    }
    let seen = format!("evidence names `{}` as it is, and would become stale: {list}", brief.id);
    Err(Failure::new(Exit::Policy, "evidence-would-be-stale", seen).hint("`--yes` goes on; then run the checks again"))
}

fn changes(merged: &[Merged]) -> Vec<Change> {
    let files = |one: &Merged| {
        let path = |end: &str| Spot::root(format!("{BRIEFS_PATH}/{}.brief.{end}", one.id));
        [
            Change::File(path("md"), one.markdown.clone().into_bytes()),
            Change::File(path("json"), one.document.clone().into_bytes()),
        ]
    };
    merged.iter().flat_map(files).collect()
}

fn answer(
    args: &Update,
    brief: &Shelved,
    package: &Package,
    merged: &[Merged],
    stale: &[String],
    context: &Context,
) -> Answer {
    let conflicts: Vec<&str> = merged.iter().filter(|one| one.conflicts).map(|one| one.id.as_str()).collect();
    let verb = if args.dry_run { "would update" } else { "updated" };
    let from = &brief.document.from;
    context.ui.note(format!(
        "{verb} `{}` from {}@{} to {}",
        brief.id,
        from.package,
        from.version,
        package.pinned.spec()
    ));
    for id in &conflicts {
        let path = Path::new(BRIEFS_PATH).join(format!("{id}.brief.md"));
        context.ui.warn(format!("`{}` has conflicts, marked with <<<<<<< and >>>>>>>", path.display()));
    }
    let data = json!({
        "id": brief.id, "changed": true, "from": from, "to": {"package": package.pinned.name,
        "version": package.pinned.version, "digest": package.pinned.digest}, "conflicts": conflicts, "stale": stale,
        "dry_run": args.dry_run,
    });
    let exit = if conflicts.is_empty() { Exit::Done } else { Exit::Could };
    Answer::new("", data).exit(exit)
}
