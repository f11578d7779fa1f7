//! HTTP/1.1 over one connection that is kept, by hand: a client that costs as little as can be, so
//! that the server is what is measured.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use tests::http::host_of;

/// A connection that is used again and again.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    line: String,
    body: Vec<u8>,
}

impl Connection {
    /// Connects to the host of a URL.
    pub(crate) fn open(url: &str) -> Self {
        let stream = TcpStream::connect(host_of(url)).expect("the server listens");
        stream.set_nodelay(true).expect("a TCP option");
        Self { stream: BufReader::with_capacity(64 * 1024, stream), line: String::new(), body: Vec::new() }
    }

    /// Sends a whole request, reads the whole answer, gives its status.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> u16 {
        self.stream.get_mut().write_all(request).expect("the server reads");
        let status = self.read_line().split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut length = 0;
        while !self.read_line().is_empty() {
            if let Some((name, value)) = self.line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).expect("the server sends what it announced");
        status
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    fn read_line(&mut self) -> &str {
        self.line.clear();
        self.stream.read_line(&mut self.line).expect("the server answers");
        self.line.trim_end()
    }
}

/// A `GET`, ready to be sent.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

/// One publish of pairs of bundle and archive, ready to be sent.
pub(crate) fn publish(token: &str, pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    const BOUNDARY: &str = "b0undary-0123456789abcdef";
    let mut body = Vec::new();
    for (name, bytes) in pairs.iter().flat_map(|(bundle, archive)| [("bundle", bundle), ("archive", archive)]) {
        let head =
            format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    let head = format!(
        "POST /api/v1/publish HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}
