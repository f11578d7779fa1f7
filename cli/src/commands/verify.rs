//! `skill verify`: is everything on the disk exactly what a trusted publisher signed?
//!
//! Lock, policy, proofs and disk; nothing else. No network is used, nothing is changed, no
//! shortcut is taken, and nothing stops at the first failure: every skill is judged and every
//! finding reported. With `--evidence` the rendered briefs are judged as well: their proofs, their
//! human gates, and that they are what their packages render. With `--policy-ref` the policy is the one of another Git revision, so that a
//! pull request cannot bring its own.

mod evidence;
mod examine;
mod formats;
mod whole;

use std::path::PathBuf;

use index::lock::{Lock, LockedSkill};
use index::verify::Finding;

use self::formats::Format;
use crate::context::Context;
use crate::failure::{Failure, exit_of};
use crate::git::{self, Repository};
use crate::handover::Standing;
use crate::project::Project;
use crate::shown;
use crate::trust::{TRUST_PATH, Trust};
use crate::ui::Answer;

/// Arguments of `skill verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `scope/name`, or the name of an installed folder; with `--evidence` the id of a brief; without any: all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Judge the evidence and the human gates of the open briefs, too
    #[arg(long)]
    evidence: bool,
    /// Take `.skill/trust.toml` from this Git revision, such as origin/main
    #[arg(long, value_name = "REF")]
    policy_ref: Option<String>,
    /// How to answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Run this check of a brief again, and hold what was signed against it; again for more
    #[arg(long, value_name = "CHECK", requires = "evidence")]
    rerun: Vec<String>,
    /// Run every check of the briefs again
    #[arg(long, requires = "evidence")]
    rerun_all: bool,
    /// Write a Markdown page about the evidence into this file, for the summary of a CI job
    #[arg(long, value_name = "FILE", requires = "evidence")]
    summary_md: Option<PathBuf>,
    /// Write what was verified into this file, as an in-toto statement (SVR v0.2)
    #[arg(long, value_name = "FILE", requires = "evidence")]
    attest: Option<PathBuf>,
    /// For the user instead of a repository
    #[arg(short, long, conflicts_with = "evidence")]
    global: bool,
}

/// Everything that a report says.
#[derive(Debug)]
pub struct Report {
    /// Digest of the policy that judged.
    pub policy: String,
    /// Every skill, in the order of the lock.
    pub skills: Vec<SkillReport>,
    /// Findings about the project as a whole.
    pub project: Vec<Finding>,
    /// The briefs, where evidence was asked for.
    pub briefs: Option<Vec<BriefReport>>,
}

/// What a report says of one brief.
#[derive(Debug)]
pub struct BriefReport {
    /// The brief, judged.
    pub standing: Standing,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What a report says of one skill.
#[derive(Debug)]
pub struct SkillReport {
    /// `scope/name@version`
    pub skill: String,
    /// The canonical folder, relative to the project.
    pub folder: String,
    /// Who signed: key owners and ids.
    pub signers: Vec<String>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The same report, with nothing in it that a terminal, a log or a CI system would obey: paths and
    /// link targets come from whoever wrote the branch.
    fn legible(mut self) -> Self {
        let briefs = self.briefs.iter_mut().flatten().flat_map(|brief| &mut brief.findings);
        let skills = self.skills.iter_mut().flat_map(|skill| &mut skill.findings);
        for finding in self.project.iter_mut().chain(skills).chain(briefs) {
            finding.message = shown::single(&finding.message);
            finding.path = finding.path.take().map(|path| shown::single(&path));
        }
        self
    }

    /// Every finding of the report.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let briefs = self.briefs.iter().flatten().flat_map(|brief| &brief.findings);
        self.project.iter().chain(self.skills.iter().flat_map(|skill| &skill.findings)).chain(briefs)
    }
}

/// Judges everything, answers in the format asked for, exits with the worst finding.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let trust = read_trust(&project, args.policy_ref.as_deref(), context)?;
    let lock = project.lock()?;
    let skills = select(&lock, if args.evidence { &[] } else { &args.names })?;
    let mut report = examine::examine(&project, &lock, &skills, &trust, args.policy_ref.as_deref())?;
    if args.evidence {
        evidence::examine(&mut report, &project, &trust, &args, context)?;
    }
    let report = report.legible();
    let findings: Vec<Finding> = report.findings().cloned().collect();
    let exit = exit_of(&findings);
    if context.ui.json() && !matches!(args.format, Format::Text | Format::Json) {
        return Err(Failure::usage("usage", "`--json` is a format of its own").hint("leave out `--json` or `--format`"));
    }
    let format = if context.ui.json() { Format::Json } else { args.format };
    Ok(formats::answer(&report, format, context).exit(exit))
}

/// The policy on the disk, or of another revision. A revision without one trusts nobody.
fn read_trust(project: &Project, policy_ref: Option<&str>, context: &Context) -> Result<Trust, Failure> {
    let Some(reference) = policy_ref else { return Trust::read(project) };
    let unknown = || {
        Failure::could_not("policy-ref", format!("Git knows no revision `{}` here", reference.escape_debug()))
            .hint("in CI, fetch the base branch first: `git fetch origin main`")
    };
    git::check_revision(reference)?;
    let repository = Repository::around(&project.root)?.ok_or_else(unknown)?;
    let commit = repository.commit(reference)?.ok_or_else(unknown)?;
    match repository.show(&commit, &repository.inside(&project.root, TRUST_PATH))? {
        Some(text) => Trust::parse(
            String::from_utf8(text)
                .map_err(|_| Failure::usage("file-not-utf8", format!("{TRUST_PATH} at {reference} is not UTF-8")))?,
        ),
        None => {
            context.ui.warn(format!(
                "{reference} has no {TRUST_PATH}, so it trusts nobody: merge the policy first, then the skills"
            ));
            Trust::parse(String::new())
        }
    }
}

fn select<'l>(lock: &'l Lock, names: &[String]) -> Result<Vec<&'l LockedSkill>, Failure> {
    if names.is_empty() {
        return Ok(lock.skills.iter().collect());
    }
    let find = |text: &String| {
        lock.find(text).ok_or_else(|| {
            Failure::could_not("not-installed", format!("skills.lock does not have `{text}`"))
                .hint("`skill list` shows what is installed")
        })
    };
    names.iter().map(find).collect()
}
