//! A repository that uses skills: folders, links, clones, other names, the user's own.

use tests::files::{skill_md, skill_toml};
use tests::{Shop, Snapshot, write};

#[test]
fn installed_bytes_and_modes_equal_published_ones_for_both_agents() {
    let shop = Shop::with_pdf_installed();
    let published = Snapshot::of(&shop.alice.work.join("pdf"));
    Snapshot::of(&shop.installed("pdf")).is_unchanged_from(&published);
    let bob = shop.bob.snapshot();
    assert_eq!(bob.at(".claude/skills/pdf"), Some("link to ../../.agents/skills/pdf"));
    assert!(bob.at(".agents/skills/pdf/scripts/run.sh").expect("a script").starts_with("755"));
}

#[test]
fn a_copy_is_a_copy_where_copies_are_asked_for() {
    let shop = Shop::with_pdf();
    shop.bob.skill(&["init", "--agent", "claude-code"]).ok();
    let text = shop.bob.read("skills.toml").replace("[agents]\n", "[agents]\nlink = \"copy\"\n");
    shop.bob.write("skills.toml", &text);
    shop.bob.skill(&["add", "acme/pdf", "--trust"]).ok();
    let copy = shop.bob.work.join(".claude/skills/pdf");
    assert!(!copy.is_symlink());
    Snapshot::of(&copy).is_unchanged_from(&Snapshot::of(&shop.installed("pdf")));
    shop.bob.skill(&["verify", "--offline"]).ok();
    write(copy.join("SKILL.md"), "edited");
    shop.bob.skill(&["verify", "--offline"]).exits(1).says(".claude/skills/pdf");
    shop.bob.skill(&["diff", "pdf"]).ok().says("+edited");
    // Back to links: the copy was edited, so it takes `--force`.
    shop.bob.write(
        "skills.toml",
        text.replace("\"copy\"", "\"symlink\"").replace("[skills]", "[skills]\n\"acme/pdf\" = \"^1\""),
    );
    let again = shop.bob.read("skills.toml");
    let lines: Vec<&str> = again.lines().collect();
    assert!(lines.len() > 3);
    shop.bob.skill(&["install"]).exits(1);
    shop.bob.skill(&["install", "--force"]).ok();
    assert!(shop.bob.work.join(".claude/skills/pdf").is_symlink());
}

#[test]
fn a_fresh_clone_with_lock_and_proofs_installs_without_a_network_once_the_cache_is_warm() {
    let shop = Shop::with_pdf_installed();
    let bob = &shop.bob;
    bob.git(&["init", "--quiet", "--initial-branch", "main"]);
    bob.write(".gitignore", ".agents/\n.claude/\n");
    bob.git(&["add", "--all"]);
    bob.git(&["commit", "--quiet", "-m", "skills"]);
    let tracked = bob.git(&["ls-files"]).stdout;
    assert_eq!(
        tracked.lines().collect::<Vec<_>>(),
        [
            ".gitignore",
            ".skill/.gitignore",
            ".skill/proofs/localhost/acme/keyring.jsonl",
            ".skill/proofs/localhost/acme/pdf-1.0.0.sigstore.jsonl",
            ".skill/trust.toml",
            "skills.lock",
            "skills.toml",
        ]
    );
    // Carol clones it: her cache is empty, so she needs the archives, and nothing but the archives.
    let carol = shop.world.stranger("carol");
    carol.git(&["clone", "--quiet", &bob.work.to_string_lossy(), "clone"]);
    let carol = carol.within("clone");
    carol.skill(&["install", "--frozen"]).exits(3);
    carol.skill(&["install", "--locked"]).ok();
    carol.skill(&["verify", "--offline"]).ok();
    carol.git(&["diff", "--exit-code"]);
    Snapshot::of(&carol.work.join(".agents")).is_unchanged_from(&Snapshot::of(&bob.work.join(".agents")));
    // With the cache warm, no registry is needed any more.
    std::fs::remove_dir_all(carol.work.join(".agents")).expect("removed");
    carol.skill(&["install", "--frozen"]).ok();
    carol.skill(&["verify", "--offline"]).ok();
}

#[test]
fn committed_skills_verify_in_a_clone_without_home_cache_or_registry() {
    let shop = Shop::with_pdf_installed();
    let bob = &shop.bob;
    bob.git(&["init", "--quiet"]);
    bob.git(&["add", "--all"]);
    bob.git(&["commit", "--quiet", "-m", "skills"]);
    let ci = shop.world.stranger("ci");
    ci.git(&["clone", "--quiet", &bob.work.to_string_lossy(), "clone"]);
    let ci = ci.within("clone");
    let mut command = ci.skill_command(&["verify", "--offline"]);
    command.env_remove("HOME").env_remove("SKILL_HOME");
    assert!(command.status().expect("it runs").success());
    // And without touching anything.
    ci.git(&["status", "--porcelain"]).keeps_quiet_about("skill");
}

#[test]
fn locked_and_frozen_change_nothing_and_say_what_would_change() {
    let shop = Shop::with_pdf_installed();
    shop.publish("acme/more", "1.0.0", "");
    let text = shop.bob.read("skills.toml") + "\n";
    shop.bob.write("skills.toml", text.replace("\"acme/pdf\"", "\"acme/more\" = \"^1\"\n\"acme/pdf\""));
    let before = shop.bob.snapshot();
    shop.bob.skill(&["install", "--locked"]).exits(1).says("acme/more");
    shop.bob.skill(&["install", "--frozen"]);
    shop.bob.snapshot().is_unchanged_from(&before);
    shop.bob.skill(&["verify", "--offline"]).exits(3).says("acme/more");
    shop.bob.skill(&["install"]).ok();
    shop.bob.skill(&["install", "--locked"]).ok();
}

#[test]
fn offline_installs_what_the_cache_has_and_says_what_it_lacks() {
    let shop = Shop::with_pdf_installed();
    std::fs::remove_dir_all(shop.installed("pdf")).expect("removed");
    shop.bob.skill(&["install", "--offline"]).ok();
    shop.bob.skill(&["cache", "clean"]).ok();
    std::fs::remove_dir_all(shop.installed("pdf")).expect("removed");
    let before = shop.bob.snapshot();
    shop.bob.skill(&["install", "--offline"]).exits(3).says("offline");
    shop.bob.snapshot().is_unchanged_from(&before);
    shop.bob.skill(&["install"]).ok();
}

#[test]
fn two_skills_of_one_folder_name_are_refused_and_another_name_is_offered() {
    let shop = Shop::with_pdf_installed();
    shop.registry.scope("beta", "alice");
    shop.publish("beta/pdf", "3.0.0", "");
    let before = shop.bob.snapshot();
    shop.bob.skill(&["add", "beta/pdf", "--trust"]).exits(1).says("--as beta-pdf");
    shop.bob.snapshot().is_unchanged_from(&before);
    shop.bob.skill(&["add", "beta/pdf", "--trust", "--as", "beta-pdf"]).ok();
    let text = shop.bob.read(".agents/skills/beta-pdf/SKILL.md");
    assert!(text.contains("name: beta-pdf\n"), "{text}");
    assert!(shop.bob.work.join(".claude/skills/beta-pdf/SKILL.md").is_file());
    shop.bob.skill(&["verify", "--offline"]).ok();
    shop.bob.skill(&["diff", "beta-pdf"]).ok().says("no difference");
    shop.bob.write(".agents/skills/beta-pdf/SKILL.md", text + "\nedited\n");
    shop.bob.skill(&["verify", "--offline"]).exits(1).says("SKV001");
    shop.bob.skill(&["install", "--force"]).ok();
    shop.bob.skill(&["remove", "beta-pdf"]).ok();
    assert!(!shop.installed("beta-pdf").exists() && shop.installed("pdf").exists());
}

#[test]
fn a_folder_of_ones_own_is_installed_by_exception_and_pinned_by_its_tree() {
    let shop = Shop::with_pdf_installed();
    let bob = &shop.bob;
    bob.write("own/house/SKILL.md", skill_md("house", "How we do it here."));
    bob.skill(&["add", "./own/house"]).exits(4).says("--trust");
    bob.skill(&["add", "./own/house", "--trust"]).ok();
    assert!(bob.read(".skill/trust.toml").contains("[[exception]]"));
    bob.skill(&["verify", "--offline"]).ok().says("SKV050");
    // A change of the source is a change that somebody has to accept.
    bob.write("own/house/SKILL.md", skill_md("house", "Changed."));
    bob.skill(&["install"]).exits(4);
    assert!(bob.read(".agents/skills/house/SKILL.md").contains("How we do it here."));
    bob.skill(&["verify", "--offline"]).ok();
}

#[test]
fn a_folder_with_a_manifest_brings_its_dependencies() {
    let shop = Shop::with_pdf();
    let bob = &shop.bob;
    bob.write("own/top/SKILL.md", skill_md("top", "Needs pdf."));
    bob.write("own/top/skill.toml", skill_toml("local/top", "0.1.0", "\"acme/pdf\" = \"^1\""));
    bob.skill(&["add", "./own/top", "--trust"]).ok();
    bob.skill(&["list"]).ok().says("acme/pdf").says("local/top");
    bob.skill(&["verify", "--offline"]).ok();
}

#[test]
fn global_installs_for_the_user_and_leaves_the_repository_alone() {
    let shop = Shop::with_pdf();
    let bob = &shop.bob;
    bob.skill(&["add", "--global", "acme/pdf", "--trust"]).ok();
    assert!(bob.home.join(".agents/skills/pdf/SKILL.md").is_file());
    assert!(bob.snapshot().paths().is_empty(), "{:?}", bob.snapshot().paths());
    bob.skill(&["list", "--global"]).ok().says("acme/pdf");
    bob.skill(&["verify", "--global", "--offline"]).ok();
    bob.skill(&["remove", "--global", "acme/pdf"]).ok();
    assert!(!bob.home.join(".agents/skills/pdf").exists());
}

#[test]
fn comments_and_order_in_skills_toml_survive_every_command() {
    let shop = Shop::with_pdf();
    shop.publish("acme/more", "1.0.0", "");
    let text = "# our skills\n\n[skills]\n# the best one\n\"acme/pdf\" = \"^1\"   # pinned by ops\n\n[agents]\nuse = [ \"codex\" ] # only this\n";
    shop.bob.write("skills.toml", text);
    shop.bob.skill(&["install", "--trust"]).ok();
    assert_eq!(shop.bob.read("skills.toml"), text);
    shop.bob.skill(&["add", "acme/more"]).ok();
    let after = shop.bob.read("skills.toml");
    for line in text.lines().filter(|line| !line.is_empty()) {
        assert!(after.lines().any(|kept| kept == line), "`{line}` is gone from\n{after}");
    }
    shop.bob.skill(&["remove", "acme/more"]).ok();
    shop.bob.skill(&["update"]).ok();
    assert!(!shop.bob.read("skills.toml").contains("acme/more"));
    assert!(
        shop.bob
            .read("skills.toml")
            .starts_with("# our skills\n\n[skills]\n# the best one\n\"acme/pdf\" = \"^1\"   # pinned by ops\n")
    );
}

#[test]
fn a_file_in_the_way_that_is_not_ours_is_not_overwritten() {
    let shop = Shop::with_pdf();
    shop.bob.write(".agents/skills/pdf/SKILL.md", "mine");
    shop.bob.skill(&["add", "acme/pdf", "--trust"]).exits(1).says("--force");
    assert_eq!(shop.bob.read(".agents/skills/pdf/SKILL.md"), "mine");
    shop.bob.skill(&["add", "acme/pdf", "--trust", "--force"]).ok();
    assert_ne!(shop.bob.read(".agents/skills/pdf/SKILL.md"), "mine");
}

#[test]
fn a_dry_run_changes_nothing() {
    let shop = Shop::with_pdf_installed();
    shop.publish("acme/pdf", "1.1.0", "");
    let before = shop.bob.snapshot();
    for line in ["update --dry-run", "remove pdf --dry-run", "add acme/pdf@1.1 --dry-run", "install --dry-run"] {
        shop.bob.skill(&line.split(' ').collect::<Vec<_>>()).ok();
        shop.bob.snapshot().is_unchanged_from(&before);
    }
}
