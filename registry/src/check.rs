//! `check`: does everything that is kept still say the same?
//!
//! The registry keeps each statement several times: the archive, the signature over its digest, the row,
//! the index line. None of them is believed here. Every archive is read, hashed and unpacked; every bundle
//! is verified against the keyring link that it names; every index line is built again and compared. It
//! reads and changes nothing, and runs beside a running server.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use index::keyring::Chain;
use rusqlite::Connection;
use skills::{PackageName, Refusal, Scope, Sha256};
use tokio::io::AsyncReadExt;

use crate::admit::{Claim, Upload};
use crate::blobs::Blobs;
use crate::blobs::folder::Folder;
use crate::home::{Home, NAME_DEFAULT};
use crate::shelf::{Page, keyring_file};
use crate::sqlite::{open_read_only, select};
use crate::store::{Fault, Release};

/// Something that is not as it should be, or worth a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Stable: `blob-missing`.
    pub code: &'static str,
    /// What it is about: a release, a scope, a digest.
    pub about: String,
    /// What was seen and what was expected.
    pub message: String,
    /// Worth knowing, and no damage.
    pub is_note: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Findings, in the order in which they were met.
    pub findings: Vec<Finding>,
    releases: usize,
    scopes: usize,
    blobs: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = if self.is_note { "note" } else { "error" };
        write!(f, "{level} {} {}: {}", self.code, self.about, self.message)
    }
}

impl Report {
    /// Nothing but notes.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.is_note)
    }

    /// One line for a person.
    pub fn summary(&self) -> String {
        let damaged = self.findings.iter().filter(|finding| !finding.is_note).count();
        let Self { releases, scopes, blobs, .. } = self;
        format!("{releases} releases, {scopes} scopes, {blobs} blobs: {damaged} errors")
    }

    fn error(&mut self, code: &'static str, about: impl fmt::Display, message: impl fmt::Display) {
        let (about, message) = (about.to_string(), message.to_string());
        self.findings.push(Finding { code, about, message, is_note: false });
    }

    fn note(&mut self, code: &'static str, about: impl fmt::Display, message: impl fmt::Display) {
        let (about, message) = (about.to_string(), message.to_string());
        self.findings.push(Finding { code, about, message, is_note: true });
    }
}

/// Checks a data folder. The error is for a folder that cannot be read at all.
pub async fn check(home: &Home) -> Result<Report, Refusal> {
    let unreadable = |fault: Fault| Refusal::new("data-unusable", fault.to_string());
    let connection = open_read_only(&home.database()).map_err(unreadable)?;
    let blobs = Folder::over(&home.blobs());
    let registry = home.kept_name()?.unwrap_or_else(|| NAME_DEFAULT.to_owned());
    let mut report = Report::default();
    integrity(&connection, &mut report).map_err(unreadable)?;
    let chains = check_keyrings(&connection, &mut report).map_err(unreadable)?;
    let mut named = HashSet::new();
    for package in select::packages(&connection).map_err(unreadable)? {
        match select::releases(&connection, &package) {
            Err(fault) => report.error("row-tampered", &package, fault),
            Ok(releases) => {
                let reader = Reader { connection: &connection, blobs: &blobs, registry: &registry, chains: &chains };
                reader.check_package(&package, releases, &mut named, &mut report).await?;
            }
        }
    }
    check_orphans(&blobs, &named, &mut report).await.map_err(unreadable)?;
    Ok(report)
}

fn integrity(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for line in lines.iter().filter(|line| *line != "ok") {
        report.error("database-damaged", "registry.sqlite", line);
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let tables: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for table in tables {
        report.error("row-dangling", table, "a row names another one that is not there");
    }
    Ok(())
}

type Chains = HashMap<Scope, Arc<Chain>>;

/// Every chain is verified from its first link, and each row agrees with the link it holds.
fn check_keyrings(connection: &Connection, report: &mut Report) -> Result<Chains, Fault> {
    let mut chains = HashMap::new();
    for scope in select::scopes(connection)? {
        report.scopes += 1;
        let links = select::links(connection, &scope)?;
        if links.is_empty() {
            continue;
        }
        match Chain::parse(keyring_file(&links).as_bytes(), &scope) {
            Err(refusal) => report.error("keyring-invalid", &scope, refusal),
            Ok(chain) => {
                for link in &links {
                    if chain.link(link.seq).map(|(_, payload)| payload) != Some(link.payload) {
                        report.error("row-tampered", &scope, format!("keyring link {} is another one", link.seq));
                    }
                }
                chains.insert(scope, Arc::new(chain));
            }
        }
    }
    Ok(chains)
}

struct Reader<'a> {
    connection: &'a Connection,
    blobs: &'a Folder,
    registry: &'a str,
    chains: &'a Chains,
}

impl Reader<'_> {
    async fn check_package(
        &self,
        package: &PackageName,
        releases: Vec<Release>,
        named: &mut HashSet<Sha256>,
        report: &mut Report,
    ) -> Result<(), Refusal> {
        for release in &releases {
            report.releases += 1;
            named.insert(release.archive);
            let about = format!("{package}@{}", release.version);
            match self.read_blob(release).await {
                Err((code, message)) => report.error(code, &about, message),
                Ok(archive) => {
                    if let Err((code, message)) = self.check_release(release, archive) {
                        report.error(code, &about, message);
                    }
                }
            }
        }
        if let Err(refusal) = Page::of(package, releases) {
            report.error("index-unbuildable", package, refusal);
        }
        Ok(())
    }

    async fn read_blob(&self, release: &Release) -> Result<Bytes, Problem> {
        let unreadable = |error: &dyn fmt::Display| ("blob-unreadable", error.to_string());
        let blob = self.blobs.open(release.archive).await.map_err(|fault| unreadable(&fault))?;
        let mut blob = blob.ok_or_else(|| ("blob-missing", format!("no blob {}", release.archive)))?;
        let mut bytes = Vec::new();
        blob.bytes.read_to_end(&mut bytes).await.map_err(|error| unreadable(&error))?;
        match Sha256::of(&bytes) {
            seen if seen == release.archive => Ok(bytes.into()),
            seen => Err(("blob-digest", format!("the blob is {seen}, its name is {}", release.archive))),
        }
    }

    /// The whole admission once more, under the keyring link that was in force then.
    fn check_release(&self, release: &Release, archive: Bytes) -> Result<(), Problem> {
        let number = release.version.number();
        let bundle = select::bundle(self.connection, &release.package, &number).ok().flatten().unwrap_or_default();
        let invalid = |refusal: Refusal| ("bundle-invalid", refusal.to_string());
        let claim = Claim::read(Upload { bundle: bundle.into(), archive }).map_err(invalid)?;
        let statement = &claim.statement;
        let chain = self.chains.get(release.package.scope());
        let link = chain.and_then(|chain| chain.link(statement.keyring.seq));
        let (link, payload) = link.ok_or_else(|| ("bundle-invalid", "it names no link of the keyring".to_owned()))?;
        if payload != statement.keyring.payload() {
            return Err(("bundle-invalid", "it names another keyring link than the one kept".to_owned()));
        }
        let rebuilt = claim.rebuild(self.registry, link, release).map_err(invalid)?;
        let same = statement.package == release.package
            && statement.version.to_string() == release.version.to_string()
            && statement.archive == release.archive
            && rebuilt.statement == release.statement
            && statement.keyring.seq == release.keyring;
        if !same {
            return Err(("row-tampered", "the row is not what was signed".to_owned()));
        }
        if rebuilt.entry != release.entry {
            return Err(("index-differs", "the index line is not the one that follows from the archive".to_owned()));
        }
        Ok(())
    }
}

/// A code and a sentence.
type Problem = (&'static str, String);

/// A blob that no row names: what a killed publish left, or one being published now.
async fn check_orphans(blobs: &Folder, named: &HashSet<Sha256>, report: &mut Report) -> Result<(), Fault> {
    let listed = blobs.list().await?;
    report.blobs = listed.len();
    for digest in listed.into_iter().filter(|digest| !named.contains(digest)) {
        report.note("blob-orphan", digest, "no release names it: a publish that was not finished");
    }
    Ok(())
}
