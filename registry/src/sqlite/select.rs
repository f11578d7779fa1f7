//! Reading rows. Every function takes a connection, so the writer reads its own transaction with the
//! same code that the readers use.

use rusqlite::{Connection, OptionalExtension, Row, params};
use skills::{PackageName, Scope, Sha256, Version};

use crate::store::{Fault, LinkRow, Release, ScopeRow};
use crate::token::{ACTIONS, Scopes, TokenRow, word};

/// A release and, from the last yank event about it, the reason of the yank in force.
const RELEASE: &str =
    "SELECT r.seq, r.package, r.version, r.archive, r.statement, r.keyring, r.published, r.by, r.entry,
    (SELECT CASE yanked WHEN 1 THEN reason END FROM yanks y
     WHERE y.package = r.package AND y.number = r.number ORDER BY y.seq DESC LIMIT 1)
    FROM releases r";

/// The token with this hash.
pub fn token(connection: &Connection, hash: Sha256) -> Result<Option<TokenRow>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{TOKEN} WHERE hash = ?1"))?;
    statement.query_row([hash.to_string()], |row| Ok(token_of(row))).optional()?.transpose()
}

const TOKEN: &str = "SELECT hash, id, user, actions, scopes, created, expires, revoked, name FROM tokens";

/// The tokens of a user, oldest first.
pub fn tokens(connection: &Connection, user: &str) -> Result<Vec<TokenRow>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{TOKEN} WHERE user = ?1 ORDER BY created, id"))?;
    let rows = statement.query_map([user], |row| Ok(token_of(row)))?;
    rows.map(|row| row?).collect()
}

fn token_of(row: &Row<'_>) -> Result<TokenRow, Fault> {
    let actions: String = row.get(3)?;
    let scopes: String = row.get(4)?;
    let scopes: Vec<String> = scopes.split_whitespace().map(str::to_owned).collect();
    Ok(TokenRow {
        hash: parsed(row, 0, Sha256::parse)?,
        id: row.get(1)?,
        user: row.get(2)?,
        name: row.get(8)?,
        actions: ACTIONS.into_iter().filter(|action| actions.split(' ').any(|text| text == word(*action))).collect(),
        scopes: Scopes::parse(&scopes).map_err(|refusal| Fault::Broken(format!("a token's scopes: {refusal}")))?,
        created: row.get(5)?,
        expires: row.get(6)?,
        revoked: row.get(7)?,
    })
}

/// A scope, its owner and its chain.
pub fn scope(connection: &Connection, scope: &Scope) -> Result<Option<ScopeRow>, Fault> {
    let mut statement = connection.prepare_cached("SELECT owner FROM scopes WHERE name = ?1")?;
    let owner: Option<String> = statement.query_row([scope.as_str()], |row| row.get(0)).optional()?;
    match owner {
        None => Ok(None),
        Some(owner) => Ok(Some(ScopeRow { owner, links: links(connection, scope)? })),
    }
}

/// The chain of a scope, in order.
pub fn links(connection: &Connection, scope: &Scope) -> Result<Vec<LinkRow>, Fault> {
    let mut statement = connection
        .prepare_cached("SELECT seq, payload, envelope, by, created FROM links WHERE scope = ?1 ORDER BY seq")?;
    let rows = statement.query_map([scope.as_str()], |row| {
        Ok(parsed(row, 1, Sha256::parse).and_then(|payload| {
            Ok(LinkRow {
                scope: scope.clone(),
                seq: row.get(0)?,
                payload,
                envelope: row.get(2)?,
                by: row.get(3)?,
                created: row.get(4)?,
            })
        }))
    })?;
    rows.map(|row| row?).collect()
}

/// The number of the newest link of a scope, 0 where there is none.
pub fn head(connection: &Connection, scope: &Scope) -> Result<u64, Fault> {
    let mut statement = connection.prepare_cached("SELECT coalesce(max(seq), 0) FROM links WHERE scope = ?1")?;
    Ok(statement.query_row([scope.as_str()], |row| row.get(0))?)
}

/// One release, by package and number.
pub fn release(connection: &Connection, package: &PackageName, number: &str) -> Result<Option<Release>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{RELEASE} WHERE r.package = ?1 AND r.number = ?2"))?;
    statement.query_row(params![package.to_string(), number], |row| Ok(release_of(row))).optional()?.transpose()
}

/// All releases of a package, in the order of publication.
pub fn releases(connection: &Connection, package: &PackageName) -> Result<Vec<Release>, Fault> {
    let mut statement = connection.prepare_cached(&format!("{RELEASE} WHERE r.package = ?1 ORDER BY r.seq"))?;
    let rows = statement.query_map([package.to_string()], |row| Ok(release_of(row)))?;
    rows.map(|row| row?).collect()
}

fn release_of(row: &Row<'_>) -> Result<Release, Fault> {
    Ok(Release {
        seq: row.get(0)?,
        package: parsed(row, 1, PackageName::parse)?,
        version: parsed(row, 2, Version::parse)?,
        archive: parsed(row, 3, Sha256::parse)?,
        statement: parsed(row, 4, Sha256::parse)?,
        keyring: row.get(5)?,
        published: row.get(6)?,
        by: row.get(7)?,
        entry: row.get(8)?,
        yanked: row.get(9)?,
    })
}

/// The bundle of a release.
pub fn bundle(connection: &Connection, package: &PackageName, number: &str) -> Result<Option<Vec<u8>>, Fault> {
    let mut statement = connection.prepare_cached("SELECT bundle FROM releases WHERE package = ?1 AND number = ?2")?;
    Ok(statement.query_row(params![package.to_string(), number], |row| row.get(0)).optional()?)
}

/// The names of all packages.
pub fn packages(connection: &Connection) -> Result<Vec<PackageName>, Fault> {
    let mut statement = connection.prepare("SELECT DISTINCT package FROM releases ORDER BY package")?;
    let rows = statement.query_map([], |row| Ok(parsed(row, 0, PackageName::parse)))?;
    rows.map(|row| row?).collect()
}

/// The names of all scopes.
pub fn scopes(connection: &Connection) -> Result<Vec<Scope>, Fault> {
    let mut statement = connection.prepare("SELECT name FROM scopes ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok(parsed(row, 0, Scope::parse)))?;
    rows.map(|row| row?).collect()
}

/// A column that holds one of our types; what does not parse was not written by us.
fn parsed<T>(row: &Row<'_>, column: usize, parse: impl Fn(&str) -> Result<T, skills::Refusal>) -> Result<T, Fault> {
    let text: String = row.get(column)?;
    parse(&text).map_err(|refusal| Fault::Broken(format!("a row was tampered with: {refusal}")))
}
