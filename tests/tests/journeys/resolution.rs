//! Dependencies between skills: what is chosen, kept, and explained.

use tests::Shop;

/// Publishes one release a line: `name version dependencies`.
fn shelf(releases: &[(&str, &str, &str)]) -> Shop {
    let shop = Shop::open();
    for (name, version, dependencies) in releases {
        shop.publish(name, version, dependencies);
    }
    shop
}

#[track_caller]
fn has(shop: &Shop, expected: &[&str]) {
    let list = shop.bob.skill(&["list"]).ok();
    let seen: Vec<String> =
        list.stdout.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_dependency_comes_along_and_goes_when_nobody_needs_it() {
    let shop = shelf(&[("acme/base", "1.2.0", ""), ("acme/top", "1.0.0", "\"acme/base\" = \"^1\"")]);
    shop.bob.skill(&["add", "acme/top", "--trust"]).ok();
    has(&shop, &["acme/base 1.2.0", "acme/top 1.0.0"]);
    shop.bob.skill(&["remove", "acme/top"]).ok();
    has(&shop, &[]);
    assert!(!shop.installed("base").exists() && !shop.installed("top").exists());
}

#[test]
fn what_is_locked_is_kept_until_update() {
    let shop = shelf(&[("acme/pdf", "1.0.0", "")]);
    shop.bob.skill(&["add", "acme/pdf@^1", "--trust"]).ok();
    shop.publish("acme/pdf", "1.5.0", "");
    shop.publish("acme/pdf", "2.0.0", "");
    shop.publish("acme/other", "1.0.0", "");
    shop.bob.skill(&["add", "acme/other"]).ok();
    has(&shop, &["acme/other 1.0.0", "acme/pdf 1.0.0"]);
    shop.bob.skill(&["update", "acme/other"]).ok();
    has(&shop, &["acme/other 1.0.0", "acme/pdf 1.0.0"]);
    shop.bob.skill(&["update"]).ok();
    has(&shop, &["acme/other 1.0.0", "acme/pdf 1.5.0"]);
}

#[test]
fn a_yanked_version_is_never_newly_chosen_and_stays_where_it_is_locked() {
    let shop = shelf(&[("acme/pdf", "1.0.0", ""), ("acme/pdf", "1.1.0", "")]);
    shop.bob.skill(&["add", "acme/pdf@1.1", "--trust"]).ok();
    shop.alice.skill(&["yank", "acme/pdf@1.1.0", "--reason", "broken"]).ok();
    // Locked: installs again, from nothing.
    std::fs::remove_dir_all(shop.installed("pdf")).expect("removed");
    shop.bob.skill(&["install"]).ok();
    has(&shop, &["acme/pdf 1.1.0"]);
    // Nobody chooses it anew, not even by name.
    let carol = shop.world.person("carol", &shop.registry);
    carol.skill(&["add", "acme/pdf@=1.1.0", "--trust"]).exits(3).says("yanked");
    carol.skill(&["add", "acme/pdf", "--trust"]).ok();
    carol.skill(&["list"]).ok().says("1.0.0").keeps_quiet_about("1.1.0");
}

#[test]
fn a_pre_release_is_chosen_only_when_asked_for() {
    let shop = shelf(&[("acme/pdf", "1.0.0", ""), ("acme/pdf", "1.1.0-rc.1", "")]);
    shop.bob.skill(&["add", "acme/pdf", "--trust"]).ok();
    has(&shop, &["acme/pdf 1.0.0"]);
    shop.bob.skill(&["add", "acme/pdf@1.1.0-rc.1"]).ok();
    has(&shop, &["acme/pdf 1.1.0-rc.1"]);
}

#[test]
fn a_conflict_names_the_chain_of_who_wants_what() {
    let shop = shelf(&[
        ("acme/base", "1.0.0", ""),
        ("acme/base", "2.0.0", ""),
        ("acme/old", "1.0.0", "\"acme/base\" = \"^1\""),
        ("acme/new", "1.0.0", "\"acme/base\" = \"^2\""),
    ]);
    shop.bob.skill(&["add", "acme/old", "--trust"]).ok();
    let before = shop.bob.snapshot();
    let screen = shop.bob.skill(&["add", "acme/new"]).exits(3);
    let screen = screen.says("acme/old").says("acme/new").says("acme/base").says("^1").says("^2");
    assert!(screen.stdout.is_empty());
    shop.bob.snapshot().is_unchanged_from(&before);
}

#[test]
fn a_missing_dependency_is_named() {
    let shop = shelf(&[("acme/top", "1.0.0", "\"acme/nowhere\" = \"^1\"")]);
    shop.bob.skill(&["add", "acme/top", "--trust"]).exits(3).says("acme/nowhere").says("acme/top");
}

#[test]
fn two_runs_resolve_alike() {
    let shop = shelf(&[
        ("acme/a", "1.0.0", ""),
        ("acme/b", "1.0.0", "\"acme/a\" = \"^1\""),
        ("acme/c", "1.0.0", "\"acme/a\" = \"^1\"\n\"acme/b\" = \"^1\""),
    ]);
    shop.bob.skill(&["add", "acme/c", "--trust"]).ok();
    let carol = shop.world.person("carol", &shop.registry);
    carol.skill(&["add", "acme/c", "--trust"]).ok();
    assert_eq!(shop.bob.read("skills.lock"), carol.read("skills.lock"));
}

#[test]
fn an_update_says_what_a_skill_may_do_that_it_could_not_before() {
    let shop = Shop::open();
    let quiet = shop.alice.work.join("quiet");
    tests::write(quiet.join("SKILL.md"), tests::files::skill_md("quiet", "Only words."));
    tests::write(quiet.join("skill.toml"), tests::files::skill_toml("acme/quiet", "1.0.0", ""));
    shop.alice.skill(&["publish", "--register-key", "quiet"]).ok();
    shop.bob.skill(&["add", "acme/quiet", "--trust"]).ok();
    shop.publish("acme/quiet", "1.1.0", "");
    let before = shop.bob.snapshot();
    shop.bob.skill(&["update", "--dry-run"]).ok().says("capabilities").says("script");
    shop.bob.snapshot().is_unchanged_from(&before);
    shop.bob.skill(&["update"]).ok().says("capabilities").says("script");
}

#[test]
fn an_install_with_nothing_to_do_asks_nobody_anything() {
    let shop = Shop::with_pdf_installed();
    let mirror = tests::mirror::Mirror::of(shop.registry.url(), tests::mirror::Lies::new());
    let toml = shop.bob.read("skills.toml").replace(shop.registry.url(), mirror.url());
    shop.bob.write("skills.toml", toml);
    let bob = shop.bob.at(mirror.url());
    for args in [&["install"][..], &["verify"], &["list"], &["tree"], &["why", "acme/pdf"]] {
        bob.skill(args).ok();
        assert!(mirror.asked().is_empty(), "{args:?} asked for {:?}", mirror.asked());
    }
    bob.skill(&["outdated"]).ok();
    assert!(!mirror.asked().is_empty());
}

#[test]
fn outdated_offers_only_what_the_other_skills_allow() {
    let shop = shelf(&[("acme/base", "1.0.0", ""), ("acme/top", "1.0.0", "\"acme/base\" = \"^1\"")]);
    shop.bob.skill(&["add", "acme/top", "--trust"]).ok();
    shop.publish("acme/base", "1.1.0", "");
    shop.publish("acme/base", "2.0.0", "");
    let outdated = shop.bob.skill(&["outdated", "--json"]).ok().json();
    let base = &outdated["data"]["outdated"][0];
    assert_eq!((base["compatible"].as_str(), base["newest"].as_str()), (Some("1.1.0"), Some("2.0.0")), "{outdated}");
}

#[test]
fn a_locked_version_that_was_yanked_is_said_when_the_index_is_read() {
    let shop = shelf(&[("acme/pdf", "1.0.0", ""), ("acme/other", "1.0.0", "")]);
    shop.bob.skill(&["add", "acme/pdf", "--trust"]).ok();
    shop.alice.skill(&["yank", "acme/pdf@1.0.0", "--reason", "it deletes the table"]).ok();
    shop.bob.skill(&["add", "acme/other"]).ok().says("SKV031").says("it deletes the table");
}

#[test]
fn a_version_in_a_spec_is_a_requirement_as_cargo_reads_it() {
    let shop = shelf(&[("acme/pdf", "1.0.0", ""), ("acme/pdf", "1.1.0", "")]);
    shop.bob.skill(&["add", "acme/pdf@1.0.0", "--trust"]).ok();
    has(&shop, &["acme/pdf 1.1.0"]);
    shop.bob.skill(&["why", "pdf"]).ok().says("skills.toml -> acme/pdf");
}
