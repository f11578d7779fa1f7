//! Who keeps the promise: the server `skill-registry`.
//!
//! What a publish promises (a version is there, whole, for ever, exactly as it was signed) is made binding
//! here and nowhere else. The thinking is in `skills` and `index`, which are pure; this room adds the
//! outer world: sockets, clocks, random tokens, a database, a disk.
//!
//! ```text
//! publish   http::publish: receive → admit (pure) → blobs → store (one change) → answer
//! serve     serve → http (one table of routes) → shelf, in memory
//! start     home (lock, name) → sqlite → shelf (replayed from rows) → serve
//! check     check: rows, blobs, bundles and index files agree
//! ```
//!
//! Invariants:
//! 1. A blob is durable before the row that names it; the row is the commit point ([`store`], [`blobs`]).
//! 2. Index files are a pure function of rows ([`shelf`]).
//! 3. No token is kept, logged or answered a second time ([`token`]).
//! 4. Every route is in one table, and the tests hold each to what the table says ([`http`]).

pub mod admit;
pub mod answer;
pub mod app;
pub mod blobs;
pub mod check;
pub mod command;
pub mod config;
pub mod discovery;
pub mod home;
pub mod http;
mod linger;
pub mod metrics;
pub mod rates;
pub mod search;
pub mod serve;
pub mod shelf;
pub mod sqlite;
pub mod store;
pub mod token;
