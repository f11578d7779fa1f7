//! Fixtures: the trees that a check brings along, to pass on and to fail on.
//!
//! The cheapest defence against a check that is always green is to show it something red. Each folder
//! below `fixtures/pass/` and `fixtures/fail/` is one tree.

use std::collections::BTreeSet;

use crate::tree::Tree;

/// The names of a check's fixtures, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixtures {
    /// Folders that the check has to pass on.
    pub pass: Vec<String>,
    /// Folders that it has to fail on.
    pub fail: Vec<String>,
}

impl Fixtures {
    /// The fixtures of a package.
    pub fn of(tree: &Tree) -> Self {
        let below = |folder: &str| {
            let paths = tree.files().iter().filter_map(|file| file.path.as_str().strip_prefix(folder));
            let names: BTreeSet<&str> = paths.filter_map(|path| path.split_once('/')).map(|(name, _)| name).collect();
            names.into_iter().map(str::to_owned).collect()
        };
        Self { pass: below("fixtures/pass/"), fail: below("fixtures/fail/") }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.pass.len() + self.fail.len()
    }
}
