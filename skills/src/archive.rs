//! The archive of a package: one strict reader and one writer, for registry and client alike.
//!
//! An archive is a gzip'd tar (`ustar`, PAX only for paths that `ustar` cannot hold). Of 282 hostile
//! archives the extractors in common use let through between 117 and 226, and the same bytes meant
//! different files to different ones; so there is no extractor here. [`unpack`] gives a [`Tree`] in
//! memory that obeyed every law, or the first law that was broken, and nothing ever reaches a disk
//! from here. [`pack`] gives every tree exactly one archive, on every machine:
//!
//! ```text
//! gzip: fixed header, one member, nothing after it
//!   per file, sorted by path bytes: [PAX path] header, content, zeros to 512
//!   two zero blocks
//! ```

mod gzip;
mod header;
mod pax;
mod read;
mod write;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod builder;
#[cfg(test)]
mod promises;

use crate::limits::{ARCHIVE_BYTES_MAX, FILES_MAX, UNPACKED_BYTES_MAX};
use crate::refusal::Refusal;
use crate::tree::Tree;

/// Most entries in an archive: other packers write one for each folder as well.
const ENTRIES_MAX: usize = 2 * FILES_MAX;

/// Largest tar in bytes: the content, and for each entry two headers, a PAX block and the padding;
/// then the end marker and the rest of its record. Known before the first byte is inflated.
const TAR_BYTES_MAX: u64 =
    UNPACKED_BYTES_MAX + ENTRIES_MAX as u64 * (3 * header::BLOCK as u64 + pax::PAX_BYTES_MAX) + 10_240;

/// Packs a tree into the one archive that it has: the same bytes on every machine.
pub fn pack(tree: &Tree) -> Result<Vec<u8>, Refusal> {
    let archive = gzip::deflate(&write::tar(tree));
    check_size(&archive)?;
    Ok(archive)
}

/// Reads an archive, refusing whatever two readers could read differently. For every tree,
/// `unpack(pack(tree)) == tree`; what other tar writers do differently without harm is accepted.
pub fn unpack(bytes: &[u8]) -> Result<Tree, Refusal> {
    check_size(bytes)?;
    read::tree(&gzip::inflate(bytes, TAR_BYTES_MAX)?)
}

fn check_size(archive: &[u8]) -> Result<(), Refusal> {
    let size = archive.len() as u64;
    if size <= ARCHIVE_BYTES_MAX {
        return Ok(());
    }
    Err(Refusal::new(
        "archive-too-large",
        format!("the archive has {size} bytes, at most {ARCHIVE_BYTES_MAX} are allowed"),
    )
    .hint("leave large files out with `exclude` in skill.toml"))
}
