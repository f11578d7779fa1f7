//! `skill tools`: look at a tool bundle, try its rules, start one from what a server says about itself.
//!
//! Nothing here writes into an agent's configuration; `skill install` does, and says what.

mod bundle;
mod import;
mod list;
mod show;
mod trial;

use clap::{Args as ClapArgs, Subcommand};

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Answer;

/// Arguments of `skill tools`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Show what a bundle becomes in each client, and how much of it holds there
    Show(show::Show),
    /// The installed bundles: boundary, servers, wishes
    List(list::List),
    /// Try the rules of a bundle on their own examples
    Test(trial::Test),
    /// Draft a bundle from what a server says about itself
    Import(import::Import),
}

/// Runs one of them.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    match args.action {
        Do::Show(args) => show::run(&args, context),
        Do::List(args) => list::run(&args, context),
        Do::Test(args) => trial::run(&args, context),
        Do::Import(args) => import::run(&args, context),
    }
}
