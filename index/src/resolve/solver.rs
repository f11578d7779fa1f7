//! PubGrub's view of a catalogue.
//!
//! A package's versions are numbered by their order, and a requirement becomes the set of numbers
//! that it matches. So what a requirement means is decided in one place, [`Requirement::matches`],
//! with its rule for pre-releases, and the solver only ever does sets of numbers. Versions that may
//! not be chosen (yanked, and not locked) are in no set.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;

use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, PackageResolutionStatistics, PubGrubError, Ranges,
};

use skills::manifest::{Kind, kind_may_depend_on};
use skills::statement::Dependency;
use skills::{PackageName, Requirement, Version};

use super::{Catalogue, Outcome, Wanted, explain};

/// A set of versions, by number.
pub(super) type Numbers = Ranges<u32>;

/// What the solver chooses versions of: what is wanted as a whole, and each package.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Node<'a> {
    /// `skills.toml`, which has one version and needs the roots.
    Root,
    /// A package.
    Skill(&'a PackageName),
}

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("skills.toml"),
            Self::Skill(name) => name.fmt(f),
        }
    }
}

/// One version of a package.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    pub(super) version: &'a Version,
    pub(super) kind: Kind,
    pub(super) needs: &'a [Dependency],
    pub(super) yanked: bool,
    /// Not yanked, or locked.
    pub(super) choosable: bool,
}

/// Steps that any resolution may take, and further ones for each want. Without conflicts a package
/// takes one step or two. The general problem is hard, each step is dearer than the one before, and
/// a stranger's index must not be able to keep us busy for ever.
const STEPS: usize = 2_000;
const STEPS_PER_WANT: usize = 20;

/// Why the solver was left before it had an answer.
#[derive(Debug)]
pub(super) enum Stop {
    /// An index file is missing; the question is asked again when it is there.
    NotFetched,
    /// More steps were taken than are worth it.
    TooHard,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFetched => "an index file was not fetched yet",
            Self::TooHard => "too many steps",
        })
    }
}

impl std::error::Error for Stop {}

/// The numbered candidates of one package; `None` where its index file is not there yet.
type Numbered<'a> = Option<Rc<Vec<Candidate<'a>>>>;

pub(super) struct Provider<'a, C> {
    pub(super) wanted: &'a Wanted,
    catalogue: &'a C,
    numbered: RefCell<HashMap<&'a PackageName, Numbered<'a>>>,
    missing: RefCell<BTreeSet<PackageName>>,
    roots: BTreeSet<&'a PackageName>,
    /// How many steps are left.
    steps: Cell<usize>,
}

/// Solves, then looks for cycles: PubGrub has nothing against them, but nobody could install one
/// package before the other.
pub(super) fn solve(wanted: &Wanted, catalogue: &impl Catalogue) -> Outcome {
    let provider = Provider {
        wanted,
        catalogue,
        numbered: RefCell::default(),
        missing: RefCell::default(),
        roots: wanted.roots.iter().map(|(name, _)| name).collect(),
        steps: Cell::new(STEPS + STEPS_PER_WANT * wanted.roots.len()),
    };
    match pubgrub::resolve(&provider, Node::Root, 0u32) {
        Ok(selected) => {
            let numbers: BTreeMap<&PackageName, u32> = selected.into_iter().filter_map(skill_only).collect();
            provider.cycle(&numbers).map_or_else(|| Outcome::Solved(provider.versions(&numbers)), Outcome::Conflict)
        }
        Err(PubGrubError::NoSolution(tree)) => Outcome::Conflict(explain::explain(&tree, &provider)),
        Err(PubGrubError::ErrorInShouldCancel(_)) => Outcome::Conflict(explain::too_hard()),
        // The only other error that the provider makes is that an index file is not there.
        Err(_) => Outcome::Needs(provider.missing.take()),
    }
}

fn skill_only<'a>((node, number): (Node<'a>, u32)) -> Option<(&'a PackageName, u32)> {
    match node {
        Node::Root => None,
        Node::Skill(name) => Some((name, number)),
    }
}

impl<'a, C: Catalogue> Provider<'a, C> {
    /// The versions of a package, oldest first, each package numbered once.
    pub(super) fn candidates(&self, name: &'a PackageName) -> Numbered<'a> {
        if let Some(known) = self.numbered.borrow().get(name) {
            return known.clone();
        }
        let numbered = self.number(name).map(Rc::new);
        if numbered.is_none() {
            self.missing.borrow_mut().insert(name.clone());
        }
        self.numbered.borrow_mut().insert(name, numbered.clone());
        numbered
    }

    fn number(&self, name: &'a PackageName) -> Option<Vec<Candidate<'a>>> {
        if let Some(fixed) = self.wanted.fixed.get(name) {
            let (version, kind, needs) = (&fixed.version, fixed.kind, fixed.dependencies.as_slice());
            return Some(vec![Candidate { version, kind, needs, yanked: false, choosable: true }]);
        }
        let locked = self.wanted.locked.get(name);
        let candidate = |entry: &'a crate::entry::Entry| Candidate {
            version: &entry.vers,
            kind: entry.kind,
            needs: &entry.deps,
            yanked: entry.yanked,
            choosable: !entry.yanked || locked == Some(&entry.vers),
        };
        let mut candidates: Vec<Candidate<'a>> = self.catalogue.entries(name)?.iter().map(candidate).collect();
        candidates.sort_by_key(|candidate| candidate.version);
        Some(candidates)
    }

    /// The numbers that a requirement means to a package of a kind: only what it may depend on. Of a package
    /// that is not fetched yet: all.
    fn matching(&self, name: &'a PackageName, requirement: &Requirement, dependent: Option<Kind>) -> Numbers {
        let Some(candidates) = self.candidates(name) else { return Numbers::full() };
        let mut numbers = Numbers::empty();
        let mut run = None;
        for (number, candidate) in (0u32..).zip(candidates.iter()) {
            let may = dependent.is_none_or(|dependent| kind_may_depend_on(dependent, candidate.kind));
            let is_in = may && candidate.choosable && requirement.matches(candidate.version);
            match (is_in, run) {
                (true, None) => run = Some(number),
                (false, Some(start)) => {
                    numbers = numbers.union(&Numbers::between(start, number));
                    run = None;
                }
                _ => {}
            }
        }
        match run {
            Some(start) => numbers.union(&Numbers::between(start, candidates.len() as u32)),
            None => numbers,
        }
    }

    /// What a node needs: each name once, all requirements on it joined.
    fn constraints(
        &self,
        needs: impl Iterator<Item = (&'a PackageName, &'a Requirement)>,
        dependent: Option<Kind>,
    ) -> DependencyConstraints<Node<'a>, Numbers> {
        let mut joined: BTreeMap<&'a PackageName, Numbers> = BTreeMap::new();
        for (name, requirement) in needs {
            let numbers = self.matching(name, requirement, dependent);
            let all = joined.entry(name).or_insert_with(Numbers::full);
            *all = all.intersection(&numbers);
        }
        joined.into_iter().map(|(name, numbers)| (Node::Skill(name), numbers)).collect()
    }

    fn versions(&self, numbers: &BTreeMap<&'a PackageName, u32>) -> BTreeMap<PackageName, Version> {
        let chosen = |(name, number): (&&'a PackageName, &u32)| {
            let candidates = self.candidates(name).expect("what was chosen was fetched");
            ((*name).clone(), candidates[*number as usize].version.clone())
        };
        numbers.iter().map(chosen).collect()
    }

    /// The first cycle among the chosen, by name, as a sentence.
    fn cycle(&self, numbers: &BTreeMap<&'a PackageName, u32>) -> Option<String> {
        let mut done = BTreeSet::new();
        numbers.keys().find_map(|name| self.walk(name, numbers, &mut Vec::new(), &mut done))
    }

    fn walk(
        &self,
        name: &'a PackageName,
        numbers: &BTreeMap<&'a PackageName, u32>,
        path: &mut Vec<&'a PackageName>,
        done: &mut BTreeSet<&'a PackageName>,
    ) -> Option<String> {
        if let Some(start) = path.iter().position(|seen| *seen == name) {
            return Some(explain::cycle(&path[start..]));
        }
        if done.contains(name) {
            return None;
        }
        path.push(name);
        let candidates = self.candidates(name).expect("what was chosen was fetched");
        let needs = candidates[numbers[name] as usize].needs;
        let found = needs.iter().find_map(|next| self.walk(&next.name, numbers, path, done));
        path.pop();
        done.insert(name);
        found
    }
}

impl<'a, C: Catalogue> DependencyProvider for Provider<'a, C> {
    type P = Node<'a>;
    type V = u32;
    type VS = Numbers;
    type M = &'static str;
    type Err = Stop;
    /// Fetched before not fetched, so that one answer names all that is missing; locked before free,
    /// so that what is new gives way to what is locked; roots before what they need, so that what
    /// was asked for is the newest; then whatever is in most conflicts; by name where all is equal.
    type Priority = (bool, bool, bool, u32, Reverse<Option<&'a PackageName>>);

    fn prioritize(&self, node: &Node<'a>, _: &Numbers, conflicts: &PackageResolutionStatistics) -> Self::Priority {
        let Node::Skill(name) = node else { return (true, true, true, 0, Reverse(None)) };
        let fetched = self.candidates(name).is_some();
        let locked = self.wanted.locked.contains_key(*name);
        (fetched, locked, self.roots.contains(name), conflicts.conflict_count(), Reverse(Some(name)))
    }

    fn should_cancel(&self) -> Result<(), Stop> {
        self.steps.set(self.steps.get().checked_sub(1).ok_or(Stop::TooHard)?);
        Ok(())
    }

    fn choose_version(&self, node: &Node<'a>, range: &Numbers) -> Result<Option<u32>, Stop> {
        let Node::Skill(name) = node else { return Ok(Some(0)) };
        let candidates = self.candidates(name).ok_or(Stop::NotFetched)?;
        let fits = |number: &u32| candidates[*number as usize].choosable && range.contains(number);
        let mut newest_first = (0..candidates.len() as u32).rev().filter(fits);
        let newest = newest_first.clone().next();
        let locked = self.wanted.locked.get(*name);
        Ok(newest_first.find(|number| Some(candidates[*number as usize].version) == locked).or(newest))
    }

    fn get_dependencies(
        &self,
        node: &Node<'a>,
        number: &u32,
    ) -> Result<Dependencies<Node<'a>, Numbers, &'static str>, Stop> {
        let Node::Skill(name) = node else {
            let roots = self.wanted.roots.iter().map(|(name, wants)| (name, wants));
            return Ok(Dependencies::Available(self.constraints(roots, None)));
        };
        let candidates = self.candidates(name).ok_or(Stop::NotFetched)?;
        let (needs, kind) = (candidates[*number as usize].needs, candidates[*number as usize].kind);
        if needs.iter().any(|next| next.name == **name) {
            return Ok(Dependencies::Unavailable("needs itself"));
        }
        let needs = needs.iter().map(|next| (&next.name, &next.req));
        Ok(Dependencies::Available(self.constraints(needs, Some(kind))))
    }
}
