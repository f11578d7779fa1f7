//! Running a check: what it is about, what it did, and what that proves.
//!
//! ```text
//! snapshot   the work tree before and after    ─ git.rs, skills::check::Inputs
//! ```

mod digest;
mod snapshot;

pub use self::snapshot::Snapshot;
