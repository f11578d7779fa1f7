//! One 512-byte tar header (POSIX 1003.1, `ustar`), read strictly and written in one way.
//!
//! Every field is parsed, also those whose value we ignore: a header that two readers could take
//! for two different things is refused, whatever it says. Only regular files, folders and PAX
//! extended headers come through; each other type has its own code, because the code is what the
//! publisher sees.

use crate::refusal::Refusal;
use crate::tree::Mode;

/// Everything in a tar comes in blocks of this many bytes.
pub(super) const BLOCK: usize = 512;

/// Longest name field and longest prefix field, in bytes.
pub(super) const NAME_BYTES: usize = 100;
pub(super) const PREFIX_BYTES: usize = 155;

/// Where each field lies, as `start..end`.
mod field {
    use std::ops::Range;
    pub(super) const NAME: Range<usize> = 0..100;
    pub(super) const MODE: Range<usize> = 100..108;
    pub(super) const UID: Range<usize> = 108..116;
    pub(super) const GID: Range<usize> = 116..124;
    pub(super) const SIZE: Range<usize> = 124..136;
    pub(super) const MTIME: Range<usize> = 136..148;
    pub(super) const CHECKSUM: Range<usize> = 148..156;
    pub(super) const TYPE: usize = 156;
    pub(super) const LINK: Range<usize> = 157..257;
    pub(super) const MAGIC: Range<usize> = 257..265;
    pub(super) const USER: Range<usize> = 265..297;
    pub(super) const GROUP: Range<usize> = 297..329;
    pub(super) const MAJOR: Range<usize> = 329..337;
    pub(super) const MINOR: Range<usize> = 337..345;
    pub(super) const PREFIX: Range<usize> = 345..500;
    pub(super) const REST: Range<usize> = 500..512;
}

/// Magic and version together.
const USTAR: &[u8; 8] = b"ustar\x0000";

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// `0`
    File,
    /// `5`
    Folder,
    /// `x`: names the next entry
    Pax,
}

/// A header that obeyed every rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Prefix and name joined; not yet a lawful path, not even text.
    pub(super) name: Vec<u8>,
    pub(super) kind: Type,
    pub(super) mode: Mode,
    pub(super) size: u64,
}

impl Header {
    /// Parses a block that is not all zeros.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Self, Refusal> {
        if &block[field::MAGIC] != USTAR {
            return Err(Refusal::new("archive-not-ustar", "an entry's header is not `ustar`")
                .hint("GNU tar writes it with `--format=ustar`"));
        }
        check_sum(block)?;
        let kind = parse_type(block[field::TYPE])?;
        for (what, range) in [("user", field::UID), ("group", field::GID), ("time", field::MTIME)] {
            octal(&block[range], what)?;
        }
        for (what, range) in [("device", field::MAJOR), ("device", field::MINOR)] {
            octal(&block[range], what)?;
        }
        for (what, range) in [("user name", field::USER), ("group name", field::GROUP)] {
            text(&block[range], what)?;
        }
        if block[field::LINK].iter().chain(&block[field::REST]).any(|&b| b != 0) {
            return Err(malformed("it has bytes where none belong"));
        }
        let size = required(&block[field::SIZE], "size")?;
        if kind == Type::Folder && size != 0 {
            return Err(malformed("a folder has content"));
        }
        Ok(Self { name: join_name(block)?, kind, mode: parse_mode(block)?, size })
    }

    /// Writes the header of a file, or of the PAX record block before one. All that could differ
    /// between two machines is zero.
    pub(super) fn format(prefix: &[u8], name: &[u8], kind: Type, mode: Mode, size: usize) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        block[field::NAME][..name.len()].copy_from_slice(name);
        block[field::PREFIX][..prefix.len()].copy_from_slice(prefix);
        put_octal(&mut block[field::MODE], u64::from(mode.bits()));
        put_octal(&mut block[field::UID], 0);
        put_octal(&mut block[field::GID], 0);
        put_octal(&mut block[field::SIZE], size as u64);
        put_octal(&mut block[field::MTIME], 0);
        block[field::TYPE] = match kind {
            Type::File => b'0',
            Type::Folder => b'5',
            Type::Pax => b'x',
        };
        block[field::MAGIC].copy_from_slice(USTAR);
        put_octal(&mut block[field::MAJOR], 0);
        put_octal(&mut block[field::MINOR], 0);
        seal(&mut block);
        block
    }
}

/// Computes and writes the checksum: six digits, NUL, space, as everybody does.
pub(super) fn seal(block: &mut [u8; BLOCK]) {
    let sum = format!("{:06o}\0 ", sum(block));
    block[field::CHECKSUM].copy_from_slice(sum.as_bytes());
}

/// The sum of all bytes, the checksum's own counting as spaces.
fn sum(block: &[u8; BLOCK]) -> u64 {
    let all: u64 = block.iter().map(|&b| u64::from(b)).sum();
    let own: u64 = block[field::CHECKSUM].iter().map(|&b| u64::from(b)).sum();
    all - own + 8 * u64::from(b' ')
}

fn check_sum(block: &[u8; BLOCK]) -> Result<(), Refusal> {
    let (seen, expected) = (required(&block[field::CHECKSUM], "checksum")?, sum(block));
    if seen == expected {
        return Ok(());
    }
    Err(Refusal::new(
        "archive-checksum",
        format!("an entry's header has checksum {seen:o}, its bytes sum to {expected:o}: the archive is damaged"),
    ))
}

/// Each type that we do not take has its own code.
fn parse_type(flag: u8) -> Result<Type, Refusal> {
    let (code, what) = match flag {
        b'0' => return Ok(Type::File),
        b'5' => return Ok(Type::Folder),
        b'x' => return Ok(Type::Pax),
        b'1' => ("archive-hardlink", "a hard link"),
        b'2' => ("archive-symlink", "a symbolic link"),
        b'3' | b'4' => ("archive-device", "a device"),
        b'6' => ("archive-fifo", "a named pipe"),
        b'7' => ("archive-contiguous", "a contiguous file"),
        b'g' => ("archive-pax-global", "a global PAX header"),
        b'L' | b'K' => ("archive-gnu-long-name", "a GNU long name"),
        b'S' => ("archive-sparse", "a GNU sparse file"),
        _ => ("archive-type", "an entry of another type"),
    };
    Err(Refusal::new(
        code,
        format!("the archive has {what} (type `{}`), only files and folders are allowed", flag.escape_ascii()),
    ))
}

/// Keeps the owner's exec bit; set-user-id, set-group-id and sticky are attacks, not modes.
fn parse_mode(block: &[u8; BLOCK]) -> Result<Mode, Refusal> {
    let mode = required(&block[field::MODE], "mode")?;
    if mode & 0o7000 != 0 {
        return Err(Refusal::new(
            "archive-special-mode",
            format!("an entry has mode {mode:o}: set-user-id, set-group-id and sticky are not allowed"),
        ));
    }
    if mode > 0o777 {
        return Err(malformed(&format!("its mode is {mode:o}")));
    }
    Ok(Mode::from_executable(mode & 0o100 != 0))
}

/// Prefix, slash, name.
fn join_name(block: &[u8; BLOCK]) -> Result<Vec<u8>, Refusal> {
    let (prefix, name) = (text(&block[field::PREFIX], "prefix")?, text(&block[field::NAME], "name")?);
    Ok(if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() })
}

/// Bytes up to the first NUL, after which only NULs may follow: readers differ about what hides there.
fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a [u8], Refusal> {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    if bytes[end..].iter().any(|&b| b != 0) {
        return Err(malformed(&format!("its {what} has bytes after the NUL")));
    }
    Ok(&bytes[..end])
}

/// Octal digits, then NULs and spaces to the end of the field. No digits at all is zero.
fn octal(bytes: &[u8], what: &str) -> Result<u64, Refusal> {
    let digits = bytes.iter().take_while(|b| (b'0'..=b'7').contains(b)).count();
    let (number, end) = bytes.split_at(digits);
    // Base-256 (first bit set), signs, leading blanks and unterminated fields end here as well.
    if end.is_empty() || end.iter().any(|&b| b != 0 && b != b' ') {
        return Err(malformed(&format!("its {what} is not a plain octal number")));
    }
    Ok(number.iter().fold(0, |value, digit| value << 3 | u64::from(digit - b'0')))
}

/// Like [`octal`], with at least one digit.
fn required(bytes: &[u8], what: &str) -> Result<u64, Refusal> {
    if bytes.first().is_some_and(u8::is_ascii_digit) {
        return octal(bytes, what);
    }
    Err(malformed(&format!("its {what} is not a plain octal number")))
}

/// Zero-filled, NUL at the end.
fn put_octal(field: &mut [u8], value: u64) {
    let width = field.len() - 1;
    let text = format!("{value:0width$o}");
    field[..width].copy_from_slice(text.as_bytes());
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("archive-header-malformed", format!("an entry's header cannot be read: {why}"))
}
