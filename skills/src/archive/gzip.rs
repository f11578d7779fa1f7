//! The gzip frame (RFC 1952) around the tar: one member, bounded before it is inflated.
//!
//! The frame is read by hand because that is where readers differ: some go on after the first
//! member, some ignore what follows it, some never look at the checksum. Here inflating stops one byte
//! after the bound, the checksum and the length are checked against what came out, and then the
//! input has to be at its end. The length that the frame announces only sizes the buffer.

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use crate::refusal::Refusal;

/// Magic, deflate, no flags, mtime 0, no extra flags, unknown system: the same on every machine.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Checksum and length, both little-endian.
const TRAILER_BYTES: usize = 8;

/// Deflate cannot do better than 258 bytes for two bits; a frame that announces more is lying.
const RATIO_MAX: usize = 1_032;

/// Flags of the gzip header that only carry words: a text hint, a file name, a comment.
const FLAG_TEXT: u8 = 1;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;

/// Level 6: level 9 saves 0.3 % on real skills and takes twice the time.
const LEVEL: u32 = 6;

/// Compresses into one member with a fixed header.
pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER.len() + TRAILER_BYTES + bytes.len() / 2 + 64);
    out.extend(HEADER);
    let mut deflater = Compress::new(Compression::new(LEVEL), false);
    loop {
        let rest = usize::try_from(deflater.total_in()).expect("it counts bytes of a slice");
        let status = deflater
            .compress_vec(&bytes[rest..], &mut out, FlushCompress::Finish)
            .expect("compressing to memory fails only on misuse of the stream");
        if status == Status::StreamEnd {
            break;
        }
        out.reserve(out.capacity());
    }
    out.extend(checksum(bytes).to_le_bytes());
    out.extend(length_mod_32(bytes).to_le_bytes());
    out
}

/// Inflates exactly one member of at most `bytes_max` bytes, with nothing after it.
pub(super) fn inflate(bytes: &[u8], bytes_max: u64) -> Result<Vec<u8>, Refusal> {
    let body = after_header(bytes)?;
    let bound = usize::try_from(bytes_max).expect("the limit fits in memory");
    let mut out = Vec::with_capacity(announced(bytes).min(bound));
    let mut inflater = Decompress::new(false);
    loop {
        let used = usize::try_from(inflater.total_in()).expect("it counts bytes of a slice");
        let before = (used, out.len());
        let status = inflater
            .decompress_vec(&body[used..], &mut out, FlushDecompress::None)
            .map_err(|_| malformed("its deflate stream is damaged"))?;
        let used = usize::try_from(inflater.total_in()).expect("it counts bytes of a slice");
        if out.len() > bound {
            return Err(too_large(bytes_max));
        }
        if status == Status::StreamEnd {
            check_end(&body[used..], &out)?;
            return Ok(out);
        }
        if out.len() == out.capacity() {
            // One byte more than allowed is room enough to see that there is more.
            out.reserve_exact(out.len().max(4_096).min(bound + 1 - out.len()));
        } else if before == (used, out.len()) {
            return Err(truncated());
        }
    }
}

/// How much the frame says that it holds: no more than deflate could, because it may lie.
fn announced(bytes: &[u8]) -> usize {
    let length = bytes.last_chunk::<4>().map_or(0, |last| u32::from_le_bytes(*last));
    usize::try_from(length).expect("32 bits fit").min(bytes.len().saturating_mul(RATIO_MAX))
}

/// The trailer is all that is left, and it tells the truth about what came out.
fn check_end(rest: &[u8], out: &[u8]) -> Result<(), Refusal> {
    if rest.len() < TRAILER_BYTES {
        return Err(truncated());
    }
    if rest.len() > TRAILER_BYTES {
        return Err(Refusal::new(
            "archive-trailing",
            format!("{} bytes follow the gzip member; some readers would go on there", rest.len() - TRAILER_BYTES),
        ));
    }
    if little_endian(&rest[..4]) != checksum(out) {
        return Err(malformed("its checksum does not match its content"));
    }
    if little_endian(&rest[4..]) != length_mod_32(out) {
        return Err(malformed("its length does not match its content"));
    }
    Ok(())
}

/// What follows the header. A name or comment is skipped; checksummed or extensible headers, which
/// no packer of skills writes, are refused with the reserved flags.
fn after_header(bytes: &[u8]) -> Result<&[u8], Refusal> {
    let Some((header, mut rest)) = bytes.split_at_checked(HEADER.len()) else {
        return Err(if HEADER.starts_with(&bytes[..bytes.len().min(3)]) { truncated() } else { not_gzip() });
    };
    if header[..3] != HEADER[..3] {
        return Err(not_gzip());
    }
    let flags = header[3];
    if flags & !(FLAG_TEXT | FLAG_NAME | FLAG_COMMENT) != 0 {
        return Err(malformed("its header uses flags that readers treat differently"));
    }
    for flag in [FLAG_NAME, FLAG_COMMENT] {
        if flags & flag != 0 {
            let nul = rest.iter().position(|&b| b == 0).ok_or_else(truncated)?;
            rest = &rest[nul + 1..];
        }
    }
    Ok(rest)
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The length as gzip keeps it.
fn length_mod_32(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len() as u64 & u64::from(u32::MAX)).expect("it was masked to 32 bits")
}

fn little_endian(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes[..4].try_into().expect("four bytes were asked for"))
}

fn too_large(bytes_max: u64) -> Refusal {
    Refusal::new(
        "archive-unpacked-too-large",
        format!("the archive unpacks to more than {bytes_max} bytes, which is all that is allowed"),
    )
}

fn not_gzip() -> Refusal {
    Refusal::new("archive-not-gzip", "the archive is not gzip: expected a gzip'd tar")
}

fn malformed(why: &str) -> Refusal {
    Refusal::new("archive-gzip-malformed", format!("the gzip frame cannot be read: {why}"))
}

fn truncated() -> Refusal {
    Refusal::new("archive-truncated", "the archive ends too early").hint("fetch it again; it was cut off on the way")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u64 = 1 << 20;

    fn refuses(bytes: &[u8], code: &str) {
        assert_eq!(inflate(bytes, MAX).expect_err(code).code, code);
    }

    #[test]
    fn what_is_deflated_inflates() {
        for bytes in [&b""[..], b"greet", &[7; 100_000]] {
            assert_eq!(inflate(&deflate(bytes), MAX).as_deref(), Ok(bytes));
        }
        let noise: Vec<u8> = (0u32..50_000).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
        assert_eq!(inflate(&deflate(&noise), MAX), Ok(noise));
    }

    #[test]
    fn a_file_name_or_comment_in_the_header_is_skipped() {
        let mut bytes = deflate(b"greet");
        bytes[3] = FLAG_NAME | FLAG_COMMENT;
        bytes.splice(10..10, *b"x.tar\0said somebody\0");
        assert_eq!(inflate(&bytes, MAX).as_deref(), Ok(&b"greet"[..]));
    }

    #[test]
    fn flags_that_readers_treat_differently_are_refused() {
        for flag in [2, 4, 32, 64, 128] {
            let mut bytes = deflate(b"greet");
            bytes[3] = flag;
            refuses(&bytes, "archive-gzip-malformed");
        }
    }

    #[test]
    fn a_second_member_and_trailing_bytes_are_refused() {
        let one = deflate(b"greet");
        refuses(&[&one[..], &one].concat(), "archive-trailing");
        refuses(&[&one[..], b"\0\0\0\0"].concat(), "archive-trailing");
        refuses(&[&one[..], b"garbage"].concat(), "archive-trailing");
    }

    #[test]
    fn a_wrong_checksum_or_length_is_refused() {
        let good = deflate(b"greet");
        for at in 1..=8 {
            let mut bytes = good.clone();
            let place = bytes.len() - at;
            bytes[place] ^= 1;
            assert!(inflate(&bytes, MAX).is_err(), "trailer byte {at} from the end");
        }
    }

    #[test]
    fn what_is_no_gzip_is_refused() {
        refuses(b"", "archive-truncated");
        refuses(b"PK\x03\x04 a zip, say, of some length", "archive-not-gzip");
        refuses(b"hi", "archive-not-gzip");
    }

    #[test]
    fn more_than_the_bound_is_refused_whatever_the_frame_announces() {
        let bomb = deflate(&vec![0; 2 << 20]);
        refuses(&bomb, "archive-unpacked-too-large");
        let mut liar = bomb;
        let end = liar.len() - 4;
        liar[end..].copy_from_slice(&64u32.to_le_bytes());
        refuses(&liar, "archive-unpacked-too-large");
        let exact = deflate(&vec![0; 1 << 20]);
        assert_eq!(inflate(&exact, MAX).expect("to the byte").len(), 1 << 20);
    }
}
