//! One running registry: its store, blobs and memory, and the bounds on what it takes in.
//!
//! Everything that a handler needs is here, made once at start. Opening replays the rows into memory; from
//! then on the store tells the shelf of every commit.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use skills::{Refusal, Scope};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::admit::ScopeFacts;
use crate::answer::No;
use crate::blobs::Blobs;
use crate::blobs::folder::Folder;
use crate::config::Config;
use crate::discovery::Discovery;
use crate::home::{Home, Served};
use crate::metrics::Metrics;
use crate::rates::Rates;
use crate::shelf::Shelf;
use crate::sqlite::Sqlite;
use crate::store::Store;

/// Largest file kept in the cache of immutable files, in bytes: 99 % of real archives, and one large one
/// does not push out a hundred.
pub const CACHED_BYTES_MAX: usize = 384 * 1024;

/// Decisions made at once: hashing and inflating fill a core each.
const DECISIONS_AT_ONCE: u32 = 2;

/// An archive from which on a decision is made alone: it may inflate to 64 MiB in memory.
const LARGE_ARCHIVE_BYTES: usize = 1024 * 1024;

/// A running registry.
pub struct App {
    /// What the operator said.
    pub config: Config,
    /// The name that statements bind.
    pub name: String,
    /// Rows.
    pub store: Box<dyn Store>,
    /// Archives.
    pub blobs: Box<dyn Blobs>,
    /// Public files that change.
    pub shelf: Arc<Shelf>,
    /// Public files that never change, by path, the small ones.
    pub immutable: Cache<Box<str>, Bytes, ByLength>,
    /// The document for other installers.
    pub discovery: Discovery,
    /// Counters.
    pub metrics: Metrics,
    writes: Rates<String>,
    failed_auth: Rates<IpAddr>,
    uploads: Arc<Semaphore>,
    decisions: Semaphore,
    _served: Served,
}

/// Weighs a cached file by its bytes and what it costs to remember it.
#[derive(Clone)]
pub struct ByLength;

impl Weighter<Box<str>, Bytes> for ByLength {
    fn weight(&self, path: &Box<str>, bytes: &Bytes) -> u64 {
        (path.len() + bytes.len() + 128) as u64
    }
}

impl App {
    /// Opens a data folder and makes it ready to serve.
    pub async fn open(data: &Path, config: Config) -> Result<Arc<Self>, Refusal> {
        let home = Home::open(data)?;
        if let Some(mode) = home.open_to_others() {
            let mode = format!("{mode:o}");
            tracing::warn!(mode, "other users of this machine may look into the data folder: `chmod 700` closes it");
        }
        let served = home.serve()?;
        let name = home.name(config.name.as_deref())?;
        let broken =
            |error: &dyn std::fmt::Display| Refusal::new("data-unusable", format!("{}: {error}", data.display()));
        let store = Sqlite::open(&home.database()).map_err(|fault| broken(&fault))?;
        let blobs = Folder::open(&home.blobs()).map_err(|error| broken(&error))?;
        let shelf = Arc::new(Shelf::default());
        let told = shelf.clone();
        store.follow(Box::new(move |touched| told.take(touched))).await.map_err(|fault| broken(&fault))?;
        let limits = &config.limits;
        let cache_bytes = u64::from(limits.archive_cache_mib) * 1024 * 1024;
        Ok(Arc::new(Self {
            immutable: Cache::with_weighter((cache_bytes / (16 * 1024)) as usize, cache_bytes, ByLength),
            writes: Rates::new(config.rates.writes_per_minute, config.rates.writes_burst),
            failed_auth: Rates::new(config.rates.failed_auth_per_minute, config.rates.failed_auth_per_minute),
            uploads: Arc::new(Semaphore::new(limits.uploads_mib as usize * 1024)),
            decisions: Semaphore::new(DECISIONS_AT_ONCE as usize),
            discovery: Discovery::default(),
            metrics: Metrics::default(),
            store: Box::new(store),
            blobs: Box::new(blobs),
            shelf,
            name,
            config,
            _served: served,
        }))
    }

    /// Whether changes can be kept.
    pub fn ready(&self) -> Result<(), No> {
        Ok(self.store.ready().and_then(|()| self.blobs.ready())?)
    }

    /// Counts a change by a user.
    pub fn count_write(&self, user: &str) -> Result<(), Refusal> {
        let counted = self.writes.count(user.to_owned(), Instant::now());
        counted.map_err(|wait| too_many(&format!("user `{user}` makes too many changes"), wait))
    }

    /// Counts a request with a wrong token. A right token is never refused for the wrong ones of others
    /// behind the same address; 256 random bits are not found by trying.
    pub fn count_failed_auth(&self, address: IpAddr) -> Result<(), Refusal> {
        let counted = self.failed_auth.count(address, Instant::now());
        counted.map_err(|wait| too_many("too many requests with a wrong token from your address", wait))
    }

    /// Waits until so many bytes of upload fit into memory beside the others.
    pub async fn room_for(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Refusal> {
        let most = u64::from(self.config.limits.uploads_mib) * 1024;
        let kib = u32::try_from(bytes.div_ceil(1024).clamp(1, most)).expect("the most is below 4 TiB");
        let room = self.uploads.clone().acquire_many_owned(kib);
        match tokio::time::timeout(self.body_time(), room).await {
            Ok(room) => Ok(room.expect("the semaphore is never closed")),
            Err(_) => Err(Refusal::new("unavailable", "too many uploads at once").hint("try again in a moment")),
        }
    }

    /// Waits for a turn to decide about archives of at most this size.
    pub async fn turn_to_decide(&self, largest: usize) -> SemaphorePermit<'_> {
        let turns = if largest > LARGE_ARCHIVE_BYTES { DECISIONS_AT_ONCE } else { 1 };
        self.decisions.acquire_many(turns).await.expect("the semaphore is never closed")
    }

    /// How long the body of a request may take.
    pub fn body_time(&self) -> Duration {
        Duration::from_secs(self.config.limits.body_seconds)
    }

    /// What is known about a scope: its owner from the rows, its chain from memory.
    pub async fn scope_facts(&self, scope: &Scope) -> Result<ScopeFacts, No> {
        let row = self.store.scope(scope).await?.ok_or_else(|| scope_not_found(scope))?;
        let chain = match self.shelf.keyring(scope.as_str()) {
            Some(keyring) => Some(keyring.chain(scope)?),
            None => None,
        };
        Ok(ScopeFacts { owner: row.owner, chain })
    }

    /// Remembers a small file that never changes.
    pub fn remember(&self, path: String, bytes: Bytes) {
        if bytes.len() <= CACHED_BYTES_MAX {
            self.immutable.insert(path.into(), bytes);
        }
    }
}

fn too_many(who: &str, wait: Duration) -> Refusal {
    Refusal::new("too-many-requests", who).hint(format!("wait {} seconds", wait.as_secs() + 1))
}

/// The refusal for a scope that nobody made.
pub fn scope_not_found(scope: &Scope) -> Refusal {
    Refusal::new("scope-not-found", format!("there is no scope `{scope}`"))
        .hint(format!("`skill scope create {scope}` makes it yours"))
}

/// Now, to the second, as rows and entries have it.
pub fn now() -> String {
    let now = jiff::Timestamp::now().as_second();
    jiff::Timestamp::from_second(now).expect("now is a time").to_string()
}
