//! One brief, judged: its files, its checks, its gates, its tasks.

use std::collections::BTreeMap;

use index::lock::Lock;
use index::verify::Finding;
use skills::brief::Document;
use skills::brief::document::PinnedCheck;
use skills::brief::graph::Node;
use skills::check::{Fixtures, Inputs};
use skills::evidence::gate::{self, Facts, Gate, RejectedApproval, State, TaskStatus};
use skills::evidence::judge::{Asked, Judged, Question, judge};
use skills::evidence::{BriefRef, GitTree, Line};
use skills::manifest::Kinded;
use skills::{FilePath, PackageName, Sha256};

use super::{Judges, rendering};
use crate::briefs::{self, Outcome, Shelved};
use crate::failure::{Failure, OnPath};
use crate::project::{Project, Regular, read_regular};
use crate::runner::Snapshot;
use crate::{evidence, installed};

/// Largest deliverable that is digested, in bytes.
const FILE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How deep briefs of tasks are followed.
const LEVELS_MAX: usize = 4;

/// The repository as it is now.
#[derive(Debug)]
pub struct Workplace {
    /// The project.
    pub project: Project,
    /// Its lock.
    pub lock: Lock,
    /// Its files.
    pub snapshot: Snapshot,
    /// The tree that evidence is about; none without Git.
    pub tree: Option<GitTree>,
}

/// A brief, judged.
#[derive(Debug)]
pub struct Standing {
    /// The brief.
    pub brief: Shelved,
    /// How statements name it.
    pub reference: BriefRef,
    /// What is wrong with its two files.
    pub findings: Vec<Finding>,
    /// The digest of each deliverable that is in the tree, by path.
    pub files: BTreeMap<String, Sha256>,
    /// The lines of its evidence file.
    pub lines: Vec<Line>,
    /// Its checks.
    pub judged: Judged,
    /// Its checks that could not fail, by id.
    pub always_green: Vec<String>,
    /// Its gates, and the decisions that count for nothing.
    pub gates: Vec<(String, Gate, Vec<RejectedApproval>)>,
    /// Its tasks, in the order in which they come.
    pub tasks: Vec<TaskStatus>,
    /// The briefs of its tasks, as far as they are there and those that it pins.
    pub children: Vec<Self>,
}

impl Workplace {
    /// Looks at a project now.
    pub fn look(project: Project) -> Result<Self, Failure> {
        let lock = project.lock()?;
        let snapshot = Snapshot::take(&project.root)?;
        let tree = snapshot.tree().map(|tree| GitTree::parse(tree.id())).transpose()?;
        Ok(Self { project, lock, snapshot, tree })
    }

    /// The digest of a file that is in the tree.
    fn file(&self, path: &str) -> Result<Option<Sha256>, Failure> {
        let place = self.project.root.join(path);
        if FilePath::parse(path).is_err() || !self.snapshot.has(path) {
            return Ok(None);
        }
        match read_regular(&place, FILE_BYTES_MAX).on("read", &place)? {
            Regular::Bytes(bytes) => Ok(Some(Sha256::of(bytes))),
            Regular::Absent | Regular::NotAFile | Regular::TooLarge => Ok(None),
        }
    }

    /// The digest of what a check reads now, and whether its package shows that it can fail.
    fn check(&self, pinned: &PinnedCheck) -> (Option<Sha256>, bool) {
        let name = pinned.uses.rsplit_once('@').map_or(pinned.uses.as_str(), |(name, _)| name);
        let is_name = PackageName::parse(name).is_ok();
        let Some(found) = is_name.then(|| installed::find(&self.project, &self.lock, name).ok()).flatten() else {
            return (None, true);
        };
        let Some(Kinded::Check(check)) = found.manifest.as_ref().map(|manifest| &manifest.kinded) else {
            return (None, true);
        };
        if found.digest != pinned.digest {
            return (None, true);
        }
        let inputs = self.snapshot.inputs(&Inputs::of(check)).ok();
        (inputs, !Fixtures::of(&found.tree).fail.is_empty())
    }
}

impl Standing {
    /// Judges a brief.
    pub fn of(place: &Workplace, judges: &Judges, brief: Shelved) -> Result<Self, Failure> {
        Self::within(place, judges, brief, LEVELS_MAX)
    }

    fn within(place: &Workplace, judges: &Judges, brief: Shelved, levels: usize) -> Result<Self, Failure> {
        let document = &brief.document;
        let reference = BriefRef { id: brief.id.clone(), digest: document.digest() };
        let lines = evidence::read(&place.project, Some(&brief.id))?;
        let (judged, always_green) = judged(place, judges, document, &reference, &lines);
        let mut files = BTreeMap::new();
        for one in &document.deliverables {
            if let Some(digest) = place.file(&one.path)? {
                files.insert(one.path.clone(), digest);
            }
        }
        let children = children(place, judges, document, levels)?;
        let facts = Facts {
            files,
            checks: &judged.checks,
            lines: &lines,
            tree: place.tree.as_ref(),
            signers: &judges.signers,
            children: pinned(document, &children),
        };
        let tasks = gate::status(document, &facts);
        let humans = document.tasks.iter().filter(|task| Node::of(task) == Node::Human);
        let gates = humans.map(|task| {
            let (gate, rejected) = gate::gate(document, &facts, task);
            (task.id.clone(), gate, rejected)
        });
        let (gates, files) = (gates.collect(), facts.files);
        let findings = rendering::findings(&place.project, &place.lock, &brief);
        Ok(Self { reference, findings, files, lines, judged, always_green, gates, tasks, children, brief })
    }

    /// Whether every task is done, every check proved, and the brief is what its package renders.
    pub fn is_done(&self) -> bool {
        self.findings.is_empty()
            && self.tasks.iter().all(|task| task.state == State::Done)
            && self.judged.checks.iter().all(|check| check.verdict.is_proved())
    }

    /// Whether it ended as work that is part of the base branch, or has not ended.
    fn stands(&self) -> bool {
        let closed = self.brief.outcome.as_ref();
        closed.is_none_or(|one| one.outcome == Outcome::Merged && one.brief == self.reference.digest)
    }

    /// This brief and those of its tasks, however deep.
    pub fn family(&self) -> Vec<&Self> {
        [self].into_iter().chain(self.children.iter().flat_map(Self::family)).collect()
    }
}

fn judged(
    place: &Workplace,
    judges: &Judges,
    document: &Document,
    reference: &BriefRef,
    lines: &[Line],
) -> (Judged, Vec<String>) {
    let asked: Vec<Asked> = document
        .checks
        .iter()
        .map(|pinned| {
            let (inputs, can_fail) = place.check(pinned);
            Asked { pinned, inputs, floor: judges.floor, can_fail }
        })
        .collect();
    let green = asked.iter().filter(|asked| !asked.can_fail).map(|asked| asked.pinned.id.clone()).collect();
    let question = Question { brief: reference, checks: asked, tree: place.tree.as_ref(), signers: &judges.signers };
    (judge(&question, lines), green)
}

/// The briefs of tasks: pinned by the parent's document, so no other counts. A closed one is judged like
/// an open one, because anybody can write that it was merged.
fn children(place: &Workplace, judges: &Judges, document: &Document, levels: usize) -> Result<Vec<Standing>, Failure> {
    let Some(levels) = levels.checked_sub(1) else { return Ok(Vec::new()) };
    let found = document.briefs.iter().filter_map(|pinned| {
        let child = briefs::find(&place.project, &pinned.id).ok()?;
        (child.document.digest() == pinned.digest).then_some(child)
    });
    found.map(|child| Standing::within(place, judges, child, levels)).collect()
}

/// For each task that has a brief, which, and whether it is done.
fn pinned(document: &Document, children: &[Standing]) -> BTreeMap<String, (String, bool)> {
    let is_done = |id: &str| {
        let child = children.iter().find(|child| child.brief.id.as_str() == id);
        child.is_some_and(|child| child.stands() && child.is_done())
    };
    let rows = document.briefs.iter().map(|one| (one.task.clone(), (one.id.clone(), is_done(&one.id))));
    rows.collect()
}
