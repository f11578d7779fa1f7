//! `skill completions SHELL`: the script that teaches a shell our commands.

use clap::CommandFactory;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Answer;

/// Arguments of `skill completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Writes the script to stdout.
pub fn run(args: Args, _context: &Context) -> Result<Answer, Failure> {
    let mut script = Vec::new();
    // Under whichever of its two names the program was called.
    let called = std::env::args_os().next().map(std::path::PathBuf::from);
    let called = called.as_deref().and_then(std::path::Path::file_stem).and_then(std::ffi::OsStr::to_str);
    let name = if called == Some("agent-skill") { "agent-skill" } else { "skill" };
    clap_complete::generate(args.shell, &mut crate::Cli::command(), name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Ok(Answer::new(script.clone(), json!({ "shell": args.shell.to_string(), "script": script })))
}
