//! Resolution: which versions fit together, or the sentences that say why none do.
//!
//! One version per name, requirements in Cargo's syntax, solved by PubGrub. What we add are rules
//! of choice: a locked version is kept if it still fits, else the newest is taken; a yanked version
//! is never newly chosen, only kept where it is locked; a pre-release only where a requirement
//! names one; and no package gets a dependency of a kind that it may not have. The result depends on nothing but the wants and the catalogue: not on their order,
//! and not on when which index file arrived.
//!
//! The room fetches nothing. Where an index file is not there yet the answer is
//! [`Outcome::Needs`], naming all that can be fetched at once; whoever fetches asks again:
//!
//! ```text
//! loop { match resolve(&wanted, &catalogue) {
//!     Needs(names)    => fetch them all at once, put them into the catalogue
//!     Solved(chosen)  => write the lock
//!     Conflict(text)  => show it
//! } }
//! ```

mod explain;
mod solver;

use std::collections::{BTreeMap, BTreeSet};

use skills::manifest::Kind;
use skills::statement::Dependency;
use skills::{PackageName, Requirement, Version};

use crate::entry::Entry;

/// The index files at hand.
pub trait Catalogue {
    /// What is known of a package. `None`: not fetched yet. Empty: the registry has no such
    /// package. The order of the entries does not matter; no version may appear twice, which
    /// [`crate::entry::parse`] sees to.
    fn entries(&self, name: &PackageName) -> Option<&[Entry]>;
}

impl Catalogue for BTreeMap<PackageName, Vec<Entry>> {
    fn entries(&self, name: &PackageName) -> Option<&[Entry]> {
        self.get(name).map(Vec::as_slice)
    }
}

/// What is wanted, and what was chosen before.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// What `skills.toml` asks for. A name may appear more than once.
    pub roots: Vec<(PackageName, Requirement)>,
    /// What the lock has: preferred, and the only way to keep a yanked version. Leave out what an
    /// update may move.
    pub locked: BTreeMap<PackageName, Version>,
    /// Packages that come from a folder: this one version, whatever the catalogue has.
    pub fixed: BTreeMap<PackageName, Fixed>,
}

/// A package from a folder.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// The version that the folder holds.
    pub version: Version,
    /// The kind of package that it is.
    pub kind: Kind,
    /// What it needs.
    pub dependencies: Vec<Dependency>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// One version for each package that is needed, and nothing that is not.
    Solved(BTreeMap<PackageName, Version>),
    /// Index files to fetch before the question can be answered.
    Needs(BTreeSet<PackageName>),
    /// Why nothing fits: sentences for a person, wrapped for a terminal.
    Conflict(String),
}

/// Chooses versions. A cycle between packages is a conflict that names it.
pub fn resolve(wanted: &Wanted, catalogue: &impl Catalogue) -> Outcome {
    solver::solve(wanted, catalogue)
}

#[cfg(test)]
mod tests;
