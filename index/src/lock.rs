//! The lockfile `skills.lock`: what was resolved, and what was written where.
//!
//! It is committed and so read by people, merged by Git and edited by strangers in pull requests.
//! Hence: sorted tables and one value a line, so that a diff shows what changed; a refusal of its
//! own for merge-conflict markers; every path parsed by the laws of paths, because `remove` deletes
//! by this file; and no trust, ever: the lock says what is *expected*, the policy says who is
//! *believed*.
//!
//! ```toml
//! # Written by `skill`. Do not edit; commit it.
//! version = 1
//!
//! [[skill]]
//! name = "acme/pdf-fill"
//! version = "1.4.2"
//! registry = "skills.example"
//! archive = "sha256:…"
//! statement = "sha256:…"
//! keyring = 1
//! tree = "h1:…"
//! dependencies = ["acme/pdf-lib"]
//! files = [
//!     "SKILL.md",
//!     "scripts/fill.py",
//! ]
//!
//! [[written]]
//! folder = "pdf-fill"
//! agent = "claude-code"
//! path = ".claude/skills/pdf-fill"
//! link = "symlink"
//!
//! [[written]]
//! client = "claude-code"
//! path = ".claude/settings.json"
//! at = "/permissions/deny"
//! item = "Bash(dropdb *)"
//! sha256 = "sha256:…"
//! owners = ["acme/tools-pg"]
//! made = ["/permissions", "/permissions/deny"]
//!
//! [[approved]]
//! package = "acme/tools-pg"
//! digest = "sha256:…"
//! grant = "mcp:pg:query"
//! by = "Ada <ada@example.org>"
//! ```
//!
//! A package of another kind than `skill` has `kind`. A skill from a folder has `path` instead of `registry`, `archive`, `statement` and `keyring`; one
//! installed under another name (`--as`) has `folder`. Older programs refuse a newer `version`
//! instead of dropping what they do not know.

mod ledger;
mod text;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use skills::manifest::Kind;
use skills::{FilePath, PackageName, Refusal, Sha256, SkillName, TreeDigest, Version};

pub use self::ledger::{Approved, Entry};

/// The version of the format that this program reads and writes.
pub const LOCK_VERSION: u64 = 1;

/// Largest lockfile, in bytes: 400 real skills take a tenth of a megabyte.
pub const LOCK_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What was resolved and written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The skills, sorted by name.
    pub skills: Vec<LockedSkill>,
    /// The links and copies made for agents, sorted by folder, agent and path.
    pub written: Vec<Written>,
    /// The entries of agents' configuration files, sorted by file and place.
    pub entries: Vec<Entry>,
    /// The grants that a human approved, sorted by package and grant.
    pub approved: Vec<Approved>,
}

/// One skill as it was resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedSkill {
    /// The package.
    pub name: PackageName,
    /// The version, build metadata included.
    pub version: Version,
    /// What kind of package it is; left out of the text for a skill, which is all that older programs know.
    pub kind: Kind,
    /// Where it comes from.
    pub source: Source,
    /// Digest of its content as published; with `--as`, the installed `SKILL.md` differs.
    pub tree: TreeDigest,
    /// The installed folder; differs from the name's last part with `--as`.
    pub folder: SkillName,
    /// The packages that it needs.
    pub dependencies: Vec<PackageName>,
    /// The files that were installed.
    pub files: Vec<FilePath>,
}

/// Where a skill comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A signed release.
    Registry {
        /// The registry, by the name that statements bind.
        registry: String,
        /// Digest of the archive.
        archive: Sha256,
        /// Digest of the statement's payload.
        statement: Sha256,
        /// The keyring link that the statement names.
        keyring: u64,
    },
    /// A folder, as the user wrote it. It is only ever read.
    Path {
        /// `./folder`, relative to the project.
        path: String,
    },
}

/// A link or copy made for one agent: what `remove` may take away again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The installed folder that it shows.
    pub folder: SkillName,
    /// The agent it was made for.
    pub agent: String,
    /// Relative to the project, or `~/…` for a global installation; its last part is the folder.
    pub path: String,
    /// What was made.
    pub link: LinkKind,
}

/// How an agent's folder shows a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkKind {
    /// A symbolic link to the canonical folder.
    Symlink,
    /// A copy of it.
    Copy,
}

impl Lock {
    /// Reads a lockfile: all of it is lawful, or it is refused.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > LOCK_BYTES_MAX {
            let seen = text.len();
            return Err(Refusal::new(
                "lock-too-large",
                format!("skills.lock has {seen} bytes, at most {LOCK_BYTES_MAX} are read"),
            ));
        }
        refuse_conflict_markers(text)?;
        let mut lock = text::parse(text)?;
        lock.sort();
        lock.refuse_duplicates()?;
        Ok(lock)
    }

    /// The lockfile as text: the same lock gives the same bytes, and they parse back to it.
    pub fn format(&self) -> String {
        let mut sorted = self.clone();
        sorted.sort();
        text::format(&sorted)
    }

    /// One skill, by its name.
    pub fn skill(&self, name: &PackageName) -> Option<&LockedSkill> {
        self.skills.iter().find(|skill| skill.name == *name)
    }

    /// The skill that a person names: `scope/name` in full, or its installed folder.
    pub fn find(&self, text: &str) -> Option<&LockedSkill> {
        let name = text.strip_prefix('@').unwrap_or(text);
        self.skills.iter().find(|skill| skill.name.to_string() == name || skill.folder.as_str() == name)
    }

    /// The skill that is installed in a folder.
    pub fn folder(&self, folder: &SkillName) -> Option<&LockedSkill> {
        self.skills.iter().find(|skill| skill.folder == *folder)
    }

    fn sort(&mut self) {
        self.skills.sort_by(|a, b| a.name.cmp(&b.name));
        self.written.sort_by(|a, b| (&a.folder, &a.agent, &a.path).cmp(&(&b.folder, &b.agent, &b.path)));
        self.entries.sort_by(|a, b| a.place().cmp(&b.place()));
        self.approved.sort();
    }

    /// Two rows for one name, folder or place would make `remove` and `install` depend on their
    /// order.
    fn refuse_duplicates(&self) -> Result<(), Refusal> {
        let twice = |what: &str, name: &dyn std::fmt::Display| {
            Err(Refusal::new("lock-duplicate", format!("skills.lock: {what} `{name}` appears twice"))
                .hint("delete skills.lock and run `skill install`"))
        };
        let (mut names, mut folders, mut paths) = (HashSet::new(), HashSet::new(), HashSet::new());
        for skill in &self.skills {
            if !names.insert(&skill.name) {
                return twice("skill", &skill.name);
            }
            if !folders.insert(&skill.folder) {
                return twice("folder", &skill.folder);
            }
        }
        for written in &self.written {
            if !paths.insert(written.path.to_lowercase()) {
                return twice("path", &written.path);
            }
        }
        if let Some(pair) = self.entries.windows(2).find(|pair| pair[0].place() == pair[1].place()) {
            return twice("entry", &format_args!("{} {}", pair[0].path, pair[0].at));
        }
        let of = |row: &'_ Approved| (row.package.clone(), row.grant.clone());
        if let Some(pair) = self.approved.windows(2).find(|pair| of(&pair[0]) == of(&pair[1])) {
            return twice("approval", &pair[0].grant);
        }
        Ok(())
    }
}

/// A merge that was left half done would otherwise be a puzzling syntax error, or worse, none.
fn refuse_conflict_markers(text: &str) -> Result<(), Refusal> {
    let marker = |line: &str| ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark));
    match text.lines().position(marker) {
        None => Ok(()),
        Some(at) => Err(Refusal::new(
            "lock-conflict-markers",
            format!("skills.lock, line {}: a merge-conflict marker", at + 1),
        )
        .hint("take either side of skills.lock (`git checkout --ours skills.lock`), then run `skill install`: it adds what skills.toml wants and the lock lacks")),
    }
}

#[cfg(test)]
mod tests;
