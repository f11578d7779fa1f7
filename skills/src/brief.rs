//! A brief: a typed template for work that recurs (FORMATS §3).
//!
//! The package says which parameters there are, which tools and checks, what has to be delivered and
//! who is asked when it gets difficult. Rendering joins that with values and gives two files: text
//! that an agent reads, and a document that programs read, of which the digest is what evidence and
//! approvals name. Templates are data: they see the parameters and nothing else, so the same package
//! and the same values give the same bytes, on every machine and in every year.
//!
//! ```text
//! skill.toml ─ tables ─┬─ param ── values ┐
//!                      ├─ graph           ├─ render ─ .brief.md  ─ lint
//! brief.md ── template ┴─ bundles, proofs ┘           .brief.json
//! ```
//!
//! What a bundle or a check says about itself comes in as plain data ([`uses`]): this module reads no
//! other package's manifest.

pub mod boundary;
pub mod document;
pub mod family;
pub mod graph;
pub mod lint;
pub mod param;
pub mod render;
pub mod sections;
pub mod stub;
pub mod tables;
pub mod template;
pub mod uses;

#[cfg(test)]
mod worked;

pub use document::Document;
pub use family::render_family;
pub use param::Params;
pub use render::{Rendered, Source, render};
pub use tables::Tables;
