//! A tar writer for tests that can write every lie.

use super::gzip;
use super::header::{BLOCK, Header, Type, seal};
use crate::tree::Mode;

/// Builds a tar entry by entry, each as wrong as wanted.
#[derive(Default)]
pub(super) struct TarBuilder {
    bytes: Vec<u8>,
}

impl TarBuilder {
    /// An honest regular file.
    pub(super) fn file(self, name: &str, content: &[u8]) -> Self {
        self.entry(name.as_bytes(), b'0', content, |_| {})
    }

    /// An entry of any type, under any name, its header changed before the checksum is made.
    pub(super) fn entry(mut self, name: &[u8], flag: u8, content: &[u8], change: impl Fn(&mut [u8; BLOCK])) -> Self {
        let mut block = Header::format(b"", name, Type::File, Mode::Regular, content.len());
        block[156] = flag;
        change(&mut block);
        seal(&mut block);
        self.bytes.extend(block);
        self.padded(content)
    }

    /// A PAX header with these records.
    pub(super) fn pax(self, records: &[u8]) -> Self {
        self.entry(b"PaxHeader", b'x', records, |_| {})
    }

    /// Bytes as they are.
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    fn padded(mut self, content: &[u8]) -> Self {
        self.bytes.extend(content);
        self.bytes.resize(self.bytes.len().next_multiple_of(BLOCK), 0);
        self
    }

    /// Adds the end marker and gives the tar.
    pub(super) fn tar(self) -> Vec<u8> {
        self.raw(&[0; 2 * BLOCK]).bytes
    }

    /// Adds the end marker and compresses.
    pub(super) fn archive(self) -> Vec<u8> {
        gzip::deflate(&self.tar())
    }

    /// Compresses without an end marker.
    pub(super) fn archive_without_end(self) -> Vec<u8> {
        gzip::deflate(&self.bytes)
    }
}
