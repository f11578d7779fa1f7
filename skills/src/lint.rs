//! What is wrong with a package: each finding with a stable code, and what a machine can mend.
//!
//! Errors are what the specification forbids or what agents read wrongly; a package with one is not
//! published. Warnings are what somebody will be surprised by. A finding is *fixable* exactly when
//! [`fix`] makes it go away: that is tried, not promised. The codes are listed in the README of this
//! room and never change their meaning.

pub(crate) mod files;
mod fix;
mod kinds;
mod links;
mod skill_md;

#[cfg(test)]
mod findings;

use crate::manifest::{Kind, Manifest, SKILL_TOML};
use crate::name::{SkillName, slug};
use crate::path::FilePath;
use crate::refusal::Refusal;
use crate::tree::{File, Tree};

/// The file that makes a folder a skill.
pub const SKILL_MD: &str = "SKILL.md";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// It cannot be published like this.
    Error,
    /// It can, and somebody will be surprised.
    Warning,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable: `S001`.
    pub code: &'static str,
    /// How bad it is.
    pub level: Level,
    /// In which file, by its path in the package.
    pub file: String,
    /// On which line, from 1.
    pub line: Option<usize>,
    /// What was seen and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether [`fix`] mends it.
    pub fixable: bool,
}

impl Finding {
    /// The same finding, with the way out named.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Looks at everything, findings in the order of files and lines. `folder` is the directory's own
/// name when the tree was read from disk, or the last part of the package's name.
pub fn lint(tree: &Tree, folder: Option<&str>) -> Vec<Finding> {
    let mut found = look(tree, folder);
    if !found.is_empty() {
        let mended = mended(tree, folder).map_or_else(Vec::new, |mended| look(&mended, folder));
        for finding in &mut found {
            finding.fixable = !mended.iter().any(|left| same(left, finding));
        }
    }
    found.sort_by(|a, b| (&a.file, a.line, a.code).cmp(&(&b.file, b.line, b.code)));
    found
}

/// The new contents of the files that a machine can mend.
pub fn fix(tree: &Tree, folder: Option<&str>) -> Result<Vec<(FilePath, Vec<u8>)>, Refusal> {
    let expected = expected_name(tree, folder);
    let mend = |file: &File| {
        let mended = if file.path.as_str() == SKILL_MD {
            fix::skill_md(&file.bytes, expected.as_ref())
        } else {
            fix::script(&file.bytes)
        };
        mended.filter(|mended| *mended != file.bytes).map(|mended| (file.path.clone(), mended))
    };
    Ok(tree.files().iter().filter_map(mend).collect())
}

fn look(tree: &Tree, folder: Option<&str>) -> Vec<Finding> {
    let (manifest, mut found) = manifest(tree);
    // Other kinds may bring a `SKILL.md` along; only a skill has to.
    let is_skill = manifest.as_ref().is_none_or(|manifest| manifest.kind == Kind::Skill);
    if tree.file(SKILL_MD).is_some() || is_skill && !found.iter().any(|finding| finding.code == "S040") {
        found.extend(skill_md::findings(tree, expected_name(tree, folder).as_ref()));
    }
    found.extend(manifest.as_ref().and_then(|manifest| kinds::evals(tree, manifest)));
    if let Some(manifest) = manifest.filter(|manifest| manifest.kind != Kind::Skill) {
        found.extend(kinds::findings(tree, &manifest));
    }
    found.extend(files::findings(tree));
    found
}

/// The tree after [`fix`], if that changes anything.
fn mended(tree: &Tree, folder: Option<&str>) -> Option<Tree> {
    let fixed = fix(tree, folder).ok()?;
    let change = |file: &File| {
        let new = fixed.iter().find(|(path, _)| *path == file.path);
        new.map_or_else(|| file.clone(), |(_, bytes)| File { bytes: bytes.clone(), ..file.clone() })
    };
    let files = tree.files().iter().map(change).collect();
    if fixed.is_empty() { Some(tree.clone()) } else { Tree::new(files).ok() }
}

/// Lines move when others are mended, so a finding is known by what it says.
fn same(a: &Finding, b: &Finding) -> bool {
    (a.code, &a.file, &a.message) == (b.code, &b.file, &b.message)
}

/// The name that `SKILL.md` has to say: that of the manifest, or of the folder as far as it makes one.
fn expected_name(tree: &Tree, folder: Option<&str>) -> Option<SkillName> {
    let manifest = tree.file(SKILL_TOML).and_then(|file| Manifest::parse(&file.bytes).ok());
    if let Some(manifest) = manifest {
        return Some(manifest.name.name().clone());
    }
    SkillName::parse(&slug(folder?)?).ok()
}

/// The manifest as far as it can be read, and the findings about it.
fn manifest(tree: &Tree) -> (Option<Manifest>, Vec<Finding>) {
    let Some(file) = tree.file(SKILL_TOML) else { return (None, misspelt_manifest(tree)) };
    match Manifest::parse(&file.bytes) {
        Ok(manifest) => (Some(manifest), Vec::new()),
        Err(refusal) => {
            let code = if refusal.code == "manifest-repeats" { "S042" } else { "S040" };
            (None, vec![of_manifest(code, refusal)])
        }
    }
}

/// `Skill.toml` would be taken for an ordinary file, and all that it says be ignored.
fn misspelt_manifest(tree: &Tree) -> Vec<Finding> {
    let other = tree.files().iter().find(|file| file.path.as_str().eq_ignore_ascii_case(SKILL_TOML));
    let refusal = other.map(|file| {
        Refusal::new("manifest-missing", format!("the file is called `{}`, expected `skill.toml`", file.path))
            .hint("rename it")
    });
    refusal.into_iter().map(|refusal| of_manifest("S043", refusal)).collect()
}

/// The sentence of a refusal begins with its place; a finding keeps the place apart.
fn of_manifest(code: &'static str, refusal: Refusal) -> Finding {
    let rest = refusal.message.strip_prefix("skill.toml").unwrap_or(&refusal.message);
    let (place, message) = rest.split_once(": ").filter(|_| rest != refusal.message).unwrap_or(("", &refusal.message));
    Finding {
        code,
        level: Level::Error,
        file: SKILL_TOML.to_owned(),
        line: place.strip_prefix(" line ").and_then(|line| line.parse().ok()),
        message: message.to_owned(),
        hint: refusal.hint,
        fixable: false,
    }
}
