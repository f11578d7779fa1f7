//! Blobs in a folder: `sha256/ab/abcd…`, written so that a kill or a power cut leaves whole files or none.
//!
//! ```text
//! write tmp/N → fsync the file → rename to its name → fsync the folder → answer
//! ```
//!
//! A failed fsync is never retried: the kernel has dropped the pages and the next fsync would lie. From
//! then on the folder refuses to keep anything; reading goes on. A full disk noticed by `write` is another
//! matter: the temporary file is removed and the next upload may succeed.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use skills::Sha256;

use super::{Blob, Blobs};
use crate::store::{Fault, Reply};

/// The folder. Cheap to clone.
#[derive(Clone)]
pub struct Folder {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    next: AtomicU64,
    broken: AtomicBool,
    /// Of each first byte of a digest, whether its folder is there, durably.
    settled: [AtomicBool; 256],
}

impl Folder {
    /// Opens or creates the folder, and removes what a killed process was still writing.
    pub fn open(root: &Path) -> io::Result<Self> {
        let temporary = root.join("tmp");
        std::fs::create_dir_all(&temporary)?;
        for entry in std::fs::read_dir(&temporary)? {
            std::fs::remove_file(entry?.path())?;
        }
        let blobs = root.join("sha256");
        std::fs::create_dir_all(&blobs)?;
        for folder in [&blobs, &root.to_owned()] {
            sync_folder(folder)?;
        }
        Ok(Self::over(root))
    }

    /// A folder that is only read; nothing is created.
    pub fn over(root: &Path) -> Self {
        let inner = Inner {
            root: root.to_owned(),
            next: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            settled: [const { AtomicBool::new(false) }; 256],
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Blobs for Folder {
    fn put(&self, blobs: Vec<(Sha256, Bytes)>) -> Reply<'_, ()> {
        let inner = self.inner.clone();
        Box::pin(async move {
            let keeping = tokio::task::spawn_blocking(move || inner.put_all(&blobs));
            keeping.await.unwrap_or_else(|error| Err(Fault::Broken(format!("a write of a blob ended: {error}"))))
        })
    }

    fn open(&self, digest: Sha256) -> Reply<'_, Option<Blob>> {
        let path = self.inner.path(&digest);
        Box::pin(async move {
            let file = match tokio::fs::File::open(&path).await {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                opened => opened.map_err(unreadable)?,
            };
            let length = file.metadata().await.map_err(unreadable)?.len();
            Ok(Some(Blob { length, bytes: Box::new(file) }))
        })
    }

    fn list(&self) -> Reply<'_, Vec<Sha256>> {
        let inner = self.inner.clone();
        Box::pin(async move {
            let listing = tokio::task::spawn_blocking(move || inner.list());
            listing.await.map_err(io::Error::other).and_then(|listed| listed).map_err(unreadable)
        })
    }

    fn ready(&self) -> Result<(), Fault> {
        if self.inner.broken.load(Ordering::Acquire) {
            return Err(Fault::Broken("an fsync of the blobs failed".to_owned()));
        }
        Ok(())
    }
}

fn unreadable(error: io::Error) -> Fault {
    Fault::Broken(format!("blobs: {error}"))
}

impl Inner {
    fn path(&self, digest: &Sha256) -> PathBuf {
        let hex = digest.hex();
        self.root.join("sha256").join(&hex[..2]).join(hex)
    }

    fn put_all(&self, blobs: &[(Sha256, Bytes)]) -> Result<(), Fault> {
        if self.broken.load(Ordering::Acquire) {
            return Err(Fault::Broken("an fsync of the blobs failed before".to_owned()));
        }
        let mut folders = BTreeSet::new();
        for (digest, bytes) in blobs {
            let path = self.path(digest);
            self.settle(digest)?;
            // Another process's rename may not be durable yet, so the folder is synced even then.
            if !path.exists() {
                self.write(&path, bytes)?;
            }
            folders.insert(path.parent().expect("a blob lies in a folder").to_owned());
        }
        for folder in folders {
            sync_folder(&folder).map_err(|error| self.broke(&error))?;
        }
        Ok(())
    }

    /// Makes the folder that a blob lies in, and makes it durable: once for each folder and process.
    fn settle(&self, digest: &Sha256) -> Result<(), Fault> {
        let settled = &self.settled[usize::from(digest.bytes()[0])];
        if settled.load(Ordering::Acquire) {
            return Ok(());
        }
        let path = self.path(digest);
        match std::fs::create_dir(path.parent().expect("a blob lies in a folder")) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(refused(&error)),
            _ => {}
        }
        sync_folder(&self.root.join("sha256")).map_err(|error| self.broke(&error))?;
        settled.store(true, Ordering::Release);
        Ok(())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Fault> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let temporary = self.root.join("tmp").join(format!("{}-{number}", std::process::id()));
        let written = self
            .write_temporary(&temporary, bytes)
            .and_then(|()| std::fs::rename(&temporary, path).map_err(|error| refused(&error)));
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written
    }

    fn write_temporary(&self, path: &Path, bytes: &[u8]) -> Result<(), Fault> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| refused(&error))?;
        file.write_all(bytes).map_err(|error| refused(&error))?;
        file.sync_all().map_err(|error| self.broke(&error))
    }

    fn broke(&self, error: &io::Error) -> Fault {
        tracing::error!(%error, "fsync of a blob failed: no more blobs are accepted");
        self.broken.store(true, Ordering::Release);
        Fault::Broken(format!("an fsync of the blobs failed: {error}"))
    }

    fn list(&self) -> io::Result<Vec<Sha256>> {
        let mut digests = Vec::new();
        for folder in std::fs::read_dir(self.root.join("sha256"))? {
            for blob in std::fs::read_dir(folder?.path())? {
                let name = blob?.file_name();
                digests.extend(name.to_str().and_then(|hex| Sha256::parse_hex(hex).ok()));
            }
        }
        Ok(digests)
    }
}

/// A write that failed before anything was promised: the next one may succeed.
fn refused(error: &io::Error) -> Fault {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Fault::Full,
        _ => Fault::Broken(format!("a blob could not be written: {error}")),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn read(blobs: &Folder, digest: Sha256) -> Option<Vec<u8>> {
        let mut blob = blobs.open(digest).await.expect("readable")?;
        let mut bytes = Vec::new();
        blob.bytes.read_to_end(&mut bytes).await.expect("readable");
        assert_eq!(blob.length, bytes.len() as u64);
        Some(bytes)
    }

    #[tokio::test]
    async fn what_was_put_is_read_back_by_its_digest_and_putting_it_again_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Folder::open(folder.path()).expect("opens");
        let digest = Sha256::of(b"greet");
        for _ in 0..2 {
            blobs.put(vec![(digest, Bytes::from_static(b"greet"))]).await.expect("kept");
            assert_eq!(read(&blobs, digest).await.as_deref(), Some(&b"greet"[..]));
        }
        assert_eq!(blobs.list().await.expect("listed"), [digest]);
        assert_eq!(read(&blobs, Sha256::of(b"other")).await, None);
    }

    #[tokio::test]
    async fn what_a_killed_process_was_writing_is_gone_at_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Folder::open(folder.path()).expect("opens"));
        let half = folder.path().join("tmp").join("4711-0");
        std::fs::write(&half, b"hal").expect("written");
        let blobs = Folder::open(folder.path()).expect("opens");
        assert!(!half.exists());
        assert!(blobs.list().await.expect("listed").is_empty());
    }
}
