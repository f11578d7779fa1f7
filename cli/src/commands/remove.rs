//! `skill remove NAME…`: want fewer skills, and take away what nothing needs any more.

use skills::PackageName;

use super::install;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::{Journey, Options};
use crate::project::{self, Project};
use crate::ui::Answer;
use crate::wants::{Wants, WantsEdit};

/// Arguments of `skill remove`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `scope/name`, or the name of the installed folder
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Delete also what was edited
    #[arg(long)]
    force: bool,
    /// For the user instead of a repository
    #[arg(short, long)]
    global: bool,
    /// Decide everything, write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Removes from `skills.toml`, then goes the way of every install.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let held = project.hold(context, args.dry_run)?;
    let text = project.wants_text()?;
    let wants = project::parse_wants(&text)?;
    let mut edit = WantsEdit::new(&text)?;
    for name in &args.names {
        let package = wanted(&wants, name)?;
        edit.unwant(&package);
    }
    let options = Options { force: args.force, dry_run: args.dry_run, keep_edits: true, ..Options::default() };
    let installed = Journey { context, project: &project, wants_text: edit.text(), options }.run(&held)?;
    for name in &args.names {
        if let Ok(package) = PackageName::parse(name)
            && installed.lock.skill(&package).is_some()
        {
            context.ui.warn(format!("`{package}` stays installed: another skill needs it (`skill why {package}`)"));
        }
    }
    Ok(install::answer(context, installed, args.dry_run))
}

/// The wanted package of this name, given in full or by its installed folder.
fn wanted(wants: &Wants, text: &str) -> Result<PackageName, Failure> {
    let by_folder = || {
        let folder = |(name, want): &(&PackageName, &crate::wants::Want)| {
            want.alias.as_ref().unwrap_or(name.name()).as_str() == text
        };
        wants.skills.iter().find(folder).map(|(name, _)| name.clone())
    };
    let by_name = PackageName::parse(text).ok().filter(|name| wants.skills.contains_key(name));
    by_name.or_else(by_folder).ok_or_else(|| {
        Failure::could_not("not-wanted", format!("skills.toml does not name `{}`", text.escape_debug()))
            .hint("`skill list` shows what is installed, `skill why NAME` why")
    })
}
