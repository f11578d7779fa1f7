//! Blobs: archives, named by their digest, durable before any row names them.
//!
//! The trait is small because it is all that an object store can promise as well; correctness never
//! rests on a conditional put. The folder ([`folder::Folder`]) is the first implementation.

pub mod folder;

use bytes::Bytes;
use skills::Sha256;

use crate::store::Reply;

/// Bytes by digest. The laws:
///
/// 1. *Durable.* When [`put`](Blobs::put) answers, every blob given survives the loss of power.
/// 2. *Whole.* A blob is there completely or not at all, also after a kill: its name never shows other
///    bytes than the ones it is the digest of, unless the disk lies; `check` finds that.
/// 3. *Same again.* Putting the same bytes again succeeds and changes nothing.
/// 4. *Never less.* Nothing deletes a blob. One that no row names is an orphan: harmless, reported by `check`.
pub trait Blobs: Send + Sync {
    /// Keeps bytes under their digests, which the caller has computed.
    fn put(&self, blobs: Vec<(Sha256, Bytes)>) -> Reply<'_, ()>;

    /// Opens a blob for reading.
    fn open(&self, digest: Sha256) -> Reply<'_, Option<Blob>>;

    /// The digests of all blobs, in no order.
    fn list(&self) -> Reply<'_, Vec<Sha256>>;

    /// Whether blobs can still be kept.
    fn ready(&self) -> Result<(), crate::store::Fault>;
}

/// A blob to read: its length is known before its bytes are.
pub struct Blob {
    /// Length in bytes.
    pub length: u64,
    /// Where the bytes come from.
    pub bytes: Box<dyn tokio::io::AsyncRead + Send + Unpin>,
}
