//! What a skill is.
//!
//! Everything that a publisher states, as bytes and as types that cannot be wrong: names and
//! versions, the front matter of `SKILL.md`, the manifest `skill.toml`, the tree of files and its
//! digest, the archive, and the release statement with the signatures over it.
//!
//! This room is pure: it opens no file, socket, environment variable, clock or random source. It
//! takes bytes and gives values, or a [`Refusal`] with a stable code and a sentence. What the
//! *registry* states is in `index`; who reads disks and sockets is in `registry` and `cli`.
//!
//! ```text
//! SKILL.md ─ frontmatter ┐
//! skill.toml ── manifest ┼─ package ─ archive ─ statement ─ dsse ─ bundle
//! files ─── path ── tree ┘                         key ──────┘        sshsig
//! ```

pub mod archive;
pub mod boundary;
pub mod brief;
pub mod bundle;
pub mod check;
pub mod digest;
pub mod dsse;
pub mod evidence;
pub mod frontmatter;
pub mod json;
pub mod key;
pub mod limits;
pub mod lint;
pub mod manifest;
pub mod name;
pub mod package;
pub mod path;
pub mod placed;
pub mod refusal;
pub mod sshsig;
pub mod statement;
pub mod tools;
pub mod tree;
pub mod version;

pub use digest::{Sha256, TreeDigest};
pub use name::{PackageName, Scope, SkillName};
pub use path::FilePath;
pub use refusal::Refusal;
pub use version::{Requirement, Version};
