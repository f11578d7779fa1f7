//! A brief, from the folder of its package to the two files that an agent and programs read.

use serde_json::Value;
use tests::binaries::repository;
use tests::files::read;
use tests::{World, write};

const CHECK: &str = "[package]\nschema = 1\nversion = \"1.2.0\"\nkind = \"check\"\nlicense = \"Apache-2.0\"\n";

/// The worked packages of the format, side by side in the stranger's folder.
fn lay_out(work: &std::path::Path) {
    let sample = |name: &str| read(repository().join("skills/src/brief/samples").join(name));
    write(work.join("brief-database-migration/skill.toml"), sample("migration.toml"));
    write(work.join("brief-database-migration/brief.md"), sample("migration.md"));
    write(work.join("tools-postgres-readonly/skill.toml"), sample("tools.toml"));
    for (name, param) in [("check-tests-pass", ""), ("check-rollback-valid", "[param.migration]\ntype = \"path\"\n")] {
        let head = format!("name = \"platform/{name}\"\ndescription = \"It holds.\"\n");
        let check = format!(
            "{CHECK}{head}{param}[check]\nargv = [\"./run.sh\"]\ntimeout = \"5m\"\ninputs = [\"**\"]\nnetwork = \"none\"\n[check.expect]\nexit = 0\n"
        );
        write(work.join(name).join("skill.toml"), check);
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
