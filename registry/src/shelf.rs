//! The public files that change, ready to be sent: index files and keyrings, in memory.
//!
//! Each is a pure function of rows: droppable, rebuildable, comparable. The store tells the shelf of every
//! commit before it answers the client ([`crate::store::Store`], law 3), and the shelf swaps whole files, so a
//! reader sees the file before or the file after and a client reads its own write in its first GET.
//!
//! Kept small, because there may be many: the file's bytes, its ETag, and a card with what search and the
//! discovery document need of the newest release.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

use axum::http::HeaderValue;
use bytes::Bytes;
use index::entry::{Boundary, Entry};
use index::keyring::Chain;
use skills::manifest::Kind;
use skills::package::Capabilities;
use skills::{PackageName, Refusal, Scope, Sha256, Version};

use crate::store::{LinkRow, Release, Touched};

/// Everything public that changes.
#[derive(Default)]
pub struct Shelf {
    packages: RwLock<HashMap<Box<str>, Arc<Page>>>,
    keyrings: RwLock<HashMap<Box<str>, Arc<Keyring>>>,
    generation: AtomicU64,
}

/// Bytes and the tag that names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedFile {
    /// The file.
    pub bytes: Bytes,
    /// Its strong ETag: the digest of the bytes, quoted.
    pub etag: HeaderValue,
}

/// A package: its index file, and its card.
#[derive(Debug)]
pub struct Page {
    /// The index file.
    pub file: TaggedFile,
    /// What is shown of it in lists.
    pub card: Card,
}

/// What is shown of a package in lists: of its newest release that is not yanked, final releases first; of
/// the newest one where all are yanked.
#[derive(Debug, Clone)]
pub struct Card {
    /// The package.
    pub name: PackageName,
    /// The version shown.
    pub version: Version,
    /// What kind of package it is.
    pub kind: Kind,
    /// What it can do.
    pub caps: Capabilities,
    /// What it is cleared for; skills and checks say nothing about that.
    pub boundary: Option<Boundary>,
    /// Its archive.
    pub archive: Sha256,
    /// How many files it has.
    pub files: u32,
    /// Its description.
    pub description: String,
    /// Its keywords.
    pub keywords: Vec<String>,
    /// Every version is yanked.
    pub yanked: bool,
    /// When the package first appeared, in the order of the whole registry.
    pub since: u64,
}

/// A scope's keyring: the file, and the chain in it once somebody needed it.
pub struct Keyring {
    /// One link a line.
    pub file: TaggedFile,
    chain: OnceLock<Result<Arc<Chain>, Refusal>>,
}

impl TaggedFile {
    /// Tags bytes.
    pub fn new(bytes: Bytes) -> Self {
        let etag = format!("\"{}\"", Sha256::of(&bytes).hex());
        Self { bytes, etag: HeaderValue::from_str(&etag).expect("hex in quotes is a header value") }
    }
}

impl Keyring {
    /// The chain, verified once.
    pub fn chain(&self, scope: &Scope) -> Result<Arc<Chain>, Refusal> {
        self.chain.get_or_init(|| Chain::parse(&self.file.bytes, scope).map(Arc::new)).clone()
    }
}

impl Shelf {
    /// The page of a package, by the text of its name: a path that is no name finds nothing.
    pub fn page(&self, name: &str) -> Option<Arc<Page>> {
        self.packages.read().expect(WHOLE).get(name).cloned()
    }

    /// The versions of a package that are not yanked, with their kinds; nothing where there is no such package.
    pub fn kinds(&self, name: &PackageName) -> Vec<(Version, Kind)> {
        let page = self.page(&name.to_string());
        let entries = page.and_then(|page| index::entry::parse(&page.file.bytes, name).ok()).unwrap_or_default();
        entries.into_iter().filter(|entry| !entry.yanked).map(|entry| (entry.vers, entry.kind)).collect()
    }

    /// The keyring of a scope.
    pub fn keyring(&self, scope: &str) -> Option<Arc<Keyring>> {
        self.keyrings.read().expect(WHOLE).get(scope).cloned()
    }

    /// All pages, in no order.
    pub fn pages(&self) -> Vec<Arc<Page>> {
        self.packages.read().expect(WHOLE).values().cloned().collect()
    }

    /// How many packages there are.
    pub fn len(&self) -> usize {
        self.packages.read().expect(WHOLE).len()
    }

    /// Whether nothing was ever published.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A number that is another one after every change of a package.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Swaps in what a commit touched. Called by the store, in the order of the commits.
    pub fn take(&self, touched: Vec<Touched>) {
        for one in touched {
            match one {
                Touched::Keyring(scope, links) => self.put_keyring(&scope, &links),
                Touched::Package(name, releases) => self.put_package(&name, releases),
            }
        }
    }

    fn put_keyring(&self, scope: &Scope, links: &[LinkRow]) {
        if links.is_empty() {
            return;
        }
        let file = TaggedFile::new(keyring_file(links).into());
        let keyring = Arc::new(Keyring { file, chain: OnceLock::new() });
        self.keyrings.write().expect(WHOLE).insert(scope.as_str().into(), keyring);
    }

    fn put_package(&self, name: &PackageName, releases: Vec<Release>) {
        match Page::of(name, releases) {
            Ok(page) => {
                self.packages.write().expect(WHOLE).insert(name.to_string().into(), Arc::new(page));
                self.generation.fetch_add(1, Ordering::AcqRel);
            }
            // Only a tampered database gets here; the page before, if any, stays.
            Err(refusal) => tracing::error!(%name, %refusal, "an index file could not be built: run `check`"),
        }
    }
}

const WHOLE: &str = "nothing panics while it holds the shelf";

/// The keyring file of a chain: one envelope a line.
pub fn keyring_file(links: &[LinkRow]) -> String {
    links.iter().flat_map(|link| [link.envelope.as_str(), "\n"]).collect()
}

impl Page {
    /// Builds the page from the rows of a package: lines sorted by version.
    pub fn of(name: &PackageName, mut releases: Vec<Release>) -> Result<Self, Refusal> {
        let since = releases.iter().map(|release| release.seq).min().unwrap_or_default();
        releases.sort_by(|a, b| a.version.cmp(&b.version));
        let mut file = String::with_capacity(releases.iter().map(|release| release.entry.len() + 1).sum());
        for release in &releases {
            file.push_str(&line_of(release)?);
        }
        let shown = releases
            .iter()
            .max_by_key(|release| (release.yanked.is_none(), !release.version.is_prerelease(), &release.version))
            .ok_or_else(|| Refusal::new("package-not-found", format!("`{name}` has no release")))?;
        Ok(Self { file: TaggedFile::new(file.into()), card: Card::of(shown, since)? })
    }
}

/// The index line of a release: as published, but for a yank in force.
pub fn line_of(release: &Release) -> Result<String, Refusal> {
    let Some(reason) = &release.yanked else { return Ok(format!("{}\n", release.entry)) };
    let mut entry = parse_entry(release)?;
    entry.yanked = true;
    entry.yank_reason = Some(reason.clone());
    Ok(entry.to_line())
}

fn parse_entry(release: &Release) -> Result<Entry, Refusal> {
    let entries = index::entry::parse(release.entry.as_bytes(), &release.package)?;
    entries.into_iter().next().ok_or_else(|| Refusal::new("index-malformed", "a release has an empty index line"))
}

impl Card {
    fn of(release: &Release, since: u64) -> Result<Self, Refusal> {
        let entry = parse_entry(release)?;
        Ok(Self {
            name: entry.name,
            version: entry.vers,
            kind: entry.kind,
            caps: entry.caps,
            boundary: entry.boundary,
            archive: entry.cksum,
            files: entry.files,
            description: entry.desc,
            keywords: entry.kw,
            yanked: release.yanked.is_some(),
            since,
        })
    }
}
