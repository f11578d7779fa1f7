//! All real skills that we were given, through the whole way: lint, fix, pack, publish, install for two
//! agents, verify, remove. Prints the counts.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::files::copy;
use tests::{Person, Snapshot, World};

/// How many releases go into one publish.
const BATCH: usize = 25;

struct Corpus {
    scope: String,
    folders: Vec<PathBuf>,
}

/// A copy of the corpus, by scope, that may be mended.
fn corpus(world: &World) -> Option<Vec<Corpus>> {
    let from = tests::binaries::shared()?.join("corpus");
    let scopes = ["google", "superpowers", "wshobson"];
    Some(
        scopes
            .map(|scope| {
                let to = world.path(&format!("corpus/{scope}"));
                copy(&from.join(scope), &to);
                // The shared folder is read-only; an author's is not.
                for file in files_below(&to) {
                    tests::files::set_mode(&file, 0o644);
                }
                let mut folders = folders_with_skill_md(&to);
                folders.sort();
                Corpus { scope: scope.to_owned(), folders }
            })
            .into(),
    )
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

fn folders_with_skill_md(folder: &Path) -> Vec<PathBuf> {
    if folder.join("SKILL.md").is_file() {
        return vec![folder.to_owned()];
    }
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_dir()).flat_map(|path| folders_with_skill_md(&path)).collect()
}

/// Lints every folder in one command; gives the number of packages with errors.
fn lint(person: &Person, folders: &[PathBuf], fix: bool) -> usize {
    let mut args = vec!["lint", "--json"];
    if fix {
        args.push("--fix");
    }
    args.extend(folders.iter().map(|path| path.to_str().expect("a path")));
    let screen = person.skill(&args);
    assert!(matches!(screen.exit, 0 | 1), "{}", screen.stderr);
    let document = screen.json();
    let packages = document["data"]["packages"].as_array().expect("one report a package").clone();
    assert_eq!(packages.len(), folders.len());
    let bad = |package: &&Value| {
        package["findings"].as_array().expect("findings").iter().any(|finding| finding["level"] == "error")
    };
    let refused: Vec<&Value> = packages.iter().filter(bad).collect();
    for package in &refused {
        for finding in package["findings"].as_array().expect("findings") {
            let says = finding["message"].as_str().unwrap_or_default();
            assert!(!says.is_empty(), "every finding says what to change");
        }
    }
    refused.len()
}

/// Gives each folder a `skill.toml`, so that a whole batch can be published at once.
fn name_all(corpus: &Corpus) {
    for folder in &corpus.folders {
        let name = folder.file_name().expect("a name").to_string_lossy();
        let text = tests::files::skill_toml(&format!("{}/{name}", corpus.scope), "1.0.0", "");
        tests::write(folder.join("skill.toml"), text);
    }
}

#[test]
fn every_real_skill_is_linted_packed_published_installed_verified_and_removed() {
    let world = World::new();
    let Some(all) = corpus(&world) else { return };
    let total: usize = all.iter().map(|corpus| corpus.folders.len()).sum();
    assert_eq!(total, 307);
    let registry = world.registry();
    let bob = world.person("bob", &registry).within("repo");
    bob.skill(&["init", "--agent", "claude-code", "--agent", "codex"]).ok();

    let (mut refused, mut unfixed, mut skills) = (0, 0, Vec::new());
    for corpus in &all {
        let author = world.publisher(&format!("{}-author", corpus.scope), &corpus.scope, &registry);
        refused += lint(&author, &corpus.folders, false);
        unfixed += lint(&author, &corpus.folders, true);
        plain_folder_is_published(&author, corpus);
        name_all(corpus);
        for batch in corpus.folders.chunks(BATCH) {
            let mut args = vec!["publish", "--register-key"];
            args.extend(batch.iter().map(|path| path.to_str().expect("a path")));
            author.skill(&args).ok();
        }
        skills.extend(corpus.folders.iter().map(|folder| {
            (format!("{}/{}", corpus.scope, folder.file_name().expect("a name").to_string_lossy()), folder.clone())
        }));
    }
    assert_eq!(unfixed, 0, "what lint refuses here, a machine can mend");
    registry.check().ok();

    let mut args = vec!["add", "--trust"];
    args.extend(skills.iter().map(|(name, _)| name.as_str()));
    bob.skill(&args).ok();
    for (name, folder) in &skills {
        let short = name.split('/').next_back().expect("a name");
        let installed = Snapshot::of(&bob.work.join(".agents/skills").join(short));
        installed.is_unchanged_from(&Snapshot::of(folder));
        assert!(bob.work.join(".claude/skills").join(short).join("SKILL.md").is_file(), "{name}");
    }
    bob.skill(&["verify", "--offline"]).ok().says(&format!("verified {total} of {total}"));
    let mut args = vec!["remove"];
    args.extend(skills.iter().map(|(name, _)| name.as_str()));
    bob.skill(&args).ok();
    assert!(!bob.work.join(".agents/skills").exists() && !bob.work.join(".claude/skills").exists());
    tests::tools::say(&format!(
        "corpus: {total} skills; lint refused {refused}, after --fix {unfixed}; all published, installed for 2 agents, verified, removed"
    ));
}

/// The way of a folder without `skill.toml`: a name and a version from outside. It goes to a scope of its
/// own, so that the batch after it is new.
fn plain_folder_is_published(author: &Person, corpus: &Corpus) {
    let folder = &corpus.folders[0];
    let short = folder.file_name().expect("a name").to_string_lossy();
    let name = format!("{}/{short}", corpus.scope);
    let path = folder.to_str().expect("a path");
    author.skill(&["publish", "--register-key", path, "--name", &name, "--version", "0.1.0"]).ok();
}
