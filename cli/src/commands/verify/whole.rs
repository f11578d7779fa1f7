//! The project as a whole: what agents read here and the lock does not account for, and what in the
//! lock disagrees with what is wanted.
//!
//! Judging only what the lock names would let a change remove a row and keep the folder. Everything
//! that an agent would read is either in the lock or a finding.

use std::collections::BTreeSet;
use std::path::Path;

use index::lock::{Lock, Source};
use index::policy::{Otherwise, Policy};
use index::verify::{Class, Finding};

use crate::agents::{Agent, CANONICAL};
use crate::failure::Failure;
use crate::handover::judges::wants_at;
use crate::install::wrong_dependencies;
use crate::place;
use crate::project::Project;
use crate::tools;
use crate::wants::{Origin, Wants};

/// Every finding that is about no single skill. With a reference, `[policy]` is that of here and of there.
pub(super) fn findings(
    project: &Project,
    lock: &Lock,
    policy: &Policy,
    reference: Option<&str>,
) -> Result<Vec<Finding>, Failure> {
    let mut wants = project.wants()?;
    if let Some(reference) = reference {
        wants.policy = wants.policy.stricter(&wants_at(project, reference)?.policy);
    }
    let mut findings = Vec::new();
    if place::interrupted(project) {
        let message = "an install was interrupted half way";
        findings.push(about("SKV001", Class::Failed, ".skill/state", message, "`skill install` finishes it"));
    }
    findings.extend(linked_places(project));
    findings.extend(disagreements(&wants, lock));
    findings.extend(wrong_dependencies(lock).into_iter().map(|refusal| {
        about("SKV001", Class::Failed, "skills.lock", &refusal.message, "restore skills.lock from version control")
    }));
    findings.extend(unrecorded(project, lock, policy));
    findings.extend(unwanted(project, &wants, lock));
    findings.extend(tools::status::findings(project, &wants, lock)?);
    Ok(findings)
}

fn about(id: &'static str, class: Class, path: &str, message: &str, hint: &str) -> Finding {
    let (path, message, hint) = (Some(path.to_owned()), message.to_owned(), Some(hint.to_owned()));
    Finding { id, class, skill: "-".to_owned(), path, message, hint }
}

/// The canonical folder has to be a folder of the repository: through a link, its content could
/// change without any commit.
fn linked_places(project: &Project) -> Vec<Finding> {
    if project.global {
        return Vec::new();
    }
    let links = [".agents", CANONICAL].into_iter().filter(|path| project.places.join(path).is_symlink());
    links
        .map(|path| about("SKV001", Class::Failed, path, "is a link, expected a folder", "replace it by a folder"))
        .collect()
}

/// Where the lock is not an answer to `skills.toml`.
fn disagreements(wants: &Wants, lock: &Lock) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, want) in &wants.skills {
        let Some(skill) = lock.skill(name) else {
            let message = format!("`{name}` is wanted by skills.toml and not in the lock");
            findings.push(about(
                "SKV004",
                Class::Missing,
                "skills.lock",
                &message,
                "`skill install` resolves it; commit skills.lock",
            ));
            continue;
        };
        let folder = want.alias.as_ref().unwrap_or(name.name());
        if skill.folder != *folder {
            let message = format!("has `{name}` installed as `{}`, skills.toml as `{folder}`", skill.folder);
            findings.push(about("SKV001", Class::Failed, "skills.lock", &message, "`skill install` puts it right"));
        }
        let agrees = match (&want.origin, &skill.source) {
            (Origin::Registry(requirement), Source::Registry { .. }) => requirement.matches(&skill.version),
            (Origin::Path(path), Source::Path { path: locked }) => path == locked,
            _ => false,
        };
        if !agrees {
            let message = format!("has `{name}` {}, which is not what skills.toml wants", skill.version);
            findings.push(about(
                "SKV032",
                Class::Policy,
                "skills.lock",
                &message,
                "`skill install` resolves it; commit skills.lock",
            ));
        }
    }
    findings
}

/// What `[policy]` would not have let `skill install` put here.
fn unwanted(project: &Project, wants: &Wants, lock: &Lock) -> Vec<Finding> {
    let signed = |source: &Source| matches!(source, Source::Registry { .. });
    let refused = lock.skills.iter().filter_map(|skill| {
        let refusal = wants.policy.admits(&skill.name, signed(&skill.source)).err()?;
        Some((skill.name.to_string(), refusal))
    });
    let uncleared = tools::status::uncleared(project, wants, lock);
    let found = refused.chain(uncleared).map(|(name, refusal)| {
        let found = Finding::new("SKV034", Class::Policy, name, refusal.message).path("skills.lock");
        found.hint("`skill remove` it; whoever owns skills.toml decides")
    });
    found.collect()
}

/// What agents read, and nothing in the lock accounts for: signed by nobody that we know of. Refused
/// where the policy denies what it does not name.
fn unrecorded(project: &Project, lock: &Lock, policy: &Policy) -> Vec<Finding> {
    let class = match policy.default() {
        Otherwise::Deny if !project.global => Class::Policy,
        _ => Class::Note,
    };
    let recorded: BTreeSet<String> = lock
        .skills
        .iter()
        .map(|skill| format!("{CANONICAL}/{}", skill.folder))
        .chain(lock.written.iter().map(|row| row.path.clone()))
        .collect();
    let mut found: Vec<String> = read_by_agents(project, lock)
        .iter()
        .flat_map(|folder| skills_in(&project.places, folder))
        .filter(|path| !recorded.contains(path))
        .collect();
    found.sort();
    found.dedup();
    let message = "is not in skills.lock: nobody signed it, and agents read it";
    let hint = "`skill add ./folder` records one of your own";
    found.iter().map(|path| about("SKV010", class, path, message, hint)).collect()
}

/// The folders that agents read in a repository: the canonical one, every agent's dot-folder, and
/// wherever an earlier run placed something. The user's own folders hold the user's own skills.
fn read_by_agents(project: &Project, lock: &Lock) -> BTreeSet<String> {
    let mut folders = BTreeSet::from([CANONICAL.to_owned()]);
    if project.global {
        return folders;
    }
    // Some agents read, in a repository too, a folder named as their user folder is: `.cursor/skills`.
    let named = |agent: Agent| [Some(agent.project), agent.user, Some(".github/skills")].into_iter().flatten();
    folders.extend(Agent::all().flat_map(named).filter(|folder| folder.starts_with('.')).map(str::to_owned));
    let parent = |path: &str| path.rsplit_once('/').map(|(parent, _)| parent.to_owned());
    folders.extend(lock.written.iter().filter_map(|row| parent(&row.path)));
    let canonical = project.places.join(CANONICAL).canonicalize().ok();
    // A whole folder that is a link to the canonical one is read once, there.
    folders.retain(|folder| folder == CANONICAL || project.places.join(folder).canonicalize().ok() != canonical);
    folders
}

/// What an agent could take for a skill: folders, links, and a `SKILL.md` lying about.
fn skills_in(root: &Path, folder: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return Vec::new() };
    let is_skill = |entry: &std::fs::DirEntry| {
        let file = entry.file_type().is_ok_and(|kind| kind.is_file());
        !file || entry.file_name().eq_ignore_ascii_case("SKILL.md")
    };
    let path = |entry: std::fs::DirEntry| format!("{folder}/{}", entry.file_name().to_string_lossy());
    entries.flatten().filter(is_skill).map(path).collect()
}
