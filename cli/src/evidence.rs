//! The evidence files of a repository, read within bounds; `runner::keep` appends to them.
//!
//! ```text
//! .skill/evidence/ID.intoto.jsonl        runs for the brief ID, and decisions about it
//! .skill/evidence/checks.intoto.jsonl    runs for no brief
//! ```
//!
//! They are committed, so a branch may bring anything in their place: no link is followed, and what is
//! read is believed only after [`skills::evidence::judge`]. A brief that is called `checks` shares its
//! file with the runs for no brief; each line says what it is for.

use skills::SkillName;
use skills::evidence::line::EVIDENCE_BYTES_MAX;
use skills::evidence::{self, Line};

use crate::failure::{Failure, OnPath};
use crate::project::{Project, Regular, read_regular};

/// Where evidence lies.
pub const EVIDENCE_PATH: &str = ".skill/evidence";

/// The file of a brief, or of the runs for none, relative to the project.
pub fn path(brief: Option<&SkillName>) -> String {
    format!("{EVIDENCE_PATH}/{}.intoto.jsonl", brief.map_or("checks", SkillName::as_str))
}

/// Whether a file of that folder has the name of evidence: `ID.intoto.jsonl`, or `ID.trace.jsonl` of the calls
/// that an agent made. No check can read such a file, and so no proof depends on one.
pub fn is_record(name: &str) -> bool {
    let id = [".intoto.jsonl", ".trace.jsonl"].iter().find_map(|form| name.strip_suffix(form));
    id.is_some_and(|id| SkillName::parse(id).is_ok())
}

/// The lines of a file; a file that is not there has none.
pub fn read(project: &Project, brief: Option<&SkillName>) -> Result<Vec<Line>, Failure> {
    let path = path(brief);
    evidence::read(&bytes(project, &path)?).map_err(|refusal| Failure::from(refusal).at(path))
}

fn bytes(project: &Project, path: &str) -> Result<Vec<u8>, Failure> {
    let place = project.root.join(path);
    refuse_links(project)?;
    match read_regular(&place, EVIDENCE_BYTES_MAX).on("read", &place)? {
        Regular::Absent => Ok(Vec::new()),
        Regular::Bytes(bytes) => Ok(bytes),
        Regular::NotAFile => Err(Failure::usage("not-a-file", format!("`{path}` is not a regular file"))
            .hint("a link or a device is never read in its place")),
        Regular::TooLarge => {
            let seen = format!("`{path}` has more than {EVIDENCE_BYTES_MAX} bytes, which is more than is read");
            Err(Failure::usage("evidence-too-large", seen)
                .hint("keep the newest run of each check and the decisions; the rest is in the history"))
        }
    }
}

/// The folders on the way, which a branch could bring as links that lead elsewhere.
fn refuse_links(project: &Project) -> Result<(), Failure> {
    for folder in [".skill", EVIDENCE_PATH] {
        let path = project.root.join(folder);
        if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
            return Err(Failure::usage("not-a-folder", format!("`{folder}` is not a folder")));
        }
    }
    Ok(())
}
