//! `skill verify`: is everything on the disk exactly what a trusted publisher signed?
//!
//! Lock, policy, proofs and disk; nothing else. No network is used, nothing is changed, no
//! shortcut is taken, and nothing stops at the first failure: every skill is judged and every
//! finding reported. With `--policy-ref` the policy is the one of another Git revision, so that a
//! pull request cannot bring its own.

mod examine;
mod formats;
mod whole;

use std::process::Command;

use index::lock::{Lock, LockedSkill};
use index::verify::Finding;

use self::formats::Format;
use crate::context::Context;
use crate::failure::{Failure, OnPath, exit_of};
use crate::project::Project;
use crate::shown;
use crate::trust::{TRUST_PATH, Trust};
use crate::ui::Answer;

/// Arguments of `skill verify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `scope/name`, or the name of an installed folder; without any: all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Take `.skill/trust.toml` from this Git revision, such as origin/main
    #[arg(long, value_name = "REF")]
    policy_ref: Option<String>,
    /// How to answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// For the user instead of a repository
    #[arg(short, long)]
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
        for finding in self.project.iter_mut().chain(self.skills.iter_mut().flat_map(|skill| &mut skill.findings)) {
            finding.message = shown::single(&finding.message);
            finding.path = finding.path.take().map(|path| shown::single(&path));
        }
        self
    }

    /// Every finding of the report.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.project.iter().chain(self.skills.iter().flat_map(|skill| &skill.findings))
    }
}

/// Judges everything, answers in the format asked for, exits with the worst finding.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let trust = read_trust(&project, args.policy_ref.as_deref(), context)?;
    let lock = project.lock()?;
    let skills = select(&lock, &args.names)?;
    let report = examine::examine(&project, &lock, &skills, &trust)?.legible();
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
    // An empty variable in a CI script, and `:0`, would name the index of the branch under review.
    if reference.is_empty() || reference.starts_with('-') || reference.contains(':') {
        return Err(Failure::usage(
            "policy-ref",
            format!("`{}` is not the name of a Git revision", reference.escape_debug()),
        )
        .hint("name a branch, a tag or a commit: `--policy-ref origin/main`"));
    }
    let commit =
        git(project, &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{reference}^{{commit}}")])?;
    let Some(commit) = commit else {
        return Err(Failure::could_not("policy-ref", format!("Git knows no revision `{reference}` here"))
            .hint("in CI, fetch the base branch first: `git fetch origin main`"));
    };
    let commit = String::from_utf8_lossy(&commit).trim().to_owned();
    match git(project, &["cat-file", "blob", &format!("{commit}:./{TRUST_PATH}")])? {
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

/// What Git prints, or `None` where it fails. A bare repository that the branch under review brings
/// along must not answer for the real one, nor replaced objects for real ones.
fn git(project: &Project, args: &[&str]) -> Result<Option<Vec<u8>>, Failure> {
    let mut command = Command::new("git");
    command.args(["--no-replace-objects", "-c", "safe.bareRepository=explicit", "-C"]).arg(&project.root).args(args);
    let output = command.output().on("run git in", &project.root)?;
    Ok(output.status.success().then_some(output.stdout))
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
