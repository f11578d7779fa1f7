//! `skill new SCOPE/NAME`: a package that lints clean, to be filled with meaning.

use std::path::PathBuf;

use serde_json::json;
use skills::manifest::Kind;
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, PackageName};

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
    #[arg(long, default_value = "skill", value_parser = ["skill", "brief", "tools", "check"])]
    kind: String,
    /// The folder to make, instead of NAME in the current one
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Write nothing; say what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Writes `skill.toml` and `SKILL.md` into a new folder.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    refuse_other_kinds(&args.kind)?;
    let target = args.path.unwrap_or_else(|| PathBuf::from(args.name.name().as_str()));
    let tree = template(&args.name);
    folder::check_free(&target)?;
    if !args.dry_run {
        folder::write_new(&tree, &target)?;
    }
    let verb = if args.dry_run { "would make" } else { "made" };
    context.ui.note(format!("{verb} {} in {}", args.name, target.display()));
    context.ui.note("next: say in SKILL.md what it does and when to use it, then `skill lint` it");
    let files: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
    let data = json!({"name": args.name, "kind": args.kind, "path": target, "files": files, "dry_run": args.dry_run});
    Ok(Answer::new("", data))
}

fn refuse_other_kinds(kind: &str) -> Result<(), Failure> {
    let known: Option<Kind> = serde_json::from_value(json!(kind)).ok();
    if known == Some(Kind::Skill) {
        return Ok(());
    }
    Err(Failure::usage(
        "kind-unsupported",
        format!("packages of kind `{kind}` are not in this version, only `skill` is"),
    )
    .hint("leave `--kind` out"))
}

fn template(name: &PackageName) -> Tree {
    let manifest = format!(
        "[package]\nschema = 1\nname = \"{name}\"\nversion = \"0.1.0\"\nkind = \"skill\"\nowners = []\nkeywords = []\n\n\
         # What it needs of the machine, reported by `skill doctor`:\n# [requires]\n# bins = [\"git\"]\n\n\
         # Other packages that it needs:\n# [dependencies]\n# \"scope/name\" = \"^1\"\n"
    );
    let skill = name.name();
    let title = title(skill.as_str());
    let skill_md = format!(
        "---\nname: {skill}\ndescription: Explains what {skill} does, in one or two sentences. Use when a person asks for {skill}.\n---\n\
         # {title}\n\n## When to use\n\nThe situations in which this skill helps, and those in which it does not.\n\n\
         ## Steps\n\n1. The first thing to do, and how to tell that it worked.\n\n\
         ## Done when\n\nWhat can be seen when the work is finished.\n"
    );
    let file = |path: &str, text: String| File {
        path: FilePath::parse(path).expect("our own file names are lawful"),
        mode: Mode::Regular,
        bytes: text.into_bytes(),
    };
    Tree::new(vec![file("skill.toml", manifest), file("SKILL.md", skill_md)])
        .expect("two small files are a lawful tree")
}

/// `pdf-fill` as a heading: `Pdf fill`.
fn title(name: &str) -> String {
    let words = name.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_new_writes_may_be_published_as_it_is() {
        let name = PackageName::parse("acme/pdf-fill").expect("a name");
        let tree = template(&name);
        assert_eq!(skills::lint::lint(&tree, Some("pdf-fill")), []);
        let package = skills::package::Package::from_tree(tree, None, None).expect("a package");
        assert_eq!((package.name, package.kind), (name, Kind::Skill));
    }
}
