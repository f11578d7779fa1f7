//! The digest of a file that may be larger than memory.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use skills::Sha256;
use skills::digest::Growing;

use crate::failure::{Failure, OnPath};

/// Read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// The digest of a file, and its size.
pub(super) fn of_file(path: &Path) -> Result<(Sha256, u64), Failure> {
    let mut file = File::open(path).on("read", path)?;
    let (mut growing, mut chunk) = (Growing::default(), vec![0; CHUNK_BYTES]);
    loop {
        match file.read(&mut chunk).on("read", path)? {
            0 => return Ok((growing.clone().finish(), growing.bytes())),
            bytes => growing.update(&chunk[..bytes]),
        }
    }
}
