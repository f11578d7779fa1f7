//! A connection that is closed politely: the last answer arrives even when the client is still sending.
//!
//! A body that is refused early (too large, no token) is not read to its end. Closing at once would make the
//! kernel answer the rest of it with a reset, and the reset throws away the refusal that the client has not
//! read yet. So the write half is closed first, and what still comes is read and forgotten, for a bounded
//! time and a bounded number of bytes (RFC 9112 §9.6).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How long a client may go on sending after the last answer.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// How much: what is on its way when the refusal leaves, and a little more.
const LINGER_BYTES: usize = 64 * 1024 * 1024;

/// A TCP connection whose shutdown lingers.
pub(crate) struct Lingering {
    stream: TcpStream,
    closing: Option<Pin<Box<Sleep>>>,
    left: usize,
}

impl Lingering {
    /// Wraps a connection.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, closing: None, left: LINGER_BYTES }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        }
        let closing = this.closing.get_or_insert_with(|| Box::pin(sleep(LINGER_TIME)));
        let mut bytes = [0; 16 * 1024];
        while this.left > 0 && closing.as_mut().poll(context).is_pending() {
            let mut buffer = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => this.left = this.left.saturating_sub(buffer.filled().len()),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_client_that_is_still_sending_reads_the_last_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let mut connection = Lingering::new(listener.accept().await.expect("a client").0);
            connection.write_all(b"refused").await.expect("written");
            connection.shutdown().await.expect("closed");
        });
        let mut client = TcpStream::connect(address).await.expect("connects");
        client.write_all(&vec![0; 8 * 1024 * 1024]).await.expect("all of it is taken");
        client.shutdown().await.expect("closed");
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.expect("no reset");
        assert_eq!(answer, "refused");
        server.await.expect("ended");
    }
}
