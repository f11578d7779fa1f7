//! A server of files from memory, for the packages of others: as quick as a registry can be.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri, header};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What lies on a shelf: path to type and bytes.
pub(super) type Files = HashMap<String, (&'static str, Bytes)>;

/// A running shelf; gone when dropped.
pub(super) struct Shelf {
    url: String,
    _runtime: Runtime,
}

impl Shelf {
    /// Opens a shelf with the files that `fill` makes, which may need to name its URL.
    pub(super) fn open(fill: impl FnOnce(&str) -> Files) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let files = Arc::new(fill(&url));
        let router = Router::new().fallback(move |uri: Uri| {
            let found = files.get(uri.path()).cloned();
            async move {
                let (kind, bytes) = found.ok_or(StatusCode::NOT_FOUND)?;
                Ok::<_, StatusCode>(([(header::CONTENT_TYPE, kind)], bytes))
            }
        });
        let prompt = listener.tap_io(|stream| stream.set_nodelay(true).expect("a TCP option"));
        runtime.spawn(async { axum::serve(prompt, router).await });
        Self { url, _runtime: runtime }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}
