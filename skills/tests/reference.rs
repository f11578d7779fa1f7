//! The README of this room lists every code that the room can answer with, and no other.

#![expect(clippy::disallowed_methods, reason = "the test reads the sources that it is about")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOM: &str = env!("CARGO_MANIFEST_DIR");

fn sources(folder: &Path, out: &mut String) {
    for entry in fs::read_dir(folder).expect("the room has sources") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, out);
        } else {
            // Tests quote codes of both kinds; what is thrown stands before them.
            let text = fs::read_to_string(&path).expect("Rust is UTF-8");
            out.push_str(text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default());
        }
    }
}

/// The quoted words of the sources that have the form of a code.
fn codes_in_sources() -> BTreeSet<String> {
    const FAMILIES: [&str; 22] = [
        "archive",
        "boundary",
        "bundle",
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
    let mut text = String::new();
    sources(&Path::new(ROOM).join("src"), &mut text);
    let is_code = |word: &&str| {
        let is_finding = word.len() == 4 && word.starts_with('S') && word[1..].bytes().all(|b| b.is_ascii_digit());
        let in_family =
            FAMILIES.iter().any(|family| word.strip_prefix(family).is_some_and(|rest| rest.starts_with('-')));
        is_finding || in_family && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.split('"').filter(is_code).map(str::to_owned).collect()
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
