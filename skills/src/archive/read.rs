//! The reader: from the bytes of a tar to a lawful tree, or to the first law that they break.
//!
//! It walks the blocks once, keeps the files, and lets [`FilePath`] and [`Tree`] judge the names.
//! Other tar writers' harmless differences come through (order, times, owners, folder entries, one
//! leading `./`), so an ordinary folder packed by GNU tar or Python reads fine.

use std::collections::BTreeSet;

use super::header::{BLOCK, Header, Type};
use super::{ENTRIES_MAX, pax};
use crate::limits::UNPACKED_BYTES_MAX;
use crate::path::FilePath;
use crate::refusal::Refusal;
use crate::tree::{File, Tree, check_folders};

/// Tar writers fill the last record of this many bytes with zeros.
const RECORD: usize = 20 * BLOCK;

/// Reads a whole tar.
pub(super) fn tree(tar: &[u8]) -> Result<Tree, Refusal> {
    let mut blocks = Blocks { bytes: tar, at: 0 };
    let (mut files, mut folders) = (Vec::new(), BTreeSet::new());
    let mut entries = 0;
    while let Some(entry) = next_entry(&mut blocks)? {
        entries += 1;
        if entries > ENTRIES_MAX {
            return Err(Refusal::new(
                "archive-too-many-files",
                format!("the archive has more than {ENTRIES_MAX} entries"),
            ));
        }
        match entry {
            Entry::File(file) => files.push(file),
            Entry::Folder(path) if folders.contains(&path) => {
                return Err(Refusal::new("archive-duplicate", format!("folder `{path}` appears twice")));
            }
            Entry::Folder(path) => {
                folders.insert(path);
            }
            Entry::Top => {}
        }
    }
    blocks.check_end()?;
    if !folders.is_empty() {
        check_folders(&files.iter().map(|file| &file.path).collect::<Vec<_>>(), &folders)?;
    }
    Tree::new(files)
}

/// What the walk finds.
enum Entry {
    File(File),
    Folder(FilePath),
    /// `./`, which `tar -C folder .` writes first.
    Top,
}

/// The next entry with the PAX header before it, or nothing at the end marker.
fn next_entry(blocks: &mut Blocks<'_>) -> Result<Option<Entry>, Refusal> {
    let Some(mut header) = blocks.header()? else { return Ok(None) };
    let mut pax_path = None;
    if header.kind == Type::Pax {
        pax_path = pax::parse(blocks.content(header.size, pax::PAX_BYTES_MAX, "archive-pax-too-large")?)?;
        header = match blocks.header()? {
            Some(header) if header.kind != Type::Pax => header,
            _ => {
                return Err(Refusal::new(
                    "archive-pax-stacked",
                    "a PAX header is followed by no file or folder that it could name",
                ));
            }
        };
    }
    let content = blocks.content(header.size, UNPACKED_BYTES_MAX, "archive-unpacked-too-large")?;
    let name = entry_name(&header, pax_path)?;
    if header.kind == Type::File {
        let path = FilePath::parse(name.strip_prefix("./").unwrap_or(&name))?;
        return Ok(Some(Entry::File(File { path, mode: header.mode, bytes: content.to_vec() })));
    }
    if matches!(name.as_str(), "." | "./") {
        return Ok(Some(Entry::Top));
    }
    let inner = name.strip_prefix("./").unwrap_or(&name);
    Ok(Some(Entry::Folder(FilePath::parse(inner.strip_suffix('/').unwrap_or(inner))?)))
}

/// The path of an entry as text. Where both headers have one, the USTAR name has to be what a
/// writer leaves there for readers that know no PAX: the same path, cut at the field, with the
/// letters that are not ASCII replaced or dropped. Anything else is two names for one file.
fn entry_name(header: &Header, pax_path: Option<String>) -> Result<String, Refusal> {
    let Some(path) = pax_path else {
        return String::from_utf8(header.name.clone()).map_err(|_| {
            Refusal::new("archive-not-utf8", "a path in the archive is not UTF-8").hint("rename the file")
        });
    };
    let (seen, full) = (plain(&header.name), plain(path.as_bytes()));
    let agree = if path.len() <= super::header::NAME_BYTES { seen == full } else { full.starts_with(&seen) };
    if agree {
        return Ok(path);
    }
    Err(Refusal::new(
        "archive-pax-path",
        format!(
            "an entry has two names: `{}` in its header and `{}` in PAX",
            header.name.escape_ascii(),
            path.chars().take(60).collect::<String>().escape_debug()
        ),
    ))
}

/// The part of a name that every writer keeps. `?` is no letter of a lawful path, so it stands only
/// for one that was lost.
fn plain(name: &[u8]) -> Vec<u8> {
    name.iter().copied().filter(|b| b.is_ascii() && *b != b'?').collect()
}

/// A cursor over 512-byte blocks.
struct Blocks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Blocks<'a> {
    fn block(&mut self) -> Result<&'a [u8; BLOCK], Refusal> {
        let block = self.bytes.get(self.at..self.at + BLOCK).ok_or_else(end_missing)?;
        self.at += BLOCK;
        Ok(block.try_into().expect("the slice has the length of a block"))
    }

    /// The next header, or nothing at two zero blocks.
    fn header(&mut self) -> Result<Option<Header>, Refusal> {
        let block = self.block()?;
        if !is_zero(block) {
            return Header::parse(block).map(Some);
        }
        if is_zero(self.block()?) {
            return Ok(None);
        }
        Err(Refusal::new("archive-end-malformed", "a single zero block stands before more entries"))
    }

    /// The content of an entry, whose last block is filled with zeros.
    fn content(&mut self, size: u64, size_max: u64, too_large: &'static str) -> Result<&'a [u8], Refusal> {
        if size > size_max {
            return Err(Refusal::new(too_large, format!("an entry has {size} bytes, at most {size_max} are allowed")));
        }
        let size = usize::try_from(size).expect("the limit fits in memory");
        let padded = self.at + size.next_multiple_of(BLOCK);
        let content = self.bytes.get(self.at..padded).ok_or_else(end_missing)?;
        self.at = padded;
        let (content, padding) = content.split_at(size);
        if is_zero(padding) {
            return Ok(content);
        }
        Err(Refusal::new("archive-padding", "the padding after a file is not zero: bytes could hide there"))
    }

    /// After the end marker: zeros, to the end of the record at most.
    fn check_end(&self) -> Result<(), Refusal> {
        let rest = &self.bytes[self.at..];
        if is_zero(rest) && rest.len().is_multiple_of(BLOCK) && self.bytes.len() <= self.at.next_multiple_of(RECORD) {
            return Ok(());
        }
        Err(Refusal::new("archive-trailing", format!("{} bytes follow the archive's end marker", rest.len())))
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| b == 0)
}

fn end_missing() -> Refusal {
    Refusal::new("archive-end-missing", "the archive ends before its end marker of two zero blocks")
        .hint("pack it again; it was cut off when it was written")
}
