//! The page that a human decides by: what changed, what was run, what it said, what is open.
//!
//! Gathered once and shown twice, as text and as HTML. The digests on it are those that a decision
//! binds: whoever signs says that this, and no other, was on the page.

use std::fmt::Write as _;

use skills::Sha256;
use skills::evidence::gate::{State, required_checks, required_files};
use skills::evidence::judge::{Counted, JudgedCheck};
use skills::evidence::{Moment, Outcome, Shown};

use super::{Standing, Workplace};
use crate::briefs::{self, Escalated};
use crate::failure::Failure;
use crate::git::{Changed, Repository};
use crate::shown;

/// What is compared with, where nobody says.
const BASES: [&str; 5] = ["origin/HEAD", "origin/main", "origin/master", "main", "master"];

/// Columns of the text.
const WIDTH: usize = 80;

/// Most changed files that are listed; the diff has them all.
const FILES_MAX: usize = 100;

/// Everything on the page.
#[derive(Debug)]
pub struct Page {
    /// The brief, judged.
    pub standing: Standing,
    /// The tree that is looked at.
    pub tree: Option<String>,
    /// What it is compared with, and how it differs; none where there is nothing to compare with.
    pub change: Option<Change>,
    /// When somebody stopped and asked.
    pub escalations: Vec<Escalated>,
    /// When the page was made.
    pub opened: Moment,
}

/// What is different from the base.
#[derive(Debug)]
pub struct Change {
    /// What the person called it.
    pub base: String,
    /// The commit where the two parted.
    pub commit: String,
    /// The files.
    pub files: Vec<Changed>,
    /// The digest of the patch.
    pub digest: Sha256,
}

impl Page {
    /// Gathers the page.
    pub fn of(place: &Workplace, standing: Standing, base: Option<&str>) -> Result<Self, Failure> {
        Ok(Self {
            tree: place.tree.as_ref().map(ToString::to_string),
            change: change(place, base)?,
            escalations: briefs::escalations(&place.project, &standing.brief.id)?,
            opened: briefs::now(),
            standing,
        })
    }

    /// What a decision about this gate binds: the diff, the artifacts and the proofs before it.
    pub fn shown(&self, task: &str) -> Vec<Shown> {
        let document = &self.standing.brief.document;
        let diff = self.change.iter().map(|change| Shown { name: "diff".to_owned(), digest: change.digest });
        let files = required_files(document, task).into_iter().filter_map(|path| {
            let digest = self.standing.files.get(path)?;
            Some(Shown { name: format!("artifact:{path}"), digest: *digest })
        });
        let proofs = required_checks(document, task).into_iter().filter_map(|id| {
            let run = self.check(id)?.run.as_ref()?;
            Some(Shown { name: format!("evidence:{id}"), digest: run.digest })
        });
        diff.chain(files).chain(proofs).collect()
    }

    /// The verdict on a check.
    pub fn check(&self, id: &str) -> Option<&JudgedCheck> {
        self.standing.judged.checks.iter().find(|check| check.id == id)
    }

    /// What somebody can do now, a line each.
    pub fn next(&self) -> Vec<String> {
        let brief = &self.standing.brief;
        let next = self.standing.tasks.iter().filter_map(|task| {
            let find = brief.document.tasks.iter().find(|one| one.id == task.id)?;
            match task.state {
                State::Done | State::Blocked => None,
                State::WaitingForHuman => Some(format!("skill approve {} {}", brief.id, task.id)),
                State::Ready if find.checks.is_empty() => Some(format!("{}: {}", task.id, task.why)),
                State::Ready => {
                    let open =
                        find.checks.iter().filter(|id| self.check(id).is_none_or(|one| !one.verdict.is_proved()));
                    let lines: Vec<String> =
                        open.map(|id| format!("skill check run {id} --brief {}", brief.id)).collect();
                    Some(lines.join("\n"))
                }
            }
        });
        next.collect()
    }

    /// The page as text of 80 columns.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.head(&mut text);
        self.changed(&mut text);
        self.checks(&mut text);
        self.rest(&mut text);
        text
    }

    fn head(&self, text: &mut String) {
        let brief = &self.standing.brief;
        let from = &brief.document.from;
        let _ = writeln!(text, "REVIEW OF {}", brief.id);
        row(text, "brief", &format!("{}@{}", from.package, from.version));
        row(text, "", &self.standing.reference.digest.to_string());
        row(text, "tree", self.tree.as_deref().unwrap_or("none: there is no Git here"));
        row(text, "opened", &self.opened.to_string());
    }

    fn changed(&self, text: &mut String) {
        let Some(change) = &self.change else {
            section(text, "Changed: there is nothing to compare with");
            return;
        };
        section(text, &format!("Changed since {}: {}", change.base, change.sum()));
        row(text, "base", &change.commit);
        row(text, "diff", &change.digest.to_string());
        for file in change.files.iter().take(FILES_MAX) {
            let (added, removed) = columns(file);
            let _ = writeln!(text, "  {added:>7} {removed:>7}  {}", shown::line(&file.path, WIDTH - 19));
        }
        if change.files.len() > FILES_MAX {
            let _ = writeln!(text, "  and {} more", change.files.len() - FILES_MAX);
        }
    }

    fn checks(&self, text: &mut String) {
        section(text, "Checks");
        for check in &self.standing.judged.checks {
            let _ = writeln!(text, "  {}", shown::line(&check.id, WIDTH - 2));
            let _ = writeln!(text, "{}", shown::wrapped(&check.verdict.to_string(), "    ", WIDTH));
            let Some(counted) = &check.run else { continue };
            for line in ran(counted) {
                let _ = writeln!(text, "{}", shown::wrapped(&line, "    ", WIDTH));
            }
            for line in &counted.run.observation.key_lines {
                let _ = writeln!(text, "    | {}", shown::line(line, WIDTH - 6));
            }
        }
        for line in &self.standing.judged.rejected {
            let said = format!("line {} of the evidence counts for nothing: {}", line.line, line.why);
            let _ = writeln!(text, "{}", shown::wrapped(&said, "  ", WIDTH));
        }
    }

    fn rest(&self, text: &mut String) {
        section(text, "Deliverables");
        for one in &self.standing.brief.document.deliverables {
            let digest = self.standing.files.get(&one.path);
            let digest = digest.map_or_else(|| "not in the tree".to_owned(), ToString::to_string);
            let _ = writeln!(text, "  {}\n    {digest}", shown::line(&one.path, WIDTH - 2));
        }
        section(text, if self.escalations.is_empty() { "Escalations: none on record" } else { "Escalations" });
        for one in &self.escalations {
            let _ = writeln!(text, "{}", shown::wrapped(&format!("{} {}", one.at, one.note), "  ", WIDTH));
        }
        section(text, "Tasks");
        for task in &self.standing.tasks {
            let said = format!("{}: {}. {}", task.id, task.state.as_str(), task.why);
            let _ = writeln!(text, "{}", shown::wrapped(&said, "  ", WIDTH));
        }
        for finding in &self.standing.findings {
            let said = format!("{} {}", finding.id, finding.message);
            let _ = writeln!(text, "{}", shown::wrapped(&said, "  ", WIDTH));
        }
        let next = self.next();
        section(text, if next.is_empty() { "Next: nothing is open" } else { "Next" });
        for line in next.iter().flat_map(|lines| lines.lines()) {
            let _ = writeln!(text, "{}", shown::wrapped(line, "  ", WIDTH));
        }
    }
}

impl Change {
    /// `3 files, 12 lines added, 1 removed`.
    pub fn sum(&self) -> String {
        let lines = self.files.iter().filter_map(|file| file.lines);
        let (added, removed) = lines.fold((0, 0), |(a, b), (added, removed)| (a + added, b + removed));
        let files = if self.files.len() == 1 { "file" } else { "files" };
        format!("{} {files}, {added} lines added, {removed} removed", self.files.len())
    }
}

/// `+12` and `-1`; a binary file has no lines.
pub fn columns(file: &Changed) -> (String, String) {
    let (added, removed) = file.lines.unwrap_or_default();
    if file.lines.is_some() { (format!("+{added}"), format!("-{removed}")) } else { ("binary".into(), String::new()) }
}

/// What ran, on what, and who says so: a line each.
pub fn ran(counted: &Counted) -> Vec<String> {
    let run = &counted.run;
    let exit = run.exit.map_or_else(|| "no exit code".to_owned(), |exit| format!("exit {exit}"));
    let held = if run.sandbox.enforced.is_empty() { "nothing".to_owned() } else { run.sandbox.enforced.join(", ") };
    let mut lines = vec![
        format!("$ {}", words(&run.argv)),
        format!("{}, {exit}, {} ms, {}", run.outcome.as_str(), run.duration_ms, run.started_on),
        format!("network {}, enforced: {held}", run.sandbox.network.as_str()),
        format!("signed by {} ({}), line {}", counted.signer, counted.trust.as_str(), counted.line),
        format!("evidence {}", counted.digest),
    ];
    if let Outcome::Failed(why) = &run.outcome {
        lines.insert(2, why.join("; "));
    }
    lines
}

/// Words as somebody would have to type them.
fn words(argv: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    let word = |word: &String| match word.chars().all(plain) && !word.is_empty() {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    argv.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn row(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:7} {}", shown::line(value, WIDTH - 10));
}

fn section(text: &mut String, title: &str) {
    let _ = writeln!(text, "\n{}", shown::line(title, WIDTH));
}

/// The difference to where the work parted from its base.
fn change(place: &Workplace, base: Option<&str>) -> Result<Option<Change>, Failure> {
    let root = &place.project.root;
    let (Some(repository), Some(tree)) = (Repository::around(root)?, place.snapshot.tree()) else { return Ok(None) };
    let Some((base, commit)) = parted(&repository, base)? else { return Ok(None) };
    let mut files = repository.diff_stat(&commit, tree)?;
    // Evidence is not part of the tree: every line of it would show up as removed.
    files.retain(|file| !repository.is_evidence(root, tree, &file.path));
    let digest = Sha256::of(repository.diff(&commit, tree)?);
    Ok(Some(Change { base, commit, files, digest }))
}

/// The base, by the name that found it, and the commit where the work parted from it.
fn parted(repository: &Repository, base: Option<&str>) -> Result<Option<(String, String)>, Failure> {
    if let Some(base) = base {
        let commit = repository.merge_base(base, "HEAD")?;
        let unknown = || {
            let seen = format!("Git knows no history that `{}` and this work share", base.escape_debug());
            Failure::could_not("git-revision", seen).hint("fetch the base branch, with its history")
        };
        return Ok(Some((base.to_owned(), commit.ok_or_else(unknown)?)));
    }
    for base in BASES {
        if let Some(commit) = repository.merge_base(base, "HEAD")? {
            return Ok(Some((base.to_owned(), commit)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shown_as_somebody_would_type_them() {
        let argv = ["sh", "-c", "echo 'a b'", ""].map(str::to_owned);
        assert_eq!(words(&argv), r"sh -c 'echo '\''a b'\''' ''");
    }
}
