//! Measures of how work is orchestrated, computed from files that exist anyway (FORMATS §6).
//!
//! Facts in, numbers out: what was rendered, how checks ended, who decided when, what was committed.
//! Nothing here reads a file or a clock. Packages are measured and never people: no name of a signer,
//! an author or an approver is among the facts.
//!
//! A measure without anything to measure is absent, not zero: a share of nothing says nothing.

mod delta;
mod graph;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use skills::brief::Document;

pub use self::delta::EvalDelta;
use self::delta::deltas;
use self::graph::is_checked;
use crate::evals::Summary;

/// How long after a merge gate a commit to a deliverable counts as rework, in seconds: 14 days.
const REWORK_SECONDS: u64 = 14 * 86_400;

/// How often a package is rendered before it counts as reused.
const REUSED_MIN: usize = 3;

/// Everything that is measured.
#[derive(Debug, Default)]
pub struct Facts {
    /// The rendered briefs, open and closed.
    pub briefs: Vec<Brief>,
    /// The runs of checks.
    pub runs: Vec<Run>,
    /// The decisions of humans.
    pub approvals: Vec<Approval>,
    /// The commits, merges without their files.
    pub commits: Vec<Commit>,
    /// When somebody stopped and asked.
    pub escalations: Vec<u64>,
    /// Verifications of evidence, and whether each ended stale.
    pub verified: Vec<(u64, bool)>,
    /// Refusals that were overridden, by command and flag.
    pub overridden: Vec<(u64, String)>,
    /// What evals said about versions.
    pub evals: Vec<Summary>,
}

/// A rendered brief.
#[derive(Debug)]
pub struct Brief {
    /// Its document.
    pub document: Document,
    /// When it was first committed, where it was.
    pub rendered: Option<u64>,
}

/// How a run ended, as far as it says something about the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// It could not be run: nothing is said about the work.
    Error,
}

/// A run of a check for a brief.
#[derive(Debug, Clone)]
pub struct Run {
    /// The brief's id.
    pub brief: String,
    /// The check's package.
    pub check: String,
    /// When it was started.
    pub started: u64,
    /// When it ended.
    pub ended_at: u64,
    /// How.
    pub ended: Ended,
    /// Whether all deliverables of the brief existed then.
    pub deliverables_exist: bool,
}

/// A human's decision.
#[derive(Debug, Clone)]
pub struct Approval {
    /// The brief's id.
    pub brief: String,
    /// The task.
    pub task: String,
    /// When it was decided.
    pub decided: u64,
}

/// A commit.
#[derive(Debug, Clone)]
pub struct Commit {
    /// When.
    pub at: u64,
    /// Whether it says that it takes back another one.
    pub is_revert: bool,
    /// The files that it touches.
    pub paths: Vec<String>,
}

/// The numbers.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Who is used again.
    pub reuse: Reuse,
    /// (brief, check) pairs, and how many passed at the first run that says something.
    pub first_pass: Share,
    /// What had to be done again.
    pub rework: Rework,
    /// From the last required PASSED to the decision.
    pub review: Option<Review>,
    /// Verifications, and how many ended stale.
    pub stale: Share,
    /// How work is cut.
    pub decomposition: Option<Decomposition>,
    /// How often somebody stopped and asked.
    pub escalations: usize,
    /// How often a refusal was overridden, by command and flag.
    pub overrides: BTreeMap<String, usize>,
    /// What each recorded version changed, per package.
    pub eval_delta: Vec<EvalDelta>,
}

/// Briefs by package.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Reuse {
    /// Briefs rendered per package.
    pub rendered: BTreeMap<String, usize>,
    /// Share of all briefs that the package with most of them has.
    pub top_share: Option<f64>,
    /// Packages that were rendered three times or more.
    pub reused: usize,
}

/// So many of so many.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// How many are.
    pub count: usize,
    /// Of how many.
    pub of: usize,
    /// The share; absent where there is nothing.
    pub share: Option<f64>,
}

/// What had to be done again.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Rework {
    /// FAILED → PASSED, per check.
    pub cycles: BTreeMap<String, usize>,
    /// Commits to deliverables within 14 days after the merge gate.
    pub commits_after_merge: usize,
    /// Reverts of commits to deliverables.
    pub reverts: usize,
}

/// Seconds that decisions took.
#[derive(Debug, PartialEq, Serialize)]
pub struct Review {
    /// Decisions with a proof before them.
    pub decisions: usize,
    /// The middle one, in seconds.
    pub median_seconds: u64,
}

/// How work is cut.
#[derive(Debug, PartialEq, Serialize)]
pub struct Decomposition {
    /// Tasks per brief.
    pub tasks_per_brief: f64,
    /// Deliverables per task that makes some.
    pub deliverables_per_task: Option<f64>,
    /// Deliverables that a check looks at, not only a human.
    pub checked: Share,
}

impl Share {
    fn of(count: usize, of: usize) -> Self {
        Self { count, of, share: ratio(count, of) }
    }
}

/// Computes all measures of what happened at `since` or later. A brief that was never committed has no
/// time, and counts.
pub fn compute(facts: &Facts, since: u64) -> Stats {
    let briefs: Vec<&Brief> = facts.briefs.iter().filter(|brief| brief.rendered.is_none_or(|at| at >= since)).collect();
    let mut runs: Vec<&Run> = facts.runs.iter().filter(|run| run.started >= since).collect();
    runs.sort_by_key(|run| run.started);
    let verified: Vec<bool> = facts.verified.iter().filter(|(at, _)| *at >= since).map(|(_, stale)| *stale).collect();
    let stale = verified.iter().filter(|stale| **stale).count();
    Stats {
        reuse: reuse(&briefs),
        first_pass: first_pass(&runs),
        rework: Rework {
            cycles: cycles(&runs),
            commits_after_merge: commits_after_merge(facts, since),
            reverts: reverts(facts, since),
        },
        review: review(facts, &runs, since),
        stale: Share::of(stale, verified.len()),
        decomposition: decomposition(&briefs),
        escalations: facts.escalations.iter().filter(|at| **at >= since).count(),
        overrides: tally(facts.overridden.iter().filter(|(at, _)| *at >= since).map(|(_, what)| what.clone())),
        eval_delta: deltas(&facts.evals, since),
    }
}

fn reuse(briefs: &[&Brief]) -> Reuse {
    let rendered = tally(briefs.iter().map(|brief| brief.document.from.package.to_string()));
    let top = rendered.values().copied().max().unwrap_or(0);
    let reused = rendered.values().filter(|count| **count >= REUSED_MIN).count();
    Reuse { top_share: ratio(top, briefs.len()), reused, rendered }
}

/// The first run of each pair that is no ERROR and had all deliverables before it.
fn first_pass(runs: &[&Run]) -> Share {
    let mut first: BTreeMap<(&str, &str), Ended> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.ended != Ended::Error && run.deliverables_exist) {
        first.entry((&run.brief, &run.check)).or_insert(run.ended);
    }
    Share::of(first.values().filter(|ended| **ended == Ended::Passed).count(), first.len())
}

fn cycles(runs: &[&Run]) -> BTreeMap<String, usize> {
    let mut last: BTreeMap<(&str, &str), Ended> = BTreeMap::new();
    let mut cycles = BTreeMap::new();
    for run in runs.iter().filter(|run| run.ended != Ended::Error) {
        let before = last.insert((&run.brief, &run.check), run.ended);
        if (before, run.ended) == (Some(Ended::Failed), Ended::Passed) {
            *cycles.entry(run.check.clone()).or_default() += 1;
        }
    }
    cycles
}

fn commits_after_merge(facts: &Facts, since: u64) -> usize {
    let gates: Vec<(&Brief, u64)> =
        facts.briefs.iter().filter_map(|brief| Some((brief, merge_gate(facts, brief)?))).collect();
    let is_rework = |commit: &&Commit| {
        let after = |(brief, gate): &(&Brief, u64)| {
            commit.at > *gate && commit.at <= gate + REWORK_SECONDS && touches(commit, brief)
        };
        commit.at >= since && gates.iter().any(after)
    };
    facts.commits.iter().filter(is_rework).count()
}

/// The last decision on a task that says `merge`.
fn merge_gate(facts: &Facts, brief: &Brief) -> Option<u64> {
    let is_merge = |approval: &&Approval| {
        let task = brief.document.tasks.iter().find(|task| task.id == approval.task);
        approval.brief == brief.document.id && task.is_some_and(|task| task.human.as_deref() == Some("merge"))
    };
    facts.approvals.iter().filter(is_merge).map(|approval| approval.decided).max()
}

fn reverts(facts: &Facts, since: u64) -> usize {
    let undoes = |commit: &&Commit| {
        commit.is_revert && commit.at >= since && facts.briefs.iter().any(|brief| touches(commit, brief))
    };
    facts.commits.iter().filter(undoes).count()
}

fn touches(commit: &Commit, brief: &Brief) -> bool {
    brief.document.deliverables.iter().any(|one| commit.paths.contains(&one.path))
}

/// A decision without a proof before it took nobody's time that could be measured.
fn review(facts: &Facts, runs: &[&Run], since: u64) -> Option<Review> {
    let took = |approval: &Approval| {
        let before =
            |run: &&&Run| run.brief == approval.brief && run.ended == Ended::Passed && run.ended_at <= approval.decided;
        let last = runs.iter().filter(before).map(|run| run.ended_at).max()?;
        Some(approval.decided - last)
    };
    let mut took: Vec<u64> = facts.approvals.iter().filter(|one| one.decided >= since).filter_map(took).collect();
    took.sort_unstable();
    let median_seconds = *took.get(took.len().checked_sub(1)? / 2)?;
    Some(Review { decisions: took.len(), median_seconds })
}

fn decomposition(briefs: &[&Brief]) -> Option<Decomposition> {
    let tasks: usize = briefs.iter().map(|brief| brief.document.tasks.len()).sum();
    let deliverables: usize = briefs.iter().map(|brief| brief.document.deliverables.len()).sum();
    let makers = briefs.iter().flat_map(|brief| &brief.document.tasks).filter(|task| !task.makes.is_empty()).count();
    let checked =
        |brief: &&Brief| brief.document.deliverables.iter().filter(|one| is_checked(&brief.document, &one.id)).count();
    Some(Decomposition {
        tasks_per_brief: ratio(tasks, briefs.len())?,
        deliverables_per_task: ratio(deliverables, makers),
        checked: Share::of(briefs.iter().map(checked).sum(), deliverables),
    })
}

fn tally(words: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

/// Four digits say all that such counts can.
#[expect(clippy::cast_precision_loss, reason = "counts of briefs and runs are far below 2^52")]
fn ratio(count: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| (count as f64 / of as f64 * 10_000.0).round() / 10_000.0)
}
