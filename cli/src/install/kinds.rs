//! Kinds: what the index and the lock say a package is, held against its manifest.
//!
//! Nothing is signed about the kind alone, but the manifest is among the signed files. So as soon as the
//! files are at hand (verified and about to be placed, or on the disk and found right) the manifest is asked.

use index::lock::{Lock, LockedSkill};
use index::verify::{Finding, check_kind};
use skills::PackageName;
use skills::limits::MANIFEST_BYTES_MAX;
use skills::manifest::SKILL_TOML;

use super::evidence::{Admitted, refusal_sentence};
use super::standing::canonical_path;
use crate::failure::{Failure, OnPath};
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
