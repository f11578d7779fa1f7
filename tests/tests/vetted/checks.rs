//! The vetted checks: each is complete, says what it does not prove, and has something to fail on.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tests::binaries::repository;

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
