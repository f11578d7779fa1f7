//! The summaries that are kept: where they lie, and whose signature makes them count.
//!
//! Anybody can put a file there. One counts when a key that this repository or the person who asks
//! knows signed it; then it is still of the package and the version that it says, not of its name.

use std::path::{Path, PathBuf};

use skills::dsse::EnvelopeJson;
use skills::key::PublicKey;
use skills::{PackageName, Version};

use super::{SUMMARY, Summary};
use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::keys::KeyFolder;
use crate::project::{Project, read_text};
use crate::trust::Trust;

/// Largest benchmark or summary read, in bytes.
pub const FILE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the signature is over, so that it can never stand for a signature over something else.
pub const PAYLOAD_TYPE: &str = "application/vnd.skill-eval-summary.v1+json";

/// Where the folders of packages are.
const EVALS_PATH: &str = ".skill/evals";

/// Most entries of one folder looked at.
const ENTRIES_MAX: usize = 10_000;

/// Where the summary of a version is kept.
pub fn path(package: &PackageName, version: &Version) -> String {
    format!("{EVALS_PATH}/{}.{}/{version}.json", package.scope(), package.name())
}

/// The keys that this repository trusts with evidence, and those of the person who asks.
pub fn known_keys(project: &Project, context: &Context) -> Result<Vec<PublicKey>, Failure> {
    let mut keys: Vec<PublicKey> = Trust::read(project)?.policy.signers().iter().map(|signer| signer.key).collect();
    if let Ok(home) = context.home() {
        keys.extend(KeyFolder::of(home).list()?.into_iter().filter_map(|key| key.public));
    }
    Ok(keys)
}

/// The summary that `SCOPE/NAME@VERSION` or a path names.
pub fn read(project: &Project, name: &str, keys: &[PublicKey]) -> Result<Summary, Failure> {
    let file = match name.split_once('@').filter(|_| !name.starts_with(['.', '/'])) {
        Some((package, version)) => project.root.join(path(&PackageName::parse(package)?, &Version::parse(version)?)),
        None => Path::new(name).to_owned(),
    };
    read_file(&file, keys)
}

/// All summaries of the repository, and why each other file there is none.
pub fn all(project: &Project, context: &Context) -> Result<(Vec<Summary>, Vec<Failure>), Failure> {
    let mut files = Vec::new();
    for folder in entries(&project.root.join(EVALS_PATH))? {
        files.extend(entries(&folder)?.into_iter().filter(|file| file.extension().is_some_and(|ext| ext == "json")));
    }
    if files.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let keys = known_keys(project, context)?;
    let (mut summaries, mut left_out) = (Vec::new(), Vec::new());
    for file in files {
        match read_file(&file, &keys).and_then(|summary| refuse_misplaced(project, &file, summary)) {
            Ok(summary) => summaries.push(summary),
            Err(failure) => left_out.push(failure),
        }
    }
    Ok((summaries, left_out))
}

/// A copy under the name of another version would count twice.
fn refuse_misplaced(project: &Project, file: &Path, summary: Summary) -> Result<Summary, Failure> {
    if project.root.join(path(&summary.package, &summary.version)) == file {
        return Ok(summary);
    }
    let seen = format!("`{}` is of {} {}", file.display(), summary.package, summary.version);
    Err(Failure::usage("eval-malformed", seen))
}

/// What is in a folder, by name; nothing where it is a link or not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !std::fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir()) {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).on("list", folder)?.take(ENTRIES_MAX);
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_unstable();
    Ok(paths)
}

fn read_file(file: &Path, keys: &[PublicKey]) -> Result<Summary, Failure> {
    let text = read_text(file, FILE_BYTES_MAX)?;
    if text.is_empty() {
        return Err(Failure::could_not("eval-missing", format!("there is no `{}`", file.display()))
            .hint("`skill eval record` keeps a summary of a version"));
    }
    let wrong = |why: String| Failure::usage("eval-malformed", format!("`{}`: {why}", file.display()));
    let envelope: EnvelopeJson = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let envelope = envelope.decode().map_err(|refusal| Failure::from(refusal).at(file.display()))?;
    if envelope.payload_type != PAYLOAD_TYPE || envelope.signers(keys).is_empty() {
        let seen = format!("`{}` was not signed by a key that is known here, or was changed since", file.display());
        return Err(Failure::new(Exit::Failed, "eval-signature", seen)
            .hint("a `[[signer]]` in .skill/trust.toml makes a key known"));
    }
    let summary: Summary = serde_json::from_slice(&envelope.payload).map_err(|error| wrong(error.to_string()))?;
    if summary.schema != SUMMARY {
        return Err(wrong("it is of a schema that this program does not read".to_owned()));
    }
    Ok(summary)
}
