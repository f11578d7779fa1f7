//! `skill outdated`: which installed skills have newer versions.

use std::fmt::Write;

use index::entry::Entry;
use index::lock::{Lock, LockedSkill};
use serde_json::json;
use skills::{PackageName, Requirement, Version};

use crate::context::Context;
use crate::failure::Failure;
use crate::install::{Catalogue, fetch_catalogue};
use crate::project::Project;
use crate::registries::Registries;
use crate::trust::Trust;
use crate::ui::Answer;
use crate::wants::Origin;

/// Arguments of `skill outdated`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For the user instead of a repository
    #[arg(short, long)]
    global: bool,
}

/// Lists name, installed, newest allowed by `skills.toml`, newest.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let (wants, lock) = (project.wants()?, project.lock()?);
    let registries = Registries::new(context, &wants);
    let policy = Trust::read(&project)?.policy;
    let from_registry = lock.skills.iter().filter(|skill| matches!(skill.source, index::lock::Source::Registry { .. }));
    let skills: Vec<_> = from_registry.collect();
    let names = skills.iter().map(|skill| skill.name.clone()).collect::<Vec<_>>();
    let catalogue = context.block_on(fetch_catalogue(names, &registries, &policy))?;
    let mut text = String::new();
    let mut rows = Vec::new();
    for skill in skills {
        let entries = catalogue.get(&skill.name).map_or(&[][..], Vec::as_slice);
        let needed = needs(&lock, &catalogue, &skill.name);
        let allowed = |entry: &Entry| {
            let wanted = match wants.skills.get(&skill.name).map(|want| &want.origin) {
                Some(Origin::Registry(requirement)) => requirement.matches(&entry.vers),
                _ => true,
            };
            wanted && needed.iter().all(|requirement| requirement.matches(&entry.vers))
        };
        let newest = newest_of(entries, |_| true);
        let compatible = newest_of(entries, allowed);
        let yanked = entries.iter().find(|entry| entry.vers == skill.version).is_some_and(|entry| entry.yanked);
        let behind = newest.is_some_and(|newest| *newest > skill.version);
        if !behind && !yanked {
            continue;
        }
        let word = |version: Option<&Version>| version.map_or_else(|| "-".to_owned(), ToString::to_string);
        let mark = if yanked { "  (installed version is yanked)" } else { "" };
        writeln!(
            text,
            "{:<40} {:>10} -> {:>10}  newest {}{mark}",
            skill.name.to_string(),
            skill.version.to_string(),
            word(compatible),
            word(newest)
        )
        .expect("writing to a string");
        rows.push(json!({ "name": skill.name, "installed": skill.version, "compatible": compatible, "newest": newest, "yanked": yanked }));
    }
    if rows.is_empty() {
        context.ui.note("everything is up to date");
    }
    Ok(Answer::new(text, json!({ "outdated": rows })))
}

/// What the other installed skills require of this one.
fn needs<'c>(lock: &Lock, catalogue: &'c Catalogue, name: &PackageName) -> Vec<&'c Requirement> {
    let installed = |skill: &&LockedSkill| skill.dependencies.contains(name);
    let entry = |skill: &LockedSkill| catalogue.get(&skill.name)?.iter().find(|entry| entry.vers == skill.version);
    let dependents = lock.skills.iter().filter(installed).filter_map(entry);
    dependents
        .flat_map(|entry| &entry.deps)
        .filter(|dependency| dependency.name == *name)
        .map(|dependency| &dependency.req)
        .collect()
}

fn newest_of(entries: &[Entry], allowed: impl Fn(&Entry) -> bool) -> Option<&Version> {
    let usable = entries.iter().filter(|entry| !entry.yanked && !entry.vers.is_prerelease() && allowed(entry));
    usable.map(|entry| &entry.vers).max()
}
