//! The README of this room lists every code that the room can answer with, and no other.

#![expect(clippy::disallowed_methods, reason = "the test reads the sources that it is about")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOM: &str = env!("CARGO_MANIFEST_DIR");

/// All sources with the names of their modules.
fn sources(folder: &Path, out: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("the room has sources") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, out);
        } else {
            let name = path.file_stem().and_then(|name| name.to_str()).expect("ASCII").to_owned();
            out.push((name, fs::read_to_string(&path).expect("Rust is UTF-8")));
        }
    }
}

/// What is not a test. Tests quote codes of both kinds and names of packages, in a module at the end
/// of a file or in a file of their own; what is thrown stands elsewhere.
fn without_tests() -> String {
    const MARK: &str = "#[cfg(test)]\nmod ";
    let mut all = Vec::new();
    sources(&Path::new(ROOM).join("src"), &mut all);
    let marked = |text: &String| -> Vec<String> {
        text.split(MARK).skip(1).filter_map(|rest| Some(rest.split_once(';')?.0.to_owned())).collect()
    };
    let tests: BTreeSet<String> = all.iter().flat_map(|(_, text)| marked(text)).collect();
    let kept = all.iter().filter(|(name, _)| !tests.contains(name));
    kept.map(|(_, text)| text.split(&format!("{MARK}tests {{")).next().unwrap_or_default()).collect()
}

/// The quoted words of the sources that have the form of a code.
fn codes_in_sources() -> BTreeSet<String> {
    const FAMILIES: [&str; 23] = [
        "archive",
        "boundary",
        "bundle",
        "check",
        "digest",
        "envelope",
        "frontmatter",
        "json",
        "key",
        "kind",
        "manifest",
        "name",
        "package",
        "path",
        "requirement",
        "signature",
        "skill-md",
        "statement",
        "version",
        "lint",
        "tools",
        "tree",
        "dsse",
    ];
    let text = without_tests();
    let is_code = |word: &&str| {
        let is_finding = word.len() == 4 && word.starts_with('S') && word[1..].bytes().all(|b| b.is_ascii_digit());
        let in_family =
            FAMILIES.iter().any(|family| word.strip_prefix(family).is_some_and(|rest| rest.starts_with('-')));
        is_finding || in_family && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    // The name of a subject in a statement has the form of a code.
    text.split('"').filter(is_code).filter(|word| *word != "check-inputs").map(str::to_owned).collect()
}

#[test]
fn every_code_is_in_the_readme() {
    let readme = fs::read_to_string(Path::new(ROOM).join("README.md")).expect("the room has a README");
    let codes = codes_in_sources();
    assert!(codes.len() > 100, "{codes:?}");
    for code in &codes {
        let shown = if code.starts_with('S') { code.clone() } else { format!("`{code}`") };
        assert!(readme.contains(&shown), "the README does not list {shown}");
    }
    let words = readme.split(|c: char| !c.is_ascii_alphanumeric());
    let findings = words.filter(|word| word.len() == 4 && word.starts_with("S0"));
    for finding in findings {
        assert!(codes.contains(finding), "the README lists {finding}, which nothing finds");
    }
}
