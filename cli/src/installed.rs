//! What is installed, read to be used: a brief to render, a check to run, a bundle to apply.
//!
//! Verification looks at everything and reports; this hands out one package, and only if its files are
//! those that the lock pins. Whatever is rendered or run by the other commands comes from here, so nothing
//! that somebody edited ever is. The digest is taken of the very bytes that are handed out, not of a
//! second reading of them.

use std::path::{Path, PathBuf};

use index::lock::{Lock, LockedSkill, Source};
use skills::manifest::{Kind, Manifest, SKILL_TOML};
use skills::placed::published;
use skills::tree::Tree;
use skills::{Refusal, Sha256, archive};

use crate::agents::CANONICAL;
use crate::failure::{Exit, Failure};
use crate::place::read_tree;
use crate::project::Project;

/// One installed package, its content as it was published.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Its row of the lock.
    pub locked: LockedSkill,
    /// Its files as published: under its original name, and without what installing adds.
    pub tree: Tree,
    /// Its manifest; a folder with only a `SKILL.md` has none.
    pub manifest: Option<Manifest>,
    /// Digest of its archive: the signed one, or for a folder the one that packing its files gives.
    pub digest: Sha256,
    /// Where it lies.
    pub folder: PathBuf,
}

/// The installed package that a person names: `scope/name`, or its folder.
pub fn find(project: &Project, lock: &Lock, text: &str) -> Result<Installed, Failure> {
    let locked = lock.find(text).ok_or_else(|| {
        let seen = format!("skills.lock does not have `{}`", text.escape_debug());
        Failure::could_not("package-not-installed", seen)
            .hint("`skill list` shows what is installed; `skill add SCOPE/NAME` installs more")
    })?;
    read(project, locked)
}

/// All installed packages of a kind, in the order of the lock.
pub fn all(project: &Project, lock: &Lock, kind: Kind) -> Result<Vec<Installed>, Failure> {
    lock.skills.iter().filter(|locked| locked.kind == kind).map(|locked| read(project, locked)).collect()
}

fn read(project: &Project, locked: &LockedSkill) -> Result<Installed, Failure> {
    let folder = project.places.join(CANONICAL).join(locked.folder.as_str());
    if folder.symlink_metadata().is_err() {
        let seen = format!("`{}` is in skills.lock and not in `{}`", locked.name, folder.display());
        return Err(Failure::could_not("package-not-installed", seen).hint("`skill install` puts it in place"));
    }
    let tree = published(&read_tree(&folder)?, locked.name.name(), &locked.folder, locked.tree)
        .ok_or_else(|| edited(locked, &folder))?;
    let manifest = manifest(&tree)?;
    refuse_other_kind(locked, manifest.as_ref())?;
    let digest = digest(locked, &tree)?;
    Ok(Installed { locked: locked.clone(), tree, manifest, digest, folder })
}

fn edited(locked: &LockedSkill, folder: &Path) -> Failure {
    let seen = format!("`{}` was edited since it was installed, so it is not used", folder.display());
    let hint = format!("`skill diff {0}` shows the edit; `skill install --force` undoes it", locked.name);
    Failure::new(Exit::Failed, "edited", seen).hint(hint)
}

fn manifest(tree: &Tree) -> Result<Option<Manifest>, Refusal> {
    tree.file(SKILL_TOML).map(|file| Manifest::parse(&file.bytes)).transpose()
}

/// The lock is edited by strangers in pull requests: what a package is, its own manifest says.
fn refuse_other_kind(locked: &LockedSkill, manifest: Option<&Manifest>) -> Result<(), Failure> {
    let kind = manifest.map_or(Kind::Skill, |manifest| manifest.kind);
    if kind == locked.kind {
        return Ok(());
    }
    let (said, seen) = (locked.kind.as_str(), kind.as_str());
    let message = format!("skills.lock has `{}` as kind `{said}`, its manifest says `{seen}`", locked.name);
    Err(Failure::new(Exit::Failed, "kind-disagrees", message).hint("restore skills.lock from version control"))
}

/// Digest of a package's archive: the signed one, or of a folder the one that packing its files gives.
pub fn digest(locked: &LockedSkill, tree: &Tree) -> Result<Sha256, Failure> {
    match &locked.source {
        Source::Registry { archive, .. } => Ok(*archive),
        Source::Path { .. } => {
            let packed = archive::pack(tree).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
            Ok(Sha256::of(packed))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use skills::tree::File;
    use skills::{FilePath, PackageName, SkillName, Version};

    use super::*;

    const CHECK: &str = "[package]\nschema = 1\nname = \"acme/green\"\nversion = \"1.0.0\"\nkind = \"check\"\n\
                         description = \"It works.\"\n[check]\nargv = [\"true\"]\ninputs = [\"**\"]\n";
    const SKILL: &str = "---\nname: pdf\ndescription: Fill forms.\n---\nDo it.\n";

    /// A project in which these files lie in the folder of one package, and its lock.
    struct Place {
        home: tempfile::TempDir,
        lock: Lock,
    }

    fn place(name: &str, folder: &str, kind: Kind, files: &[(&str, &str)]) -> Place {
        let home = tempfile::tempdir().expect("a folder");
        let tree = Tree::new(files.iter().map(|(path, text)| file(path, text)).collect()).expect("lawful");
        let name = PackageName::parse(name).expect("a name");
        let locked = LockedSkill {
            version: Version::parse("1.0.0").expect("a version"),
            kind,
            source: Source::Path { path: "./somewhere".to_owned() },
            tree: tree.digest(),
            folder: SkillName::parse(folder).expect("a name"),
            dependencies: Vec::new(),
            files: tree.files().iter().map(|file| file.path.clone()).collect(),
            name,
        };
        let place = Place { home, lock: Lock { skills: vec![locked], ..Lock::default() } };
        files.iter().for_each(|(path, text)| place.write(path, text));
        place
    }

    fn file(path: &str, text: &str) -> File {
        let path = FilePath::parse(path).expect("lawful");
        File { path, mode: skills::tree::Mode::Regular, bytes: text.into() }
    }

    impl Place {
        fn project(&self) -> Project {
            Project::at(self.home.path())
        }

        fn write(&self, path: &str, text: &str) {
            let folder = self.home.path().join(CANONICAL).join(self.lock.skills[0].folder.as_str());
            fs::create_dir_all(&folder).expect("made");
            fs::write(folder.join(path), text).expect("written");
        }

        fn finds(&self, text: &str) -> Installed {
            find(&self.project(), &self.lock, text).expect(text)
        }

        fn refuses(&self, text: &str, exit: Exit, code: &str) {
            let failure = find(&self.project(), &self.lock, text).expect_err(code);
            assert_eq!((failure.exit, failure.code.as_str()), (exit, code), "{failure}");
        }
    }

    #[test]
    fn a_package_is_found_by_its_name_and_by_its_folder_with_what_its_manifest_says() {
        let place = place("acme/green", "green", Kind::Check, &[("skill.toml", CHECK)]);
        for text in ["acme/green", "@acme/green", "green"] {
            let found = place.finds(text);
            assert_eq!(found.manifest.as_ref().map(|manifest| manifest.kind), Some(Kind::Check));
            assert_eq!(found.digest, Sha256::of(archive::pack(&found.tree).expect("packs")));
        }
        place.refuses("acme/other", Exit::Could, "package-not-installed");
        assert_eq!(all(&place.project(), &place.lock, Kind::Check).expect("read").len(), 1);
        assert_eq!(all(&place.project(), &place.lock, Kind::Tools).expect("read").len(), 0);
    }

    #[test]
    fn what_was_edited_or_added_is_never_handed_out() {
        let place = place("acme/green", "green", Kind::Check, &[("skill.toml", CHECK)]);
        place.write("more.txt", "");
        place.refuses("green", Exit::Failed, "edited");
        fs::remove_file(place.home.path().join(CANONICAL).join("green/more.txt")).expect("removed");
        place.finds("green");
        place.write("skill.toml", &CHECK.replace("true", "false"));
        place.refuses("green", Exit::Failed, "edited");
        assert!(all(&place.project(), &place.lock, Kind::Check).is_err());
        fs::remove_dir_all(place.home.path().join(CANONICAL)).expect("removed");
        place.refuses("green", Exit::Could, "package-not-installed");
    }

    #[test]
    fn a_renamed_copy_is_handed_out_under_its_own_name() {
        let place = place("acme/pdf", "other", Kind::Skill, &[("SKILL.md", SKILL)]);
        place.write("SKILL.md", &SKILL.replace("name: pdf", "name: other"));
        let found = place.finds("other");
        assert_eq!(found.tree.file("SKILL.md").expect("there").bytes, SKILL.as_bytes());
        assert_eq!(found.manifest, None);
        place.write("SKILL.md", &SKILL.replace("name: pdf", "name: 'other'"));
        place.refuses("other", Exit::Failed, "edited");
    }

    #[test]
    fn a_lock_that_lies_about_the_kind_is_refused() {
        let place = place("acme/green", "green", Kind::Tools, &[("skill.toml", CHECK)]);
        place.refuses("green", Exit::Failed, "kind-disagrees");
    }
}
