//! `skill brief new --from ID`: a brief that went well becomes a package.
//!
//! What was written once is used again: the text becomes a template, its values become parameters whose
//! defaults they are, and whatever the brief uses becomes a dependency. The new package is rendered
//! before it is written: unless it gives the same text again, nothing is written.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use skills::brief::render_family;
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, PackageName};

use super::package::{self, Package, Uses};
use super::{pattern, render};
use crate::argument;
use crate::briefs::{self, Shelved};
use crate::cache::Cache;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::folder;
use crate::project::Project;
use crate::ui::Answer;

/// Arguments of `skill brief new`.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The rendered brief to start from
    #[arg(long, value_name = "ID")]
    from: String,
    /// The new package's full name
    #[arg(long, value_name = "SCOPE/NAME", value_parser = argument::parse::<PackageName>)]
    name: PackageName,
    /// The folder to make, instead of NAME in the current one
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write nothing; say what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Makes the package, renders it, compares, writes.
pub(super) fn run(args: &New, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find_or_start(context, false)?;
    let brief = briefs::find(&project, &args.from)?;
    let markdown = briefs::markdown(&project, &brief)?;
    let cache = Cache::new(&context.home()?.cache);
    let uses = package::used_by(&project, &briefs::family(&project, &brief.document), &cache)?;
    let tree = tree(args, &brief, &markdown, &uses)?;
    compare(&tree, &brief, &markdown, &uses)?;
    let target = args.output.clone().unwrap_or_else(|| PathBuf::from(args.name.name().as_str()));
    folder::check_free(&target)?;
    if !args.dry_run {
        folder::write_new(&tree, &target)?;
    }
    let verb = if args.dry_run { "would make" } else { "made" };
    context.ui.note(format!("{verb} {} in {}", args.name, target.display()));
    context.ui.note("next: say in skill.toml what each parameter may be, then `skill lint` it");
    let files: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
    Ok(Answer::new("", json!({"name": args.name, "path": target, "files": files, "dry_run": args.dry_run})))
}

fn tree(args: &New, brief: &Shelved, markdown: &str, uses: &Uses) -> Result<Tree, Failure> {
    let (manifest, template) = pattern::of(&brief.document, markdown, &args.name, &uses.bundles, &uses.proofs);
    let file = |path: &str, text: String| File {
        path: FilePath::parse(path).expect("our own file names are lawful"),
        mode: Mode::Regular,
        bytes: text.into_bytes(),
    };
    Ok(Tree::new(vec![file("skill.toml", manifest), file("brief.md", template)])?)
}

/// The same values have to give the same text, or the package is not what it says.
fn compare(tree: &Tree, brief: &Shelved, markdown: &str, uses: &Uses) -> Result<(), Failure> {
    let package = Package::of_tree(tree.clone())?;
    let values = package.tables.params.accept(&serde_json::Map::new())?;
    let family = render_family(&package.source(uses), &uses.library(), &values, Some(&brief.document.id));
    let again = family.map_err(render::of_refusal)?.swap_remove(0);
    if pattern::body(&again.markdown) == pattern::body(markdown) {
        return Ok(());
    }
    let seen = format!("a package made of `{}` would not give its text again", brief.id);
    Err(Failure::new(Exit::Failed, "brief-not-round", seen)
        .hint("its text was edited in what packages say: see `skill brief lint`"))
}
