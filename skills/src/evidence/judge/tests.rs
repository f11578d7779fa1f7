//! One row a verdict, one row an attack.

use super::super::line::{format, read};
use super::super::run::tests::run;
use super::*;
use crate::dsse::{Envelope, IN_TOTO};
use crate::key::SigningKey;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn registered(name: &str, seed: u8, trust: Trust, roles: &[Role]) -> Signer {
    Signer { name: name.to_owned(), key: key(seed).public(), trust, roles: roles.to_vec() }
}

/// Alice's laptop, the team's CI, and a human who only approves.
fn signers() -> Vec<Signer> {
    vec![
        registered("alice", 1, Trust::Local, &[Role::Evidence, Role::Approval]),
        registered("ci", 2, Trust::Ci, &[Role::Evidence]),
        registered("bob", 3, Trust::Local, &[Role::Approval]),
    ]
}

fn signed(run: &Run, seed: u8) -> String {
    format(&Envelope::sign(IN_TOTO, run.to_payload(), &key(seed)))
}

fn pinned() -> PinnedCheck {
    let run = run();
    PinnedCheck { id: "tests".into(), uses: run.check.spec(), digest: run.check.digest, with: run.params }
}

/// The world as it is now, and what is demanded; each test changes one thing.
struct Now {
    tree: Option<GitTree>,
    inputs: Option<Sha256>,
    floor: Trust,
    can_fail: bool,
}

fn now() -> Now {
    Now { tree: run().tree, inputs: Some(run().inputs), floor: Trust::Local, can_fail: true }
}

impl Now {
    fn tree_moved(self) -> Self {
        Self { tree: Some(GitTree::parse(&"0".repeat(40)).expect("a tree")), ..self }
    }

    fn inputs_moved(self) -> Self {
        Self { inputs: Some(Sha256::of("others")), ..self }
    }

    fn judge(&self, text: &str) -> Judged {
        let (brief, pinned, signers) = (run().brief.expect("a brief"), pinned(), signers());
        let Self { inputs, floor, can_fail, .. } = *self;
        let asked = Asked { pinned: &pinned, inputs, floor, can_fail };
        let question = Question { brief: &brief, checks: vec![asked], tree: self.tree.as_ref(), signers: &signers };
        judge(&question, &read(text.as_bytes()).expect("a file"))
    }

    #[track_caller]
    fn gives(&self, text: &str, expected: &str) {
        let judged = self.judge(text);
        assert!(
            judged.checks[0].verdict.to_string().starts_with(expected),
            "{} | {judged:?}",
            judged.checks[0].verdict
        );
        assert_eq!(judged.checks[0].verdict.is_proved(), !judged.checks[0].proofs.is_empty(), "{judged:?}");
    }
}

fn failed() -> Run {
    let later = super::super::Moment::from_unix_seconds(run().started_on.unix_seconds() + 60);
    Run { outcome: Outcome::Failed(vec!["exit 101".into()]), exit: Some(101), started_on: later, ..run() }
}

#[test]
fn a_pass_on_this_tree_is_a_proof() {
    now().gives(&signed(&run(), 1), "PROVED for this exact tree");
}

#[test]
fn an_edit_of_what_the_check_does_not_read_leaves_the_proof_standing() {
    now().tree_moved().gives(&signed(&run(), 1), "PROVED (tree moved, but nothing the check reads changed)");
}

#[test]
fn an_edit_of_what_the_check_reads_makes_the_proof_stale() {
    now().tree_moved().inputs_moved().gives(&signed(&run(), 1), "STALE");
    // The same tree as other bytes, as after a conversion of line ends.
    now().inputs_moved().gives(&signed(&run(), 1), "STALE");
    Now { tree: None, inputs: None, ..now() }.gives(&signed(&run(), 1), "STALE");
}

#[test]
fn a_failing_run_proves_nothing_and_says_why() {
    now().gives(&signed(&failed(), 1), "NOT PROVED: exit 101");
    now().gives(&signed(&Run { outcome: Outcome::Failed(Vec::new()), ..failed() }, 1), "NOT PROVED: exit 101");
    let error = Run { outcome: Outcome::Error("timed out".into()), exit: None, ..failed() };
    now().gives(&signed(&error, 1), "NOT PROVED: ERROR: timed out");
}

#[test]
fn the_newest_run_decides_wherever_it_stands() {
    let (green, red) = (signed(&run(), 1), signed(&failed(), 1));
    now().gives(&format!("{green}{red}"), "NOT PROVED: exit 101");
    now().gives(&format!("{red}{green}"), "NOT PROVED: exit 101");
}

#[test]
fn a_run_on_another_tree_does_not_outweigh_one_on_this() {
    let elsewhere = Run { tree: now().tree_moved().tree, inputs: Sha256::of("others"), ..failed() };
    now().gives(&format!("{}{}", signed(&run(), 1), signed(&elsewhere, 1)), "PROVED for this exact tree");
    now().gives(&signed(&elsewhere, 1), "NOT PROVED");
}

#[test]
fn a_check_that_nobody_ran_is_missing() {
    now().gives("", "MISSING");
}

#[test]
fn a_check_that_cannot_fail_proves_nothing() {
    Now { can_fail: false, ..now() }.gives(&signed(&run(), 1), "NOT PROVED: the check brings no tree along");
}

/// Changes the payload and keeps the signature.
fn swapped(from: &str, to: &str) -> String {
    let genuine = Envelope::sign(IN_TOTO, failed().to_payload(), &key(1));
    let payload = String::from_utf8(run().to_payload()).expect("UTF-8").replacen(from, to, 1);
    format(&Envelope { payload: payload.into_bytes(), ..genuine })
}

#[test]
fn a_payload_that_was_swapped_is_rejected() {
    now().gives(&swapped("", ""), "REJECTED bad signature");
    now().gives(&swapped("\"durationMs\":38", "\"durationMs\":39"), "REJECTED bad signature");
}

#[test]
fn a_signer_that_the_policy_does_not_know_is_rejected() {
    now().gives(&signed(&run(), 9), "REJECTED unknown signer");
}

#[test]
fn a_known_name_on_a_strangers_signature_is_rejected() {
    let mut envelope = Envelope::sign(IN_TOTO, run().to_payload(), &key(9));
    envelope.signatures[0].0 = key(1).public().id();
    now().gives(&format(&envelope), "REJECTED bad signature");
}

#[test]
fn a_key_id_decides_nothing() {
    let mut envelope = Envelope::sign(IN_TOTO, run().to_payload(), &key(1));
    envelope.signatures[0].0 = key(9).public().id();
    now().gives(&format(&envelope), "PROVED");
}

#[test]
fn a_signer_without_the_role_is_rejected() {
    now().gives(&signed(&run(), 3), "REJECTED signer `bob` has no role `evidence`");
}

#[test]
fn a_signer_below_the_demanded_trust_is_rejected() {
    let gate = Now { floor: Trust::Ci, ..now() };
    gate.gives(&signed(&run(), 1), "REJECTED signer `alice` has trust `local`, `ci` is demanded");
    gate.gives(&signed(&run(), 2), "PROVED");
    let boast = Run { runner: super::super::Runner { trust: Trust::Independent, ..run().runner }, ..run() };
    gate.gives(&signed(&boast, 1), "REJECTED signer `alice` has trust `local`");
}

#[test]
fn evidence_of_another_check_brief_or_value_is_rejected() {
    let other = |change: fn(&mut Run)| {
        let mut run = run();
        change(&mut run);
        let judged = now().judge(&signed(&run, 1));
        (judged.checks[0].verdict.word(), judged.rejected[0].why.clone())
    };
    assert_eq!(other(|run| run.check.digest = Sha256::of("green")), ("missing", Rejected::OtherCheck));
    let version = |run: &mut Run| run.check.version = crate::Version::parse("1.2.1").expect("a version");
    assert_eq!(other(version), ("missing", Rejected::OtherCheck));
    assert_eq!(other(|run| run.params.clear()), ("missing", Rejected::OtherParams));
    assert_eq!(other(|run| run.brief = None), ("rejected", Rejected::OtherBrief));
    let rendering = |run: &mut Run| run.brief.as_mut().expect("a brief").digest = Sha256::of("again");
    assert_eq!(other(rendering), ("rejected", Rejected::OtherBrief));
}

#[test]
fn a_rejected_line_hides_no_good_one_and_is_always_reported() {
    let green = signed(&run(), 1);
    let bad = [swapped("", ""), signed(&run(), 9), signed(&failed(), 3), green[..99].to_owned() + "\n"];
    for bad in bad {
        for text in [format!("{green}{bad}"), format!("{bad}{green}")] {
            now().gives(&text, "PROVED");
            assert_eq!(now().judge(&text).rejected.len(), 1, "{text}");
        }
    }
}

#[test]
fn a_key_that_is_registered_twice_has_the_roles_of_both_rows() {
    let mut rows = vec![registered("a", 3, Trust::Local, &[Role::Approval])];
    rows.push(registered("a", 3, Trust::Local, &[Role::Evidence]));
    let lines = read(signed(&run(), 3).as_bytes()).expect("a file");
    let signed = lines[0].content.as_ref().expect("readable");
    assert!(signer(signed, &rows, Role::Evidence).is_ok());
}
