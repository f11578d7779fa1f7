//! The world that most tests start in: a registry, Alice who publishes into `acme`, and Bob who uses
//! what she publishes for Claude Code and Codex.

use std::path::PathBuf;

use crate::files::package;
use crate::world::{Person, Registry, World};

/// A registry, a publisher, a user.
pub struct Shop {
    /// The registry.
    pub registry: Registry,
    /// Owner of `acme`, logged in, with a key; no release yet.
    pub alice: Person,
    /// In an empty folder `repo` of his own.
    pub bob: Person,
    /// The folder that they live in; dropped last.
    pub world: World,
}

impl Shop {
    /// Opens with empty shelves.
    pub fn open() -> Self {
        let world = World::new();
        let registry = world.registry();
        Self::around(world, registry)
    }

    /// Opens around a registry that runs already.
    pub fn around(world: World, registry: Registry) -> Self {
        let alice = world.publisher("alice", "acme", &registry);
        let bob = world.person("bob", &registry).within("repo");
        Self { registry, alice, bob, world }
    }

    /// Opens with `acme/pdf` 1.0.0 on the shelf.
    pub fn with_pdf() -> Self {
        let shop = Self::open();
        shop.publish("acme/pdf", "1.0.0", "");
        shop
    }

    /// The same, and Bob has installed it for both agents.
    pub fn with_pdf_installed() -> Self {
        let shop = Self::with_pdf();
        shop.bob.skill(&["init", "--agent", "claude-code", "--agent", "codex"]).ok();
        shop.bob.skill(&["add", "acme/pdf", "--trust"]).ok();
        shop
    }

    /// Alice writes a package and publishes it; the scope's first key is registered with it.
    #[track_caller]
    pub fn publish(&self, name: &str, version: &str, dependencies: &str) -> PathBuf {
        let folder = package(&self.alice.work, name, version, dependencies);
        let short = folder.file_name().expect("a name").to_string_lossy().into_owned();
        self.alice.skill(&["publish", "--register-key", &short]).ok();
        folder
    }

    /// The folder that Bob's copy of a skill is in.
    pub fn installed(&self, folder: &str) -> PathBuf {
        self.bob.work.join(".agents/skills").join(folder)
    }
}
