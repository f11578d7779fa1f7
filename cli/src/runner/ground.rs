//! What a check is given: its package, a folder of its own, its variables; and the bounds of all that.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use skills::check::{Cwd, is_secret};
use tempfile::TempDir;

use super::Job;
use crate::evidence::EVIDENCE_PATH;
use crate::failure::{Failure, OnPath};
use crate::git::Repository;
use crate::home::{Home, user_folder};
use crate::place::write_tree;
use crate::sandbox::reach::{Surroundings, Writable};
use crate::sandbox::{Limits, Orders};

/// Variables of ours hold tokens, passphrases and the way to keys: no check gets one.
const OURS: &str = "SKILL_";

/// What lies in a project and is no input of any check: a proof outlives every change in it, so none of it
/// may decide what a check finds.
const RECORDS: [&str; 2] = [EVIDENCE_PATH, ".skill/state"];

/// Everything that a run stands on; gone when dropped.
pub(super) struct Ground {
    pub(super) orders: Orders,
    pub(super) writable: Writable,
    /// Values that must not be told.
    pub(super) secrets: Vec<String>,
    _folder: TempDir,
}

impl Ground {
    /// Makes the folders, copies the verified package, works out the bounds.
    pub(super) fn prepare(job: &Job<'_>, argv: &[String]) -> Result<Self, Failure> {
        let root = job.root.canonicalize().on("find", job.root)?;
        let folder = tempfile::Builder::new().prefix("skill-check-").tempdir();
        let folder = folder.on("create a folder in", &std::env::temp_dir())?;
        let at = folder.path().canonicalize().on("find", folder.path())?;
        let (package, own) = (at.join("package"), at.join("tmp"));
        write_tree(&package, job.package)?;
        fs::create_dir(&own).on("create", &own)?;
        let globs = job.check.outputs.iter().chain(&job.check.writes);
        let mut writable = Writable::prepare(&root, globs)?;
        writable.paths.push(own.clone());
        let passed: Vec<(String, String)> = passed(&job.check.env_pass).collect();
        let secrets =
            passed.iter().filter(|(name, value)| is_secret(name, value)).map(|(_, value)| value.clone()).collect();
        let surroundings = Surroundings {
            home: user_folder(),
            keys: keys(job.home),
            records: RECORDS.iter().map(|name| root.join(name)).collect(),
            given: given(&root, &package, job.document.as_deref())?,
            write: writable.paths.clone(),
            env: passed.clone(),
            sockets: std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from).into_iter().collect(),
            any_network: job.check.network == skills::check::Network::Any,
        };
        let orders = Orders {
            argv: program(argv, &package),
            cwd: if job.check.cwd == Cwd::Package { package.clone() } else { root },
            env: variables(job, passed, &own, &package),
            network: job.check.network,
            timeout: Duration::from_secs(job.check.timeout_seconds),
            reach: surroundings.reach(),
            limits: Limits::default(),
            required: job.check.sandbox_required,
        };
        Ok(Self { orders, writable, secrets, _folder: folder })
    }
}

/// Where this program keeps what is secret, and where the programs of this user's session have their sockets.
fn keys(home: Option<&Home>) -> Vec<PathBuf> {
    let ours = home.map(|home| vec![home.config.clone(), home.cache.clone(), home.state.clone()]).unwrap_or_default();
    let session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    ours.into_iter().chain(session).collect()
}

/// The variables that are handed on, where they are set.
fn passed(names: &[String]) -> impl Iterator<Item = (String, String)> {
    let ours = |name: &&String| !name.to_ascii_uppercase().starts_with(OURS);
    names.iter().filter(ours).filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)))
}

/// `./x` is a file of the package; anything else is looked up by its name.
fn program(argv: &[String], package: &Path) -> Vec<String> {
    let mut argv = argv.to_vec();
    if let Some(own) = argv[0].strip_prefix("./") {
        argv[0] = package.join(own).display().to_string();
    }
    argv
}

/// What it may read besides the system: the repository with Git's folders, its package, its brief.
fn given(root: &Path, package: &Path, document: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
    let mut given = vec![root.to_owned(), package.to_owned()];
    if let Some(repository) = Repository::around(root)? {
        given.push(repository.top().to_owned());
        given.extend(repository.folders()?);
    }
    given.extend(document.map(Path::to_owned));
    Ok(given)
}

fn variables(job: &Job<'_>, passed: Vec<(String, String)>, own: &Path, package: &Path) -> Vec<(String, String)> {
    let mut all = passed;
    all.extend(job.check.env_set.iter().cloned());
    all.push(("TMPDIR".to_owned(), own.display().to_string()));
    all.push(("SKILL_CHECK_PACKAGE".to_owned(), package.display().to_string()));
    let document = job.document.as_ref().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()));
    all.extend(document.map(|path| ("SKILL_BRIEF_JSON".to_owned(), path.display().to_string())));
    all
}
