//! What holds for every command, whoever writes the next one.

use clap::{Command, CommandFactory};

use crate::Cli;

/// Every command that does something by itself, with its whole name: `key generate`.
fn leaves() -> Vec<(String, Command)> {
    let mut cli = Cli::command();
    cli.build();
    let mut waiting: Vec<(String, Command)> =
        cli.get_subcommands().map(|command| (command.get_name().to_owned(), command.clone())).collect();
    let mut leaves = Vec::new();
    while let Some((name, command)) = waiting.pop() {
        if command.get_name() == "help" {
            continue;
        }
        let below = command.get_subcommands().map(|below| (format!("{name} {}", below.get_name()), below.clone()));
        let below: Vec<(String, Command)> = below.collect();
        if below.is_empty() { leaves.push((name, command)) } else { waiting.extend(below) }
    }
    leaves
}

#[test]
fn the_command_line_is_free_of_contradictions() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_every_argument_has_help() {
    for (name, command) in leaves() {
        assert!(command.get_about().is_some(), "`{name}` says nothing about itself");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "`{name}` has no help for `{}`", argument.get_id());
        }
    }
}

/// Commands that only look. `login` and the like are not among them: they write a file.
const READERS: &[&str] = &[
    "brief lint",
    "brief list",
    "brief schema",
    "brief show",
    "brief status",
    "brief start",
    "cache dir",
    "cache verify",
    "check list",
    "check test",
    "completions",
    "diff",
    "doctor",
    "eval compare",
    "hook eval",
    "info",
    "key export",
    "key list",
    "key show",
    "list",
    "outdated",
    "scope show",
    "search",
    "status",
    "token list",
    "tools list",
    "tools show",
    "tools test",
    "tree",
    "verify",
    "whoami",
    "why",
];

#[test]
fn every_command_that_changes_something_has_dry_run() {
    for (name, command) in leaves() {
        let has = command.get_arguments().any(|argument| argument.get_id() == "dry_run");
        assert_eq!(has, !READERS.contains(&name.as_str()), "`{name}`: --dry-run");
    }
}

#[test]
fn the_readme_names_every_command() {
    let readme = include_str!("../../README.md");
    for (name, _) in leaves() {
        let first = name.split(' ').next().unwrap_or(&name);
        assert!(
            readme.contains(&format!("`{first} ")) || readme.contains(&format!("`{first}`")),
            "README.md has no `{first}`"
        );
    }
}
