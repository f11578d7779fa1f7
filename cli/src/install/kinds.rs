//! Kinds: what the index and the lock say a package is, held against its manifest.
//!
//! Nothing is signed about the kind alone, but the manifest is among the signed files. So as soon as the
//! files are at hand (verified and about to be placed, or on the disk and found right) the manifest is asked.

use index::lock::{Lock, LockedSkill};
use index::verify::{Finding, check_kind};
use skills::limits::MANIFEST_BYTES_MAX;
use skills::manifest::{SKILL_TOML, check_dependency};
use skills::{PackageName, Refusal};

use super::evidence::{Admitted, refusal_sentence};
use super::standing::canonical_path;
use crate::failure::{Exit, Failure, OnPath};
use crate::project::{Project, Regular, read_regular};

/// Refuses everything that is of another kind than the lock would have it.
pub(super) fn refuse_lies(project: &Project, lock: &Lock, admitted: &[(PackageName, Admitted)]) -> Result<(), Failure> {
    let mut findings = Vec::new();
    for (name, admitted) in admitted {
        let skill = lock.skill(name).expect("everything admitted is in the lock");
        findings.extend(match admitted {
            Admitted::Fresh(verified) => {
                let manifest = verified.tree().file(SKILL_TOML).map(|file| &file.bytes[..]);
                check_kind(&label(skill), skill.kind, manifest)
            }
            Admitted::Stands(_) => check_on_disk(project, skill)?,
        });
    }
    if findings.is_empty() { Ok(()) } else { Err(Failure::refused(refusal_sentence(&findings), findings)) }
}

/// Refuses what depends on a package of a kind that it may not have: the resolver never chooses it, and a
/// lock may have been edited since.
pub(super) fn refuse_dependencies(lock: &Lock) -> Result<(), Failure> {
    wrong_dependencies(lock).into_iter().next().map_or(Ok(()), |refusal| Err(Failure::of(Exit::Failed, refusal)))
}

/// Every pair in the lock of which the one may not depend on the other.
pub fn wrong_dependencies(lock: &Lock) -> Vec<Refusal> {
    let needed = |skill: &'_ LockedSkill| {
        let known = skill.dependencies.iter().filter_map(|name| lock.skill(name));
        let judged = known.map(|other| check_dependency((&skill.name, skill.kind), (&other.name, other.kind)));
        judged.filter_map(Result::err).collect::<Vec<_>>()
    };
    lock.skills.iter().flat_map(needed).collect()
}

/// What the manifest on the disk says otherwise. Whether it is the published one is judged elsewhere.
pub fn check_on_disk(project: &Project, skill: &LockedSkill) -> Result<Option<Finding>, Failure> {
    let path = project.places.join(canonical_path(&skill.folder)).join(SKILL_TOML);
    let manifest = match read_regular(&path, MANIFEST_BYTES_MAX).on("read", &path)? {
        Regular::Bytes(bytes) => Some(bytes),
        _ => None,
    };
    Ok(check_kind(&label(skill), skill.kind, manifest.as_deref()))
}

fn label(skill: &LockedSkill) -> String {
    format!("{}@{}", skill.name, skill.version)
}

#[cfg(test)]
mod tests {
    use index::lock::Source;
    use skills::manifest::Kind;
    use skills::{TreeDigest, Version};

    use super::*;

    fn skill(name: &str, kind: Kind, needs: &[&str]) -> LockedSkill {
        let parsed = |name: &str| PackageName::parse(name).expect("a name");
        LockedSkill {
            version: Version::parse("1.0.0").expect("a version"),
            kind,
            source: Source::Path { path: "./x".to_owned() },
            tree: TreeDigest::of([]),
            folder: parsed(name).name().clone(),
            dependencies: needs.iter().map(|name| parsed(name)).collect(),
            files: Vec::new(),
            name: parsed(name),
        }
    }

    #[test]
    fn a_lock_in_which_a_check_needs_a_skill_is_refused() {
        for (dependent, dependency, wrong) in [
            (Kind::Skill, Kind::Check, 0),
            (Kind::Brief, Kind::Tools, 0),
            (Kind::Check, Kind::Tools, 0),
            (Kind::Check, Kind::Skill, 1),
            (Kind::Tools, Kind::Check, 1),
        ] {
            let skills =
                vec![skill("a/dependent", dependent, &["a/other", "a/gone"]), skill("a/other", dependency, &[])];
            let lock = Lock { skills, ..Lock::default() };
            assert_eq!(wrong_dependencies(&lock).len(), wrong, "{dependent:?} on {dependency:?}");
            assert_eq!(refuse_dependencies(&lock).is_err(), wrong > 0);
        }
    }
}
