//! The facts for `skill stats`: briefs, evidence, Git's history, the diary.
//!
//! What cannot be read is said and passed over: a measure over what is left beats none. Signatures of
//! evidence are not checked here, since nothing is decided by these numbers; `skill verify` checks them.
//! Those of evals have to hold: a release may be judged by what they say.

use std::collections::BTreeSet;

use skills::evidence::{self, Outcome, Statement};

use crate::briefs;
use crate::context::Context;
use crate::diary::{self, Event};
use crate::evals::{Summary, kept};
use crate::failure::{Failure, OnPath};
use crate::git::Repository;
use crate::project::{Project, Regular, read_regular};
use crate::stats::{Approval, Brief, Commit, Ended, Facts, Run};

/// Most commits looked at: some years of a busy repository.
const COMMITS_MAX: &str = "--max-count=20000";

/// The facts, and what has to be said about them.
pub(super) struct Gathered {
    pub(super) facts: Facts,
    pub(super) notes: Vec<String>,
}

/// Reads everything.
pub(super) fn gather(project: &Project, context: &Context) -> Result<Gathered, Failure> {
    let mut notes = Vec::new();
    let repository = Repository::around(&project.root)?;
    let commits = match &repository {
        Some(repository) => commits(project, repository)?,
        None => {
            notes.push("there is no Git history: rework and times are not measured".to_owned());
            Vec::new()
        }
    };
    let (shelved, unread) = briefs::all(project)?;
    notes.extend(unread.into_iter().map(|failure| failure.message));
    let mut facts = Facts { commits, ..Facts::default() };
    for brief in shelved {
        let first = [briefs::BRIEFS_PATH, briefs::CLOSED_PATH]
            .map(|folder| first_commit(&facts.commits, &briefs::paths(folder, &brief.id)[1]));
        let rendered = first.into_iter().flatten().min();
        facts.escalations.extend(briefs::escalations(project, &brief.id)?.iter().map(|one| one.at.unix_seconds()));
        let brief = Brief { document: brief.document, rendered };
        evidence_of(project, repository.as_ref(), &brief, &mut facts, &mut notes)?;
        facts.briefs.push(brief);
    }
    facts.evals = evals(project, context, &mut notes)?;
    for entry in diary::read(project)? {
        let at = u64::try_from(entry.at.as_second()).unwrap_or(0);
        match entry.event {
            Event::Verified { stale, .. } => facts.verified.push((at, stale)),
            Event::Overridden { command, flag } => facts.overridden.push((at, format!("{command} {flag}"))),
            // The record beside the brief is the one that counts.
            Event::Escalated { .. } => {}
        }
    }
    Ok(Gathered { facts, notes })
}

/// The records of evals whose signature holds; of the others only how many there are.
fn evals(project: &Project, context: &Context, notes: &mut Vec<String>) -> Result<Vec<Summary>, Failure> {
    let (summaries, left_out) = kept::all(project, context)?;
    let (unsigned, unread): (Vec<_>, Vec<_>) =
        left_out.into_iter().partition(|failure| failure.code == "eval-signature");
    notes.extend(unread.into_iter().map(|failure| failure.message));
    if !unsigned.is_empty() {
        let count = unsigned.len();
        notes.push(format!("records of evals left out, since no known key signed them as they are: {count}"));
    }
    Ok(summaries)
}

fn evidence_of(
    project: &Project,
    repository: Option<&Repository>,
    brief: &Brief,
    facts: &mut Facts,
    notes: &mut Vec<String>,
) -> Result<(), Failure> {
    let id = &brief.document.id;
    let path = project.root.join(format!(".skill/evidence/{id}.intoto.jsonl"));
    let Regular::Bytes(bytes) = read_regular(&path, evidence::line::EVIDENCE_BYTES_MAX).on("read", &path)? else {
        return Ok(());
    };
    for line in evidence::read(&bytes)? {
        match line.content {
            Err(refusal) => notes.push(format!("`{}` line {}: {}", path.display(), line.number, refusal.message)),
            Ok(signed) => match signed.statement {
                Statement::Run(run) => facts.runs.push(run_of(repository, brief, &run, &facts.commits)?),
                Statement::Approval(approval) => facts.approvals.push(Approval {
                    brief: id.clone(),
                    task: approval.task.clone(),
                    decided: approval.decided.unix_seconds(),
                }),
            },
        }
    }
    Ok(())
}

fn run_of(
    repository: Option<&Repository>,
    brief: &Brief,
    run: &evidence::Run,
    commits: &[Commit],
) -> Result<Run, Failure> {
    let started = run.started_on.unix_seconds();
    let deliverables_exist = match (repository, &run.tree) {
        (Some(repository), Some(tree)) => match files_of(repository, tree.as_str())? {
            Some(files) => brief.document.deliverables.iter().all(|one| files.contains(&one.path)),
            None => were_committed(brief, commits, started),
        },
        _ => were_committed(brief, commits, started),
    };
    Ok(Run {
        brief: brief.document.id.clone(),
        check: run.check.name.to_string(),
        started,
        ended_at: started + run.duration_ms / 1000,
        ended: match run.outcome {
            Outcome::Passed => Ended::Passed,
            Outcome::Failed(_) => Ended::Failed,
            Outcome::Error(_) => Ended::Error,
        },
        deliverables_exist,
    })
}

/// The files of the very tree that the check saw, as long as Git still has it.
fn files_of(repository: &Repository, tree: &str) -> Result<Option<BTreeSet<String>>, Failure> {
    let listed = repository.ask(["ls-tree", "-r", "-z", "--name-only", tree])?;
    Ok(listed.map(|bytes| words(&bytes, 0).collect()))
}

/// In a fresh clone the tree is gone; then commits say when the deliverables came.
fn were_committed(brief: &Brief, commits: &[Commit], started: u64) -> bool {
    let there = |path: &str| first_commit(commits, path).is_some_and(|at| at <= started);
    brief.document.deliverables.iter().all(|one| there(&one.path))
}

fn first_commit(commits: &[Commit], path: &str) -> Option<u64> {
    commits.iter().filter(|commit| commit.paths.iter().any(|one| one == path)).map(|commit| commit.at).min()
}

fn words(bytes: &[u8], separator: u8) -> impl Iterator<Item = String> {
    let words = bytes.split(move |byte| *byte == separator).map(|word| String::from_utf8_lossy(word).trim().to_owned());
    words.filter(|word| !word.is_empty())
}

/// Every commit with the files that it touches, relative to the project.
fn commits(project: &Project, repository: &Repository) -> Result<Vec<Commit>, Failure> {
    let format = "--format=%x01%ct%x02%s%x02%b%x03";
    let Some(log) = repository.ask(["log", "-z", "--no-renames", "--name-only", COMMITS_MAX, format])? else {
        return Ok(Vec::new());
    };
    let root = project.root.canonicalize().unwrap_or_else(|_| project.root.clone());
    let inside = root.strip_prefix(repository.top()).ok().map(|path| path.to_string_lossy().replace('\\', "/"));
    let prefix = inside.filter(|path| !path.is_empty()).map(|path| format!("{path}/")).unwrap_or_default();
    Ok(log.split(|byte| *byte == 1).filter_map(|chunk| commit(chunk, &prefix)).collect())
}

fn commit(chunk: &[u8], prefix: &str) -> Option<Commit> {
    let end = chunk.iter().position(|byte| *byte == 3)?;
    let head = String::from_utf8_lossy(&chunk[..end]);
    let mut fields = head.splitn(3, '\u{2}');
    let (at, subject, body) = (fields.next()?.parse().ok()?, fields.next()?, fields.next()?);
    let paths = words(&chunk[end + 1..], 0).filter_map(|path| path.strip_prefix(prefix).map(str::to_owned)).collect();
    let is_revert = subject.starts_with("Revert \"") || body.contains("This reverts commit ");
    Some(Commit { at, is_revert, paths })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_a_commit_with_its_files() {
        let one = commit(b"1700000000\x02Revert \"x\"\x02This reverts commit abc.\n\x03\0\na b.sql\0sub/c.md\0", "")
            .expect("a commit");
        assert_eq!((one.at, one.is_revert), (1_700_000_000, true));
        assert_eq!(one.paths, ["a b.sql", "sub/c.md"]);
        let one = commit(b"5\x02add\x02\x03\0\nsub/c.md\0d", "sub/").expect("a commit");
        assert_eq!((one.is_revert, one.paths), (false, vec!["c.md".to_owned()]));
        assert!(commit(b"", "").is_none());
    }
}
