//! Filters of a search: what a package is, and what it can do by its archive (`caps`), never by its own word.

use skills::boundary::{Approval, DataClass};
use skills::check::Network;
use skills::manifest::Kind;
use skills::{Refusal, Scope};

use crate::shelf::Card;

/// Every filter with the values that it takes: what a refusal lists.
const FILTERS: [(&str, &str); 8] = [
    ("kind", "skill, brief, tools, check"),
    ("mutates", "true, false"),
    ("exec", "true, false"),
    ("network", "none, loopback, any"),
    ("data", "public, internal, confidential, restricted"),
    ("approval", "autonomous, ask-on-mutate, plan-first, human-executes"),
    ("env", "the name of an environment"),
    ("scope", "the name of a scope"),
];

/// One condition on a package.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Kind(Kind),
    Mutates(bool),
    Exec(bool),
    Network(String),
    Data(String),
    Approval(String),
    Environment(String),
    Scope(String),
}

impl Filter {
    /// Reads `key:value`, in lower case.
    pub(super) fn parse(word: &str) -> Result<Self, Refusal> {
        let (key, value) = word.split_once(':').unwrap_or((word, ""));
        let Some((_, values)) = FILTERS.iter().find(|(known, _)| *known == key) else {
            let known: Vec<&str> = FILTERS.iter().map(|(known, _)| *known).collect();
            let seen = format!("there is no filter `{}`", key.escape_debug());
            return Err(Refusal::new("query-malformed", seen).hint(format!("the filters are {}", known.join(", "))));
        };
        Self::read(key, value).ok_or_else(|| {
            let seen = format!("the filter `{key}` takes no `{}`", value.escape_debug());
            Refusal::new("query-malformed", seen).hint(format!("`{key}:` takes {values}"))
        })
    }

    fn read(key: &str, value: &str) -> Option<Self> {
        let word = value.to_owned();
        Some(match key {
            "kind" => Self::Kind(
                [Kind::Skill, Kind::Brief, Kind::Tools, Kind::Check].into_iter().find(|kind| kind.as_str() == value)?,
            ),
            "mutates" => Self::Mutates(value.parse().ok()?),
            "exec" => Self::Exec(value.parse().ok()?),
            "network" => {
                let known = [Network::None, Network::Loopback, Network::Any];
                Self::Network(known.into_iter().find(|known| known.as_str() == value).map(|_| word)?)
            }
            "data" => Self::Data(DataClass::parse(value).ok().map(|_| word)?),
            "approval" => Self::Approval(Approval::parse(value).ok().map(|_| word)?),
            "env" => Self::Environment((!value.is_empty()).then_some(word)?),
            "scope" => Self::Scope(Scope::parse(value).ok().map(|_| word)?),
            _ => return None,
        })
    }

    /// Whether a package is one. What has no boundary is cleared for nothing.
    pub(super) fn admits(&self, card: &Card) -> bool {
        let boundary = card.boundary.as_ref();
        match self {
            Self::Kind(kind) => card.kind == *kind,
            Self::Mutates(mutates) => card.caps.mutates == *mutates,
            Self::Exec(exec) => card.caps.exec == *exec,
            Self::Network(network) => card.caps.network == *network,
            Self::Data(data) => boundary.is_some_and(|boundary| boundary.data == *data),
            Self::Approval(approval) => boundary.is_some_and(|boundary| boundary.approval == *approval),
            Self::Environment(env) => boundary.is_some_and(|boundary| boundary.env.contains(env)),
            Self::Scope(scope) => card.name.scope().as_str() == scope,
        }
    }
}
