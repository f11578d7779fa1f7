//! A human's decision about a task of a brief, bound to what the human was shown.
//!
//! An approval names the tree, the brief and, by digest, the diff, the artifacts and the evidence that
//! were on the page. So it cannot be made before the proof, nor be carried over to other work.

use serde::{Deserialize, Serialize};

use super::moment::Moment;
use super::run::BriefRef;
use super::statement::{GitTree, HexDigest, Resource, Wire, malformed};
use crate::digest::Sha256;
use crate::refusal::Refusal;

/// The predicate type of approvals. Nobody owns `.invalid`, so nobody can serve another meaning.
pub const APPROVAL: &str = "https://agent-skill.invalid/approval/v1";

/// Most things that one approval can have been shown: every diff, artifact and check of a brief fits.
const SHOWN_MAX: usize = 256;

/// A human's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The tree that was decided about, without its evidence.
    pub tree: GitTree,
    /// The id of the task.
    pub task: String,
    /// Yes or no.
    pub decision: Decision,
    /// The name under which the policy registers the signer.
    pub by: String,
    /// The brief, by digest.
    pub brief: BriefRef,
    /// What was on the page.
    pub shown: Vec<Shown>,
    /// When the page was opened.
    pub opened: Moment,
    /// When it was decided.
    pub decided: Moment,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The gate opens.
    Approve,
    /// It stays shut, and says so.
    Reject,
}

impl Decision {
    /// The word of the statement.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }
}

/// One thing that was on the page: `diff`, `artifact:docs/plan.md`, `evidence:tests`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it is.
    pub name: String,
    /// Its digest.
    pub digest: Sha256,
}

#[derive(Debug, Serialize, Deserialize)]
struct Predicate {
    task: String,
    decision: Decision,
    by: String,
    brief: Resource,
    shown: Vec<ShownWire>,
    opened: Moment,
    decided: Moment,
}

#[derive(Debug, Serialize, Deserialize)]
struct ShownWire {
    name: String,
    digest: HexDigest,
}

impl Approval {
    /// The payload to sign. Call it once and keep the bytes.
    pub fn to_payload(&self) -> Vec<u8> {
        let shown = |one: &Shown| ShownWire { name: one.name.clone(), digest: HexDigest::of(one.digest) };
        let predicate = Predicate {
            task: self.task.clone(),
            decision: self.decision,
            by: self.by.clone(),
            brief: self.brief.resource(),
            shown: self.shown.iter().map(shown).collect(),
            opened: self.opened,
            decided: self.decided,
        };
        Wire::new(APPROVAL, Some(&self.tree), None, predicate).to_payload()
    }

    /// Parses a payload, strictly: one tree, one brief, everything shown once.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        let wire = Wire::<Predicate>::parse(payload, APPROVAL)?;
        let (Some(tree), None) = wire.subjects()? else {
            return Err(malformed("an approval is about exactly one tree"));
        };
        let Predicate { task, decision, by, brief, shown, opened, decided } = wire.predicate;
        let shown: Vec<Shown> =
            shown.into_iter().map(|one| Shown { name: one.name, digest: one.digest.sha256.0 }).collect();
        let twice = shown.iter().enumerate().any(|(at, one)| shown[..at].iter().any(|other| other.name == one.name));
        if shown.len() > SHOWN_MAX || twice {
            return Err(malformed("what was shown is listed twice, or there is too much of it"));
        }
        if decided < opened {
            return Err(malformed("it was decided before the page was opened"));
        }
        Ok(Self { tree, task, decision, by, brief: BriefRef::of(&brief)?, shown, opened, decided })
    }

    /// The digest of one thing that was shown.
    pub fn saw(&self, name: &str) -> Option<Sha256> {
        self.shown.iter().find(|one| one.name == name).map(|one| one.digest)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::name::SkillName;

    /// An approval of everything.
    pub(crate) fn approval() -> Approval {
        let shown = |name: &str| Shown { name: name.to_owned(), digest: Sha256::of(name) };
        Approval {
            tree: GitTree::parse("566de2f25c233a27ea929a57af36d6aca9d0ccd9").expect("a tree"),
            task: "hand-over".to_owned(),
            decision: Decision::Approve,
            by: "alice".to_owned(),
            brief: BriefRef { id: SkillName::parse("ops-412-orders").expect("an id"), digest: Sha256::of("brief") },
            shown: vec![shown("diff"), shown("artifact:docs/plan.md"), shown("evidence:tests")],
            opened: Moment::parse("2026-11-22T09:00:00Z").expect("a moment"),
            decided: Moment::parse("2026-11-22T09:07:30Z").expect("a moment"),
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let hex = |text: &str| Sha256::of(text).hex();
        let expected = [
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":["#,
            r#"{"name":"git-tree","digest":{"gitTree":"566de2f25c233a27ea929a57af36d6aca9d0ccd9"}}],"#,
            r#""predicateType":"https://agent-skill.invalid/approval/v1","predicate":{"#,
            r#""task":"hand-over","decision":"approve","by":"alice","#,
            r#""brief":{"name":"brief","uri":"file:.skill/briefs/ops-412-orders.brief.json","#,
            &format!(r#""digest":{{"sha256":"{}"}}}},"#, hex("brief")),
            &format!(r#""shown":[{{"name":"diff","digest":{{"sha256":"{}"}}}},"#, hex("diff")),
            &format!(r#"{{"name":"artifact:docs/plan.md","digest":{{"sha256":"{}"}}}},"#, hex("artifact:docs/plan.md")),
            &format!(r#"{{"name":"evidence:tests","digest":{{"sha256":"{}"}}}}],"#, hex("evidence:tests")),
            r#""opened":"2026-11-22T09:00:00Z","decided":"2026-11-22T09:07:30Z"}}"#,
        ];
        assert_eq!(String::from_utf8(approval().to_payload()).expect("UTF-8"), expected.concat());
    }

    #[test]
    fn what_was_written_parses_back() {
        for approval in [approval(), Approval { decision: Decision::Reject, shown: Vec::new(), ..approval() }] {
            assert_eq!(Approval::parse(&approval.to_payload()), Ok(approval));
        }
    }

    #[test]
    fn an_approval_of_no_tree_or_of_two_readings_is_refused() {
        let text = String::from_utf8(approval().to_payload()).expect("UTF-8");
        for (from, to) in [
            ("\"name\":\"git-tree\"", "\"name\":\"check-inputs\""),
            ("\"decision\":\"approve\"", "\"decision\":\"approve\",\"decision\":\"reject\""),
            ("\"decision\":\"approve\"", "\"decision\":\"maybe\""),
            ("evidence:tests", "diff"),
            ("2026-11-22T09:07:30Z", "2026-11-22T08:59:59Z"),
            ("approval/v1", "approval/v2"),
        ] {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text, "{from}");
            assert_eq!(Approval::parse(other.as_bytes()).expect_err(to).code, "evidence-malformed", "{to}");
        }
    }
}
