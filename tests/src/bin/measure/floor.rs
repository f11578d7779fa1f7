//! The work that nobody can leave out, done in one plain loop.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use skills::Sha256;
use skills::key::SigningKey;

use crate::durable;
use crate::input::Skill;
use crate::once::{self, Cost, cost};

/// What each part of the floor costs here and now, on one core.
pub(crate) struct Floor {
    /// Start a process, and end it.
    pub start: Cost,
    /// Hash every byte once.
    pub hash: Cost,
    /// One strict signature check a skill.
    pub verify: Cost,
    /// Write every file once into a fresh folder.
    pub write: Cost,
    /// One GET a skill, from memory, over one connection.
    pub get: Cost,
    /// A durable write of every skill's bytes: one file, one fsync.
    pub durable: Cost,
}

/// Measures the floor of a set of skills, in a folder that is deleted later.
pub(crate) fn measure(skills: &[Skill], folder: &Path) -> Floor {
    let archives: Vec<usize> = skills.iter().map(archive_bytes).collect();
    Floor {
        start: cost(&Command::new("true")),
        hash: once::here(|| hash(skills)),
        verify: verify(skills.len()),
        write: once::here(|| write(skills, &folder.join("floor"))),
        get: get(&archives),
        durable: once::here(|| durable::keep_blobs(&folder.join("floor-durable"), &archives)),
    }
}

/// About what a skill's files are packed to.
fn archive_bytes(skill: &Skill) -> usize {
    skill.files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() / 4
}

fn hash(skills: &[Skill]) {
    for (_, bytes) in skills.iter().flat_map(|skill| &skill.files) {
        std::hint::black_box(Sha256::of(bytes));
    }
}

fn verify(count: usize) -> Cost {
    let key = SigningKey::from_seed(&[7; 32]);
    let (public, message) = (key.public(), vec![b'x'; 1_000]);
    let signature = key.sign(&message);
    once::here(|| {
        for _ in 0..count {
            assert!(std::hint::black_box(&public).verifies(&message, &signature), "the signature was made just above");
        }
    })
}

fn write(skills: &[Skill], root: &Path) {
    let mut made = HashSet::new();
    for skill in skills {
        for (path, bytes) in &skill.files {
            let path = root.join(&skill.name).join(path);
            let parent = path.parent().expect("a parent");
            if made.insert(parent.to_owned()) {
                fs::create_dir_all(parent).expect("created");
            }
            fs::write(path, bytes).expect("written");
        }
    }
}

/// A server that answers every request with the next body, and a client that asks for them all.
fn get(sizes: &[usize]) -> Cost {
    let bodies: Vec<Vec<u8>> = sizes.iter().map(|size| vec![b'x'; *size]).collect();
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
    let took = once::here(|| {
        for size in sizes {
            stream.write_all(&[b'r'; 64]).expect("sent");
            stream.read_exact(&mut vec![0; *size]).expect("received");
        }
    });
    server.join().expect("the server ends with its last body");
    took
}
