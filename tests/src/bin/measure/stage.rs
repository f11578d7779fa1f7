//! The stage: a registry on a real disk, and a home that its publisher and its users share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use tempfile::TempDir;
use tests::Registry;
use tests::binaries::binary;

use crate::input::{Skill, manifest};
use crate::once::{Cost, cost};
use crate::project::Project;

/// Nothing but rates above what any measurement does: a bound that is hit is not a speed.
const CONFIG: &str = "[rates]\nwrites-per-minute = 100000000\nwrites-burst = 100000000\n";

/// Everything that a measurement needs, gone when dropped.
pub(crate) struct Stage {
    // Dropped, and so killed, before the folder that it writes to.
    registry: Registry,
    token: String,
    folder: TempDir,
}

impl Stage {
    /// Starts a registry with a user, two scopes and a key.
    pub(crate) fn open() -> Self {
        let (registry, folder) = start_registry();
        let token = registry.user("bench");
        for scope in ["even", "real", "alone"] {
            registry.scope(scope, "bench");
        }
        let stage = Self { registry, token, folder };
        let made = stage.skill(stage.root(), &["key", "generate", "--no-passphrase"]).output().expect("it runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        stage
    }

    /// The registry, for what talks to it directly.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The folder that everything lies in.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// An empty folder that stays until all is measured, for the reason that `aside` gives.
    pub(crate) fn fresh_folder(&self) -> PathBuf {
        tempfile::tempdir_in(self.root()).expect("a folder").keep()
    }

    /// Where `SKILL_HOME` is.
    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The program, in a folder, with our home and registry.
    pub(crate) fn skill(&self, folder: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(binary("skill"));
        command.args(args).current_dir(folder).env("SKILL_HOME", self.home()).env("HOME", self.root());
        command.env("SKILL_REGISTRY", self.registry.url()).env("SKILL_TOKEN", &self.token);
        command
    }

    /// Writes packages into a folder, one below the other.
    pub(crate) fn write_packages(&self, scope: &str, skills: &[Skill]) -> PathBuf {
        let root = self.root().join(format!("{scope}-packages"));
        for skill in skills {
            let folder = root.join(&skill.name);
            tests::write(folder.join("skill.toml"), manifest(scope, &skill.name));
            for (path, bytes) in &skill.files {
                tests::write(folder.join(path), bytes);
            }
        }
        root
    }

    /// `skill publish` of packages in a folder: one request, all or none.
    pub(crate) fn publish(&self, root: &Path, skills: &[Skill]) -> Cost {
        let mut args = vec!["publish", "--register-key"];
        args.extend(skills.iter().map(|skill| skill.name.as_str()));
        cost(&self.skill(root, &args))
    }

    /// A repository that wants all of them.
    pub(crate) fn project(&self, scope: &str, skills: &[Skill], agents: &[&str]) -> Project<'_> {
        let root = self.root().join(format!("{scope}-repository"));
        let wants: String = skills.iter().map(|skill| format!("\"{scope}/{}\" = \"^1\"\n", skill.name)).collect();
        let agents: Vec<String> = agents.iter().map(|agent| format!("\"{agent}\"")).collect();
        let text = format!(
            "[skills]\n{wants}\n[agents]\nuse = [{}]\n\n[registries]\nlocalhost = \"{}\"\n",
            agents.join(", "),
            self.registry.url()
        );
        tests::write(root.join("skills.toml"), text);
        Project::new(self, root)
    }
}

/// A fresh registry and the folder that it writes to.
pub(crate) fn start_registry() -> (Registry, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    if statfs(folder.path()).is_ok_and(|kind| kind.filesystem_type() == TMPFS_MAGIC) {
        eprintln!("the temporary folder is in memory, where an fsync costs nothing: set TMPDIR to a folder on a disk");
    }
    let config = folder.path().join("registry.toml");
    fs::write(&config, CONFIG).expect("written");
    let data = folder.path().join("registry");
    fs::create_dir(&data).expect("created");
    (Registry::start(data, Some(config)), folder)
}
