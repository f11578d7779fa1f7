//! pnpm, on npm tarballs from a registry of packuments.
//!
//! `pnpm install` against a manifest, a lock and a content-addressed store: the installer of its field
//! that is built most like ours. It clones or hard-links from its store, as its users get it.

use std::path::PathBuf;
use std::process::Command;

use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, Sha256, archive};

use super::shelf::{Files, Shelf};
use super::{Peer, version};
use crate::aside::Aside;
use crate::input::Skill;

/// pnpm, a project, and a registry.
pub(super) struct Pnpm {
    program: PathBuf,
    folder: PathBuf,
    aside: Aside,
    registry: Shelf,
}

impl Pnpm {
    /// A project that wants all skills, and a registry that has them.
    pub(super) fn set_up(program: PathBuf, folder: PathBuf, skills: &[Skill]) -> Self {
        let wants: Map<String, Value> = skills.iter().map(|skill| (skill.name.clone(), "^1.0.0".into())).collect();
        let project = json!({"name": "bench", "version": "1.0.0", "private": true, "dependencies": wants});
        tests::write(folder.join("project/package.json"), project.to_string());
        Self { program, aside: Aside::below(&folder), folder, registry: Shelf::open(|url| fill(url, skills)) }
    }

    fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// pnpm, with an empty home: its store and its caches are below it.
    fn command(&self, args: &[&str]) -> Command {
        let home = self.folder.join("home");
        let mut command = Command::new(&self.program);
        command.args(args).arg(format!("--registry={}/", self.registry.url()));
        command.current_dir(self.project()).env("HOME", &home).env("NO_PROXY", "127.0.0.1").env("CI", "");
        for (variable, folder) in [("DATA", "data"), ("CACHE", "cache"), ("CONFIG", "config"), ("STATE", "state")] {
            command.env(format!("XDG_{variable}_HOME"), home.join(folder));
        }
        command.env("npm_config_update_notifier", "false").env("NO_UPDATE_NOTIFIER", "1");
        command
    }
}

impl Peer for Pnpm {
    fn name(&self) -> String {
        format!("pnpm {} install", version(&self.program))
    }

    fn forget_everything(&self) {
        self.aside.take(&self.folder.join("home"));
        self.aside.take(&self.project().join("pnpm-lock.yaml"));
        self.clear_places();
    }

    fn clear_places(&self) {
        self.aside.take(&self.project().join("node_modules"));
    }

    fn install(&self) -> Command {
        self.command(&["install", "--reporter=silent", "--no-frozen-lockfile"])
    }

    fn install_locked(&self) -> Command {
        self.command(&["install", "--reporter=silent", "--frozen-lockfile"])
    }

    fn install_copies(&self) -> Command {
        self.command(&["install", "--reporter=silent", "--frozen-lockfile", "--package-import-method=copy"])
    }

    fn place(&self, skill: &str, file: &str) -> PathBuf {
        self.project().join("node_modules").join(skill).join(file)
    }
}

fn fill(url: &str, skills: &[Skill]) -> Files {
    let mut files = Files::new();
    for skill in skills {
        let tarball = pack(skill);
        let path = format!("/{0}/-/{0}-1.0.0.tgz", skill.name);
        let integrity = format!("sha256-{}", STANDARD.encode(Sha256::of(&tarball).bytes()));
        let packument = json!({
            "name": skill.name, "dist-tags": {"latest": "1.0.0"},
            "versions": {"1.0.0": {
                "name": skill.name, "version": "1.0.0",
                "dist": {"tarball": format!("{url}{path}"), "integrity": integrity},
            }},
            "time": {"created": "2020-01-01T00:00:00Z", "modified": "2020-01-01T00:00:00Z", "1.0.0": "2020-01-01T00:00:00Z"},
        });
        files.insert(format!("/{}", skill.name), ("application/json", Bytes::from(packument.to_string())));
        files.insert(path, ("application/octet-stream", Bytes::from(tarball)));
    }
    files
}

/// An npm tarball: everything below `package/`, with a `package.json`.
fn pack(skill: &Skill) -> Vec<u8> {
    let manifest = json!({"name": skill.name, "version": "1.0.0"}).to_string().into_bytes();
    let own = [("package.json".to_owned(), manifest)];
    let named = |(path, bytes): &(String, Vec<u8>)| File {
        path: FilePath::parse(&format!("package/{path}")).expect("a lawful path"),
        mode: Mode::Regular,
        bytes: bytes.clone(),
    };
    let tree = Tree::new(own.iter().chain(&skill.files).map(named).collect()).expect("a lawful tree");
    archive::pack(&tree).expect("it packs")
}
