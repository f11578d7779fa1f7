//! Where the programs under test are.
//!
//! Cargo tells a test the path of its own package's programs only, so ours are looked for beside the
//! test: a test runs as `target/PROFILE/deps/NAME-HASH`. They are built first, because a test of
//! yesterday's program proves nothing; that costs a quarter of a second where nothing changed. Cargo
//! itself takes the lock, so any number of tests may ask at once. `SKILL_TEST_BIN=DIR` tests the
//! programs in a folder instead, as they are: a release, say.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The path of one of our programs: `skill`, `agent-skill` or `skill-registry`.
pub fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let path = FOLDER.get_or_init(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} is not there: `cargo build --workspace` makes it", path.display());
    path
}

fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("SKILL_TEST_BIN") {
        return folder.into();
    }
    let profile = profile();
    build(&profile, "--quiet");
    profile
}

/// Builds the programs with cargo's own account of it: the first time takes minutes, and somebody waits.
pub fn build_aloud() {
    if std::env::var_os("SKILL_TEST_BIN").is_none() {
        build(&profile(), "--color=auto");
    }
}

/// The folder `target/PROFILE` that this program came from.
fn profile() -> PathBuf {
    let this = std::env::current_exe().expect("a running program has a path");
    let profile = this.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    profile.expect("a test is below target/PROFILE").to_owned()
}

/// Builds the programs into the folder that the test came from. A test that was not started by cargo
/// takes what is there.
fn build(profile: &Path, how: &str) {
    let Some(cargo) = std::env::var_os("CARGO") else { return };
    let mut command = Command::new(cargo);
    // `--workspace`, though three programs are wanted: cargo then chooses the features of every dependency as it
    // did for `cargo test --workspace`, and builds none of them twice.
    command.args(["build", how, "--workspace", "--bin", "skill", "--bin", "agent-skill", "--bin", "skill-registry"]);
    command.current_dir(repository());
    match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => {}
        Some(name) => {
            command.args(["--profile", name]);
        }
    }
    let status = command.status().expect("cargo started this test, so it can be started again");
    assert!(status.success(), "the programs under test do not build");
}

/// The top of our repository.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("the room `tests` is in the house").to_owned()
}

/// The folder of shared material beside the repository; `None`, said aloud, where it is absent.
pub fn shared() -> Option<PathBuf> {
    let path = repository().parent()?.join("shared");
    if path.is_dir() {
        return Some(path);
    }
    crate::tools::skip("there is no folder `shared` beside the repository");
    None
}
