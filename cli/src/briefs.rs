//! The rendered briefs of a repository: what is open, what is closed and how it ended.
//!
//! ```text
//! .skill/briefs/ID.brief.md               the text that an agent works by
//! .skill/briefs/ID.brief.json             the document that programs read
//! .skill/briefs/ID.escalations.jsonl      when somebody stopped and asked
//! .skill/briefs/closed/ID.…               the same, once the work is over
//! .skill/briefs/closed/ID.outcome.json    how it ended
//! ```
//!
//! All of it is committed, so all of it may be a stranger's: nothing here follows a link, and every
//! document is parsed strictly and named like its file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use skills::brief::Document;
use skills::brief::document::DOCUMENT_BYTES_MAX;
use skills::brief::template::OUTPUT_BYTES_MAX;
use skills::evidence::Moment;
use skills::{Sha256, SkillName};

use crate::failure::{Failure, OnPath};
use crate::git::Repository;
use crate::project::{Project, read_text};

/// Where open briefs lie.
pub const BRIEFS_PATH: &str = ".skill/briefs";

/// Where closed ones lie.
pub const CLOSED_PATH: &str = ".skill/briefs/closed";

/// Largest file of escalations read, in bytes: five hundred of the longest notes.
const ESCALATIONS_BYTES_MAX: usize = 1024 * 1024;

/// Longest note, in characters: a page.
pub const NOTE_CHARS_MAX: usize = 2000;

/// Most briefs listed; a folder with more is not read to its end.
const BRIEFS_MAX: usize = 10_000;

/// Most briefs of one family that are looked for; rendering makes no more.
const FAMILY_MAX: usize = 32;

/// Largest text read: what rendering gives at most, and room for a person's edits.
const MARKDOWN_BYTES_MAX: usize = 2 * OUTPUT_BYTES_MAX;

/// A rendered brief on the disk.
#[derive(Debug, Clone)]
pub struct Shelved {
    /// What the files are called.
    pub id: SkillName,
    /// The document.
    pub document: Document,
    /// How it ended; none while it is open.
    pub outcome: Option<Closed>,
}

/// How a brief ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The work is part of the base branch.
    Merged,
    /// Nobody goes on with it.
    Abandoned,
    /// Another brief takes its place.
    Superseded,
}

impl Outcome {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::Abandoned => "abandoned",
            Self::Superseded => "superseded",
        }
    }
}

/// `ID.outcome.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Always 1.
    pub v: u32,
    /// The brief.
    pub id: SkillName,
    /// Digest of its document, as it was closed.
    pub brief: Sha256,
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub closed: Moment,
}

/// One line of `ID.escalations.jsonl`: somebody stopped and asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalated {
    /// When.
    pub at: Moment,
    /// Digest of the brief's document then.
    pub brief: Sha256,
    /// What was asked, in a person's or an agent's words.
    pub note: String,
}

/// The files of a brief, relative to the project: text, document, escalations.
pub fn paths(folder: &str, id: &SkillName) -> [String; 3] {
    ["brief.md", "brief.json", "escalations.jsonl"].map(|end| format!("{folder}/{id}.{end}"))
}

/// The path of the outcome of a closed brief, relative to the project.
pub fn outcome_path(id: &SkillName) -> String {
    format!("{CLOSED_PATH}/{id}.outcome.json")
}

/// The brief of that id, open or closed.
pub fn find(project: &Project, id: &str) -> Result<Shelved, Failure> {
    let missing = || {
        let seen = format!("no brief `{}` in `{BRIEFS_PATH}`", id.escape_debug());
        Failure::could_not("brief-missing", seen).hint("`skill brief list` shows them; `skill brief render` makes one")
    };
    let name = SkillName::parse(id).map_err(|_| missing())?;
    refuse_links(project)?;
    for folder in [BRIEFS_PATH, CLOSED_PATH] {
        if let Some(document) = document(project, folder, &name)? {
            let outcome = if folder == CLOSED_PATH { outcome(project, &name)? } else { None };
            return Ok(Shelved { id: name, document, outcome });
        }
    }
    Err(missing())
}

/// The brief of that id, refused if it is closed.
pub fn find_open(project: &Project, id: &str) -> Result<Shelved, Failure> {
    let brief = find(project, id)?;
    match &brief.outcome {
        None => Ok(brief),
        Some(closed) => Err(is_closed(closed)),
    }
}

/// The refusal of whoever wants to go on with a closed brief.
pub fn is_closed(closed: &Closed) -> Failure {
    let seen = format!("brief `{}` was closed on {} as {}", closed.id, closed.closed, closed.outcome.as_str());
    Failure::could_not("brief-closed", seen).hint("render a new one under another `--id`")
}

/// All briefs, the open ones first, each list by id; and what could not be read, with the reason.
pub fn all(project: &Project) -> Result<(Vec<Shelved>, Vec<Failure>), Failure> {
    refuse_links(project)?;
    let (mut briefs, mut unread) = (Vec::new(), Vec::new());
    for folder in [BRIEFS_PATH, CLOSED_PATH] {
        let (ids, misnamed) = ids(project, folder)?;
        unread.extend(misnamed);
        for id in ids {
            match find_in(project, folder, &id) {
                Ok(brief) => briefs.push(brief),
                Err(failure) => unread.push(failure),
            }
        }
    }
    Ok((briefs, unread))
}

/// A document and those of the briefs of its tasks, as far as they are there.
pub fn family(project: &Project, document: &Document) -> Vec<Document> {
    let mut all = vec![document.clone()];
    let mut at = 0;
    while let Some(one) = all.get(at).filter(|_| all.len() <= FAMILY_MAX) {
        let children = one.briefs.iter().filter_map(|child| find(project, &child.id).ok());
        let children: Vec<Document> = children.map(|child| child.document).collect();
        all.extend(children);
        at += 1;
    }
    all
}

/// The text of a brief as it is on the disk; somebody may have edited it.
pub fn markdown(project: &Project, brief: &Shelved) -> Result<String, Failure> {
    let folder = if brief.outcome.is_some() { CLOSED_PATH } else { BRIEFS_PATH };
    let [path, ..] = paths(folder, &brief.id);
    let text = read_text(&project.root.join(&path), MARKDOWN_BYTES_MAX)?;
    if text.is_empty() {
        return Err(Failure::could_not("file-missing", format!("there is no text in `{path}`")));
    }
    Ok(text)
}

/// When somebody stopped and asked, oldest first, of an open or a closed brief.
pub fn escalations(project: &Project, id: &SkillName) -> Result<Vec<Escalated>, Failure> {
    refuse_links(project)?;
    let mut all = Vec::new();
    for folder in [CLOSED_PATH, BRIEFS_PATH] {
        let [.., path] = paths(folder, id);
        let text = read_text(&project.root.join(&path), ESCALATIONS_BYTES_MAX)?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let read = serde_json::from_str(line);
            all.push(read.map_err(|error| {
                let seen = format!("`{path}` line {} is not an escalation: {error}", number + 1);
                Failure::usage("escalations-malformed", seen)
            })?);
        }
    }
    Ok(all)
}

/// The folders themselves, which a branch could bring as links that lead elsewhere.
fn refuse_links(project: &Project) -> Result<(), Failure> {
    for folder in [".skill", BRIEFS_PATH, CLOSED_PATH] {
        let path = project.root.join(folder);
        if std::fs::symlink_metadata(&path).is_ok_and(|metadata| !metadata.is_dir()) {
            return Err(Failure::usage("not-a-folder", format!("`{}` is not a folder", path.display())));
        }
    }
    Ok(())
}

/// The ids in a folder, and a refusal of each file that is called like a brief's and cannot be one: what is
/// renamed must not be gone without a word.
fn ids(project: &Project, folder: &str) -> Result<(Vec<SkillName>, Vec<Failure>), Failure> {
    let path = project.root.join(folder);
    let entries = match std::fs::read_dir(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Default::default()),
        entries => entries.on("list", &path)?,
    };
    let (mut ids, mut refused) = (Vec::new(), Vec::new());
    for (number, entry) in entries.enumerate() {
        if number >= 4 * BRIEFS_MAX {
            refused.push(Failure::usage("too-many-files", format!("`{folder}` has more files than are read")));
            break;
        }
        let name = entry.on("list", &path)?.file_name().to_string_lossy().into_owned();
        let Some(stem) = name.to_ascii_lowercase().strip_suffix(".brief.json").map(|stem| &name[..stem.len()]) else {
            continue;
        };
        match SkillName::parse(stem) {
            Ok(id) if name.ends_with(".brief.json") => ids.push(id),
            _ => {
                let seen = format!("`{folder}/{}` is not called like a brief", name.escape_debug());
                refused.push(Failure::usage("brief-misnamed", seen).hint("give it its name back, or take it away"));
            }
        }
    }
    ids.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    Ok((ids, refused))
}

/// The ids of the briefs that are open at a revision.
pub fn open_at(project: &Project, revision: &str) -> Result<Vec<SkillName>, Failure> {
    let Some(repository) = Repository::around(&project.root)? else { return Ok(Vec::new()) };
    let folder = format!("{}/", repository.inside(&project.root, BRIEFS_PATH));
    let files = repository.files(revision, &folder)?;
    let stems = files.iter().filter_map(|path| path.strip_prefix(&folder)?.strip_suffix(".brief.json"));
    Ok(stems.filter_map(|stem| SkillName::parse(stem).ok()).collect())
}

/// Why the brief of an id is neither open nor closed with a record of how it ended; none where it is.
pub fn lost(project: &Project, id: &SkillName) -> Option<String> {
    match find(project, id.as_str()) {
        Err(failure) => Some(failure.message),
        Ok(Shelved { document, outcome: Some(closed), .. }) if closed.brief != document.digest() => {
            Some(format!("`{}` is about another document", outcome_path(id)))
        }
        Ok(_) => None,
    }
}

fn find_in(project: &Project, folder: &str, id: &SkillName) -> Result<Shelved, Failure> {
    let missing = || Failure::could_not("brief-missing", format!("`{folder}/{id}.brief.json` is gone"));
    let document = document(project, folder, id)?.ok_or_else(missing)?;
    let outcome = if folder == CLOSED_PATH { outcome(project, id)? } else { None };
    Ok(Shelved { id: id.clone(), document, outcome })
}

fn document(project: &Project, folder: &str, id: &SkillName) -> Result<Option<Document>, Failure> {
    let [_, path, _] = paths(folder, id);
    let text = read_text(&project.root.join(&path), DOCUMENT_BYTES_MAX)?;
    if text.is_empty() {
        return Ok(None);
    }
    let document = Document::parse(text.as_bytes()).map_err(|refusal| Failure::from(refusal).at(&path))?;
    if document.id != id.as_str() {
        let seen = format!("`{path}` says that it is `{}`", document.id.escape_debug());
        return Err(Failure::usage("brief-misnamed", seen).hint("a brief is called like its file: restore it"));
    }
    Ok(Some(document))
}

/// The outcome of a brief in the folder of closed ones; a lost one counts as abandoned by somebody.
fn outcome(project: &Project, id: &SkillName) -> Result<Option<Closed>, Failure> {
    let path = outcome_path(id);
    let text = read_text(&project.root.join(&path), 4096)?;
    if text.is_empty() {
        return Err(Failure::could_not("file-missing", format!("there is no `{path}`, and the brief lies beside it"))
            .hint("restore it, or move the brief back to `.skill/briefs`"));
    }
    let closed: Closed = serde_json::from_str(&text)
        .map_err(|error| Failure::usage("outcome-malformed", format!("`{path}`: {error}")))?;
    if closed.id != *id {
        return Err(Failure::usage("brief-misnamed", format!("`{path}` says that it is of `{}`", closed.id)));
    }
    Ok(Some(closed))
}

/// The time, as files have it.
pub fn now() -> Moment {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // A clock before 1970 is wrong in any case.
    Moment::from_unix_seconds(seconds.map_or(0, |since| since.as_secs()))
}

/// `.skill/briefs` of a project, made sure that it is no link.
pub fn folder(root: &Path) -> Result<PathBuf, Failure> {
    refuse_links(&Project::at(root))?;
    Ok(root.join(BRIEFS_PATH))
}

/// One more escalation, as the whole new text of the file.
pub fn with_escalation(project: &Project, brief: &Shelved, note: &str) -> Result<(String, String), Failure> {
    let [.., path] = paths(BRIEFS_PATH, &brief.id);
    let mut text = read_text(&project.root.join(&path), ESCALATIONS_BYTES_MAX)?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let line = Escalated { at: now(), brief: brief.document.digest(), note: note.to_owned() };
    text.push_str(&serde_json::to_string(&line).expect("strings always serialise"));
    text.push('\n');
    Ok((path, text))
}
