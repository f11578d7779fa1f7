//! Connections: accepted, bounded, served, drained.
//!
//! Not `axum::serve`, for three reasons that were measured: it leaves Nagle's algorithm on (a 20 KB answer
//! took 42 ms), it never closes a connection that sends its head slowly, and it bounds neither. Here every
//! connection has its bytes in time or is closed, there are at most so many, and a stop waits for the requests
//! in flight and no longer than it was told to.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

use crate::app::App;
use crate::http::{Peer, router};
use crate::linger::Lingering;

/// Largest head of a request, in bytes; also how much of a body is read at once.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Requests in flight on one HTTP/2 connection: an installer has 50.
const STREAMS_MAX: u32 = 128;

/// What HTTP/2 starts with, by prior knowledge (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Serves until `stop` is done, then drains. Errors of single connections end those connections only.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let router = router(&app);
    let room = Arc::new(Semaphore::new(app.config.limits.connections));
    let builder = Arc::new(builder(&app));
    let draining = GracefulShutdown::new();
    let (stopping, stopped) = watch::channel(());
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = &mut stop => break,
        };
        let (connection, permit) = accepted;
        let watcher = draining.watcher();
        let (app, router, builder, stopped) = (app.clone(), router.clone(), builder.clone(), stopped.clone());
        tokio::spawn(async move {
            app.metrics.opened();
            if speaks(&app, &connection, stopped).await {
                connect(connection, router, &builder, watcher).await;
            }
            app.metrics.closed();
            drop(permit);
        });
    }
    drop((listener, stopping));
    let drain_time = Duration::from_secs(app.config.limits.drain_seconds);
    if tokio::time::timeout(drain_time, draining.shutdown()).await.is_err() {
        tracing::warn!(seconds = drain_time.as_secs(), "some requests did not end in time");
    }
}

/// The next connection, once there is room for it. Until then it waits in the kernel's queue.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = room.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((connection, _)) => return (connection, permit),
            Err(error) => {
                // Out of file descriptors, mostly: closing connections gives them back.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// No `pipeline_flush`: it skips the flush while unread bytes wait, and so loses the answer to a body that is
/// refused early.
fn builder(app: &App) -> auto::Builder<TokioExecutor> {
    let head_time = Duration::from_secs(app.config.limits.header_seconds);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(64);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(head_time)
        .keep_alive_timeout(head_time);
    builder
}

async fn connect(
    connection: TcpStream,
    router: Router,
    builder: &auto::Builder<TokioExecutor>,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let Ok(peer) = connection.peer_addr().map(|address| Peer(address.ip())) else { return };
    let _ = connection.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request)
    });
    let served = builder.serve_connection(TokioIo::new(Lingering::new(connection)), service);
    if let Err(error) = watcher.watch(served).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Whether the client begins a request in time. A stop does not wait for one that has asked for nothing yet.
async fn speaks(app: &App, connection: &TcpStream, mut stopped: watch::Receiver<()>) -> bool {
    let head_time = Duration::from_secs(app.config.limits.header_seconds);
    tokio::select! {
        spoke = tokio::time::timeout(head_time, first_bytes(connection)) => matches!(spoke, Ok(true)),
        _ = stopped.changed() => false,
    }
}

/// Waits until the client has said enough to tell HTTP/1 from HTTP/2. The `auto` builder waits for that
/// without a limit, so a connection that says nothing, or only `P`, would stay for ever.
async fn first_bytes(connection: &TcpStream) -> bool {
    let mut head = [0; PREFACE.len()];
    loop {
        match connection.peek(&mut head).await {
            Ok(0) | Err(_) => return false,
            Ok(seen) if seen < PREFACE.len() && head[..seen] == PREFACE[..seen] => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(_) => return true,
        }
    }
}
