//! `skill cache`: what was fetched once, and is kept by digest.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use crate::cache::Cache;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Answer;

/// Arguments of `skill cache`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Print where the cache is
    Dir,
    /// Remove everything from it
    Clean(Clean),
    /// Hash every file again, and remove what is damaged
    Verify(Verify),
}

#[derive(Debug, ClapArgs)]
struct Clean {
    /// Remove nothing; say what would be removed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, ClapArgs)]
struct Verify {}

/// Runs one of the three.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let cache = Cache::new(&context.home()?.cache);
    match args.action {
        Do::Dir => Ok(Answer::new(format!("{}\n", cache.root().display()), json!({"path": cache.root()}))),
        Do::Clean(args) => clean(&cache, args.dry_run, context),
        Do::Verify(_) => verify(&cache, context),
    }
}

fn clean(cache: &Cache, dry_run: bool, context: &Context) -> Result<Answer, Failure> {
    if !dry_run {
        cache.clean()?;
    }
    let verb = if dry_run { "would remove" } else { "removed" };
    context.ui.note(format!("{verb} everything in {}", cache.root().display()));
    Ok(Answer::new("", json!({"path": cache.root(), "dry_run": dry_run})))
}

/// Damage is mended, not a failure: what was removed is fetched again when it is needed.
fn verify(cache: &Cache, context: &Context) -> Result<Answer, Failure> {
    let report = cache.verify()?;
    for path in &report.removed {
        context.ui.warn(format!("damaged, removed: {}", path.display()));
    }
    let removed = report.removed.len();
    let text = format!("{} files, {} bytes, {removed} damaged\n", report.checked, report.total_bytes);
    Ok(Answer::new(text, json!({"checked": report.checked, "bytes": report.total_bytes, "removed": report.removed})))
}
