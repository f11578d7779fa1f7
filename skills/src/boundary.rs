//! The operating boundary as data (FORMATS §4): what kind of task, where, on which data, and how much
//! of it a human approves.
//!
//! Two of its four parts are orders, so that combining a brief with its bundles is `min` and `max` and
//! not a judgement: data flows only to what is cleared for it, and of two demands for approval the
//! stricter one counts. The other two are lists to be in.

use std::fmt;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::manifest::source::{LIST_MAX, Source};
use crate::refusal::Refusal;

/// How sensitive data is; later is more sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataClass {
    /// Anybody may read it.
    Public,
    /// Anybody who works here may read it.
    Internal,
    /// Those who need it may read it.
    Confidential,
    /// Named people may read it.
    Restricted,
}

/// How much a human approves; later is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// The agent works alone.
    Autonomous,
    /// It asks before it changes anything.
    AskOnMutate,
    /// A human approves the plan before anything else happens.
    PlanFirst,
    /// The agent prepares and a human carries out.
    HumanExecutes,
}

impl DataClass {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Public, Self::Internal, Self::Confidential, Self::Restricted];

    /// Parses the word of the manifest.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.into_iter().find(|class| class.as_str() == text);
        found.ok_or_else(|| not_a_word("data-class", text, &Self::ALL.map(Self::as_str)))
    }

    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Confidential => "confidential",
            Self::Restricted => "restricted",
        }
    }
}

impl Approval {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Autonomous, Self::AskOnMutate, Self::PlanFirst, Self::HumanExecutes];

    /// Parses the word of the manifest.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.into_iter().find(|approval| approval.as_str() == text);
        found.ok_or_else(|| not_a_word("approval", text, &Self::ALL.map(Self::as_str)))
    }

    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Autonomous => "autonomous",
            Self::AskOnMutate => "ask-on-mutate",
            Self::PlanFirst => "plan-first",
            Self::HumanExecutes => "human-executes",
        }
    }

    /// What holds when several have a say: the strictest of them.
    #[must_use]
    pub fn strictest(self, others: impl IntoIterator<Item = Self>) -> Self {
        others.into_iter().fold(self, Self::max)
    }
}

fn not_a_word(key: &str, seen: &str, words: &[&str]) -> Refusal {
    let seen: String = seen.chars().take(40).flat_map(char::escape_debug).collect();
    Refusal::new("boundary-word", format!("`{seen}` is not a value of `{key}`: expected {}", words.join(" < ")))
}

impl fmt::Display for DataClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The boundary of a tool bundle: what it may be used for, at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearance {
    /// The classes of task that it was made for.
    pub task_class: Vec<String>,
    /// The environments that it may be used in.
    pub environment: Vec<String>,
    /// The most sensitive data that it may see.
    pub data_class: DataClass,
    /// The least approval that its use needs.
    pub approval: Approval,
}

impl Clearance {
    /// Whether a brief for this environment and data may use the bundle; how much is approved then is
    /// [`Approval::strictest`] of all.
    pub fn admits(&self, environment: &str, data: DataClass) -> Result<(), Refusal> {
        if !self.environment.iter().any(|cleared| cleared == environment) {
            return Err(Refusal::new(
                "boundary-environment",
                format!("cleared for {}, asked for `{environment}`", self.environment.join(", ")),
            ));
        }
        if data > self.data_class {
            return Err(Refusal::new(
                "boundary-data",
                format!("cleared for data up to `{}`, asked for `{data}`", self.data_class),
            ));
        }
        Ok(())
    }
}

/// `[boundary]` of a bundle as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ClearanceTable {
    task_class: Spanned<Vec<Spanned<String>>>,
    environment: Spanned<Vec<Spanned<String>>>,
    data_class: DataClass,
    approval: Approval,
}

impl ClearanceTable {
    pub(crate) fn clearance(self, source: Source<'_>) -> Result<Clearance, Refusal> {
        Ok(Clearance {
            task_class: words(source, "task-class", self.task_class)?,
            environment: words(source, "environment", self.environment)?,
            data_class: self.data_class,
            approval: self.approval,
        })
    }
}

/// A list that has to be in force: an empty one would clear nothing, and read as clearing everything.
fn words(source: Source<'_>, key: &str, values: Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>, Refusal> {
    if values.get_ref().is_empty() {
        let message = format!("`{key}` is empty, so the bundle could be used nowhere");
        return Err(source.refuse("boundary-word", &values, message));
    }
    if let Some(bad) = values.get_ref().iter().find(|word| !is_word(word.get_ref())) {
        let message = format!("an entry of `{key}` is not a word of lower-case letters, digits and dashes");
        return Err(source.refuse("boundary-word", bad, message).hint("for example `staging`; `*` clears nothing"));
    }
    source.list(key, values.into_inner(), LIST_MAX)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_those_of_the_format() {
        assert!(DataClass::ALL.is_sorted() && Approval::ALL.is_sorted());
        for class in DataClass::ALL {
            assert_eq!(DataClass::parse(class.as_str()), Ok(class));
            assert_eq!(serde_json::to_string(&class).expect("JSON"), format!("\"{class}\""));
        }
        for approval in Approval::ALL {
            assert_eq!(Approval::parse(approval.as_str()), Ok(approval));
            assert_eq!(serde_json::to_string(&approval).expect("JSON"), format!("\"{approval}\""));
        }
        let refusal = DataClass::parse("secret").expect_err("not a word");
        assert_eq!(refusal.code, "boundary-word");
        assert!(refusal.message.contains("public < internal < confidential < restricted"), "{refusal}");
    }

    #[test]
    fn the_strictest_approval_holds() {
        let bundles = [Approval::AskOnMutate, Approval::HumanExecutes];
        assert_eq!(Approval::PlanFirst.strictest(bundles), Approval::HumanExecutes);
        assert_eq!(Approval::PlanFirst.strictest([]), Approval::PlanFirst);
    }

    #[test]
    fn a_bundle_admits_its_environments_and_data_up_to_its_class() {
        let clearance = Clearance {
            task_class: vec!["diagnose".into()],
            environment: vec!["dev".into(), "staging".into()],
            data_class: DataClass::Internal,
            approval: Approval::AskOnMutate,
        };
        let refuses = |environment, data, code| {
            assert_eq!(clearance.admits(environment, data).expect_err(code).code, code);
        };
        assert!(clearance.admits("staging", DataClass::Internal).is_ok());
        assert!(clearance.admits("dev", DataClass::Public).is_ok());
        refuses("production", DataClass::Public, "boundary-environment");
        refuses("dev", DataClass::Confidential, "boundary-data");
    }
}
