//! The operating boundary of a brief, and the two orders that narrow it.
//!
//! A brief and the bundles that it uses each state a boundary; what holds is the meet of them all:
//! the environment that everybody is cleared for, the strictest approval. A plain lattice, so that a
//! person can check it by looking.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// How secret the data may be that the work touches; later is more secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataClass {
    /// Anybody may read it.
    Public,
    /// The company may read it.
    Internal,
    /// Those who need it may read it.
    Confidential,
    /// Named people may read it.
    Restricted,
}

/// When a human is asked; later is stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// The agent works alone.
    Autonomous,
    /// The agent asks before it changes something.
    AskOnMutate,
    /// A human approves a plan before any work.
    PlanFirst,
    /// The agent prepares; a human executes.
    HumanExecutes,
}

/// The words of [`DataClass`], in their order.
const DATA_CLASSES: [(&str, DataClass); 4] = [
    ("public", DataClass::Public),
    ("internal", DataClass::Internal),
    ("confidential", DataClass::Confidential),
    ("restricted", DataClass::Restricted),
];

/// The words of [`Approval`], in their order.
const APPROVALS: [(&str, Approval); 4] = [
    ("autonomous", Approval::Autonomous),
    ("ask-on-mutate", Approval::AskOnMutate),
    ("plan-first", Approval::PlanFirst),
    ("human-executes", Approval::HumanExecutes),
];

impl DataClass {
    /// Parses one of the four words.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        word("data-class", &DATA_CLASSES, text)
    }

    /// The word in a manifest.
    pub fn as_str(self) -> &'static str {
        DATA_CLASSES[self as usize].0
    }
}

impl Approval {
    /// Parses one of the four words.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        word("approval", &APPROVALS, text)
    }

    /// The word in a manifest.
    pub fn as_str(self) -> &'static str {
        APPROVALS[self as usize].0
    }
}

fn word<T: Copy>(key: &str, words: &[(&str, T)], text: &str) -> Result<T, Refusal> {
    words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let seen: String = text.chars().take(80).collect();
        let message = format!("`{}` is not a value of `{key}`: expected {}", seen.escape_debug(), all.join(", "));
        Refusal::new("brief-boundary", message)
    })
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_orders_agree() {
        for pair in DATA_CLASSES.windows(2) {
            assert!(pair[0].1 < pair[1].1);
        }
        for pair in APPROVALS.windows(2) {
            assert!(pair[0].1 < pair[1].1);
        }
        for (word, class) in DATA_CLASSES {
            assert_eq!((class.as_str(), DataClass::parse(word)), (word, Ok(class)));
            assert_eq!(serde_json::to_value(class).expect("a word"), word);
        }
        for (word, approval) in APPROVALS {
            assert_eq!((approval.as_str(), Approval::parse(word)), (word, Ok(approval)));
            assert_eq!(serde_json::to_value(approval).expect("a word"), word);
        }
    }

    #[test]
    fn another_word_is_refused_with_the_words_there_are() {
        let refusal = Approval::parse("yolo").expect_err("not a word");
        assert_eq!(refusal.code, "brief-boundary");
        assert!(refusal.message.contains("autonomous, ask-on-mutate, plan-first, human-executes"), "{refusal}");
    }
}
