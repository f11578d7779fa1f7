//! uv, on wheels from a simple index with digests and separate metadata (PEP 691, PEP 658).
//!
//! `uv sync` is the form closest to ours: a manifest, a lock with digests that it writes and obeys, and
//! an environment that it makes agree with the lock. It hard-links from its cache, as its users get it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use axum::body::Bytes;
use serde_json::json;
use skills::Sha256;

use super::shelf::{Files, Shelf};
use super::{Peer, version, wheel};
use crate::aside::Aside;
use crate::input::Skill;

/// uv, a project, and an index.
pub(super) struct Uv {
    program: PathBuf,
    python: PathBuf,
    folder: PathBuf,
    aside: Aside,
    index: Shelf,
}

impl Uv {
    /// A project that wants all skills, and an index that has them; `None` without a Python.
    pub(super) fn set_up(program: PathBuf, folder: PathBuf, skills: &[Skill]) -> Option<Self> {
        let python = python()?;
        let wants: String = skills.iter().map(|skill| format!("  \"{}>=1,<2\",\n", skill.name)).collect();
        let project = format!(
            "[project]\nname = \"bench\"\nversion = \"1.0.0\"\nrequires-python = \">=3.8\"\ndependencies = [\n{wants}]\n"
        );
        tests::write(folder.join("project/pyproject.toml"), project);
        Some(Self { program, python, aside: Aside::below(&folder), folder, index: Shelf::open(|_| fill(skills)) })
    }

    fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    /// uv, with no settings but ours and nothing but our index.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).current_dir(self.project()).env("HOME", &self.folder).env("NO_PROXY", "127.0.0.1");
        command.env("UV_CACHE_DIR", self.folder.join("cache")).env("UV_PYTHON", &self.python);
        command.env("UV_DEFAULT_INDEX", format!("{}/simple", self.index.url()));
        command.env("UV_NO_CONFIG", "1").env("UV_PYTHON_DOWNLOADS", "never").env("UV_NO_PROGRESS", "1");
        command
    }

    /// An empty environment, and in the cache what uv wants to know of the interpreter.
    fn make_environment(&self) {
        let made = self.command(&["venv", "--quiet"]).output().expect("uv starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
}

impl Peer for Uv {
    fn name(&self) -> String {
        format!("uv {} sync", version(&self.program))
    }

    fn forget_everything(&self) {
        self.aside.take(&self.folder.join("cache"));
        self.aside.take(&self.project().join("uv.lock"));
        self.clear_places();
    }

    fn clear_places(&self) {
        self.aside.take(&self.project().join(".venv"));
        self.make_environment();
    }

    fn install(&self) -> Command {
        self.command(&["sync", "--quiet"])
    }

    fn install_locked(&self) -> Command {
        self.command(&["sync", "--quiet", "--locked"])
    }

    fn install_copies(&self) -> Command {
        self.command(&["sync", "--quiet", "--locked", "--link-mode", "copy"])
    }

    fn place(&self, skill: &str, file: &str) -> PathBuf {
        let library = self.project().join(".venv/lib");
        let python = fs::read_dir(&library).ok().and_then(|mut entries| entries.next()?.ok()).map(|entry| entry.path());
        python.unwrap_or(library).join("site-packages").join(wheel::module(skill)).join(file)
    }
}

/// A Python itself, not a shim that looks for one each time.
fn python() -> Option<PathBuf> {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(path.trim_end()))
}

fn fill(skills: &[Skill]) -> Files {
    let mut files = Files::new();
    for skill in skills {
        let name = format!("{}-1.0.0-py3-none-any.whl", wheel::module(&skill.name));
        let (bytes, metadata) = (wheel::pack(skill), wheel::metadata(&skill.name));
        let page = json!({
            "meta": {"api-version": "1.1"}, "name": skill.name, "versions": ["1.0.0"],
            "files": [{
                "filename": name, "url": format!("../../files/{name}"), "size": bytes.len(),
                "hashes": {"sha256": Sha256::of(&bytes).hex()}, "requires-python": ">=3.8", "yanked": false,
                "upload-time": "2020-01-01T00:00:00Z",
                "core-metadata": {"sha256": Sha256::of(&metadata).hex()},
            }],
        });
        let page = Bytes::from(page.to_string());
        files.insert(format!("/simple/{}/", skill.name), ("application/vnd.pypi.simple.v1+json", page));
        files.insert(format!("/files/{name}.metadata"), ("application/octet-stream", Bytes::from(metadata)));
        files.insert(format!("/files/{name}"), ("application/octet-stream", Bytes::from(bytes)));
    }
    files
}
