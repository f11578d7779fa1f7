//! The store in one SQLite file: WAL, `synchronous = FULL`, one writer, a few readers.
//!
//! Nothing else is needed to run a registry. `admin` commands open the same file while a server runs:
//! SQLite's own locks order the two writers, and what `admin` changes (users, tokens, scopes) is read
//! from the rows at every request, so a running server accepts a new user at once.

mod apply;
mod schema;
pub mod select;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use skills::{PackageName, Refusal, Scope, Sha256, Version};

pub use apply::version_exists;
pub use schema::SCHEMA;

use crate::store::{Change, Done, Fault, Release, Reply, ScopeRow, Store, Touched, Watcher};
use crate::token::TokenRow;
use writer::Writer;

/// How long a writer waits for another process's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Idle reading connections that are kept: each costs a page cache of [`READER_CACHE_KIB`].
const READERS_KEPT: usize = 4;

/// Page cache of one reading connection. Hot answers come from memory, not from here.
const READER_CACHE_KIB: i64 = 256;

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Sqlite {
    readers: Arc<Readers>,
    writer: Arc<Writer>,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Sqlite {
    /// Opens or creates the database.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        switch_to_wal(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::prepare(&connection)?;
        let readers = Readers { path: path.to_owned(), idle: Mutex::default() };
        Ok(Self { readers: Arc::new(readers), writer: Arc::new(Writer::start(connection)?) })
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Reply<'_, T> {
        let readers = self.readers.clone();
        Box::pin(async move {
            let reading = tokio::task::spawn_blocking(move || readers.with(work));
            reading.await.unwrap_or_else(|error| Err(Fault::Broken(format!("a reader ended: {error}"))))
        })
    }
}

/// Two programs that open a new file at once both switch it, and SQLite answers the second with "busy"
/// at once instead of waiting as it does for every other lock: so the waiting is done here.
fn switch_to_wal(connection: &Connection) -> Result<(), Fault> {
    let give_up = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(5));
            }
            switched => return Ok(switched?),
        }
    }
}

/// A connection that can change nothing.
pub fn open_read_only(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    match schema::version(&connection)? {
        SCHEMA => Ok(connection),
        other => Err(Fault::Broken(format!("the database has schema {other}, this program reads schema {SCHEMA}"))),
    }
}

impl Readers {
    fn with<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let idle = self.idle.lock().expect("nothing panics while it holds the readers").pop();
        let connection = idle.map_or_else(|| open_read_only(&self.path), Ok)?;
        let result = work(&connection);
        let mut idle = self.idle.lock().expect("nothing panics while it holds the readers");
        if idle.len() < READERS_KEPT {
            idle.push(connection);
        }
        result
    }
}

impl Store for Sqlite {
    fn commit(&self, change: Change) -> Reply<'_, Vec<Done>> {
        Box::pin(self.writer.commit(change))
    }

    fn token(&self, hash: Sha256) -> Reply<'_, Option<TokenRow>> {
        self.read(move |connection| select::token(connection, hash))
    }

    fn tokens(&self, user: &str) -> Reply<'_, Vec<TokenRow>> {
        let user = user.to_owned();
        self.read(move |connection| select::tokens(connection, &user))
    }

    fn scope(&self, scope: &Scope) -> Reply<'_, Option<ScopeRow>> {
        let scope = scope.clone();
        self.read(move |connection| select::scope(connection, &scope))
    }

    fn release(&self, package: &PackageName, version: &Version) -> Reply<'_, Option<Release>> {
        let (package, number) = (package.clone(), version.number());
        self.read(move |connection| select::release(connection, &package, &number))
    }

    fn bundle(&self, package: &PackageName, number: &str) -> Reply<'_, Option<Vec<u8>>> {
        let (package, number) = (package.clone(), number.to_owned());
        self.read(move |connection| select::bundle(connection, &package, &number))
    }

    fn follow(&self, watch: Watcher) -> Reply<'_, ()> {
        let writer = self.writer.clone();
        self.read(move |connection| {
            for scope in select::scopes(connection)? {
                let links = select::links(connection, &scope)?;
                watch(vec![Touched::Keyring(scope, links)]);
            }
            for package in select::packages(connection)? {
                let releases = select::releases(connection, &package)?;
                watch(vec![Touched::Package(package, releases)]);
            }
            writer.watch(watch);
            Ok(())
        })
    }

    fn ready(&self) -> Result<(), Fault> {
        self.writer.ready()
    }
}

/// A full disk and a lock held too long leave everything as it was; every other error of SQLite is taken
/// for a failed storage, an fsync that failed above all.
impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            // A rule that `apply` should have said in words: a bug, but no reason to stop.
            Some(ErrorCode::ConstraintViolation) => {
                Self::Refused(Refusal::new("internal", format!("a rule of the tables forbids this: {error}")))
            }
            _ => Self::Broken(format!("database: {error}")),
        }
    }
}
