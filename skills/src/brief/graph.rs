//! The task graph: who makes what, who comes after whom, who looks at it.
//!
//! Nodes make artifacts, run checks, render a brief or wait for a human; an edge says `needs`. The
//! rules that count: no arrow leads nowhere or in a circle (B009), and everything that is delivered
//! is made once and looked at afterwards, by a check or by a person (B008).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Document;
use super::tables::{BriefTable, Task};

/// One thing wrong with a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `B008` or `B009`.
    pub code: &'static str,
    /// What was seen and what was expected.
    pub message: String,
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// It makes artifacts.
    Makes,
    /// It runs checks.
    Checks,
    /// It waits for a human.
    Human,
    /// It renders a brief of its own.
    Brief,
}

impl Node {
    /// What a task does; reading the manifest made sure that it is one of these.
    pub fn of(task: &Task) -> Self {
        match task {
            Task { human: Some(_), .. } => Self::Human,
            Task { uses: Some(_), .. } => Self::Brief,
            Task { checks, .. } if !checks.is_empty() => Self::Checks,
            _ => Self::Makes,
        }
    }
}

/// The graph of a brief.
pub struct Graph<'a> {
    deliverables: Vec<&'a str>,
    checks: Vec<&'a str>,
    tasks: &'a [Task],
}

impl<'a> Graph<'a> {
    /// The graph of a package.
    pub fn of(brief: &'a BriefTable) -> Self {
        Self {
            deliverables: brief.deliverables.iter().map(|one| one.id.as_str()).collect(),
            checks: brief.checks.iter().map(|one| one.id.as_str()).collect(),
            tasks: &brief.tasks,
        }
    }

    /// The graph of a rendered brief.
    pub fn of_document(document: &'a Document) -> Self {
        Self {
            deliverables: document.deliverables.iter().map(|one| one.id.as_str()).collect(),
            checks: document.checks.iter().map(|one| one.id.as_str()).collect(),
            tasks: &document.tasks,
        }
    }

    fn task(&self, id: &str) -> Option<&'a Task> {
        self.tasks.iter().find(|task| task.id == id)
    }

    /// Everything wrong with it, in the order of the manifest.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = self.unknown();
        faults.extend(self.circle());
        faults.extend(self.deliverables.iter().filter_map(|id| self.unseen(id)));
        faults
    }

    /// The tasks such that each comes after those that it needs, else in the order of the manifest.
    /// Tasks in a circle, or behind one, are left out.
    pub fn in_order(&self) -> Vec<&'a Task> {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        let mut order = Vec::new();
        let ready = |task: &Task, done: &BTreeSet<&str>| {
            let known = |need: &&String| self.task(need).is_some();
            !done.contains(task.id.as_str()) && task.needs.iter().filter(known).all(|need| done.contains(need.as_str()))
        };
        while let Some(task) = self.tasks.iter().find(|task| ready(task, &done)) {
            done.insert(&task.id);
            order.push(task);
        }
        order
    }

    /// The graph as text that Markdown viewers draw.
    pub fn to_mermaid(&self) -> String {
        let mut text = "graph TD\n".to_owned();
        for task in self.tasks {
            let (open, close) = match Node::of(task) {
                Node::Makes => ("[", "]"),
                Node::Checks => ("{{", "}}"),
                Node::Human => ("([", "])"),
                Node::Brief => ("[[", "]]"),
            };
            // Ids are dashes, letters and digits; `end` alone is a word of mermaid's own.
            let _ = writeln!(text, "  t-{}{open}\"{}\"{close}", task.id, label(task));
        }
        for task in self.tasks {
            for need in &task.needs {
                let _ = writeln!(text, "  t-{need} --> t-{}", task.id);
            }
        }
        text
    }

    fn unknown(&self) -> Vec<Fault> {
        let tasks: Vec<&str> = self.tasks.iter().map(|task| task.id.as_str()).collect();
        let mut faults = Vec::new();
        for task in self.tasks {
            let lists =
                [("needs", "task", &task.needs, &tasks), ("makes", "deliverable", &task.makes, &self.deliverables)];
            for (verb, what, ids, known) in lists.into_iter().chain([("checks", "check", &task.checks, &self.checks)]) {
                for id in ids.iter().filter(|id| !known.contains(&id.as_str())) {
                    let id = id.escape_debug();
                    let message = format!("task `{}` {verb} `{id}`, but no {what} is called so", task.id);
                    faults.push(Fault { code: "B009", message });
                }
            }
        }
        faults
    }

    fn circle(&self) -> Option<Fault> {
        let order: BTreeSet<&str> = self.in_order().iter().map(|task| task.id.as_str()).collect();
        let stuck = self.tasks.iter().find(|task| !order.contains(task.id.as_str()))?;
        // Going back from a stuck task through stuck tasks has to come round.
        let mut path = vec![stuck.id.as_str()];
        let start = loop {
            let at = path.last().expect("it starts with one");
            let needs = self.task(at).map(|task| task.needs.as_slice()).unwrap_or_default();
            let stuck = |need: &&String| self.task(need).is_some() && !order.contains(need.as_str());
            let need = needs.iter().find(stuck).expect("a stuck task needs a stuck task").as_str();
            if let Some(start) = path.iter().position(|id| *id == need) {
                break start;
            }
            path.push(need);
        };
        let mut circle: Vec<&str> = path[start..].to_vec();
        circle.push(circle[0]);
        Some(Fault { code: "B009", message: format!("tasks need each other in a circle: {}", circle.join(" → ")) })
    }

    fn unseen(&self, id: &str) -> Option<Fault> {
        let makers: Vec<&Task> = self.tasks.iter().filter(|task| task.makes.iter().any(|made| made == id)).collect();
        let fault = |message| Some(Fault { code: "B008", message });
        match makers.as_slice() {
            [] => fault(format!("no task makes deliverable `{id}`")),
            [maker] if self.is_seen_after(maker) => None,
            [maker] => fault(format!("no task after `{}` checks deliverable `{id}` or shows it to a human", maker.id)),
            makers => {
                let ids: Vec<String> = makers.iter().map(|task| format!("`{}`", task.id)).collect();
                fault(format!("deliverable `{id}` is made by {} tasks: {}, expected one", ids.len(), ids.join(", ")))
            }
        }
    }

    fn is_seen_after(&self, maker: &'a Task) -> bool {
        let mut reached = BTreeSet::from([maker.id.as_str()]);
        while let Some(next) = self.tasks.iter().find(|task| {
            !reached.contains(task.id.as_str()) && task.needs.iter().any(|need| reached.contains(need.as_str()))
        }) {
            if matches!(Node::of(next), Node::Checks | Node::Human) {
                return true;
            }
            reached.insert(&next.id);
        }
        false
    }
}

/// What the node is and does, in one line without quotes.
fn label(task: &Task) -> String {
    let mut label = task.id.clone();
    let what = match Node::of(task) {
        Node::Makes => format!("makes {}", task.makes.join(", ")),
        Node::Checks => format!("checks {}", task.checks.join(", ")),
        Node::Brief => task.uses.as_ref().map(|name| format!("brief {name}")).unwrap_or_default(),
        Node::Human => {
            let by = task.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            format!("{}{by}", task.human.as_deref().unwrap_or_default())
        }
    };
    let _ = write!(label, ": {what}");
    label.chars().filter(|c| !c.is_control() && !"\"<>&;".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::brief::Tables;

    const SAMPLE: &str = include_str!("samples/migration.toml");

    fn faults(from: &str, to: &str) -> Vec<String> {
        let text = SAMPLE.replacen(from, to, 1);
        let tables = Tables::parse(&text).unwrap_or_else(|refusal| panic!("{to}: {refusal}"));
        Graph::of(&tables.brief).faults().iter().map(|fault| format!("{} {}", fault.code, fault.message)).collect()
    }

    #[track_caller]
    fn finds(from: &str, to: &str, expected: &[&str]) {
        assert_eq!(faults(from, to), expected, "{to}");
    }

    #[test]
    fn the_worked_graph_has_no_fault() {
        finds("", "", &[]);
    }

    #[test]
    fn arrows_to_nowhere_and_in_circles_are_found() {
        finds(
            "needs = [\"write\"]",
            "needs = [\"wrote\"]",
            &[
                "B009 task `prove` needs `wrote`, but no task is called so",
                "B008 no task after `write` checks deliverable `migration` or shows it to a human",
                "B008 no task after `write` checks deliverable `rollback` or shows it to a human",
            ],
        );
        finds(
            "makes = [\"plan\"]",
            "needs = [\"prove\"]\nmakes = [\"plan\"]",
            &["B009 tasks need each other in a circle: plan → prove → write → review-plan → plan"],
        );
        finds(
            "makes = [\"plan\"]",
            "needs = [\"plan\"]\nmakes = [\"plan\"]",
            &["B009 tasks need each other in a circle: plan → plan"],
        );
        finds(
            "checks = [\"tests\", ",
            "checks = [\"test\", ",
            &["B009 task `prove` checks `test`, but no check is called so"],
        );
    }

    #[test]
    fn a_deliverable_is_made_once() {
        finds(
            "makes = [\"migration\", \"rollback\"]",
            "makes = [\"migration\"]",
            &["B008 no task makes deliverable `rollback`"],
        );
        finds(
            "makes = [\"migration\", \"rollback\"]",
            "makes = [\"migration\", \"rollback\", \"plan\"]",
            &["B008 deliverable `plan` is made by 2 tasks: `plan`, `write`, expected one"],
        );
    }

    #[test]
    fn what_is_seen_by_nobody_afterwards_is_found() {
        let last = "needs = [\"prove\"]\nhuman = \"merge\"\nby = \"team:platform-db\"";
        finds(
            "makes = [\"migration\", \"rollback\"]",
            "makes = [\"migration\"]",
            &["B008 no task makes deliverable `rollback`"],
        );
        finds(
            last,
            "needs = [\"prove\"]\nmakes = [\"rollback\"]",
            &["B008 deliverable `rollback` is made by 2 tasks: `write`, `hand-over`, expected one"],
        );
    }

    #[test]
    fn tasks_come_after_what_they_need() {
        let tables = Tables::parse(SAMPLE).expect("a brief");
        let order: Vec<&str> = Graph::of(&tables.brief).in_order().iter().map(|task| task.id.as_str()).collect();
        assert_eq!(order, ["plan", "review-plan", "write", "prove", "hand-over"]);
    }

    #[test]
    fn mermaid_draws_each_kind_of_node_in_its_own_shape() {
        let tables = Tables::parse(SAMPLE).expect("a brief");
        let text = Graph::of(&tables.brief).to_mermaid();
        assert!(text.starts_with("graph TD\n  t-plan[\"plan: makes plan\"]\n"), "{text}");
        assert!(text.contains("  t-review-plan([\"review-plan: approve by team:platform-db\"])\n"), "{text}");
        assert!(text.contains("  t-prove{{\"prove: checks tests, rollback\"}}\n"), "{text}");
        assert!(text.ends_with("  t-prove --> t-hand-over\n"), "{text}");
    }
}
