//! `skill tools test`: the rules of a bundle on their own examples, by our matcher, by that of the hook,
//! and by Codex, whose checker is the only one that a client offers.
//!
//! A rule that its own matcher understands otherwise than its author would be worse than none.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::{Value, json};
use skills::tools::unwrap::{Fit, Line};
use skills::tools::{Bundle, Effect, Rule, words};

use super::bundle;
use crate::clients::{Client, Given, Renames, Want, render};
use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::shown;
use crate::ui::Answer;

/// Arguments of `skill tools test`.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// An installed bundle, or the folder of one
    bundle: String,
}

/// One example of one rule.
struct Trial<'a> {
    rule: &'a Rule,
    line: &'a str,
    fits: bool,
}

/// Who was asked about an example, and what is wrong with the answer.
struct Outcome {
    line: String,
    by: &'static str,
    wrong: Option<String>,
}

/// Tries every example; fails if one of the matchers disagrees with it.
pub(super) fn run(args: &Test, context: &Context) -> Result<Answer, Failure> {
    // That our own matcher agrees, reading the manifest has shown already.
    let (package, bundle) = bundle::open(&args.bundle, context)?;
    let trials = trials(&bundle);
    let mut outcomes: Vec<Outcome> = trials.iter().map(|trial| by_hook(trial)).collect();
    let given = Given { package: &package, bundle: &bundle, approved: &[], renames: &Renames::default(), hook: false };
    let rules = render(Client::Codex, &given)?.wants.into_iter().find_map(|want| match want {
        Want::File { text, .. } => Some(text),
        Want::Entry { .. } | Want::Item { .. } => None,
    });
    match (rules, is_here("codex")) {
        (Some(rules), true) => outcomes.extend(by_codex(&bundle, &trials, &rules)?),
        (Some(_), false) => context.ui.note("`codex` is not on PATH: its checker was not asked"),
        (None, _) => {}
    }
    Ok(answer(&outcomes, bundle.rules.len()))
}

fn trials(bundle: &Bundle) -> Vec<Trial<'_>> {
    let examples = bundle.rules.iter().flat_map(|rule| {
        let fits = rule.matches.iter().map(move |line| Trial { rule, line, fits: true });
        fits.chain(rule.not_matches.iter().map(move |line| Trial { rule, line, fits: false }))
    });
    examples.collect()
}

fn by_hook(trial: &Trial<'_>) -> Outcome {
    let wrong = match (Line::read(trial.line).map(|line| line.fit(trial.rule)), trial.fits) {
        (Ok(Fit::Yes), true) | (Ok(Fit::No | Fit::Maybe), false) => None,
        (Ok(Fit::No | Fit::Maybe), true) => Some(String::from("the rule does not fit it")),
        (Ok(Fit::Yes), false) => Some(String::from("the rule fits it")),
        (Err(refusal), _) => Some(refusal.message),
    };
    Outcome { line: trial.line.to_owned(), by: "hook", wrong }
}

fn is_here(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// All rules judge an example together, so what is expected is the strictest of those that fit it.
fn by_codex(bundle: &Bundle, trials: &[Trial<'_>], rules: &str) -> Result<Vec<Outcome>, Failure> {
    let folder = tempfile::tempdir().on("create", Path::new("a temporary folder"))?;
    let file = folder.path().join("skill.rules");
    std::fs::write(&file, rules).on("write", &file)?;
    let ask = |trial: &Trial<'_>| {
        let argv = words::split(trial.line).unwrap_or_default();
        let expected = bundle.judge_command(&argv).map(|(effect, _)| match effect {
            Effect::Ask => "prompt",
            Effect::Deny => "forbidden",
        });
        let wrong = match codex(folder.path(), &file, &argv)? {
            Ok(seen) if seen.as_deref() == expected => None,
            Ok(seen) => Some(format!(
                "it says {}, expected {}",
                seen.as_deref().unwrap_or("nothing"),
                expected.unwrap_or("nothing")
            )),
            Err(said) => Some(said),
        };
        Ok(Outcome { line: trial.line.to_owned(), by: "codex", wrong })
    };
    trials.iter().map(ask).collect()
}

/// What Codex decides about a command by these rules alone; in an empty home, so that the user's own rules
/// and keys have no part in it.
fn codex(home: &Path, rules: &Path, argv: &[String]) -> Result<Result<Option<String>, String>, Failure> {
    let mut command = Command::new("codex");
    command.args(["execpolicy", "check", "--rules"]).arg(rules).arg("--").args(argv);
    command.env("HOME", home).env("CODEX_HOME", home).current_dir(home).stdin(Stdio::null());
    let output = command.output().on("start", Path::new("codex"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Ok(Err(said.lines().last().unwrap_or("it failed").trim().to_owned()));
    }
    let answer: Option<Value> = serde_json::from_slice(&output.stdout).ok();
    Ok(match answer {
        Some(answer) => Ok(answer["decision"].as_str().map(str::to_owned)),
        None => Err(String::from("its answer is not JSON")),
    })
}

fn answer(outcomes: &[Outcome], rules: usize) -> Answer {
    let mut text = String::new();
    for outcome in outcomes {
        let (word, why) = match &outcome.wrong {
            None => ("ok", String::new()),
            Some(why) => ("WRONG", format!(": {}", shown::single(why))),
        };
        let _ = writeln!(text, "{word:<6} {:<6} {}{why}", outcome.by, shown::single(&outcome.line));
    }
    let wrong = outcomes.iter().filter(|outcome| outcome.wrong.is_some()).count();
    let _ = writeln!(text, "{rules} rules, {} trials, {wrong} wrong", outcomes.len());
    let rows: Vec<Value> = outcomes
        .iter()
        .map(|outcome| json!({"line": outcome.line, "by": outcome.by, "wrong": outcome.wrong}))
        .collect();
    let exit = if wrong == 0 { Exit::Done } else { Exit::Failed };
    Answer::new(text, json!({"rules": rules, "wrong": wrong, "trials": rows})).exit(exit)
}
