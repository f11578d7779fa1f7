//! `skill check test`: a check that cannot fail proves nothing, so it is shown what it has to pass on and
//! what it has to fail on, each in a scratch repository.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::Args;
use rayon::prelude::*;
use serde_json::{Value, json};
use skills::brief::uses::Pinned;
use skills::check::Check;
use skills::evidence::Outcome;
use skills::manifest::{Manifest, SKILL_TOML};
use skills::tree::Tree;
use skills::{Sha256, archive};

use super::fixture::{self, Fixture};
use super::{check_of, reasons, seconds};
use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::home::Home;
use crate::project::Project;
use crate::runner::{self, Done, Job};
use crate::ui::Answer;
use crate::{folder, installed, shown};

/// Arguments of `skill check test`.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// The folder of a check's package, or the name of an installed one
    #[arg(value_name = "DIR|NAME")]
    check: String,
    /// Only fixtures whose name has this in it, such as `fail/`
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// A package to be tested.
struct Subject {
    tree: Tree,
    pinned: Pinned,
    check: Check,
}

/// What became of a fixture.
struct Row {
    fixture: Fixture,
    done: Result<Done, Failure>,
}

impl Row {
    fn outcome(&self) -> Option<&Outcome> {
        self.done.as_ref().ok().map(|done| &done.run.outcome)
    }

    /// Whether the outcome is the one that the fixture is there to show.
    fn is_right(&self) -> bool {
        match self.outcome() {
            Some(Outcome::Passed) => self.fixture.passes,
            Some(Outcome::Failed(_)) => !self.fixture.passes,
            Some(Outcome::Error(_)) | None => false,
        }
    }

    fn is_error(&self) -> bool {
        matches!(self.outcome(), None | Some(Outcome::Error(_)))
    }

    fn word(&self) -> &'static str {
        self.outcome().map_or("ERROR", Outcome::as_str)
    }

    fn why(&self) -> Vec<String> {
        match &self.done {
            Ok(done) => reasons(&done.run.outcome).to_vec(),
            Err(failure) => vec![failure.message.clone()],
        }
    }
}

/// Runs every fixture; fails on a wrong outcome, and on a check that nothing can fail.
pub(super) fn run(args: &Test, context: &Context) -> Result<Answer, Failure> {
    let subject = subject(&args.check, context)?;
    let all = fixture::all(&subject.tree)?;
    if !all.iter().any(|fixture| !fixture.passes) {
        let seen =
            format!("`{}` has no fixture to fail on, so it may be a check that is always green", subject.pinned.name);
        return Err(Failure::new(Exit::Failed, "check-fixtures", seen)
            .hint("put a tree that must fail below `fixtures/fail/NAME/`"));
    }
    let wanted = |fixture: &Fixture| args.only.as_ref().is_none_or(|text| fixture.name.contains(text.as_str()));
    let chosen: Vec<Fixture> = all.into_iter().filter(wanted).collect();
    let bar = context.ui.bar("testing", chosen.len());
    let home = context.home().ok();
    let row = |fixture: Fixture| {
        let row = Row { done: try_out(&subject, &fixture, home), fixture };
        bar.inc(1);
        row
    };
    let rows: Vec<Row> = chosen.into_par_iter().map(row).collect();
    bar.finish_and_clear();
    Ok(answer(&subject, &rows))
}

/// The package in a folder, or an installed one.
fn subject(text: &str, context: &Context) -> Result<Subject, Failure> {
    let path = Path::new(text);
    let (tree, manifest, digest) = if path.join(SKILL_TOML).is_file() {
        let tree = folder::read(path)?.tree;
        let manifest = tree.file(SKILL_TOML).map(|file| Manifest::parse(&file.bytes)).transpose()?;
        let packed = archive::pack(&tree).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
        (tree, manifest, Sha256::of(packed))
    } else if path.is_dir() {
        return Err(Failure::could_not("file-missing", format!("there is no `{SKILL_TOML}` in `{text}`")));
    } else {
        let project = Project::find(context, false)?;
        let found = installed::find(&project, &project.lock()?, text)?;
        (found.tree, found.manifest, found.digest)
    };
    let (manifest, check) = check_of(manifest, text)?;
    Ok(Subject { tree, pinned: Pinned { name: manifest.name, version: manifest.version, digest }, check })
}

/// Lays a fixture out in a scratch repository, and runs the check there.
fn try_out(subject: &Subject, fixture: &Fixture, home: Option<&Home>) -> Result<Done, Failure> {
    let scratch = tempfile::Builder::new().prefix("skill-fixture-").tempdir();
    let scratch = scratch.on("create a folder in", &std::env::temp_dir())?;
    let root = scratch.path().join("repository");
    fs::create_dir(&root).on("create", &root)?;
    fixture.lay_out(&root)?;
    let document = scratch.path().join("fixture.brief.json");
    if let Some(bytes) = &fixture.document {
        fs::write(&document, bytes).on("write", &document)?;
    }
    runner::run(&Job {
        package: &subject.tree,
        pinned: subject.pinned.clone(),
        check: &subject.check,
        values: subject.check.params.accept(&fixture.with)?,
        root: &root,
        brief: None,
        document: fixture.document.as_ref().map(|_| document.clone()),
        home,
    })
}

fn answer(subject: &Subject, rows: &[Row]) -> Answer {
    let width = rows.iter().map(|row| row.fixture.name.chars().count()).max().unwrap_or(0);
    let mut text = format!("{}\n", subject.pinned.spec());
    for row in rows {
        let took = row.done.as_ref().map(|done| seconds(done.run.duration_ms)).unwrap_or_default();
        let mark = if row.is_right() { "ok   " } else { "WRONG" };
        let _ = writeln!(text, "    {mark}  {:width$}  {:6}  {took}", row.fixture.name, row.word());
        if !row.is_right() {
            for line in row.why().iter().chain(row.done.iter().flat_map(|done| &done.tail)) {
                let _ = writeln!(text, "             {}", shown::line(line, 66));
            }
        }
    }
    let wrong = rows.iter().filter(|row| !row.is_right()).count();
    let _ = writeln!(text, "{} of {} fixtures as they should be", rows.len() - wrong, rows.len());
    let data = json!({
        "check": subject.pinned.spec(), "digest": subject.pinned.digest, "wrong": wrong,
        "fixtures": rows.iter().map(row).collect::<Vec<Value>>(),
    });
    let exit = match rows {
        rows if rows.iter().any(|row| !row.is_right() && !row.is_error()) => Exit::Failed,
        rows if rows.iter().any(Row::is_error) => Exit::Could,
        _ => Exit::Done,
    };
    Answer::new(text, data).exit(exit)
}

fn row(row: &Row) -> Value {
    json!({
        "name": row.fixture.name, "expected": if row.fixture.passes { "PASSED" } else { "FAILED" },
        "outcome": row.word(), "right": row.is_right(), "why": row.why(),
        "duration_ms": row.done.as_ref().ok().map(|done| done.run.duration_ms),
        "enforced": row.done.as_ref().ok().map(|done| &done.run.sandbox.enforced),
        "key_lines": row.done.as_ref().ok().map(|done| &done.run.observation.key_lines),
    })
}
