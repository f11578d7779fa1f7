//! The two digests that everything is pinned by.
//!
//! [`Sha256`] names exact bytes (`sha256:HEX`); [`TreeDigest`] names the content of a folder, as
//! Go's `h1:` directory hash does (`golang.org/x/mod/sumdb/dirhash`): base64 of the SHA-256 over one
//! line a file, sorted by path bytes, each line the lower-hex digest, two spaces, the path, `\n`.
//! A person checks a tree with
//! `find . -type f | cut -c3- | LC_ALL=C sort | xargs -r sha256sum | sha256sum`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest;

use crate::name::text_type;
use crate::refusal::Refusal;

/// SHA-256 of exact bytes, written `sha256:HEX`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256([u8; 32]);

/// The digest of a folder's files, written `h1:BASE64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeDigest([u8; 32]);

impl Sha256 {
    /// Hashes bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(sha2::Sha256::digest(bytes.as_ref()).into())
    }

    /// Parses `sha256:` and 64 lower-case hex digits.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        text.strip_prefix("sha256:").map_or_else(|| Err(malformed(text)), Self::parse_hex)
    }

    /// Parses 64 lower-case hex digits.
    pub fn parse_hex(hex: &str) -> Result<Self, Refusal> {
        unhex(hex).map(Self).ok_or_else(|| malformed(hex))
    }

    /// The 64 lower-case hex digits.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    /// The raw digest.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// A SHA-256 of bytes that arrive piece by piece, because they may be larger than memory.
#[derive(Debug, Clone, Default)]
pub struct Growing {
    hasher: sha2::Sha256,
    bytes: u64,
}

impl Growing {
    /// Takes in more bytes.
    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.hasher.update(bytes.as_ref());
        self.bytes += bytes.as_ref().len() as u64;
    }

    /// How many bytes it took in.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The digest of all of them.
    pub fn finish(self) -> Sha256 {
        Sha256(self.hasher.finalize().into())
    }
}

impl TreeDigest {
    /// Digests a folder given as `(path, digest of the file)`. The order given does not matter.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, Sha256)>) -> Self {
        let mut files: Vec<(&str, Sha256)> = files.into_iter().collect();
        files.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        let mut hasher = sha2::Sha256::new();
        for (path, digest) in files {
            hasher.update(format!("{}  {path}\n", digest.hex()));
        }
        Self(hasher.finalize().into())
    }

    /// Parses `h1:` and 44 characters of padded base64.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        text.strip_prefix("h1:")
            .and_then(|b64| STANDARD.decode(b64).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| malformed(text))
    }

    /// Parses the 64 hex digits that in-toto's `dirHash1` uses.
    pub fn parse_hex(hex: &str) -> Result<Self, Refusal> {
        unhex(hex).map(Self).ok_or_else(|| malformed(hex))
    }

    /// The 64 lower-case hex digits, as in-toto's `dirHash1` has them.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

fn malformed(text: &str) -> Refusal {
    let head: String = text.chars().take(80).collect();
    Refusal::new(
        "digest-malformed",
        format!(
            "`{}` is not a digest: expected `sha256:` and 64 lower-case hex digits, or `h1:` and base64",
            head.escape_debug()
        ),
    )
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Lower-case hex.
fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

/// Lower-case hex only: two spellings of one digest would be two names of one thing.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    }
}

text_type!(Sha256, |self, f| write!(f, "sha256:{}", self.hex()));
text_type!(TreeDigest, |self, f| write!(f, "h1:{}", STANDARD.encode(self.0)));

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for TreeDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_formatted_parses_back() {
        let digest = Sha256::of(b"greet");
        assert_eq!(Sha256::parse(&digest.to_string()), Ok(digest));
        let tree = TreeDigest::of([("a", digest)]);
        assert_eq!(TreeDigest::parse(&tree.to_string()), Ok(tree));
        assert_eq!(TreeDigest::parse_hex(&tree.hex()), Ok(tree));
    }

    #[test]
    fn pieces_have_the_digest_of_the_whole() {
        let mut growing = Growing::default();
        growing.update(b"gre");
        growing.update(b"et");
        assert_eq!((growing.bytes(), growing.finish()), (5, Sha256::of(b"greet")));
    }

    #[test]
    fn upper_case_hex_is_refused() {
        let text = Sha256::of(b"").to_string().to_uppercase().replace("SHA256", "sha256");
        assert_eq!(Sha256::parse(&text).expect_err("upper case").code, "digest-malformed");
    }

    #[test]
    fn the_tree_digest_is_independent_of_the_order_given() {
        let (a, b) = (Sha256::of(b"a"), Sha256::of(b"b"));
        assert_eq!(TreeDigest::of([("a", a), ("b", b)]), TreeDigest::of([("b", b), ("a", a)]));
    }
}
