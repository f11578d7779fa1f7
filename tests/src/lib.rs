//! What we promised: the world that every test from outside plays in.
//!
//! Nothing here knows how the programs work inside. A test starts the real `skill-registry` on port
//! 0 and the real `skill` with an empty home, looks at exit codes, screens, files and HTTP answers,
//! and judges. Everything lives below one temporary folder, whose name holds a space and letters that
//! are not ASCII, so that every journey walks through such a path; whatever was started is killed
//! when its value is dropped.
//!
//! ```text
//! binaries    where the programs are, built first where they are not fresh
//! world       World, Registry, Person: one folder, its servers, its people
//! screen      Screen: exit code, stdout, stderr; Transcript: whole screens compared with a file
//! shop        Shop: a registry, Alice who publishes, Bob who installs
//! files       snapshots of folders; small skills to publish
//! http        one request over one connection, every byte under the test's control
//! mirror      a server of static files that can lie
//! publisher   a key in the test's own hands: signs what the program would refuse to sign
//! forge       archives that break the law, one each
//! workshop    a repository with a brief, and evidence in the test's own hands
//! tools       programs of others, which may be absent
//! ```

pub mod binaries;
pub mod files;
pub mod forge;
pub mod http;
pub mod kinds;
pub mod mirror;
pub mod publisher;
pub mod screen;
pub mod shop;
pub mod tools;
pub mod workshop;
pub mod world;

pub use files::{Snapshot, write};
pub use screen::{Screen, Transcript};
pub use shop::Shop;
pub use world::{Person, Registry, World};
