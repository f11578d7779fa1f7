//! Did the registry keep exactly what we sent?
//!
//! An answer of success is only a sentence. What others will rely on is the index file, the bundle
//! and the archive, so these are fetched as everybody fetches them, and compared byte for byte and
//! digest for digest with what lies in our memory.

use std::sync::Arc;

use index::api::{PublishAnswer, PublishStatus, Published};
use index::entry::{self, Entry, INDEX_BYTES_MAX};
use index::urls;
use skills::bundle::{self, BUNDLE_BYTES_MAX};
use skills::key::PublicKey;
use skills::limits::ARCHIVE_BYTES_MAX;
use skills::{PackageName, Sha256};
use tokio::task::JoinSet;

use super::Signed;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::registries::{self, REQUESTS_AT_ONCE};

/// Checks every release of the answer, many at once; the releases come back in the order sent.
pub(super) async fn check_all(
    client: &Client,
    signed: &Arc<Vec<Signed>>,
    answer: PublishAnswer,
    key: PublicKey,
) -> Result<Vec<Published>, Failure> {
    if answer.releases.len() != signed.len() {
        let (sent, seen) = (signed.len(), answer.releases.len());
        return Err(mismatch("the answer", &format!("{seen} releases"), &format!("{sent}")));
    }
    let mut tasks = JoinSet::new();
    for (number, published) in answer.releases.iter().enumerate() {
        if tasks.len() >= REQUESTS_AT_ONCE {
            registries::next(&mut tasks).await?;
        }
        let (client, signed, published) = (client.clone(), signed.clone(), published.clone());
        tasks.spawn(async move {
            let release = &signed[number];
            check(&client, release, &published, &key).await.map_err(|failure| failure.at(release.prepared.title()))
        });
    }
    while registries::next(&mut tasks).await?.is_some() {}
    Ok(answer.releases)
}

async fn check(client: &Client, release: &Signed, published: &Published, key: &PublicKey) -> Result<(), Failure> {
    let package = &release.prepared.package;
    if published.name != package.name || published.version != package.version {
        return Err(mismatch(
            "the answer",
            &format!("{}@{}", published.name, published.version),
            &release.prepared.title(),
        ));
    }
    same("the answer", published.archive, release.prepared.digest)?;
    // The same archive may have been there before: signed by a colleague, or with a statement that
    // named an older link of the keyring. Then that one stays, and ours was not needed.
    let is_new = published.status == PublishStatus::Published;
    let statement = if is_new { release.statement_digest() } else { published.statement };
    same("the answer", published.statement, statement)?;
    check_entry(&fetch_entry(client, release).await?, release, statement)?;
    check_bundle(client, release, statement, is_new.then_some(key)).await?;
    check_archive(client, release).await
}

async fn fetch_entry(client: &Client, release: &Signed) -> Result<Entry, Failure> {
    let name: &PackageName = &release.prepared.package.name;
    let bytes = fetch(client, &urls::index(name), INDEX_BYTES_MAX).await?;
    let entries = entry::parse(&bytes, name).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
    let found = entries.into_iter().find(|entry| entry.vers == release.prepared.package.version);
    found.ok_or_else(|| mismatch("the index file", "no line for this version", "one"))
}

fn check_entry(entry: &Entry, release: &Signed, statement: Sha256) -> Result<(), Failure> {
    same("the index file", entry.cksum, release.prepared.digest)?;
    if entry.tree != release.prepared.package.tree.digest() {
        return Err(mismatch(
            "the index file",
            &entry.tree.to_string(),
            &release.prepared.package.tree.digest().to_string(),
        ));
    }
    if let Some(seen) = entry.statement {
        same("the index file", seen, statement)?;
    }
    if entry.deps != release.prepared.package.dependencies {
        return Err(mismatch("the index file", "other dependencies", "those of skill.toml"));
    }
    Ok(())
}

/// The payload is the one signed; a new one carries our signature, whoever else's is there.
async fn check_bundle(
    client: &Client,
    release: &Signed,
    statement: Sha256,
    key: Option<&PublicKey>,
) -> Result<(), Failure> {
    let package = &release.prepared.package;
    let bytes = fetch(client, &urls::bundle(&package.name, &package.version), BUNDLE_BYTES_MAX).await?;
    let envelope = bundle::parse(&bytes).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
    same("the bundle", Sha256::of(&envelope.payload), statement)?;
    match key {
        Some(key) if envelope.signers([key]).is_empty() => Err(mismatch("the bundle", "no signature of ours", "one")),
        _ => Ok(()),
    }
}

async fn check_archive(client: &Client, release: &Signed) -> Result<(), Failure> {
    let digest = release.prepared.digest;
    let bytes = fetch(client, &urls::archive(&digest), ARCHIVE_BYTES_MAX as usize).await?;
    same("the archive", Sha256::of(&bytes), digest)
}

async fn fetch(client: &Client, path: &str, bytes_max: usize) -> Result<bytes::Bytes, Failure> {
    let found = client.fetch(path, bytes_max).await?;
    found.ok_or_else(|| mismatch(&format!("{}{path}", client.url()), "nothing", "what was published"))
}

fn same(place: &str, seen: Sha256, expected: Sha256) -> Result<(), Failure> {
    if seen == expected { Ok(()) } else { Err(mismatch(place, &seen.to_string(), &expected.to_string())) }
}

fn mismatch(place: &str, seen: &str, expected: &str) -> Failure {
    Failure::new(
        Exit::Failed,
        "receipt-mismatch",
        format!("{place} is not what was sent: expected {expected}, found {seen}"),
    )
    .hint("the registry said that it published this; tell its operator, and do not rely on this version")
}

#[cfg(test)]
mod tests;
