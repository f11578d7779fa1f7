//! Plan: from what was decided and what stands on the disk to the changes of one transaction.
//!
//! The rule about people's edits is here: a folder is overwritten or removed only if it is exactly
//! what some earlier run placed, or with `--force`. The rule about ownership too: what no earlier
//! run placed is not ours, and stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use index::lock::{LinkKind, Lock, LockedSkill, Source, Written};
use index::verify::{Judged, Verified};
use skills::lint::SKILL_MD;
use skills::manifest::{Kind, SKILL_TOML};
use skills::placed::{placed, stub};
use skills::tree::{Resource, Tree};
use skills::{FilePath, PackageName, SkillName, Version};

use super::Installed;
use super::evidence::{Admitted, Evidence};
use super::resolution::{Pick, PickOrigin};
use super::standing::{
    Standing, State, canonical_path, expected_link, rows_by_folder, state_of_canonical, state_of_row,
};
use crate::agents::{Agent, CANONICAL, found};
use crate::failure::{Exit, Failure};
use crate::place::{Change, Spot, read_folder};
use crate::project::Project;
use crate::trust::{TRUST_PATH, bundle_path, keyring_path};
use crate::wants::Wants;

/// What happened to one skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillChange {
    /// Which skill.
    pub name: PackageName,
    /// The version before; `None` where it was not installed.
    pub from: Option<Version>,
    /// The version after; `None` where it is removed.
    pub to: Option<Version>,
    /// Whether only its files were put right.
    pub restored: bool,
}

/// A decided transaction.
pub(super) struct Plan {
    /// What to change.
    pub changes: Vec<Change>,
    /// What to say.
    pub installed: Installed,
}

/// The lock as it will be, and every agent's link in it.
pub(super) fn new_lock(
    picks: &[Pick],
    judged: &[Option<Judged>],
    wants: &Wants,
    project: &Project,
    old: &Lock,
) -> Result<Lock, Failure> {
    let skills: Vec<LockedSkill> =
        picks.iter().zip(judged).map(|(pick, judged)| lock_line(pick, judged.as_ref())).collect();
    let written = written_rows(&skills, wants, project, old)?;
    Ok(Lock { skills, written, entries: old.entries.clone(), approved: old.approved.clone() })
}

fn lock_line(pick: &Pick, judged: Option<&Judged>) -> LockedSkill {
    if let Some(locked) = &pick.locked {
        return locked.clone();
    }
    let (source, tree, files) = match &pick.origin {
        PickOrigin::Path(path, package) => {
            (Source::Path { path: path.clone() }, package.tree.digest(), paths_of(&package.tree.resources()))
        }
        PickOrigin::Registry(registry, _) => {
            let judged = judged.expect("a pick from a registry was judged");
            let statement = judged.statement().expect("a release that was not refused has a statement");
            let payload = judged.payload_digest().expect("a statement has a digest");
            let source = Source::Registry {
                registry: registry.clone(),
                archive: statement.archive,
                statement: payload,
                keyring: statement.keyring.seq,
            };
            (source, statement.tree, paths_of(&statement.resources))
        }
    };
    let files = with_stub(pick, files);
    LockedSkill {
        name: pick.name.clone(),
        version: pick.version.clone(),
        kind: pick.kind,
        source,
        tree,
        folder: pick.folder.clone(),
        dependencies: pick.dependencies.clone(),
        files,
    }
}

/// The installed files: a brief without a `SKILL.md` is given one. Whether it wants it is in its manifest; of
/// a release that is not fetched yet it is supposed, and [`settle_stubs`] knows better.
fn with_stub(pick: &Pick, mut files: Vec<FilePath>) -> Vec<FilePath> {
    let wanted = match &pick.origin {
        PickOrigin::Path(_, package) => makes_stub(&package.tree, &pick.folder),
        PickOrigin::Registry(..) => pick.kind == Kind::Brief,
    };
    if wanted && !files.iter().any(|file| file.as_str() == SKILL_MD) {
        files.push(FilePath::parse(SKILL_MD).expect("our own file name is lawful"));
        files.sort();
    }
    files
}

fn makes_stub(tree: &Tree, folder: &SkillName) -> bool {
    tree.file(SKILL_TOML).is_some_and(|file| stub(&file.bytes, folder).is_some())
}

/// Takes back what was supposed of a brief that turns out to want no stub: then agents have nothing to
/// read there, and get no link to it.
pub(super) fn settle_stubs(
    lock: &mut Lock,
    stands: &mut BTreeMap<PackageName, Standing>,
    admitted: &[(PackageName, Admitted)],
) {
    for (name, admitted) in admitted {
        let (Admitted::Fresh(verified), Some(skill)) = (admitted, lock.skills.iter_mut().find(|s| s.name == *name))
        else {
            continue;
        };
        let tree = verified.tree();
        if skill.kind == Kind::Brief && tree.file(SKILL_MD).is_none() && !makes_stub(tree, &skill.folder) {
            skill.files.retain(|file| file.as_str() != SKILL_MD);
            lock.written.retain(|row| row.folder != skill.folder);
            stands.entry(name.clone()).and_modify(|standing| standing.agents.clear());
        }
    }
}

fn paths_of(resources: &[Resource]) -> Vec<FilePath> {
    resources.iter().map(|resource| resource.path.clone()).collect()
}

/// A row for everything with a `SKILL.md` in every agent's own folder. Agents: the configured ones, else those an
/// earlier run placed for, and those found here.
pub(super) fn written_rows(
    skills: &[LockedSkill],
    wants: &Wants,
    project: &Project,
    old: &Lock,
) -> Result<Vec<Written>, Failure> {
    let agents: Vec<Agent> = match &wants.agents {
        Some(names) => names.iter().map(|name| Agent::named(name)).collect::<Result<_, _>>()?,
        None => {
            let before = old.written.iter().map(|row| row.agent.as_str()).collect::<BTreeSet<_>>();
            let before = before.into_iter().filter_map(|name| Agent::named(name).ok());
            before.chain(found(&project.places)).collect()
        }
    };
    let mut folders: BTreeMap<PathBuf, Agent> = BTreeMap::new();
    for agent in agents {
        // Some repositories link `.claude/skills` to `.agents/skills` as a whole: nothing to place.
        if let Some(folder) = agent.own_folder(project.global, &project.places)?
            && !leads_to(&project.places.join(&folder), &project.places.join(CANONICAL))
        {
            folders.entry(folder).or_insert(agent);
        }
    }
    let link = wants.link.unwrap_or(if cfg!(windows) { LinkKind::Copy } else { LinkKind::Symlink });
    let row = |skill: &LockedSkill, folder: &Path, agent: &Agent| Written {
        folder: skill.folder.clone(),
        agent: agent.name.to_owned(),
        path: format!("{}/{}", folder.display(), skill.folder).replace('\\', "/"),
        link: agent.link_kind(link),
    };
    // Agents read `SKILL.md`; what has none is used by `skill` itself.
    let read_by_agents = skills.iter().filter(|skill| skill.files.iter().any(|file| file.as_str() == SKILL_MD));
    Ok(read_by_agents.flat_map(|skill| folders.iter().map(move |(folder, agent)| row(skill, folder, agent))).collect())
}

/// Whether a path is, through links, that other path; which need not exist yet.
fn leads_to(path: &Path, goal: &Path) -> bool {
    let mut at = PathBuf::new();
    for part in path.components() {
        at.push(part);
        if let Ok(target) = at.read_link() {
            at.pop();
            for step in target.components() {
                match step {
                    std::path::Component::ParentDir => drop(at.pop()),
                    std::path::Component::CurDir => {}
                    step => at.push(step),
                }
            }
        }
    }
    at == goal || matches!((at.canonicalize(), goal.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Everything that changes, in the order it is carried out: folders, links, removals, then the
/// files that describe them, the lock last.
#[expect(
    clippy::too_many_arguments,
    reason = "each is the outcome of one step of the journey; a struct would only name the journey again"
)]
pub(super) fn plan(
    project: &Project,
    old: &Lock,
    lock: Lock,
    stands: BTreeMap<PackageName, Standing>,
    admitted: Vec<(PackageName, Admitted)>,
    evidence: &Evidence,
    (wants_text, trust_text): (&str, &str),
    force: bool,
) -> Result<Plan, Failure> {
    let removals = removals(project, old, &lock)?;
    refuse_edits(&lock, &stands, &removals, force)?;
    let changes = skill_changes(old, &lock, &stands);
    let mut notes = Vec::new();
    let mut placed = Vec::new();
    let rows = rows_by_folder(&lock.written);
    for (name, admitted) in admitted {
        let skill = lock.skill(&name).expect("everything admitted is in the lock");
        match admitted {
            Admitted::Fresh(verified) => {
                notes.extend(verified.findings().to_vec());
                placed.extend(placements(
                    skill,
                    rows.get(&skill.folder).map_or(&[][..], Vec::as_slice),
                    &stands[&name],
                    *verified,
                )?);
            }
            Admitted::Stands(judged) => {
                notes.extend(judged.map(|judged| judged.findings().to_vec()).unwrap_or_default())
            }
        }
    }
    placed.extend(
        removals.into_iter().filter(|(_, state)| *state != State::Absent).map(|(spot, _)| Change::Remove(spot)),
    );
    placed.extend(proofs(project, old, &lock, evidence)?);
    let lock_text = lock.format();
    let lock_changed = project.lock_text()? != lock_text;
    for (path, text) in [(TRUST_PATH, trust_text), ("skills.toml", wants_text), ("skills.lock", &lock_text)] {
        placed.extend(file_change(project, path, text.as_bytes()));
    }
    let installed =
        Installed { changes, total: lock.skills.len(), lock_changed, notes, kept: Vec::new(), tools: None, lock };
    Ok(Plan { changes: placed, installed })
}

/// A verified release becomes a folder, and the links or copies of the agents.
fn placements(
    skill: &LockedSkill,
    rows: &[&Written],
    standing: &Standing,
    verified: Verified,
) -> Result<Vec<Change>, Failure> {
    let tree = placed(&verified.into_tree(), skill.name.name(), &skill.folder)?;
    let mut changes = Vec::new();
    for (row, state) in rows.iter().zip(&standing.agents) {
        let spot = Spot::places(row.path.clone());
        match (state, row.link) {
            (state, _) if state.is_settled() => {}
            (_, LinkKind::Symlink) => changes.push(Change::Link(spot, expected_link(row))),
            (_, LinkKind::Copy) => changes.push(Change::Folder(spot, tree.clone())),
        }
    }
    if !standing.canonical.is_settled() {
        changes.insert(0, Change::Folder(Spot::places(canonical_path(&skill.folder)), tree));
    }
    Ok(changes)
}

/// What earlier runs placed and the new lock does not name.
fn removals(project: &Project, old: &Lock, lock: &Lock) -> Result<Vec<(Spot, State)>, Failure> {
    let mut removals = Vec::new();
    let kept: BTreeSet<&str> = lock.written.iter().map(|row| row.path.as_str()).collect();
    for row in old.written.iter().filter(|row| !kept.contains(row.path.as_str())) {
        // A row that names a place where its agent never reads is not a row of ours.
        if !names_its_agents_place(row, project) {
            continue;
        }
        let path = project.places.join(&row.path);
        let state = state_of_row(&path, &read_folder(&path)?, old.folder(&row.folder), Some(row))?;
        removals.push((Spot::places(row.path.clone()), state));
    }
    for skill in old.skills.iter().filter(|skill| lock.folder(&skill.folder).is_none()) {
        let path = project.places.join(canonical_path(&skill.folder));
        let state = state_of_canonical(&path, &read_folder(&path)?, Some(skill))?;
        removals.push((Spot::places(canonical_path(&skill.folder)), state));
    }
    Ok(removals)
}

fn names_its_agents_place(row: &Written, project: &Project) -> bool {
    let own = Agent::named(&row.agent)
        .ok()
        .and_then(|agent| agent.own_folder(project.global, &project.places).ok().flatten());
    own.is_some_and(|own| own.join(row.folder.as_str()) == Path::new(&row.path))
}

/// Refuses to touch what people edited, or what is not ours, unless forced.
fn refuse_edits(
    lock: &Lock,
    stands: &BTreeMap<PackageName, Standing>,
    removals: &[(Spot, State)],
    force: bool,
) -> Result<(), Failure> {
    let rows = rows_by_folder(&lock.written);
    let mut places: Vec<(String, State)> =
        removals.iter().map(|(spot, state)| (spot.as_str().to_owned(), *state)).collect();
    for skill in &lock.skills {
        let standing = &stands[&skill.name];
        places.push((canonical_path(&skill.folder), standing.canonical));
        let agents = rows.get(&skill.folder).into_iter().flatten().zip(&standing.agents);
        places.extend(agents.map(|(row, state)| (row.path.clone(), *state)));
    }
    let of = |wanted: State| {
        places.iter().filter(|(_, state)| *state == wanted).map(|(path, _)| format!("`{path}`")).collect::<Vec<_>>()
    };
    let (edited, foreign) = (of(State::Edited), of(State::Foreign));
    if force || (edited.is_empty() && foreign.is_empty()) {
        return Ok(());
    }
    if edited.is_empty() {
        return Err(Failure::new(
            Exit::Failed,
            "not-ours",
            format!("{} is in the way and was not installed by skill", foreign.join(", ")),
        )
        .hint("move it away, or overwrite it with `--force`"));
    }
    Err(Failure::new(Exit::Failed, "edited", format!("{} was edited since it was installed", edited.join(", ")))
        .hint("`skill diff NAME` shows the edit; `--force` overwrites it"))
}

fn skill_changes(old: &Lock, lock: &Lock, stands: &BTreeMap<PackageName, Standing>) -> Vec<SkillChange> {
    let kept = lock.skills.iter().filter_map(|skill| {
        let before = old.skill(&skill.name);
        let same = before.is_some_and(|before| before.version == skill.version && before.tree == skill.tree);
        let standing = &stands[&skill.name];
        if same && standing.is_right() {
            return None;
        }
        // In a fresh clone the lock is there and the skill is not: it arrives, nothing is put right.
        let arrives = standing.canonical == State::Absent;
        let from = before.filter(|_| !arrives).map(|before| before.version.clone());
        Some(SkillChange {
            name: skill.name.clone(),
            from,
            to: Some(skill.version.clone()),
            restored: same && !arrives,
        })
    });
    let gone = old.skills.iter().filter(|skill| lock.skill(&skill.name).is_none());
    let gone = gone.map(|skill| SkillChange {
        name: skill.name.clone(),
        from: Some(skill.version.clone()),
        to: None,
        restored: false,
    });
    kept.chain(gone).collect()
}

/// Where the proofs of everything in a lock are.
pub(super) fn proof_paths(lock: &Lock) -> Result<Vec<String>, Failure> {
    Ok(proof_files(lock, &Evidence::default())?.into_iter().map(|(path, _)| path).collect())
}

/// The proofs of everything in the lock are there, and no others of ours.
fn proofs(project: &Project, old: &Lock, lock: &Lock, evidence: &Evidence) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    let mut kept = BTreeSet::new();
    for (path, bytes) in proof_files(lock, evidence)? {
        changes.extend(bytes.and_then(|bytes| file_change(project, &path, bytes)));
        kept.insert(path);
    }
    for (path, _) in proof_files(old, &Evidence::default())? {
        if kept.insert(path.clone()) && project.root.join(&path).exists() {
            changes.push(Change::Remove(Spot::root(path)));
        }
    }
    Ok(changes)
}

type ProofFile<'e> = (String, Option<&'e [u8]>);

fn proof_files<'e>(lock: &Lock, evidence: &'e Evidence) -> Result<Vec<ProofFile<'e>>, Failure> {
    let mut files = BTreeMap::new();
    for skill in &lock.skills {
        let Source::Registry { registry, .. } = &skill.source else { continue };
        let bundle = evidence.bundles.get(&skill.name).map(|bytes| &bytes[..]);
        files.insert(bundle_path(registry, &skill.name, &skill.version)?, bundle);
        let scope = skill.name.scope();
        let keyring = evidence.keyrings.get(&(registry.clone(), scope.clone())).map(|bytes| &bytes[..]);
        files.insert(keyring_path(registry, scope)?, keyring);
    }
    Ok(files.into_iter().collect())
}

/// A change, if the file is not already so. An empty text is no file.
fn file_change(project: &Project, path: &str, bytes: &[u8]) -> Option<Change> {
    let same = std::fs::read(project.root.join(path)).is_ok_and(|now| now == bytes);
    (!same && !bytes.is_empty()).then(|| Change::File(Spot::root(path), bytes.to_vec()))
}
