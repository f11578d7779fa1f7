//! What was fetched once and need not be fetched again.
//!
//! Archives and bundles are immutable, so they are kept by digest or version; index files and
//! keyrings change, so they are kept with their ETag and revalidated. Everything is written to a
//! temporary file and renamed, so any number of processes share one cache without a lock; nothing
//! is ever changed in place. The cache is never trusted: an archive is hashed again when it is
//! read, and whatever signatures say is checked again by whoever uses it.
//!
//! ```text
//! cache/v1/archives/HEX.tar.gz
//! cache/v1/bundles/HEX.jsonl                 by the digest of the statement
//! cache/v1/files/HOST/PATH                   index files and keyrings: `ETAG\n`, then the bytes
//! ```

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use skills::Sha256;

use crate::failure::{Failure, OnPath};

/// Changes when the layout does; older folders are left alone until `skill cache clean`.
const VERSION: &str = "v1";

/// The user-wide cache.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

/// What `skill cache verify` found.
#[derive(Debug, Default)]
pub struct CacheReport {
    /// Files whose content was checked.
    pub checked: usize,
    /// Files whose content is not what their name says; they were removed.
    pub removed: Vec<PathBuf>,
    /// Bytes in all files together.
    pub total_bytes: u64,
}

impl Cache {
    /// The cache below a home's cache folder. Creates nothing.
    pub fn new(folder: &Path) -> Self {
        Self { root: folder.join(VERSION) }
    }

    /// Where the cache is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The archive of this digest, if it is here and whole. A damaged one is removed.
    pub fn archive(&self, digest: &Sha256) -> Option<Vec<u8>> {
        let path = self.archive_path(digest);
        let bytes = fs::read(&path).ok()?;
        if Sha256::of(&bytes) == *digest {
            return Some(bytes);
        }
        // A damaged file would be refused again and again: forget it and fetch it anew.
        let _ = fs::remove_file(&path);
        None
    }

    /// Keeps an archive whose digest has been checked.
    pub fn keep_archive(&self, digest: &Sha256, bytes: &[u8]) -> Result<(), Failure> {
        keep(&self.archive_path(digest), &[bytes])
    }

    /// The bundle of the statement with this digest.
    pub fn bundle(&self, statement: &Sha256) -> Option<Vec<u8>> {
        fs::read(self.bundle_path(statement)).ok()
    }

    /// Keeps a bundle. What it says is checked by whoever reads it.
    pub fn keep_bundle(&self, statement: &Sha256, bytes: &[u8]) -> Result<(), Failure> {
        keep(&self.bundle_path(statement), &[bytes])
    }

    /// A changing file as last seen, with its ETag.
    pub fn file(&self, url: &str) -> Option<(String, Bytes)> {
        let bytes = Bytes::from(fs::read(self.file_path(url)).ok()?);
        let end = bytes.iter().position(|b| *b == b'\n')?;
        let etag = std::str::from_utf8(&bytes[..end]).ok()?.to_owned();
        Some((etag, bytes.slice(end + 1..)))
    }

    /// Keeps a changing file with its ETag.
    pub fn keep_file(&self, url: &str, etag: &str, bytes: &[u8]) -> Result<(), Failure> {
        keep(&self.file_path(url), &[etag.as_bytes(), b"\n", bytes])
    }

    /// Removes everything, other versions' folders included.
    pub fn clean(&self) -> Result<(), Failure> {
        let folder = self.root.parent().unwrap_or(&self.root);
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::io("remove", folder, &error)),
            _ => Ok(()),
        }
    }

    /// Hashes every archive again and removes what is damaged.
    pub fn verify(&self) -> Result<CacheReport, Failure> {
        let mut report = CacheReport::default();
        for path in files_below(&self.root)? {
            let bytes = fs::read(&path).on("read", &path)?;
            report.checked += 1;
            report.total_bytes += bytes.len() as u64;
            if !self.is_whole(&path, &bytes) {
                fs::remove_file(&path).on("remove", &path)?;
                report.removed.push(path);
            }
        }
        Ok(report)
    }

    fn is_whole(&self, path: &Path, bytes: &[u8]) -> bool {
        let stem =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split('.').next()).unwrap_or_default();
        let named = |digest: Sha256| digest.hex() == stem;
        if path.starts_with(self.root.join("archives")) {
            named(Sha256::of(bytes))
        } else if path.starts_with(self.root.join("bundles")) {
            skills::bundle::parse(bytes).is_ok_and(|envelope| named(Sha256::of(&envelope.payload)))
        } else {
            bytes.contains(&b'\n')
        }
    }

    fn archive_path(&self, digest: &Sha256) -> PathBuf {
        self.root.join("archives").join(format!("{}.tar.gz", digest.hex()))
    }

    fn bundle_path(&self, statement: &Sha256) -> PathBuf {
        self.root.join("bundles").join(format!("{}.jsonl", statement.hex()))
    }

    /// One file a URL, named by the digest of the URL: a URL may hold what a path may not.
    fn file_path(&self, url: &str) -> PathBuf {
        self.root.join("files").join(Sha256::of(url).hex())
    }
}

/// Writes to a temporary file in the same folder and renames it: readers see all of it or nothing.
fn keep(path: &Path, parts: &[&[u8]]) -> Result<(), Failure> {
    let folder = path.parent().expect("every path in the cache has a folder");
    let mut file = match tempfile::NamedTempFile::new_in(folder) {
        Ok(file) => file,
        Err(_) => {
            fs::create_dir_all(folder).on("create", folder)?;
            tempfile::NamedTempFile::new_in(folder).on("write into", folder)?
        }
    };
    for part in parts {
        file.write_all(part).on("write", path)?;
    }
    file.persist(path).map_err(|error| Failure::io("write", path, &error.error))?;
    Ok(())
}

/// Every file below a folder, sorted; a folder that is not there has none.
fn files_below(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.on("list", &folder)?,
        };
        for entry in entries {
            let entry = entry.on("list", &folder)?;
            let kind = entry.file_type().on("look at", &entry.path())?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_archive_is_forgotten_not_served() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path());
        let digest = Sha256::of(b"archive");
        cache.keep_archive(&digest, b"archive").expect("kept");
        assert_eq!(cache.archive(&digest).as_deref(), Some(&b"archive"[..]));
        fs::write(cache.archive_path(&digest), b"damaged").expect("written");
        assert_eq!(cache.archive(&digest), None);
        assert!(!cache.archive_path(&digest).exists());
    }

    #[test]
    fn verify_removes_exactly_what_is_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path());
        let (good, bad) = (Sha256::of(b"good"), Sha256::of(b"bad"));
        cache.keep_archive(&good, b"good").expect("kept");
        cache.keep_archive(&bad, b"worse").expect("kept");
        let report = cache.verify().expect("verified");
        assert_eq!((report.checked, report.removed.len()), (2, 1));
        assert!(cache.archive(&good).is_some());
    }

    #[test]
    fn a_changing_file_comes_back_with_its_etag() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::new(folder.path());
        cache.keep_file("http://r/index/a/b", "\"x\"", b"line\n").expect("kept");
        let (etag, bytes) = cache.file("http://r/index/a/b").expect("there");
        assert_eq!((etag.as_str(), &bytes[..]), ("\"x\"", &b"line\n"[..]));
    }
}
