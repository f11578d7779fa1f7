//! Whom a repository trusts, and what it can show for it.
//!
//! `.skill/trust.toml` is written by people and reviewed by people. A command may *propose* a line
//! (a namespace met for the first time, an exception for a folder), never change or remove one.
//! `.skill/proofs/` holds what makes verification work offline: the bundle of every release in the
//! lock and the keyring of every scope.
//!
//! ```text
//! .skill/proofs/REGISTRY/SCOPE/keyring.jsonl
//! .skill/proofs/REGISTRY/SCOPE/NAME-VERSION.sigstore.jsonl
//! ```

use index::policy::Policy;
use skills::{FilePath, PackageName, Refusal, Scope, Sha256, TreeDigest, Version};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

use crate::failure::{Exit, Failure};
use crate::project::{Project, read_text, toml_sentence};

/// Largest `trust.toml` read, in bytes.
const TRUST_BYTES_MAX: usize = 1024 * 1024;

/// Where the policy is, relative to the project's root.
pub const TRUST_PATH: &str = ".skill/trust.toml";

/// What a repository without a policy starts from.
const START: &str = "# Whom this repository trusts. Reviewed like code: `skill` proposes lines here, people accept them.\n\
version = 1\ndefault = \"deny\"\n";

/// The text of the policy, and its meaning.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The exact text; its digest is in every report.
    pub text: String,
    /// What it says.
    pub policy: Policy,
}

impl Trust {
    /// Reads a project's policy; without a file nothing is trusted.
    pub fn read(project: &Project) -> Result<Self, Failure> {
        Self::parse(read_text(&project.root.join(TRUST_PATH), TRUST_BYTES_MAX)?)
    }

    /// Parses the text of a policy; the empty text is the empty policy.
    pub fn parse(text: String) -> Result<Self, Failure> {
        let policy = if text.is_empty() {
            Policy::empty()
        } else {
            Policy::parse(&text).map_err(|refusal| Failure::of(Exit::Usage, refusal).at(TRUST_PATH))?
        };
        Ok(Self { text, policy })
    }

    /// The same policy with a scope pinned to the keyring that it has today.
    pub fn with_pin(&self, scope: &Scope, registry: &str, root: Sha256) -> Result<Self, Failure> {
        let mut row = Table::new();
        row.insert("match", toml_edit::value(format!("{scope}/*")));
        row.insert("registry", toml_edit::value(registry));
        row.insert("keyring", toml_edit::value(root.to_string()));
        self.with_row("namespace", row)
    }

    /// The same policy with one unsigned skill let in, exactly as it is now.
    pub fn with_exception(
        &self,
        name: &PackageName,
        version: &Version,
        tree: TreeDigest,
        reason: &str,
    ) -> Result<Self, Failure> {
        let mut row = Table::new();
        row.insert("skill", toml_edit::value(format!("{name}@{version}")));
        row.insert("tree", toml_edit::value(tree.to_string()));
        row.insert("allow", toml_edit::value(toml_edit::Array::from_iter(["unsigned"])));
        row.insert("reason", toml_edit::value(reason));
        self.with_row("exception", row)
    }

    /// Appends a row to an array of tables, keeping every other byte.
    fn with_row(&self, array: &str, row: Table) -> Result<Self, Failure> {
        let text = if self.text.is_empty() { START } else { &self.text };
        let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            Failure::usage("policy-malformed", toml_sentence(text, error.message(), error.span())).at(TRUST_PATH)
        })?;
        let rows = document.entry(array).or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
        let Some(rows) = rows.as_array_of_tables_mut() else {
            return Err(
                Failure::usage("policy-malformed", format!("`{array}` is not written as `[[{array}]]`")).at(TRUST_PATH)
            );
        };
        rows.push(row);
        Self::parse(document.to_string())
    }
}

/// Where the bundle of a release is kept, relative to the project's root.
pub fn bundle_path(registry: &str, name: &PackageName, version: &Version) -> Result<String, Failure> {
    Ok(format!("{}/{}-{}.sigstore.jsonl", scope_folder(registry, name.scope())?, name.name(), version.number()))
}

/// Where the keyring of a scope is kept, relative to the project's root.
pub fn keyring_path(registry: &str, scope: &Scope) -> Result<String, Failure> {
    Ok(format!("{}/keyring.jsonl", scope_folder(registry, scope)?))
}

/// A registry's name comes from a stranger's file and becomes a folder: it has to be one lawful
/// path component.
fn scope_folder(registry: &str, scope: &Scope) -> Result<String, Failure> {
    let lawful = FilePath::parse(registry).and_then(|path| match path.as_str().contains('/') {
        true => {
            Err(Refusal::new("registry-name", format!("`{}` is not the name of a registry", registry.escape_debug())))
        }
        false => Ok(path),
    });
    Ok(format!(".skill/proofs/{}/{scope}", lawful?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Trust {
        Trust::parse(String::new()).expect("the empty policy")
    }

    #[test]
    fn a_pin_is_appended_and_nothing_else_changes() {
        let text = "# ours\nversion = 1\ndefault = \"deny\" # always\n";
        let trust = Trust::parse(text.to_owned()).expect("a policy");
        let scope = Scope::parse("acme").expect("a scope");
        let pinned = trust.with_pin(&scope, "skills.example", Sha256::of(b"root")).expect("a pin");
        assert!(pinned.text.starts_with(text), "{}", pinned.text);
        let name = PackageName::parse("acme/pdf").expect("a name");
        assert!(pinned.policy.namespace(&name).is_some());
        assert!(trust.policy.namespace(&name).is_none());
    }

    #[test]
    fn the_first_pin_starts_a_policy_that_denies() {
        let scope = Scope::parse("acme").expect("a scope");
        let pinned = empty().with_pin(&scope, "skills.example", Sha256::of(b"root")).expect("a pin");
        assert!(pinned.text.contains("default = \"deny\""));
    }

    #[test]
    fn a_registry_whose_name_is_a_path_is_refused() {
        let name = PackageName::parse("acme/pdf").expect("a name");
        let version = Version::parse("1.0.0").expect("a version");
        for registry in ["../x", "a/b", "/etc", "", "a\\b", "con"] {
            assert!(bundle_path(registry, &name, &version).is_err(), "{registry}");
        }
        assert_eq!(
            bundle_path("skills.example", &name, &version).expect("lawful"),
            ".skill/proofs/skills.example/acme/pdf-1.0.0.sigstore.jsonl"
        );
    }
}
