//! The commands, one file each: arguments, help and work of a command stand together.

pub mod add;
pub mod approve;
pub mod brief;
pub mod cache;
pub mod check;
pub mod completions;
pub mod diff;
pub mod doctor;
pub mod eval;
pub mod hook;
pub mod info;
pub mod init;
pub mod install;
pub mod key;
pub mod lint;
pub mod list;
pub mod login;
pub mod logout;
pub mod new;
pub mod outdated;
pub mod pack;
pub mod prune;
pub mod publish;
pub mod remove;
pub mod review;
pub mod rollback;
pub mod scope;
pub mod search;
pub mod stats;
pub mod status;
pub mod token;
pub mod tools;
pub mod trace;
pub mod tree;
pub mod unpack;
pub mod update;
pub mod verify;
pub mod whoami;
pub mod why;
pub mod yank;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Answer;

/// Declares the commands once: the enum that clap reads, the dispatch, and the name of each.
macro_rules! commands {
    ($($(#[$meta:meta])* $variant:ident => $module:ident, $name:literal;)*) => {
        /// Every command of `skill`.
        #[derive(Debug, Subcommand)]
        pub enum Command {
            $($(#[$meta])* #[command(name = $name)] $variant($module::Args),)*
        }

        impl Command {
            /// The name as typed.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Runs the command.
            pub fn run(self, context: &Context) -> Result<Answer, Failure> {
                match self {
                    $(Self::$variant(args) => $module::run(args, context),)*
                }
            }
        }
    };
}

commands! {
    /// Start skills.toml and find the agents used here
    Init => init, "init";
    /// Want more skills, and install them
    Add => add, "add";
    /// Make the disk equal to the lock, resolving first what it lacks
    Install => install, "install";
    /// Want fewer skills
    Remove => remove, "remove";
    /// Move to the newest versions that skills.toml allows
    Update => update, "update";
    /// Undo the last install, update or removal, to the byte
    Rollback => rollback, "rollback";
    /// Forget what is recorded here for nobody
    Prune => prune, "prune";
    /// Which installed skills have newer versions
    Outdated => outdated, "outdated";
    /// What is installed
    List => list, "list";
    /// Who needs whom
    Tree => tree, "tree";
    /// Why a skill is installed
    Why => why, "why";
    /// Show edits of an installed skill, or what differs between two versions
    Diff => diff, "diff";
    /// Check everything installed against policy, proofs and signatures
    Verify => verify, "verify";
    /// Say what of everything written here is still so
    Status => status, "status";
    /// Allow what a tool bundle wishes for, or decide about a task of a brief
    Approve => approve, "approve";
    /// One page about the work on a brief: what changed, what ran, what is open
    Review => review, "review";
    /// Look at a brief, judge it, render it
    Brief => brief, "brief";
    /// Run a check and keep its evidence; show that it can fail
    Check => check, "check";
    /// Look at a tool bundle, and at what it becomes in each client
    Tools => tools, "tools";
    /// Judge a tool call by the installed bundles, for a client's hook
    Hook => hook, "hook";
    /// Say whether an agent stayed within the bundles of its brief
    Trace => trace, "trace";
    /// Keep what evals say about a version, and compare versions
    Eval => eval, "eval";
    /// Measure how work is orchestrated here, from files that exist anyway
    Stats => stats, "stats";
    /// Start a new package
    New => new, "new";
    /// Say what is wrong with a package, and mend what a machine can
    Lint => lint, "lint";
    /// Pack a package into its archive, the same bytes on every machine
    Pack => pack, "pack";
    /// Check an archive and write its files into a new folder
    Unpack => unpack, "unpack";
    /// Make and show the keys that sign releases
    Key => key, "key";
    /// Keep a token for a registry
    Login => login, "login";
    /// Forget the token of a registry
    Logout => logout, "logout";
    /// Say who the registry takes you for
    Whoami => whoami, "whoami";
    /// Make, list and revoke registry tokens
    Token => token, "token";
    /// Create and show a team's namespace
    Scope => scope, "scope";
    /// Sign and publish packages
    Publish => publish, "publish";
    /// Withdraw a version, or bring it back
    Yank => yank, "yank";
    /// Find packages by words
    Search => search, "search";
    /// Show what the registry says about a package
    Info => info, "info";
    /// Say whether everything is here that the other commands need
    Doctor => doctor, "doctor";
    /// Look after what was fetched
    Cache => cache, "cache";
    /// Print a completion script for your shell
    Completions => completions, "completions";
}

#[cfg(test)]
mod tests;
