//! The local diary: what happened here and leaves no trace in any other file.
//!
//! That a verification ended stale, that somebody overrode a refusal: `skill stats` counts both, and
//! no file that is committed says so. The diary is local (`.skill/state/` is ignored by Git), names
//! no person, and is never sent. It is written on the side: a line that cannot be written is lost,
//! and the command goes on as if nothing had been.
//!
//! ```text
//! {"at":"2026-11-22T09:30:00Z","event":"verified","brief":"ops-412-orders","stale":true}
//! {"at":"2026-11-22T09:31:10Z","event":"overridden","command":"install","flag":"--force"}
//! ```

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, OnPath};
use crate::project::{Project, Regular, read_regular};

/// Most bytes kept: some 10,000 lines. A diary that is full loses its older half.
const DIARY_BYTES_MAX: usize = 1024 * 1024;

/// Longest name in an entry, in characters: names come from the command line.
const NAME_CHARS_MAX: usize = 120;

/// What is worth a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The evidence of a brief, or of the checks outside any, was verified.
    Verified {
        /// The brief; none for checks outside any.
        brief: Option<String>,
        /// Whether it ended stale.
        stale: bool,
    },
    /// A refusal was overridden.
    Overridden {
        /// The command: `install`.
        command: String,
        /// The flag: `--force`, `--accept-quarantined`.
        flag: String,
    },
    /// Somebody was asked, as the brief demands.
    Escalated {
        /// Which brief.
        brief: String,
    },
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, to the second.
    #[serde(with = "instant")]
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Notes what happened now; whether that worked is nobody's business.
pub fn note(project: &Project, event: Event) {
    let _ = append(project, &Entry { at: now(), event: event.shortened() });
}

/// Notes that a flag overrode a refusal, if it did.
pub fn note_override(project: &Project, is_used: bool, command: &str, flag: &str) {
    if is_used {
        note(project, Event::Overridden { command: command.to_owned(), flag: flag.to_owned() });
    }
}

/// Everything noted, oldest first. Lines that cannot be read are passed over: a newer version of
/// this program may have written them.
pub fn read(project: &Project) -> Result<Vec<Entry>, Failure> {
    let path = path(project);
    let Regular::Bytes(bytes) = read_regular(&path, 2 * DIARY_BYTES_MAX).on("read", &path)? else {
        return Ok(Vec::new());
    };
    Ok(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

impl Event {
    fn shortened(self) -> Self {
        let short = |text: String| text.chars().take(NAME_CHARS_MAX).collect();
        match self {
            Self::Verified { brief, stale } => Self::Verified { brief: brief.map(short), stale },
            Self::Overridden { command, flag } => Self::Overridden { command: short(command), flag: short(flag) },
            Self::Escalated { brief } => Self::Escalated { brief: short(brief) },
        }
    }
}

fn path(project: &Project) -> PathBuf {
    project.state_path().join("diary.jsonl")
}

/// The time as entries have it.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn append(project: &Project, entry: &Entry) -> Result<(), Failure> {
    project.start_state()?;
    let path = path(project);
    let kept = match read_regular(&path, DIARY_BYTES_MAX).on("read", &path)? {
        // A link or a device in its place is not ours to write into.
        Regular::NotAFile => return Ok(()),
        Regular::TooLarge => shortened(&path)?,
        Regular::Absent | Regular::Bytes(_) => None,
    };
    if let Some(kept) = kept {
        std::fs::write(&path, kept).on("write", &path)?;
    }
    let mut line = serde_json::to_vec(entry).expect("an entry is strings, which always serialise");
    line.push(b'\n');
    // One write, so that two processes do not mix their lines.
    let mut file = OpenOptions::new().create(true).append(true).open(&path).on("open", &path)?;
    file.write_all(&line).on("write", &path)
}

/// The newer half of a diary that is full, from the start of a line.
fn shortened(path: &std::path::Path) -> Result<Option<Vec<u8>>, Failure> {
    let Regular::Bytes(bytes) = read_regular(path, 2 * DIARY_BYTES_MAX).on("read", path)? else {
        // Somebody else's megabytes: start anew.
        return Ok(Some(Vec::new()));
    };
    let rest = &bytes[bytes.len() - DIARY_BYTES_MAX / 2..];
    let start = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    Ok(Some(rest[start..].to_vec()))
}

/// An instant as RFC 3339 text.
mod instant {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stale(brief: &str) -> Event {
        Event::Verified { brief: Some(brief.to_owned()), stale: true }
    }

    #[test]
    fn what_is_noted_is_read_back_in_order_and_git_ignores_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::at(folder.path());
        assert_eq!(read(&project).expect("nothing yet"), []);
        note(&project, stale("one"));
        note_override(&project, true, "install", "--force");
        note_override(&project, false, "install", "--force");
        let events: Vec<Event> = read(&project).expect("read").into_iter().map(|entry| entry.event).collect();
        let forced = Event::Overridden { command: "install".to_owned(), flag: "--force".to_owned() };
        assert_eq!(events, [stale("one"), forced]);
        assert_eq!(std::fs::read_to_string(folder.path().join(".skill/.gitignore")).expect("it is there"), "state/\n");
    }

    #[test]
    fn a_line_of_another_version_is_passed_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::at(folder.path());
        note(&project, stale("one"));
        let path = path(&project);
        let mut text = std::fs::read_to_string(&path).expect("a diary");
        text.push_str("{\"at\":\"2026-11-22T09:30:00Z\",\"event\":\"flew\"}\nhalf a li");
        std::fs::write(&path, text).expect("written");
        assert_eq!(read(&project).expect("read").len(), 1);
    }

    #[test]
    fn a_diary_never_grows_without_end_and_keeps_what_is_new() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::at(folder.path());
        note(&project, stale("first"));
        let line = std::fs::read(path(&project)).expect("a line");
        std::fs::write(path(&project), line.repeat(DIARY_BYTES_MAX / line.len() + 2)).expect("written");
        note(&project, stale("last"));
        let entries = read(&project).expect("read");
        assert_eq!(entries.last().map(|entry| &entry.event), Some(&stale("last")));
        assert!(std::fs::metadata(path(&project)).expect("there").len() < DIARY_BYTES_MAX as u64);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_not_written_through() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = Project::at(folder.path());
        project.start_state().expect("started");
        std::fs::write(folder.path().join("mine"), "mine").expect("written");
        std::os::unix::fs::symlink(folder.path().join("mine"), path(&project)).expect("linked");
        note(&project, stale("one"));
        assert_eq!(std::fs::read_to_string(folder.path().join("mine")).expect("there"), "mine");
    }
}
