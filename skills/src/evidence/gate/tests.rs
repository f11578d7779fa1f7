//! A plan that is approved before work begins, work that is proved, and a last word about all of it.

use super::super::judge::Verdict;
use super::super::line::{format, read};
use super::super::signer::Trust;
use super::super::{Moment, Shown};
use super::*;
use crate::dsse::{Envelope, IN_TOTO};
use crate::key::SigningKey;
use crate::name::SkillName;

const DOCUMENT: &str = r#"{
  "schema": "https://agent-skill.invalid/brief/v1", "id": "ops-1",
  "from": {"package": "acme/brief-change", "version": "1.0.0",
    "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000"},
  "params": {}, "tools": [], "escalate": [], "body_sha256": "",
  "boundary": {"task_class": "change", "environment": "dev", "data_class": "internal", "approval": "plan-first"},
  "deliverables": [{"id": "plan", "path": "plan.md", "kind": "markdown"}, {"id": "sql", "path": "a.sql", "kind": "sql"}],
  "checks": [{"id": "tests", "use": "acme/check-tests@1.0.0", "with": {},
    "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000"}],
  "tasks": [
    {"id": "hand-over", "needs": ["prove"], "human": "merge", "by": "team:db"},
    {"id": "plan", "makes": ["plan"]},
    {"id": "review-plan", "needs": ["plan"], "human": "approve"},
    {"id": "write", "needs": ["review-plan"], "makes": ["sql"]},
    {"id": "prove", "needs": ["write"], "checks": ["tests"]}]
}"#;

fn document() -> Document {
    Document::parse(DOCUMENT.as_bytes()).expect("a document")
}

fn tree(digit: &str) -> GitTree {
    GitTree::parse(&digit.repeat(40)).expect("a tree")
}

/// What is the case; each step of a story changes something.
struct World {
    files: BTreeMap<String, Sha256>,
    verdict: Verdict,
    proofs: Vec<Sha256>,
    text: String,
    tree: GitTree,
}

fn world(files: &[&str]) -> World {
    let files = files.iter().map(|path| ((*path).to_owned(), Sha256::of(path))).collect();
    World { files, verdict: Verdict::Missing, proofs: Vec::new(), text: String::new(), tree: tree("a") }
}

fn decision(task: &str, tree: &GitTree, shown: &[(&str, Sha256)]) -> Approval {
    let shown = shown.iter().map(|(name, digest)| Shown { name: (*name).to_owned(), digest: *digest }).collect();
    Approval {
        tree: tree.clone(),
        task: task.to_owned(),
        decision: Decision::Approve,
        by: "bob".to_owned(),
        brief: BriefRef { id: SkillName::parse("ops-1").expect("an id"), digest: document().digest() },
        shown,
        opened: Moment::from_unix_seconds(1),
        decided: Moment::from_unix_seconds(2),
    }
}

fn plan() -> (&'static str, Sha256) {
    ("artifact:plan.md", Sha256::of("plan.md"))
}

/// What the page of a last word shows, once everything is there.
fn everything() -> [(&'static str, Sha256); 3] {
    [plan(), ("artifact:a.sql", Sha256::of("a.sql")), ("evidence:tests", Sha256::of("run"))]
}

impl World {
    fn sign(mut self, approval: &Approval, seed: u8) -> Self {
        let key = SigningKey::from_seed(&[seed; 32]);
        self.text += &format(&Envelope::sign(IN_TOTO, approval.to_payload(), &key));
        self
    }

    fn proved(mut self) -> Self {
        (self.verdict, self.proofs) = (Verdict::Proved, vec![Sha256::of("run")]);
        self
    }

    fn on(mut self, tree: GitTree) -> Self {
        self.tree = tree;
        self
    }

    fn ask<T>(&self, question: impl FnOnce(&Facts) -> T) -> T {
        let row = |name: &str, seed: u8, role| Signer {
            name: name.to_owned(),
            key: SigningKey::from_seed(&[seed; 32]).public(),
            trust: Trust::Local,
            roles: vec![role],
        };
        let (proofs, verdict) = (self.proofs.clone(), self.verdict.clone());
        question(&Facts {
            files: self.files.clone(),
            checks: &[JudgedCheck { id: "tests".into(), verdict, run: None, proofs }],
            lines: &read(self.text.as_bytes()).expect("a file"),
            tree: Some(&self.tree),
            signers: &[row("bob", 3, Role::Approval), row("ci", 2, Role::Evidence)],
            children: BTreeMap::new(),
        })
    }

    /// The state of each task: plan, review-plan, write, prove, hand-over.
    #[track_caller]
    fn stands(&self, expected: [&str; 5]) {
        let document = document();
        let all = self.ask(|facts| status(&document, facts));
        let states: Vec<&str> = all.iter().map(|one| one.state.as_str()).collect();
        assert_eq!(states, expected, "{all:#?}");
    }

    fn gate(&self, task: &str) -> (Gate, Vec<RejectedApproval>) {
        let document = document();
        let task = document.tasks.iter().find(|one| one.id == task).expect("a task");
        self.ask(|facts| gate(&document, facts, task))
    }

    #[track_caller]
    fn rejects(&self, task: &str, words: &str) {
        match self.gate(task) {
            (Gate::Rejected(why), lines) if lines.len() == 1 => assert!(why.to_string().contains(words), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

fn approved() -> Gate {
    Gate::Approved { by: "bob".into(), line: 1 }
}

#[test]
fn a_brief_walks_from_blocked_to_done() {
    let (done, ready, blocked, human) = ("done", "ready", "blocked", "waiting-for-human");
    world(&[]).stands([ready, blocked, blocked, blocked, blocked]);
    let planned = world(&["plan.md"]);
    planned.stands([done, human, blocked, blocked, blocked]);
    let reviewed = planned.sign(&decision("review-plan", &tree("a"), &[plan()]), 3);
    reviewed.stands([done, done, ready, blocked, blocked]);
    let written = World { files: world(&["plan.md", "a.sql"]).files, ..reviewed }.on(tree("b"));
    written.stands([done, done, done, ready, blocked]);
    let proved = written.proved();
    proved.stands([done, done, done, done, human]);
    let handed = proved.sign(&decision("hand-over", &tree("b"), &everything()), 3);
    handed.stands([done, done, done, done, done]);
    handed.on(tree("c")).stands([done, done, done, done, human]);
}

#[test]
fn a_plan_that_is_edited_after_its_approval_is_to_be_approved_again() {
    let mut world = world(&["plan.md"]).sign(&decision("review-plan", &tree("a"), &[plan()]), 3);
    assert_eq!(world.gate("review-plan").0, approved());
    world.files.insert("plan.md".into(), Sha256::of("another plan"));
    assert_eq!(world.gate("review-plan").0, Gate::Stale { what: "`plan.md` is not what was shown".into() });
    world.files.clear();
    assert!(matches!(world.gate("review-plan").0, Gate::Stale { .. }));
}

#[test]
fn an_approval_before_the_proof_counts_for_nothing_after_it() {
    let early = decision("hand-over", &tree("a"), &everything()[..2]);
    let before = world(&["plan.md", "a.sql"]).sign(&early, 3);
    before.rejects("hand-over", "before the proof: whoever decided had not seen that `tests` is proved");
    before.proved().rejects("hand-over", "before the proof");
}

#[test]
fn an_approval_of_evidence_that_is_not_the_proof_counts_for_nothing() {
    let mut shown = everything();
    shown[2].1 = Sha256::of("another run");
    world(&["plan.md", "a.sql"])
        .proved()
        .sign(&decision("hand-over", &tree("a"), &shown), 3)
        .rejects("hand-over", "before the proof");
}

#[test]
fn approvals_of_strangers_of_the_wrong_role_and_in_another_name_count_for_nothing() {
    let sign = |approval: &Approval, seed| world(&["plan.md"]).sign(approval, seed);
    let genuine = decision("review-plan", &tree("a"), &[plan()]);
    sign(&genuine, 9).rejects("review-plan", "unknown signer");
    sign(&genuine, 2).rejects("review-plan", "signer `ci` has no role `approval`");
    sign(&Approval { by: "alice".into(), ..genuine.clone() }, 3).rejects("review-plan", "signed by `bob`");
    let brief = BriefRef { digest: Sha256::of("another rendering"), ..genuine.brief.clone() };
    sign(&Approval { brief, ..genuine.clone() }, 3).rejects("review-plan", "other brief");
    let other_task = Approval { task: "hand-over".into(), ..genuine };
    assert_eq!(sign(&other_task, 3).gate("review-plan").0, Gate::Open);
}

#[test]
fn the_newest_decision_about_this_tree_counts() {
    let yes = decision("review-plan", &tree("a"), &[plan()]);
    let no = Approval { decision: Decision::Reject, decided: Moment::from_unix_seconds(3), ..yes.clone() };
    let both = world(&["plan.md"]).sign(&no, 3).sign(&yes, 3);
    assert_eq!(both.gate("review-plan").0, Gate::Refused { by: "bob".into() });
    assert_eq!(both.on(tree("b")).gate("review-plan").0, Gate::Approved { by: "bob".into(), line: 2 });
}

#[test]
fn a_gate_asks_for_everything_before_it() {
    let document = document();
    assert_eq!(required_checks(&document, "hand-over"), ["tests"]);
    assert_eq!(required_checks(&document, "review-plan"), [] as [&str; 0]);
    assert_eq!(required_files(&document, "hand-over"), ["plan.md", "a.sql"]);
    assert_eq!(required_files(&document, "review-plan"), ["plan.md"]);
}
