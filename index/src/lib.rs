//! What the registry says.
//!
//! The statements of a registry, and how a client judges them: index entries, the URL layout, API
//! bodies with the table of refusal codes, the lockfile, keyring chains, the trust policy, release
//! verification and resolution. The registry writes with this room and the CLI reads with it, so
//! the two cannot disagree about a byte.
//!
//! This room is pure: it opens no file, socket, environment variable, clock or random source. Dates
//! come in as values. What a *publisher* states is in `skills`.
//!
//! ```text
//! urls ── api          where to ask, what is asked and answered
//! entry ── resolve     what exists, and which of it fits together
//! lock                 what was resolved and written
//! keyring ┐
//! policy ─┴─ verify    whether a release is believed: the only maker of `Verified`
//! ```

pub mod api;
pub mod entry;
pub mod keyring;
pub mod lock;
pub mod policy;
pub mod resolve;
pub mod urls;
pub mod verify;

#[cfg(test)]
mod reference;
