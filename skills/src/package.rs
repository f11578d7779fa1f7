//! What may be published: a tree whose manifest, front matter and files agree.

use serde::{Deserialize, Serialize};

use crate::manifest::{Kind, Requires};
use crate::name::PackageName;
use crate::refusal::Refusal;
use crate::statement::Dependency;
use crate::tree::Tree;
use crate::version::Version;

/// What a package can do, computed from its files, never declared (FORMATS §2, `caps`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Whether any file may be executed.
    pub exec: bool,
    /// How many of its files are scripts.
    pub scripts: u32,
    /// The servers that it starts; none before tool bundles come.
    #[serde(default)]
    pub servers: Vec<Server>,
    /// Whether a tool of it changes something.
    #[serde(default)]
    pub mutates: bool,
    /// Which hosts its servers reach.
    #[serde(default)]
    pub network: String,
    /// How many permissions it grants.
    #[serde(default)]
    pub grants: u32,
    /// Whether `SKILL.md` has `allowed-tools`, which grants them.
    pub allowed_tools: bool,
}

/// A server of a tool bundle, by its pin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// Its name in the bundle.
    pub id: String,
    /// What exactly is started: `npm:pg-readonly-mcp@0.6.2`.
    pub pin: String,
}

/// A package that may be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its full name.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Its kind.
    pub kind: Kind,
    /// When an agent should reach for it.
    pub description: String,
    /// Its licence.
    pub license: Option<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// What it needs.
    pub dependencies: Vec<Dependency>,
    /// What it needs of the machine.
    pub requires: Requires,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Its files.
    pub tree: Tree,
}

impl Package {
    /// Decides whether a tree may be published. Name and version come from `skill.toml`, or are
    /// given; given and in the manifest, they must agree.
    pub fn from_tree(_tree: Tree, _name: Option<&PackageName>, _version: Option<&Version>) -> Result<Self, Refusal> {
        todo!("the decision")
    }
}
