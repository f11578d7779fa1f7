//! The handler that nothing can be cheaper than: axum, giving out bytes that it holds in memory. No
//! headers of ours, no look-up by name, no limits. A process of its own, so that its work is accounted.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use axum::serve::ListenerExt;

/// The hidden argument that makes this program the bare handler.
pub(crate) const FLAG: &str = "--bare";

/// A running bare handler; killed when dropped.
pub(crate) struct Bare {
    child: Child,
    url: String,
}

impl Bare {
    /// Starts a process that serves these files' bytes as `/0`, `/1` and so on.
    pub(crate) fn start(files: &[PathBuf]) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("we are a program"));
        let mut child = command.arg(FLAG).args(files).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut url).expect("its first line");
        Self { child, url: url.trim_end().to_owned() }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `measure --bare FILE…`: serves until killed.
pub(crate) fn run(files: impl Iterator<Item = OsString>) -> ExitCode {
    let mut router = Router::new();
    for (number, file) in files.enumerate() {
        let bytes = Bytes::from(std::fs::read(file).expect("the file that we were given"));
        router = router.route(&format!("/{number}"), get(move || std::future::ready(bytes.clone())));
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{}", listener.local_addr().expect("an address"));
        let prompt = listener.tap_io(|stream| stream.set_nodelay(true).expect("a TCP option"));
        axum::serve(prompt, router).await.expect("it serves until it is killed");
    });
    ExitCode::SUCCESS
}
