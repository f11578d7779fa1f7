//! The operating boundary of a brief: as its author wrote it, and as it holds once rendered.
//!
//! The words and their orders are those of [`crate::boundary`]. A brief's values may be templates, so
//! that one brief serves dev and staging; a bundle's are fixed, so that it serves no more than those.

use serde::{Deserialize, Serialize};

use crate::boundary::{Approval, DataClass};

/// `[boundary]` of a brief as its author wrote it: each value may be a template. What is left out is
/// the business of lint (B011), so that one look names all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct BoundaryTable {
    /// What kind of task it is: `schema-change`.
    pub task_class: Option<String>,
    /// Where the work happens: `staging`.
    pub environment: Option<String>,
    /// A [`DataClass`].
    pub data_class: Option<String>,
    /// An [`Approval`].
    pub approval: Option<String>,
}

impl BoundaryTable {
    /// The four values with their keys, in the order of the manifest.
    pub fn fields(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("task-class", self.task_class.as_deref()),
            ("environment", self.environment.as_deref()),
            ("data-class", self.data_class.as_deref()),
            ("approval", self.approval.as_deref()),
        ]
    }
}

/// The boundary of a rendered brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundary {
    /// What kind of task it is.
    pub task_class: String,
    /// Where the work happens.
    pub environment: String,
    /// How secret the data may be.
    pub data_class: DataClass,
    /// When a human is asked: the strictest of brief and bundles.
    pub approval: Approval,
}
