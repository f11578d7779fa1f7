//! Folders as people have them, and as attackers make them.

use super::*;

const SKILL_MD: &str = "---\nname: greet\ndescription: Says hello. Use when someone arrives.\n---\n# Greet\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn paths(folder: &Path) -> Vec<String> {
    let read = read(folder).expect("a folder that can be read");
    read.tree.files().iter().map(|file| file.path.to_string()).collect()
}

fn refuses(folder: &Path, code: &str, named: &str) {
    let failure = read(folder).expect_err("a folder to be refused");
    assert_eq!(failure.code, code, "{failure}");
    assert!(failure.message.contains(named), "`{failure}` does not name `{named}`");
}

#[test]
fn every_file_is_read_except_what_is_never_a_packages_own() {
    let folder = folder(&[
        ("SKILL.md", SKILL_MD),
        ("references/größe und maß.md", "text"),
        (".git/config", "[core]"),
        ("vendor/.git", "gitdir: elsewhere"),
        (".skill/state/x", "ours"),
    ]);
    assert_eq!(paths(folder.path()), ["SKILL.md", "references/größe und maß.md"]);
}

#[test]
fn exclude_of_the_manifest_leaves_out() {
    let manifest = "[package]\nschema = 1\nname = \"acme/greet\"\nversion = \"1.0.0\"\nkind = \"skill\"\nexclude = [\"drafts/**\"]\n";
    let folder = folder(&[("SKILL.md", SKILL_MD), ("skill.toml", manifest), ("drafts/one.md", "no")]);
    assert_eq!(paths(folder.path()), ["SKILL.md", "skill.toml"]);
}

#[test]
fn a_tree_written_and_read_is_the_same_tree() {
    let source = folder(&[("SKILL.md", SKILL_MD), ("scripts/run.sh", "#!/bin/sh\n"), ("a/b/c/d.txt", "")]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(source.path().join("scripts/run.sh"), fs::Permissions::from_mode(0o700)).expect("chmod");
    }
    let tree = read(source.path()).expect("read").tree;
    let target = source.path().join("out er/ziel");
    write_new(&tree, &target).expect("written");
    assert_eq!(read(&target).expect("read again").tree, tree);
    assert_eq!(write_new(&tree, &target).expect_err("it is there").code, "target-exists");
}

#[test]
fn writing_takes_an_empty_folder_and_leaves_nothing_beside_it() {
    let tree = read(folder(&[("SKILL.md", SKILL_MD)]).path()).expect("read").tree;
    let around = folder(&[]);
    let target = around.path().join("greet");
    fs::create_dir(&target).expect("an empty folder");
    write_new(&tree, &target).expect("written");
    assert_eq!(fs::read_dir(around.path()).expect("listed").count(), 1);
}

#[test]
fn what_is_no_folder_is_refused() {
    let around = folder(&[("file", "")]);
    refuses(&around.path().join("none"), "io", "none");
    refuses(&around.path().join("file"), "not-a-folder", "file");
}

#[test]
fn a_file_larger_than_a_package_is_refused_before_it_is_read() {
    let folder = folder(&[("SKILL.md", SKILL_MD)]);
    let huge = File::create(folder.path().join("huge.bin")).expect("a file");
    huge.set_len(UNPACKED_BYTES_MAX).expect("a sparse file");
    refuses(folder.path(), "archive-unpacked-too-large", "64");
}

#[test]
fn more_files_than_a_package_may_have_are_refused() {
    let folder = folder(&[("SKILL.md", SKILL_MD)]);
    for number in 0..=FILES_MAX {
        File::create(folder.path().join(format!("{number}.txt"))).expect("a file");
    }
    refuses(folder.path(), "archive-too-many-files", "2048");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_refused_and_never_followed() {
        let secret = folder(&[("id_ed25519", "SECRET")]);
        let skill = folder(&[("SKILL.md", SKILL_MD)]);
        symlink(secret.path().join("id_ed25519"), skill.path().join("notes.md")).expect("a link");
        refuses(skill.path(), "folder-symlink", "notes.md");
    }

    #[test]
    fn a_link_to_a_folder_is_refused_and_never_entered() {
        let secret = folder(&[("id_ed25519", "SECRET")]);
        let skill = folder(&[("SKILL.md", SKILL_MD)]);
        symlink(secret.path(), skill.path().join("keys")).expect("a link");
        refuses(skill.path(), "folder-symlink", "keys");
        symlink(skill.path(), skill.path().join("a-loop")).expect("a loop");
        assert_eq!(read(skill.path()).expect_err("two links").code, "folder-symlink");
    }

    #[test]
    fn a_socket_is_refused() {
        let skill = folder(&[("SKILL.md", SKILL_MD)]);
        let _socket = std::os::unix::net::UnixListener::bind(skill.path().join("s.sock")).expect("a socket");
        refuses(skill.path(), "folder-socket", "s.sock");
    }

    #[test]
    fn a_name_that_is_not_utf8_is_refused() {
        let skill = folder(&[("SKILL.md", SKILL_MD)]);
        let name = std::ffi::OsStr::from_bytes(b"caf\xe9.md");
        if File::create(skill.path().join(name)).is_ok() {
            refuses(skill.path(), "path-not-utf8", "caf");
        }
    }

    #[test]
    fn a_name_that_other_systems_cannot_hold_is_refused() {
        refuses(folder(&[("SKILL.md", SKILL_MD), ("a:b.md", "")]).path(), "path-reserved", "a:b.md");
    }
}
