//! The archive of a package: one strict reader, one writer.

use crate::refusal::Refusal;
use crate::tree::Tree;

/// Packs a tree into the one archive that it has: the same bytes on every machine.
pub fn pack(_tree: &Tree) -> Result<Vec<u8>, Refusal> {
    todo!("the writer")
}

/// Reads an archive, refusing whatever two readers could read differently.
pub fn unpack(_bytes: &[u8]) -> Result<Tree, Refusal> {
    todo!("the reader")
}
