//! The skills to measure with: real ones where the corpus is there, made-up ones where it is not.

use std::fs;
use std::path::{Path, PathBuf};

use skills::Sha256;

/// A skill as files.
pub(crate) struct Skill {
    /// Its last name part.
    pub name: String,
    /// Path and bytes.
    pub files: Vec<(String, Vec<u8>)>,
}

/// `count` skills of five files each, the size of real ones.
pub(crate) fn even(count: usize) -> Vec<Skill> {
    (0..count).map(|n| made_up(format!("even-{n:04}"), n)).collect()
}

fn made_up(name: String, seed: usize) -> Skill {
    let mut files = vec![("SKILL.md".to_owned(), skill_md(&name, 4_000, seed))];
    files.extend((1..5).map(|part| (format!("references/part-{part}.md"), words(6_000, seed * 7 + part))));
    Skill { name, files }
}

/// `count` skills of the corpus, some of them several times under other names.
pub(crate) fn real(count: usize) -> Vec<Skill> {
    each_real(count).collect()
}

/// The same, one after the other: thousands of them need not be in memory at once.
pub(crate) fn each_real(count: usize) -> impl Iterator<Item = Skill> {
    let folders = corpus();
    if folders.is_empty() {
        eprintln!("../shared/corpus is absent: measuring made-up skills instead of real ones");
    }
    (0..count).map(move |n| {
        let name = format!("real-{n:04}");
        if folders.is_empty() { made_up(name, n) } else { read(&folders[n % folders.len()], &name) }
    })
}

/// A skill whose archive has about this many bytes: one file of digits that compress to half.
pub(crate) fn of_size(name: &str, archive_bytes: usize) -> Skill {
    let mut digits = String::new();
    while digits.len() < archive_bytes * 7 / 4 {
        digits.push_str(&Sha256::of(&digits).hex());
        digits.push('\n');
    }
    let files = vec![("SKILL.md".to_owned(), skill_md(name, 1_000, 1)), ("digits.txt".to_owned(), digits.into_bytes())];
    Skill { name: name.to_owned(), files }
}

/// A skill as small as they come.
pub(crate) fn tiny(name: String) -> Skill {
    Skill { files: vec![("SKILL.md".to_owned(), skill_md(&name, 200, name.len()))], name }
}

/// The `skill.toml` of a skill.
pub(crate) fn manifest(scope: &str, name: &str) -> String {
    tests::files::skill_toml(&format!("{scope}/{name}"), "1.0.0", "")
}

fn corpus() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    let mut folders: Vec<PathBuf> = ["google", "superpowers", "wshobson"]
        .iter()
        .filter_map(|collection| fs::read_dir(root.join(collection)).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|folder| folder.join("SKILL.md").is_file())
        .collect();
    folders.sort();
    folders
}

fn read(folder: &Path, name: &str) -> Skill {
    let mut files = Vec::new();
    read_below(folder, folder, &mut files);
    for (path, bytes) in &mut files {
        if path == "SKILL.md" {
            let text = String::from_utf8_lossy(bytes);
            let renamed = text
                .lines()
                .map(|line| if line.starts_with("name:") { format!("name: {name}\n") } else { format!("{line}\n") });
            *bytes = renamed.collect::<String>().into_bytes();
        }
    }
    Skill { name: name.to_owned(), files }
}

fn read_below(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("the corpus can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_below(root, &path, files);
        } else {
            let relative = path.strip_prefix(root).expect("it was found below").to_string_lossy().into_owned();
            files.push((relative, fs::read(&path).expect("the corpus can be read")));
        }
    }
}

fn skill_md(name: &str, bytes: usize, seed: usize) -> Vec<u8> {
    let head =
        format!("---\nname: {name}\ndescription: Measures how fast skill {seed} arrives. Use when measuring.\n---\n\n");
    [head.into_bytes(), words(bytes, seed)].concat()
}

/// Text that compresses about as well as prose, and differs from seed to seed.
fn words(bytes: usize, seed: usize) -> Vec<u8> {
    let mut state = seed as u64 * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407;
    let mut text = Vec::with_capacity(bytes + 16);
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let length = 3 + (state >> 60) as usize % 7;
        text.extend((0..length).map(|at| b'a' + ((state >> (4 * at + 8)) % 16) as u8));
        text.push(if state >> 59 == 0 { b'\n' } else { b' ' });
    }
    text
}
