//! `skill trace check`: did the agent stay within the bundles of its brief?
//!
//! The recording is read, counted and forgotten. What is kept is its digest and how often which tool was
//! called: a recording holds prompts, files and answers, which are nobody's to commit.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;
use skills::Sha256;

use crate::briefs;
use crate::cache::Cache;
use crate::commands::brief::bundles_of;
use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::place::{self, Change, Spot};
use crate::project::{Project, Regular, read_regular, read_text};
use crate::shown;
use crate::trace::{TRACE_BYTES_MAX, count, read};
use crate::ui::Answer;

/// Largest file of earlier results, in bytes.
const RECORDS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Arguments of `skill trace`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Count the calls of a recording, and list those outside of a brief's bundles
    Check(Check),
}

/// Arguments of `skill trace check`.
#[derive(Debug, ClapArgs)]
struct Check {
    /// The recording: a Claude Code transcript, a Codex session, or OTel as JSON
    file: PathBuf,
    /// The rendered brief
    #[arg(long, value_name = "ID")]
    brief: String,
    /// Keep nothing
    #[arg(long)]
    dry_run: bool,
}

/// Reads, counts, keeps the counts; fails if a call was foreign.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let Do::Check(args) = args.action;
    let project = Project::find_or_start(context, false)?;
    let held = project.hold(context, args.dry_run)?;
    let brief = briefs::find(&project, &args.brief)?;
    let text = recording(&args.file)?;
    let (form, calls) = read(&text).map_err(|failure| failure.at(args.file.display()))?;
    let bundles = bundles_of(&project, &brief, &Cache::new(&context.home()?.cache))?;
    let counts = count(&calls, &bundles);
    let foreign: usize = counts.foreign.values().sum();
    let record = json!({
        "v": 1, "at": briefs::now(), "brief": {"id": brief.id, "digest": brief.document.digest()},
        "trace": {"form": form, "digest": Sha256::of(&text), "bytes": text.len()},
        "calls": calls.len(), "tools": counts.tools, "foreign": counts.foreign,
    });
    let path = format!(".skill/evidence/{}.trace.jsonl", brief.id);
    if !args.dry_run {
        let mut records = read_text(&project.root.join(&path), RECORDS_BYTES_MAX)?;
        records.push_str(&format!("{record}\n"));
        place::apply(&project, &held, &[Change::File(Spot::root(&*path), records.into_bytes())])?;
    }
    let mut out = format!("{} calls, {foreign} outside of the bundles\n", calls.len());
    for (what, times) in &counts.foreign {
        let _ = writeln!(out, "    {times} × {}", shown::single(what));
    }
    let exit = if foreign > 0 { Exit::Failed } else { Exit::Done };
    Ok(Answer::new(out, record).exit(exit))
}

fn recording(path: &std::path::Path) -> Result<String, Failure> {
    match read_regular(path, TRACE_BYTES_MAX).on("read", path)? {
        Regular::Bytes(bytes) => String::from_utf8(bytes)
            .map_err(|_| Failure::usage("file-not-utf8", format!("`{}` is not UTF-8", path.display()))),
        Regular::Absent => Err(Failure::could_not("file-missing", format!("there is no `{}`", path.display()))),
        Regular::NotAFile => Err(Failure::usage("not-a-file", format!("`{}` is not a regular file", path.display()))),
        Regular::TooLarge => {
            let seen = format!("`{}` has more than {TRACE_BYTES_MAX} bytes", path.display());
            Err(Failure::usage("file-too-large", seen))
        }
    }
}
