//! Many clients at once, each with one connection, each sending its requests one after the other.

use std::time::{Duration, Instant};

use crate::process;
use crate::wire::Connection;

/// What the load cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Load {
    /// Requests sent.
    pub requests: u32,
    /// Answers with another status than the one expected.
    pub errors: u32,
    /// From the first request to the last answer.
    pub wall: Duration,
    /// What the server worked meanwhile.
    pub cpu: Duration,
}

impl Load {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(self.requests) / self.wall.as_secs_f64().max(1e-9)
    }

    /// The server's work for one request, in microseconds.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(self.requests.max(1))
    }

    /// Two loads, one after the other.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            errors: self.errors + other.errors,
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
        }
    }
}

/// Sends what each client has to send; every answer should have this status. Connections are opened
/// before the clock starts.
pub(crate) fn send(url: &str, process_id: u32, clients: &[Vec<&[u8]>], status: u16) -> Load {
    let mut connections: Vec<Connection> = clients.iter().map(|_| Connection::open(url)).collect();
    let (start, cpu) = (Instant::now(), process::cpu(process_id));
    let errors = std::thread::scope(|scope| {
        let running: Vec<_> = clients
            .iter()
            .zip(&mut connections)
            .map(|(requests, connection)| scope.spawn(move || send_all(connection, requests, status)))
            .collect();
        running.into_iter().map(|client| client.join().expect("a client ends")).sum()
    });
    let requests = clients.iter().map(|requests| requests.len() as u32).sum();
    Load { requests, errors, wall: start.elapsed(), cpu: process::cpu(process_id) - cpu }
}

fn send_all(connection: &mut Connection, requests: &[&[u8]], status: u16) -> u32 {
    let mut errors = 0;
    for request in requests {
        let seen = connection.exchange(request);
        if seen != status {
            errors += 1;
            if errors == 1 {
                eprintln!("an answer was {seen}, not {status}: {}", String::from_utf8_lossy(connection.body()));
            }
        }
    }
    errors
}
