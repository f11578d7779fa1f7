//! `skill brief`: look at a brief, judge it, render it.
//!
//! A brief is read from its package's folder, and the packages that it uses from the folders beside
//! it: what an author has, before anything is published.

mod lint;
mod package;
mod render;
mod show;

use clap::{Args as ClapArgs, Subcommand};

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Answer;

/// Arguments of `skill brief`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Print the JSON Schema of a brief's parameters
    Schema(show::Schema),
    /// Show parameters, boundary, tools, checks and tasks
    Show(show::Show),
    /// Say what is wrong with a brief, as a package or rendered
    Lint(lint::Lint),
    /// Write the brief that an agent works by
    Render(render::Render),
}

/// Runs one of the four.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    match args.action {
        Do::Schema(args) => show::schema(&args),
        Do::Show(args) => show::show(&args),
        Do::Lint(args) => lint::run(&args, context),
        Do::Render(args) => render::run(&args, context),
    }
}
