//! Making one change inside a savepoint: the rules that only the rows can decide.
//!
//! Admission has decided everything that bytes can decide. What is left depends on the state at the
//! moment of the commit: is the name still free, is the link still the head. Deciding it here, on the one
//! writing connection, leaves no gap between the check and the write.

use rusqlite::{Connection, params};
use skills::{PackageName, Refusal, Scope};

use super::select;
use crate::store::{Change, Done, Fault, LinkRow, NewRelease, Touched, YankEvent};
use crate::token::{TokenRow, word};

/// What a change did, and whose public state it touched.
#[derive(Default)]
pub(super) struct Applied {
    /// One for each thing in the change.
    pub(super) done: Vec<Done>,
    /// Packages whose index file is another now.
    pub(super) packages: Vec<PackageName>,
    /// Scopes whose keyring is another now.
    pub(super) scopes: Vec<Scope>,
}

impl Applied {
    fn only(done: Done) -> Self {
        Self { done: vec![done], ..Self::default() }
    }

    /// What the watcher is told: the touched things as the transaction sees them.
    pub(super) fn touched(&self, connection: &Connection) -> Result<Vec<Touched>, Fault> {
        let mut touched = Vec::with_capacity(self.packages.len() + self.scopes.len());
        for package in &self.packages {
            touched.push(Touched::Package(package.clone(), select::releases(connection, package)?));
        }
        for scope in &self.scopes {
            touched.push(Touched::Keyring(scope.clone(), select::links(connection, scope)?));
        }
        Ok(touched)
    }
}

/// Makes a change, or leaves it to the caller to roll the savepoint back.
pub(super) fn apply(connection: &Connection, change: &Change) -> Result<Applied, Fault> {
    match change {
        Change::User { name, token } => user(connection, name, token),
        Change::Token(token) => insert_token(connection, token),
        Change::Revoke { user, id } => revoke(connection, user, id),
        Change::Scope { scope, owner, created } => insert_scope(connection, scope, owner, created),
        Change::Link(link) => insert_link(connection, link),
        Change::Releases(releases) => insert_releases(connection, releases),
        Change::Yank(event) => yank(connection, event),
    }
}

fn refused<T>(code: &'static str, message: String) -> Result<T, Fault> {
    Err(Fault::Refused(Refusal::new(code, message)))
}

fn user(connection: &Connection, name: &str, token: &TokenRow) -> Result<Applied, Fault> {
    let inserted = connection
        .prepare_cached("INSERT OR IGNORE INTO users (name, created) VALUES (?1, ?2)")?
        .execute(params![name, token.created])?;
    if inserted == 0 {
        return refused("user-exists", format!("there is a user `{name}` already"));
    }
    insert_token(connection, token)
}

fn insert_token(connection: &Connection, token: &TokenRow) -> Result<Applied, Fault> {
    let actions: Vec<&str> = token.actions.iter().copied().map(word).collect();
    connection
        .prepare_cached(
            "INSERT INTO tokens (hash, id, user, name, actions, scopes, created, expires, revoked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            token.hash.to_string(),
            token.id,
            token.user,
            token.name,
            actions.join(" "),
            token.scopes.words().join(" "),
            token.created,
            token.expires,
            token.revoked
        ])?;
    Ok(Applied::only(Done::New))
}

fn revoke(connection: &Connection, user: &str, id: &str) -> Result<Applied, Fault> {
    let changed = connection
        .prepare_cached("UPDATE tokens SET revoked = 1 WHERE user = ?1 AND id = ?2")?
        .execute(params![user, id])?;
    if changed == 0 {
        return refused("token-not-found", format!("user `{user}` has no token `{}`", id.escape_debug()));
    }
    Ok(Applied::only(Done::New))
}

fn insert_scope(connection: &Connection, scope: &Scope, owner: &str, created: &str) -> Result<Applied, Fault> {
    if let Some(row) = select::scope(connection, scope)? {
        if row.owner == owner {
            return Ok(Applied::only(Done::Same));
        }
        return refused("scope-exists", format!("scope `{scope}` belongs to another user"));
    }
    let mut known = connection.prepare_cached("SELECT 1 FROM users WHERE name = ?1")?;
    if !known.exists([owner])? {
        return refused("user-unknown", format!("there is no user `{}`", owner.escape_debug()));
    }
    connection.prepare_cached("INSERT INTO scopes (name, owner, created) VALUES (?1, ?2, ?3)")?.execute(params![
        scope.as_str(),
        owner,
        created
    ])?;
    Ok(Applied::only(Done::New))
}

fn insert_link(connection: &Connection, link: &LinkRow) -> Result<Applied, Fault> {
    let links = select::links(connection, &link.scope)?;
    if links.iter().any(|kept| kept.seq == link.seq && kept.payload == link.payload) {
        return Ok(Applied::only(Done::Same));
    }
    if link.seq != links.len() as u64 + 1 {
        let head = links.len();
        return refused(
            "keyring-exists",
            format!("the keyring of `{}` has {head} links, and number {} is another one", link.scope, link.seq),
        );
    }
    connection
        .prepare_cached(
            "INSERT INTO links (scope, seq, payload, envelope, by, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            link.scope.as_str(),
            link.seq,
            link.payload.to_string(),
            link.envelope,
            link.by,
            link.created
        ])?;
    Ok(Applied { done: vec![Done::New], scopes: vec![link.scope.clone()], ..Applied::default() })
}

fn insert_releases(connection: &Connection, releases: &[NewRelease]) -> Result<Applied, Fault> {
    let mut applied = Applied::default();
    for release in releases {
        let done = insert_release(connection, release)?;
        applied.done.push(done);
        if done == Done::New && !applied.packages.contains(&release.package) {
            applied.packages.push(release.package.clone());
        }
    }
    Ok(applied)
}

fn insert_release(connection: &Connection, release: &NewRelease) -> Result<Done, Fault> {
    let number = release.version.number();
    if let Some(kept) = select::release(connection, &release.package, &number)? {
        if kept.archive == release.archive && kept.statement == release.statement {
            return Ok(Done::Same);
        }
        return Err(Fault::Refused(version_exists(&release.package, &kept.version.to_string())));
    }
    let head = select::head(connection, release.package.scope())?;
    if head != release.keyring {
        return refused(
            "keyring-not-head",
            format!("signed under keyring link {}, and link {head} is in force", release.keyring),
        );
    }
    connection
        .prepare_cached(
            "INSERT INTO releases
                 (scope, package, number, version, archive, statement, keyring, published, by, entry, bundle)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            release.package.scope().as_str(),
            release.package.to_string(),
            number,
            release.version.to_string(),
            release.archive.to_string(),
            release.statement.to_string(),
            release.keyring,
            release.published,
            release.by,
            release.entry,
            release.bundle
        ])?;
    Ok(Done::New)
}

/// The refusal for a number that is taken.
pub fn version_exists(package: &PackageName, kept: &str) -> Refusal {
    Refusal::new("version-exists", format!("`{package}@{kept}` is published already, with other bytes"))
        .hint("a published version never changes: publish the next one")
}

fn yank(connection: &Connection, event: &YankEvent) -> Result<Applied, Fault> {
    let number = event.version.number();
    let Some(kept) = select::release(connection, &event.package, &number)? else {
        return refused("version-not-found", format!("there is no `{}@{number}`", event.package));
    };
    let wanted = event.yanked.then_some(event.reason.as_str());
    if kept.yanked.as_deref() == wanted {
        return Ok(Applied::only(Done::Same));
    }
    connection
        .prepare_cached("INSERT INTO yanks (package, number, yanked, reason, by, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![event.package.to_string(), number, event.yanked, event.reason, event.by, event.at])?;
    Ok(Applied { done: vec![Done::New], packages: vec![event.package.clone()], ..Applied::default() })
}
