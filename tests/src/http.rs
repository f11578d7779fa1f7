//! One request over one connection: HTTP/1.1 by hand, so that a test controls every byte, and may stop
//! in the middle.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for a server that says nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The stable code of a refusal; empty where the answer is none.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A request that is being put together.
#[derive(Debug, Clone)]
pub struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// A request without body.
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a bearer token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json").body(value.to_string())
    }

    /// Sets a `multipart/form-data` body: names and bytes, in this order.
    #[must_use]
    pub fn parts(self, parts: &[(&str, &[u8])]) -> Self {
        const BOUNDARY: &str = "b0undary-0123456789abcdef";
        let mut body = Vec::new();
        for (name, bytes) in parts {
            let head =
                format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body)
    }

    /// The bytes on the wire.
    pub fn to_bytes(&self, host: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let declares = self.headers.iter().any(|(name, _)| name == "content-length");
        if !declares && (self.method != "GET" || !self.body.is_empty()) {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }

    /// Sends it and reads the whole answer; `None` where the connection broke.
    pub fn try_send(&self, url: &str) -> Option<Answer> {
        let host = host_of(url);
        let mut connection = TcpStream::connect(host).ok()?;
        connection.set_read_timeout(Some(PATIENCE)).ok()?;
        // A server that refuses early may close while we still write: its answer counts, not that.
        let _ = connection.write_all(&self.to_bytes(host));
        read_answer(&mut connection)
    }

    /// Sends it and reads the whole answer.
    #[track_caller]
    pub fn send(&self, url: &str) -> Answer {
        self.try_send(url).unwrap_or_else(|| panic!("{} {} at {url}: no answer", self.method, self.path))
    }
}

/// The `HOST:PORT` of a URL.
pub fn host_of(url: &str) -> &str {
    url.trim_start_matches("http://").trim_end_matches('/')
}

/// `GET`, the whole answer.
#[track_caller]
pub fn get(url: &str, path: &str) -> Answer {
    Request::new("GET", path).send(url)
}

/// Reads an answer to its end; `None` where it is none.
pub fn read_answer(connection: &mut TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    // A reset after the answer is an answer all the same.
    let _ = connection.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = bytes[end + 4..].to_vec();
    let whole = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, length)| length.parse().ok());
    if whole.is_some_and(|length: usize| body.len() < length && status != 304) {
        return None;
    }
    Some(Answer { status, headers, body })
}
