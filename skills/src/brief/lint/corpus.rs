//! Good and vague briefs, each with the findings that are expected of it.

use super::*;
use crate::FilePath;
use crate::brief::worked::{bundle, pinned};
use crate::tree::{File, Mode};

const MANIFEST: &str = include_str!("../samples/migration.toml");
const TEMPLATE: &str = include_str!("../samples/migration.md");
const WORKED: &str = include_str!("../samples/migration.brief.md");

/// `CODE@LINE` of every finding about a rendered text without a document, B011 left out.
fn codes(text: &str) -> Vec<String> {
    let found = rendered(text, None).into_iter().filter(|finding| finding.code != "B011");
    found.map(|finding| format!("{}@{}", finding.code, finding.line.unwrap_or(0))).collect()
}

/// A whole brief around one objective and one constraint.
fn brief(objective: &str, constraint: &str) -> String {
    format!(
        "## Objective\n{objective}\n\n## Constraints\n- {constraint}\n\n## Allowed tools\nNothing else.\n\n\
         ## Deliverables\n- `a.sql` (a)\n\n## Checks\n- **tests**: They pass.\n\n## Escalation\n- Stop and ask.\n"
    )
}

#[track_caller]
fn objective(text: &str, expected: &[&str]) {
    assert_eq!(codes(&brief(text, "Touch only `a.sql`.")), expected, "{text}");
}

#[track_caller]
fn constraint(text: &str, expected: &[&str]) {
    assert_eq!(codes(&brief("Add column `a` to `b`.", text)), expected, "{text}");
}

#[test]
fn the_vague_brief_has_eight_errors_and_nine_warnings() {
    let text = "## Objective\nImprove the database and clean up everything as needed, etc.\n\
                Keep the result robust and scalable.\n";
    let found = rendered(text, None);
    let of = |level: Level| -> Vec<&str> {
        found.iter().filter(|finding| finding.level == level).map(|finding| finding.code).collect()
    };
    assert_eq!(of(Level::Error), ["B001", "B001", "B001", "B001", "B001", "B007", "B010", "B011"]);
    assert_eq!(of(Level::Warning), ["W101", "W101", "W103", "W102", "W102", "W102", "W102", "W104", "W105"]);
}

#[test]
fn the_worked_brief_has_none() {
    assert_eq!(codes(WORKED), [""; 0]);
}

#[test]
fn sections_are_there_and_hold_something() {
    assert_eq!(codes(&WORKED.replace("## Escalation", "## Questions")), ["B001@0", "B010@0"]);
    assert_eq!(codes(&WORKED.replace("## Escalation", "### Escalation")), ["B001@0", "B010@0"]);
    assert_eq!(codes(&brief("Add `a`.", "x").replace("- x", "<!-- later -->")), ["B002@4"]);
    assert_eq!(codes(&WORKED.replace("## Objective", "## objective")), [""; 0]);
    let fenced = "```\n## Objective\n```\n";
    assert!(codes(fenced).contains(&"B001@0".to_owned()));
}

#[test]
fn what_was_left_to_be_filled_in_is_found() {
    for left in ["TODO: name it", "TBD", "really ???", "[NEEDS CLARIFICATION: which one]", "use <your table>", "<…>"]
    {
        constraint(left, &["B013@5"]);
    }
    for fine in ["Run `grep TODO` first.", "See <https://example.org>.", "a < b and c > d", "H<sub>2</sub>O", "TODOS"] {
        constraint(fine, &[]);
    }
}

#[test]
fn vague_verbs_weak_phrases_and_unbounded_scope_are_found() {
    for vague in ["Improve it.", "Clean up `x`.", "ensure order", "Optimise `x`"] {
        constraint(vague, &["W101@5"]);
    }
    for weak in ["Log as appropriate.", "Retry if possible.", "Use a, b, etc.", "Follow best practice.", "properly"] {
        constraint(weak, &["W102@5"]);
    }
    for wide in ["Read the whole table.", "Fix any issues.", "Check everything."] {
        constraint(wide, &["W103@5"]);
    }
    for fine in ["Read the wholesale table.", "`improve` is a flag.", "The supporters list.", "x-ensure-y is set."] {
        constraint(fine, &[]);
    }
}

#[test]
fn a_negated_sentence_bounds_and_its_neighbour_does_not() {
    for fine in [
        "Do not apply anything to staging.",
        "Never read the whole table.",
        "Don't touch anything else.",
        "Leave without changing anything.",
    ] {
        constraint(fine, &[]);
    }
    constraint("Do not stop. Check everything.", &["W103@5"]);
    constraint("Check everything. Do not stop.", &["W103@5"]);
}

#[test]
fn an_objective_names_one_thing() {
    objective("Add column archived_at to the table.", &[]);
    objective("Reduce latency to 200 ms.", &[]);
    objective("Reduce the latency.", &["W104@2"]);
    objective("Make it nicer.", &["W104@2"]);
    objective("Add column `a` and remove column `b`.", &["W105@2"]);
    objective("Add column `a` and index `b`.", &[]);
    objective(&format!("Add `a`{}.", " word".repeat(60)), &["W105@2"]);
}

#[test]
fn findings_stand_on_their_line() {
    let text = "one\ntwo\n  and everything\n- `x` etc.\n";
    let found: Vec<String> = codes(text).into_iter().filter(|code| code.starts_with('W')).collect();
    assert_eq!(found, ["W103@3", "W102@4"]);
}

/// `CODE message` of every finding about the worked package after a change of manifest and template.
fn of_package(from: &str, to: &str, template: &str) -> Vec<String> {
    let text = MANIFEST.replacen(from, to, 1);
    let tables = Tables::parse(&text).unwrap_or_else(|refusal| panic!("{to}: {refusal}"));
    let names = ["tools-postgres-readonly", "check-tests-pass", "check-rollback-valid"];
    let dependencies = names.map(|name| pinned(&format!("platform/{name}"), "1.0.0").name);
    let found = package(&tables, template, &dependencies, &[bundle()]);
    found.iter().map(|finding| format!("{} {}", finding.code, finding.message)).collect()
}

#[track_caller]
fn finds(from: &str, to: &str, expected: &[&str]) {
    assert_eq!(of_package(from, to, TEMPLATE), expected, "{to}");
}

#[test]
fn the_worked_package_has_none() {
    finds("", "", &[]);
}

#[test]
fn parameters_are_declared_and_used() {
    let template = TEMPLATE.replace("param.table", "param.tabel");
    assert_eq!(of_package("", "", &template), ["B003 brief.md: `param.tabel` is not declared"]);
    let template = TEMPLATE.replace("sections.tools", "sections.tool");
    assert_eq!(of_package("", "", &template), ["B003 brief.md: `sections.tool` is not declared"]);
    let template = TEMPLATE.replace("param.change", "param.");
    assert!(of_package("", "", &template)[0].starts_with("B003 brief.md line 2: syntax error"));
    finds(
        "[dependencies]",
        "[param.spare]\ntype = \"date\"\n[dependencies]",
        &["B004 parameter `spare` is never used"],
    );
    finds(
        "{{ param.lock_budget_ms }} ms",
        "{{ param.budget }} ms",
        &["B003 [[brief.escalate]]: `param.budget` is not declared"],
    );
}

#[test]
fn who_is_used_is_depended_on() {
    finds(
        "use = \"platform/check-tests-pass\"",
        "use = \"platform/check-other\"",
        &["B005 [[brief.check]] `tests` uses `platform/check-other`, which is not in [dependencies]"],
    );
}

#[test]
fn boundaries_are_whole_and_met_for_every_value_that_a_parameter_allows() {
    finds("task-class  = \"schema-change\"\n", "", &["B011 the boundary lacks `task-class` in [boundary]"]);
    finds("tools    = [\"platform/tools-postgres-readonly\"]\n", "", &["B011 the boundary lacks `tools` in [brief]"]);
    finds(
        "\"plan-first\"",
        "\"soon\"",
        &[
            "B011 `soon` is not a value of `approval`: expected autonomous < ask-on-mutate < plan-first < human-executes",
        ],
    );
    let bundle = "bundle `platform/tools-postgres-readonly@2.1.0` is cleared for";
    finds(
        "[\"dev\", \"staging\"]",
        "[\"dev\", \"staging\", \"production\"]",
        &[&format!("B012 {bundle} dev, staging, asked for `production`")],
    );
    finds("\"internal\"", "\"restricted\"", &[&format!("B012 {bundle} data up to `internal`, asked for `restricted`")]);
    finds(
        "\"plan-first\"",
        "\"autonomous\"",
        &[
            "B006 tool `pg:cancel_backend` of bundle `platform/tools-postgres-readonly@2.1.0` is `mutate`, and approval is `autonomous`",
        ],
    );
}

#[test]
fn graphs_checks_and_escalation_are_judged_in_the_package_too() {
    let found = of_package("needs = [\"prove\"]", "needs = [\"proof\"]", TEMPLATE);
    assert_eq!(found, ["B009 task `hand-over` needs `proof`, but no task is called so"]);
    let cut = MANIFEST.find("[[brief.check]]").expect("it has checks");
    let found = of_package(&MANIFEST[cut..], "", TEMPLATE);
    assert_eq!(found.iter().map(|found| &found[..4]).collect::<Vec<_>>(), ["B007", "B010", "B008", "B008", "B008"]);
}

#[test]
fn a_package_is_judged_by_itself_and_its_template_is_in_it() {
    let file = |path: &str, text: &str| File {
        path: FilePath::parse(path).expect("lawful"),
        mode: Mode::Regular,
        bytes: text.into(),
    };
    let manifest = Manifest::parse(MANIFEST.as_bytes()).expect("a manifest");
    let judge = |files: Vec<File>| of_tree(&Tree::new(files).expect("lawful"), &manifest);
    assert_eq!(judge(vec![file("skill.toml", MANIFEST), file("brief.md", TEMPLATE)]), []);
    assert_eq!(judge(vec![file("skill.toml", MANIFEST)])[0].code, "B003");
}
