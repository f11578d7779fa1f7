//! Packages of every kind, the whole way: started, linted, published, found, installed, verified, shown,
//! updated, removed.

use tests::{Screen, Shop, kinds};

/// Starts a package of a kind, lints it and publishes it.
#[track_caller]
fn publish_new(shop: &Shop, name: &str, kind: &str) {
    let short = name.rsplit('/').next().expect("a last part");
    shop.alice.skill(&["new", name, "--kind", kind]).ok();
    if kind == "brief" {
        let path = format!("{short}/skill.toml");
        let text = shop.alice.read(&path).replace("vetted/check-tests-pass", "acme/proof");
        shop.alice.write(&path, text.replace("\"^1\"", "\"^0.1\""));
    }
    shop.alice.skill(&["lint", short]).ok().keeps_quiet_about("warning");
    shop.alice.skill(&["publish", "--register-key", short]).ok();
}

/// Everything of `acme` from the starters: a check, a bundle, and a brief that is proved by the check.
fn shop() -> Shop {
    let shop = Shop::open();
    publish_new(&shop, "acme/proof", "check");
    publish_new(&shop, "acme/guard", "tools");
    publish_new(&shop, "acme/change", "brief");
    shop.bob.skill(&["init", "--agent", "claude-code", "--agent", "codex"]).ok();
    shop
}

fn names(screen: &Screen, pointer: &str) -> Vec<String> {
    let rows = screen.json().pointer(pointer).and_then(|rows| rows.as_array().cloned()).unwrap_or_default();
    rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn each_kind_goes_the_whole_way_from_new_to_remove() {
    let shop = shop();
    let bob = &shop.bob;
    for (name, kind, file) in
        [("proof", "check", "run.sh"), ("guard", "tools", "skill.toml"), ("change", "brief", "SKILL.md")]
    {
        let full = format!("acme/{name}");
        bob.skill(&["info", &full]).ok().says(kind);
        bob.skill(&["add", &full, "--trust"]).ok();
        assert!(shop.installed(name).join(file).is_file(), "{name}/{file}");
        bob.skill(&["verify", "--offline"]).ok();
        let lock = bob.read("skills.lock");
        assert!(lock.contains(&format!("kind = \"{kind}\"")), "{lock}");
        assert!(bob.skill(&["list"]).ok().stdout.lines().any(|line| line.contains(&full) && line.contains(kind)));
        bob.skill(&["why", &full]).ok();
        bob.skill(&["tree"]).ok().says(&full);
        bob.skill(&["outdated"]).ok();
        let folder = bob.work.join(format!(".claude/skills/{name}"));
        assert_eq!(folder.is_symlink(), kind == "brief", "agents read what has a SKILL.md, and nothing else");
        bob.skill(&["remove", &full]).ok();
        assert!(!shop.installed(name).exists() && !folder.is_symlink());
        bob.skill(&["verify", "--offline"]).ok();
    }
}

#[test]
fn a_brief_brings_along_what_it_uses_and_renders_from_the_same_folders() {
    let shop = shop();
    shop.bob.skill(&["add", "acme/change", "--trust"]).ok();
    assert!(shop.installed("proof").is_dir(), "the check that proves it came along");
    shop.bob.skill(&["remove", "acme/proof"]).exits(3);
    let values = ["--set", "ticket=OPS-1", "--set", "change=add a health endpoint"];
    let render = [&["brief", "render", "change"], &values[..]].concat();
    shop.alice.skill(&render).ok();
    assert!(shop.alice.read(".skill/briefs/ops-1-add-a-health-endpoint.brief.md").contains("Add a health endpoint"));
}

#[test]
fn a_package_from_a_folder_may_be_of_any_kind() {
    let shop = Shop::open();
    kinds::check(&shop.bob.work, "1.0.0");
    kinds::tools(&shop.bob.work, "1.0.0");
    kinds::brief(&shop.bob.work, "1.0.0", "");
    shop.bob.skill(&["add", "./green"]).exits(4);
    shop.bob.skill(&["add", "./green", "./guard", "./mark", "--trust"]).ok().says("brings");
    shop.bob.skill(&["verify", "--offline"]).ok();
    for (short, kind) in [("green", "check"), ("guard", "tools"), ("mark", "brief")] {
        assert!(shop.bob.read("skills.lock").contains(&format!("kind = \"{kind}\"")), "{kind}");
        assert!(shop.installed(short).join("skill.toml").is_file());
    }
    shop.bob.skill(&["remove", "mark", "guard", "green"]).ok();
    assert!(!shop.installed("mark").exists());
}

#[test]
fn what_a_new_package_can_do_is_said_before_it_is_written() {
    let shop = Shop::open();
    kinds::tools(&shop.alice.work, "1.0.0");
    kinds::check(&shop.alice.work, "1.0.0");
    shop.alice.skill(&["publish", "--register-key", "guard", "green"]).ok();
    let dry = shop.bob.skill(&["add", "acme/guard", "--trust", "--dry-run"]).ok();
    dry.says("server pg (npm:pg-mcp@0.6.2)").says("wishes mcp:pg:query: It only reads.").says("network: any");
    assert!(!shop.bob.work.join(".agents").exists());
    shop.bob.skill(&["add", "acme/guard", "acme/green", "--trust"]).ok().says("runs `./run.sh`");
    shop.bob.skill(&["install"]).ok().keeps_quiet_about("brings");
    // A new version that can do more says so before it is taken.
    let text = shop.alice.read("guard/skill.toml").replace("\"1.0.0\"", "\"1.1.0\"").replace("0.6.2", "0.7.0");
    shop.alice.write("guard/skill.toml", text);
    shop.alice.skill(&["publish", "guard"]).ok();
    shop.bob.skill(&["outdated"]).says("1.1.0");
    let update = shop.bob.skill(&["update"]).ok().says("capabilities change").says("pg-mcp@0.7.0");
    update.keeps_quiet_about("brings");
    shop.bob.skill(&["verify", "--offline"]).ok();
}

#[test]
fn search_finds_by_kind_and_by_what_a_package_can_do() {
    let shop = Shop::open();
    kinds::check(&shop.alice.work, "1.0.0");
    kinds::tools(&shop.alice.work, "1.0.0");
    kinds::brief(&shop.alice.work, "1.0.0", "");
    shop.alice.skill(&["publish", "--register-key", "green", "guard", "mark"]).ok();
    for (query, expected) in [
        ("kind:tools", &["acme/guard"][..]),
        ("kind:tools mutates:false", &[]),
        ("mutates:true database", &["acme/guard"]),
        ("kind:check network:none", &["acme/green"]),
        ("env:staging data:internal", &["acme/guard", "acme/mark"]),
        ("scope:acme kind:brief", &["acme/mark"]),
    ] {
        let found = shop.bob.skill(&["--json", "search", query]).ok();
        assert_eq!(names(&found, "/data/hits"), expected, "{query}");
    }
    shop.bob.skill(&["search", "kind:plugin"]).exits(2).says("kind");
    shop.bob.skill(&["search", "colour:red"]).exits(2).says("there is no filter");
    let info = shop.bob.skill(&["info", "acme/mark"]).ok();
    info.says("environment dev or staging, data internal, approval plan-first").says("checks");
    shop.bob.skill(&["info", "acme/green"]).ok().says("fixtures     2");
}

#[test]
fn a_brief_that_wants_no_stub_or_has_a_skill_md_is_installed_as_it_is() {
    let shop = Shop::open();
    kinds::check(&shop.alice.work, "1.0.0");
    kinds::tools(&shop.alice.work, "1.0.0");
    kinds::brief(&shop.alice.work, "1.0.0", "skill-stub = false\n");
    shop.alice.skill(&["publish", "--register-key", "green", "guard", "mark"]).ok();
    shop.bob.skill(&["init", "--agent", "claude-code"]).ok();
    shop.bob.skill(&["add", "acme/mark", "--trust"]).ok();
    let stub = shop.installed("mark").join("SKILL.md");
    let link = shop.bob.work.join(".claude/skills/mark");
    assert!(!stub.exists() && !link.is_symlink());
    shop.bob.skill(&["verify", "--offline"]).ok();
    shop.bob.skill(&["install"]).ok().says("nothing to change");
    let own = tests::files::skill_md("mark", "Ask Alice first.");
    shop.alice.write("mark/SKILL.md", &own);
    kinds::brief(&shop.alice.work, "1.1.0", "");
    shop.alice.skill(&["publish", "mark"]).ok();
    shop.bob.skill(&["update"]).ok();
    assert_eq!(tests::files::read(&stub), own);
    assert!(link.is_symlink());
    shop.bob.skill(&["verify", "--offline"]).ok();
}

#[test]
fn a_stub_carries_the_name_under_which_the_brief_is_installed() {
    let shop = shop();
    shop.bob.skill(&["add", "acme/change", "--as", "small-change", "--trust"]).ok();
    let stub = shop.bob.read(".agents/skills/small-change/SKILL.md");
    assert!(stub.contains("name: \"small-change\"") && stub.contains("skill brief render acme/change"), "{stub}");
    shop.bob.skill(&["verify", "--offline"]).ok();
    shop.bob.skill(&["install"]).ok().says("nothing to change");
}

#[test]
fn a_check_without_a_fixture_that_it_fails_on_is_not_published() {
    let shop = Shop::open();
    let check = kinds::check(&shop.alice.work, "1.0.0");
    std::fs::remove_dir_all(check.join("fixtures/fail")).expect("removed");
    let refused = shop.alice.skill(&["--json", "publish", "--register-key", "green"]).exits(1);
    assert_eq!(refused.json().pointer("/error/code").and_then(|code| code.as_str()), Some("S047"), "{refused}");
    assert_eq!(shop.registry.get("/index/acme/green").status, 404);
}

#[test]
fn what_depends_on_a_kind_that_it_may_not_have_is_refused_where_it_is_published() {
    let shop = Shop::with_pdf();
    let check = kinds::check(&shop.alice.work, "1.0.0");
    let path = check.join("skill.toml");
    let text = tests::files::read(&path);
    tests::write(&path, format!("{text}[dependencies]\n\"acme/pdf\" = \"^1\"\n"));
    shop.alice.skill(&["publish", "green"]).says("may depend on tools, check only");
    // Together in one request, neither is known yet: the one who installs them is told.
    let text = text.replace("acme/green", "acme/blue");
    tests::write(shop.alice.work.join("blue/skill.toml"), format!("{text}[dependencies]\n\"acme/late\" = \"^1\"\n"));
    tests::files::copy(&check.join("fixtures"), &shop.alice.work.join("blue/fixtures"));
    tests::write(shop.alice.work.join("blue/run.sh"), "#!/bin/sh\n");
    tests::files::set_mode(&shop.alice.work.join("blue/run.sh"), 0o755);
    tests::files::package(&shop.alice.work, "acme/late", "1.0.0", "");
    shop.alice.skill(&["publish", "blue", "late"]).ok();
    shop.bob.skill(&["add", "acme/blue", "--trust"]).exits(3).says("may depend on tools, check only");
    assert!(!shop.bob.work.join(".agents").exists());
}
