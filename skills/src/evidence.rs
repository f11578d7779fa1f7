//! Evidence: which check ran on which tree, how it ended, and who says so (FORMATS §5).
//!
//! A [`Run`] is an in-toto statement with the predicate `test-result`; an [`Approval`] is a human's
//! decision about what the proof was shown to be. Both are DSSE envelopes, one a line, in a file that
//! is committed with the work. Nothing here believes a line because it is there: a line is read
//! ([`read`]), and then judged ([`judge`]) against who may sign, what was asked, and what the tree is now.
//!
//! ```text
//! Run ────── payload ─┐                      ┌─ Statement::Run ─────── judge ── verdict of each check
//!                     ├─ DSSE ─ one line ─ read                          │
//! Approval ─ payload ─┘                      └─ Statement::Approval ── gate ─── verdict of each human task
//! ```
//!
//! The file itself is a stranger's: it may be cut off, hold a line twice, or a hundred thousand.

pub mod approval;
pub mod gate;
pub mod judge;
pub mod line;
pub mod moment;
pub mod run;
pub mod signer;
mod statement;

pub use approval::{Approval, Decision, Shown};
pub use line::{Line, Signed, Statement, format, read};
pub use moment::Moment;
pub use run::{Artifact, BriefRef, Observation, Outcome, Run, Runner, Sandbox, StreamDigest};
pub use signer::{Role, Signer, Trust};
pub use statement::GitTree;
