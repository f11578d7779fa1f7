//! The worked brief of FORMATS, from end to end: the text and the document that it shows.

use serde_json::{Map, Value, json};

use super::uses::{Bundle, Pinned, Proof};
use super::*;
use crate::boundary::Approval;
use crate::manifest::{Kinded, Manifest};
use crate::{PackageName, Refusal, Sha256, Version};

const MANIFEST: &str = include_str!("samples/migration.toml");
const TEMPLATE: &str = include_str!("samples/migration.md");

pub(super) fn pinned(name: &str, version: &str) -> Pinned {
    Pinned {
        name: PackageName::parse(name).expect("a name"),
        version: Version::parse(version).expect("a version"),
        digest: Sha256::of(name),
    }
}

pub(super) fn bundle() -> Bundle {
    let manifest = Manifest::parse(include_bytes!("samples/tools.toml")).expect("a bundle");
    let Kinded::Tools(tools) = manifest.kinded else { panic!("of kind `tools`") };
    Bundle { package: pinned("platform/tools-postgres-readonly", "2.1.0"), tools: *tools }
}

pub(super) fn proofs() -> [Proof; 2] {
    let params = |tables: &str| -> Params { toml::from_str(tables).expect("tables") };
    [
        Proof {
            package: pinned("platform/check-tests-pass", "1.2.0"),
            description: "The repository's own test command exits 0 and reports no failed test.".to_owned(),
            params: params("[command]\ntype = \"array\"\nitems = \"string\"\ndefault = [\"cargo\", \"test\"]"),
        },
        Proof {
            package: pinned("platform/check-rollback-valid", "1.0.3"),
            description: "Applying a migration and then its rollback leaves the schema dump byte-identical.".to_owned(),
            params: params("[migration]\ntype = \"path\"\nmust-exist = true"),
        },
    ]
}

fn given(more: Value) -> Map<String, Value> {
    let mut all =
        json!({"table": "orders", "change": "add nullable column archived_at timestamptz", "ticket": "OPS-412"});
    for (name, value) in more.as_object().expect("an object") {
        all[name] = value.clone();
    }
    serde_json::from_value(all).expect("an object")
}

/// Renders the worked brief after a change of its manifest or template, with more values.
fn rendered(manifest: &str, template: &str, more: Value) -> Result<Rendered, Refusal> {
    let tables = Tables::parse(manifest)?;
    let values = tables.params.accept(&given(more))?;
    let package = pinned("platform/brief-database-migration", "1.4.0");
    let source = Source { package: &package, tables: &tables, template, bundles: &[bundle()], proofs: &proofs() };
    render(&source, &values, None)
}

fn worked(more: Value) -> Result<Rendered, Refusal> {
    rendered(MANIFEST, TEMPLATE, more)
}

#[test]
fn the_text_is_the_one_that_is_shown() {
    let rendered = worked(json!({})).expect("rendered");
    let digest = Sha256::of("platform/brief-database-migration");
    let first = format!(
        "<!-- skill: platform/brief-database-migration@1.4.0 {digest} · params in ops-412-orders.brief.json · \
         edit the package, not this line -->\n"
    );
    let body = rendered.markdown.strip_prefix(&first).unwrap_or_else(|| panic!("{}", rendered.markdown));
    assert_eq!(body, include_str!("samples/migration.brief.md"));
    assert_eq!(rendered.warnings, []);
}

#[test]
fn the_document_pins_everything_that_the_text_was_made_from() {
    let document = worked(json!({})).expect("rendered").document;
    assert_eq!(document.id, "ops-412-orders");
    let json: Value = serde_json::from_str(&document.to_pretty()).expect("JSON");
    assert_eq!(json["from"]["version"], "1.4.0");
    assert_eq!(json["params"]["environment"], "staging");
    assert_eq!(
        json["boundary"],
        json!({"task_class": "schema-change", "environment": "staging", "data_class": "internal", "approval": "plan-first"})
    );
    assert_eq!(json["tools"][0]["use"], "platform/tools-postgres-readonly@2.1.0");
    assert_eq!(
        json["deliverables"][0],
        json!({"id": "migration", "path": "migrations/ops-412_orders.up.sql", "kind": "sql"})
    );
    assert_eq!(json["checks"][0]["with"], json!({"command": ["cargo", "test"]}));
    assert_eq!(json["checks"][1]["with"], json!({"migration": "migrations/ops-412_orders.up.sql"}));
    assert_eq!(json["checks"][1]["digest"], Sha256::of("platform/check-rollback-valid").to_string());
    assert_eq!(json["escalate"][0]["when"], "the plan needs a lock longer than 500 ms on orders");
    assert_eq!(
        json["tasks"][1],
        json!({"id": "review-plan", "needs": ["plan"], "human": "approve", "by": "team:platform-db"})
    );
}

#[test]
fn same_package_and_same_parameters_give_the_same_bytes() {
    let (one, two) = (worked(json!({})).expect("once"), worked(json!({})).expect("twice"));
    assert_eq!(one.markdown, two.markdown);
    assert_eq!(one.document.to_pretty(), two.document.to_pretty());
    assert_eq!(one.document.digest(), two.document.digest());
    assert_eq!(
        one.document.digest().to_string(),
        "sha256:954b152b75689023f2f2d0a07358e9e07a2c651f64d9859ce2c43067ef577f8b",
        "the bytes are the same on every machine and in every year"
    );
}

#[test]
fn a_document_reads_back_and_knows_its_text() {
    let Rendered { markdown, document, .. } = worked(json!({})).expect("rendered");
    let again = Document::parse(document.to_pretty().as_bytes()).expect("its own form");
    assert_eq!((&again, again.digest()), (&document, document.digest()));
    assert!(again.is_of(&markdown));
    assert!(!again.is_of(&markdown.replace("500 ms", "5000 ms")));
    let foreign = document.to_pretty().replace("/brief/v1", "/brief/v2");
    assert_eq!(Document::parse(foreign.as_bytes()).expect_err("v2").code, "brief-schema");
    let widened = document.to_pretty().replacen("\"id\"", "\"sudo\": true, \"id\"", 1);
    assert_eq!(Document::parse(widened.as_bytes()).expect_err("unknown").code, "json-malformed");
}

#[test]
fn another_value_is_another_digest() {
    let digests = [json!({}), json!({"table": "order"}), json!({"lock_budget_ms": 501}), json!({"environment": "dev"})]
        .map(|more| worked(more).expect("rendered").document.digest());
    for (at, digest) in digests.iter().enumerate() {
        assert!(!digests[..at].contains(digest), "{at}");
    }
}

#[test]
fn a_value_with_template_or_shell_syntax_stays_what_it_is() {
    let evil = "add {{ 7*7 }} {% for x in y %} $(rm -rf /) `id`";
    let rendered = worked(json!({"change": evil})).expect("rendered");
    assert!(
        rendered.markdown.contains("Add {{ 7*7 }} {% for x in y %} $(rm -rf /) `id` on table"),
        "{}",
        rendered.markdown
    );
    assert_eq!(rendered.document.params["change"], evil);
}

#[test]
fn rules_that_say_the_same_of_several_commands_are_one_line() {
    let tools = include_str!("samples/tools.toml");
    let reason = "reason = \"Read-only bundle: dropping a database needs a human.\"";
    let more = format!("[[rule]]\neffect = \"deny\"\ncommand = [\"dropuser\"]\n{reason}\n\n[[rule]]\neffect = \"ask\"");
    let tools = tools.replacen("[[rule]]\neffect = \"ask\"", &more, 1);
    let Kinded::Tools(tools) = Manifest::parse(tools.as_bytes()).expect("a bundle").kinded else { panic!("tools") };
    let bundles = [Bundle { tools: *tools, ..bundle() }];
    let tables = Tables::parse(MANIFEST).expect("a brief");
    let values = tables.params.accept(&given(json!({}))).expect("accepted");
    let package = pinned("platform/brief-database-migration", "1.4.0");
    let source =
        Source { package: &package, tables: &tables, template: TEMPLATE, bundles: &bundles, proofs: &proofs() };
    let text = render(&source, &values, None).expect("rendered").markdown;
    let line =
        "- never: `dropdb`, `dropuser` (Read-only bundle: dropping a database needs a human.)\n- ask first: `psql`";
    assert!(text.contains(line), "{text}");
}

#[test]
fn a_bundle_that_is_removed_takes_its_lines_with_it() {
    let manifest = MANIFEST.replace("tools    = [\"platform/tools-postgres-readonly\"]", "tools = []");
    let rendered = rendered(&manifest, TEMPLATE, json!({})).expect("rendered");
    assert!(!rendered.markdown.contains("pg:") && !rendered.markdown.contains("dropdb"));
    assert!(rendered.markdown.contains("Nothing else."));
    assert_eq!(rendered.document.tools, []);
}

#[track_caller]
fn refuses(from: &str, to: &str, code: &str, words: &str) {
    let manifest = MANIFEST.replacen(from, to, 1);
    assert_ne!(manifest, MANIFEST, "{from}");
    let refusal = rendered(&manifest, TEMPLATE, json!({})).expect_err(to);
    assert_eq!(refusal.code, code, "{to}: {refusal}");
    assert!(refusal.message.contains(words), "{to}: {refusal}");
}

#[test]
fn a_brief_for_production_with_a_bundle_for_staging_is_refused() {
    refuses(
        "\"{{ param.environment }}\"",
        "\"production\"",
        "brief-boundary",
        "B012 bundle `platform/tools-postgres-readonly@2.1.0` is cleared for dev, staging, asked for `production`",
    );
    refuses(
        "\"internal\"",
        "\"confidential\"",
        "brief-boundary",
        "B012 bundle `platform/tools-postgres-readonly@2.1.0` is cleared for data up to `internal`, asked for `confidential`",
    );
}

#[test]
fn autonomy_over_what_changes_things_is_refused() {
    refuses("\"plan-first\"", "\"autonomous\"", "brief-boundary", "B006 tool `pg:cancel_backend`");
}

#[test]
fn the_strictest_approval_holds() {
    let manifest = MANIFEST.replace("\"plan-first\"", "\"ask-on-mutate\"");
    let of = |manifest: &str| rendered(manifest, TEMPLATE, json!({})).expect("rendered").document.boundary.approval;
    assert_eq!((of(MANIFEST), of(&manifest)), (Approval::PlanFirst, Approval::AskOnMutate));
}

#[test]
fn a_brief_without_proof_is_never_handed_over() {
    let manifest: String = MANIFEST.split("[[brief.check]]").next().expect("a head").to_owned();
    let tail = "[[brief.escalate]]\nwhen = \"{{ param.lock_budget_ms }}\"\n\
                [[brief.task]]\nid = \"all\"\nmakes = [\"migration\", \"rollback\", \"plan\"]\n";
    let refusal = rendered(&format!("{manifest}{tail}"), TEMPLATE, json!({})).expect_err("no check");
    assert_eq!(refusal.code, "brief-lint");
    assert!(refusal.message.contains("B007 there is no check"), "{refusal}");
    assert!(refusal.message.contains("B008 no task after `all` checks deliverable `migration`"), "{refusal}");
}

#[test]
fn a_value_cannot_lead_a_deliverable_out_of_the_repository() {
    refuses(
        "\"migrations/{{ param.ticket | lower }}",
        "\"../{{ param.ticket | lower }}",
        "path-parent",
        "deliverable `migration`",
    );
    refuses(".down.sql", ".up.sql", "brief-malformed", "deliverable `rollback` has the path of another one");
}

#[test]
fn a_check_is_told_what_it_asks_for() {
    refuses(
        "with = { migration =",
        "with = { migratoin =",
        "param-unknown",
        "check `rollback`: no parameter 'migratoin'",
    );
    refuses(
        "use = \"platform/check-tests-pass\"",
        "use = \"platform/check-other\"",
        "brief-unresolved",
        "check `platform/check-other`",
    );
}

#[test]
fn what_a_template_gives_is_read_by_the_type_that_the_check_asks_for() {
    let told = "with = { migration = \"a.sql\", budget = \"{{ param.lock_budget_ms }}\", tables = \"x,{{ param.table }}\", words = \"{{ param.words }}\" }";
    let words = "[param.words]\ntype = \"array\"\ndefault = [\"a b\", \"c,d\"]\n[dependencies]";
    let manifest = MANIFEST.replacen("[dependencies]", words, 1);
    let manifest = manifest.lines().map(|line| if line.starts_with("with = ") { told } else { line });
    let tables = Tables::parse(&manifest.collect::<Vec<_>>().join("\n")).expect("a brief");
    let values = tables.params.accept(&given(json!({}))).expect("accepted");
    let asks = "[migration]\ntype = \"path\"\n[budget]\ntype = \"integer\"\n[tables]\ntype = \"array\"\n\
                [words]\ntype = \"array\"\n";
    let mut proofs = proofs();
    proofs[1].params = toml::from_str(asks).expect("tables");
    let package = pinned("platform/brief-database-migration", "1.4.0");
    let source =
        Source { package: &package, tables: &tables, template: TEMPLATE, bundles: &[bundle()], proofs: &proofs };
    let rendered = render(&source, &values, None).expect("rendered");
    let with = &rendered.document.checks[1].with;
    let expected = json!({"migration": "a.sql", "budget": 500, "tables": ["x", "orders"], "words": ["a b", "c,d"]});
    assert_eq!(Value::from(with.clone()), expected);
}

#[test]
fn an_id_is_given_or_made_and_is_always_a_file_name() {
    let tables = Tables::parse(MANIFEST).expect("a brief");
    let values = tables.params.accept(&given(json!({"table": "t".repeat(63)}))).expect("accepted");
    let package = pinned("platform/brief-database-migration", "1.4.0");
    let (bundles, proofs) = ([bundle()], proofs());
    let source = Source { package: &package, tables: &tables, template: TEMPLATE, bundles: &bundles, proofs: &proofs };
    assert_eq!(render(&source, &values, None).expect("rendered").document.id.len(), 64);
    assert_eq!(render(&source, &values, Some("mine")).expect("rendered").document.id, "mine");
    assert_eq!(render(&source, &values, Some("../mine")).expect_err("a path").code, "name-malformed");
}
