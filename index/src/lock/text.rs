//! The lockfile's TOML: read by `toml` into rows, written by hand so that every byte is chosen.

use std::fmt::Write;

use serde::Deserialize;

use skills::manifest::Kind;
use skills::{FilePath, PackageName, Refusal, Sha256, SkillName, TreeDigest, Version};

use super::ledger::{ApprovedRow, EntryRow, write_approved, write_entry};
use super::{LOCK_VERSION, LinkKind, Lock, LockedSkill, Source, Written};

/// Longest text of a row that is no path inside a package: agent, registry, source folder.
const TEXT_BYTES_MAX: usize = 4096;

/// Reads the rows.
pub(super) fn parse(text: &str) -> Result<Lock, Refusal> {
    let rows: Rows = toml::from_str(text).map_err(|error| unreadable(text, &error))?;
    if rows.version != LOCK_VERSION {
        return Err(other_version(rows.version));
    }
    let mut lock = Lock {
        skills: rows.skill.into_iter().map(SkillRow::decode).collect::<Result<_, _>>()?,
        approved: rows.approved.into_iter().map(ApprovedRow::decode).collect::<Result<_, _>>()?,
        ..Lock::default()
    };
    for row in rows.written {
        // Two kinds of row share a name: a link made for an agent, an entry made for a client.
        if row.contains_key("client") {
            lock.entries.push(row_of::<EntryRow>(row)?.decode()?);
        } else {
            lock.written.push(row_of::<WrittenRow>(row)?.decode()?);
        }
    }
    Ok(lock)
}

fn row_of<T: serde::de::DeserializeOwned>(row: toml::Table) -> Result<T, Refusal> {
    row.try_into().map_err(|error: toml::de::Error| malformed(&format!("a written row: {}", error.message())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    version: u64,
    #[serde(default)]
    skill: Vec<SkillRow>,
    #[serde(default)]
    written: Vec<toml::Table>,
    #[serde(default)]
    approved: Vec<ApprovedRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SkillRow {
    name: PackageName,
    version: Version,
    #[serde(default = "skill")]
    kind: Kind,
    registry: Option<String>,
    archive: Option<Sha256>,
    statement: Option<Sha256>,
    keyring: Option<u64>,
    path: Option<String>,
    tree: TreeDigest,
    folder: Option<SkillName>,
    #[serde(default)]
    dependencies: Vec<PackageName>,
    #[serde(default)]
    files: Vec<FilePath>,
}

/// The kind of a row that says none.
fn skill() -> Kind {
    Kind::Skill
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRow {
    folder: SkillName,
    agent: String,
    path: String,
    link: LinkKind,
}

/// A lock of a newer program is told apart from a broken one, whatever else is new in it.
fn unreadable(text: &str, error: &toml::de::Error) -> Refusal {
    #[derive(Deserialize)]
    struct Probe {
        version: u64,
    }
    if let Ok(Probe { version }) = toml::from_str(text)
        && version != LOCK_VERSION
    {
        return other_version(version);
    }
    let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
    malformed(&format!("line {line}: {}", error.message()))
}

fn other_version(seen: u64) -> Refusal {
    Refusal::new("lock-version", format!("skills.lock has version {seen}, this program knows {LOCK_VERSION}"))
        .hint("a newer `skill` wrote it: upgrade `skill`")
}

pub(super) fn malformed(why: &str) -> Refusal {
    Refusal::new("lock-malformed", format!("skills.lock cannot be read: {why}"))
        .hint("restore it from version control, or delete it and run `skill install`")
}

impl SkillRow {
    fn decode(self) -> Result<LockedSkill, Refusal> {
        let name = self.name;
        let source = match (self.registry, self.archive, self.statement, self.keyring, self.path) {
            (Some(registry), Some(archive), Some(statement), Some(keyring), None) => {
                Source::Registry { registry: check_text(registry)?, archive, statement, keyring }
            }
            (None, None, None, None, Some(path)) => Source::Path { path: check_text(path)? },
            _ => {
                return Err(malformed(&format!(
                    "`{name}` needs either registry, archive, statement and keyring, or path"
                )));
            }
        };
        let folder = self.folder.unwrap_or_else(|| name.name().clone());
        Ok(LockedSkill {
            version: self.version,
            kind: self.kind,
            source,
            tree: self.tree,
            folder,
            dependencies: self.dependencies,
            files: self.files,
            name,
        })
    }
}

impl WrittenRow {
    /// `remove` deletes by these rows: a path that leaves the project, or that is not a place for
    /// this skill, never gets that far.
    fn decode(self) -> Result<Written, Refusal> {
        let Self { folder, agent, path, link } = self;
        let lawful = FilePath::parse(path.strip_prefix("~/").unwrap_or(&path))
            .map_err(|refusal| malformed(&format!("a written row: {}", refusal.message)))?;
        if lawful.as_str().rsplit('/').next() != Some(folder.as_str()) {
            return Err(malformed(&format!("a written row: `{path}` does not end in its folder `{folder}`")));
        }
        Ok(Written { folder, agent: check_text(agent)?, path, link })
    }
}

pub(super) fn check_text(text: String) -> Result<String, Refusal> {
    if text.is_empty() || text.len() > TEXT_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(malformed(&format!("a text has 1 to {TEXT_BYTES_MAX} bytes and no control characters")));
    }
    Ok(text)
}

/// Writes a sorted lock.
pub(super) fn format(lock: &Lock) -> String {
    let mut out = format!("# Written by `skill`. Do not edit; commit it.\nversion = {LOCK_VERSION}\n");
    for skill in &lock.skills {
        write_skill(&mut out, skill);
    }
    for written in &lock.written {
        let link = match written.link {
            LinkKind::Symlink => "symlink",
            LinkKind::Copy => "copy",
        };
        out.push_str("\n[[written]]\n");
        write_pair(&mut out, "folder", &written.folder);
        write_pair(&mut out, "agent", &written.agent);
        write_pair(&mut out, "path", &written.path);
        write_pair(&mut out, "link", &link);
    }
    lock.entries.iter().for_each(|entry| write_entry(&mut out, entry));
    lock.approved.iter().for_each(|approved| write_approved(&mut out, approved));
    out
}

fn write_skill(out: &mut String, skill: &LockedSkill) {
    out.push_str("\n[[skill]]\n");
    write_pair(out, "name", &skill.name);
    write_pair(out, "version", &skill.version);
    if skill.kind != Kind::Skill {
        write_pair(out, "kind", &skill.kind.as_str());
    }
    match &skill.source {
        Source::Registry { registry, archive, statement, keyring } => {
            write_pair(out, "registry", registry);
            write_pair(out, "archive", archive);
            write_pair(out, "statement", statement);
            writeln!(out, "keyring = {keyring}").expect("a string takes every write");
        }
        Source::Path { path } => write_pair(out, "path", path),
    }
    write_pair(out, "tree", &skill.tree);
    if skill.folder != *skill.name.name() {
        write_pair(out, "folder", &skill.folder);
    }
    write_list(out, "dependencies", &skill.dependencies);
    write_list(out, "files", &skill.files);
}

pub(super) fn write_pair(out: &mut String, key: &str, value: &dyn std::fmt::Display) {
    writeln!(out, "{key} = {}", quoted(&value.to_string())).expect("a string takes every write");
}

pub(super) fn write_list<T: std::fmt::Display>(out: &mut String, key: &str, values: &[T]) {
    if values.is_empty() {
        return;
    }
    writeln!(out, "{key} = [").expect("a string takes every write");
    for value in values {
        writeln!(out, "    {},", quoted(&value.to_string())).expect("a string takes every write");
    }
    out.push_str("]\n");
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => write!(out, "\\u{:04X}", u32::from(c)).expect("a string takes every write"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
