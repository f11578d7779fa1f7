//! `skill.toml` as it is written: every table and key that schema 1 knows.
//!
//! Unknown keys are errors, so that a typo is not a silent default; `[x.…]` is free for third
//! parties. The tables that belong to one kind are only seen to be there: once it is known that they
//! belong to this one, `tools`, `check` and `brief` read them, as strictly.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::{Spanned, Table, Value};

use super::Kind;
use crate::name::PackageName;
use crate::path::FilePath;
use crate::statement::Dependency;
use crate::version::{Requirement, Version};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wire {
    pub(super) package: PackageTable,
    #[serde(default)]
    pub(super) requires: RequiresTable,
    #[serde(default)]
    pub(super) dependencies: Dependencies,
    pub(super) evals: Option<Spanned<Evals>>,
    pub(super) boundary: Option<Spanned<Value>>,
    pub(super) param: Option<Spanned<Value>>,
    pub(super) brief: Option<Spanned<Value>>,
    pub(super) server: Option<Spanned<Value>>,
    pub(super) rule: Option<Spanned<Value>>,
    pub(super) grant: Option<Spanned<Value>>,
    pub(super) check: Option<Spanned<Value>>,
    /// Reserved for third parties, and theirs to read.
    #[serde(rename = "x")]
    _third_parties: Option<Table>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct PackageTable {
    #[serde(rename = "schema")]
    _schema: i64,
    pub(super) name: PackageName,
    pub(super) version: Version,
    pub(super) kind: Kind,
    pub(super) description: Option<Spanned<String>>,
    pub(super) license: Option<Spanned<String>>,
    /// Only here to be refused with a better sentence than "unknown".
    pub(super) compatibility: Option<Spanned<Value>>,
    pub(super) allowed_tools: Option<Spanned<Value>>,
    #[serde(default)]
    pub(super) owners: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) keywords: Vec<Spanned<String>>,
    pub(super) repository: Option<Spanned<String>>,
    pub(super) homepage: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) include: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) exclude: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RequiresTable {
    pub(super) bins: Vec<Spanned<String>>,
    pub(super) env: Vec<Spanned<String>>,
    pub(super) os: Vec<Spanned<String>>,
    pub(super) agents: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Evals {
    pub(super) file: FilePath,
}

/// The dependencies in the author's order, each package once however it is spelt.
#[derive(Default)]
pub(super) struct Dependencies(pub(super) Vec<Dependency>);

impl<'de> Deserialize<'de> for Dependencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DependenciesVisitor)
    }
}

struct DependenciesVisitor;

impl<'de> Visitor<'de> for DependenciesVisitor {
    type Value = Dependencies;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of `\"scope/name\" = \"requirement\"`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Dependencies, A::Error> {
        let mut all: Vec<Dependency> = Vec::new();
        while let Some(name) = entries.next_key::<PackageName>()? {
            let req = entries.next_value::<Requirement>()?;
            if all.iter().any(|dependency| dependency.name == name) {
                return Err(A::Error::custom(format_args!("dependency `{name}` appears twice")));
            }
            all.push(Dependency { name, req });
        }
        Ok(Dependencies(all))
    }
}

/// The schema number alone, read before anything else can fail on what is newer.
#[derive(Deserialize)]
pub(super) struct SchemaProbe {
    pub(super) package: Option<SchemaTable>,
}

#[derive(Deserialize)]
pub(super) struct SchemaTable {
    pub(super) schema: Option<Spanned<i64>>,
}
