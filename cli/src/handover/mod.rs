//! Where the work on a brief stands: what `verify --evidence`, `brief status`, `review` and `approve`
//! all look at, gathered once.
//!
//! ```text
//! judges     who may sign, and how far they have to be independent   trust.toml, skills.toml
//! rendering  whether the brief is what its package renders            skills.lock, .agents/skills
//! standing   checks, gates and tasks, judged                          .skill/evidence, the work tree
//! findings   the same, as report ids and exit codes                   index::verify
//! page       what a human is shown before deciding                    review, approve
//! ```
//!
//! Everything is judged and nothing stops at the first failure; what cannot be found out counts as not
//! proved.

pub mod approve;
pub mod attest;
pub mod findings;
pub mod html;
pub mod judges;
pub mod page;
pub mod rendering;
pub mod rerun;
pub mod standing;
pub mod summary;

pub use judges::Judges;
pub use standing::{Standing, Workplace};
