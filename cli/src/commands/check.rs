//! `skill check`: run a check, show that it can fail, list what is installed.

mod brief;
mod fixture;
mod list;
mod run;
mod test;

use clap::{Args as ClapArgs, Subcommand};
use skills::check::Check;
use skills::evidence::Outcome;
use skills::manifest::{Kinded, Manifest};

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::ui::Answer;

/// Arguments of `skill check`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Run a check in its sandbox and keep signed evidence
    Run(run::Run),
    /// Show that a check passes and fails where its fixtures say so
    Test(test::Test),
    /// List the installed checks, and which open briefs use them
    List(list::List),
}

/// Runs one of the three.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    match args.action {
        Do::Run(args) => run::run(&args, context),
        Do::Test(args) => test::run(&args, context),
        Do::List(args) => list::run(&args, context),
    }
}

/// The tables of a check; every other kind is refused.
fn check_of(manifest: Option<Manifest>, named: &str) -> Result<(Manifest, Check), Failure> {
    let Some(manifest) = manifest else { return Err(not_a_check(named)) };
    let Kinded::Check(check) = &manifest.kinded else { return Err(not_a_check(named)) };
    let check = (**check).clone();
    Ok((manifest, check))
}

fn not_a_check(named: &str) -> Failure {
    Failure::usage("not-a-check", format!("`{}` is not of kind `check`", named.escape_debug()))
        .hint("`skill check list` shows the checks that are installed")
}

/// ERROR is no FAILED: a program that is missing is a thing that could not be done.
fn exit_of(outcome: &Outcome) -> Exit {
    match outcome {
        Outcome::Passed => Exit::Done,
        Outcome::Failed(_) => Exit::Failed,
        Outcome::Error(_) => Exit::Could,
    }
}

/// The sentences of an outcome.
fn reasons(outcome: &Outcome) -> &[String] {
    match outcome {
        Outcome::Passed => &[],
        Outcome::Failed(why) => why,
        Outcome::Error(why) => std::slice::from_ref(why),
    }
}

/// `1.2 s`
fn seconds(duration_ms: u64) -> String {
    format!("{}.{} s", duration_ms / 1000, duration_ms % 1000 / 100)
}
