//! Archives that break the law, one law each, written by a tar writer that can write every lie.

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use skills::limits::{ARCHIVE_BYTES_MAX, FILES_MAX};

const BLOCK: usize = 512;

/// Builds a tar entry by entry, each as wrong as wanted.
#[derive(Default, Clone)]
pub struct Tar {
    bytes: Vec<u8>,
}

impl Tar {
    /// An honest regular file.
    #[must_use]
    pub fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name.as_bytes(), b'0', content, |_| {})
    }

    /// An entry of any type, its header changed before the checksum is made.
    #[must_use]
    pub fn entry(mut self, name: &[u8], flag: u8, content: &[u8], change: impl Fn(&mut [u8; BLOCK])) -> Self {
        let mut block = header(name, flag, content.len());
        change(&mut block);
        seal(&mut block);
        self.bytes.extend(block);
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(BLOCK), 0);
        self
    }

    /// Bytes as they are.
    #[must_use]
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    /// With the end marker.
    pub fn tar(self) -> Vec<u8> {
        self.raw(&[0; 2 * BLOCK]).bytes
    }

    /// With the end marker, compressed.
    pub fn archive(self) -> Vec<u8> {
        gzip(&self.tar())
    }

    /// Compressed without an end marker.
    pub fn archive_without_end(self) -> Vec<u8> {
        gzip(&self.bytes)
    }
}

fn header(name: &[u8], flag: u8, size: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    let mut field = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    field(100, "0000644\0");
    field(108, "0000000\0");
    field(116, "0000000\0");
    field(124, &format!("{size:011o}\0"));
    field(136, "00000000000\0");
    field(257, "ustar\0");
    field(263, "00");
    block[156] = flag;
    block
}

fn seal(block: &mut [u8; BLOCK]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// One gzip member with an empty head.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder: GzEncoder<Vec<u8>> = GzBuilder::new().mtime(0).write(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// One honest `SKILL.md`, to which a test adds what is wrong.
pub fn honest() -> Tar {
    Tar::default().file("SKILL.md", crate::files::skill_md("pdf", "Honest.").as_bytes())
}

/// An archive that breaks one law.
pub struct Hostile {
    /// What is wrong with it.
    pub law: &'static str,
    /// The code that every reader of ours refuses it with.
    pub code: &'static str,
    make: Box<dyn Fn() -> Vec<u8>>,
}

impl Hostile {
    fn new(law: &'static str, code: &'static str, make: impl Fn() -> Vec<u8> + 'static) -> Self {
        Self { law, code, make: Box::new(make) }
    }

    /// The bytes; made when asked for, since some are large.
    pub fn archive(&self) -> Vec<u8> {
        (self.make)()
    }
}

/// Every law of archives, broken once each: DESIGN §6.
pub fn hostile() -> Vec<Hostile> {
    let mut all = Vec::new();
    for (law, flag, code) in TYPES {
        let point = |block: &mut [u8; BLOCK]| block[157..168].copy_from_slice(b"/etc/passwd");
        all.push(Hostile::new(law, code, move || honest().entry(b"evil", *flag, b"", point).archive()));
    }
    for (law, path, code) in PATHS {
        all.push(Hostile::new(law, code, move || honest().file(path, b"x").archive()));
    }
    for (law, at, bytes, code) in FIELDS {
        let change = |block: &mut [u8; BLOCK]| block[*at..*at + bytes.len()].copy_from_slice(bytes);
        all.push(Hostile::new(law, code, move || honest().entry(b"evil.md", b'0', b"x", change).archive()));
    }
    all.extend(shapes());
    all
}

const TYPES: &[(&str, u8, &str)] = &[
    ("a symbolic link", b'2', "archive-symlink"),
    ("a hard link", b'1', "archive-hardlink"),
    ("a character device", b'3', "archive-device"),
    ("a block device", b'4', "archive-device"),
    ("a named pipe", b'6', "archive-fifo"),
    ("a contiguous file", b'7', "archive-contiguous"),
    ("a global PAX header", b'g', "archive-pax-global"),
    ("a GNU long name", b'L', "archive-gnu-long-name"),
    ("a sparse file", b'S', "archive-sparse"),
    ("a type that nobody knows", b'Z', "archive-type"),
];

const PATHS: &[(&str, &str, &str)] = &[
    ("a path up and out", "../evil", "path-parent"),
    ("a path up and out, further down", "a/../../evil", "path-parent"),
    ("an absolute path", "/etc/cron.d/evil", "path-absolute"),
    ("a backslash", "a\\..\\evil", "path-backslash"),
    ("a drive letter", "C:/evil", "path-reserved"),
    ("a control character", "a\nb.md", "path-control"),
    ("a name that is not NFC", "e\u{301}.md", "path-not-nfc"),
    ("a name that Windows reserves", "aux.md", "path-reserved"),
    ("a name that ends in a dot", "evil.", "path-reserved"),
    ("an empty component", "a//b", "path-empty"),
    ("a dot component", "a/./b", "path-dot"),
    ("a Git hook", ".git/hooks/post-checkout", "path-git"),
    ("the same path twice", "SKILL.md", "archive-duplicate"),
    ("names equal under case folding", "skill.MD", "archive-case-collision"),
    ("a file in the place of a folder", "SKILL.md/evil", "archive-file-as-folder"),
];

const FIELDS: &[(&str, usize, &[u8], &str)] = &[
    ("set-user-id", 100, b"0004755\0", "archive-special-mode"),
    ("a size in base 256", 124, b"\x80\0\0\0\0\0\0\0\0\0\0\x01", "archive-header-malformed"),
    ("a size beyond the end", 124, b"00000100000\0", "archive-end-missing"),
    ("a size of eight gigabytes", 124, b"77777777777\0", "archive-unpacked-too-large"),
    ("the magic of GNU tar", 257, b"ustar  \0", "archive-not-ustar"),
    ("bytes hidden in a header", 505, b"x", "archive-header-malformed"),
];

/// What is wrong with the whole, not with one entry.
fn shapes() -> Vec<Hostile> {
    let deep = vec!["a"; 33].join("/");
    let twice = |tail: fn() -> Vec<u8>| move || [honest().archive(), tail()].concat();
    vec![
        Hostile::new("too deep", "path-too-deep", move || honest().file(&deep, b"x").archive()),
        Hostile::new("too many files", "archive-too-many-files", too_many),
        Hostile::new("a bomb", "archive-unpacked-too-large", bomb),
        Hostile::new("a wrong checksum", "archive-checksum", || flipped(0)),
        Hostile::new("bytes in the padding", "archive-padding", || flipped(honest().tar().len() - 2 * BLOCK - 1)),
        Hostile::new("bytes after the end", "archive-trailing", || gzip(&[&honest().tar()[..], b"x"].concat())),
        Hostile::new("bytes after the gzip member", "archive-trailing", twice(|| b"x".to_vec())),
        Hostile::new("two gzip members", "archive-trailing", twice(|| honest().archive())),
        Hostile::new("no end marker", "archive-end-missing", || honest().archive_without_end()),
        Hostile::new("a torn gzip member", "archive-truncated", || honest().archive()[..100].to_vec()),
        Hostile::new("no gzip at all", "archive-not-gzip", || b"PK\x03\x04 not a tar".to_vec()),
        Hostile::new("over the size limit", "archive-too-large", || {
            vec![0; usize::try_from(ARCHIVE_BYTES_MAX).expect("it fits") + 1]
        }),
    ]
}

fn too_many() -> Vec<u8> {
    (0..FILES_MAX).fold(honest(), |tar, n| tar.file(&format!("f{n}"), b"")).archive()
}

/// An honest tar with one bit changed.
fn flipped(at: usize) -> Vec<u8> {
    let mut tar = honest().tar();
    tar[at] ^= 1;
    gzip(&tar)
}

/// 200 MiB of zeros in a few hundred kilobytes.
fn bomb() -> Vec<u8> {
    let size = 200 << 20;
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::fast());
    let mut head = header(b"zeros", b'0', size);
    seal(&mut head);
    encoder.write_all(&head).expect("writing to memory");
    let zeros = vec![0; 1 << 20];
    for _ in 0..200 {
        encoder.write_all(&zeros).expect("writing to memory");
    }
    encoder.write_all(&[0; 2 * BLOCK]).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}
