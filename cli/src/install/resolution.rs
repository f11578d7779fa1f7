//! Resolve: from what is wanted to one version of each skill.
//!
//! A lock that satisfies `skills.toml` is the answer, with no solver and no network. Otherwise the
//! index files of everything that could be needed are fetched, a round at a time and each round in
//! parallel, until the solver has all that it asks for.

use std::collections::{BTreeMap, BTreeSet};

use index::entry::Entry;
use index::lock::{Lock, LockedSkill, Source};
use index::policy::Policy;
use index::resolve::{Fixed, Outcome, Wanted, resolve as solve};
use skills::manifest::Kind;
use skills::package::Package;
use skills::{PackageName, SkillName, Version};

use super::Unlock;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::folder;
use crate::project::Project;
use crate::registries::Registries;
use crate::wants::{Origin, Wants};

/// The index files fetched so far.
pub type Catalogue = BTreeMap<PackageName, Vec<Entry>>;

/// One skill of the resolution.
#[derive(Debug)]
pub(super) struct Pick {
    /// Which skill.
    pub name: PackageName,
    /// Which version.
    pub version: Version,
    /// What kind of package it is, by the word of the lock or the index; of a folder, by its manifest.
    pub kind: Kind,
    /// The folder to install into.
    pub folder: SkillName,
    /// The names it depends on.
    pub dependencies: Vec<PackageName>,
    /// Where it comes from.
    pub origin: PickOrigin,
    /// The line of the lock that already says all this.
    pub locked: Option<LockedSkill>,
}

/// Where a picked skill comes from.
#[derive(Debug)]
pub(super) enum PickOrigin {
    /// A registry, by name; the index entry where it is newly chosen.
    Registry(String, Option<Box<Entry>>),
    /// A folder, relative to `skills.toml`, read just now.
    Path(String, Box<Package>),
}

/// One version of each skill that is wanted or needed, sorted by name.
pub(super) fn resolve(
    project: &Project,
    wants: &Wants,
    old: &Lock,
    unlock: &Unlock,
    registries: &Registries<'_>,
    policy: &Policy,
    context: &Context,
) -> Result<Vec<Pick>, Failure> {
    let paths = read_paths(project, wants)?;
    let picks = match (unlock, satisfied(wants, old, &paths)) {
        (Unlock::None, true) => from_lock(old, paths),
        _ => context.block_on(from_index(wants, old, unlock, registries, policy, paths))?,
    };
    check_folders(&picks)?;
    Ok(picks)
}

/// Reads the folders that `skills.toml` names.
fn read_paths(project: &Project, wants: &Wants) -> Result<BTreeMap<PackageName, (String, Package)>, Failure> {
    let mut paths = BTreeMap::new();
    for (name, want) in &wants.skills {
        let Origin::Path(path) = &want.origin else { continue };
        let tree = folder::read(&project.root.join(path)).map_err(|failure| failure.at(format_args!("`{name}`")))?.tree;
        let version = unversioned(&tree);
        let package = Package::from_tree(tree, Some(name), version.as_ref())
            .map_err(|refusal| Failure::from(refusal).at(format_args!("`{name}` in {path}")))?;
        paths.insert(name.clone(), (path.clone(), package));
    }
    Ok(paths)
}

/// A folder with only a `SKILL.md` has no version; as a dependency by path it needs none.
pub fn unversioned(tree: &skills::tree::Tree) -> Option<Version> {
    tree.file("skill.toml").is_none().then(|| Version::parse("0.0.0").expect("0.0.0 is a version"))
}

/// Whether the lock already answers `skills.toml`, all of it and nothing more.
fn satisfied(wants: &Wants, lock: &Lock, paths: &BTreeMap<PackageName, (String, Package)>) -> bool {
    let each = wants.skills.iter().all(|(name, want)| {
        let Some(locked) = lock.skill(name) else { return false };
        let folder = want.alias.as_ref().unwrap_or(name.name());
        locked.folder == *folder
            && match (&want.origin, &locked.source) {
                (Origin::Registry(requirement), Source::Registry { .. }) => requirement.matches(&locked.version),
                (Origin::Path(path), Source::Path { path: at }) => {
                    let package = &paths[name].1;
                    let seen = (package.tree.digest(), &package.version, package.kind);
                    path == at && seen == (locked.tree, &locked.version, locked.kind)
                }
                _ => false,
            }
    });
    each && reachable(wants, lock) == lock.skills.iter().map(|skill| skill.name.clone()).collect()
}

/// What the wanted skills reach through the lock's dependencies.
fn reachable(wants: &Wants, lock: &Lock) -> BTreeSet<PackageName> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<PackageName> = wants.skills.keys().cloned().collect();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone())
            && let Some(skill) = lock.skill(&name)
        {
            open.extend(skill.dependencies.iter().cloned());
        }
    }
    reached
}

fn from_lock(lock: &Lock, mut paths: BTreeMap<PackageName, (String, Package)>) -> Vec<Pick> {
    let pick = |skill: &LockedSkill| Pick {
        name: skill.name.clone(),
        version: skill.version.clone(),
        kind: skill.kind,
        folder: skill.folder.clone(),
        dependencies: skill.dependencies.clone(),
        origin: match &skill.source {
            Source::Registry { registry, .. } => PickOrigin::Registry(registry.clone(), None),
            Source::Path { .. } => {
                let (path, package) =
                    paths.remove(&skill.name).expect("a satisfied lock has no path that skills.toml has not");
                PickOrigin::Path(path, Box::new(package))
            }
        },
        locked: Some(skill.clone()),
    };
    lock.skills.iter().map(pick).collect()
}

/// Asks the solver, and fetches what it needs until it has an answer.
async fn from_index(
    wants: &Wants,
    old: &Lock,
    unlock: &Unlock,
    registries: &Registries<'_>,
    policy: &Policy,
    mut paths: BTreeMap<PackageName, (String, Package)>,
) -> Result<Vec<Pick>, Failure> {
    let wanted = wanted(wants, old, unlock, &paths);
    let mut catalogue = Catalogue::new();
    let solution = loop {
        match solve(&wanted, &catalogue) {
            Outcome::Solved(solution) => break solution,
            Outcome::Conflict(sentences) => {
                return Err(Failure::could_not(
                    "no-resolution",
                    format!("no set of versions fits together\n{sentences}"),
                ));
            }
            Outcome::Needs(names) => catalogue.extend(fetch_catalogue(names, registries, policy).await?),
        }
    };
    let mut picks = Vec::new();
    for (name, version) in solution {
        let alias = wants.skills.get(&name).and_then(|want| want.alias.clone());
        let folder = alias.unwrap_or_else(|| name.name().clone());
        picks.push(match paths.remove(&name) {
            Some((path, package)) => pick_path(name, folder, path, package, old),
            None => pick_entry(name, version, folder, &catalogue, old, registries, policy).await?,
        });
    }
    Ok(picks)
}

fn wanted(wants: &Wants, old: &Lock, unlock: &Unlock, paths: &BTreeMap<PackageName, (String, Package)>) -> Wanted {
    let any = skills::Requirement::any();
    let root = |(name, want): (&PackageName, &crate::wants::Want)| match &want.origin {
        Origin::Registry(requirement) => (name.clone(), requirement.clone()),
        Origin::Path(_) => (name.clone(), any.clone()),
    };
    let keeps = |name: &PackageName| match unlock {
        Unlock::None => true,
        Unlock::Some(names) => !names.contains(name),
        Unlock::All => false,
    };
    let from_registry =
        old.skills.iter().filter(|skill| matches!(skill.source, Source::Registry { .. }) && keeps(&skill.name));
    let fixed = paths.iter().map(|(name, (_, package))| {
        let (version, kind) = (package.version.clone(), package.kind);
        (name.clone(), Fixed { version, kind, dependencies: package.dependencies.clone() })
    });
    Wanted {
        roots: wants.skills.iter().map(root).collect(),
        locked: from_registry.map(|skill| (skill.name.clone(), skill.version.clone())).collect(),
        fixed: fixed.collect(),
    }
}

/// Fetches index files, and those of whatever their newest versions depend on, so that the solver
/// seldom has to ask twice.
pub async fn fetch_catalogue(
    names: impl IntoIterator<Item = PackageName>,
    registries: &Registries<'_>,
    policy: &Policy,
) -> Result<Catalogue, Failure> {
    let mut catalogue = Catalogue::new();
    let mut open: BTreeSet<PackageName> = names.into_iter().collect();
    while !open.is_empty() {
        let round: Vec<PackageName> = std::mem::take(&mut open).into_iter().collect();
        for (name, entries) in registries.index(&round, policy).await? {
            let newest = entries.iter().filter(|entry| !entry.yanked).max_by(|a, b| a.vers.cmp(&b.vers));
            open.extend(
                newest.into_iter().flat_map(|entry| entry.deps.iter().map(|dependency| dependency.name.clone())),
            );
            catalogue.insert(name, entries);
        }
        open.retain(|name| !catalogue.contains_key(name));
    }
    Ok(catalogue)
}

fn pick_path(name: PackageName, folder: SkillName, path: String, package: Package, old: &Lock) -> Pick {
    let same = |skill: &&LockedSkill| {
        let from_here = matches!(&skill.source, Source::Path { path: at } if *at == path);
        let seen = (package.tree.digest(), &package.version, package.kind, &folder);
        from_here && seen == (skill.tree, &skill.version, skill.kind, &skill.folder)
    };
    let locked = old.skill(&name).filter(same).cloned();
    let dependencies = package.dependencies.iter().map(|dependency| dependency.name.clone()).collect();
    Pick {
        name,
        version: package.version.clone(),
        kind: package.kind,
        folder,
        dependencies,
        origin: PickOrigin::Path(path, Box::new(package)),
        locked,
    }
}

async fn pick_entry(
    name: PackageName,
    version: Version,
    folder: SkillName,
    catalogue: &Catalogue,
    old: &Lock,
    registries: &Registries<'_>,
    policy: &Policy,
) -> Result<Pick, Failure> {
    let same = |skill: &&LockedSkill| {
        skill.version == version && skill.folder == folder && matches!(skill.source, Source::Registry { .. })
    };
    let locked = old.skill(&name).filter(same).cloned();
    let entry = catalogue.get(&name).and_then(|entries| entries.iter().find(|entry| entry.vers == version));
    let (kind, dependencies) = match (&locked, entry) {
        (Some(skill), _) => (skill.kind, skill.dependencies.clone()),
        (None, Some(entry)) => (entry.kind, entry.deps.iter().map(|dependency| dependency.name.clone()).collect()),
        (None, None) => {
            return Err(Failure::could_not(
                "index-inconsistent",
                format!("the solver chose {name} {version}, which the index does not have"),
            ));
        }
    };
    if let (Some(_), Some(entry)) = (&locked, entry.filter(|entry| entry.yanked)) {
        let reason = entry.yank_reason.as_deref().unwrap_or("no reason given");
        registries.say(&format!("SKV031 {name} {version} is yanked ({reason}), and stays because it is locked; `skill update {name}` moves on"));
    }
    let registry = match locked.as_ref().map(|skill| &skill.source) {
        Some(Source::Registry { registry, .. }) => registry.clone(),
        _ => registries.of(&name, policy).await?.name.clone(),
    };
    let entry = if locked.is_some() { None } else { entry.cloned().map(Box::new) };
    Ok(Pick { name, version, kind, folder, dependencies, origin: PickOrigin::Registry(registry, entry), locked })
}

/// Two packages cannot share a folder, also where case is ignored (names are lower-case anyway).
fn check_folders(picks: &[Pick]) -> Result<(), Failure> {
    let mut taken: BTreeMap<&SkillName, &PackageName> = BTreeMap::new();
    for pick in picks {
        if let Some(other) = taken.insert(&pick.folder, &pick.name) {
            let offer = format!("{}-{}", pick.name.scope(), pick.name.name());
            return Err(Failure::new(
                Exit::Failed,
                "folder-taken",
                format!("`{other}` and `{}` would both be installed as `{}`", pick.name, pick.folder),
            )
            .hint(format!("`skill add {} --as {offer}` installs one of them under another name", pick.name)));
        }
    }
    Ok(())
}
