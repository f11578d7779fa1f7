//! What the three processes tell each other: one JSON document a line, over one socket.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::End;

/// Longest line: orders name every folder that may be read.
const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What comes out.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The kernel refuses namespaces: to be started again without.
    Refused(String),
    /// What is enforced; the check starts when somebody says [`Go`].
    Ready(Vec<String>),
    /// It is over.
    Ended(End),
}

/// What goes in after the orders; anything else, or nothing, means the end.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Go;

/// Sends one line.
pub(super) fn send(mut socket: &UnixStream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    socket.write_all(&line)
}

/// Receives one line and not a byte more: the next process reads on. `None` at the end.
pub(super) fn receive<T: DeserializeOwned>(mut socket: &UnixStream) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match socket.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) if byte[0] == b'\n' => return Ok(Some(serde_json::from_slice(&line)?)),
            Ok(_) if line.len() == LINE_BYTES_MAX => return Err(io::Error::other("a line without end")),
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
