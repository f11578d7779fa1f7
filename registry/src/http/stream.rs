//! A large archive on its way out, a piece at a time: memory holds one piece for each reader, not the archive.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, ReadBuf};

use crate::blobs::Blob;

/// Bytes read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// The body of a streamed answer: exactly as long as was declared, or an error that ends the connection.
pub(super) struct Stream {
    blob: Blob,
    piece: Box<[u8]>,
}

impl Stream {
    /// Streams an opened blob.
    pub(super) fn of(blob: Blob) -> Self {
        Self { blob, piece: vec![0; PIECE_BYTES].into() }
    }
}

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Self { blob, piece } = self.get_mut();
        if blob.length == 0 {
            return Poll::Ready(None);
        }
        let mut buffer = ReadBuf::new(piece);
        match ready!(Pin::new(&mut blob.bytes).poll_read(context, &mut buffer)) {
            Err(error) => Poll::Ready(Some(Err(error))),
            Ok(()) if buffer.filled().is_empty() => Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
            Ok(()) => {
                let filled = buffer.filled();
                blob.length = blob.length.saturating_sub(filled.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(filled)))))
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.blob.length)
    }
}
