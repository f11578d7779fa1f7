//! The briefs that are open here, and the checks that they pin.

use std::fs;
use std::path::{Path, PathBuf};

use skills::SkillName;
use skills::brief::Document;
use skills::brief::document::{DOCUMENT_BYTES_MAX, PinnedCheck};
use skills::evidence::BriefRef;

use crate::failure::{Failure, OnPath};
use crate::project::{Regular, read_regular};

/// Where rendered briefs lie; closed ones lie deeper.
const BRIEFS: &str = ".skill/briefs";

/// How a document's name ends.
const ENDING: &str = ".brief.json";

/// A brief that is open here.
pub(super) struct Open {
    pub(super) path: PathBuf,
    pub(super) document: Document,
}

impl Open {
    /// How evidence names it.
    pub(super) fn reference(&self) -> Result<BriefRef, Failure> {
        Ok(BriefRef { id: SkillName::parse(&self.document.id)?, digest: self.document.digest() })
    }

    /// A check of it, by its id or by its package.
    pub(super) fn check(&self, text: &str) -> Option<&PinnedCheck> {
        let package = |check: &&PinnedCheck| check.uses.rsplit_once('@').is_some_and(|(name, _)| name == text);
        let checks = &self.document.checks;
        checks.iter().find(|check| check.id == text).or_else(|| checks.iter().find(package))
    }
}

/// Every open brief, sorted by id.
pub(super) fn all(root: &Path) -> Result<Vec<Open>, Failure> {
    let folder = root.join(BRIEFS);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.on("read", &folder)?,
    };
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names.iter().filter_map(|name| name.strip_suffix(ENDING)).map(|id| open(root, id)).collect()
}

/// The open brief of this id.
pub(super) fn open(root: &Path, id: &str) -> Result<Open, Failure> {
    let name = SkillName::parse(id)?;
    let path = root.join(BRIEFS).join(format!("{name}{ENDING}"));
    let bytes = match read_regular(&path, DOCUMENT_BYTES_MAX).on("read", &path)? {
        Regular::Bytes(bytes) => bytes,
        Regular::Absent => {
            let seen = format!("there is no open brief `{name}`");
            return Err(Failure::could_not("brief-missing", seen).hint("`skill check list` shows the open briefs"));
        }
        Regular::NotAFile | Regular::TooLarge => {
            let seen = format!("`{}` is not a regular file of at most {DOCUMENT_BYTES_MAX} bytes", path.display());
            return Err(Failure::usage("not-a-file", seen));
        }
    };
    let document = Document::parse(&bytes).map_err(|refusal| Failure::from(refusal).at(path.display()))?;
    if document.id != name.as_str() {
        let seen = format!("`{}` calls itself `{}`", path.display(), document.id.escape_debug());
        return Err(Failure::usage("brief-malformed", seen));
    }
    Ok(Open { path, document })
}
