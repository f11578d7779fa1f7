//! Where a brief stands: which tasks are done, which can be begun, and which wait for a human.
//!
//! A pure function of the document and of facts. A task that makes something is done when its files are
//! in the tree; one that checks, when each check is proved; one for a human, when a signed approval holds.
//!
//! An approval of the last word names the very tree. A gate that work comes *after* (a plan is approved,
//! then written) could never hold so; it holds for as long as every artifact that was shown is unchanged.
//! No gate holds without the evidence that its approval saw.

use std::collections::{BTreeMap, BTreeSet};

use super::approval::{Approval, Decision};
use super::judge::{JudgedCheck, Rejected, signer};
use super::line::{Line, Signed, Statement};
use super::run::BriefRef;
use super::signer::{Role, Signer};
use super::statement::GitTree;
use crate::brief::Document;
use crate::brief::graph::Node;
use crate::brief::tables::Task;
use crate::digest::Sha256;

/// What is the case, besides the document.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The digest of each deliverable that is in the tree, by path.
    pub files: BTreeMap<String, Sha256>,
    /// The verdict on each check.
    pub checks: &'a [JudgedCheck],
    /// The lines of the evidence file.
    pub lines: &'a [Line],
    /// The tree as it is.
    pub tree: Option<&'a GitTree>,
    /// Who may sign what.
    pub signers: &'a [Signer],
    /// The briefs that were rendered for tasks of this one, and whether each is done.
    pub children: BTreeMap<String, (String, bool)>,
}

/// Where one task stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskStatus {
    /// Its id.
    pub id: String,
    /// What can be said of it.
    pub state: State,
    /// Why, for a person.
    pub why: String,
    /// The human's decision that counts, or why none does.
    pub gate: Option<Gate>,
}

/// What can be said of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is done.
    Done,
    /// It can be done now.
    Ready,
    /// Another task comes first.
    Blocked,
    /// A human is asked.
    WaitingForHuman,
}

impl State {
    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ready => "ready",
            Self::Blocked => "blocked",
            Self::WaitingForHuman => "waiting-for-human",
        }
    }
}

/// The standing of a human gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// A decision that holds.
    Approved {
        /// Who decided.
        by: String,
        /// Its line.
        line: usize,
    },
    /// A human said no to this very tree.
    Refused {
        /// Who decided.
        by: String,
    },
    /// It held for another tree.
    Stale {
        /// What has changed since.
        what: String,
    },
    /// There are decisions, and none counts; why the last one does not.
    Rejected(Rejected),
    /// Nobody has decided.
    Open,
}

/// An approval that counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedApproval {
    /// Its line, from 1.
    pub line: usize,
    /// The task that it is about.
    pub task: String,
    /// Why.
    pub why: Rejected,
}

/// Where every task of a brief stands, in the order in which they come.
pub fn status(document: &Document, facts: &Facts) -> Vec<TaskStatus> {
    let graph = crate::brief::graph::Graph::of_document(document);
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut all = Vec::new();
    for task in graph.in_order() {
        let one = of_task(document, facts, task, &done);
        if one.state == State::Done {
            done.insert(&task.id);
        }
        all.push(one);
    }
    all
}

fn of_task(document: &Document, facts: &Facts, task: &Task, done: &BTreeSet<&str>) -> TaskStatus {
    let gate = (Node::of(task) == Node::Human).then(|| gate(document, facts, task).0);
    let lacks = match (Node::of(task), &gate) {
        (Node::Human, Some(gate)) => lacks_decision(task, gate),
        (Node::Checks, _) => lacks_proof(facts, task),
        (Node::Brief, _) => lacks_child(facts, task),
        _ => lacks_files(document, facts, task),
    };
    let waits: Vec<String> =
        task.needs.iter().filter(|need| !done.contains(need.as_str())).map(|need| format!("`{need}`")).collect();
    let (state, why) = match lacks {
        Ok(why) => (State::Done, why),
        Err(_) if !waits.is_empty() => (State::Blocked, format!("waits for {}", waits.join(", "))),
        Err(why) if gate.is_some() => (State::WaitingForHuman, why),
        Err(why) => (State::Ready, why),
    };
    TaskStatus { id: task.id.clone(), state, why, gate }
}

fn lacks_files(document: &Document, facts: &Facts, task: &Task) -> Result<String, String> {
    let (there, missing): (Vec<&str>, Vec<&str>) =
        made(document, task).partition(|path| facts.files.contains_key(*path));
    if missing.is_empty() {
        return Ok(format!("in the tree: {}", there.join(", ")));
    }
    Err(format!("not in the tree: {}", missing.join(", ")))
}

fn made<'a>(document: &'a Document, task: &'a Task) -> impl Iterator<Item = &'a str> {
    let path = |id: &String| document.deliverables.iter().find(|one| one.id == *id).map(|one| one.path.as_str());
    task.makes.iter().filter_map(path)
}

fn lacks_proof(facts: &Facts, task: &Task) -> Result<String, String> {
    let find = |id: &String| facts.checks.iter().find(|check| check.id == *id);
    let open = task.checks.iter().filter(|id| find(id).is_none_or(|check| !check.verdict.is_proved()));
    let open: Vec<String> = open
        .map(|id| find(id).map_or_else(|| format!("{id}: unknown"), |check| format!("{id}: {}", check.verdict)))
        .collect();
    if open.is_empty() { Ok(format!("proved: {}", task.checks.join(", "))) } else { Err(open.join("; ")) }
}

fn lacks_child(facts: &Facts, task: &Task) -> Result<String, String> {
    match facts.children.get(&task.id) {
        Some((id, true)) => Ok(format!("brief `{id}` is done")),
        Some((id, false)) => Err(format!("brief `{id}` is not done")),
        None => {
            let package = task.uses.as_ref().map(ToString::to_string).unwrap_or_default();
            Err(format!("no brief of `{package}` was rendered for it"))
        }
    }
}

fn lacks_decision(task: &Task, gate: &Gate) -> Result<String, String> {
    let whom = task.by.as_deref().unwrap_or("a human");
    match gate {
        Gate::Approved { by, .. } => Ok(format!("approved by {by}")),
        Gate::Refused { by } => Err(format!("{by} said no to this tree")),
        Gate::Stale { what } => Err(format!("{whom} has to decide again: {what}")),
        Gate::Rejected(why) => Err(format!("{whom} has to decide: the approval there is counts for nothing, {why}")),
        Gate::Open => Err(format!("{whom} has to decide")),
    }
}

/// Every task before one, however far.
pub fn before<'a>(document: &'a Document, id: &str) -> Vec<&'a Task> {
    let mut reached = BTreeSet::new();
    let mut open = vec![id];
    while let Some(at) = open.pop() {
        let Some(task) = document.tasks.iter().find(|task| task.id == at) else { continue };
        open.extend(task.needs.iter().map(String::as_str).filter(|need| reached.insert(*need)));
    }
    document.tasks.iter().filter(|task| reached.contains(task.id.as_str())).collect()
}

/// The checks that have to be proved before a gate, in the order of the brief.
pub fn required_checks<'a>(document: &'a Document, id: &str) -> Vec<&'a str> {
    let before = before(document, id);
    let asked = |check: &&str| before.iter().any(|task| task.checks.iter().any(|id| id == check));
    document.checks.iter().map(|check| check.id.as_str()).filter(asked).collect()
}

/// The artifacts that have to be there before a gate, by path.
pub fn required_files<'a>(document: &'a Document, id: &str) -> Vec<&'a str> {
    let before = before(document, id);
    let made = |id: &str| before.iter().any(|task| task.makes.iter().any(|made| made == id));
    document.deliverables.iter().filter(|one| made(&one.id)).map(|one| one.path.as_str()).collect()
}

/// Whether something is still made after a task: then its tree cannot be the last one.
fn is_before_work(document: &Document, id: &str) -> bool {
    let makers = document.tasks.iter().filter(|task| matches!(Node::of(task), Node::Makes | Node::Brief));
    makers.into_iter().any(|maker| before(document, &maker.id).iter().any(|task| task.id == id))
}

/// The standing of a gate, and every decision about it that counts for nothing.
pub fn gate(document: &Document, facts: &Facts, task: &Task) -> (Gate, Vec<RejectedApproval>) {
    let mut standing: Vec<(&Approval, usize, Gate)> = Vec::new();
    let mut rejected = Vec::new();
    for line in facts.lines {
        let Ok(signed @ Signed { statement: Statement::Approval(approval), .. }) = &line.content else { continue };
        if approval.task != task.id {
            continue;
        }
        match count(document, facts, task, signed, approval) {
            Ok(gate) => standing.push((approval.as_ref(), line.number, with_line(gate, line.number))),
            Err(why) => rejected.push(RejectedApproval { line: line.number, task: task.id.clone(), why }),
        }
    }
    standing.sort_by_key(|(approval, line, _)| (approval.decided, *line));
    // A decision about this tree outweighs a later one about another.
    let holds = |(_, _, gate): &&(&Approval, usize, Gate)| !matches!(gate, Gate::Stale { .. });
    let newest = standing.iter().rev().find(holds).or(standing.last());
    let last = || rejected.last().map_or(Gate::Open, |line: &RejectedApproval| Gate::Rejected(line.why.clone()));
    let gate = newest.map_or_else(last, |(_, _, gate)| gate.clone());
    (gate, rejected)
}

fn with_line(gate: Gate, line: usize) -> Gate {
    match gate {
        Gate::Approved { by, .. } => Gate::Approved { by, line },
        other => other,
    }
}

/// What one decision is worth now: who signed it first, then what it is about, then what it saw.
fn count(
    document: &Document,
    facts: &Facts,
    task: &Task,
    signed: &Signed,
    approval: &Approval,
) -> Result<Gate, Rejected> {
    let by = signer(signed, facts.signers, Role::Approval)?;
    if by.name != approval.by {
        return Err(Rejected::OtherName { signer: by.name.clone() });
    }
    if !is_of(&approval.brief, document) {
        return Err(Rejected::OtherBrief);
    }
    let by = approval.by.clone();
    let same_tree = facts.tree == Some(&approval.tree);
    if approval.decision == Decision::Reject {
        let what = "a no about another tree".to_owned();
        return Ok(if same_tree { Gate::Refused { by } } else { Gate::Stale { what } });
    }
    let changed = |path: &&str| {
        let now = facts.files.get(*path).copied();
        now.is_none() || now != approval.saw(&format!("artifact:{path}"))
    };
    if let Some(path) = required_files(document, &task.id).into_iter().find(changed) {
        return Ok(Gate::Stale { what: format!("`{path}` is not what was shown") });
    }
    if !same_tree && !is_before_work(document, &task.id) {
        return Ok(Gate::Stale { what: "the tree is not the one that was approved".to_owned() });
    }
    if let Some(check) = unseen(document, facts, task, approval) {
        return Err(Rejected::BeforeProof { check });
    }
    Ok(Gate::Approved { by, line: 0 })
}

fn is_of(brief: &BriefRef, document: &Document) -> bool {
    brief.id.as_str() == document.id && brief.digest == document.digest()
}

/// The first check that has to be proved before the gate, and of which the page showed no proof that
/// holds now. Where the check itself is no longer proved, that is what has to be said, not this.
fn unseen(document: &Document, facts: &Facts, task: &Task, approval: &Approval) -> Option<String> {
    let is_unseen = |id: &&str| {
        let saw = approval.saw(&format!("evidence:{id}"));
        let Some(check) = facts.checks.iter().find(|check| check.id == **id) else { return true };
        match saw {
            None => true,
            Some(digest) => check.verdict.is_proved() && !check.proofs.contains(&digest),
        }
    };
    required_checks(document, &task.id).into_iter().find(is_unseen).map(str::to_owned)
}

#[cfg(test)]
mod tests;
