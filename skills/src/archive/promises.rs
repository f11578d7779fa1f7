//! What packing and unpacking promise together.

use super::builder::TarBuilder;
use super::{gzip, pack, unpack};
use crate::digest::Sha256;
use crate::path::FilePath;
use crate::tree::{File, Mode, Tree};

fn file(path: &str, mode: Mode, bytes: &[u8]) -> File {
    File { path: FilePath::parse(path).expect("lawful"), mode, bytes: bytes.to_vec() }
}

/// Every way in which a path can be written: short, split, PAX for length, PAX for letters.
fn files() -> Vec<File> {
    let (long, longer) = ("d".repeat(100), "f".repeat(60));
    vec![
        file("SKILL.md", Mode::Regular, b"---\nname: x\ndescription: y\n---\n"),
        file("scripts/run.sh", Mode::Executable, b"#!/bin/sh\n"),
        file("empty", Mode::Regular, b""),
        file("block", Mode::Regular, &[7; 512]),
        file(&format!("{long}/{longer}"), Mode::Executable, b"split"),
        file(&format!("{long}/{}/{}", "e".repeat(30), "f".repeat(100)), Mode::Regular, b"split at the second slash"),
        file(&format!("{longer}/{long}/{longer}x"), Mode::Regular, b"no split"),
        file("na\u{ef}ve/\u{65e5}\u{672c}.md", Mode::Regular, b"letters"),
    ]
}

fn tree() -> Tree {
    Tree::new(files()).expect("lawful")
}

#[test]
fn what_is_packed_unpacks_to_the_same_tree() {
    for tree in [tree(), Tree::new(Vec::new()).expect("lawful")] {
        assert_eq!(unpack(&pack(&tree).expect("small")), Ok(tree));
    }
}

#[test]
fn a_tree_has_one_archive_whatever_the_order_given() {
    let mut reversed = files();
    reversed.reverse();
    assert_eq!(pack(&Tree::new(reversed).expect("lawful")), pack(&tree()));
}

/// Changes only if every archive changes: then the digests that people pinned change with it.
#[test]
fn a_fixed_tree_has_a_fixed_archive() {
    let archive = pack(&tree()).expect("small");
    let tar = gzip::inflate(&archive, 1 << 20).expect("ours");
    assert_eq!(Sha256::of(&tar).hex(), "45c238d13bf891ac5892cb310bca37174ba4fd799031f21ed742aeafd74f5c56");
    assert_eq!(Sha256::of(&archive).hex(), "7cd6ec11c87521c7b2e66ae58814e1418cef5b070324dec7161871130568d15f");
}

#[test]
fn every_truncation_is_refused() {
    let archive = pack(&tree()).expect("small");
    for length in 0..archive.len() {
        assert!(unpack(&archive[..length]).is_err(), "cut to {length} bytes");
    }
    let tar = gzip::inflate(&archive, 1 << 20).expect("ours");
    for length in (0..tar.len()).step_by(64) {
        assert!(unpack(&gzip::deflate(&tar[..length])).is_err(), "tar cut to {length} bytes");
    }
}

/// Bits that mean nothing (time and system in the gzip header, the last byte's filling) may change;
/// nothing that is unpacked may.
#[test]
fn every_flipped_bit_is_refused_or_means_nothing() {
    let tree = Tree::new(files()[..2].to_vec()).expect("lawful");
    let archive = pack(&tree).expect("small");
    for bit in 0..archive.len() * 8 {
        let mut bytes = archive.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match unpack(&bytes) {
            Err(_) => {}
            Ok(read) => assert_eq!(read, tree, "bit {bit}"),
        }
    }
}

/// Without gzip's checksum to help: no flipped bit outside the content of files changes the tree. Two
/// are accepted: they swap NUL and space in what ends the checksum.
#[test]
fn every_flipped_bit_of_a_header_is_refused_or_means_nothing() {
    let tree = Tree::new(files()[..1].to_vec()).expect("lawful");
    let tar = gzip::inflate(&pack(&tree).expect("small"), 1 << 20).expect("ours");
    for bit in (0..512 * 8).chain(1024 * 8..tar.len() * 8) {
        let mut bytes = tar.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match unpack(&gzip::deflate(&bytes)) {
            Err(_) => {}
            Ok(read) => assert!(read == tree && matches!(bit, 1_237 | 1_245), "bit {bit}"),
        }
    }
}

#[test]
fn harmless_differences_of_other_writers_are_accepted() {
    let owned = |block: &mut [u8; 512]| {
        block[100..108].copy_from_slice(b"000750 \0");
        block[108..116].copy_from_slice(b"0001750\0");
        block[136..148].copy_from_slice(b"15112345670\0");
        block[265..269].copy_from_slice(b"user");
        block[329..345].fill(0);
    };
    let archive = TarBuilder::default()
        .entry(b"./", b'5', b"", |_| {})
        .entry(b"./z/", b'5', b"", owned)
        .pax(b"20 mtime=1763812345\n")
        .entry(b"./z/run", b'0', b"x", owned)
        .entry(b"empty", b'5', b"", owned)
        .file("./SKILL.md", b"y")
        .raw(&[0; 3 * 512])
        .archive();
    let expected = vec![file("z/run", Mode::Executable, b"x"), file("SKILL.md", Mode::Regular, b"y")];
    assert_eq!(unpack(&archive), Tree::new(expected));
}

/// Whatever stands there, unpacking ends in a tree or a refusal; and what it accepts, it packs.
#[test]
fn no_bytes_make_the_reader_panic() {
    let seed =
        TarBuilder::default().pax(b"20 mtime=1763812345\n").file("a", b"x").entry(b"b/", b'5', b"", |_| {}).tar();
    let mut random = 0x9e37_79b9_u32;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        usize::try_from(random).expect("32 bits fit") % below
    };
    for _ in 0..20_000 {
        let mut tar = seed.clone();
        for _ in 0..=next(4) {
            let (at, byte) = (next(tar.len()), next(256));
            tar[at] = u8::try_from(byte).expect("below 256");
        }
        // Half of them with checksums that hold, so that they get past the first gate.
        if next(2) == 0 {
            for start in [0, 1_024, 2_048] {
                let block: &mut [u8; 512] = (&mut tar[start..start + 512]).try_into().expect("512 bytes");
                super::header::seal(block);
            }
        }
        tar.truncate(tar.len() - next(3) * 512);
        if let Ok(tree) = super::read::tree(&tar) {
            assert_eq!(unpack(&pack(&tree).expect("small")), Ok(tree));
        }
    }
}
