//! A server of static files that can lie.
//!
//! It stands between a client and a registry, hands on every GET as it is, and changes what a test
//! told it to change: other bytes, another status, an answer that breaks off in the middle. It also
//! remembers what it was asked for.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use crate::http::{Request, host_of};

/// What a mirror answers for one path instead of the truth.
#[derive(Debug, Clone)]
pub enum Lie {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing is there.
    Absent,
    /// The truth, broken off after so many bytes although its whole length was declared.
    BreaksOff(usize),
    /// Bytes without end and without a declared length.
    Endless,
}

/// The lies by path.
pub type Lies = BTreeMap<String, Lie>;

/// A running mirror; stops when dropped.
pub struct Mirror {
    url: String,
    stop: Arc<AtomicBool>,
    asked: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Mirror {
    /// A mirror of the registry at `url`, with these lies.
    pub fn of(url: &str, lies: Lies) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let desk = Arc::new(Desk { behind: url.to_owned(), lies, asked: asked.clone() });
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let desk = desk.clone();
                if let Ok(connection) = connection {
                    std::thread::spawn(move || desk.answer(connection));
                }
            }
        });
        Self { url: format!("http://{address}"), stop, asked, thread: Some(thread) }
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The paths asked for so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no thread panics while it holds the list").clone()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // The listener is waiting for a connection: give it one.
        let _ = TcpStream::connect(host_of(&self.url));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Desk {
    behind: String,
    lies: Lies,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    /// One request a connection: the client may open as many as it likes.
    fn answer(&self, mut connection: TcpStream) {
        let Some(path) = read_path(&mut connection) else { return };
        self.asked.lock().expect("no thread panics while it holds the list").push(path.clone());
        let truth = || Request::new("GET", path.clone()).try_send(&self.behind);
        let _ = match self.lies.get(&path) {
            None => match truth() {
                Some(answer) => reply(&mut connection, answer.status, &answer.body, answer.body.len()),
                None => Ok(()),
            },
            Some(Lie::Bytes(bytes)) => reply(&mut connection, 200, bytes, bytes.len()),
            Some(Lie::Absent) => reply(&mut connection, 404, b"", 0),
            Some(Lie::BreaksOff(at)) => {
                let body = truth().map(|answer| answer.body).unwrap_or_default();
                reply(&mut connection, 200, &body[..(*at).min(body.len())], body.len())
            }
            Some(Lie::Endless) => endless(&mut connection),
        };
        let _ = connection.shutdown(Shutdown::Both);
    }
}

fn read_path(connection: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match connection.read(&mut chunk).ok()? {
            0 => return None,
            read => head.extend_from_slice(&chunk[..read]),
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    head.split(' ').nth(1).map(str::to_owned)
}

fn reply(connection: &mut TcpStream, status: u16, body: &[u8], declared: usize) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {declared}\r\nconnection: close\r\n\r\n");
    connection.write_all(head.as_bytes())?;
    connection.write_all(body)
}

/// Until the client hangs up.
fn endless(connection: &mut TcpStream) -> std::io::Result<()> {
    connection.write_all(b"HTTP/1.1 200 -\r\nconnection: close\r\n\r\n")?;
    let chunk = [b'x'; 64 * 1024];
    // A client that never hangs up fails its test by memory or time; we stop at a gigabyte.
    for _ in 0..16 * 1024 {
        connection.write_all(&chunk)?;
    }
    Ok(())
}
