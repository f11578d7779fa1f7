//! The author's side: publishing several, keys, scopes, tokens.

use tests::files::{package, skill_md};
use tests::{Shop, World, write};

#[test]
fn several_packages_are_published_all_or_none() {
    let shop = Shop::with_pdf();
    let good = package(&shop.alice.work, "acme/good", "1.0.0", "");
    let bad = package(&shop.alice.work, "acme/bad", "1.0.0", "");
    write(bad.join("SKILL.md"), "no front matter");
    shop.alice.skill(&["publish", "good", "bad"]).exits(1);
    assert_eq!(shop.registry.get("/index/acme/good").status, 404);
    write(bad.join("SKILL.md"), skill_md("bad", "Mended."));
    shop.alice.skill(&["publish", "good", "bad"]).ok();
    for name in ["good", "bad"] {
        assert_eq!(shop.registry.get(&format!("/index/acme/{name}")).status, 200);
    }
    // A package of a scope that is not ours spoils the whole, at the registry this time.
    shop.registry.user("mallory");
    shop.registry.scope("other", "mallory");
    write(good.join("skill.toml"), tests::files::skill_toml("acme/good", "2.0.0", ""));
    package(&shop.alice.work, "other/stolen", "1.0.0", "");
    let screen = shop.alice.skill(&["publish", "--register-key", "good", "stolen"]);
    assert_ne!(screen.exit, 0, "{screen}");
    assert!(!shop.registry.get("/index/acme/good").text().contains("2.0.0"));
    shop.registry.check().ok();
}

#[test]
fn a_folder_with_only_a_skill_md_is_published_under_a_name_and_a_version() {
    let shop = Shop::with_pdf();
    write(shop.alice.work.join("plain/SKILL.md"), skill_md("plain", "Nothing but this."));
    shop.alice.skill(&["publish", "plain", "--name", "acme/plain", "--version", "0.3.0"]).ok();
    shop.alice.skill(&["publish", "plain", "--name", "acme/other", "--version", "0.3.0"]).exits(1);
    shop.bob.skill(&["add", "acme/plain", "--trust"]).ok();
    assert_eq!(shop.bob.read(".agents/skills/plain/SKILL.md"), skill_md("plain", "Nothing but this."));
}

#[test]
fn a_version_is_published_once() {
    let shop = Shop::with_pdf();
    shop.alice.skill(&["publish", "pdf"]).ok().says("unchanged");
    write(shop.alice.work.join("pdf/notes.md"), "other bytes");
    shop.alice.skill(&["publish", "pdf"]).exits(1).says("acme/pdf").says("1.0.0");
    // SemVer build metadata makes no other version.
    write(shop.alice.work.join("pdf/skill.toml"), tests::files::skill_toml("acme/pdf", "1.0.0+rebuilt", ""));
    shop.alice.skill(&["publish", "pdf"]).exits(1);
    assert_eq!(shop.registry.get("/index/acme/pdf").text().lines().count(), 1);
}

#[test]
fn a_key_with_a_passphrase_signs_only_with_it() {
    let shop = Shop::open();
    let alice = shop.alice.with("SKILL_KEY_PASSPHRASE", "correct horse battery staple");
    alice.skill(&["key", "generate", "--name", "work"]).ok();
    package(&alice.work, "acme/pdf", "1.0.0", "");
    let publish = ["publish", "pdf", "--register-key", "--key", "work"];
    let wrong = shop.alice.with("SKILL_KEY_PASSPHRASE", "wrong");
    wrong.skill(&publish).keeps_quiet_about("wrong\n").says("passphrase");
    let none = shop.alice.skill(&publish);
    assert_ne!(none.exit, 0, "{none}");
    assert_eq!(shop.registry.get("/keyrings/acme.jsonl").status, 404, "nothing was registered");
    alice.skill(&publish).ok();
}

#[test]
fn a_key_that_is_not_in_the_keyring_does_not_release() {
    let shop = Shop::with_pdf();
    shop.alice.skill(&["key", "generate", "--name", "second", "--no-passphrase"]).ok();
    package(&shop.alice.work, "acme/pdf", "1.1.0", "");
    shop.alice.skill(&["publish", "pdf", "--key", "second"]).exits(4).says("second");
    assert!(!shop.registry.get("/index/acme/pdf").text().contains("1.1.0"));
}

#[test]
fn pack_lint_and_unpack_agree_about_the_same_bytes() {
    let world = World::new();
    let alice = world.stranger("alice");
    package(&alice.work, "acme/pdf", "1.0.0", "");
    alice.skill(&["pack", "pdf", "-o", "one.tar.gz"]).ok();
    // Another time, another mask, another order of writing: the same archive.
    tests::files::copy(&alice.work.join("pdf"), &alice.work.join("copy/pdf"));
    tests::files::set_mode(&alice.work.join("copy/pdf/SKILL.md"), 0o600);
    alice.skill(&["pack", "copy/pdf", "-o", "two.tar.gz"]).ok();
    let bytes = |name: &str| std::fs::read(alice.work.join(name)).expect("packed");
    assert_eq!(bytes("one.tar.gz"), bytes("two.tar.gz"));
    alice.skill(&["lint", "one.tar.gz"]).ok();
    alice.skill(&["unpack", "one.tar.gz", "-o", "out"]).ok();
    let out = tests::Snapshot::of(&alice.work.join("out"));
    out.is_unchanged_from(&tests::Snapshot::of(&alice.work.join("pdf")));
    alice.skill(&["unpack", "one.tar.gz", "-o", "out"]).exits(3);
}

#[test]
fn lint_fix_makes_publishable_what_a_machine_can_mend() {
    let shop = Shop::with_pdf();
    let sloppy = "\u{feff}---\r\nname: sloppy\r\ndescription: Use when: a test needs sloppy front matter, as people write it.\r\n---\r\n\r\n# Sloppy\r\n";
    write(shop.alice.work.join("sloppy/SKILL.md"), sloppy);
    let publish = ["publish", "sloppy", "--name", "acme/sloppy", "--version", "1.0.0"];
    shop.alice.skill(&publish).exits(1).says("--fix");
    shop.alice.skill(&["lint", "sloppy"]).exits(1);
    shop.alice.skill(&["lint", "--fix", "--dry-run", "sloppy"]);
    assert_eq!(shop.alice.read("sloppy/SKILL.md"), sloppy, "a dry run changes nothing");
    shop.alice.skill(&["lint", "--fix", "sloppy"]).ok();
    shop.alice.skill(&publish).ok();
}

#[test]
fn a_new_package_lints_clean_and_can_be_published() {
    let shop = Shop::open();
    shop.alice.skill(&["new", "acme/fresh"]).ok();
    shop.alice.skill(&["lint", "fresh"]).ok();
    shop.alice.skill(&["publish", "fresh", "--register-key"]).ok();
}

#[test]
fn logging_out_forgets_the_token_and_a_token_can_be_narrowed() {
    let shop = Shop::with_pdf();
    let made = shop.alice.skill(&["token", "create", "--action", "publish", "--scope", "acme"]).ok();
    let narrow = made.stdout.trim_end().to_owned();
    shop.alice.skill(&["token", "list"]).ok().keeps_quiet_about(&narrow);
    let ci = shop.bob.with("SKILL_TOKEN", &narrow);
    ci.skill(&["whoami"]).ok().says("alice");
    ci.skill(&["yank", "acme/pdf@1.0.0", "--reason", "no"]).exits(4).says("yank");
    shop.alice.skill(&["logout"]).ok();
    shop.alice.skill(&["whoami"]).exits(3);
}

#[test]
fn keys_and_credentials_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::with_pdf();
    for path in ["config/keys/default.pem", "config/credentials.toml"] {
        let path = shop.alice.home.join("skill").join(path);
        let mode = path.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}
