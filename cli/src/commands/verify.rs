//! `skill verify`: is everything on the disk exactly what a trusted publisher signed?
//!
//! Lock, policy, proofs and disk; nothing else. No network is used, nothing is changed, no
//! shortcut is taken, and nothing stops at the first failure: every skill is judged and every
//! finding reported. With `--policy-ref` the policy is the one of another Git revision, so that a
//! pull request cannot bring its own.

mod examine;
mod formats;

use std::process::Command;

use index::lock::{Lock, LockedSkill};
use index::verify::Finding;

use self::formats::Format;
use crate::context::Context;
use crate::failure::{Failure, OnPath, exit_of};
use crate::project::Project;
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
    /// Every finding of the report.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.project.iter().chain(self.skills.iter().flat_map(|skill| &skill.findings))
    }
}

/// Judges everything, answers in the format asked for, exits with the worst finding.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let trust = read_trust(&project, args.policy_ref.as_deref())?;
    let lock = project.lock()?;
    let skills = select(&lock, &args.names)?;
    let report = examine::examine(&project, &lock, &skills, &trust)?;
    let findings: Vec<Finding> = report.findings().cloned().collect();
    let exit = exit_of(&findings);
    let format = if context.ui.json() { Format::Json } else { args.format };
    Ok(formats::answer(&report, format, context).exit(exit))
}

/// The policy on the disk, or of another revision. A revision without one trusts nobody.
fn read_trust(project: &Project, policy_ref: Option<&str>) -> Result<Trust, Failure> {
    let Some(reference) = policy_ref else { return Trust::read(project) };
    if reference.starts_with('-') {
        return Err(Failure::usage("policy-ref", format!("`{reference}` is not a Git revision")));
    }
    let git = |args: &[&str]| {
        Command::new("git").arg("-C").arg(&project.root).args(args).output().on("run git in", &project.root)
    };
    let object = format!("{reference}:./{TRUST_PATH}");
    let shown = git(&["cat-file", "blob", &object])?;
    if shown.status.success() {
        let text = String::from_utf8(shown.stdout)
            .map_err(|_| Failure::usage("file-not-utf8", format!("{object} is not UTF-8")))?;
        return Trust::parse(text);
    }
    let commit = git(&["rev-parse", "--verify", "--quiet", &format!("{reference}^{{commit}}")])?;
    if commit.status.success() {
        return Trust::parse(String::new());
    }
    Err(Failure::could_not("policy-ref", format!("Git knows no revision `{reference}` here"))
        .hint("in CI, fetch the base branch first: `git fetch origin main`"))
}

fn select<'l>(lock: &'l Lock, names: &[String]) -> Result<Vec<&'l LockedSkill>, Failure> {
    if names.is_empty() {
        return Ok(lock.skills.iter().collect());
    }
    let find = |text: &String| {
        let named = |skill: &&LockedSkill| {
            skill.name.to_string() == *text.trim_start_matches('@') || skill.folder.as_str() == text
        };
        lock.skills.iter().find(named).ok_or_else(|| {
            Failure::could_not("not-installed", format!("skills.lock does not have `{text}`"))
                .hint("`skill list` shows what is installed")
        })
    };
    names.iter().map(find).collect()
}
