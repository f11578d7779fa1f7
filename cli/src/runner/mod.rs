//! Running a check: what it is about, what it did, and what that proves.
//!
//! ```text
//! snapshot   the work tree before and after      git.rs, skills::check::Inputs
//! ground     what it is given, and its bounds    sandbox/
//! left       the final state, and what it made   skills::check::judge
//! keep       the signed line                     skills::evidence
//! ```
//!
//! A check is judged by what it did while it ran: a file that another run left counts as missing, and a
//! tree that changed meanwhile is no tree that anything was proved about.

mod digest;
mod ground;
mod keep;
mod left;
mod snapshot;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use skills::brief::param::Values;
use skills::brief::uses::Pinned;
use skills::check::{Check, Inputs, Output, Said, judge};
use skills::evidence::{BriefRef, GitTree, Moment, Observation, Outcome, Run, Runner, Sandbox, StreamDigest, Trust};
use skills::tree::Tree;

use self::ground::Ground;
pub use self::keep::keep;
use self::left::FinalState;
pub use self::snapshot::Snapshot;
use crate::failure::Failure;
use crate::git::Repository;
use crate::home::Home;
use crate::sandbox::{self, End, Listener};

/// Signals that come from outside, or from our limits: they say nothing about the work.
const FROM_OUTSIDE: [i32; 6] = [1, 2, 9, 15, 24, 25];

/// Most changed files that are named.
const NAMED_MAX: usize = 5;

/// What is run, on what.
#[derive(Debug)]
pub struct Job<'a> {
    /// The check's own files, verified.
    pub package: &'a Tree,
    /// Which check, exactly.
    pub pinned: Pinned,
    /// What its manifest says.
    pub check: &'a Check,
    /// What it is told.
    pub values: Values,
    /// The project whose work tree is judged.
    pub root: &'a Path,
    /// The brief that it runs for.
    pub brief: Option<BriefRef>,
    /// The document of that brief.
    pub document: Option<PathBuf>,
    /// Where this user's keys lie, which it must not read.
    pub home: Option<&'a Home>,
}

/// A run, and what is shown and not kept.
#[derive(Debug)]
pub struct Done {
    /// What may be signed.
    pub run: Run,
    /// The last lines of the output, redacted.
    pub tail: Vec<String>,
}

/// Runs a check to its end, whatever that is. A failure is one of ours, or of the machine's.
pub fn run(job: &Job<'_>) -> Result<Done, Failure> {
    let argv = job.check.command(&job.values)?;
    refuse_missing(job)?;
    let inputs = Inputs::of(job.check);
    let before = Snapshot::take(job.root)?;
    let inputs_digest = before.inputs(&inputs)?;
    let earlier = left::outputs(job.root, job.check, &inputs)?;
    let ground = Ground::prepare(job, &argv)?;
    let started_on = now();
    let output = Arc::new(Mutex::new(Some(Output::of(job.check, ground.secrets.iter().cloned()))));
    let ran = sandbox::run(&ground.orders, &listener(&output))?;
    ground.writable.tidy();
    let heard = output.lock().unwrap_or_else(PoisonError::into_inner).take();
    let said = heard.expect("it is taken out once, here").finish();
    let after = Snapshot::take(job.root)?;
    let state = FinalState::new(job.root, inputs.clone(), earlier, clean(job.root, &after)?);
    let mut outcome = outcome(job.check, &ran.end, &said, &state);
    outcome = with_moved(outcome, &before.moved(&after, &inputs), inputs_digest != after.inputs(&inputs)?);
    let artifacts = match state.artifacts(job.check, &ground.secrets) {
        Ok(artifacts) => artifacts,
        Err(why) => {
            outcome = Outcome::Error(why);
            Vec::new()
        }
    };
    let tree = before.tree().map(|tree| GitTree::parse(tree.id())).transpose()?;
    let exit = if let End::Exit(code) = ran.end { Some(code) } else { None };
    let run = Run {
        tree,
        inputs: inputs_digest,
        check: job.pinned.clone(),
        brief: job.brief.clone(),
        outcome,
        argv,
        params: job.values.as_map().clone(),
        exit,
        started_on,
        duration_ms: u64::try_from(ran.took.as_millis()).unwrap_or(u64::MAX),
        platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        sandbox: Sandbox { network: job.check.network, enforced: ran.enforced },
        observation: observation(&said),
        artifacts,
        runner: runner(),
    };
    Ok(Done { run, tail: said.tail })
}

/// A file that has to be there is asked for before anything is started.
fn refuse_missing(job: &Job<'_>) -> Result<(), Failure> {
    for (name, path) in job.check.params.must_exist(&job.values) {
        if job.root.join(path).symlink_metadata().is_err() {
            let seen = format!("`{name}` has to be there, and there is no `{path}`");
            return Err(Failure::could_not("param-refused", seen));
        }
    }
    Ok(())
}

fn listener(output: &Arc<Mutex<Option<Output>>>) -> Listener {
    let output = Arc::clone(output);
    Arc::new(move |said, bytes| {
        if let Some(output) = output.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            output.hear(said == sandbox::Said::Err, bytes);
        }
    })
}

/// What an end means. A program that breaks by its own fault was seen to fail; one that was ended from
/// outside was not seen to do anything.
fn outcome(check: &Check, end: &End, said: &Said, state: &FinalState) -> Outcome {
    match end {
        End::Exit(code) => judge(check, *code, &said.counts, state),
        End::Signal(signal) if FROM_OUTSIDE.contains(signal) => {
            Outcome::Error(format!("it was ended from outside, or by a limit, with signal {signal}"))
        }
        End::Signal(signal) => Outcome::Failed(vec![format!("it broke with signal {signal}")]),
        End::TimedOut => Outcome::Error(format!("it took longer than {} seconds and was ended", check.timeout_seconds)),
        End::TookTooMuch(what) => Outcome::Error(format!("it took too much {what} and was ended")),
        End::NotStarted(why) => Outcome::Error(why.clone()),
    }
}

/// What was proved about a tree that changed meanwhile was proved about no tree.
fn with_moved(outcome: Outcome, moved: &[String], inputs_differ: bool) -> Outcome {
    if moved.is_empty() && !inputs_differ {
        return outcome;
    }
    let named: Vec<String> = moved.iter().take(NAMED_MAX).map(|path| format!("`{}`", path.escape_debug())).collect();
    let more = moved.len().checked_sub(NAMED_MAX).filter(|more| *more > 0).map(|more| format!(" and {more} more"));
    let what = if named.is_empty() { "an input".to_owned() } else { named.join(", ") };
    let why = format!("the tree changed while it ran: {what}{}", more.unwrap_or_default());
    match outcome {
        Outcome::Passed => Outcome::Failed(vec![why]),
        Outcome::Failed(whys) => Outcome::Failed(whys.into_iter().chain([why]).collect()),
        Outcome::Error(error) => Outcome::Error(error),
    }
}

fn clean(root: &Path, after: &Snapshot) -> Result<Option<bool>, Failure> {
    let Some((repository, tree)) = Repository::around(root)?.zip(after.tree()) else { return Ok(None) };
    repository.is_clean(root, tree).map(Some)
}

fn observation(said: &Said) -> Observation {
    let digest = |(sha256, bytes)| StreamDigest { bytes, sha256 };
    Observation { key_lines: said.key_lines.clone(), stdout: digest(said.stdout), stderr: digest(said.stderr) }
}

/// Who we think that we are; the registration of the key decides.
fn runner() -> Runner {
    let in_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0");
    let trust = if in_ci { Trust::Ci } else { Trust::Local };
    Runner { tool: "skill".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), trust }
}

fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Moment::from_unix_seconds(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_moved_is_no_proof_and_an_error_stays_one() {
        let moved = ["a".to_owned(), "b\n".to_owned()];
        let failed = |why: &[&str]| Outcome::Failed(why.iter().map(|why| (*why).to_owned()).collect());
        let sentence = "the tree changed while it ran: `a`, `b\\n`";
        assert_eq!(with_moved(Outcome::Passed, &moved, true), failed(&[sentence]));
        assert_eq!(with_moved(failed(&["x"]), &moved, false), failed(&["x", sentence]));
        assert_eq!(with_moved(Outcome::Passed, &[], true), failed(&["the tree changed while it ran: an input"]));
        assert_eq!(with_moved(Outcome::Passed, &[], false), Outcome::Passed);
        let error = Outcome::Error("x".to_owned());
        assert_eq!(with_moved(error.clone(), &moved, true), error);
        let many: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        assert!(
            matches!(with_moved(Outcome::Passed, &many, true), Outcome::Failed(why) if why[0].ends_with("`4` and 4 more"))
        );
    }
}
