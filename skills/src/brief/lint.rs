//! What is wrong with a brief, as a package and as it is handed to an agent (FORMATS §3).
//!
//! Missing structure is an error: a brief without a check, a boundary or somebody to ask is not
//! bounded. Vague words are warnings only: word lists find four in five of them, and two in five of
//! what they find is none. The codes are in the README of this room and never change their meaning.

mod prose;
mod words;

#[cfg(test)]
mod corpus;

use std::collections::BTreeSet;

use self::prose::Prose;
use super::document::Document;
use super::graph::Graph;
use super::tables::Tables;
use super::template::Template;
use super::uses::Bundle;
use crate::boundary::{Approval, DataClass};
use crate::lint::{Finding, Level};
use crate::manifest::{Kinded, Manifest, SKILL_TOML};
use crate::name::PackageName;
use crate::tools::Access;
use crate::tree::Tree;

/// The sections that every brief has, as H2 titles.
pub const SECTIONS: [&str; 6] = ["Objective", "Constraints", "Allowed tools", "Deliverables", "Checks", "Escalation"];

/// Every code with a name and what it says: for reports that list what was looked for.
pub const RULES: [(&str, &str, &str); 18] = [
    ("B001", "SectionMissing", "A required section is missing."),
    ("B002", "SectionEmpty", "A required section is empty."),
    ("B003", "ParameterUndeclared", "A template names what is not declared, or does not compile."),
    ("B004", "ParameterUnused", "A parameter is never used."),
    ("B005", "PackageUndeclared", "A bundle, check or brief is used and not in [dependencies]."),
    ("B006", "AutonomyOverMutation", "A bundle exposes a tool that changes things, and approval is autonomous."),
    ("B007", "NoCheck", "There is no check at all."),
    ("B008", "DeliverableUnseen", "A deliverable is not made by one task, or nobody looks at it afterwards."),
    ("B009", "GraphBroken", "A task needs what is not there, or tasks need each other in a circle."),
    ("B010", "NoEscalation", "There is no escalation point."),
    ("B011", "BoundaryMissing", "One of the five boundary fields is missing."),
    ("B012", "BundleNotCleared", "A bundle is not cleared for this environment or data class."),
    ("B013", "Leftover", "A placeholder was left over."),
    ("W101", "VagueVerb", "A verb says nothing that could be checked."),
    ("W102", "WeakPhrase", "A phrase leaves it to the reader."),
    ("W103", "UnboundedScope", "The scope has no bound."),
    ("W104", "ObjectiveNamesNothing", "The objective names no artifact, number or identifier."),
    ("W105", "ObjectiveTooMuch", "The objective is longer than 60 words, or more than one thing."),
];

/// What templates may name besides parameters.
const GIVEN: [&str; 8] = [
    "boundary.task_class",
    "boundary.environment",
    "boundary.data_class",
    "boundary.approval",
    "sections.tools",
    "sections.deliverables",
    "sections.checks",
    "sections.escalation",
];

/// Judges a package: its tables, its template, what it depends on, and those of its bundles that are known.
pub fn package(tables: &Tables, template: &str, dependencies: &[PackageName], bundles: &[Bundle]) -> Vec<Finding> {
    let file = tables.brief.template.as_str();
    let mut found = structure(file, &Prose::of(template));
    found.extend(wording(file, &Prose::of(template)));
    found.extend(parameters(tables, template));
    found.extend(undeclared_packages(tables, dependencies));
    found.extend(clearances(tables, bundles));
    found.extend(tables_structure(tables));
    found.extend(Graph::of(&tables.brief).faults().into_iter().map(|fault| error(fault.code, fault.message)));
    found
}

/// Judges a package by itself, as its author and the registry have it; of another kind nothing is said.
pub fn of_tree(tree: &Tree, manifest: &Manifest) -> Vec<Finding> {
    let Kinded::Brief(tables) = &manifest.kinded else { return Vec::new() };
    let file = tables.brief.template.as_str();
    let text = tree.file(file).and_then(|file| std::str::from_utf8(&file.bytes).ok());
    let dependencies: Vec<PackageName> = manifest.dependencies.iter().map(|one| one.name.clone()).collect();
    match text {
        Some(text) => package(tables, text, &dependencies, &[]),
        None => vec![error("B003", format!("the template `{file}` is not in the package, or not UTF-8"))],
    }
}

/// Judges a rendered brief. Without its document nobody knows the boundary (B011).
pub fn rendered(markdown: &str, document: Option<&Document>) -> Vec<Finding> {
    let file = document.map_or_else(|| "brief.md".to_owned(), |document| format!("{}.brief.md", document.id));
    let prose = Prose::of(markdown);
    let mut found = structure(&file, &prose);
    found.extend(wording(&file, &prose));
    let (checks, escalations) = match document {
        Some(document) => (document.checks.is_empty(), document.escalate.is_empty()),
        None => (prose.is_bare("Checks"), prose.is_bare("Escalation")),
    };
    found.extend(checks.then(no_check));
    found.extend(escalations.then(no_escalation));
    match document {
        Some(document) => {
            let faults = Graph::of_document(document).faults();
            found.extend(faults.into_iter().map(|fault| error(fault.code, fault.message)));
        }
        None => found.push(
            error("B011", "the boundary is nowhere: expected task class, tools, environment, data class and approval")
                .advise("a brief that is rendered has it in its `.brief.json`"),
        ),
    }
    for finding in found.iter_mut().filter(|finding| finding.file == SKILL_TOML) {
        finding.file.clone_from(&file);
    }
    found
}

/// B012: what a bundle is not cleared for, in a sentence.
pub(super) fn clearance(bundle: &Bundle, environment: &str, data_class: DataClass) -> Option<String> {
    let refusal = bundle.tools.boundary.admits(environment, data_class).err()?;
    Some(format!("bundle `{}` is {refusal}", bundle.package.spec()))
}

/// B006: what a bundle can do that nobody would be asked about, in a sentence.
pub(super) fn authority(bundle: &Bundle, approval: Approval) -> Option<String> {
    let (server, tool) = bundle.exposed().find(|(_, tool)| tool.access != Access::Read)?;
    (approval == Approval::Autonomous).then(|| {
        let (access, name) = (tool.access.as_str(), bundle.package.spec());
        format!("tool `{server}:{}` of bundle `{name}` is `{access}`, and approval is `autonomous`", tool.name)
    })
}

/// B001, B002: the six sections, and something in each.
fn structure(file: &str, prose: &Prose) -> Vec<Finding> {
    let judge = |title: &&str| match prose.section(title) {
        None => Some(error("B001", format!("section `## {title}` is missing")).in_file(file, None)),
        Some(section) if section.is_empty => {
            Some(error("B002", format!("section `## {title}` is empty")).in_file(file, Some(section.line)))
        }
        Some(_) => None,
    };
    SECTIONS.iter().filter_map(judge).collect()
}

/// B013, W101 to W105.
fn wording(file: &str, prose: &Prose) -> Vec<Finding> {
    let hits = prose.blocks.iter().flat_map(words::hits);
    let objective = words::objective(prose);
    hits.chain(objective).map(|(line, finding)| finding.in_file(file, Some(line))).collect()
}

/// B003, B004: every template of the package against its parameters.
fn parameters(tables: &Tables, template: &str) -> Vec<Finding> {
    let mut used = BTreeSet::new();
    let mut found = Vec::new();
    for (place, source) in templates(tables, template) {
        match Template::parse(&place, source) {
            Ok(template) => {
                for name in template.variables() {
                    found.extend(undeclared(tables, &place, &name));
                    used.insert(name);
                }
            }
            Err(refusal) => found.push(error("B003", refusal.message)),
        }
    }
    // `param` alone, in a loop say, uses them all.
    let is_used = |name: &str| used.contains("param") || used.contains(&format!("param.{name}"));
    let unused = tables.params.iter().filter(|param| !is_used(&param.name));
    found.extend(unused.map(|param| {
        warning("B004", format!("parameter `{}` is never used", param.name)).advise("remove it, or say what it changes")
    }));
    found
}

fn undeclared(tables: &Tables, place: &str, name: &str) -> Option<Finding> {
    let known = match name.strip_prefix("param.") {
        // A filter or a deeper look at a value: `param.list.0`.
        Some(param) => tables.params.named(param.split('.').next().unwrap_or(param)).is_some(),
        None => name == "param" || GIVEN.contains(&name),
    };
    let names = || tables.params.iter().map(|param| param.name.as_str()).collect::<Vec<_>>().join(", ");
    (!known).then(|| {
        error("B003", format!("{place}: `{}` is not declared", name.escape_debug())).advise(format!(
            "parameters: {}; given: {}",
            names(),
            GIVEN.join(", ")
        ))
    })
}

/// Every template of a package, with the place that a sentence names.
fn templates<'a>(tables: &'a Tables, template: &'a str) -> Vec<(String, &'a str)> {
    let brief = &tables.brief;
    let mut all = vec![(brief.template.to_string(), template)];
    let boundary = tables.boundary.fields().into_iter();
    all.extend(boundary.filter_map(|(key, text)| Some((format!("[boundary] {key}"), text?))));
    all.extend(brief.deliverables.iter().map(|one| (format!("deliverable `{}`", one.id), one.path.as_str())));
    all.extend(brief.escalate.iter().map(|one| ("[[brief.escalate]]".to_owned(), one.when.as_str())));
    let checks = brief.checks.iter().map(|check| (format!("check `{}`", check.id), &check.with));
    let withs = checks.chain(brief.tasks.iter().map(|task| (format!("task `{}`", task.id), &task.with)));
    for (place, with) in withs {
        let items = with.values().flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
        all.extend(items.filter_map(|item| Some((place.clone(), item.as_str()?))));
    }
    all
}

/// B005: who is used is depended on, so that the lock pins it.
fn undeclared_packages(tables: &Tables, dependencies: &[PackageName]) -> Vec<Finding> {
    let unknown = tables.uses().into_iter().filter(|(name, _)| !dependencies.contains(name));
    let finding = |(name, place): (&PackageName, String)| {
        error("B005", format!("{place} uses `{name}`, which is not in [dependencies]"))
            .advise(format!("add `\"{name}\" = \"^1\"` to [dependencies]"))
    };
    unknown.map(finding).collect()
}

/// B006, B012: for every environment that the parameters allow.
fn clearances(tables: &Tables, bundles: &[Bundle]) -> Vec<Finding> {
    let boundary = &tables.boundary;
    let environments = environments(tables);
    let classes = boundary.data_class.as_deref().map_or_else(Vec::new, |text| outcomes(tables, text));
    let approvals = boundary.approval.as_deref().map_or_else(Vec::new, |text| outcomes(tables, text));
    let mut found = Vec::new();
    let used = |bundle: &&Bundle| tables.brief.tools.iter().flatten().any(|name| *name == bundle.package.name);
    for bundle in bundles.iter().filter(used) {
        // Where the class is unknown, the environment is judged all the same.
        let class = classes.iter().filter_map(|class| DataClass::parse(class).ok()).max().unwrap_or(DataClass::Public);
        let mut faults: Vec<String> =
            environments.iter().filter_map(|environment| clearance(bundle, environment, class)).collect();
        faults.dedup();
        found.extend(faults.into_iter().map(|fault| error("B012", fault)));
        let parsed = approvals.iter().filter_map(|approval| Approval::parse(approval).ok());
        found.extend(parsed.min().and_then(|least| authority(bundle, least)).map(|fault| error("B006", fault)));
    }
    found
}

/// The environments that a brief can be rendered for, as far as its parameters tell.
pub fn environments(tables: &Tables) -> Vec<String> {
    tables.boundary.environment.as_deref().map_or_else(Vec::new, |text| outcomes(tables, text))
}

/// What a text can come to: itself, or each value of the one parameter that it is; nothing where that is unknown.
fn outcomes(tables: &Tables, text: &str) -> Vec<String> {
    if !text.contains("{{") && !text.contains("{%") {
        return vec![text.to_owned()];
    }
    let inside = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
    let param = inside.and_then(|inside| inside.strip_prefix("param.")).and_then(|name| tables.params.named(name));
    let values = param.and_then(|param| param.table.r#enum.as_ref()).into_iter().flatten();
    values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// B007, B010, B011: what the tables have to say.
fn tables_structure(tables: &Tables) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(tables.brief.checks.is_empty().then(no_check));
    found.extend(tables.brief.escalate.is_empty().then(no_escalation));
    let fields =
        tables.boundary.fields().into_iter().filter(|(_, value)| value.is_none_or(|text| text.trim().is_empty()));
    let mut missing: Vec<String> = fields.map(|(key, _)| format!("`{key}` in [boundary]")).collect();
    missing.extend(tables.brief.tools.is_none().then(|| "`tools` in [brief]".to_owned()));
    if !missing.is_empty() {
        found
            .push(error("B011", format!("the boundary lacks {}", missing.join(", "))).advise("`tools = []` says none"));
    }
    let words = |text: Option<&str>| text.map_or_else(Vec::new, |text| outcomes(tables, text));
    let class = words(tables.boundary.data_class.as_deref()).iter().find_map(|word| DataClass::parse(word).err());
    let approval = words(tables.boundary.approval.as_deref()).iter().find_map(|word| Approval::parse(word).err());
    found.extend(class.into_iter().chain(approval).map(|refusal| error("B011", refusal.message)));
    found
}

fn no_check() -> Finding {
    error("B007", "there is no check: nothing proves that the work is done").advise("name one in `[[brief.check]]`")
}

fn no_escalation() -> Finding {
    error("B010", "there is no escalation point: nobody is asked when it gets difficult")
        .advise("name one in `[[brief.escalate]]`")
}

fn error(code: &'static str, message: impl Into<String>) -> Finding {
    finding(code, Level::Error, message)
}

fn warning(code: &'static str, message: impl Into<String>) -> Finding {
    finding(code, Level::Warning, message)
}

fn finding(code: &'static str, level: Level, message: impl Into<String>) -> Finding {
    let file = SKILL_TOML.to_owned();
    Finding { code, level, file, line: None, message: message.into(), hint: None, fixable: false }
}

/// How findings of this module are finished.
trait Placed {
    fn in_file(self, file: &str, line: Option<usize>) -> Finding;
    fn advise(self, hint: impl Into<String>) -> Finding;
}

impl Placed for Finding {
    fn in_file(mut self, file: &str, line: Option<usize>) -> Finding {
        file.clone_into(&mut self.file);
        self.line = line;
        self
    }

    fn advise(mut self, hint: impl Into<String>) -> Finding {
        self.hint = Some(hint.into());
        self
    }
}
