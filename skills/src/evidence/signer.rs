//! Who may sign evidence and approvals, as a repository's policy registers them.
//!
//! How far a signer is independent stands in the registration of the key, never in what it signs: a
//! statement that calls itself independent is only a statement.

use serde::{Deserialize, Serialize};

use crate::key::PublicKey;

/// Who may sign what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// What the signer is called in reports.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// How far it is independent of the person whose work it judges.
    pub trust: Trust,
    /// What it may sign.
    pub roles: Vec<Role>,
}

/// How far a signer is independent; later is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Somebody's own machine: the agent that works there could use the key too.
    Local,
    /// The team's CI.
    Ci,
    /// Neither author nor reviewer controls it.
    Independent,
}

impl Trust {
    /// The word of the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Ci => "ci",
            Self::Independent => "independent",
        }
    }
}

/// What a signer may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Evidence of checks.
    Evidence,
    /// Approvals.
    Approval,
}

impl Role {
    /// The word of the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Approval => "approval",
        }
    }
}
