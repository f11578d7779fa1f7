//! `skill eval`: what evals say about a version, kept signed, and compared without wishful thinking.
//!
//! Mostly the honest answer is that two versions cannot be told apart: with the two or three evals
//! that a package starts with nothing can be shown, however they end.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;
use skills::Version;
use skills::dsse::EnvelopeJson;

use crate::argument;
use crate::briefs::now;
use crate::context::Context;
use crate::evals::kept::{FILE_BYTES_MAX, PAYLOAD_TYPE, known_keys, path, read};
use crate::evals::{Benchmark, SUMMARY, Summary, differing, eval_ids, round, spread};
use crate::failure::Failure;
use crate::installed::{self, Installed};
use crate::keys::KeyFolder;
use crate::passphrase::PassphraseFlags;
use crate::place::{self, Change, Spot};
use crate::project::{Project, read_text};
use crate::sign_test::{DIFFERING_MIN, p_value, verdict};
use crate::ui::Answer;

/// Arguments of `skill eval`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Keep a signed summary of a benchmark
    Record(Record),
    /// Say whether one version is better than another, or that nobody can tell
    Compare(Compare),
}

/// Arguments of `skill eval record`.
#[derive(Debug, ClapArgs)]
struct Record {
    /// The benchmark: JSON with a list `runs`
    file: PathBuf,
    /// The installed package that was measured
    #[arg(long, value_name = "NAME")]
    package: String,
    /// The version that it was measured against
    #[arg(long, value_name = "VERSION", value_parser = argument::parse::<Version>)]
    against: Option<Version>,
    /// The key to sign with, by name or path
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseFlags,
    /// Write nothing; say what would be kept
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `skill eval compare`.
#[derive(Debug, ClapArgs)]
struct Compare {
    /// The older summary: SCOPE/NAME@VERSION, or a file
    old: String,
    /// The newer one
    new: String,
}

/// Runs one of the two.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    match args.action {
        Do::Record(args) => record(&args, context),
        Do::Compare(args) => compare(&args, context),
    }
}

fn record(args: &Record, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, false)?;
    let held = project.hold(context, args.dry_run)?;
    let package = installed::find(&project, &project.lock()?, &args.package)?;
    if !args.file.is_file() {
        return Err(Failure::could_not("file-missing", format!("there is no `{}`", args.file.display())));
    }
    let benchmark = Benchmark::parse(&read_text(&args.file, FILE_BYTES_MAX)?)?;
    refuse_unknown_evals(&package, &benchmark)?;
    let summary = summary(&package, &benchmark, args.against.clone())?;
    let path = path(&summary.package, &summary.version);
    if !args.dry_run {
        let key = KeyFolder::of(context.home()?).choose(args.key.as_deref())?;
        let signer = key.unlock(|| args.passphrase.existing(&context.ui, &key.name))?;
        let payload = serde_json::to_vec(&summary).expect("texts and finite numbers always serialise");
        let envelope = EnvelopeJson::encode(&signer.envelope(PAYLOAD_TYPE, payload)?);
        let text = serde_json::to_string(&envelope).expect("an envelope is strings only") + "\n";
        place::apply(&project, &held, &[Change::File(Spot::root(&*path), text.into_bytes())])?;
    }
    context.ui.note(format!("{} `{path}`", if args.dry_run { "would write" } else { "wrote" }));
    Ok(Answer::new("", json!({"file": path, "summary": summary, "dry_run": args.dry_run})))
}

/// A benchmark of other evals than the package has is of another package, or of another day.
fn refuse_unknown_evals(package: &Installed, benchmark: &Benchmark) -> Result<(), Failure> {
    let Some(file) = package.tree.file("evals/evals.json") else { return Ok(()) };
    let known = eval_ids(&String::from_utf8_lossy(&file.bytes))?;
    match benchmark.rates.keys().find(|id| !known.contains(id)) {
        None => Ok(()),
        Some(id) => {
            let seen = format!(
                "the benchmark has eval `{}`, evals.json of `{}` has not",
                id.escape_debug(),
                package.locked.name
            );
            Err(Failure::usage("benchmark-malformed", seen))
        }
    }
}

fn summary(package: &Installed, benchmark: &Benchmark, against: Option<Version>) -> Result<Summary, Failure> {
    let rates = benchmark.all_rates();
    let mean = |rates: &Vec<f64>| spread(rates).map_or(0.0, |spread| spread.mean);
    Ok(Summary {
        schema: SUMMARY.to_owned(),
        package: package.locked.name.clone(),
        version: package.locked.version.clone(),
        digest: package.digest,
        against,
        evals: benchmark.rates.len(),
        runs: rates.len(),
        pass_rate: spread(&rates).expect("a benchmark without runs was refused"),
        tokens: spread(&benchmark.tokens),
        seconds: spread(&benchmark.seconds),
        model: benchmark.model.clone(),
        harness: benchmark.harness.clone(),
        recorded: now(),
        each: benchmark.rates.iter().map(|(id, rates)| (id.clone(), round(mean(rates)))).collect(),
    })
}

fn compare(args: &Compare, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find_or_start(context, false)?;
    let keys = known_keys(&project, context)?;
    let (old, new) = (read(&project, &args.old, &keys)?, read(&project, &args.new, &keys)?);
    if old.package != new.package {
        let seen = format!("`{}` and `{}` are different packages", old.package, new.package);
        return Err(Failure::usage("evals-differ", seen).hint("compare two versions of one"));
    }
    let (better, differing) = differing(&old, &new);
    let p = p_value(better, differing);
    let verdict = verdict(better, differing);
    let mut text = format!("{} {} → {}: {verdict}\n", new.package, old.version, new.version);
    let _ = writeln!(
        text,
        "    {better} of {differing} evals that differ went up, p = {p:.4} (exact sign test, two-sided)"
    );
    let _ = writeln!(text, "    pass rate {:.3} → {:.3}", old.pass_rate.mean, new.pass_rate.mean);
    if differing < DIFFERING_MIN {
        let _ = writeln!(text, "    fewer than {DIFFERING_MIN} evals that differ can never show it");
    }
    if old.model != new.model || old.harness != new.harness {
        context.ui.warn("they were measured with different models or harnesses");
    }
    let data = json!({
        "package": new.package, "old": old.version, "new": new.version, "better": better, "differing": differing,
        "p": p, "verdict": verdict, "pass_rate": {"old": old.pass_rate, "new": new.pass_rate},
    });
    Ok(Answer::new(text, data))
}
