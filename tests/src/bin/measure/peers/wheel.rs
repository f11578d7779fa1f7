//! A skill as a Python wheel: a zip archive by hand, each entry deflated, as every build tool makes it.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write;

use crate::input::Skill;

/// The name of a distribution inside its wheel, where dashes mean something.
pub(super) fn module(skill: &str) -> String {
    skill.replace('-', "_")
}

/// The `METADATA` of a skill's wheel, which an index also serves beside it (PEP 658).
pub(super) fn metadata(skill: &str) -> String {
    format!("Metadata-Version: 2.1\nName: {skill}\nVersion: 1.0.0\nRequires-Python: >=3.8\n")
}

/// The wheel: the skill's files as a package, and the three files that wheels must have.
pub(super) fn pack(skill: &Skill) -> Vec<u8> {
    let module = module(&skill.name);
    let facts = format!("{module}-1.0.0.dist-info");
    let mut entries: Vec<(String, Vec<u8>)> =
        skill.files.iter().map(|(path, bytes)| (format!("{module}/{path}"), bytes.clone())).collect();
    let wheel = "Wheel-Version: 1.0\nGenerator: measure\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    entries.push((format!("{facts}/METADATA"), metadata(&skill.name).into_bytes()));
    entries.push((format!("{facts}/WHEEL"), wheel.as_bytes().to_vec()));
    let record: String = entries.iter().map(|(path, _)| format!("\"{path}\",,\n")).collect();
    entries.push((format!("{facts}/RECORD"), format!("{record}{facts}/RECORD,,\n").into_bytes()));
    zip(&entries)
}

/// PKWARE's APPNOTE, §4.3: local headers with their data, the central directory, its end.
fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (path, bytes) in entries {
        let offset = archive.len() as u32;
        let deflated = deflate(bytes);
        let shared = shared_header(path, bytes, &deflated);
        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend_from_slice(&shared);
        archive.extend_from_slice(path.as_bytes());
        archive.extend_from_slice(&deflated);
        // Made by Unix (3), so that the upper half of the external attributes is a mode.
        directory.extend_from_slice(b"PK\x01\x02\x14\x03");
        directory.extend_from_slice(&shared);
        directory.extend_from_slice(&[0; 6]);
        directory.extend_from_slice(&(0o100_644_u32 << 16).to_le_bytes());
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(path.as_bytes());
    }
    let (start, length, count) = (archive.len() as u32, directory.len() as u32, entries.len() as u16);
    archive.extend_from_slice(&directory);
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    archive.extend_from_slice(&[count.to_le_bytes(), count.to_le_bytes()].concat());
    archive.extend_from_slice(&[length.to_le_bytes(), start.to_le_bytes()].concat());
    archive.extend_from_slice(&[0, 0]);
    archive
}

/// What the local header and the directory have in common: version, flags (UTF-8), method (deflate),
/// a time, checksum, sizes, lengths of the name and of nothing else.
fn shared_header(path: &str, bytes: &[u8], deflated: &[u8]) -> Vec<u8> {
    let mut checksum = Crc::new();
    checksum.update(bytes);
    let mut header = b"\x14\0\0\x08\x08\0\0\0\x21\x50".to_vec();
    for number in [checksum.sum(), deflated.len() as u32, bytes.len() as u32] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    header.extend_from_slice(&(path.len() as u16).to_le_bytes());
    header.extend_from_slice(&[0, 0]);
    header
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}
