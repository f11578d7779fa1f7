//! Who relies on it: the program `skill`.
//!
//! Parse the flags, run one command, print its answer, exit with the code of DESIGN.md §4. Each
//! command is one file in [`commands`]; what several of them share has a name of its own:
//!
//! ```text
//! project   skills.toml and skills.lock of a repository     trust    .skill/trust.toml, .skill/proofs
//! client    the registry, over HTTP                          cache    what was fetched, by digest
//! place     the transaction that changes the disk            agents   who reads skills where
//! ```

pub mod abilities;
pub mod agents;
pub mod api;
pub mod argument;
pub mod briefs;
pub mod cache;
pub mod client;
pub mod clients;
pub mod commands;
pub mod context;
pub mod credentials;
pub mod diary;
pub mod edits;
pub mod evals;
pub mod evidence;
pub mod failure;
pub mod folder;
pub mod git;
pub mod handover;
pub mod home;
pub mod install;
pub mod installed;
pub mod keys;
pub mod passphrase;
pub mod place;
pub mod policy;
pub mod private;
pub mod project;
pub mod registries;
pub mod report;
pub mod runner;
pub mod sandbox;
pub mod sarif;
pub mod shown;
pub mod sign_test;
pub mod stats;
pub mod tools;
pub mod trace;
pub mod trust;
pub mod ui;
pub mod wants;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;
use crate::context::{Context, GlobalFlags};
use crate::failure::{Exit, Failure};

/// Publish, install and verify agent skills.
#[derive(Debug, Parser)]
#[command(name = "skill", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    flags: GlobalFlags,
    #[command(subcommand)]
    command: Command,
}

/// The whole program.
pub fn main() -> ExitCode {
    if let Some(code) = sandbox::entered() {
        return code;
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(finish_unparsed(&error) as u8),
    };
    let name = cli.command.name();
    let json = cli.flags.json;
    match Context::new(cli.flags) {
        Ok(context) => {
            let result = cli.command.run(&context);
            ExitCode::from(context.ui.finish(name, result) as u8)
        }
        Err(failure) => ExitCode::from(finish_early(name, json, failure) as u8),
    }
}

/// Help and version go where clap sends them; a usage error obeys `--json` like any other failure.
fn finish_unparsed(error: &clap::Error) -> Exit {
    if !error.use_stderr() || !std::env::args_os().any(|argument| argument == "--json") {
        let _ = error.print();
        return if error.use_stderr() { Exit::Usage } else { Exit::Done };
    }
    let text = error.to_string();
    let sentence = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    finish_early("skill", true, Failure::usage("usage", sentence))
}

/// A failure before there was a context: the folder of `-C` is not there.
fn finish_early(name: &str, json: bool, failure: Failure) -> Exit {
    ui::Ui::new(false, false, json, ui::Color::Auto, true).finish(name, Err(failure))
}
