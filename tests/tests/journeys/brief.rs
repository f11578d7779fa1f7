//! A brief, from the folder of its package to the two files that an agent and programs read.

use serde_json::Value;
use tests::binaries::repository;
use tests::files::read;
use tests::{World, write};

const CHECK: &str = "[package]\nschema = 1\nversion = \"1.2.0\"\nkind = \"check\"\nlicense = \"Apache-2.0\"\n";

/// The worked packages of the format, side by side in the stranger's folder.
pub(super) fn lay_out(work: &std::path::Path) {
    let sample = |name: &str| read(repository().join("skills/src/brief/samples").join(name));
    write(work.join("brief-database-migration/skill.toml"), sample("migration.toml"));
    write(work.join("brief-database-migration/brief.md"), sample("migration.md"));
    write(work.join("tools-postgres-readonly/skill.toml"), sample("tools.toml"));
    for (name, param) in [("check-tests-pass", ""), ("check-rollback-valid", "[param.migration]\ntype = \"path\"\n")] {
        let head = format!("name = \"platform/{name}\"\ndescription = \"It holds.\"\n");
        let check = format!(
            "{CHECK}{head}{param}[check]\nargv = [\"true\"]\ntimeout = \"5m\"\ninputs = [\"**\"]\nnetwork = \"none\"\n[check.expect]\nexit = 0\n"
        );
        write(work.join(name).join("skill.toml"), check);
        write(work.join(name).join("fixtures/fail/one/empty.txt"), "");
        write(work.join(name).join("fixtures/pass/one/empty.txt"), "");
    }
}

const SET: [&str; 6] = ["--set", "table=orders", "--set", "change=add a column", "--set", "ticket=OPS-412"];

fn render<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["brief", "render", "brief-database-migration"], &SET[..], more].concat()
}

#[test]
fn a_brief_is_rendered_twice_to_the_same_bytes_and_an_edited_one_is_kept() {
    let world = World::new();
    let author = world.stranger("author");
    lay_out(&author.work);
    author.skill(&render(&[])).ok();
    let markdown = author.read(".skill/briefs/ops-412-orders.brief.md");
    let document = author.read(".skill/briefs/ops-412-orders.brief.json");
    assert!(markdown.contains("Add a column on table `orders` in **staging**"), "{markdown}");
    assert!(markdown.contains("`pg:cancel_backend` — mutate, ask first"), "{markdown}");
    author.skill(&render(&[])).ok();
    assert_eq!(author.read(".skill/briefs/ops-412-orders.brief.json"), document);
    author.skill(&["brief", "lint", ".skill/briefs/ops-412-orders.brief.md"]).ok();
    write(author.work.join(".skill/briefs/ops-412-orders.brief.md"), "mine");
    author.skill(&render(&[])).exits(3).says("is there and differs");
    assert_eq!(author.read(".skill/briefs/ops-412-orders.brief.md"), "mine");
    author.skill(&render(&["--force"])).ok();
    assert_eq!(author.read(".skill/briefs/ops-412-orders.brief.md"), markdown);
}

#[test]
fn what_is_missing_or_refused_is_said_at_once_and_nothing_is_written() {
    let world = World::new();
    let author = world.stranger("author");
    lay_out(&author.work);
    let bare = ["brief", "render", "brief-database-migration", "--check"];
    author.skill(&bare).exits(2).says("missing parameters: table, change, ticket");
    author.skill(&render(&["--set", "environment=production"])).exits(2).says("is not one of \"dev\" or \"staging\"");
    author.skill(&render(&["--set", "tabel=x"])).exits(2).says("no parameter 'tabel'");
    author.skill(&render(&["--set", "change=a\n## Allowed tools"])).exits(2).says("line break");
    author.skill(&render(&["--from", "nowhere"])).exits(3).says("--from DIR");
    author.skill(&render(&["--check"])).ok();
    assert!(!author.work.join(".skill/briefs").exists());
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_folder_of_briefs_is_refused() {
    let world = World::new();
    let author = world.stranger("author");
    lay_out(&author.work);
    let outside = author.work.join("outside");
    std::fs::create_dir_all(&outside).expect("a folder");
    std::os::unix::fs::symlink(&outside, author.work.join(".skill")).expect("a link");
    author.skill(&render(&[])).exits(2).says("is not a folder");
    assert_eq!(std::fs::read_dir(outside).expect("it is there").count(), 0);
}

#[test]
fn the_schema_is_json_and_the_package_lints_clean_until_production_is_allowed() {
    let world = World::new();
    let author = world.stranger("author");
    lay_out(&author.work);
    let schema = author.skill(&["brief", "schema", "brief-database-migration"]).ok().stdout.clone();
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(schema["required"], serde_json::json!(["table", "change", "ticket"]));
    author.skill(&["brief", "show", "brief-database-migration", "--graph"]).ok().says("graph TD");
    author.skill(&["brief", "lint", "brief-database-migration", "--strict"]).ok();
    let manifest = author.read("brief-database-migration/skill.toml");
    let widened = manifest.replace("[\"dev\", \"staging\"]", "[\"dev\", \"staging\", \"production\"]");
    write(author.work.join("brief-database-migration/skill.toml"), widened);
    author.skill(&["brief", "lint", "brief-database-migration"]).exits(1).says("B012");
    author.skill(&render(&["--set", "environment=production"])).exits(1).says("B012");
}

/// The same packages, installed from their folders into the stranger's project.
fn install(author: &tests::Person) {
    lay_out(&author.work.join("packages"));
    let folders = ["check-tests-pass", "check-rollback-valid", "tools-postgres-readonly", "brief-database-migration"];
    let folders = folders.map(|name| format!("./packages/{name}"));
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    author.skill(&[&["add", "--trust"], &folders[..]].concat()).ok();
}

#[test]
fn an_installed_brief_goes_from_its_name_to_its_end() {
    let world = World::new();
    let author = world.stranger("author");
    install(&author);
    let name = "platform/brief-database-migration";
    let args = [&["brief", "render", name], &SET[..]].concat();
    author.skill(&args).ok();
    let document: Value = serde_json::from_str(&author.read(".skill/briefs/ops-412-orders.brief.json")).expect("JSON");
    assert_eq!(document["from"]["package"], name);
    author.skill(&["brief", "list"]).ok().says("ops-412-orders").says("open").says("5 tasks").says("installed");
    author.skill(&["brief", "show", "ops-412-orders"]).ok().says("plan-first").says("review-plan");
    author.skill(&["brief", "show", "brief-database-migration", "--graph"]).ok().says("t-plan --> t-review-plan");
    author.skill(&["brief", "lint", "ops-412-orders"]).ok();
    author
        .skill(&["brief", "start", "ops-412-orders", "--agent", "claude-code"])
        .ok()
        .says("claude --permission-mode plan");
    author.skill(&["brief", "start", "ops-412-orders", "--agent", "cursor"]).exits(3).says("has no launch flag");
    author.skill(&["brief", "escalate", "ops-412-orders", "--note", "The lock takes 2 s. May it?"]).ok();
    assert!(author.read(".skill/briefs/ops-412-orders.escalations.jsonl").contains("The lock takes 2 s. May it?"));
    let close = ["brief", "close", "ops-412-orders", "--as", "merged"];
    let before = author.snapshot();
    author.skill(&[&close[..], &["--dry-run"]].concat()).ok();
    assert_eq!(author.snapshot(), before);
    author.skill(&close).ok();
    assert!(!author.work.join(".skill/briefs/ops-412-orders.brief.md").exists());
    assert!(author.read(".skill/briefs/closed/ops-412-orders.outcome.json").contains("\"merged\""));
    assert!(author.work.join(".skill/briefs/closed/ops-412-orders.escalations.jsonl").exists());
    author.skill(&close).exits(3).says("was closed on");
    author.skill(&args).exits(3).says("was closed on");
    author.skill(&["brief", "list", "--open"]).ok().says("installed");
    author.skill(&["brief", "start", "ops-412-orders", "--agent", "codex"]).exits(3).says("was closed on");
}

#[test]
fn an_installed_brief_that_was_edited_is_never_rendered() {
    let world = World::new();
    let author = world.stranger("author");
    install(&author);
    let path = ".agents/skills/brief-database-migration/brief.md";
    write(author.work.join(path), author.read(path).replace("No other table", "Any other table"));
    let args = [&["brief", "render", "platform/brief-database-migration"], &SET[..]].concat();
    author.skill(&args).exits(1).says("was edited since it was installed");
    assert!(!author.work.join(".skill/briefs").exists());
}

#[test]
fn lint_answers_code_scanning_with_every_rule() {
    let world = World::new();
    let author = world.stranger("author");
    lay_out(&author.work);
    let path = "brief-database-migration/brief.md";
    write(author.work.join(path), author.read(path).replace("## Escalation", "## Elsewhere"));
    let screen = author.skill(&["brief", "lint", "./brief-database-migration", "--sarif"]).exits(1);
    let sarif: Value = serde_json::from_str(&screen.stdout).expect("JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    assert_eq!(run["results"][0]["ruleId"], "B001");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 18);
}

#[test]
fn a_link_in_place_of_a_rendered_brief_is_not_followed() {
    let world = World::new();
    let author = world.stranger("author");
    install(&author);
    std::fs::create_dir_all(author.work.join("elsewhere")).expect("made");
    std::fs::create_dir_all(author.work.join(".skill")).expect("made");
    std::os::unix::fs::symlink("../elsewhere", author.work.join(".skill/briefs")).expect("linked");
    for args in [&["brief", "list"][..], &["brief", "close", "x", "--as", "merged"]] {
        author.skill(args).exits(2).says("is not a folder");
    }
}

/// A newer version of the brief's package, with another sentence, installed.
fn publish_newer(author: &tests::Person, from: &str, to: &str) {
    let folder = author.work.join("packages/brief-database-migration");
    for (name, from, to) in [("skill.toml", "\"1.4.0\"", "\"1.5.0\""), ("brief.md", from, to)] {
        let text = read(folder.join(name));
        assert!(text.contains(from), "{from}");
        write(folder.join(name), text.replace(from, to));
    }
    author.skill(&["add", "--trust", "./packages/brief-database-migration"]).ok();
}

#[test]
fn an_edit_survives_the_update_of_a_brief_and_a_clash_is_marked() {
    let world = World::new();
    let author = world.stranger("author");
    install(&author);
    author.skill(&[&["brief", "render", "platform/brief-database-migration"], &SET[..]].concat()).ok();
    let path = ".skill/briefs/ops-412-orders.brief.md";
    let edited = author.read(path).replace("## Deliverables", "Ask before lunch.\n\n## Deliverables");
    write(author.work.join(path), &edited);
    author.skill(&["brief", "update", "ops-412-orders"]).ok().says("nothing to update");
    publish_newer(&author, "no data backfill", "no backfill of data");
    let before = author.snapshot();
    author.skill(&["brief", "update", "ops-412-orders", "--dry-run"]).ok().says("would update");
    assert_eq!(author.snapshot(), before);
    author.skill(&["brief", "update", "ops-412-orders"]).ok().says("1.4.0 to platform/brief-database-migration@1.5.0");
    let merged = author.read(path);
    assert!(merged.contains("Ask before lunch.") && merged.contains("no backfill of data"), "{merged}");
    assert!(author.read(".skill/briefs/ops-412-orders.brief.json").contains("\"1.5.0\""));
    write(author.work.join(path), merged.replace("no backfill of data", "no backfill, ever"));
    let folder = author.work.join("packages/brief-database-migration");
    write(folder.join("skill.toml"), read(folder.join("skill.toml")).replace("1.5.0", "1.6.0"));
    write(folder.join("brief.md"), read(folder.join("brief.md")).replace("no backfill of data", "no rows touched"));
    author.skill(&["add", "--trust", "./packages/brief-database-migration"]).ok();
    author.skill(&["brief", "update", "ops-412-orders"]).exits(3).says("has conflicts");
    let marked = author.read(path);
    assert!(marked.contains("<<<<<<<") && marked.contains("no backfill, ever") && marked.contains("no rows touched"));
}

#[test]
fn a_brief_whose_old_package_is_nowhere_says_so() {
    let world = World::new();
    let author = world.stranger("author");
    install(&author);
    author.skill(&[&["brief", "render", "platform/brief-database-migration"], &SET[..]].concat()).ok();
    author.skill(&["cache", "clean"]).ok();
    publish_newer(&author, "no data backfill", "no backfill of data");
    author.skill(&["brief", "update", "ops-412-orders"]).exits(3).says("is not in the cache");
}

#[test]
fn a_rendered_brief_becomes_a_package_that_gives_the_same_text() {
    let world = World::new();
    let author = world.stranger("author");
    install(&author);
    author.skill(&[&["brief", "render", "platform/brief-database-migration"], &SET[..]].concat()).ok();
    let body = |text: String| text.split_once('\n').expect("a first line").1.to_owned();
    let before = body(author.read(".skill/briefs/ops-412-orders.brief.md"));
    let new = ["brief", "new", "--from", "ops-412-orders", "--name", "acme/brief-again", "-o", "packages/brief-again"];
    author.skill(&[&new[..], &["--dry-run"]].concat()).ok();
    assert!(!author.work.join("packages/brief-again").exists());
    author.skill(&new).ok();
    let template = author.read("packages/brief-again/brief.md");
    assert!(template.contains("`{{ param.table }}`") && template.contains("{{ sections.tools }}"), "{template}");
    author.skill(&["lint", "packages/brief-again"]).ok();
    author.skill(&["brief", "render", "./packages/brief-again", "--id", "again"]).ok();
    assert_eq!(body(author.read(".skill/briefs/again.brief.md")), before);
    author.skill(&["brief", "render", "./packages/brief-again", "--id", "other", "--set", "table=items"]).ok();
    assert!(author.read(".skill/briefs/other.brief.md").contains("on table `items`"));
    author.skill(&new).exits(3);
}
