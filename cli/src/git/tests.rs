//! Repositories of every shape, and repositories that bite.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;

/// A folder with a repository in it, and a few files.
struct Ground {
    folder: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        let ground = Self { folder: tempfile::Builder::new().prefix("grönd ").tempdir().expect("a folder") };
        ground.git(&["init", "-q", "-b", "main"]);
        ground.write("a.txt", "1\n");
        ground.write("src/main.rs", "fn main() {}\n");
        ground.git(&["add", "-A"]);
        ground.git(&["commit", "-qm", "one"]);
        ground
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    #[track_caller]
    fn git(&self, args: &[&str]) -> String {
        run(self.path(), args)
    }

    #[track_caller]
    fn tree(&self) -> GitTree {
        let repository = Repository::around(self.path()).expect("asked").expect("a repository");
        repository.tree(self.path()).unwrap_or_else(|failure| panic!("{failure}"))
    }

    /// What `git commit -a` would give, by Git's own means.
    #[track_caller]
    fn by_git(&self) -> String {
        self.git(&["add", "-A", "--", ".", ":(exclude).skill/evidence"]);
        self.git(&["write-tree"])
    }
}

#[track_caller]
fn run(folder: &Path, args: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=n", "-c", "user.email=e@x.invalid", "-c", "protocol.file.allow=always", "-C"]);
    let output = git.arg(folder).args(args).env("GIT_CONFIG_NOSYSTEM", "1").output().expect("git runs");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn paths(tree: &GitTree) -> Vec<String> {
    tree.entries().iter().map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect()
}

#[test]
fn the_tree_is_the_one_that_git_would_commit_and_nothing_of_the_repository_moves() {
    let ground = Ground::new();
    ground.write("b/new.txt", "2\n");
    ground.write("src/main.rs", "fn main() { }\n");
    fs::remove_file(ground.path().join("a.txt")).expect("removed");
    let index = fs::read(ground.path().join(".git/index")).expect("read");
    let objects = ground.git(&["count-objects"]);
    let tree = ground.tree();
    assert_eq!(paths(&tree), ["b/new.txt", "src/main.rs"]);
    assert_eq!(fs::read(ground.path().join(".git/index")).expect("read"), index);
    assert_eq!(ground.git(&["count-objects"]), objects);
    assert_eq!(tree.id(), ground.by_git());
}

#[test]
fn a_folder_without_git_has_no_repository() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(Repository::around(folder.path()).expect("asked").is_none());
    assert!(Repository::around(&folder.path().join("missing")).expect("asked").is_none());
}

#[test]
fn a_bare_repository_has_no_work_tree() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &["init", "-q", "--bare", "x.git"]);
    assert!(Repository::around(&folder.path().join("x.git")).expect("asked").is_none());
    let ground = Ground::new();
    ground.git(&["config", "core.bare", "true"]);
    assert!(Repository::around(ground.path()).expect("asked").is_none());
}

#[test]
fn a_repository_without_a_commit_has_a_tree() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &["init", "-q"]);
    let repository = Repository::around(folder.path()).expect("asked").expect("a repository");
    let tree = repository.tree(folder.path()).expect("a tree");
    assert_eq!(tree.id(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    assert_eq!(repository.commit("HEAD").expect("asked"), None);
}

#[test]
fn a_repository_of_sha256_has_a_tree_of_sha256() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), &["init", "-q", "--object-format=sha256"]);
    fs::write(folder.path().join("a"), "1").expect("written");
    let repository = Repository::around(folder.path()).expect("asked").expect("a repository");
    let tree = repository.tree(folder.path()).expect("a tree");
    run(folder.path(), &["add", "-A"]);
    assert_eq!((tree.id().len(), tree.id()), (64, &*run(folder.path(), &["write-tree"])));
}

#[test]
fn a_shallow_clone_has_a_tree_and_says_that_histories_do_not_meet() {
    let ground = Ground::new();
    ground.write("a.txt", "2\n");
    ground.git(&["commit", "-qam", "two"]);
    let folder = tempfile::tempdir().expect("a folder");
    let from = format!("file://{}", ground.path().display()).replace(' ', "%20");
    run(folder.path(), &["clone", "-q", "--depth", "1", &from, "clone"]);
    let repository = Repository::around(&folder.path().join("clone")).expect("asked").expect("a repository");
    assert_eq!(repository.tree(&folder.path().join("clone")).expect("a tree").id(), ground.tree().id());
    assert_eq!(repository.merge_base("HEAD", "HEAD~1").expect("asked"), None);
}

#[test]
fn submodules_keep_their_place_checked_out_or_not() {
    let (inner, outer) = (Ground::new(), Ground::new());
    outer.git(&["submodule", "--quiet", "add", &inner.path().display().to_string(), "inner"]);
    outer.git(&["commit", "-qm", "a submodule"]);
    let committed = outer.git(&["rev-parse", "HEAD^{tree}"]);
    assert_eq!(outer.tree().id(), committed);
    assert!(outer.tree().entries().iter().any(|entry| entry.path == b"inner" && entry.is_repository()));
    outer.git(&["submodule", "--quiet", "deinit", "--force", "inner"]);
    assert_eq!(outer.tree().id(), committed);
}

#[test]
fn in_the_middle_of_a_rebase_the_tree_is_what_lies_there() {
    let ground = Ground::new();
    ground.git(&["checkout", "-qb", "other"]);
    ground.write("a.txt", "other\n");
    ground.git(&["commit", "-qam", "other"]);
    ground.git(&["checkout", "-q", "main"]);
    ground.write("a.txt", "main\n");
    ground.git(&["commit", "-qam", "main"]);
    let mut rebase = Command::new("git");
    rebase
        .args(["-c", "user.name=n", "-c", "user.email=e@x.invalid", "-C"])
        .arg(ground.path())
        .args(["rebase", "-q", "other"]);
    assert!(!rebase.output().expect("git runs").status.success(), "a conflict");
    assert_eq!(paths(&ground.tree()), ["a.txt", "src/main.rs"]);
    assert_eq!(ground.tree().id(), ground.by_git());
}

#[test]
fn an_index_that_somebody_locked_is_no_obstacle() {
    let ground = Ground::new();
    let before = ground.tree();
    fs::write(ground.path().join(".git/index.lock"), "").expect("locked");
    assert_eq!(ground.tree().id(), before.id());
}

#[test]
fn a_second_work_tree_is_a_repository_of_its_own() {
    let ground = Ground::new();
    let folder = tempfile::tempdir().expect("a folder");
    let second = folder.path().join("second");
    ground.git(&["worktree", "add", "-q", "-b", "second", &second.display().to_string()]);
    fs::write(second.join("a.txt"), "2\n").expect("written");
    let repository = Repository::around(&second).expect("asked").expect("a repository");
    assert_ne!(repository.tree(&second).expect("a tree").id(), ground.tree().id());
}

#[cfg(unix)]
#[test]
fn odd_names_are_names() {
    let ground = Ground::new();
    for name in ["-rf", "a\nb", "\"q\"", "tab\there", ":(top)x", "ü/日本 .txt", " ", "*", "\\"] {
        ground.write(name, "x");
    }
    fs::write(ground.path().join(os_path(b"no\xfftext")), "x").expect("written");
    std::os::unix::fs::symlink("/etc/passwd", ground.path().join("link")).expect("linked");
    let tree = ground.tree();
    assert_eq!(tree.entries().len(), 13);
    assert_eq!(tree.id(), ground.by_git());
}

#[test]
fn ignored_files_are_not_in_the_tree_and_tracked_ones_are_although_ignored() {
    let ground = Ground::new();
    ground.write(".gitignore", "*.log\ntarget/\n");
    ground.write("target/x", "x");
    ground.write("keep.log", "1");
    ground.git(&["add", "-f", "keep.log"]);
    ground.git(&["commit", "-qm", "kept"]);
    ground.write("other.log", "1");
    assert_eq!(paths(&ground.tree()), [".gitignore", "a.txt", "keep.log", "src/main.rs"]);
    let before = ground.tree();
    ground.write("keep.log", "2");
    assert_ne!(ground.tree().id(), before.id());
}

#[test]
fn an_index_that_lies_is_not_believed() {
    let ground = Ground::new();
    let before = ground.tree();
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        ground.git(&["update-index", flag, "a.txt"]);
        ground.write("a.txt", flag);
        assert_ne!(ground.tree().id(), before.id(), "{flag}");
        ground.git(&["update-index", &flag.replace("--", "--no-"), "a.txt"]);
    }
    ground.write(".git/info/exclude", "src/\n");
    ground.write("src/main.rs", "edited");
    assert!(ground.tree().entries().iter().any(|entry| entry.path == b"src/main.rs"));
    ground.git(&["init", "-q", "src"]);
    assert!(ground.tree().entries().iter().any(|entry| entry.path == b"src/main.rs"), "a repository in its place");
}

#[test]
fn committing_evidence_does_not_move_the_tree() {
    let ground = Ground::new();
    let before = ground.tree();
    ground.write(".skill/evidence/x.intoto.jsonl", "{}\n");
    assert_eq!(ground.tree().id(), before.id());
    ground.git(&["add", "-A"]);
    assert_eq!(ground.tree().id(), before.id(), "also once it is tracked");
    ground.write(".skill/briefs/x.brief.json", "{}\n");
    assert_ne!(ground.tree().id(), before.id());
}

#[cfg(unix)]
#[test]
fn a_file_behind_a_link_is_gone() {
    let ground = Ground::new();
    fs::remove_dir_all(ground.path().join("src")).expect("removed");
    ground.write("other/main.rs", "fn main() {}\n");
    std::os::unix::fs::symlink("other", ground.path().join("src")).expect("linked");
    assert_eq!(paths(&ground.tree()), ["a.txt", "other/main.rs", "src"]);
}

#[cfg(unix)]
#[test]
fn a_hostile_configuration_starts_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let ground = Ground::new();
    let mark = ground.folder.path().with_extension("mark");
    let program = ground.folder.path().with_extension("sh");
    fs::write(&program, format!("#!/bin/sh\ntouch '{}'\ncat\n", mark.display())).expect("written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("chmod");
    let evil = format!("'{}'", program.display());
    for key in [
        "core.fsmonitor",
        "filter.evil.clean",
        "filter.evil.process",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "core.pager",
        "gpg.program",
        "core.sshCommand",
        "core.alternateRefsCommand",
    ] {
        ground.git(&["config", key, &evil]);
    }
    ground.git(&["config", "filter.evil.required", "true"]);
    ground.git(&["config", "log.showSignature", "true"]);
    let hooks = ground.path().join(".git/hooks");
    fs::create_dir_all(&hooks).expect("made");
    for hook in ["post-index-change", "pre-commit", "reference-transaction", "post-checkout"] {
        fs::copy(&program, hooks.join(hook)).expect("copied");
    }
    fs::write(ground.path().join(".gitattributes"), "* filter=evil diff=evil\n").expect("written");
    ground.write("a.txt", "changed\n");
    let repository = Repository::around(ground.path()).expect("asked").expect("a repository");
    let tree = repository.tree(ground.path()).expect("a tree");
    repository.diff("HEAD", &tree).expect("a diff");
    repository.diff_stat("HEAD", &tree).expect("a diff");
    repository.merge_base("HEAD", "HEAD").expect("asked");
    repository.show("HEAD", "a.txt").expect("asked");
    assert!(!mark.exists(), "a program of the repository was started");
    fs::remove_file(&program).expect("removed");
}

#[test]
fn a_revision_is_never_an_option_or_the_index() {
    let ground = Ground::new();
    let repository = Repository::around(ground.path()).expect("asked").expect("a repository");
    for bad in ["", "--all", ":0", "HEAD:a.txt", "a\nb"] {
        assert_eq!(repository.commit(bad).expect_err(bad).code, "policy-ref", "{bad}");
    }
    assert_eq!(repository.commit("nowhere").expect("asked"), None);
    assert_eq!(repository.show("HEAD", "a.txt").expect("asked").as_deref(), Some(&b"1\n"[..]));
    assert_eq!(repository.show("HEAD", "none").expect("asked"), None);
}

#[test]
fn what_differs_from_a_revision_is_counted_in_lines() {
    let ground = Ground::new();
    ground.write("a.txt", "1\n2\n3\n");
    ground.write("b.bin", "\0\0");
    let repository = Repository::around(ground.path()).expect("asked").expect("a repository");
    let changed = repository.diff_stat("HEAD", &ground.tree()).expect("a diff");
    let row = |path: &str, lines| Changed { path: path.to_owned(), lines };
    assert_eq!(changed, [row("a.txt", Some((2, 0))), row("b.bin", None)]);
    let patch = String::from_utf8(repository.diff("HEAD", &ground.tree()).expect("a diff")).expect("text");
    assert!(patch.contains("+2\n+3\n"), "{patch}");
    assert_eq!(repository.diff_stat("nowhere", &ground.tree()).expect_err("none").code, "git-revision");
}

#[test]
fn clean_is_what_the_last_commit_holds_evidence_aside() {
    let ground = Ground::new();
    let is_clean = || {
        let repository = Repository::around(ground.path()).expect("asked").expect("a repository");
        repository.is_clean(ground.path(), &ground.tree()).expect("asked")
    };
    assert!(is_clean());
    ground.write(".skill/evidence/x.intoto.jsonl", "{}\n");
    assert!(is_clean());
    ground.git(&["add", "-A"]);
    ground.git(&["commit", "-qm", "evidence"]);
    assert!(is_clean());
    ground.write("a.txt", "2\n");
    assert!(!is_clean());
}

#[test]
fn a_scratch_repository_is_the_same_on_every_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let scratch = Scratch::start(folder.path()).expect("started");
    scratch.commit("base").expect("committed");
    scratch.branch("work").expect("a branch");
    fs::write(folder.path().join(".gitignore"), "*").expect("written");
    fs::write(folder.path().join("a"), "1").expect("written");
    scratch.commit("fixture").expect("committed");
    let seen =
        [run(folder.path(), &["log", "--format=%s %D", "--reverse"]), run(folder.path(), &["rev-parse", "HEAD"])];
    assert_eq!(seen[0], "base main\nfixture HEAD -> work");
    assert_eq!(seen[1], run(folder.path(), &["rev-parse", "work"]));
    assert_eq!(run(folder.path(), &["ls-files"]), ".gitignore\na");
    assert_eq!(scratch.branch("--orphan").expect_err("an option").code, "policy-ref");
}

#[test]
fn twenty_thousand_files_take_seconds_and_not_minutes() {
    let ground = Ground::new();
    for folder in 0..200 {
        for file in 0..100 {
            ground.write(&format!("f{folder}/{file}.txt"), &format!("{folder} {file}\n"));
        }
    }
    let started = std::time::Instant::now();
    let tree = ground.tree();
    let took = started.elapsed();
    assert_eq!(tree.entries().len(), 20_002);
    // Two seconds on a machine with nothing else to do.
    assert!(took.as_secs() < 60, "{took:?}");
    eprintln!("20,002 files: {took:?}");
}
