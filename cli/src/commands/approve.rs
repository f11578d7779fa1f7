//! `skill approve`: a human says yes to what nobody should decide alone.
//!
//! With one argument it lets a tool bundle have what it wishes for. With a brief and a task it is a
//! decision about the work on that brief, signed and bound to what was on the page.

use clap::ValueEnum;
use skills::evidence::Decision;

use crate::context::Context;
use crate::failure::Failure;
use crate::passphrase::PassphraseFlags;
use crate::ui::Answer;
use crate::{handover, tools};

/// Arguments of `skill approve`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle: `scope/name`, or its installed folder; before a TASK, the rendered brief
    #[arg(value_name = "PACKAGE|ID")]
    subject: String,
    /// The task of the brief that waits for a human
    #[arg(conflicts_with_all = ["grants", "all"])]
    task: Option<String>,
    /// Only this grant, such as `mcp:pg:query`; again for more
    #[arg(long = "grant", value_name = "GRANT", conflicts_with = "all")]
    grants: Vec<String>,
    /// Every grant of the bundle, as without `--grant`
    #[arg(long)]
    all: bool,
    /// The key to sign a decision with, by name or path
    #[arg(long, requires = "task")]
    key: Option<String>,
    #[command(flatten)]
    passphrase: PassphraseFlags,
    /// Yes or no to the task; a no is taken whatever is missing
    #[arg(long, value_enum, default_value_t = Choice::Approve, requires = "task")]
    decision: Choice,
    /// What the change is compared with; by default the main branch of origin
    #[arg(long, value_name = "REF", requires = "task")]
    base: Option<String>,
    /// Accept without asking
    #[arg(short, long)]
    yes: bool,
    /// Decide everything, write and sign nothing
    #[arg(long)]
    dry_run: bool,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Choice {
    /// The gate opens
    Approve,
    /// It stays shut
    Reject,
}

/// One argument: the grants of a bundle. Two: a task of a brief.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let Some(task) = &args.task else {
        let Args { subject: package, grants, all: _, yes, dry_run, .. } = args;
        return tools::approve::run(tools::approve::Request { package, grants, yes, dry_run }, context);
    };
    let decision = match args.decision {
        Choice::Approve => Decision::Approve,
        Choice::Reject => Decision::Reject,
    };
    let request = handover::approve::Request {
        brief: &args.subject,
        task,
        decision,
        key: args.key.as_deref(),
        passphrase: &args.passphrase,
        yes: args.yes,
        dry_run: args.dry_run,
        base: args.base.as_deref(),
    };
    handover::approve::approve(&request, context)
}
