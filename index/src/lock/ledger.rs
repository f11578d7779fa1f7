//! The ledger: what was written into agents' configuration files, and which grants a human approved.
//!
//! A row says where an entry stands, what it was when it was written, and for whom. Removal obeys it
//! only as far as the disk agrees: what no longer has the digest of the row is not ours. An approval
//! names the archive that it was given for, so that another version of a bundle starts without any.

use serde::Deserialize;
use skills::{FilePath, PackageName, Refusal, Sha256};

use super::text::{check_text, malformed, write_list, write_pair};

/// Most bytes of an entry's place or of a list's element.
const ENTRY_BYTES_MAX: usize = 16 * 1024;

/// Most steps from the top of a file to an entry, and so most containers made for it.
const STEPS_MAX: usize = 16;

/// One entry of one client's configuration that we wrote, or found there as we would have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The client that reads it.
    pub client: String,
    /// The file, relative to the project.
    pub path: FilePath,
    /// A JSON pointer, a TOML path, or nothing for the whole file.
    pub at: String,
    /// The element, where the place is a list: its text, or its JSON where it is no text.
    pub item: Option<String>,
    /// Digest of the value, or of the file, as it was written.
    pub sha256: Sha256,
    /// The packages that want it, sorted; the last one to go takes it along.
    pub owners: Vec<PackageName>,
    /// It stood there before us, and stays when we go.
    pub preexisting: bool,
    /// The file was not there before us: it goes when nothing else is left in it.
    pub created: bool,
    /// The containers around it that were made for us, outermost first, written like `at`; the empty
    /// one is the document of a file that had none.
    pub made: Vec<String>,
}

/// A grant that a human approved, for exactly one archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Approved {
    /// The bundle.
    pub package: PackageName,
    /// `mcp:SERVER:TOOL` or `command:WORDS`.
    pub grant: String,
    /// Digest of the archive that was shown.
    pub digest: Sha256,
    /// Who approved it, as they call themselves: a note for reviewers, not a proof.
    pub by: String,
}

impl Entry {
    /// What no two rows may share.
    pub(super) fn place(&self) -> (&str, &str, &Option<String>) {
        (self.path.as_str(), &self.at, &self.item)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryRow {
    client: String,
    path: FilePath,
    at: String,
    item: Option<String>,
    sha256: Sha256,
    #[serde(default)]
    owners: Vec<PackageName>,
    #[serde(default)]
    preexisting: bool,
    #[serde(default)]
    created: bool,
    #[serde(default)]
    made: Vec<String>,
}

impl EntryRow {
    pub(super) fn decode(self) -> Result<Entry, Refusal> {
        let Self { client, path, at, item, sha256, mut owners, preexisting, created, made } = self;
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if client.is_empty() || client.len() > 64 || !client.chars().all(word) {
            return Err(malformed("a written row: `client` is not the name of a client"));
        }
        for text in [&at].into_iter().chain(&made).chain(&item) {
            check_entry(text)?;
        }
        if made.len() > STEPS_MAX || made.iter().any(|container| !at.starts_with(container.as_str())) {
            return Err(malformed("a written row: `made` names what is not around the entry"));
        }
        if at.is_empty() && (item.is_some() || !made.is_empty()) {
            return Err(malformed("a written row: a whole file has no `item` and no `made`"));
        }
        owners.sort();
        if owners.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(malformed("a written row: an owner appears twice"));
        }
        Ok(Entry { client, path, at, item, sha256, owners, preexisting, created, made })
    }
}

fn check_entry(text: &str) -> Result<(), Refusal> {
    if text.len() > ENTRY_BYTES_MAX || text.chars().any(char::is_control) {
        let why =
            format!("a written row: a place or an item has at most {ENTRY_BYTES_MAX} bytes and no control characters");
        return Err(malformed(&why));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovedRow {
    package: PackageName,
    digest: Sha256,
    grant: String,
    by: String,
}

impl ApprovedRow {
    pub(super) fn decode(self) -> Result<Approved, Refusal> {
        let grant = check_text(self.grant)?;
        if !grant.starts_with("mcp:") && !grant.starts_with("command:") {
            return Err(malformed("an approved row: a grant is `mcp:SERVER:TOOL` or `command:WORDS`"));
        }
        Ok(Approved { package: self.package, digest: self.digest, grant, by: check_text(self.by)? })
    }
}

pub(super) fn write_entry(out: &mut String, entry: &Entry) {
    out.push_str("\n[[written]]\n");
    write_pair(out, "client", &entry.client);
    write_pair(out, "path", &entry.path);
    write_pair(out, "at", &entry.at);
    if let Some(item) = &entry.item {
        write_pair(out, "item", item);
    }
    write_pair(out, "sha256", &entry.sha256);
    write_list(out, "owners", &entry.owners);
    for (key, holds) in [("preexisting", entry.preexisting), ("created", entry.created)] {
        if holds {
            out.push_str(key);
            out.push_str(" = true\n");
        }
    }
    write_list(out, "made", &entry.made);
}

pub(super) fn write_approved(out: &mut String, approved: &Approved) {
    out.push_str("\n[[approved]]\n");
    write_pair(out, "package", &approved.package);
    write_pair(out, "digest", &approved.digest);
    write_pair(out, "grant", &approved.grant);
    write_pair(out, "by", &approved.by);
}
