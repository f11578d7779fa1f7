//! The writer: one tree, one tar.
//!
//! Files only, in the order of the tree (path bytes), no folder entries, every time and owner zero.
//! A PAX header is written only for a path that USTAR cannot hold; the header after it then carries
//! the path with `?` for what is not ASCII, cut at the field, as Python does.

use super::header::{BLOCK, Header, NAME_BYTES, PREFIX_BYTES, Type};
use super::pax;
use crate::path::FilePath;
use crate::tree::{File, Mode, Tree};

/// The tar of a tree, end marker included.
pub(super) fn tar(tree: &Tree) -> Vec<u8> {
    let files = tree.files();
    let blocks: usize = files.iter().map(|file| 4 + file.bytes.len().div_ceil(BLOCK)).sum();
    let mut out = Vec::with_capacity((blocks + 2) * BLOCK);
    for file in files {
        write_file(&mut out, file);
    }
    out.extend([0; 2 * BLOCK]);
    out
}

fn write_file(out: &mut Vec<u8>, file: &File) {
    let size = file.bytes.len();
    if let Some((prefix, name)) = split(&file.path) {
        out.extend(Header::format(prefix, name, Type::File, file.mode, size));
    } else {
        let records = pax::format(file.path.as_str());
        out.extend(Header::format(b"", b"PaxHeader", Type::Pax, Mode::Regular, records.len()));
        write_padded(out, &records);
        let stand_in: Vec<u8> =
            file.path.as_str().chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).take(NAME_BYTES).collect();
        out.extend(Header::format(b"", &stand_in, Type::File, file.mode, size));
    }
    write_padded(out, &file.bytes);
}

fn write_padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// Prefix and name as USTAR holds them, or nothing where it cannot: the shortest prefix that does.
pub(super) fn split(path: &FilePath) -> Option<(&[u8], &[u8])> {
    let path = path.as_str();
    if !path.is_ascii() {
        return None;
    }
    let bytes = path.as_bytes();
    if bytes.len() <= NAME_BYTES {
        return Some((b"", bytes));
    }
    let cut = path.match_indices('/').map(|(at, _)| at).find(|at| bytes.len() - at - 1 <= NAME_BYTES)?;
    (cut <= PREFIX_BYTES).then(|| (&bytes[..cut], &bytes[cut + 1..]))
}
