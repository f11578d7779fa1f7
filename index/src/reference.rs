//! The README of this room is its reference: every code and id that the room can say is in it.

use std::collections::BTreeSet;
use std::path::Path;

const README: &str = include_str!("../README.md");

/// Every source file of the room, tests left out.
#[expect(clippy::disallowed_methods, reason = "a test of the house reads the house; the room itself opens nothing")]
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("the sources are beside the test") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            sources(&path, found);
        } else if !["tests.rs", "reference.rs"].contains(&name.as_str()) {
            found.push(std::fs::read_to_string(&path).expect("a source file"));
        }
    }
}

/// The first string literal after each `marker`, up to the tests of the file.
fn literals_after(source: &str, marker: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let after = code.split(marker).skip(1);
    after.filter_map(|rest| rest.split('"').nth(1)).filter(|code| !code.is_empty()).map(str::to_owned).collect()
}

#[test]
fn every_refusal_code_is_in_the_readme() {
    let mut found = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    let mut codes: BTreeSet<String> = found.iter().flat_map(|source| literals_after(source, "Refusal::new(")).collect();
    codes.extend(crate::api::STATUSES.iter().map(|(code, _)| (*code).to_owned()));
    assert!(codes.len() > 40, "the codes are found: {codes:?}");
    let missing: Vec<&String> = codes.iter().filter(|code| !README.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "not in index/README.md: {missing:?}");
}

#[test]
fn every_report_id_is_in_the_readme_with_its_name() {
    for (id, name, _) in crate::verify::RULES {
        assert!(README.contains(&format!("| {id} | {name} |")), "{id} {name} is not in index/README.md");
    }
}

#[test]
fn the_statuses_of_the_readme_are_those_of_the_table() {
    for (code, status) in crate::api::STATUSES {
        let row = README.lines().find(|line| line.starts_with("| ") && line.contains(&format!("`{code}`")));
        let row = row.unwrap_or_else(|| panic!("{code} is in no table"));
        assert!(row.contains(&status.to_string()), "{code} has status {status}, the README says: {row}");
    }
}
