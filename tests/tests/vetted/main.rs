//! The packages that we ship, as their users run them: what they say, what they become, that they go together.

mod briefs;
mod bundles;
mod checks;
mod shelf;

use std::path::PathBuf;

use skills::manifest::Manifest;
use tests::binaries::repository;
use tests::files::read;

/// The folder of a package that we ship.
fn folder(name: &str) -> PathBuf {
    repository().join("skills/vetted").join(name)
}

/// The names of all packages whose name begins so, in order.
fn named(prefix: &str) -> Vec<String> {
    let entries = std::fs::read_dir(repository().join("skills/vetted")).expect("the folder is there");
    let folders = entries.map(|entry| entry.expect("an entry")).filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(prefix)).collect();
    names.sort();
    names
}

/// The manifest of a package, read by the very parser that the registry uses.
fn manifest(name: &str) -> Manifest {
    Manifest::parse(read(folder(name).join("skill.toml")).as_bytes())
        .unwrap_or_else(|refusal| panic!("{name}: {refusal}"))
}

/// A README that somebody reads: there, and at most 60 lines.
fn has_a_short_readme(name: &str) {
    let lines = read(folder(name).join("README.md")).lines().count();
    assert!((10..=60).contains(&lines), "README.md of {name} has {lines} lines, expected 10 to 60");
}
