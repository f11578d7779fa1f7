//! `skill stats`: how work is orchestrated here, from files that exist anyway.
//!
//! Per package, never per person. Nothing is sent: `stats share` shows what would be, where the
//! repository agreed to it, and there is nowhere yet that it could go.

mod gather;

use std::fmt::Write as _;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};
use skills::evidence::Moment;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::project::Project;
use crate::shown;
use crate::stats::{EvalDelta, Share, Stats, compute};
use crate::ui::Answer;

/// Arguments of `skill stats`.
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Only what happened on this day or later: YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    #[command(subcommand)]
    action: Option<Do>,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Show what would be shared; nothing is sent
    Share(ShareArgs),
}

/// Arguments of `skill stats share`.
#[derive(Debug, ClapArgs)]
struct ShareArgs {
    /// The same: nothing is ever sent
    #[arg(long)]
    dry_run: bool,
}

/// Computes the measures, or shows what would be shared.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find_or_start(context, false)?;
    if let Some(Do::Share(_)) = args.action {
        return share(&project, context);
    }
    let since = args.since.as_deref().map_or(Ok(0), moment)?;
    let gathered = gather::gather(&project, context)?;
    for note in &gathered.notes {
        context.ui.note(note);
    }
    let stats = compute(&gathered.facts, since);
    Ok(Answer::new(text(&stats), json!({"since": args.since, "stats": stats, "notes": gathered.notes})))
}

/// The start of a day, UTC.
fn moment(date: &str) -> Result<u64, Failure> {
    let parsed = Moment::parse(&format!("{date}T00:00:00Z"));
    let parsed = parsed.map_err(|_| Failure::usage("date-malformed", format!("`{}` is no date", date.escape_debug())));
    Ok(parsed.map_err(|failure| failure.hint("`--since 2026-11-22`"))?.unix_seconds())
}

/// Consent first, then what it would be: counts only, no name of a package, a person or a repository.
fn share(project: &Project, context: &Context) -> Result<Answer, Failure> {
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
    let refused = |why: &str| Err(Failure::new(Exit::Policy, "share-refused", format!("nothing is shared: {why}")));
    if !project.wants()?.share_stats {
        return refused("skills.toml does not say `[stats] share = true`");
    }
    if set("DO_NOT_TRACK") {
        return refused("DO_NOT_TRACK is set");
    }
    if set("CI") {
        return refused("this is CI");
    }
    let stats = compute(&gather::gather(project, context)?.facts, 0);
    let counts = counts(&stats, &workspace()?);
    context.ui.note("this is all that would be shared. No registry takes it yet: nothing was sent");
    Ok(Answer::new(format!("{counts:#}\n"), counts))
}

/// A number that is another one each time, so that no two reports can be told to be of one workspace.
fn workspace() -> Result<String, Failure> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| Failure::could_not("random", format!("no random bytes: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn counts(stats: &Stats, workspace: &str) -> Value {
    json!({
        "v": 1, "workspace": workspace,
        "briefs": stats.reuse.rendered.values().sum::<usize>(), "packages": stats.reuse.rendered.len(),
        "reused": stats.reuse.reused, "first_pass": stats.first_pass, "stale": stats.stale,
        "rework_cycles": stats.rework.cycles.values().sum::<usize>(), "reverts": stats.rework.reverts,
        "escalations": stats.escalations, "overrides": stats.overrides.values().sum::<usize>(),
    })
}

fn text(stats: &Stats) -> String {
    let mut text = String::from("reuse\n");
    for (package, count) in &stats.reuse.rendered {
        let _ = writeln!(text, "    {}  {count} brief{}", shown::single(package), if *count == 1 { "" } else { "s" });
    }
    let _ = writeln!(
        text,
        "    top package {}, rendered three times or more: {}",
        percent(stats.reuse.top_share),
        stats.reuse.reused
    );
    let _ = writeln!(text, "first-pass check rate  {}", of(&stats.first_pass));
    let cycles: usize = stats.rework.cycles.values().sum();
    let _ = writeln!(
        text,
        "rework  {cycles} FAILED to PASSED, {} commits after the merge gate, {} reverts",
        stats.rework.commits_after_merge, stats.rework.reverts
    );
    let review = stats.review.as_ref();
    let review = review.map_or_else(
        || "nothing measured".to_owned(),
        |review| format!("median {} s of {} decisions", review.median_seconds, review.decisions),
    );
    let _ = writeln!(text, "review time  {review}");
    let _ = writeln!(text, "stale rate  {}", of(&stats.stale));
    if let Some(cut) = &stats.decomposition {
        let per_task = cut.deliverables_per_task.map_or_else(|| "none".to_owned(), |share| share.to_string());
        let _ = writeln!(
            text,
            "decomposition  {} tasks a brief, {per_task} deliverables a task, checked {}",
            cut.tasks_per_brief,
            of(&cut.checked)
        );
    }
    let overrides: usize = stats.overrides.values().sum();
    let _ = writeln!(text, "escalations  {}\noverrides  {overrides}", stats.escalations);
    text + &eval_delta(&stats.eval_delta)
}

fn eval_delta(deltas: &[EvalDelta]) -> String {
    if deltas.is_empty() {
        return "eval delta  nothing measured\n".to_owned();
    }
    let mut text = String::from("eval delta\n");
    for one in deltas {
        let _ = writeln!(
            text,
            "    {} {} → {}  pass rate {:+.3}, n = {}, p = {:.4}: {}{}",
            one.package,
            one.from,
            one.to,
            one.delta,
            one.n,
            one.p,
            one.verdict,
            if one.alike { "" } else { ", with different models or harnesses" }
        );
    }
    text
}

fn of(share: &Share) -> String {
    format!("{} ({} of {})", percent(share.share), share.count, share.of)
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "nothing measured".to_owned(), |share| format!("{:.0} %", share * 100.0))
}
