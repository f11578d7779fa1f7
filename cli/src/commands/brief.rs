//! `skill brief`: look at a brief, judge it, render it, and see it through to its end.
//!
//! A brief is read from what is installed, or from its package's folder: what an author has, before
//! anything is published. Once rendered it is called by its id.

mod close;
mod escalate;
mod lint;
mod list;
mod new;
mod package;
mod pattern;
mod render;
mod show;
mod start;
pub(crate) mod status;
mod update;

use clap::{Args as ClapArgs, Subcommand};
use skills::brief::uses::Bundle;

use crate::briefs::{self, Shelved};
use crate::cache::Cache;
use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::ui::Answer;

/// Arguments of `skill brief`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// List the rendered briefs and those that are installed
    List(list::List),
    /// Print the JSON Schema of a brief's parameters
    Schema(show::Schema),
    /// Show parameters, boundary, tools, checks and tasks
    Show(show::Show),
    /// Say what is wrong with a brief, as a package or rendered
    Lint(lint::Lint),
    /// Write the brief that an agent works by
    Render(render::Render),
    /// Move a rendered brief to a newer version of its package, keeping edits
    Update(update::Update),
    /// Turn a rendered brief into a package
    New(new::New),
    /// Say which tasks are done, which can be begun, and which wait for a human
    Status(status::Status),
    /// Print the line that starts an agent with the brief's approval mode; start nothing
    Start(start::Start),
    /// Record that somebody stopped and asked
    Escalate(escalate::Escalate),
    /// Record how the work ended, and put the brief away
    Close(close::Close),
}

pub(crate) use package::render_again;

/// Runs one of them.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    match args.action {
        Do::List(args) => list::run(&args, context),
        Do::Schema(args) => show::schema(&args, context),
        Do::Show(args) => show::show(&args, context),
        Do::Lint(args) => lint::run(&args, context),
        Do::Render(args) => render::run(&args, context),
        Do::Update(args) => update::run(&args, context),
        Do::New(args) => new::run(&args, context),
        Do::Status(args) => status::run(&args, context),
        Do::Start(args) => start::run(&args, context),
        Do::Escalate(args) => escalate::run(&args, context),
        Do::Close(args) => close::run(&args, context),
    }
}

/// The bundles that a rendered brief pins: installed as pinned, else from the cache.
pub fn bundles_of(project: &Project, brief: &Shelved, cache: &Cache) -> Result<Vec<Bundle>, Failure> {
    Ok(package::used_by(project, &briefs::family(project, &brief.document), cache)?.bundles)
}
