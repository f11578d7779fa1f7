//! The four kinds of package, and which may need which.
//!
//! A manifest names its dependencies and not their kinds: the kind of a dependency is what the index
//! entry of the resolved version says (and the signed statement behind it). So a manifest alone cannot
//! break this law. It is asked where both kinds are known: by the resolver for each candidate, by the
//! registry when it admits a release, and again at install for what the lock names.

use serde::{Deserialize, Serialize};

use crate::name::PackageName;
use crate::refusal::Refusal;

/// What kind of package it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A plain Agent Skills folder.
    Skill,
    /// A typed template for recurring work.
    Brief,
    /// A bundle of tools with a boundary.
    Tools,
    /// A program that proves that work is done.
    Check,
}

impl Kind {
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skill => "skill",
            Self::Brief => "brief",
            Self::Tools => "tools",
            Self::Check => "check",
        }
    }

    /// The kinds that a package of this kind may need.
    pub fn may_need(self) -> &'static [Self] {
        match self {
            Self::Skill => &[Self::Skill, Self::Brief, Self::Tools, Self::Check],
            Self::Brief => &[Self::Tools, Self::Check, Self::Brief, Self::Skill],
            // A check that pulled in instructions for agents would change who is being judged.
            Self::Check => &[Self::Tools, Self::Check],
            // A bundle only narrows: it brings no prose to read and no program to run along.
            Self::Tools => &[Self::Tools],
        }
    }
}

/// Whether a package of the one kind may depend on a package of the other (FORMATS §1).
pub fn kind_may_depend_on(dependent: Kind, dependency: Kind) -> bool {
    dependent.may_need().contains(&dependency)
}

/// The same decision about two packages, with the sentence for the one that is refused.
pub fn check_dependency(dependent: (&PackageName, Kind), dependency: (&PackageName, Kind)) -> Result<(), Refusal> {
    if kind_may_depend_on(dependent.1, dependency.1) {
        return Ok(());
    }
    let allowed: Vec<&str> = dependent.1.may_need().iter().map(|kind| kind.as_str()).collect();
    Err(Refusal::new(
        "kind-dependency",
        format!(
            "`{}` is of kind `{}` and may depend on {} only, `{}` is of kind `{}`",
            dependent.0,
            dependent.1.as_str(),
            allowed.join(", "),
            dependency.0,
            dependency.1.as_str()
        ),
    )
    .hint("let a brief or a skill bring the two together"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_depend_on_whom_is_this_table() {
        use Kind::{Brief, Check, Skill, Tools};
        let kinds = [Skill, Brief, Tools, Check];
        for (dependent, row) in [
            (Skill, [true, true, true, true]),
            (Brief, [true, true, true, true]),
            (Tools, [false, false, true, false]),
            (Check, [false, false, true, true]),
        ] {
            let seen = kinds.map(|dependency| kind_may_depend_on(dependent, dependency));
            assert_eq!(seen, row, "{dependent:?} on {kinds:?}");
        }
    }

    #[test]
    fn a_refused_dependency_names_both_packages_and_what_is_allowed() {
        let name = |text| PackageName::parse(text).expect("a name");
        let (tools, skill) = (name("acme/pg"), name("acme/pdf"));
        assert!(check_dependency((&skill, Kind::Skill), (&tools, Kind::Tools)).is_ok());
        let refusal = check_dependency((&tools, Kind::Tools), (&skill, Kind::Skill)).expect_err("a skill");
        assert_eq!(refusal.code, "kind-dependency");
        let expected = "`acme/pg` is of kind `tools` and may depend on tools only, `acme/pdf` is of kind `skill`";
        assert_eq!(refusal.message, expected);
    }
}
