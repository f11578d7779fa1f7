//! `.brief.json`: a rendered brief as programs read it.
//!
//! Evidence and approvals name its digest, which is that of the RFC 8785 form: how the file is laid
//! out on disk does not matter, a changed value does. It pins everything that the text was made from:
//! the package, the values, the bundles, and the checks *before* any work is done.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::boundary::Boundary;
use super::tables::{Deliverable, Escalation, Task};
use crate::digest::Sha256;
use crate::json;
use crate::name::PackageName;
use crate::refusal::Refusal;
use crate::version::Version;

/// The schema of the document. Nobody owns `.invalid`, so nobody can serve another one.
pub const SCHEMA: &str = "https://agent-skill.invalid/brief/v1";

/// Largest document, in bytes: a rendered text's worth of values, twice.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

/// A rendered brief.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: String,
    /// What files, tasks and evidence call this brief.
    pub id: String,
    /// The package that it was rendered from.
    pub from: From,
    /// The values, defaults included.
    pub params: Map<String, Value>,
    /// The operating boundary.
    pub boundary: Boundary,
    /// The bundles that the agent may use.
    pub tools: Vec<Used>,
    /// What has to be there in the end.
    pub deliverables: Vec<Deliverable>,
    /// What proves it.
    pub checks: Vec<PinnedCheck>,
    /// When to stop and ask.
    pub escalate: Vec<Escalation>,
    /// The task graph.
    pub tasks: Vec<Task>,
    /// The briefs that were rendered for tasks. Left out where there are none, so a brief without them
    /// has the digest that it always had; readers from before this field refuse one with them, as they
    /// must: they would not look at the children.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub briefs: Vec<SubBrief>,
    /// SHA-256 in hex of the `.brief.md` after its first line, the comment that names this file.
    pub body_sha256: String,
}

/// The package that a brief was rendered from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    /// Its name.
    pub package: PackageName,
    /// Its version.
    pub version: Version,
    /// The digest of its archive.
    pub digest: Sha256,
}

/// A package that is used, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Used {
    /// `scope/name@1.2.3`
    #[serde(rename = "use")]
    pub uses: String,
    /// The digest of its archive.
    pub digest: Sha256,
}

/// A check, exactly, and what it is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedCheck {
    /// What tasks and evidence call it.
    pub id: String,
    /// `scope/name@1.2.3`
    #[serde(rename = "use")]
    pub uses: String,
    /// The digest of its archive: evidence of another check's digest proves nothing here.
    pub digest: Sha256,
    /// Its values, defaults included.
    pub with: Map<String, Value>,
}

/// A brief that was rendered for a task, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubBrief {
    /// The task's id.
    pub task: String,
    /// The brief's own id: `<parent>-<task>`.
    pub id: String,
    /// `scope/name@1.2.3`
    #[serde(rename = "use")]
    pub uses: String,
    /// The digest of its document.
    pub digest: Sha256,
}

impl Document {
    /// Parses a `.brief.json`, strictly.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let document: Self = json::parse(bytes, DOCUMENT_BYTES_MAX)?;
        if document.schema != SCHEMA {
            let seen: String = document.schema.chars().take(80).collect();
            let message = format!("schema `{}` is not one that this program reads", seen.escape_debug());
            return Err(Refusal::new("brief-schema", message).hint(format!("expected `{SCHEMA}`")));
        }
        Ok(document)
    }

    /// The form that is stored: for people, and for diffs.
    pub fn to_pretty(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("keys are strings and numbers are finite");
        format!("{text}\n")
    }

    /// The digest of the RFC 8785 form, which is what evidence and approvals name.
    pub fn digest(&self) -> Sha256 {
        let canonical = serde_json_canonicalizer::to_vec(self);
        Sha256::of(canonical.expect("keys are strings and numbers are finite"))
    }

    /// Whether this is the text that was rendered with the document.
    pub fn is_of(&self, markdown: &str) -> bool {
        Sha256::of(body(markdown)).hex() == self.body_sha256
    }
}

/// The text after its first line, the comment.
pub(super) fn body(markdown: &str) -> &str {
    let rest = markdown.strip_prefix("<!--").and_then(|rest| rest.split_once("-->\n"));
    rest.filter(|(comment, _)| !comment.contains('\n')).map_or(markdown, |(_, body)| body)
}
