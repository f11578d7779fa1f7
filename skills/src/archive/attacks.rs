//! Each law of an archive, broken by one crafted archive.

use super::builder::TarBuilder;
use super::{gzip, unpack};
use crate::limits::{ARCHIVE_BYTES_MAX, FILES_MAX};

fn refuses(archive: &[u8], code: &str) {
    assert_eq!(unpack(archive).expect_err(code).code, code);
}

fn tar() -> TarBuilder {
    TarBuilder::default()
}

/// One honest file, then an entry of this type.
fn refuses_type(flag: u8, code: &str) {
    refuses(&tar().file("SKILL.md", b"x").entry(b"evil", flag, b"", |_| {}).archive(), code);
}

fn refuses_path(path: &str, code: &str) {
    refuses(&tar().file(path, b"x").archive(), code);
}

fn refuses_field(at: usize, bytes: &[u8], code: &str) {
    let change = |block: &mut [u8; 512]| block[at..at + bytes.len()].copy_from_slice(bytes);
    refuses(&tar().entry(b"SKILL.md", b'0', b"x", change).archive(), code);
}

#[test]
fn symbolic_links_are_refused() {
    refuses_type(b'2', "archive-symlink");
}

#[test]
fn hard_links_are_refused() {
    refuses_type(b'1', "archive-hardlink");
}

#[test]
fn character_and_block_devices_are_refused() {
    refuses_type(b'3', "archive-device");
    refuses_type(b'4', "archive-device");
}

#[test]
fn named_pipes_are_refused() {
    refuses_type(b'6', "archive-fifo");
}

#[test]
fn contiguous_files_are_refused() {
    refuses_type(b'7', "archive-contiguous");
}

#[test]
fn global_pax_headers_are_refused() {
    refuses_type(b'g', "archive-pax-global");
}

#[test]
fn gnu_long_names_are_refused() {
    refuses_type(b'L', "archive-gnu-long-name");
    refuses_type(b'K', "archive-gnu-long-name");
}

#[test]
fn sparse_files_are_refused() {
    refuses_type(b'S', "archive-sparse");
    refuses(&tar().pax(b"22 GNU.sparse.major=1\n").file("a", b"").archive(), "archive-sparse");
}

#[test]
fn other_types_are_refused() {
    for flag in [0, b'8', b'A', b'D', b'M', b'N', b'V', b'X', 0xff] {
        refuses_type(flag, "archive-type");
    }
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    refuses_path("../evil", "path-parent");
    refuses_path("a/../../evil", "path-parent");
    refuses_path("./../evil", "path-parent");
    refuses_path("/etc/passwd", "path-absolute");
    refuses_path(".//etc/passwd", "path-absolute");
    refuses_path("C:/evil", "path-reserved");
    refuses_path("a\\..\\evil", "path-backslash");
}

#[test]
fn paths_that_two_systems_read_differently_are_refused() {
    refuses_path("", "path-empty");
    refuses_path("a//b", "path-empty");
    refuses_path("a/", "path-empty");
    refuses_path("./", "path-empty");
    refuses_path("././a", "path-dot");
    refuses_path("a/./b", "path-dot");
    refuses_path("a\nb", "path-control");
    refuses_path("e\u{301}.md", "path-not-nfc");
    refuses_path("aux.md", "path-reserved");
    refuses_path("a.", "path-reserved");
    refuses_path(".git/hooks/post-checkout", "path-git");
}

#[test]
fn paths_over_the_limits_are_refused() {
    refuses_path(&vec!["a"; 33].join("/"), "path-too-deep");
    let long = format!("{}/{}", "x".repeat(101), "y");
    refuses(&tar().pax(&super::pax::format(&long)).file(&long[..100], b"").archive(), "path-component-too-long");
    let long = "x/".repeat(15) + &format!("{}/{}/{}", "x".repeat(100), "x".repeat(100), "x".repeat(20));
    refuses(&tar().pax(&super::pax::format(&long)).file(&long[..100], b"").archive(), "path-too-long");
}

#[test]
fn names_that_are_not_text_are_refused() {
    refuses(&tar().entry(b"caf\xe9.md", b'0', b"", |_| {}).archive(), "archive-not-utf8");
    refuses(&tar().pax(b"10 path=\xff\n").file("a", b"").archive(), "archive-not-utf8");
}

#[test]
fn a_path_that_appears_twice_is_refused() {
    refuses(&tar().file("a", b"1").file("a", b"2").archive(), "archive-duplicate");
    refuses(&tar().file("a", b"1").file("./a", b"2").archive(), "archive-duplicate");
    let folder = |tar: TarBuilder| tar.entry(b"a/", b'5', b"", |_| {});
    refuses(&folder(folder(tar())).archive(), "archive-duplicate");
}

#[test]
fn names_that_ignore_case_are_refused() {
    refuses(&tar().file("README.md", b"").file("readme.md", b"").archive(), "archive-case-collision");
    refuses(&tar().file("Docs/a", b"").file("docs/b", b"").archive(), "archive-case-collision");
    refuses(&tar().entry(b"Docs/", b'5', b"", |_| {}).file("docs/b", b"").archive(), "archive-case-collision");
}

#[test]
fn a_file_in_the_place_of_a_folder_is_refused() {
    refuses(&tar().file("a", b"").file("a/b", b"").archive(), "archive-file-as-folder");
    refuses(&tar().file("a", b"").entry(b"a/", b'5', b"", |_| {}).archive(), "archive-file-as-folder");
    refuses(&tar().file("A", b"").entry(b"a/b/", b'5', b"", |_| {}).archive(), "archive-file-as-folder");
}

#[test]
fn a_folder_obeys_the_laws_of_paths() {
    for (name, code) in [(&b"../"[..], "path-parent"), (b"/a/", "path-absolute"), (b"a//", "path-empty")] {
        refuses(&tar().entry(name, b'5', b"", |_| {}).archive(), code);
    }
}

#[test]
fn a_folder_with_content_is_refused() {
    refuses(&tar().entry(b"a/", b'5', b"hidden", |_| {}).archive(), "archive-header-malformed");
}

#[test]
fn set_user_id_set_group_id_and_sticky_are_refused() {
    for mode in [b"0004755\0", b"0002755\0", b"0001755\0"] {
        refuses_field(100, mode, "archive-special-mode");
    }
    refuses_field(100, b"0100644\0", "archive-header-malformed");
}

#[test]
fn numbers_that_are_not_plain_octal_are_refused() {
    for size in [
        &b"\x80\0\0\0\0\0\0\0\0\0\0\x01"[..],
        b"-0000000001\0",
        b"0x000000001\0",
        b"00000000009\0",
        b"      00001\0",
        b"000000000001",
        b"0000001\x0000001",
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        refuses_field(124, size, "archive-header-malformed");
    }
    refuses_field(108, b"\x80\0\0\0\0\0\0\0", "archive-header-malformed");
    refuses_field(136, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "archive-header-malformed");
}

#[test]
fn bytes_hidden_in_a_header_are_refused() {
    refuses_field(20, b"x", "archive-header-malformed");
    refuses_field(157, b"/etc/passwd", "archive-header-malformed");
    refuses_field(270, b"x", "archive-header-malformed");
    refuses_field(400, b"x", "archive-header-malformed");
    refuses_field(505, b"x", "archive-header-malformed");
}

#[test]
fn other_magics_are_refused() {
    refuses_field(257, b"ustar  \0", "archive-not-ustar");
    refuses_field(257, &[0; 8], "archive-not-ustar");
    refuses_field(263, b"01", "archive-not-ustar");
}

#[test]
fn a_wrong_checksum_is_refused() {
    let mut bytes = tar().file("SKILL.md", b"x").tar();
    bytes[0] = b'T';
    refuses(&gzip::deflate(&bytes), "archive-checksum");
}

#[test]
fn pax_headers_that_change_what_an_entry_is_are_refused() {
    refuses(&tar().pax(b"12 size=100\n").file("a", b"").archive(), "archive-pax-size");
    refuses(&tar().pax(b"19 linkpath=/etc/x\n").file("a", b"").archive(), "archive-pax-key");
    refuses(&tar().pax(b"11 path=ab\n").file("ab", b"").archive_without_end(), "archive-end-missing");
}

#[test]
fn stacked_pax_headers_are_refused() {
    refuses(&tar().pax(b"10 path=a\n").pax(b"10 path=b\n").file("b", b"").archive(), "archive-pax-stacked");
    refuses(&tar().file("a", b"").pax(b"10 path=a\n").archive(), "archive-pax-stacked");
}

#[test]
fn a_pax_header_is_bounded() {
    let long = format!("1040 path={}\n", "x".repeat(1029));
    assert_eq!(long.len(), 1040);
    refuses(&tar().pax(long.as_bytes()).file("x", b"").archive(), "archive-pax-too-large");
}

#[test]
fn two_names_for_one_file_are_refused() {
    refuses(&tar().pax(b"12 path=bad\n").file("good", b"").archive(), "archive-pax-path");
    refuses(&tar().pax("14 path=é.md\n".as_bytes()).file("SKILL.md", b"").archive(), "archive-pax-path");
    let long = format!("{}/{}", "x".repeat(100), "y".repeat(20));
    refuses(&tar().pax(&super::pax::format(&long)).file("SKILL.md", b"").archive(), "archive-pax-path");
}

#[test]
fn padding_that_hides_bytes_is_refused() {
    let mut bytes = tar().file("SKILL.md", b"x").tar();
    bytes[512 + 100] = 1;
    refuses(&gzip::deflate(&bytes), "archive-padding");
}

#[test]
fn bytes_after_the_end_marker_are_refused() {
    let with = |tail: &[u8]| gzip::deflate(&[&tar().file("a", b"").tar()[..], tail].concat());
    refuses(&with(b"x"), "archive-trailing");
    refuses(&with(&tar().file("b", b"").tar()), "archive-trailing");
    refuses(&with(&[0; 7]), "archive-trailing");
    // 512 + 1,024 bytes of archive: the record is full after 8,704 more.
    assert!(unpack(&with(&[0; 8_704])).is_ok());
    refuses(&with(&[0; 8_704 + 512]), "archive-trailing");
}

#[test]
fn bytes_after_the_gzip_member_are_refused() {
    let one = tar().file("a", b"").archive();
    refuses(&[&one[..], b"x"].concat(), "archive-trailing");
    refuses(&[&one[..], &one].concat(), "archive-trailing");
}

#[test]
fn a_missing_end_marker_is_refused() {
    refuses(&tar().file("a", b"").archive_without_end(), "archive-end-missing");
    refuses(&tar().file("a", b"").raw(&[0; 512]).archive_without_end(), "archive-end-missing");
    refuses(&gzip::deflate(b""), "archive-end-missing");
}

#[test]
fn a_lone_zero_block_is_refused() {
    refuses(&tar().file("a", b"").raw(&[0; 512]).file("b", b"").archive(), "archive-end-malformed");
}

#[test]
fn a_size_beyond_the_archive_is_refused() {
    refuses_field(124, b"00000100000\0", "archive-end-missing");
    refuses_field(124, b"77777777777\0", "archive-unpacked-too-large");
}

#[test]
fn too_many_files_or_folders_are_refused() {
    let files = (0..=FILES_MAX).fold(tar(), |tar, n| tar.file(&format!("f{n}"), b""));
    refuses(&files.archive(), "archive-too-many-files");
    let folders = (0..=2 * FILES_MAX).fold(tar(), |tar, n| tar.entry(format!("f{n}/").as_bytes(), b'5', b"", |_| {}));
    refuses(&folders.archive(), "archive-too-many-files");
}

#[test]
fn an_archive_over_the_limit_is_refused_unread() {
    let size = usize::try_from(ARCHIVE_BYTES_MAX).expect("it fits") + 1;
    refuses(&vec![0; size], "archive-too-large");
}

#[test]
fn a_bomb_of_a_gigabyte_is_refused() {
    // Made of one deflated megabyte of zeros, repeated: a stored gigabyte would slow the tests.
    let bomb = bomb_of_zeros(1 << 30);
    assert!(bomb.len() < 2 << 20, "{}", bomb.len());
    refuses(&bomb, "archive-unpacked-too-large");
}

/// A gzip member that inflates to so many zeros, its trailer a lie that nobody lives to check.
fn bomb_of_zeros(bytes: usize) -> Vec<u8> {
    use flate2::{Compress, Compression, FlushCompress};
    let mut deflater = Compress::new(Compression::new(9), false);
    let (zeros, mut out) = (vec![0; 1 << 20], vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
    for _ in 0..bytes / zeros.len() {
        out.reserve(1 << 14);
        deflater.compress_vec(&zeros, &mut out, FlushCompress::Full).expect("compressing zeros");
    }
    out.reserve(1 << 14);
    deflater.compress_vec(&[], &mut out, FlushCompress::Finish).expect("finishing");
    out.extend([0; 8]);
    out
}
