//! `[boundary]`, `[param.X]` and `[brief]` of a brief's manifest, read strictly.
//!
//! The other tables are those of every package and belong to [`crate::manifest`]; here they are
//! passed over. What a *person* should have thought of (a check, an escalation point, a graph without
//! a cycle) is not refused here but found by lint, all of it at one look; what no reader could
//! understand is refused.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use toml::Spanned;

use super::boundary::BoundaryTable;
use super::param::Params;
use crate::name::PackageName;
use crate::path::FilePath;
use crate::refusal::Refusal;

/// Most entries in any list of a brief: more than this nobody reads, and lint is quadratic in some.
const LIST_MAX: usize = 64;

/// Longest id in a brief, in bytes.
const ID_BYTES_MAX: usize = 64;

/// The tables that make a package a brief.
#[derive(Debug, Clone, PartialEq)]
pub struct Tables {
    /// `[boundary]`
    pub boundary: BoundaryTable,
    /// `[param.X]`, in the author's order.
    pub params: Params,
    /// `[brief]`
    pub brief: BriefTable,
}

/// `[brief]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BriefTable {
    /// The template's file in the package.
    pub template: FilePath,
    /// The bundles that the agent may use; `[]` says none, nothing at all says that nobody thought of it.
    pub tools: Option<Vec<PackageName>>,
    /// What has to be there in the end.
    #[serde(default, rename = "deliverable")]
    pub deliverables: Vec<Deliverable>,
    /// What proves it.
    #[serde(default, rename = "check")]
    pub checks: Vec<Check>,
    /// When to stop and ask.
    #[serde(default)]
    pub escalate: Vec<Escalation>,
    /// The task graph.
    #[serde(default, rename = "task")]
    pub tasks: Vec<Task>,
    /// Whether a thin `SKILL.md` is made at install.
    #[serde(default = "yes")]
    pub skill_stub: bool,
}

/// `[[brief.deliverable]]`: a file that has to be there in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliverable {
    /// What tasks call it.
    pub id: String,
    /// Where it will lie in the repository; a template.
    pub path: String,
    /// What it is: `sql`, `markdown`.
    pub kind: String,
}

/// `[[brief.check]]`: a check, and what it is told.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What tasks and evidence call it.
    pub id: String,
    /// The package.
    #[serde(rename = "use")]
    pub uses: PackageName,
    /// Its parameters; texts are templates.
    #[serde(default)]
    pub with: Map<String, Value>,
}

/// `[[brief.escalate]]`: when to stop and ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// The condition; a template.
    pub when: String,
    /// Who is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// `[[brief.task]]`: a node of the task graph.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Task {
    /// What other tasks call it.
    pub id: String,
    /// The tasks that come before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Ids of deliverables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub makes: Vec<String>,
    /// Ids of checks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// What a human does here: `approve`, `merge`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub human: Option<String>,
    /// Which human.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// A brief that is rendered for this task.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub uses: Option<PackageName>,
    /// Its parameters; texts are templates.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
}

/// What this module reads of a manifest; the rest is passed over.
#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    boundary: BoundaryTable,
    #[serde(default)]
    param: Params,
    brief: Spanned<BriefTable>,
}

fn yes() -> bool {
    true
}

impl Tables {
    /// Parses the three tables of the text of a `skill.toml`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let wire: Wire = toml::from_str(text).map_err(|error| malformed(text, &error))?;
        let tables = Self { boundary: wire.boundary, params: wire.param, brief: wire.brief.into_inner() };
        tables.params.check_tables()?;
        tables.check_ids()?;
        tables.check_tasks()?;
        Ok(tables)
    }

    /// The packages that the brief uses, each with the place that says so.
    pub fn uses(&self) -> Vec<(&PackageName, String)> {
        let tools = self.brief.tools.iter().flatten().map(|name| (name, "[brief] tools".to_owned()));
        let checks = self.brief.checks.iter().map(|check| (&check.uses, format!("[[brief.check]] `{}`", check.id)));
        let tasks = self.brief.tasks.iter().filter_map(|task| Some((task.uses.as_ref()?, &task.id)));
        tools.chain(checks).chain(tasks.map(|(name, id)| (name, format!("[[brief.task]] `{id}`")))).collect()
    }

    /// Ids are unique in their list: two tasks of one name would be two nodes for one arrow.
    fn check_ids(&self) -> Result<(), Refusal> {
        let brief = &self.brief;
        let ids: [(&str, Vec<&str>); 3] = [
            ("deliverable", brief.deliverables.iter().map(|deliverable| deliverable.id.as_str()).collect()),
            ("check", brief.checks.iter().map(|check| check.id.as_str()).collect()),
            ("task", brief.tasks.iter().map(|task| task.id.as_str()).collect()),
        ];
        let lists = [brief.escalate.len(), brief.tools.as_ref().map_or(0, Vec::len)];
        if lists.into_iter().chain(ids.iter().map(|(_, ids)| ids.len())).any(|length| length > LIST_MAX) {
            return Err(Refusal::new("brief-limit", format!("a list of `[brief]` has more than {LIST_MAX} entries")));
        }
        for (what, ids) in ids {
            for (at, id) in ids.iter().enumerate() {
                if !is_id(id) {
                    let message = format!("`{}` is not the id of a {what}", id.escape_debug());
                    return Err(Refusal::new("brief-malformed", message)
                        .hint("lower-case ASCII letters and digits, joined by single dashes"));
                }
                if ids[..at].contains(id) {
                    return Err(Refusal::new("brief-malformed", format!("two {what}s are called `{id}`")));
                }
            }
        }
        Ok(())
    }

    /// A node makes, checks, renders a brief or waits for a human: one of these, so that `status` can say which.
    fn check_tasks(&self) -> Result<(), Refusal> {
        for task in &self.brief.tasks {
            let kinds = [!task.makes.is_empty(), !task.checks.is_empty(), task.human.is_some(), task.uses.is_some()];
            let refuse =
                |message: String| Err(Refusal::new("brief-malformed", format!("task `{}` {message}", task.id)));
            match kinds.iter().filter(|kind| **kind).count() {
                1 => {}
                0 => return refuse("does nothing: expected `makes`, `checks`, `human` or `use`".to_owned()),
                _ => return refuse("is of two kinds: expected one of `makes`, `checks`, `human`, `use`".to_owned()),
            }
            if task.by.is_some() && task.human.is_none() {
                return refuse("says `by` whom, but waits for no `human`".to_owned());
            }
            if !task.with.is_empty() && task.uses.is_none() {
                return refuse("has `with`, but no `use` that it is for".to_owned());
            }
        }
        Ok(())
    }
}

fn is_id(text: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.len() <= ID_BYTES_MAX && text.split('-').all(word)
}

/// The sentence of a TOML error, with its line. A parameter's own refusal keeps its code (and hint).
fn malformed(text: &str, error: &toml::de::Error) -> Refusal {
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    let place = error.span().map_or_else(String::new, |span| {
        let before = &text.as_bytes()[..span.start.min(text.len())];
        format!(" line {}", 1 + before.iter().filter(|&&b| b == b'\n').count())
    });
    Refusal::new("brief-malformed", format!("skill.toml{place}: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("samples/migration.toml");

    fn refuses(from: &str, to: &str, code: &str, words: &str) {
        let text = SAMPLE.replacen(from, to, 1);
        assert_ne!(text, SAMPLE, "{from}");
        let refusal = Tables::parse(&text).expect_err(to);
        assert_eq!(refusal.code, code, "{to}: {refusal}");
        assert!(refusal.message.contains(words), "{to}: {refusal}");
    }

    #[test]
    fn the_worked_brief_parses_as_it_is() {
        let tables = Tables::parse(SAMPLE).expect("a brief");
        assert_eq!(tables.boundary.environment.as_deref(), Some("{{ param.environment }}"));
        let names: Vec<&str> = tables.params.iter().map(|param| param.name.as_str()).collect();
        assert_eq!(names, ["table", "change", "environment", "ticket", "lock_budget_ms"]);
        let brief = &tables.brief;
        assert_eq!(brief.template.as_str(), "brief.md");
        assert_eq!((brief.deliverables.len(), brief.checks.len(), brief.escalate.len()), (3, 2, 2));
        assert_eq!(brief.tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>()[1], "review-plan");
        assert!(brief.skill_stub);
        assert_eq!(tables.uses().len(), 3);
    }

    #[test]
    fn unknown_keys_are_refused_with_their_line() {
        refuses("approval    =", "aproval =", "brief-malformed", "unknown field `aproval`");
        refuses("kind = \"sql\"", "sort = \"sql\"", "brief-malformed", "unknown field `sort`");
        refuses("human = \"approve\"", "humane = \"x\"", "brief-malformed", "unknown field `humane`");
        refuses("max-length = 200", "maxlength = 200", "brief-malformed", "skill.toml line 23: unknown field");
        refuses("template = ", "templates = ", "brief-malformed", "unknown field `templates`");
    }

    #[test]
    fn a_template_outside_of_the_package_is_refused() {
        refuses("\"brief.md\"", "\"../brief.md\"", "brief-malformed", "path `../brief.md`");
    }

    #[test]
    fn a_task_is_of_one_kind_and_ids_are_unique() {
        refuses("makes = [\"plan\"]", "makes = []", "brief-malformed", "task `plan` does nothing");
        refuses("human = \"merge\"", "human = \"merge\"\nmakes = [\"plan\"]", "brief-malformed", "of two kinds");
        refuses("makes = [\"plan\"]", "makes = [\"plan\"]\nby = \"me\"", "brief-malformed", "waits for no `human`");
        refuses("id = \"write\"", "id = \"plan\"", "brief-malformed", "two tasks are called `plan`");
        refuses("id   = \"plan\"", "id = \"migration\"", "brief-malformed", "two deliverables are called");
        refuses("id = \"write\"", "id = \"Write it\"", "brief-malformed", "`Write it` is not the id of a task");
    }
}
