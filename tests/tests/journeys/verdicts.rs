//! `verify`: every kind of change is reported under its id, all of them at once, and nothing is
//! changed by looking.

use tests::{Shop, Snapshot};

/// Changes something in Bob's repository and expects these ids and this exit code.
#[track_caller]
fn reports(change: impl Fn(&Shop), ids: &[&str], exit: i32) {
    let shop = Shop::with_pdf_installed();
    change(&shop);
    let before = Snapshot::of(&shop.bob.work);
    let screen = shop.bob.skill(&["verify", "--offline"]).exits(exit);
    for id in ids {
        assert!(screen.stdout.contains(id), "expected {id}\n{screen}");
    }
    Snapshot::of(&shop.bob.work).is_unchanged_from(&before);
}

const SKILL: &str = ".agents/skills/pdf";

#[test]
fn a_changed_file() {
    reports(|shop| shop.bob.write(&format!("{SKILL}/SKILL.md"), "changed"), &["SKV001"], 1);
}

#[test]
fn an_extra_file() {
    reports(|shop| shop.bob.write(&format!("{SKILL}/evil.sh"), "x"), &["SKV002"], 1);
}

#[test]
fn an_extra_file_in_a_folder_called_skill() {
    reports(|shop| shop.bob.write(&format!("{SKILL}/scripts/.skill/evil.sh"), "x"), &["SKV002"], 1);
}

#[test]
fn a_mode() {
    reports(|shop| tests::files::set_mode(&shop.bob.work.join(SKILL).join("SKILL.md"), 0o755), &["SKV003"], 1);
}

#[test]
fn a_missing_file() {
    let change = |shop: &Shop| std::fs::remove_file(shop.bob.work.join(SKILL).join("scripts/run.sh")).expect("removed");
    reports(change, &["SKV004"], 1);
}

#[test]
fn a_missing_folder() {
    reports(|shop| std::fs::remove_dir_all(shop.bob.work.join(SKILL)).expect("removed"), &["SKV004"], 1);
}

#[test]
fn a_link_in_the_place_of_a_file() {
    let change = |shop: &Shop| {
        let path = shop.bob.work.join(SKILL).join("SKILL.md");
        std::fs::rename(&path, shop.bob.work.join("elsewhere.md")).expect("moved");
        std::os::unix::fs::symlink("../../../elsewhere.md", path).expect("linked");
    };
    reports(change, &["SKV001"], 1);
}

#[test]
fn a_link_in_the_place_of_the_folder() {
    let change = |shop: &Shop| {
        let path = shop.bob.work.join(SKILL);
        std::fs::rename(&path, shop.bob.work.join("elsewhere")).expect("moved");
        std::os::unix::fs::symlink("../../elsewhere", path).expect("linked");
    };
    reports(change, &["SKV001"], 1);
}

#[test]
fn an_agents_link_that_leads_elsewhere() {
    let change = |shop: &Shop| {
        let link = shop.bob.work.join(".claude/skills/pdf");
        std::fs::remove_file(&link).expect("removed");
        std::os::unix::fs::symlink("/etc", link).expect("linked");
    };
    reports(change, &["SKV001", ".claude/skills/pdf"], 1);
}

#[test]
fn a_missing_bundle() {
    let path = ".skill/proofs/localhost/acme/pdf-1.0.0.sigstore.jsonl";
    reports(|shop| std::fs::remove_file(shop.bob.work.join(path)).expect("removed"), &["SKV0"], 3);
}

#[test]
fn a_missing_keyring() {
    let path = ".skill/proofs/localhost/acme/keyring.jsonl";
    reports(|shop| std::fs::remove_file(shop.bob.work.join(path)).expect("removed"), &["SKV0"], 3);
}

#[test]
fn a_lock_with_another_digest() {
    for key in ["archive", "statement", "tree"] {
        let change = |shop: &Shop| {
            let lock = shop.bob.read("skills.lock");
            let line = lock.lines().find(|line| line.starts_with(key)).expect("a line");
            let other = if key == "tree" {
                skills::TreeDigest::of([]).to_string()
            } else {
                skills::Sha256::of(b"other").to_string()
            };
            shop.bob.write("skills.lock", lock.replace(line, &format!("{key} = \"{other}\"")));
        };
        reports(change, &["SKV001"], 1);
    }
}

#[test]
fn a_lock_with_another_version() {
    let change = |shop: &Shop| {
        let lock = shop.bob.read("skills.lock");
        shop.bob.write("skills.lock", lock.replace("version = \"1.0.0\"", "version = \"1.0.1\""));
    };
    reports(change, &["SKV0"], 3);
}

#[test]
fn everything_at_once_is_reported_at_once() {
    let change = |shop: &Shop| {
        shop.bob.write(&format!("{SKILL}/SKILL.md"), "changed");
        shop.bob.write(&format!("{SKILL}/evil.sh"), "x");
        std::fs::remove_file(shop.bob.work.join(SKILL).join("scripts/run.sh")).expect("removed");
        tests::files::set_mode(&shop.bob.work.join(SKILL).join("skill.toml"), 0o755);
    };
    reports(change, &["SKV001", "SKV002", "SKV003", "SKV004"], 1);
}

#[test]
fn only_line_endings_is_said_to_be_only_line_endings() {
    let change = |shop: &Shop| {
        let path = format!("{SKILL}/SKILL.md");
        shop.bob.write(&path, shop.bob.read(&path).replace('\n', "\r\n"));
    };
    reports(change, &["SKV001", "line endings", "-text"], 1);
}

#[test]
fn a_folder_that_nobody_recorded_is_refused_where_the_policy_denies() {
    reports(|shop| shop.bob.write(".agents/skills/other/SKILL.md", "x"), &["SKV010", "other"], 4);
}

#[test]
fn two_formats_at_once_are_refused() {
    let shop = Shop::with_pdf_installed();
    shop.bob.skill(&["verify", "--json", "--format", "sarif"]).exits(2).says("a format of its own");
}
