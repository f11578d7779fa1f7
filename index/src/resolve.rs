//! Resolution: which versions fit together.
#![allow(clippy::todo, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use skills::statement::Dependency;
use skills::{PackageName, Requirement, Version};

use crate::entry::Entry;

pub trait Catalogue {
    /// `None`: not fetched yet. Empty: the registry has no such package.
    fn entries(&self, name: &PackageName) -> Option<&[Entry]>;
}

impl Catalogue for BTreeMap<PackageName, Vec<Entry>> {
    fn entries(&self, name: &PackageName) -> Option<&[Entry]> {
        self.get(name).map(Vec::as_slice)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub roots: Vec<(PackageName, Requirement)>,
    pub locked: BTreeMap<PackageName, Version>,
    /// Packages that come from a folder: this one version, whatever the catalogue has.
    pub fixed: BTreeMap<PackageName, Fixed>,
}

#[derive(Debug, Clone)]
pub struct Fixed {
    pub version: Version,
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Solved(BTreeMap<PackageName, Version>),
    Needs(BTreeSet<PackageName>),
    Conflict(String),
}

pub fn resolve(_wanted: &Wanted, _catalogue: &impl Catalogue) -> Outcome {
    todo!()
}
