//! `[policy]` of `skills.toml`: what this repository installs and grants at all.
//!
//! Trust says whom we believe; this says what we want even of those we believe. Four orders and two
//! lists that deny first: all of it can be reviewed by reading.
//!
//! ```toml
//! [policy]
//! scopes.allow      = ["acme", "vetted"]
//! deny              = ["acme/legacy-*", "evil/*"]
//! require-signature = true
//! grants            = "ask"             # or "deny": nothing is ever approved here
//! max-data-class    = "internal"
//! environments      = ["dev", "staging"]
//! evidence.trust    = "ci"              # the least trust of who signed evidence
//! ```

use serde::Deserialize;
use skills::boundary::{Clearance, DataClass};
use skills::{PackageName, Scope};

use crate::failure::{Exit, Failure};

/// The table, strictly read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorkspacePolicy {
    /// The only scopes that anything comes from.
    #[serde(default)]
    pub scopes: Scopes,
    /// What is never installed; it wins over every list that allows.
    #[serde(default)]
    pub deny: Vec<Pattern>,
    /// Whether folders, which nobody signs, are refused.
    #[serde(default)]
    pub require_signature: bool,
    /// Whether grants may be approved.
    #[serde(default)]
    pub grants: Grants,
    /// The most sensitive data that a bundle may be cleared for.
    pub max_data_class: Option<DataClass>,
    /// The environments that are worked on here; a bundle has to be cleared for one of them.
    pub environments: Option<Vec<String>>,
    /// What evidence has to be.
    #[serde(default)]
    pub evidence: Evidence,
}

/// `scopes`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scopes {
    /// `None`: all of them.
    pub allow: Option<Vec<Scope>>,
}

/// `evidence`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The least trust in who signed it; `None`: what the check says.
    pub trust: Option<EvidenceTrust>,
}

/// Who has to have signed evidence, at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceTrust {
    /// A developer's key.
    Local,
    /// A key of CI.
    Ci,
}

/// Whether grants may be approved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grants {
    /// A human is asked.
    #[default]
    Ask,
    /// Never.
    Deny,
}

/// `scope/name`, with `*` at its end for any rest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(String);

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fixed = text.strip_suffix('*').unwrap_or(&text);
        let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '/');
        let slashes = text.matches('/').count();
        let whole = PackageName::parse(&text).is_ok();
        let open =
            text.ends_with('*') && fixed.chars().all(lawful) && slashes <= 1 && (slashes == 1 || fixed.is_empty());
        if whole || open {
            return Ok(Self(text));
        }
        Err(format!("`{}` is not `scope/name`, `scope/*` or `*`", text.escape_debug()))
    }
}

impl Pattern {
    fn fits(&self, name: &PackageName) -> bool {
        let name = name.to_string();
        match self.0.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == self.0,
        }
    }
}

impl WorkspacePolicy {
    /// What both this and another policy let through: a change under review cannot ask for less than its base.
    #[must_use]
    pub fn stricter(mut self, other: &Self) -> Self {
        fn both<T: Clone + PartialEq>(one: Option<Vec<T>>, other: &Option<Vec<T>>) -> Option<Vec<T>> {
            match (one, other) {
                (Some(one), Some(other)) => Some(one.into_iter().filter(|item| other.contains(item)).collect()),
                (one, other) => one.or_else(|| other.clone()),
            }
        }
        self.scopes.allow = both(self.scopes.allow, &other.scopes.allow);
        self.environments = both(self.environments, &other.environments);
        self.deny.extend(other.deny.iter().cloned());
        self.require_signature |= other.require_signature;
        if other.grants == Grants::Deny {
            self.grants = Grants::Deny;
        }
        self.max_data_class = self.max_data_class.into_iter().chain(other.max_data_class).min();
        self.evidence.trust = self.evidence.trust.max(other.evidence.trust);
        self
    }

    /// Whether a package may be installed here, whatever it is; `signed`: it comes from a registry.
    pub fn admits(&self, name: &PackageName, signed: bool) -> Result<(), Failure> {
        let refused = |code: &str, why: String| {
            Err(Failure::new(Exit::Policy, code, format!("[policy] of skills.toml {why}"))
                .hint("whoever owns skills.toml decides; it is changed like code"))
        };
        if let Some(pattern) = self.deny.iter().find(|pattern| pattern.fits(name)) {
            return refused("policy-denied", format!("denies `{}`, which `{name}` is", pattern.0));
        }
        if let Some(allow) = &self.scopes.allow
            && !allow.contains(name.scope())
        {
            return refused("policy-scope", format!("does not allow scope `{}` of `{name}`", name.scope()));
        }
        if self.require_signature && !signed {
            return refused(
                "policy-signature",
                format!("requires signatures, and nobody signed `{name}`: it is a folder"),
            );
        }
        Ok(())
    }

    /// Whether a bundle may be used here, by its boundary.
    pub fn clears(&self, name: &PackageName, clearance: &Clearance) -> Result<(), Failure> {
        if let Some(most) = self.max_data_class.filter(|most| clearance.data_class > *most) {
            let seen = clearance.data_class;
            let message = format!("[policy] of skills.toml allows data up to `{most}`, `{name}` is made for `{seen}`");
            return Err(Failure::new(Exit::Policy, "policy-data-class", message));
        }
        let Some(here) = &self.environments else { return Ok(()) };
        if clearance.environment.iter().any(|environment| here.contains(environment)) {
            return Ok(());
        }
        let (here, seen) = (here.join(", "), clearance.environment.join(", "));
        let message = format!("[policy] of skills.toml is for {here}, `{name}` is cleared for {seen}");
        Err(Failure::new(Exit::Policy, "policy-environment", message))
    }
}

#[cfg(test)]
mod tests {
    use skills::boundary::Approval;

    use super::*;

    fn policy(text: &str) -> WorkspacePolicy {
        toml::from_str(text).expect(text)
    }

    fn name(text: &str) -> PackageName {
        PackageName::parse(text).expect("a name")
    }

    #[test]
    fn what_is_denied_is_denied_whatever_else_allows_it() {
        let policy = policy(
            "scopes.allow = [\"acme\"]\ndeny = [\"acme/legacy-*\", \"evil/*\", \"acme/one\"]\nrequire-signature = true",
        );
        for (package, signed, code) in [
            ("acme/tools", true, None),
            ("acme/tools", false, Some("policy-signature")),
            ("acme/legacy-x", true, Some("policy-denied")),
            ("acme/one", true, Some("policy-denied")),
            ("acme/one-more", true, None),
            ("evil/x", true, Some("policy-denied")),
            ("other/x", true, Some("policy-scope")),
        ] {
            let seen = policy.admits(&name(package), signed).err();
            assert_eq!(seen.as_ref().map(|failure| failure.code.as_str()), code, "{package}");
            assert!(seen.is_none_or(|failure| failure.exit == Exit::Policy));
        }
        assert!(WorkspacePolicy::default().admits(&name("a/b"), false).is_ok());
    }

    #[test]
    fn a_bundle_is_cleared_for_an_environment_of_here_and_no_more_data_than_here() {
        let clearance = |data_class| Clearance {
            task_class: vec!["diagnose".into()],
            environment: vec!["dev".into(), "staging".into()],
            data_class,
            approval: Approval::AskOnMutate,
        };
        let policy = policy("max-data-class = \"internal\"\nenvironments = [\"staging\"]");
        assert!(policy.clears(&name("a/b"), &clearance(DataClass::Internal)).is_ok());
        let refused = policy.clears(&name("a/b"), &clearance(DataClass::Restricted)).expect_err("too much");
        assert_eq!((refused.exit, refused.code.as_str()), (Exit::Policy, "policy-data-class"));
        let policy = super::tests::policy("environments = [\"production\"]");
        let refused = policy.clears(&name("a/b"), &clearance(DataClass::Public)).expect_err("elsewhere");
        assert_eq!(refused.code, "policy-environment");
    }

    #[test]
    fn of_two_policies_everything_counts_that_is_stricter() {
        let strict = policy(
            "scopes.allow = [\"acme\"]\ndeny = [\"acme/x\"]\nrequire-signature = true\ngrants = \"deny\"\n\
             max-data-class = \"internal\"\nenvironments = [\"dev\"]\nevidence.trust = \"ci\"",
        );
        assert_eq!(WorkspacePolicy::default().stricter(&strict), strict);
        assert_eq!(strict.clone().stricter(&WorkspacePolicy::default()), strict);
        let other = policy("scopes.allow = [\"evil\"]\nmax-data-class = \"restricted\"\nevidence.trust = \"local\"");
        let both = other.stricter(&strict);
        assert_eq!(both.scopes.allow, Some(Vec::new()));
        assert_eq!((both.max_data_class, both.evidence.trust), (strict.max_data_class, strict.evidence.trust));
    }

    #[test]
    fn a_pattern_has_its_star_at_the_end() {
        for text in ["*", "a/*", "a/b", "a/b-*"] {
            assert!(Pattern::try_from(text.to_owned()).is_ok(), "{text}");
        }
        for text in ["", "a", "a*", "*/b", "a/*/c", "a/b/*", "A/*", "a/**"] {
            assert!(Pattern::try_from(text.to_owned()).is_err(), "{text}");
        }
        assert_eq!(policy("evidence.trust = \"ci\"").evidence.trust, Some(EvidenceTrust::Ci));
    }
}
