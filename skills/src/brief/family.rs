//! A brief and the briefs of its tasks: `[[brief.task]] use = "scope/brief"`.
//!
//! A task that is work of its own gets a brief of its own, with every section again, rendered from
//! the values that the parent's `with` gives. It is pinned in the parent's document by its digest, so
//! nobody can exchange it later. And it is never wider than its parent: the same environment, no more
//! secret data, an approval at least as strict, no bundle that the parent does not have. Otherwise a
//! brief could hand on what it never had.

use super::document::{Document, SubBrief};
use super::render::{Rendered, Source, render};
use super::tables::Task;
use super::{Params, param::Values};
use crate::name::PackageName;
use crate::refusal::Refusal;

/// Most levels, the first one included: deeper than this nobody reads.
const LEVELS_MAX: usize = 4;

/// Most briefs of one family: each of 64 tasks could render one, on each level.
const FAMILY_MAX: usize = 32;

/// Renders a brief and those of its tasks, the parent first. `library` holds the packages of the
/// tasks' briefs; others are passed over.
pub fn render_family(
    source: &Source,
    library: &[Source],
    values: &Values,
    id: Option<&str>,
) -> Result<Vec<Rendered>, Refusal> {
    let mut family = Family { library, path: Vec::new(), children: Vec::new() };
    let parent = family.member(source, values, id)?;
    family.children.push(parent);
    family.children.reverse();
    Ok(family.children)
}

struct Family<'a> {
    library: &'a [Source<'a>],
    /// The packages above the one that is being rendered.
    path: Vec<PackageName>,
    /// What is rendered, children before their parent.
    children: Vec<Rendered>,
}

impl Family<'_> {
    fn member(&mut self, source: &Source, values: &Values, id: Option<&str>) -> Result<Rendered, Refusal> {
        self.enter(&source.package.name)?;
        let mut rendered = render(source, values, id)?;
        for task in rendered.document.tasks.clone() {
            if let Some(name) = &task.uses {
                let child = self.child(&task, name, &rendered.document);
                let child = child.map_err(|refusal| refusal.at(format_args!("task `{}`", task.id)))?;
                rendered.document.briefs.push(pinned(&task, &child));
                self.children.push(child);
            }
        }
        self.path.pop();
        Ok(rendered)
    }

    fn enter(&mut self, name: &PackageName) -> Result<(), Refusal> {
        if self.path.contains(name) {
            let mut circle: Vec<String> = self.path.iter().map(ToString::to_string).collect();
            circle.push(name.to_string());
            let message = format!("briefs render each other in a circle: {}", circle.join(" → "));
            return Err(Refusal::new("brief-circle", message));
        }
        if self.path.len() == LEVELS_MAX {
            let message = format!("briefs below briefs go deeper than {LEVELS_MAX} levels, with `{name}`");
            return Err(Refusal::new("brief-limit", message));
        }
        if self.children.len() + self.path.len() >= FAMILY_MAX {
            return Err(Refusal::new("brief-limit", format!("a brief has more than {FAMILY_MAX} briefs below it")));
        }
        self.path.push(name.clone());
        Ok(())
    }

    fn child(&mut self, task: &Task, name: &PackageName, parent: &Document) -> Result<Rendered, Refusal> {
        let source = self.library.iter().find(|source| source.package.name == *name).copied();
        let source = source.ok_or_else(|| {
            Refusal::new("brief-unresolved", format!("brief `{name}` is used, but was not resolved"))
                .hint(format!("name it in `[dependencies]`, and install it: `skill add {name}`"))
        })?;
        let params: &Params = &source.tables.params;
        let values = params.accept(&task.with)?;
        let id = format!("{}-{}", parent.id, task.id);
        let child = self.member(&source, &values, Some(&id))?;
        match wider(&child.document, parent) {
            Some(fault) => {
                Err(Refusal::new("brief-boundary", format!("brief `{name}` is wider than its parent: {fault}"))
                    .hint("a brief hands on no more than it has: widen the parent, or narrow the brief of the task"))
            }
            None => Ok(child),
        }
    }
}

fn pinned(task: &Task, child: &Rendered) -> SubBrief {
    let document = &child.document;
    SubBrief {
        task: task.id.clone(),
        id: document.id.clone(),
        uses: format!("{}@{}", document.from.package, document.from.version),
        digest: document.digest(),
    }
}

/// What the child has and the parent has not, in a sentence. The class of a task has no order: a
/// schema change may well hold a diagnosis.
fn wider(child: &Document, parent: &Document) -> Option<String> {
    let (inner, outer) = (&child.boundary, &parent.boundary);
    if inner.environment != outer.environment {
        return Some(format!("environment `{}`, expected `{}`", inner.environment, outer.environment));
    }
    if inner.data_class > outer.data_class {
        let (seen, most) = (inner.data_class.as_str(), outer.data_class.as_str());
        return Some(format!("data class `{seen}`, expected at most `{most}`"));
    }
    if inner.approval < outer.approval {
        let (seen, least) = (inner.approval.as_str(), outer.approval.as_str());
        return Some(format!("approval `{seen}`, expected `{least}` or stricter"));
    }
    let foreign = child.tools.iter().find(|tool| !parent.tools.contains(tool))?;
    Some(format!("it uses bundle `{}`, which the parent does not", foreign.uses))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::super::tables::Tables;
    use super::super::uses::Pinned;
    use super::super::worked::{bundle, pinned, proofs};
    use super::*;

    const MANIFEST: &str = include_str!("samples/migration.toml");
    const TEMPLATE: &str = include_str!("samples/migration.md");

    /// The worked brief, with one more task that renders a brief.
    fn parent(with: &str) -> String {
        format!(
            "{MANIFEST}\n[[brief.task]]\nid = \"sub\"\nneeds = [\"prove\"]\nuse = \"platform/brief-child\"\nwith = {with}\n"
        )
    }

    const WITH: &str = "{ table = \"{{ param.table }}\", change = \"drop a column\", ticket = \"{{ param.ticket }}\" }";

    fn family(parent: &str, child: &str, name: &str) -> Result<Vec<Rendered>, Refusal> {
        let tables = [parent, child].map(|text| Tables::parse(text).expect("a brief"));
        let packages: [Pinned; 2] = [pinned("platform/brief-parent", "1.0.0"), pinned(name, "2.0.0")];
        let (bundles, proofs) = ([bundle()], proofs());
        let source = |at: usize| Source {
            package: &packages[at],
            tables: &tables[at],
            template: TEMPLATE,
            bundles: &bundles,
            proofs: &proofs,
        };
        let given: Map<String, Value> =
            serde_json::from_value(json!({"table": "orders", "change": "add a column", "ticket": "OPS-1"}))
                .expect("an object");
        let values = tables[0].params.accept(&given)?;
        render_family(&source(0), &[source(0), source(1)], &values, None)
    }

    fn refuses(parent: &str, child: &str, code: &str, words: &str) {
        let refusal = family(parent, child, "platform/brief-child").expect_err(words);
        assert_eq!(refusal.code, code, "{refusal}");
        assert!(refusal.message.contains(words), "{refusal}");
    }

    #[test]
    fn a_task_gets_a_brief_with_every_section_and_the_parent_pins_it() {
        let family = family(&parent(WITH), MANIFEST, "platform/brief-child").expect("rendered");
        let [parent, child] = family.as_slice() else { panic!("two briefs") };
        assert_eq!((parent.document.id.as_str(), child.document.id.as_str()), ("ops-1-orders", "ops-1-orders-sub"));
        assert!(child.markdown.contains("Drop a column on table `orders`"), "{}", child.markdown);
        assert!(child.markdown.contains("## Escalation"));
        let pin = &parent.document.briefs[0];
        assert_eq!((pin.task.as_str(), pin.digest), ("sub", child.document.digest()));
        let again = Document::parse(parent.document.to_pretty().as_bytes()).expect("its own form");
        assert_eq!(again, parent.document);
    }

    #[test]
    fn a_brief_without_children_says_nothing_of_them() {
        let family = family(MANIFEST, MANIFEST, "platform/brief-child").expect("rendered");
        assert_eq!(family.len(), 1);
        assert!(!family[0].document.to_pretty().contains("\"briefs\""));
    }

    #[test]
    fn a_child_is_never_wider_than_its_parent() {
        let child = |from: &str, to: &str| {
            let text = MANIFEST.replacen(from, to, 1);
            assert_ne!(text, MANIFEST, "{from}");
            text
        };
        let elsewhere = child("\"{{ param.environment }}\"", "\"dev\"");
        refuses(&parent(WITH), &elsewhere, "brief-boundary", "environment `dev`, expected `staging`");
        let public = parent(WITH).replacen("data-class  = \"internal\"", "data-class  = \"public\"", 1);
        refuses(&public, MANIFEST, "brief-boundary", "data class `internal`, expected at most `public`");
        let lax = child("\"plan-first\"", "\"ask-on-mutate\"");
        refuses(&parent(WITH), &lax, "brief-boundary", "approval `ask-on-mutate`, expected `plan-first` or stricter");
        let bare = parent(WITH).replacen("tools    = [\"platform/tools-postgres-readonly\"]", "tools = []", 1);
        refuses(&bare, MANIFEST, "brief-boundary", "uses bundle `platform/tools-postgres-readonly@2.1.0`");
    }

    #[test]
    fn briefs_that_render_each_other_end() {
        let child = parent(WITH).replace("platform/brief-child", "platform/brief-parent");
        refuses(
            &parent(WITH),
            &child,
            "brief-circle",
            "platform/brief-parent → platform/brief-child → platform/brief-parent",
        );
    }

    #[test]
    fn a_child_is_told_what_it_asks_for_and_has_to_be_there() {
        refuses(&parent("{ table = \"orders\" }"), MANIFEST, "param-missing", "task `sub`");
        let wrong =
            WITH.replace("drop a column", "{{ param.change }}{{ param.change }}").replace("{{ param.table }}", "a b");
        refuses(&parent(&wrong), MANIFEST, "param-refused", "task `sub`");
        let refusal = family(&parent(WITH), MANIFEST, "platform/brief-other").expect_err("not there");
        assert_eq!(refusal.code, "brief-unresolved");
    }
}
