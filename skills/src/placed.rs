//! A package as it lies where it is installed.
//!
//! Two things differ from what was published, and nothing else ever does: under another name (`--as`), the
//! `name` in `SKILL.md` is that one; and a brief without a `SKILL.md` gets [the stub](crate::brief::stub).
//! Both follow from the published files and the folder, so there is one way there and one way back, and
//! what lies on a disk is held against it to the byte.

use crate::brief::stub;
use crate::digest::TreeDigest;
use crate::frontmatter;
use crate::lint::SKILL_MD;
use crate::manifest::{Manifest, SKILL_TOML};
use crate::name::SkillName;
use crate::path::FilePath;
use crate::refusal::Refusal;
use crate::tree::{File, Mode, Tree};

/// The files to place. Refused where the name in `SKILL.md` could not be turned back afterwards: then
/// nobody could verify what was installed.
pub fn placed(tree: &Tree, name: &SkillName, folder: &SkillName) -> Result<Tree, Refusal> {
    let mut files = tree.files().to_vec();
    match files.iter_mut().find(|file| file.path.as_str() == SKILL_MD) {
        Some(file) if folder != name => file.bytes = renamed(&file.bytes, name, folder)?,
        Some(_) => {}
        None => files.extend(stub_of(tree, folder)),
    }
    Tree::new(files)
}

/// The files as they were published, if that is the tree which lies here; `None` if anything was edited,
/// added or taken away, a stub included.
pub fn published(disk: &Tree, name: &SkillName, folder: &SkillName, digest: TreeDigest) -> Option<Tree> {
    let with = |change: &dyn Fn(&File) -> Option<File>| Tree::new(disk.files().iter().filter_map(change).collect());
    let is_skill_md = |file: &File| file.path.as_str() == SKILL_MD;
    let back = with(&|file| match is_skill_md(file) && folder != name {
        true => turned_back(&file.bytes, name, folder).map(|bytes| File { bytes, ..file.clone() }),
        false => Some(file.clone()),
    });
    let bare = with(&|file| (!is_skill_md(file)).then(|| file.clone()));
    let is_it = |tree: &Tree| tree.digest() == digest && placed(tree, name, folder).is_ok_and(|tree| tree == *disk);
    [back, bare].into_iter().flatten().find(is_it)
}

/// The `SKILL.md` that an installed package of this manifest is given, if it has none of its own.
pub fn stub(manifest: &[u8], folder: &SkillName) -> Option<Vec<u8>> {
    let manifest = Manifest::parse(manifest).ok()?;
    stub::skill_md(&manifest, folder).map(String::into_bytes)
}

/// What stood in `SKILL.md` before it was renamed. Only what our own renaming made is turned back: whatever
/// else stands in the `name` line is an edit.
pub fn turned_back(bytes: &[u8], name: &SkillName, folder: &SkillName) -> Option<Vec<u8>> {
    let original = frontmatter::rename(bytes, name).ok()?;
    frontmatter::rename(&original, folder).is_ok_and(|renamed| renamed == bytes).then_some(original)
}

fn renamed(bytes: &[u8], name: &SkillName, folder: &SkillName) -> Result<Vec<u8>, Refusal> {
    let renamed = frontmatter::rename(bytes, folder)?;
    if frontmatter::rename(&renamed, name)? == bytes {
        return Ok(renamed);
    }
    let seen = format!("the name in SKILL.md of `{name}` cannot be changed and turned back to the byte");
    Err(Refusal::new("rename-impossible", seen).hint("install it under its own name"))
}

fn stub_of(tree: &Tree, folder: &SkillName) -> Option<File> {
    let bytes = stub(&tree.file(SKILL_TOML)?.bytes, folder)?;
    let path = FilePath::parse(SKILL_MD).expect("our own file name is lawful");
    Some(File { path, mode: Mode::Regular, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKILL: &str = "---\nname: pdf\ndescription: Fill forms.\n---\nDo it.\n";
    const BRIEF: &str = "[package]\nschema = 1\nname = \"acme/pdf\"\nversion = \"1.0.0\"\nkind = \"brief\"\n\
                         description = \"One form.\"\n[brief]\ntemplate = \"brief.md\"\n";

    fn tree(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File {
            path: FilePath::parse(path).expect("lawful"),
            mode: Mode::Regular,
            bytes: (*text).into(),
        };
        Tree::new(files.iter().map(file).collect()).expect("lawful")
    }

    fn name(text: &str) -> SkillName {
        SkillName::parse(text).expect("a name")
    }

    /// The way there and back, under its own name and another.
    fn goes_there_and_back(files: &[(&str, &str)], placed_files: usize) {
        let (original, own) = (tree(files), name("pdf"));
        for folder in ["pdf", "other"].map(name) {
            let disk = placed(&original, &own, &folder).expect("placed");
            assert_eq!(disk.files().len(), placed_files);
            assert_eq!(published(&disk, &own, &folder, original.digest()), Some(original.clone()));
            assert_eq!(published(&disk, &own, &name("third"), original.digest()), None);
        }
    }

    #[test]
    fn what_is_placed_turns_back_to_what_was_published() {
        goes_there_and_back(&[("SKILL.md", SKILL)], 1);
        goes_there_and_back(&[("SKILL.md", SKILL), ("skill.toml", BRIEF)], 2);
        goes_there_and_back(&[("skill.toml", BRIEF)], 2);
    }

    #[test]
    fn a_brief_that_has_the_words_of_its_stub_as_its_own_keeps_them() {
        let own = name("pdf");
        let words = stub(BRIEF.as_bytes(), &own).expect("a stub");
        let words = String::from_utf8(words).expect("text");
        let original = tree(&[("SKILL.md", &words), ("skill.toml", BRIEF)]);
        let disk = placed(&original, &own, &own).expect("placed");
        assert_eq!(published(&disk, &own, &own, original.digest()), Some(original));
    }

    #[test]
    fn a_stub_that_was_edited_or_taken_away_is_not_what_was_published() {
        let (own, original) = (name("pdf"), tree(&[("skill.toml", BRIEF)]));
        let edited = tree(&[("SKILL.md", SKILL), ("skill.toml", BRIEF)]);
        for disk in [edited, original.clone()] {
            assert_eq!(published(&disk, &own, &own, original.digest()), None);
        }
        let without = BRIEF.replace("template", "skill-stub = false\ntemplate");
        let quiet = tree(&[("skill.toml", &without)]);
        assert_eq!(published(&quiet, &own, &own, quiet.digest()), Some(quiet.clone()));
    }

    #[test]
    fn a_name_that_does_not_turn_back_is_refused() {
        let flow = tree(&[("SKILL.md", "---\nname:   'pdf'   # mine\ndescription: x\n---\nx\n")]);
        let placed = placed(&flow, &name("pdf"), &name("other"));
        assert_eq!(placed.expect_err("not to the byte").code, "rename-impossible");
    }
}
