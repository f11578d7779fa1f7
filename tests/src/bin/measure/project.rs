//! A repository that wants skills, and what it can be made to forget between two rounds.

use std::path::PathBuf;
use std::process::Command;

use crate::aside::Aside;
use crate::stage::Stage;

/// The repository.
pub(crate) struct Project<'s> {
    stage: &'s Stage,
    root: PathBuf,
    aside: Aside,
}

impl<'s> Project<'s> {
    /// A folder with a `skills.toml` in it.
    pub(crate) fn new(stage: &'s Stage, root: PathBuf) -> Self {
        Self { stage, aside: Aside::below(&stage.fresh_folder()), root }
    }

    /// `skill install`, trusting what it meets.
    pub(crate) fn install(&self, args: &[&str]) -> Command {
        let mut all = vec!["install", "--trust"];
        all.extend(args);
        self.stage.skill(&self.root, &all)
    }

    /// `skill verify --offline`.
    pub(crate) fn verify(&self) -> Command {
        self.stage.skill(&self.root, &["verify", "--offline"])
    }

    /// As if neither this repository nor this machine had ever seen any of it: no lock, no policy, no
    /// proofs, no cache.
    pub(crate) fn forget_everything(&self) {
        self.forget_lock();
        self.clear_places();
        self.aside.take(&self.root.join(".skill"));
        self.aside.take(&self.stage.home().join("cache"));
    }

    /// As in a fresh clone: lock, policy and proofs are there, the skills are not.
    pub(crate) fn clear_places(&self) {
        for folder in [".agents", ".claude"] {
            self.aside.take(&self.root.join(folder));
        }
    }

    /// As if `skills.toml` had just been written.
    pub(crate) fn forget_lock(&self) {
        self.aside.take(&self.root.join("skills.lock"));
    }
}
