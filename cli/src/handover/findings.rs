//! A standing as report ids: one for each way in which a brief is not proved, and not decided.
//!
//! A line that counts for nothing is always reported. It fails the run only where something is left
//! unproved that the line might have been meant to prove: appended rubbish must not be able to stop
//! work that is proved, and a swapped proof must not pass for a missing one.

use index::verify::{Class, Finding};
use skills::brief::graph::Node;
use skills::evidence::gate::{Gate, State};
use skills::evidence::judge::{JudgedCheck, Rejected, RejectedLine, Verdict};

use super::Standing;
use crate::evidence;

impl Standing {
    /// Everything that keeps the brief from being done, and what else is worth saying.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        findings.extend(self.judged.checks.iter().filter_map(|check| self.of_check(check)));
        findings.extend(self.judged.rejected.iter().map(|line| self.of_line(line)));
        findings.extend(self.missing_files());
        findings.extend(self.missing_briefs());
        findings.extend(self.gates.iter().flat_map(|(task, gate, _)| self.of_gate(task, gate)));
        findings.extend(self.rejected_approvals());
        findings
    }

    fn about(&self, part: &str, id: &'static str, class: Class, message: String) -> Finding {
        let about = if part.is_empty() { self.brief.id.to_string() } else { format!("{}:{part}", self.brief.id) };
        Finding::new(id, class, about, message).path(evidence::path(Some(&self.brief.id)))
    }

    fn of_check(&self, check: &JudgedCheck) -> Option<Finding> {
        let (id, class, hint) = match &check.verdict {
            Verdict::Proved | Verdict::ProvedInputs => return None,
            Verdict::Missing => ("SKV070", Class::Missing, "run"),
            Verdict::Stale => ("SKV071", Class::Stale, "run again"),
            Verdict::NotProved(_) if self.always_green.contains(&check.id) => ("SKV079", Class::Failed, ""),
            Verdict::NotProved(_) => ("SKV072", Class::Failed, "mend it and run again"),
            Verdict::Rejected(why) => (id_of(why), Class::Failed, "run it with a key of the policy"),
        };
        let found = self.about(&check.id, id, class, check.verdict.to_string());
        Some(match hint {
            "" => found.hint("ask the authors of the check for a fixture that it fails on"),
            hint => found.hint(format!("{hint}: `skill check run {} --brief {}`", check.id, self.brief.id)),
        })
    }

    fn of_line(&self, line: &RejectedLine) -> Finding {
        let is_proved = |check: &JudgedCheck| check.verdict.is_proved();
        let of_its_own = |check: &JudgedCheck| line.check.as_ref().is_none_or(|id| *id == check.id);
        let harmless = self.judged.checks.iter().filter(|check| of_its_own(check)).all(is_proved);
        let class = if harmless { Class::Note } else { Class::Failed };
        let part = line.check.clone().unwrap_or_default();
        self.about(&part, id_of(&line.why), class, format!("line {} counts for nothing: {}", line.line, line.why))
    }

    fn missing_files(&self) -> impl Iterator<Item = Finding> {
        let missing = self.brief.document.deliverables.iter().filter(|one| !self.files.contains_key(&one.path));
        missing.map(|one| {
            let message = format!("deliverable `{}` is not in the tree", one.id);
            self.about(&one.id, "SKV085", Class::Missing, message).path(one.path.clone())
        })
    }

    /// A task that another brief does is as much a part of this one as a check.
    fn missing_briefs(&self) -> impl Iterator<Item = Finding> {
        self.tasks.iter().filter(|task| task.state != State::Done && self.is_brief(&task.id)).map(|task| {
            let found = self.about(&task.id, "SKV084", Class::Missing, task.why.clone());
            found.hint("commit the brief of this task with what proves it, and close it after this one")
        })
    }

    /// Whether every task that another brief does is done.
    pub fn has_its_briefs(&self) -> bool {
        self.tasks.iter().all(|task| task.state == State::Done || !self.is_brief(&task.id))
    }

    fn is_brief(&self, task: &str) -> bool {
        self.brief.document.tasks.iter().any(|one| one.id == task && Node::of(one) == Node::Brief)
    }

    fn of_gate(&self, task: &str, gate: &Gate) -> Option<Finding> {
        let by = self.brief.document.tasks.iter().find(|one| one.id == task).and_then(|one| one.by.as_deref());
        let by = by.unwrap_or("a human");
        let (id, class, message) = match gate {
            Gate::Approved { .. } => return None,
            Gate::Open => ("SKV086", Class::Missing, format!("{by} has not decided")),
            Gate::Refused { by } => ("SKV086", Class::Failed, format!("{by} said no to this tree")),
            Gate::Stale { what } => ("SKV088", Class::Stale, format!("{by} has to decide again: {what}")),
            Gate::Rejected(why) => ("SKV087", Class::Failed, format!("the decision counts for nothing: {why}")),
        };
        let hint = format!("`skill review {0}`, then `skill approve {0} {task}`", self.brief.id);
        Some(self.about(task, id, class, message).hint(hint))
    }

    /// Where the gate is open although there is a decision, the gate has said so.
    fn rejected_approvals(&self) -> impl Iterator<Item = Finding> {
        let held = self.gates.iter().filter(|(_, gate, _)| !matches!(gate, Gate::Rejected(_)));
        held.flat_map(|(task, _, rejected)| {
            rejected.iter().map(|line| {
                let message = format!("line {} counts for nothing: {}", line.line, line.why);
                self.about(task, "SKV087", Class::Note, message)
            })
        })
    }
}

/// The report id of a line that counts for nothing.
fn id_of(why: &Rejected) -> &'static str {
    match why {
        Rejected::Malformed(_) => "SKV073",
        Rejected::BadSignature => "SKV074",
        Rejected::UnknownSigner | Rejected::Role { .. } => "SKV075",
        Rejected::Trust { .. } => "SKV076",
        Rejected::OtherCheck | Rejected::OtherParams => "SKV077",
        Rejected::OtherBrief => "SKV078",
        Rejected::OtherName { .. } | Rejected::BeforeProof { .. } => "SKV087",
    }
}
