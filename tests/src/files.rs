//! Files: writing them in one line, and telling whether anything changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Writes a file, and the folders above it.
#[track_caller]
pub fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("the folder is made");
    fs::write(path, content).expect("the file is written");
}

/// Reads a text file.
#[track_caller]
pub fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A `SKILL.md` that passes lint without a word.
pub fn skill_md(name: &str, body: &str) -> String {
    format!(
        "---\nname: {name}\ndescription: Shows how {name} is done, step by step. Use when a test needs a real skill.\n---\n\n# {name}\n\n{body}\n"
    )
}

/// A `skill.toml` of a plain skill, with `dependencies` as lines of that table.
pub fn skill_toml(name: &str, version: &str, dependencies: &str) -> String {
    let dependencies =
        if dependencies.is_empty() { String::new() } else { format!("\n[dependencies]\n{dependencies}\n") };
    format!("[package]\nschema = 1\nname = \"{name}\"\nversion = \"{version}\"\nkind = \"skill\"\n{dependencies}")
}

/// Writes the package `scope/name` of this version below `folder`, and gives its own folder. It has a
/// script, so that modes matter.
pub fn package(folder: &Path, name: &str, version: &str, dependencies: &str) -> PathBuf {
    let short = name.rsplit('/').next().expect("a name has a last part");
    let path = folder.join(short);
    write(path.join("SKILL.md"), skill_md(short, &format!("This is version {version} of {name}.")));
    write(path.join("skill.toml"), skill_toml(name, version, dependencies));
    write(path.join("scripts/run.sh"), "#!/bin/sh\necho run\n");
    set_mode(&path.join("scripts/run.sh"), 0o755);
    path
}

/// Sets the permission bits of a path.
pub fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode is set");
}

/// Copies a folder with everything in it; modes are kept.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the folder is made");
    for entry in fs::read_dir(from).expect("the folder is listed") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("the file is copied");
        }
    }
}

/// Everything below a folder: path, kind, mode and content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, String>);

impl Snapshot {
    /// Looks at a folder. Local state of `skill`, which may come and go, is left out.
    pub fn of(folder: &Path) -> Self {
        let mut seen = BTreeMap::new();
        look(folder, "", &mut seen);
        seen.retain(|path, _| {
            !path.starts_with(".skill/state") && path != ".skill/.gitignore" && !path.starts_with(".git/")
        });
        // The folder that held only that state is no content either.
        if !seen.keys().any(|path| path.starts_with(".skill/")) {
            seen.remove(".skill");
        }
        Self(seen)
    }

    /// The paths.
    pub fn paths(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// What stands at a path: `folder`, `link to …`, or mode and content.
    pub fn at(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The part below a folder, with paths relative to it.
    pub fn below(&self, folder: &str) -> Self {
        let prefix = format!("{folder}/");
        let part =
            self.0.iter().filter_map(|(path, seen)| Some((path.strip_prefix(&prefix)?.to_owned(), seen.clone())));
        Self(part.collect())
    }

    /// Asserts that nothing changed since `before`.
    #[track_caller]
    pub fn is_unchanged_from(&self, before: &Self) {
        let differs = |path: &&String| self.0.get(*path) != before.0.get(*path);
        let paths: Vec<&String> = self.0.keys().chain(before.0.keys()).filter(differs).collect();
        assert!(paths.is_empty(), "changed: {paths:?}");
    }
}

fn look(folder: &Path, prefix: &str, seen: &mut BTreeMap<String, String>) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.expect("an entry");
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let metadata = entry.path().symlink_metadata().expect("it is there");
        let what = if metadata.is_symlink() {
            format!("link to {}", fs::read_link(entry.path()).expect("a link").display())
        } else if metadata.is_dir() {
            look(&entry.path(), &format!("{path}/"), seen);
            "folder".to_owned()
        } else {
            let bytes = fs::read(entry.path()).expect("the file is read");
            format!("{:o} {}", metadata.permissions().mode() & 0o777, skills::Sha256::of(bytes))
        };
        seen.insert(path, what);
    }
}
