//! The vetted checks: each is complete, says what it does not prove, and has something to fail on.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tests::World;
use tests::binaries::repository;
use tests::tools::{have, skip};

/// Longest README: what nobody reads explains no failure.
const README_LINES_MAX: usize = 60;

fn checks() -> Vec<PathBuf> {
    let vetted = repository().join("skills/vetted");
    let entries = std::fs::read_dir(vetted).expect("it is there").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> = entries.filter(|path| name(path).starts_with("check-")).collect();
    found.sort();
    found
}

fn name(path: &std::path::Path) -> String {
    path.file_name().expect("it has a name").to_string_lossy().into_owned()
}

fn text(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of the trees in one folder of fixtures, and of the values beside them.
fn fixtures(check: &std::path::Path, outcome: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let folder = check.join("fixtures").join(outcome);
    let Ok(entries) = std::fs::read_dir(folder) else { return Default::default() };
    let (trees, files): (Vec<PathBuf>, Vec<PathBuf>) =
        entries.map(|entry| entry.expect("an entry").path()).partition(|path| path.is_dir());
    let stem = |path: &PathBuf| name(path).trim_end_matches(".toml").trim_end_matches(".brief.json").to_owned();
    (trees.iter().map(|path| name(path)).collect(), files.iter().map(stem).collect())
}

#[test]
fn every_vetted_check_passes_on_something_and_fails_for_two_reasons_at_least() {
    for check in checks() {
        let ((pass, pass_values), (fail, fail_values)) = (fixtures(&check, "pass"), fixtures(&check, "fail"));
        assert!(!pass.is_empty() && fail.len() >= 2, "{}: {pass:?} {fail:?}", check.display());
        assert!(pass_values.is_subset(&pass), "{}: values without a tree: {pass_values:?}", check.display());
        assert!(fail_values.is_subset(&fail), "{}: values without a tree: {fail_values:?}", check.display());
    }
}

#[test]
fn every_vetted_check_says_in_few_lines_what_it_does_not_prove() {
    for check in checks() {
        let readme = text(check.join("README.md"));
        assert!(readme.lines().count() <= README_LINES_MAX, "{}: the README is long", check.display());
        assert!(readme.contains("\n## What it does not prove\n"), "{}", check.display());
    }
}

#[test]
fn every_vetted_check_needs_its_own_word_to_pass_and_none_reaches_the_network() {
    for check in checks() {
        let manifest: toml::Table = text(check.join("skill.toml")).parse().expect("TOML");
        let table = manifest["check"].as_table().expect("a table");
        assert_eq!(table["network"].as_str(), Some("none"), "{}", check.display());
        let outputs = table["expect"]["output"].as_array().expect("expectations of output");
        let bounds =
            |key: &str, value: i64| outputs.iter().any(|one| one.get(key).and_then(|v| v.as_integer()) == Some(value));
        assert!(bounds("min", 1), "{}: silence would pass", check.display());
        assert!(bounds("max", 0), "{}: a refusal beside the marker would pass", check.display());
    }
}

/// Runs all fixtures of a check through the program, in its sandbox, as an author does.
fn proves_itself(name: &str) {
    if !have("git", "--version") || !have("python3", "--version") {
        return;
    }
    let folder = repository().join("skills/vetted").join(name);
    let screen = World::new().stranger("author").skill(&["check", "test", folder.to_str().expect("a path")]);
    screen.ok();
}

/// The same, for those that start a PostgreSQL of their own.
fn proves_itself_on_a_server(name: &str) {
    let debian = std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|mut entries| entries.next().is_some());
    if debian || Command::new("initdb").arg("--version").stdout(Stdio::null()).status().is_ok() {
        proves_itself(name);
    } else {
        skip("`initdb` of PostgreSQL is not installed");
    }
}

#[test]
fn check_build_reproducible_proves_itself() {
    proves_itself("check-build-reproducible");
}

#[test]
fn check_diff_within_proves_itself() {
    proves_itself("check-diff-within");
}

#[test]
fn check_doc_cites_evidence_proves_itself() {
    proves_itself("check-doc-cites-evidence");
}

#[test]
fn check_license_headers_proves_itself() {
    proves_itself("check-license-headers");
}

#[test]
fn check_lint_clean_proves_itself() {
    proves_itself("check-lint-clean");
}

#[test]
fn check_migration_safe_proves_itself() {
    proves_itself_on_a_server("check-migration-safe");
}

#[test]
fn check_no_secrets_proves_itself() {
    proves_itself("check-no-secrets");
}

#[test]
fn check_plan_no_destroy_proves_itself() {
    proves_itself("check-plan-no-destroy");
}

#[test]
fn check_rollback_valid_proves_itself() {
    proves_itself_on_a_server("check-rollback-valid");
}

#[test]
fn check_tests_cover_change_proves_itself() {
    proves_itself("check-tests-cover-change");
}

#[test]
fn check_tests_pass_proves_itself() {
    proves_itself("check-tests-pass");
}

#[test]
fn check_ticket_linked_proves_itself() {
    proves_itself("check-ticket-linked");
}

/// Files of a work tree that nobody can judge, and how each check is asked about them.
const UNJUDGED: [(&str, &[&str], &str); 10] = [
    ("check-plan-no-destroy", &["--plan=state.json", "--allow"], "this is a state"),
    ("check-plan-no-destroy", &["--plan=twice.json", "--allow"], "a key stands twice"),
    ("check-plan-no-destroy", &["--plan=broken.json", "--allow"], "ended with an error"),
    ("check-tests-pass", &["--format=auto", "--min-tests=1", "--", "true"], "no summary of tests"),
    ("check-tests-pass", &["--format=auto", "--min-tests=1", "--", "no-such-runner"], "is not here"),
    ("check-lint-clean", &["--canary", "--", "true"], "shows that it looked"),
    ("check-diff-within", &["--base=HEAD", "--allow"], "about a brief"),
    ("check-no-secrets", &["--base=nowhere", "--allow-file=x"], "no revision"),
    ("check-license-headers", &["--license=MIT", "--files", "**/*.rs", "--exclude"], "no file matches"),
    ("check-build-reproducible", &["--artifacts", "dist/**", "--", "true"], "made no artifact"),
];

#[test]
fn what_a_check_cannot_judge_is_neither_a_pass_nor_a_fail() {
    if !have("git", "--version") || !have("python3", "--version") {
        return;
    }
    let world = World::new();
    let work = world.folder("work");
    tests::write(work.join("state.json"), r#"{"format_version":"1.0","values":{}}"#);
    tests::write(work.join("twice.json"), r#"{"format_version":"1.2","resource_changes":[],"resource_changes":[]}"#);
    tests::write(work.join("broken.json"), r#"{"format_version":"1.2","errored":true,"resource_changes":[]}"#);
    for words in ["init -q -b main", "add -A", "-c user.name=a -c user.email=a@example.invalid commit -q -m one"] {
        assert!(Command::new("git").args(words.split(' ')).current_dir(&work).status().expect("git").success());
    }
    for (check, args, why) in UNJUDGED {
        let program = repository().join("skills/vetted").join(check).join("check.py");
        let output = Command::new(program).args(args).current_dir(&work).env_remove("SKILL_BRIEF_JSON").output();
        let output = output.expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(3), "{check} {args:?}: {said}");
        assert!(said.starts_with("cannot judge: ") && said.contains(why), "{check} {args:?}: {said}");
    }
}

#[test]
fn what_the_checks_share_is_the_same_to_the_byte() {
    let vetted = repository().join("skills/vetted");
    for (file, packages) in SHARED {
        let texts: BTreeSet<String> = packages.iter().map(|package| text(vetted.join(package).join(file))).collect();
        assert_eq!(texts.len(), 1, "{file} differs between {packages:?}");
    }
}

/// Packages are independent of each other, so what two of them need lies in both.
const SHARED: [(&str, &[&str]); 5] = [
    ("scratch.py", &["check-rollback-valid", "check-migration-safe"]),
    (
        "gitread.py",
        &[
            "check-diff-within",
            "check-no-secrets",
            "check-ticket-linked",
            "check-tests-cover-change",
            "check-doc-cites-evidence",
            "check-build-reproducible",
            "check-license-headers",
        ],
    ),
    ("testcount.py", &["check-tests-pass", "check-tests-cover-change"]),
    ("command.py", &["check-tests-pass", "check-tests-cover-change", "check-build-reproducible", "check-lint-clean"]),
    ("sqltext.py", &["check-rollback-valid", "check-migration-safe"]),
];
