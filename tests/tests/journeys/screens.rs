//! The journeys with every screen compared: `tests/screens/*.txt`.

use tests::files::package;
use tests::{Person, Registry, Shop, Transcript, World};

/// A transcript that knows what differs in this world.
fn transcript(name: &'static str, world: &World, url: &str) -> Transcript {
    let mut seen = Transcript::new(name);
    seen.show_as(url, "http://REGISTRY");
    let folder = world.path("");
    seen.show_as(folder.to_string_lossy().trim_end_matches('/'), "WORLD");
    seen
}

/// The same, where Alice has her key already: reports show the head of its id.
fn shop_transcript(name: &'static str, shop: &Shop) -> Transcript {
    let mut seen = transcript(name, &shop.world, shop.registry.url());
    let keys = shop.alice.skill(&["key", "list"]).ok().stdout;
    let id = keys.split_whitespace().nth(1).expect("an id");
    seen.show_as(id, "KEYID");
    seen.show_as(&id[..12], "KEYID-HEAD");
    seen
}

/// Types a command, shows the screen, and holds it to an exit code.
#[track_caller]
fn types(seen: &mut Transcript, person: &Person, line: &str, exit: i32) {
    let args: Vec<&str> = line.split(' ').collect();
    let screen = person.skill(&args);
    seen.add(&person.name, &screen);
    screen.exits(exit);
}

#[test]
fn a_team_publishes_and_another_installs_verifies_updates_and_removes() {
    let world = World::new();
    let registry = world.registry();
    let mut seen = transcript("a-release-and-its-life", &world, registry.url());
    let (alice, bob) = (world.person("alice", &registry), world.person("bob", &registry).within("repo"));
    publishes(&mut seen, &alice, &registry);
    installs(&mut seen, &bob);
    updates(&mut seen, &alice, &bob);
    retires(&mut seen, &alice, &bob);
    seen.compare();
}

fn publishes(seen: &mut Transcript, alice: &Person, registry: &Registry) {
    seen.note("the operator makes a user and a scope");
    let token = registry.user("alice");
    registry.scope("acme", "alice");
    let screen = alice.skill_reading(&["login", "--token-stdin"], &token).ok();
    assert!(!screen.to_string().contains(token.as_str()), "a token is never shown");
    seen.add("alice", &screen);
    types(seen, alice, "key generate --no-passphrase", 0);

    seen.note("alice writes two packages; the second needs the first");
    package(&alice.work, "acme/pdf", "1.0.0", "");
    package(&alice.work, "acme/report", "1.0.0", "\"acme/pdf\" = \"^1.0\"");
    types(seen, alice, "lint pdf report", 0);
    types(seen, alice, "publish pdf report", 4);
    types(seen, alice, "publish --dry-run pdf report", 0);
    types(seen, alice, "publish --register-key pdf report", 0);
    types(seen, alice, "publish pdf report", 0);
}

fn installs(seen: &mut Transcript, bob: &Person) {
    seen.note("bob starts a repository for two agents");
    types(seen, bob, "init --agent claude-code --agent codex", 0);
    types(seen, bob, "search report", 0);
    types(seen, bob, "info acme/report", 0);
    types(seen, bob, "add acme/report", 4);
    types(seen, bob, "add acme/report --trust", 0);
    types(seen, bob, "install", 0);
    types(seen, bob, "list", 0);
    types(seen, bob, "tree", 0);
    types(seen, bob, "why acme/pdf", 0);
    types(seen, bob, "verify --offline", 0);
    types(seen, bob, "outdated", 0);
}

fn updates(seen: &mut Transcript, alice: &Person, bob: &Person) {
    seen.note("alice publishes a new version of the package underneath");
    package(&alice.work, "acme/pdf", "1.1.0", "");
    types(seen, alice, "publish pdf", 0);
    types(seen, bob, "outdated", 0);
    types(seen, bob, "install", 0);
    types(seen, bob, "update --dry-run", 0);
    types(seen, bob, "update", 0);
    types(seen, bob, "diff acme/pdf@1.0.0 acme/pdf@1.1.0", 0);
}

fn retires(seen: &mut Transcript, alice: &Person, bob: &Person) {
    seen.note("alice withdraws it");
    types(seen, alice, "yank acme/pdf@1.1.0 --reason broken", 0);
    types(seen, bob, "outdated", 0);
    types(seen, bob, "install", 0);
    types(seen, bob, "verify --offline", 0);
    types(seen, bob, "update", 0);
    types(seen, bob, "list", 0);
    types(seen, alice, "yank acme/pdf@1.1.0 --undo --reason mended", 0);

    seen.note("bob is done");
    types(seen, bob, "remove acme/pdf", 3);
    types(seen, bob, "remove report", 0);
    types(seen, bob, "list", 0);
    types(seen, bob, "verify", 0);
}

#[test]
fn an_edited_skill_is_refused_shown_kept_and_put_right() {
    let shop = Shop::with_pdf_installed();
    let mut seen = shop_transcript("an-edit", &shop);
    let bob = &shop.bob;
    let path = ".agents/skills/pdf/scripts/run.sh";

    seen.note("somebody changes a script");
    bob.write(path, "#!/bin/sh\necho edited\n");
    types(&mut seen, bob, "verify --offline", 1);
    types(&mut seen, bob, "diff pdf", 0);
    types(&mut seen, bob, "install", 1);
    types(&mut seen, bob, "remove pdf", 1);
    assert_eq!(bob.read(path), "#!/bin/sh\necho edited\n", "an edit is never overwritten or deleted unasked");

    seen.note("bob puts it right");
    types(&mut seen, bob, "install --force", 0);
    types(&mut seen, bob, "verify --offline -v", 0);
    assert_eq!(bob.read(path), "#!/bin/sh\necho run\n");
    seen.compare();
}

#[test]
fn every_format_of_a_report_says_the_same() {
    let shop = Shop::with_pdf_installed();
    let mut seen = shop_transcript("formats-of-a-report", &shop);
    let bob = &shop.bob;
    bob.write(".agents/skills/pdf/extra, with: commas.md", "extra");
    tests::files::set_mode(&bob.work.join(".agents/skills/pdf/SKILL.md"), 0o755);
    for format in ["text", "json", "sarif", "junit", "github"] {
        types(&mut seen, bob, &format!("verify --offline --format {format}"), 1);
    }
    types(&mut seen, bob, "verify --offline --json", 1);
    seen.compare();
}

#[test]
fn the_help_says_what_there_is() {
    let world = World::new();
    let mut seen = Transcript::new("help");
    let bob = world.stranger("bob");
    types(&mut seen, &bob, "--help", 0);
    types(&mut seen, &bob, "--version", 0);
    types(&mut seen, &bob, "instal", 2);
    seen.compare();
}
