//! Files that people and merges break: a clear error, exit 2, and nothing lost.

use tests::Shop;

/// Breaks a file, runs a command, expects this exit code and these words; the disk stays as it was.
#[track_caller]
fn refuses(file: &str, change: impl Fn(String) -> String, words: &[&str]) {
    let shop = Shop::with_pdf_installed();
    let path = shop.bob.work.join(file);
    shop.bob.write(file, change(std::fs::read_to_string(&path).unwrap_or_default()));
    let before = shop.bob.snapshot();
    for command in [&["install"][..], &["verify", "--offline"], &["update"]] {
        let screen = shop.bob.skill(command).exits(2);
        for word in words {
            assert!(screen.stderr.contains(word), "expected `{word}`\n{screen}");
        }
        assert!(screen.stderr.contains(file), "the file is named\n{screen}");
        shop.bob.snapshot().is_unchanged_from(&before);
    }
}

#[test]
fn a_lock_with_merge_conflict_markers() {
    let markers = |text| format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n");
    refuses("skills.lock", markers, &["conflict", "hint"]);
}

#[test]
fn a_lock_of_a_version_that_we_do_not_know() {
    refuses("skills.lock", |text| text.replace("version = 1\n", "version = 9\n"), &["version 9"]);
}

#[test]
fn a_lock_whose_written_path_leaves_the_repository() {
    let change = |text: String| text.replace("path = \".claude/skills/pdf\"", "path = \"../../victim/pdf\"");
    refuses("skills.lock", change, &["written"]);
}

#[test]
fn a_lock_whose_digest_is_no_digest() {
    refuses("skills.lock", |text| text.replace("sha256:", "sha256:XYZ"), &["digest"]);
}

#[test]
fn a_policy_with_an_unknown_key() {
    refuses(".skill/trust.toml", |text| format!("allow-everything = true\n{text}"), &["allow-everything"]);
}

#[test]
fn a_policy_that_is_no_toml() {
    refuses(".skill/trust.toml", |text| format!("{text}\n[[namespace"), &["line"]);
}

#[test]
fn a_skills_toml_with_a_typing_error() {
    refuses("skills.toml", |text| text.replace("[agents]", "[agent]"), &["agent"]);
}

#[test]
fn a_skills_toml_with_a_requirement_that_is_none() {
    refuses("skills.toml", |text| text.replace("\"acme/pdf\" = \"", "\"acme/pdf\" = \"about "), &["acme/pdf"]);
}

#[test]
fn a_skills_toml_with_an_unknown_agent() {
    let shop = Shop::with_pdf_installed();
    let text = shop.bob.read("skills.toml").replace("claude-code", "claud-code");
    shop.bob.write("skills.toml", text);
    shop.bob.skill(&["install"]).exits(2).says("claude-code");
}

#[test]
fn names_in_other_cases_and_look_alikes_are_refused_by_name() {
    let shop = Shop::with_pdf();
    for name in
        ["Acme/pdf", "acme/PDF", "acme/pdf ", "acme/p\u{0434}f", "acme", "acme/pdf/x", "acme/-pdf", "\u{ff41}cme/pdf"]
    {
        let screen = shop.bob.skill(&["add", name, "--trust"]);
        assert_eq!(screen.exit, 2, "{screen}");
    }
    shop.bob.skill(&["add", "@acme/pdf", "--trust"]).ok();
}

#[test]
fn a_command_outside_of_any_project_says_how_to_start_one() {
    let shop = Shop::with_pdf();
    for line in ["list", "verify", "install", "tree", "outdated", "update", "remove pdf", "why acme/pdf", "diff pdf"] {
        shop.bob.skill(&line.split(' ').collect::<Vec<_>>()).exits(3).says("skill init");
    }
}

#[test]
fn wrong_usage_is_exit_2() {
    let shop = Shop::with_pdf_installed();
    for line in ["install acme/pdf --locked", "add", "nonsense", "verify --format xml", "yank acme/pdf --reason x"] {
        shop.bob.skill(&line.split(' ').collect::<Vec<_>>()).exits(2);
    }
}

#[test]
fn a_lock_with_a_tampered_digest_installs_nothing() {
    for key in ["archive", "statement", "tree"] {
        let shop = Shop::with_pdf_installed();
        let lock = shop.bob.read("skills.lock");
        let line = lock.lines().find(|line| line.starts_with(key)).expect("a line");
        let other = match key {
            "tree" => skills::TreeDigest::of([]).to_string(),
            _ => skills::Sha256::of(b"other").to_string(),
        };
        shop.bob.write("skills.lock", lock.replace(line, &format!("{key} = \"{other}\"")));
        std::fs::remove_dir_all(shop.installed("pdf")).expect("removed");
        let before = shop.bob.snapshot();
        for args in [&["install"][..], &["install", "--locked"], &["install", "--force"]] {
            shop.bob.skill(args).exits(1).says("SKV001");
            shop.bob.snapshot().is_unchanged_from(&before);
        }
    }
}
