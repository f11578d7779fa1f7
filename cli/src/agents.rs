//! Where each agent reads skills: one table, as data, in `agents.tsv`.
//!
//! Skills live in `.agents/skills/<name>`. An agent that reads that folder needs nothing else; for
//! every other agent used in a repository a link to it, or a copy, is placed in the agent's own
//! folder. Several agents read more than one folder and show a skill twice when it is in both, so
//! only agents that are configured, or whose own folder is already here, get a link.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use index::lock::LinkKind;

use crate::failure::Failure;

/// The one canonical place, relative to the repository or to the user's folder.
pub const CANONICAL: &str = ".agents/skills";

const TABLE: &str = include_str!("agents.tsv");

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// What `--agent` and `[agents] use` call it.
    pub name: &'static str,
    /// Its folder in a repository.
    pub project: &'static str,
    /// Its folder for the user; `None` where it has none.
    pub user: Option<&'static str>,
}

impl Agent {
    /// Every agent that we know, by name.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let mut cells = line.split('\t');
            let mut cell = || cells.next().expect("every row of agents.tsv has three cells");
            let (name, project, user) = (cell(), cell(), cell());
            Self { name, project, user: user.strip_prefix("~/") }
        })
    }

    /// The agent of this name.
    pub fn named(name: &str) -> Result<Self, Failure> {
        Self::all().find(|agent| agent.name == name).ok_or_else(|| {
            let near =
                Self::all().map(|agent| agent.name).min_by_key(|known| distance(known, name)).unwrap_or("claude-code");
            Failure::usage("agent-unknown", format!("no agent is called `{}`", name.escape_debug()))
                .hint(format!("did you mean `{near}`? `skill doctor` lists the agents found here"))
        })
    }

    /// The folder that this agent needs beside the canonical one, relative to the placing root
    /// `places`; `None` where it needs none.
    pub fn own_folder(&self, global: bool, places: &Path) -> Result<Option<PathBuf>, Failure> {
        let folder = if global { self.user_folder(places)? } else { Some(PathBuf::from(self.project)) };
        Ok(folder.filter(|folder| folder != Path::new(CANONICAL)))
    }

    /// Agents that cannot follow links get copies, whatever is configured.
    pub fn link_kind(&self, configured: LinkKind) -> LinkKind {
        if self.name == "eve" { LinkKind::Copy } else { configured }
    }

    /// Below the user's folder, as everything that the lock records has to be.
    fn user_folder(&self, places: &Path) -> Result<Option<PathBuf>, Failure> {
        let moved = (self.name == "claude-code").then(|| std::env::var_os("CLAUDE_CONFIG_DIR")).flatten();
        let Some(moved) = moved.filter(|folder| !folder.is_empty()) else { return Ok(self.user.map(PathBuf::from)) };
        let moved = Path::new(&moved).join("skills");
        match moved.strip_prefix(places) {
            Ok(below) => Ok(Some(below.to_owned())),
            Err(_) => Err(Failure::could_not(
                "agent-outside-home",
                format!("CLAUDE_CONFIG_DIR puts skills into `{}`, outside the user's folder", moved.display()),
            )
            .hint("unset CLAUDE_CONFIG_DIR for this command, or name other agents under [agents]")),
        }
    }
}

/// The agents that have a dot-folder of their own below `root`: they are used here. Agents whose
/// folder could be anything (`skills`, `data/skills`) are never guessed.
pub fn found(root: &Path) -> Vec<Agent> {
    let mut seen = BTreeSet::new();
    let own = Agent::all().filter(|agent| agent.project != CANONICAL && agent.project.starts_with('.'));
    own.filter(|agent| root.join(first_component(agent.project)).is_dir())
        .filter(|agent| seen.insert(agent.project))
        .collect()
}

fn first_component(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// Edits between two short names (Levenshtein), for the hint only.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.chars().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_sorted_and_unique() {
        let names: Vec<&str> = Agent::all().map(|agent| agent.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert_eq!(names.len(), 79);
        for agent in Agent::all() {
            assert!(agent.project.ends_with("skills"), "{agent:?}");
        }
    }

    #[test]
    fn an_agent_that_reads_the_canonical_folder_needs_no_other() {
        assert_eq!(Agent::named("codex").expect("known").own_folder(false, Path::new("/r")).expect("known"), None);
        assert_eq!(
            Agent::named("claude-code").expect("known").own_folder(false, Path::new("/r")).expect("known"),
            Some(".claude/skills".into())
        );
    }

    #[test]
    fn a_misspelt_agent_is_refused_with_the_nearest_name() {
        let failure = Agent::named("claud-code").expect_err("no such agent");
        assert!(failure.hint.expect("a hint").contains("`claude-code`"));
    }
}
