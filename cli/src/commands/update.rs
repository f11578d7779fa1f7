//! `skill update [NAME…]`: move to the newest versions that `skills.toml` allows.
//!
//! What changes in *capability* is shown before anything is written: a new version that brings
//! scripts or asks for tools is another decision than one that fixes a spelling.

use std::collections::{BTreeMap, BTreeSet};

use index::entry::Entry;
use skills::PackageName;

use super::install;
use crate::abilities;
use crate::context::Context;
use crate::failure::Failure;
use crate::install::{Installed, Journey, Options, Unlock, fetch_catalogue};
use crate::project::Project;
use crate::registries::Registries;
use crate::shown;
use crate::trust::Trust;
use crate::ui::Answer;

/// Arguments of `skill update`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `scope/name`; without any: all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Trust scopes met for the first time without asking
    #[arg(long)]
    trust: bool,
    /// Overwrite what was edited
    #[arg(long)]
    force: bool,
    /// For the user instead of a repository
    #[arg(short, long)]
    global: bool,
    /// Decide everything, write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Decides, shows, then installs.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let held = project.hold(context, args.dry_run)?;
    let unlock = unlock(&args.names, &project)?;
    let journey = |dry_run| -> Result<Installed, Failure> {
        let options = Options {
            force: args.force,
            dry_run,
            rehearsal: dry_run && !args.dry_run,
            unlock: unlock.clone(),
            pin: Some(args.trust),
            keep_edits: true,
            ..Options::default()
        };
        Journey { context, project: &project, wants_text: project.wants_text()?, options }.run(&held)
    };
    // The first walk decides and writes nothing; what it fetched is in the cache for the second.
    let decided = journey(true)?;
    show_capabilities(context, &project, &decided)?;
    let installed = if args.dry_run { decided } else { journey(false)? };
    Ok(install::answer(context, installed, args.dry_run))
}

fn unlock(names: &[String], project: &Project) -> Result<Unlock, Failure> {
    if names.is_empty() {
        return Ok(Unlock::All);
    }
    let lock = project.lock()?;
    let mut set = BTreeSet::new();
    for text in names {
        let name = PackageName::parse(text)?;
        if lock.skill(&name).is_none() {
            return Err(Failure::could_not("not-installed", format!("skills.lock does not have `{name}`"))
                .hint("`skill list` shows what is installed"));
        }
        set.insert(name);
    }
    Ok(Unlock::Some(set))
}

/// Says what each changed skill may do now that it could not before.
fn show_capabilities(context: &Context, project: &Project, decided: &Installed) -> Result<(), Failure> {
    let moved: Vec<_> = decided
        .changes
        .iter()
        .filter(|change| change.to.is_some() && change.from.is_some() && change.from != change.to)
        .collect();
    if moved.is_empty() || context.flags.offline {
        return Ok(());
    }
    let wants = project.wants()?;
    let registries = Registries::new(context, &wants);
    let policy = Trust::read(project)?.policy;
    let names: Vec<PackageName> = moved.iter().map(|change| change.name.clone()).collect();
    let catalogue: BTreeMap<PackageName, Vec<Entry>> =
        context.block_on(fetch_catalogue(names, &registries, &policy))?;
    for change in moved {
        let Some(entries) = catalogue.get(&change.name) else { continue };
        let of = |version: &Option<skills::Version>| {
            version.as_ref().and_then(|version| entries.iter().find(|entry| entry.vers == *version))
        };
        let (Some(before), Some(after)) = (of(&change.from), of(&change.to)) else { continue };
        let (was, is) = (abilities::words(&before.caps), abilities::words(&after.caps));
        if was != is {
            let sentence = format!("{}: capabilities change from {was} to {is}", change.name);
            context.ui.warn(shown::line(&sentence, 400));
        }
    }
    Ok(())
}
