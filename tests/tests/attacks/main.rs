//! The attacks, each by its name: on the registry with a crafted upload, on the client with a lying
//! mirror.
//!
//! What is forged here is signed with the scope's own key wherever the attack is not about the
//! signature: a publisher whose machine was taken over can sign anything, and the laws still hold.

mod archives;
mod bodies;
mod branches;
mod checks;
mod evidence;
mod kinds;
mod ledgers;
mod mirrors;
mod names;
mod signatures;
mod stage;
mod tokens;
