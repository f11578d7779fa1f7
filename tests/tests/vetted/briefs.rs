//! Briefs: each becomes exactly the text that a reviewer saw, and lint has nothing to say about it.
//!
//! `golden/NAME.values.toml` are the values, `golden/NAME.brief.md` the text. After a change on purpose
//! `SKILL_SCREENS=write cargo test -p tests --test vetted` writes the texts anew; the diff is for reviewers.

use std::path::PathBuf;

use tests::binaries::repository;
use tests::files::read;
use tests::{Person, World, write};

use crate::{folder, has_a_short_readme, named};

const BRIEFS: [&str; 12] = [
    "brief-backup-restore-drill",
    "brief-ci-flake",
    "brief-cost-anomaly",
    "brief-database-migration",
    "brief-dependency-upgrade",
    "brief-feature-slice",
    "brief-iam-least-privilege",
    "brief-incident-diagnosis",
    "brief-postmortem",
    "brief-service-runbook",
    "brief-slow-query",
    "brief-terraform-change",
];

/// Files that values name as being there.
const THERE: [&str; 5] =
    ["queries/open_orders.sql", "Cargo.toml", "Cargo.lock", "src/orders/retry.rs", "monitoring/checkout.rules.yaml"];

fn golden(file: &str) -> PathBuf {
    repository().join("tests/tests/vetted/golden").join(file)
}

/// Somebody in a repository that has what the values name.
fn author(world: &World) -> Person {
    let author = world.stranger("author");
    for path in THERE {
        author.write(path, "");
    }
    author
}

/// Renders a brief with its golden values; the text.
fn rendered(author: &Person, name: &str) -> String {
    let (package, values) = (folder(name), golden(&format!("{name}.values.toml")));
    let (package, values) = (package.to_string_lossy(), values.to_string_lossy());
    author.skill(&["brief", "render", &package, "--values", &values, "--id", name]).ok();
    author.read(&format!(".skill/briefs/{name}.brief.md"))
}

#[test]
fn the_briefs_are_these() {
    assert_eq!(named("brief-"), BRIEFS);
    BRIEFS.iter().for_each(|name| has_a_short_readme(name));
}

#[test]
fn each_brief_becomes_the_text_that_was_reviewed() {
    let world = World::new();
    let author = author(&world);
    let is_accepted = std::env::var_os("SKILL_SCREENS").is_some_and(|value| value == "write");
    for name in BRIEFS {
        let text = rendered(&author, name);
        let path = golden(&format!("{name}.brief.md"));
        if is_accepted {
            write(&path, &text);
        }
        let expected = if path.exists() { read(&path) } else { String::new() };
        assert_eq!(text, expected, "{name}: if the change is meant, run again with SKILL_SCREENS=write");
    }
}

#[test]
fn the_strictest_lint_finds_nothing_in_a_brief_nor_in_what_becomes_of_it() {
    let world = World::new();
    let author = author(&world);
    for name in BRIEFS {
        author.skill(&["lint", &folder(name).to_string_lossy()]).ok().says("nothing found");
        author
            .skill(&["brief", "lint", &folder(name).to_string_lossy(), "--strict"])
            .ok()
            .says("errors: 0, warnings: 0")
            .keeps_quiet_about("is not judged");
        rendered(&author, name);
        let text = format!(".skill/briefs/{name}.brief.md");
        author.skill(&["brief", "lint", &text, "--strict"]).ok().says("errors: 0, warnings: 0");
    }
}

#[test]
fn no_brief_reaches_an_environment_that_one_of_its_bundles_is_not_cleared_for() {
    let world = World::new();
    let author = author(&world);
    let package = folder("brief-database-migration");
    let values = golden("brief-database-migration.values.toml");
    let (package, values) = (package.to_string_lossy(), values.to_string_lossy());
    let production = ["brief", "render", &package, "--values", &values, "--set", "environment=production"];
    author.skill(&production).exits(2).says("is not one of \"dev\" or \"staging\"");
    assert!(!author.work.join(".skill/briefs").exists(), "nothing was written");
}
