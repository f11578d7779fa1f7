//! Why nothing fits, in sentences that name the chain of who wants what.
//!
//! PubGrub proves a conflict by a tree of facts. Its leaves are the facts that a person can act on:
//! who needs what. We gather them by what is needed, keep the packages for which no version
//! satisfies everybody, and say for each who wants what of it, through whom that comes into the
//! project, and what there would be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pubgrub::{DerivationTree, External};

use skills::manifest::{Kind, check_dependency};
use skills::statement::Dependency;
use skills::{PackageName, Requirement};

use super::Catalogue;
use super::solver::{Candidate, Node, Numbers, Provider};

/// Columns of a terminal that nobody has made wider.
const COLUMNS: usize = 80;

/// Most versions named in a list; the newest ones are.
const VERSIONS_SHOWN: usize = 8;

type Proof<'a> = DerivationTree<Node<'a>, Numbers, &'static str>;

/// `from`, in these versions, needs `to` in one of those.
struct Need<'a> {
    from: Node<'a>,
    from_numbers: Numbers,
    to: &'a PackageName,
    numbers: Numbers,
}

/// The facts of a proof.
#[derive(Default)]
struct Facts<'a> {
    needs: Vec<Need<'a>>,
    /// Packages that need themselves.
    selfish: BTreeSet<&'a PackageName>,
    /// Parts of the proof that were read: a proof is a graph, and as a tree it can be exponential.
    read: BTreeSet<usize>,
}

/// The sentences for a proof.
pub(super) fn explain<'a, C: Catalogue>(proof: &Proof<'a>, provider: &Provider<'a, C>) -> String {
    let mut facts = Facts::default();
    gather(proof, &mut facts);
    facts.needs.sort_by(|a, b| (a.to, name_of(&a.from)).cmp(&(b.to, name_of(&b.from))));
    let story = Story { provider, facts: &facts };
    let mut by_target: BTreeMap<&PackageName, Vec<&Need<'a>>> = BTreeMap::new();
    for need in &facts.needs {
        by_target.entry(need.to).or_default().push(need);
    }
    let contested = by_target.iter().filter(|(name, needs)| story.is_contested(name, needs));
    let mut sentences: Vec<String> = contested.map(|(name, needs)| story.sentence(name, needs)).collect();
    sentences.extend(facts.selfish.iter().map(|name| format!("{name} needs itself: a package cannot")));
    if sentences.is_empty() {
        let all = facts.needs.iter().map(|need| story.clause(need));
        sentences.push(format!("{}: no versions satisfy all of it", joined(&all.collect::<Vec<_>>())));
    }
    sentences.iter().map(|sentence| wrap(sentence)).collect::<Vec<_>>().join("\n")
}

/// The sentence for a cycle.
pub(super) fn cycle(path: &[&PackageName]) -> String {
    let rest: Vec<String> = path[1..].iter().chain(&path[..1]).map(|name| format!("needs {name}")).collect();
    wrap(&format!("{} {}: packages cannot need each other in a circle", path[0], rest.join(", which ")))
}

/// The sentence for a question that was given up.
pub(super) fn too_hard() -> String {
    wrap("so many versions conflict that the search was given up: ask for narrower versions in skills.toml")
}

/// The leaves of the proof, each once.
fn gather<'a>(proof: &Proof<'a>, facts: &mut Facts<'a>) {
    match proof {
        DerivationTree::Derived(derived) if derived.shared_id.is_some_and(|id| !facts.read.insert(id)) => {}
        DerivationTree::Derived(derived) => {
            gather(&derived.cause1, facts);
            gather(&derived.cause2, facts);
        }
        DerivationTree::External(External::FromDependencyOf(from, from_numbers, Node::Skill(to), numbers)) => {
            let same = |need: &Need<'a>| need.from == *from && need.to == *to && need.numbers == *numbers;
            match facts.needs.iter_mut().find(|need| same(need)) {
                Some(need) => need.from_numbers = need.from_numbers.union(from_numbers),
                None => facts.needs.push(Need {
                    from: from.clone(),
                    from_numbers: from_numbers.clone(),
                    to,
                    numbers: numbers.clone(),
                }),
            }
        }
        DerivationTree::External(External::Custom(Node::Skill(name), ..)) => {
            facts.selfish.insert(name);
        }
        DerivationTree::External(_) => {}
    }
}

fn name_of<'a>(node: &Node<'a>) -> Option<&'a PackageName> {
    match node {
        Node::Root => None,
        Node::Skill(name) => Some(name),
    }
}

/// Facts and where to look their words up.
struct Story<'s, 'a, C> {
    provider: &'s Provider<'a, C>,
    facts: &'s Facts<'a>,
}

impl<'a, C: Catalogue> Story<'_, 'a, C> {
    /// Whether no version of a package satisfies everybody who wants it.
    fn is_contested(&self, name: &'a PackageName, needs: &[&Need<'a>]) -> bool {
        let all = needs.iter().fold(Numbers::full(), |all, need| all.intersection(&need.numbers));
        let candidates = self.provider.candidates(name);
        let fits = |(number, candidate): (u32, &Candidate<'a>)| candidate.choosable && all.contains(&number);
        candidates.is_some_and(|candidates| !(0u32..).zip(candidates.iter()).any(fits))
    }

    /// Who wants what of it, why that cannot be, and what there is.
    fn sentence(&self, name: &'a PackageName, needs: &[&Need<'a>]) -> String {
        // One that nothing satisfies needs no second party to be a conflict.
        let alone = needs.iter().find(|need| need.numbers == Numbers::empty());
        let shown = alone.map_or(needs, std::slice::from_ref);
        let clauses: Vec<String> = shown.iter().map(|need| self.clause(need)).collect();
        let candidates = self.provider.candidates(name).unwrap_or_default();
        let why = match alone {
            Some(need) => self
                .wrong_kind(name, need, &candidates)
                .unwrap_or_else(|| self.why_none(name, &self.requirements(need), &candidates)),
            None if shown.len() == 1 => format!("no version of {name} satisfies that"),
            None if shown.len() == 2 => format!("no single version of {name} satisfies both"),
            None => format!("no single version of {name} satisfies all of them"),
        };
        let sentence = format!("{}: {why}", joined(&clauses));
        if candidates.is_empty() { sentence } else { format!("{sentence}. Available: {}", available(&candidates)) }
    }

    /// There is a version, and it is of a kind that the one who needs it may not depend on.
    fn wrong_kind(&self, name: &'a PackageName, need: &Need<'a>, candidates: &[Candidate<'a>]) -> Option<String> {
        let from = name_of(&need.from)?;
        let wants = self.requirements(need);
        let fits = |c: &&Candidate<'a>| c.choosable && wants.iter().all(|want| want.matches(c.version));
        let newest = candidates.iter().rfind(fits)?;
        let kind = self.newest_of(from, &need.from_numbers)?.1;
        check_dependency((from, kind), (name, newest.kind)).err().map(|refusal| refusal.message)
    }

    /// What the newest of these versions of a package needs, and its kind.
    fn newest_of(&self, name: &'a PackageName, numbers: &Numbers) -> Option<(&'a [Dependency], Kind)> {
        let candidates = self.provider.candidates(name)?;
        let newest = (0u32..).zip(candidates.iter()).filter(|(number, _)| numbers.contains(number)).last();
        newest.map(|(_, candidate)| (candidate.needs, candidate.kind))
    }

    /// Why a requirement has no version: the package, a yank, or a pre-release.
    fn why_none(&self, name: &PackageName, wants: &[&Requirement], candidates: &[Candidate<'a>]) -> String {
        if candidates.is_empty() {
            return format!("the registry has no package {name}");
        }
        if self.provider.wanted.fixed.contains_key(name) {
            return format!("{name} comes from a folder, which holds another version");
        }
        let meets = |candidate: &&Candidate<'a>| wants.iter().all(|want| want.matches(candidate.version));
        let yanked: Vec<String> = candidates.iter().filter(meets).map(|c| c.version.to_string()).collect();
        if !yanked.is_empty() {
            return format!("only yanked versions match ({}), and those are never newly chosen", yanked.join(", "));
        }
        let is_near =
            |candidate: &&Candidate<'a>| candidate.choosable && wants.iter().all(|want| is_near(want, candidate));
        match candidates.iter().rfind(is_near) {
            Some(near) => {
                format!("only pre-releases match; ask for one by name, for example `{name}@^{}`", near.version)
            }
            None => "no version matches".to_owned(),
        }
    }

    /// `acme/a 1.2.0 (wanted by skills.toml) needs acme/c ^1`
    fn clause(&self, need: &Need<'a>) -> String {
        let wants: BTreeSet<String> = self.requirements(need).iter().map(ToString::to_string).collect();
        let wants = wants.into_iter().collect::<Vec<_>>().join(" and ");
        match name_of(&need.from) {
            None => format!("skills.toml wants {} {wants}", need.to),
            Some(from) => {
                let chain = self.chain(from).map_or_else(String::new, |chain| format!(" ({chain})"));
                format!("{}{chain} needs {} {wants}", self.which(from, &need.from_numbers), need.to)
            }
        }
    }

    /// The requirements behind a fact, from the versions that it is about.
    fn requirements(&self, need: &Need<'a>) -> Vec<&'a Requirement> {
        let Some(from) = name_of(&need.from) else {
            let roots = self.provider.wanted.roots.iter();
            return roots.filter(|(name, _)| name == need.to).map(|(_, wants)| wants).collect();
        };
        let needs = self.newest_of(from, &need.from_numbers).map_or(&[][..], |(needs, _)| needs);
        needs.iter().filter(|next| next.name == *need.to).map(|next| &next.req).collect()
    }

    /// `acme/a 1.2.0`, `acme/a 1.0.0 to 1.2.0`, or `every version of acme/a`.
    fn which(&self, name: &'a PackageName, numbers: &Numbers) -> String {
        let candidates = self.provider.candidates(name).unwrap_or_default();
        let choosable: Vec<(u32, &Candidate<'a>)> =
            (0u32..).zip(candidates.iter()).filter(|(_, c)| c.choosable).collect();
        let meant: Vec<&Candidate<'a>> =
            choosable.iter().filter(|(number, _)| numbers.contains(number)).map(|(_, candidate)| *candidate).collect();
        match meant.as_slice() {
            [] => name.to_string(),
            [one] => format!("{name} {}", one.version),
            all if all.len() == choosable.len() => format!("every version of {name}"),
            [first, .., last] => format!("{name} {} to {}", first.version, last.version),
        }
    }

    /// How a package comes into the project: `wanted by acme/x 1.0.0, wanted by skills.toml`.
    fn chain(&self, name: &'a PackageName) -> Option<String> {
        let mut paths = VecDeque::from([vec![name]]);
        let mut seen = BTreeSet::from([name]);
        while let Some(path) = paths.pop_front() {
            let end = path[path.len() - 1];
            let is_root = self.provider.wanted.roots.iter().any(|(root, _)| root == end);
            if is_root {
                let steps = path[1..].iter().map(|name| format!("wanted by {name}"));
                return Some(steps.chain(["wanted by skills.toml".to_owned()]).collect::<Vec<_>>().join(", "));
            }
            for need in self.facts.needs.iter().filter(|need| need.to == end) {
                if let Some(from) = name_of(&need.from).filter(|from| seen.insert(from)) {
                    paths.push_back([path.as_slice(), &[from]].concat());
                }
            }
        }
        None
    }
}

/// Whether a pre-release would match if the requirement did name pre-releases.
fn is_near(want: &Requirement, candidate: &Candidate<'_>) -> bool {
    let mut release = candidate.version.semver().clone();
    release.pre = semver::Prerelease::EMPTY;
    candidate.version.is_prerelease() && want.semver().matches(&release)
}

/// `1.4.0, 2.1.0 (yanked: 2.0.0)`
fn available(candidates: &[Candidate<'_>]) -> String {
    let (choosable, yanked): (Vec<_>, Vec<_>) = candidates.iter().partition(|candidate| !candidate.yanked);
    match (choosable.is_empty(), yanked.is_empty()) {
        (_, true) => newest(&choosable),
        (true, false) => format!("none (yanked: {})", newest(&yanked)),
        (false, false) => format!("{} (yanked: {})", newest(&choosable), newest(&yanked)),
    }
}

fn newest(candidates: &[&Candidate<'_>]) -> String {
    let left_out = candidates.len().saturating_sub(VERSIONS_SHOWN);
    let shown: Vec<String> = candidates[left_out..].iter().map(|candidate| candidate.version.to_string()).collect();
    if left_out == 0 { shown.join(", ") } else { format!("{left_out} older ones, {}", shown.join(", ")) }
}

fn joined(clauses: &[String]) -> String {
    clauses.join(", and ")
}

/// Breaks lines at spaces.
fn wrap(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}
