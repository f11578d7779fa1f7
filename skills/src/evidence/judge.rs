//! Which checks are proved: lines against who may sign, what was asked, and what the tree is now.
//!
//! Every line is judged and nothing hides anything: a line that is rejected is reported and takes no
//! other with it, and of those that count the newest decides. A proof holds for exactly its tree, and
//! beyond it for as long as nothing that the check reads has changed.

use std::fmt;

use serde_json::{Map, Value};

use super::line::{Line, Signed, Statement};
use super::run::{BriefRef, Outcome, Run};
use super::signer::{Role, Signer, Trust};
use super::statement::GitTree;
use crate::brief::document::PinnedCheck;
use crate::digest::Sha256;

/// What has to be proved, for which tree, and by whom.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The brief.
    pub brief: &'a BriefRef,
    /// Its checks, in its order.
    pub checks: Vec<Asked<'a>>,
    /// The tree as it is, without evidence; nothing where there is no Git.
    pub tree: Option<&'a GitTree>,
    /// Who may sign what.
    pub signers: &'a [Signer],
}

/// A check that has to be proved.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The check as the brief pins it.
    pub pinned: &'a PinnedCheck,
    /// The digest of what it reads, as it is; nothing where that cannot be known.
    pub inputs: Option<Sha256>,
    /// How far a signer has to be independent.
    pub floor: Trust,
    /// Whether its package shows that it can fail.
    pub can_fail: bool,
}

/// What the lines say about everything that was asked.
#[derive(Debug, Clone)]
pub struct Judged {
    /// One for each check, in the order of the brief.
    pub checks: Vec<JudgedCheck>,
    /// The lines that count for nothing, in the order of the file.
    pub rejected: Vec<RejectedLine>,
}

/// What the lines say about one check.
#[derive(Debug, Clone)]
pub struct JudgedCheck {
    /// The id in the brief.
    pub id: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The run that decided it.
    pub run: Option<Counted>,
    /// The digests of all runs that prove it now: an approval has to have seen one of them.
    pub proofs: Vec<Sha256>,
}

/// A run that counts.
#[derive(Debug, Clone)]
pub struct Counted {
    /// Its line, from 1.
    pub line: usize,
    /// The digest of its payload.
    pub digest: Sha256,
    /// Who signed.
    pub signer: String,
    /// How far that signer is independent.
    pub trust: Trust,
    /// What ran.
    pub run: Box<Run>,
}

/// A line that counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLine {
    /// Its number, from 1.
    pub line: usize,
    /// The check that it claims to be about, if it is one of the brief's.
    pub check: Option<String>,
    /// Why.
    pub why: Rejected,
}

/// The verdict on one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passed on this very tree.
    Proved,
    /// It passed on another tree, and everything that it reads is the same.
    ProvedInputs,
    /// It passed, and something that it reads has changed since.
    Stale,
    /// The newest run that counts did not pass, or the check could not have failed.
    NotProved(String),
    /// There are runs, and none counts; why the last one does not.
    Rejected(Rejected),
    /// Nobody ran it.
    Missing,
}

impl Verdict {
    /// Whether the check is proved.
    pub fn is_proved(&self) -> bool {
        matches!(self, Self::Proved | Self::ProvedInputs)
    }

    /// The stable word: `proved`, `proved-inputs`, `stale`, `not-proved`, `rejected`, `missing`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::ProvedInputs => "proved-inputs",
            Self::Stale => "stale",
            Self::NotProved(_) => "not-proved",
            Self::Rejected(_) => "rejected",
            Self::Missing => "missing",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proved => f.write_str("PROVED for this exact tree"),
            Self::ProvedInputs => f.write_str("PROVED (tree moved, but nothing the check reads changed)"),
            Self::Stale => f.write_str("STALE: something the check reads has changed since it passed"),
            Self::NotProved(why) => write!(f, "NOT PROVED: {why}"),
            Self::Rejected(why) => write!(f, "REJECTED {why}"),
            Self::Missing => f.write_str("MISSING: nobody ran it for this brief"),
        }
    }
}

/// Why a line counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// It cannot be read.
    Malformed(String),
    /// The key that it names did not sign these bytes.
    BadSignature,
    /// No key of the policy signed it.
    UnknownSigner,
    /// The signer may not sign this.
    Role {
        /// Who signed.
        signer: String,
        /// What the signer would have to be allowed.
        role: Role,
    },
    /// The signer is not independent enough.
    Trust {
        /// Who signed.
        signer: String,
        /// How far the signer is independent.
        has: Trust,
        /// How far it has to be.
        floor: Trust,
    },
    /// It is about another brief, or another rendering of this one.
    OtherBrief,
    /// It is about a check that this brief does not pin, by name, version and digest.
    OtherCheck,
    /// The check was told something else than the brief says.
    OtherParams,
    /// It is signed by one, and says that another decided.
    OtherName {
        /// Who signed.
        signer: String,
    },
    /// The decision was made without having seen the proof that it is about.
    BeforeProof {
        /// The check that was not proved on the page.
        check: String,
    },
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "malformed: {why}"),
            Self::BadSignature => f.write_str("bad signature: the key that it names did not sign these bytes"),
            Self::UnknownSigner => f.write_str("unknown signer: no [[signer]] of the policy signed it"),
            Self::Role { signer, role } => {
                write!(f, "signer `{signer}` has no role `{}` in the policy", role.as_str())
            }
            Self::Trust { signer, has, floor } => {
                write!(f, "signer `{signer}` has trust `{}`, `{}` is demanded", has.as_str(), floor.as_str())
            }
            Self::OtherBrief => f.write_str("other brief: it was made for another brief, or another rendering"),
            Self::OtherCheck => f.write_str("other check: the brief pins no check of this name, version and digest"),
            Self::OtherParams => f.write_str("other parameters: the check was told something else than the brief says"),
            Self::OtherName { signer } => write!(f, "it was signed by `{signer}`, and says that another decided"),
            Self::BeforeProof { check } => {
                write!(f, "before the proof: whoever decided had not seen that `{check}` is proved")
            }
        }
    }
}

/// Who signed these bytes, if the policy knows the key. The key id only chooses the words: where it is
/// that of a key we know, the bytes were changed; else we do not know whoever signed.
pub(super) fn signer<'a>(signed: &Signed, signers: &'a [Signer], role: Role) -> Result<&'a Signer, Rejected> {
    let Some(signer) = signers.iter().find(|signer| signed.is_signed_by(&signer.key)) else {
        let claimed = signed.envelope.signatures.iter().map(|(id, _)| id);
        let known = claimed.into_iter().any(|id| signers.iter().any(|signer| signer.key.id() == *id));
        return Err(if known { Rejected::BadSignature } else { Rejected::UnknownSigner });
    };
    // One key may be registered twice, each time with one role.
    let same = signers.iter().filter(|other| other.key == signer.key);
    same.into_iter()
        .find(|other| other.roles.contains(&role))
        .ok_or_else(|| Rejected::Role { signer: signer.name.clone(), role })
}

/// Judges every run among the lines. Approvals are judged by [`gate`](super::gate).
pub fn judge(question: &Question, lines: &[Line]) -> Judged {
    let mut rejected = Vec::new();
    let mut counted: Vec<Vec<Counted>> = question.checks.iter().map(|_| Vec::new()).collect();
    for line in lines {
        let (claims, why) = match &line.content {
            Err(refusal) => (None, Rejected::Malformed(refusal.message.clone())),
            Ok(Signed { statement: Statement::Approval(_), .. }) => continue,
            Ok(signed @ Signed { statement: Statement::Run(run), .. }) => match count(question, signed, run) {
                Ok((at, signer)) => {
                    counted[at].push(Counted {
                        line: line.number,
                        digest: signed.digest(),
                        signer: signer.name.clone(),
                        trust: signer.trust,
                        run: run.clone(),
                    });
                    continue;
                }
                Err(why) => (asked(question, run).ok(), why),
            },
        };
        let check = claims.map(|at| question.checks[at].pinned.id.clone());
        rejected.push(RejectedLine { line: line.number, check, why });
    }
    let checks = question.checks.iter().zip(counted);
    let checks = checks.map(|(asked, counted)| decide(question, asked, counted, &rejected)).collect();
    Judged { checks, rejected }
}

/// Which check a run counts for, and who says so: its signature before anything that it says.
fn count<'a>(question: &Question<'a>, signed: &Signed, run: &Run) -> Result<(usize, &'a Signer), Rejected> {
    let signer = signer(signed, question.signers, Role::Evidence)?;
    if run.brief.as_ref() != Some(question.brief) {
        return Err(Rejected::OtherBrief);
    }
    let at = asked(question, run)?;
    let floor = question.checks[at].floor;
    if signer.trust < floor {
        return Err(Rejected::Trust { signer: signer.name.clone(), has: signer.trust, floor });
    }
    Ok((at, signer))
}

/// The check that a run says it is about.
fn asked(question: &Question, run: &Run) -> Result<usize, Rejected> {
    let spec = run.check.spec();
    let is_check = |pinned: &PinnedCheck| pinned.uses == spec && pinned.digest == run.check.digest;
    let same = |with: &Map<String, Value>| *with == run.params;
    let checks = || question.checks.iter().enumerate().filter(|(_, asked)| is_check(asked.pinned));
    if checks().next().is_none() {
        return Err(Rejected::OtherCheck);
    }
    let found = checks().find(|(_, asked)| same(&asked.pinned.with));
    found.map(|(at, _)| at).ok_or(Rejected::OtherParams)
}

fn decide(question: &Question, asked: &Asked, mut counted: Vec<Counted>, rejected: &[RejectedLine]) -> JudgedCheck {
    let id = asked.pinned.id.clone();
    counted.sort_by_key(|one| (one.run.started_on, one.line));
    let unchanged = |run: &Run| asked.inputs == Some(run.inputs);
    // One tree can lie on the disk as other bytes: line ends that Git converts, a submodule with edits.
    let same_bytes = |run: &Run| asked.inputs.is_none() || unchanged(run);
    let exact = |run: &Run| question.tree.is_some() && run.tree.as_ref() == question.tree && same_bytes(run);
    let holds = |one: &&Counted| exact(&one.run) || unchanged(&one.run);
    let newest = counted.iter().rev().find(holds).or(counted.last());
    let verdict = match newest {
        None => {
            let last = rejected.iter().rev().find(|line| line.check.as_ref() == Some(&id));
            last.map_or(Verdict::Missing, |line| Verdict::Rejected(line.why.clone()))
        }
        Some(one) if one.run.outcome != Outcome::Passed => Verdict::NotProved(why(&one.run)),
        Some(_) if !asked.can_fail => {
            Verdict::NotProved("the check brings no tree along that it must fail on, so passing proves nothing".into())
        }
        Some(one) if exact(&one.run) => Verdict::Proved,
        Some(one) if unchanged(&one.run) => Verdict::ProvedInputs,
        Some(_) => Verdict::Stale,
    };
    let run = newest.cloned();
    let passed = |one: &&Counted| verdict.is_proved() && holds(one) && one.run.outcome == Outcome::Passed;
    let proofs = counted.iter().filter(passed).map(|one| one.digest).collect();
    JudgedCheck { id, verdict, run, proofs }
}

/// Why a run is no proof: `exit 101`, `ERROR: timed out`.
fn why(run: &Run) -> String {
    match (&run.outcome, run.exit) {
        (Outcome::Error(error), _) => format!("ERROR: {error}"),
        (Outcome::Failed(reasons), _) if !reasons.is_empty() => reasons.join("; "),
        (_, Some(exit)) => format!("exit {exit}"),
        _ => "it failed".to_owned(),
    }
}

#[cfg(test)]
mod tests;
