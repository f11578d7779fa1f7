//! What counts as the same work tree.

use std::process::Command;

use skills::manifest::{Kinded, Manifest};

use super::*;

fn inputs(globs: &str) -> Inputs {
    let text = format!(
        "[package]\nschema = 1\nname = \"a/b\"\nversion = \"1.0.0\"\nkind = \"check\"\ndescription = \"d\"\n\
         [check]\nargv = [\"true\"]\n{globs}\n"
    );
    match Manifest::parse(text.as_bytes()).expect("a manifest").kinded {
        Kinded::Check(check) => Inputs::of(&check),
        _ => panic!("a check"),
    }
}

fn git(folder: &Path, args: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=n", "-c", "user.email=e@x.invalid", "-C"]).arg(folder).args(args);
    assert!(git.output().expect("git runs").status.success(), "{args:?}");
}

fn ground() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("src")).expect("made");
    fs::write(folder.path().join("src/a"), "1").expect("written");
    fs::write(folder.path().join("README.md"), "1").expect("written");
    folder
}

#[test]
fn with_and_without_git_the_inputs_are_the_same() {
    let (plain, tracked) = (ground(), ground());
    git(tracked.path(), &["init", "-q"]);
    let digest = |folder: &Path| {
        let snapshot = Snapshot::take(folder).expect("taken");
        (snapshot.tree().is_some(), snapshot.inputs(&inputs("inputs = [\"**\"]")).expect("digest"))
    };
    let ((without, one), (with, other)) = (digest(plain.path()), digest(tracked.path()));
    assert_eq!((without, with), (false, true));
    assert_eq!(one, other);
}

#[test]
fn inputs_are_relative_to_the_project_and_not_to_the_repository() {
    let folder = ground();
    git(folder.path(), &["init", "-q"]);
    let digest = || {
        Snapshot::take(&folder.path().join("src")).expect("taken").inputs(&inputs("inputs = [\"a\"]")).expect("digest")
    };
    let before = digest();
    fs::write(folder.path().join("a"), "another one").expect("written");
    assert_eq!(digest(), before);
    fs::write(folder.path().join("src/a"), "2").expect("written");
    assert_ne!(digest(), before);
}

#[test]
fn a_file_that_is_named_is_an_input_although_git_ignores_it() {
    let folder = ground();
    git(folder.path(), &["init", "-q"]);
    fs::write(folder.path().join(".gitignore"), "plan.json\n").expect("written");
    fs::write(folder.path().join("plan.json"), "1").expect("written");
    let digest = |globs: &str| Snapshot::take(folder.path()).expect("taken").inputs(&inputs(globs)).expect("digest");
    let (named, all) = ("inputs = [\"plan.json\"]", "inputs = [\"**\"]");
    let before = (digest(named), digest(all));
    fs::write(folder.path().join("plan.json"), "2").expect("written");
    assert_ne!(digest(named), before.0);
    assert_eq!(digest(all), before.1);
}

#[test]
fn an_edit_in_a_submodule_is_an_edit() {
    let folder = ground();
    git(folder.path(), &["init", "-q"]);
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).expect("made");
    fs::write(inner.join("x"), "1").expect("written");
    git(&inner, &["init", "-q"]);
    git(&inner, &["add", "-A"]);
    git(&inner, &["commit", "-qm", "one"]);
    let digest = || Snapshot::take(folder.path()).expect("taken").inputs(&inputs("inputs = [\"**\"]")).expect("digest");
    let before = digest();
    fs::write(inner.join("x"), "2").expect("written");
    assert_ne!(digest(), before);
}

#[test]
fn what_moved_is_named_unless_the_check_may_write_it() {
    for with_git in [true, false] {
        let folder = ground();
        if with_git {
            git(folder.path(), &["init", "-q"]);
        }
        let before = Snapshot::take(folder.path()).expect("taken");
        fs::create_dir(folder.path().join("out")).expect("made");
        fs::write(folder.path().join("out/x"), "1").expect("written");
        fs::write(folder.path().join("src/a"), "2").expect("written");
        fs::remove_file(folder.path().join("README.md")).expect("removed");
        let after = Snapshot::take(folder.path()).expect("taken");
        let moved = before.moved(&after, &inputs("inputs = [\"**\"]\nwrites = [\"out/**\"]"));
        assert_eq!(moved, ["README.md", "src/a"], "git: {with_git}");
    }
}
