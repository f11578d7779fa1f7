//! `skill new SCOPE/NAME`: a package that lints clean, to be filled with meaning.

mod starter;

use std::path::PathBuf;

use serde_json::json;
use skills::PackageName;
use skills::manifest::Kind;

use self::starter::starter;
use crate::argument;
use crate::context::Context;
use crate::failure::Failure;
use crate::folder;
use crate::ui::Answer;

/// Arguments of `skill new`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The package's full name
    #[arg(value_name = "SCOPE/NAME", value_parser = argument::parse::<PackageName>)]
    name: PackageName,
    /// What kind of package
    #[arg(long, default_value = "skill", value_name = "KIND", value_parser = kind)]
    kind: Kind,
    /// The folder to make, instead of NAME in the current one
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Write nothing; say what would be written
    #[arg(long)]
    dry_run: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    let kinds = [Kind::Skill, Kind::Brief, Kind::Tools, Kind::Check];
    let found = kinds.into_iter().find(|kind| kind.as_str() == text);
    found.ok_or_else(|| format!("a package is of kind {}", kinds.map(Kind::as_str).join(", ")))
}

/// Writes the starter of the kind into a new folder.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let target = args.path.unwrap_or_else(|| PathBuf::from(args.name.name().as_str()));
    let tree = starter(&args.name, args.kind);
    folder::check_free(&target)?;
    if !args.dry_run {
        folder::write_new(&tree, &target)?;
    }
    let verb = if args.dry_run { "would make" } else { "made" };
    context.ui.note(format!("{verb} {} in {}", args.name, target.display()));
    context.ui.note(format!("next: {}, then `skill lint` it", next(args.kind)));
    let files: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
    let data = json!({"name": args.name, "kind": args.kind, "path": target, "files": files, "dry_run": args.dry_run});
    Ok(Answer::new("", data))
}

/// Where the author goes on.
fn next(kind: Kind) -> &'static str {
    match kind {
        Kind::Skill => "say in SKILL.md what it does and when to use it",
        Kind::Brief => "say in skill.toml what is given, made and proved, and in brief.md what is asked for",
        Kind::Tools => "say in skill.toml what is exposed, asked about and denied",
        Kind::Check => "write run.sh, and fixtures that it passes and fails on",
    }
}
