//! 307 real skills, as people published them, through everything that this room does.
//!
//! Skips, saying so, where the corpus is not laid beside the repository.

#![expect(clippy::disallowed_methods, reason = "tests may read the corpus and vectors; the room itself may not")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use skills::lint::{Finding, Level, fix, lint};
use skills::package::Package;
use skills::tree::{File, Mode, Tree};
use skills::{FilePath, PackageName, Version, archive, frontmatter};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");

struct Skill {
    scope: String,
    folder: String,
    tree: Tree,
}

/// Every folder `CORPUS/scope/name` with a `SKILL.md`, sorted.
fn corpus() -> Vec<Skill> {
    let mut skills = Vec::new();
    for scope in folders(Path::new(CORPUS)) {
        for folder in folders(&scope).into_iter().filter(|folder| folder.join("SKILL.md").exists()) {
            let mut files = Vec::new();
            read(&folder, "", &mut files);
            let last = |path: &Path| path.file_name().expect("a folder").to_str().expect("ASCII").to_owned();
            let tree = Tree::new(files).unwrap_or_else(|refusal| panic!("{}: {refusal}", folder.display()));
            skills.push(Skill { scope: last(&scope), folder: last(&folder), tree });
        }
    }
    if skills.is_empty() {
        eprintln!("skipped: there is no corpus at {CORPUS}");
    }
    skills
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).filter(|p| p.is_dir()).collect();
    paths.sort();
    paths
}

fn read(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let entry = entry.expect("readable");
        let path = format!("{prefix}{}", entry.file_name().to_str().expect("UTF-8"));
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{path}/"), files);
        } else {
            let bytes = fs::read(entry.path()).expect("readable");
            files.push(File { path: FilePath::parse(&path).expect("lawful"), mode: Mode::Regular, bytes });
        }
    }
}

fn fixed(skill: &Skill) -> Tree {
    let changes: BTreeMap<FilePath, Vec<u8>> =
        fix(&skill.tree, Some(&skill.folder)).expect("fixing never fails on the corpus").into_iter().collect();
    let change = |file: &File| match changes.get(&file.path) {
        Some(bytes) => File { bytes: bytes.clone(), ..file.clone() },
        None => file.clone(),
    };
    Tree::new(skill.tree.files().iter().map(change).collect()).expect("lawful")
}

fn errors(tree: &Tree, folder: &str) -> Vec<Finding> {
    lint(tree, Some(folder)).into_iter().filter(|finding| finding.level == Level::Error).collect()
}

fn publish(skill: &Skill, tree: &Tree) -> Result<Package, skills::Refusal> {
    let name = PackageName::parse(&format!("{}/{}", skill.scope, skill.folder)).expect("the corpus has lawful folders");
    Package::from_tree(tree.clone(), Some(&name), Some(&Version::parse("1.0.0").expect("a version")))
}

#[test]
fn nearly_every_real_skill_is_publishable_at_least_after_fix() {
    let (mut as_is, mut after_fix, mut refused, mut codes) = (0, 0, 0, BTreeMap::<(&str, Level), usize>::new());
    for skill in corpus() {
        for finding in lint(&skill.tree, Some(&skill.folder)) {
            *codes.entry((finding.code, finding.level)).or_default() += 1;
            if finding.level == Level::Error {
                eprintln!("{}/{}: {} {:?} {}", skill.scope, skill.folder, finding.code, finding.line, finding.message);
            }
        }
        let has_errors = !errors(&skill.tree, &skill.folder).is_empty();
        assert_eq!(publish(&skill, &skill.tree).is_err(), has_errors, "{}: lint and publish agree", skill.folder);
        match (has_errors, publish(&skill, &fixed(&skill))) {
            (false, _) => as_is += 1,
            (true, Ok(_)) => after_fix += 1,
            (true, Err(refusal)) => {
                refused += 1;
                eprintln!("refused {}/{}: {refusal} ({:?})", skill.scope, skill.folder, refusal.hint);
            }
        }
    }
    eprintln!("publishable as is {as_is}, after fix {after_fix}, refused {refused}; findings {codes:?}");
    assert!(refused * 100 <= as_is + after_fix, "{refused} of {} are refused", as_is + after_fix);
}

#[test]
fn after_fix_what_is_fixable_is_gone_and_the_bodies_are_untouched() {
    for skill in corpus() {
        let before = lint(&skill.tree, Some(&skill.folder));
        let fixed = fixed(&skill);
        let after = lint(&fixed, Some(&skill.folder));
        assert!(after.iter().all(|finding| !finding.fixable), "{}: {after:?}", skill.folder);
        assert_eq!(after.len(), before.iter().filter(|finding| !finding.fixable).count(), "{}", skill.folder);
        assert_eq!(fix(&fixed, Some(&skill.folder)), Ok(Vec::new()), "{}: fixing twice is fixing once", skill.folder);
        let body = |tree: &Tree| frontmatter::read(&tree.file("SKILL.md").expect("there").bytes).map(|read| read.body);
        assert_eq!(body(&skill.tree), body(&fixed), "{}", skill.folder);
    }
}

#[test]
fn every_real_skill_survives_packing() {
    for skill in corpus() {
        let packed = archive::pack(&skill.tree).expect("small");
        assert_eq!(archive::unpack(&packed).as_ref(), Ok(&skill.tree), "{}", skill.folder);
        assert_eq!(archive::pack(&skill.tree), Ok(packed), "{}", skill.folder);
    }
}

#[test]
fn every_real_skill_can_be_renamed_without_touching_the_rest() {
    let name = skills::SkillName::parse("another-name").expect("a name");
    for skill in corpus() {
        let bytes = &skill.tree.file("SKILL.md").expect("there").bytes;
        let (Ok(before), Ok(renamed)) = (frontmatter::read(bytes), frontmatter::rename(bytes, &name)) else { continue };
        let mut after = frontmatter::read(&renamed).expect("still readable");
        assert_eq!(after.front.name.as_deref(), Some("another-name"));
        after.front.name.clone_from(&before.front.name);
        assert_eq!(after.front, before.front, "{}", skill.folder);
        assert_eq!(after.body, before.body, "{}", skill.folder);
    }
}
