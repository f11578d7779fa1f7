//! `--attest`: what was verified, as a statement that other programs read.
//!
//! A simple verification result, SVR v0.2: the verifier, the policy, and a property for each thing that
//! is true. A property that is not there was not verified, or is not true: nothing is ever claimed by halves.

use std::collections::BTreeSet;

use index::verify::{Class, Finding};
use serde_json::{Value, json};
use skills::evidence::gate::Gate;

use super::Standing;

/// The predicate type.
const SVR: &str = "https://in-toto.io/attestation/svr/v0.2";

/// Who verified: the rules of this program. Another number where they change.
const VERIFIER: &str = "https://agent-skill.invalid/verifier/v1";

/// What the statement is made from.
pub struct Verified<'a> {
    /// The briefs.
    pub briefs: &'a [Standing],
    /// The Git tree.
    pub tree: Option<&'a str>,
    /// Digest of the policy that judged.
    pub policy: &'a str,
    /// When, as the clock of this machine has it.
    pub at: String,
    /// Findings about what is installed, entries in clients' files and grants included.
    pub installed: &'a [Finding],
}

/// The statement; without a tree there is nothing to make it about.
pub fn statement(verified: &Verified) -> Option<Value> {
    let tree = verified.tree?;
    let digest = verified.policy.strip_prefix("sha256:").unwrap_or(verified.policy);
    Some(json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "git-tree", "digest": {"gitTree": tree}}],
        "predicateType": SVR,
        "predicate": {
            "verifier": {
                "id": VERIFIER,
                "policies": [{"name": "trust.toml", "uri": "file:.skill/trust.toml", "digest": {"sha256": digest}}],
                // Ours, beside what the predicate has: what the properties rest on, and which program looked.
                "skillEvidence": inputs(verified.briefs),
                "skillVersion": env!("CARGO_PKG_VERSION"),
            },
            "timeCreated": verified.at,
            "properties": properties(verified),
        },
    }))
}

/// The runs and decisions that it rests on.
fn inputs(briefs: &[Standing]) -> Vec<Value> {
    let of = |standing: &Standing| {
        let uri = format!("file:{}", crate::evidence::path(Some(&standing.brief.id)));
        let runs = standing.judged.checks.iter().filter(|check| check.verdict.is_proved());
        let digests = runs.filter_map(|check| check.run.as_ref().map(|run| run.digest.hex()));
        digests.map(|digest| json!({"uri": uri, "digest": {"sha256": digest}})).collect::<Vec<_>>()
    };
    families(briefs).into_iter().flat_map(of).collect()
}

/// The briefs and those of their tasks, each once.
fn families(briefs: &[Standing]) -> Vec<&Standing> {
    let mut seen = BTreeSet::new();
    briefs.iter().flat_map(Standing::family).filter(|one| seen.insert(one.brief.id.as_str())).collect()
}

/// Only what is true of every brief, those of tasks included, and of at least one; nothing at all where the
/// brief of a task is not there or not done.
fn properties(verified: &Verified) -> Vec<&'static str> {
    let briefs = families(verified.briefs);
    let whole = !briefs.is_empty() && briefs.iter().all(|one| one.has_its_briefs());
    let all = |is_true: fn(&Standing) -> bool| whole && briefs.iter().all(|one| is_true(one));
    let installed = verified.installed.iter().all(|finding| finding.class == Class::Note);
    let properties = [
        ("SKILL_BRIEF_FROM_LOCKED_PACKAGE", installed && all(|one| one.findings.is_empty())),
        ("SKILL_CHECKS_PASSED", all(|one| one.judged.checks.iter().all(|check| check.verdict.is_proved()))),
        ("SKILL_HUMAN_GATES_SIGNED", all(gates_are_signed)),
        ("SKILL_TOOLS_WITHIN_BOUNDARY", installed && all(|one| one.findings.is_empty())),
    ];
    properties.into_iter().filter(|(_, is_true)| *is_true).map(|(name, _)| name).collect()
}

/// A brief without a gate has no signature to show.
fn gates_are_signed(standing: &Standing) -> bool {
    !standing.gates.is_empty() && standing.gates.iter().all(|(_, gate, _)| matches!(gate, Gate::Approved { .. }))
}
