//! `skill approve PACKAGE`: let a tool bundle have what it wishes for.

use crate::context::Context;
use crate::failure::Failure;
use crate::tools::approve::{self, Request};
use crate::ui::Answer;

/// Arguments of `skill approve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle: `scope/name`, or its installed folder
    #[arg(value_name = "PACKAGE")]
    package: String,
    /// Only this grant, such as `mcp:pg:query`; again for more
    #[arg(long = "grant", value_name = "GRANT", conflicts_with = "all")]
    grants: Vec<String>,
    /// Every grant of the bundle, as without `--grant`
    #[arg(long)]
    all: bool,
    /// Accept without asking
    #[arg(long)]
    yes: bool,
    /// Decide everything, write nothing
    #[arg(long)]
    dry_run: bool,
}

/// One argument: the grants of a bundle.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let Args { package, grants, all: _, yes, dry_run } = args;
    approve::run(Request { package, grants, yes, dry_run }, context)
}
