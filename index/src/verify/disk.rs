//! The disk, or an unpacked archive, against the signed list of files.

use std::collections::BTreeMap;

use skills::Sha256;
use skills::tree::{Mode, Resource};

use super::finding::{Class, Finding};

/// One thing found in a skill's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnDisk {
    /// Relative to the skill's folder, `/` between components; whatever the disk had.
    pub path: String,
    /// What is there.
    pub content: DiskContent,
}

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskContent {
    /// A regular file.
    Regular {
        /// SHA-256 of its content.
        digest: Sha256,
        /// Whether it may be executed.
        mode: Mode,
    },
    /// What it is instead: `symlink`, `socket`, …
    Other(&'static str),
}

/// Reports every difference, sorted by path. `.skill` at the top is ours and no part of a package
/// (TRUST §1). A folder that has none of the files is one finding, not one a file.
pub fn compare_disk(skill: &str, resources: &[Resource], disk: &[OnDisk]) -> Vec<Finding> {
    let mut seen: BTreeMap<&str, &DiskContent> =
        disk.iter().filter(|file| !is_ours(&file.path)).map(|file| (file.path.as_str(), &file.content)).collect();
    let mut findings = Vec::new();
    let mut missing = Vec::new();
    for resource in resources {
        match seen.remove(resource.path.as_str()) {
            None => missing.push(resource.path.as_str()),
            Some(content) => compare_file(skill, resource, content, &mut findings),
        }
    }
    if missing.len() == resources.len() && !resources.is_empty() {
        let message = "it is not installed: none of its files is there";
        findings.push(Finding::new("SKV004", Class::Missing, skill, message).hint("run `skill install`"));
    } else {
        findings.extend(missing.into_iter().map(|path| {
            Finding::new("SKV004", Class::Failed, skill, format!("`{path}` is missing")).path(path).hint(REPAIR)
        }));
    }
    findings.extend(seen.into_keys().map(|path| extra(skill, path)));
    findings.sort_by(|a, b| (&a.path, a.id).cmp(&(&b.path, b.id)));
    findings
}

const REPAIR: &str = "`skill diff` shows the change, `skill install --force` restores what was signed";

fn is_ours(path: &str) -> bool {
    path == ".skill" || path.starts_with(".skill/")
}

fn compare_file(skill: &str, resource: &Resource, content: &DiskContent, findings: &mut Vec<Finding>) {
    let path = resource.path.as_str();
    let failed = |id, message: String| Finding::new(id, Class::Failed, skill, message).path(path).hint(REPAIR);
    match content {
        DiskContent::Other(what) => {
            findings.push(failed("SKV001", format!("`{path}` is a {what}, expected a regular file")));
        }
        DiskContent::Regular { digest, mode } => {
            if *digest != resource.digest {
                let expected = resource.digest;
                findings.push(failed("SKV001", format!("`{path}` was changed: expected {expected}, found {digest}")));
            }
            if *mode != resource.mode {
                let (expected, found) = (resource.mode.bits(), mode.bits());
                findings.push(failed("SKV003", format!("`{path}` has mode {found:o}, expected {expected:o}")));
            }
        }
    }
}

fn extra(skill: &str, path: &str) -> Finding {
    let shown = path.escape_debug();
    Finding::new("SKV002", Class::Failed, skill, format!("`{shown}` is not among the signed files"))
        .path(path)
        .hint("move it out of the skill's folder")
}
