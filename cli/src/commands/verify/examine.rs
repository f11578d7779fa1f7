//! What stands on the disk, against what was signed and what the policy says.

use std::collections::BTreeMap;

use index::lock::{LinkKind, Lock, LockedSkill, Source, Written};
use index::verify::{self, Class, Finding, Judged};
use rayon::prelude::*;
use skills::SkillName;
use skills::limits::SKILL_MD_BYTES_MAX;
use skills::tree::Resource;

use super::{Report, SkillReport, whole};
use crate::agents::CANONICAL;
use crate::failure::Failure;
use crate::install::{
    Evidence, Seen, Stub, ToJudge, check_on_disk, expected_link, judge_all, load_offline, read_installed, today,
};
use crate::place::DiskFolder;
use crate::project::{Project, Regular, read_regular};
use crate::trust::{Trust, bundle_path, keyring_path};

/// Judges the evidence, then compares every place on the disk.
pub(super) fn examine(
    project: &Project,
    lock: &Lock,
    skills: &[&LockedSkill],
    trust: &Trust,
    reference: Option<&str>,
) -> Result<Report, Failure> {
    let locked: Vec<LockedSkill> = skills.iter().map(|skill| (*skill).clone()).collect();
    let evidence = load_offline(project, &locked)?;
    let judged = judge(&locked, &evidence, trust);
    let mut rows: BTreeMap<&SkillName, Vec<&Written>> = BTreeMap::new();
    for row in &lock.written {
        rows.entry(&row.folder).or_default().push(row);
    }
    let work: Vec<(&LockedSkill, Option<Judged>)> = locked.iter().zip(judged).collect();
    let reports = work.into_par_iter().map(|(skill, judged)| {
        let rows = rows.get(&skill.folder).map_or(&[][..], Vec::as_slice);
        let proofs = match missing_proof(skill, &evidence)? {
            Some(finding) => Proofs::Missing(finding),
            None => judged.map_or(Proofs::Unsigned, |judged| Proofs::Judged(Box::new(judged))),
        };
        examine_skill(project, skill, &proofs, rows, trust)
    });
    let skills = reports.collect::<Result<Vec<_>, Failure>>()?;
    let policy = skills::Sha256::of(&trust.text).to_string();
    let project = whole::findings(project, lock, &trust.policy, reference)?;
    Ok(Report { policy, skills, project, briefs: None })
}

/// What there is to say about who signed a skill.
enum Proofs {
    /// Everything was there, and judged.
    Judged(Box<Judged>),
    /// A file that should be there is not: that is no verdict about the publisher.
    Missing(Finding),
    /// The skill comes from a folder: there is nothing to be signed.
    Unsigned,
}

impl Proofs {
    fn judged(&self) -> Option<&Judged> {
        match self {
            Self::Judged(judged) => Some(judged),
            _ => None,
        }
    }

    fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Judged(judged) => judged.findings().to_vec(),
            Self::Missing(finding) => vec![finding.clone()],
            Self::Unsigned => Vec::new(),
        }
    }
}

/// The bundle or keyring that verification needs and the project does not have.
fn missing_proof(skill: &LockedSkill, evidence: &Evidence) -> Result<Option<Finding>, Failure> {
    let Source::Registry { registry, .. } = &skill.source else { return Ok(None) };
    let scope = skill.name.scope();
    let (id, what, path) = if !evidence.bundles.contains_key(&skill.name) {
        ("SKV010", "the signatures are", bundle_path(registry, &skill.name, &skill.version)?)
    } else if !evidence.keyrings.contains_key(&(registry.clone(), scope.clone())) {
        ("SKV012", "the keyring of its scope is", keyring_path(registry, scope)?)
    } else {
        return Ok(None);
    };
    Ok(Some(Finding {
        id,
        class: Class::Missing,
        skill: format!("{}@{}", skill.name, skill.version),
        path: Some(path),
        message: format!("{what} missing, so nothing can be said about who signed it"),
        hint: Some("`skill install` fetches it; commit .skill/proofs".to_owned()),
    }))
}

fn judge(locked: &[LockedSkill], evidence: &Evidence, trust: &Trust) -> Vec<Option<Judged>> {
    let asked: Vec<_> = locked
        .iter()
        .filter_map(|skill| match &skill.source {
            Source::Registry { registry, .. } => {
                Some(ToJudge { registry, package: &skill.name, version: &skill.version })
            }
            Source::Path { .. } => None,
        })
        .collect();
    let mut judged = judge_all(&asked, evidence, &trust.policy, today()).into_iter();
    locked
        .iter()
        .map(|skill| match &skill.source {
            Source::Registry { .. } => judged.next().map(|judged| judged.against_lock(skill)),
            Source::Path { .. } => None,
        })
        .collect()
}

fn examine_skill(
    project: &Project,
    skill: &LockedSkill,
    proofs: &Proofs,
    rows: &[&Written],
    trust: &Trust,
) -> Result<SkillReport, Failure> {
    let label = format!("{}@{}", skill.name, skill.version);
    let folder = format!("{CANONICAL}/{}", skill.folder);
    let mut findings = proofs.findings();
    let seen = read_installed(&project.places.join(&folder), skill)?;
    let expected: Option<Vec<Resource>> =
        proofs.judged().and_then(Judged::statement).map(|statement| statement.resources.clone());
    findings.extend(match &expected {
        Some(resources) => compare(&label, &folder, resources, &seen),
        None => compare_unsigned(&label, &folder, skill, &seen, trust),
    });
    if let DiskFolder::Folder(_) = seen.disk {
        findings.extend(check_on_disk(project, skill)?.map(|finding| under(&folder, finding)));
    }
    for row in rows {
        findings.extend(examine_row(project, skill, &label, row, expected.as_deref())?);
    }
    explain_line_endings(project, skill, &folder, expected.as_deref(), &mut findings);
    let signers = proofs
        .judged()
        .into_iter()
        .flat_map(|judged| judged.signers().iter().map(|signer| format!("{} {}", signer.owner, signer.id.short())))
        .collect();
    Ok(SkillReport { skill: label, folder, signers, findings })
}

/// The files against the signed list. What is no folder at all is missing as a whole.
fn compare(label: &str, place: &str, resources: &[Resource], seen: &Seen) -> Vec<Finding> {
    let whole = |id, class, message: String| {
        vec![Finding {
            id,
            class,
            skill: label.to_owned(),
            path: Some(place.to_owned()),
            message,
            hint: Some("`skill install` puts it in place".to_owned()),
        }]
    };
    match &seen.disk {
        DiskFolder::Folder(files) => {
            let found = verify::compare_disk(label, resources, files).into_iter().map(|finding| under(place, finding));
            found.chain(stub_finding(label, place, seen.stub)).collect()
        }
        DiskFolder::Absent => whole("SKV004", Class::Failed, "is not installed".to_owned()),
        DiskFolder::Link(target) => {
            whole("SKV001", Class::Failed, format!("is a link to `{}`, expected a folder", target.display()))
        }
        DiskFolder::Other => whole("SKV001", Class::Failed, "is not a folder".to_owned()),
    }
}

/// What `skill install` wrote for agents follows from the signed manifest, so it is as much a promise.
fn stub_finding(label: &str, place: &str, stub: Stub) -> Option<Finding> {
    let (id, message) = match stub {
        Stub::Right => return None,
        Stub::Missing => ("SKV004", "`SKILL.md`, which tells agents of this brief, is missing"),
        Stub::Edited => ("SKV001", "`SKILL.md` was changed: it is not what the manifest of this brief gives"),
    };
    let hint = Some("`skill diff` shows the change, `skill install --force` puts it right".to_owned());
    let path = Some(format!("{place}/SKILL.md"));
    Some(Finding { id, class: Class::Failed, skill: label.to_owned(), path, message: message.to_owned(), hint })
}

fn under(place: &str, mut finding: Finding) -> Finding {
    finding.path = Some(finding.path.map_or_else(|| place.to_owned(), |path| format!("{place}/{path}")));
    finding
}

/// A skill from a folder has no signed list: its tree digest is pinned by the lock, and the policy
/// has to name that very tree as an exception.
fn compare_unsigned(label: &str, place: &str, skill: &LockedSkill, seen: &Seen, trust: &Trust) -> Vec<Finding> {
    let Source::Path { .. } = skill.source else { return Vec::new() };
    let mut findings = verify::judge_unsigned(&skill.name, &skill.version, skill.tree, &trust.policy, today());
    match seen.disk.tree_digest() {
        Some(tree) if tree == skill.tree => findings.extend(stub_finding(label, place, seen.stub)),
        Some(tree) => findings.push(Finding {
            id: "SKV001",
            class: Class::Failed,
            skill: label.to_owned(),
            path: Some(place.to_owned()),
            message: format!("its tree is {tree}, the lock has {}", skill.tree),
            hint: None,
        }),
        None => findings.extend(compare(label, place, &[], seen)),
    }
    findings
}

/// An agent's own folder: a link to exactly the canonical folder, or an exact copy of it.
fn examine_row(
    project: &Project,
    skill: &LockedSkill,
    label: &str,
    row: &Written,
    expected: Option<&[Resource]>,
) -> Result<Vec<Finding>, Failure> {
    let seen = read_installed(&project.places.join(&row.path), skill)?;
    let finding = |id, message: String| Finding {
        id,
        class: Class::Failed,
        skill: label.to_owned(),
        path: Some(row.path.clone()),
        message,
        hint: Some("`skill install` puts it right".to_owned()),
    };
    Ok(match (row.link, &seen.disk) {
        (_, DiskFolder::Absent) => {
            vec![finding("SKV004", format!("the {} of agent {} is missing", kind(row.link), row.agent))]
        }
        (LinkKind::Symlink, DiskFolder::Link(target)) if *target == expected_link(row) => {
            // The text of a link says little where a folder on its way is a link itself.
            let reached = project.places.join(&row.path).canonicalize().ok();
            let goal = project.places.canonicalize().ok().map(|root| root.join(CANONICAL).join(skill.folder.as_str()));
            match reached.is_some() && reached == goal {
                true => Vec::new(),
                false => {
                    let message = "does not lead to the installed skill: a folder on the way is a link".to_owned();
                    let hint = Some("replace that link by a folder, then run `skill install`".to_owned());
                    vec![Finding { hint, ..finding("SKV001", message) }]
                }
            }
        }
        (LinkKind::Symlink, DiskFolder::Link(target)) => vec![finding(
            "SKV001",
            format!("leads to `{}`, expected `{}`", target.display(), expected_link(row).display()),
        )],
        (LinkKind::Symlink, _) => vec![finding("SKV001", "is not the link that the lock records".to_owned())],
        (LinkKind::Copy, _) => match expected {
            Some(resources) => compare(label, &row.path, resources, &seen),
            None if seen.tree_digest() == Some(skill.tree) => Vec::new(),
            None => vec![finding("SKV001", "is not a copy of what was installed".to_owned())],
        },
    })
}

fn kind(link: LinkKind) -> &'static str {
    match link {
        LinkKind::Symlink => "link",
        LinkKind::Copy => "copy",
    }
}

/// When only line endings differ, the cause is a Git setting and not an attack: say so.
fn explain_line_endings(
    project: &Project,
    skill: &LockedSkill,
    folder: &str,
    expected: Option<&[Resource]>,
    findings: &mut [Finding],
) {
    let Some(resources) = expected else { return };
    for finding in findings.iter_mut().filter(|finding| finding.id == "SKV001") {
        let Some(path) = finding.path.as_deref().and_then(|path| path.strip_prefix(folder)) else { continue };
        let path = path.trim_start_matches('/');
        let Some(resource) = resources.iter().find(|resource| resource.path.as_str() == path) else { continue };
        // A pipe or a link to a device stands there as well as a file: neither is opened.
        let read = read_regular(&project.places.join(folder).join(path), SKILL_MD_BYTES_MAX);
        let Ok(Regular::Bytes(bytes)) = read else { continue };
        let text = String::from_utf8_lossy(&bytes);
        let with_lf = text.replace("\r\n", "\n");
        let converted = with_lf != text && skill.folder == *skill.name.name();
        if converted && skills::Sha256::of(&with_lf) == resource.digest {
            finding.message.push_str("; only its line endings differ");
            finding.hint = Some(format!(
                "Git converted them: put `{CANONICAL}/** -text` into .gitattributes and check it out again"
            ));
        }
    }
}
