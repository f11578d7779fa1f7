//! The tables, and the version number that says which tables they are.
//!
//! `PRAGMA user_version` is the schema's number. A database of a later number is refused instead of
//! guessed at. Triggers keep law 6 of [`crate::store::Store`] against every program that opens the file:
//! releases, links and yank events are added to and never changed.

use rusqlite::Connection;

use crate::store::Fault;

/// The schema that this program reads and writes.
pub const SCHEMA: i64 = 1;

/// `skrg`, so that `file` can tell what the database is.
const APPLICATION_ID: i64 = 0x736b_7267;

const TABLES: &str = "
CREATE TABLE users (
    name    TEXT PRIMARY KEY,
    created INTEGER NOT NULL
) STRICT;
CREATE TABLE tokens (
    hash    TEXT PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    user    TEXT NOT NULL REFERENCES users (name),
    name    TEXT NOT NULL,
    actions TEXT NOT NULL,
    scopes  TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tokens_of_a_user ON tokens (user);
CREATE TABLE scopes (
    name    TEXT PRIMARY KEY,
    owner   TEXT NOT NULL REFERENCES users (name),
    created TEXT NOT NULL
) STRICT;
CREATE TABLE links (
    scope    TEXT NOT NULL REFERENCES scopes (name),
    seq      INTEGER NOT NULL,
    payload  TEXT NOT NULL,
    envelope TEXT NOT NULL,
    by       TEXT NOT NULL,
    created  TEXT NOT NULL,
    PRIMARY KEY (scope, seq)
) STRICT;
-- The bundle stands last: a row is read without it by never touching its overflow pages.
CREATE TABLE releases (
    seq       INTEGER PRIMARY KEY,
    scope     TEXT NOT NULL REFERENCES scopes (name),
    package   TEXT NOT NULL,
    number    TEXT NOT NULL,
    version   TEXT NOT NULL,
    archive   TEXT NOT NULL,
    statement TEXT NOT NULL,
    keyring   INTEGER NOT NULL,
    published TEXT NOT NULL,
    by        TEXT NOT NULL,
    entry     TEXT NOT NULL,
    bundle    BLOB NOT NULL,
    UNIQUE (package, number),
    FOREIGN KEY (scope, keyring) REFERENCES links (scope, seq)
) STRICT;
CREATE TABLE yanks (
    seq     INTEGER PRIMARY KEY,
    package TEXT NOT NULL,
    number  TEXT NOT NULL,
    yanked  INTEGER NOT NULL,
    reason  TEXT NOT NULL,
    by      TEXT NOT NULL,
    at      TEXT NOT NULL,
    FOREIGN KEY (package, number) REFERENCES releases (package, number)
) STRICT;
CREATE INDEX yanks_of_a_release ON yanks (package, number);
";

const APPEND_ONLY: [&str; 3] = ["links", "releases", "yanks"];

/// Makes the tables in an empty database, and refuses one that is not ours or of a later schema.
pub(super) fn prepare(connection: &Connection) -> Result<(), Fault> {
    match version(connection)? {
        SCHEMA => Ok(()),
        0 => create(connection),
        other => Err(Fault::Broken(format!(
            "the database has schema {other}, this program reads schema {SCHEMA}: use the program that wrote it"
        ))),
    }
}

/// The schema's number, 0 for a database that has none.
pub(super) fn version(connection: &Connection) -> Result<i64, Fault> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn is_empty(connection: &Connection) -> Result<bool, Fault> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0)
}

/// Makes the tables, under the write lock from the first look on: two programs that open a new data
/// folder at once (a server starting, an operator's first command) both find it made.
fn create(connection: &Connection) -> Result<(), Fault> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let made = match version(connection)? {
        SCHEMA => Ok(()),
        0 if is_empty(connection)? => Ok(connection.execute_batch(&tables())?),
        _ => Err(Fault::Broken("the database has tables that are not ours".to_owned())),
    };
    connection.execute_batch(if made.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    made
}

fn tables() -> String {
    let mut sql = TABLES.to_owned();
    for table in APPEND_ONLY {
        for verb in ["UPDATE", "DELETE"] {
            sql.push_str(&format!(
                "CREATE TRIGGER {table}_never_{verb} BEFORE {verb} ON {table}
                 BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END;\n"
            ));
        }
    }
    sql.push_str(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA};"));
    sql
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use crate::sqlite::Sqlite;

    #[test]
    fn programs_that_open_a_new_data_folder_at_once_all_find_it_made() {
        for _ in 0..10 {
            let folder = tempfile::tempdir().expect("a folder");
            let (path, together) = (folder.path().join("registry.sqlite"), Barrier::new(6));
            let open = || {
                together.wait();
                Sqlite::open(&path).map(drop).map_err(|fault| format!("{fault:?}"))
            };
            std::thread::scope(|scope| {
                let threads: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
                for thread in threads {
                    assert_eq!(thread.join().expect("it does not panic"), Ok(()));
                }
            });
        }
    }
}
