//! The work that nobody can leave out, done in one plain loop.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use skills::Sha256;
use skills::key::SigningKey;

use crate::input::Skill;

/// How long each part of the floor takes here and now, on one core.
pub struct Floor {
    /// Hash every byte once.
    pub hash: Duration,
    /// One strict signature check a skill.
    pub verify: Duration,
    /// Write every file once into a fresh folder.
    pub write: Duration,
    /// One GET a skill, from memory, over one connection.
    pub get: Duration,
    /// A durable write of every skill's bytes: one file, one fsync.
    pub durable: Duration,
}

/// Measures the floor of a set of skills.
pub fn measure(skills: &[Skill]) -> Floor {
    Floor {
        hash: hash(skills),
        verify: verify(skills.len()),
        write: write(skills),
        get: get(skills),
        durable: durable(skills),
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn hash(skills: &[Skill]) -> Duration {
    timed(|| {
        for (_, bytes) in skills.iter().flat_map(|skill| &skill.files) {
            std::hint::black_box(Sha256::of(bytes));
        }
    })
}

fn verify(count: usize) -> Duration {
    let key = SigningKey::from_seed(&[7; 32]);
    let (public, message) = (key.public(), vec![b'x'; 1_000]);
    let signature = key.sign(&message);
    timed(|| {
        for _ in 0..count {
            assert!(std::hint::black_box(&public).verifies(&message, &signature), "the signature was made just above");
        }
    })
}

fn write(skills: &[Skill]) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    timed(|| {
        for skill in skills {
            for (path, bytes) in &skill.files {
                let path = folder.path().join(&skill.name).join(path);
                fs::create_dir_all(path.parent().expect("a parent")).expect("created");
                fs::write(path, bytes).expect("written");
            }
        }
    })
}

fn durable(skills: &[Skill]) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    timed(|| {
        for skill in skills {
            let mut file = fs::File::create(folder.path().join(&skill.name)).expect("created");
            for (_, bytes) in &skill.files {
                file.write_all(bytes).expect("written");
            }
            file.sync_all().expect("synced");
        }
    })
}

/// A server that answers every request with the next body, and a client that asks for them all.
fn get(skills: &[Skill]) -> Duration {
    let bodies: Vec<Vec<u8>> = skills
        .iter()
        .map(|skill| vec![b'x'; skill.files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() / 4])
        .collect();
    let sizes: Vec<usize> = bodies.iter().map(Vec::len).collect();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        stream.set_nodelay(true).expect("set");
        let mut request = [0; 64];
        for body in bodies {
            stream.read_exact(&mut request).expect("a request of 64 bytes");
            stream.write_all(&body).expect("sent");
        }
    });
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.set_nodelay(true).expect("set");
    let took = timed(|| {
        for size in sizes {
            stream.write_all(&[b'r'; 64]).expect("sent");
            stream.read_exact(&mut vec![0; size]).expect("received");
        }
    });
    server.join().expect("the server ends with its last body");
    took
}
