//! The journey of every command that changes what is installed.
//!
//! ```text
//! wants ─ resolve ─ pins ─ evidence ─ judge ─ archives ─ verify ─ plan ─ place + lock
//! ```
//!
//! `install`, `add`, `remove` and `update` differ only in the text of `skills.toml` that they start
//! from and in what they may change; the way is one. Nothing is written before everything is
//! decided: a failure at any step leaves the disk as it was.

mod evidence;
mod kinds;
mod pins;
mod plan;
mod resolution;
mod standing;
mod tools;
mod verdict;

use std::collections::BTreeSet;

use evidence::Admitted;
use index::lock::{Approved, Lock};
use index::verify::Finding;
use skills::PackageName;

use crate::abilities;
use crate::context::Context;
use crate::diary;
use crate::failure::{Exit, Failure};
use crate::place;
use crate::project::{self, Held, Project};
use crate::registries::Registries;
use crate::tools::Decided;
use crate::trust::Trust;

pub use evidence::{Evidence, ToJudge, judge_all, load_offline, today};
pub use kinds::{check_on_disk, wrong_dependencies};
pub use pins::describe_chain;
pub use plan::SkillChange;
pub use resolution::{Catalogue, fetch_catalogue, unversioned};
pub use standing::{Seen, Stub, expected_link, read_installed};

/// What a journey starts from.
pub struct Journey<'a> {
    /// The outer world.
    pub context: &'a Context,
    /// The project to change.
    pub project: &'a Project,
    /// `skills.toml` as it will be.
    pub wants_text: String,
    /// What may be done.
    pub options: Options,
}

/// What a journey may do.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Fail if the lock would change.
    pub locked: bool,
    /// Overwrite or delete what was edited by hand.
    pub force: bool,
    /// Leave edited skills alone that this command does not change, instead of refusing.
    pub keep_edits: bool,
    /// Decide everything, write nothing.
    pub dry_run: bool,
    /// Which locked versions need not be kept.
    pub unlock: Unlock,
    /// Grants that a human has just approved.
    pub approve: Vec<Approved>,
    /// A first walk, of which nobody is told yet what it does to clients' files.
    pub rehearsal: bool,
    /// Whether scopes met for the first time may be pinned: `Some(true)` without asking,
    /// `Some(false)` after asking on a terminal, `None` never.
    pub pin: Option<bool>,
}

/// Which locked versions need not be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Unlock {
    /// All are kept.
    #[default]
    None,
    /// These may move.
    Some(BTreeSet<PackageName>),
    /// All may move.
    All,
}

/// How a journey ended.
#[derive(Debug)]
pub struct Installed {
    /// What changed, or would have.
    pub changes: Vec<SkillChange>,
    /// How many skills are installed now.
    pub total: usize,
    /// Whether `skills.lock` changed.
    pub lock_changed: bool,
    /// Notes: exceptions used, yanked versions kept.
    pub notes: Vec<Finding>,
    /// Skills whose edits were left alone.
    pub kept: Vec<PackageName>,
    /// What happened to clients' files; `None` where no bundle is, or was, installed.
    pub tools: Option<Decided>,
    /// The new lock.
    pub lock: Lock,
}

impl Journey<'_> {
    /// Goes the whole way.
    pub fn run(self, held: &Held) -> Result<Installed, Failure> {
        let Self { context, project, wants_text, options } = self;
        let wants = project::parse_wants(&wants_text)?;
        let old = project.lock()?;
        let trust = Trust::read(project)?;
        let registries = Registries::new(context, &wants);

        let picks = resolution::resolve(project, &wants, &old, &options.unlock, &registries, &trust.policy, context)?;
        for pick in &picks {
            wants.policy.admits(&pick.name, matches!(pick.origin, resolution::PickOrigin::Registry(..)))?;
        }
        let unchanged = picks.len() == old.skills.len() && picks.iter().all(|pick| pick.locked.is_some());
        if options.locked && !unchanged {
            return Err(lock_would_change(&picks, &old));
        }
        if unchanged
            && wants_text == project.wants_text()?
            && options.approve.is_empty()
            && verdict::stands(context, project, &wants, &old, &trust.text)?
            && tools::stand(project, &wants, &old)?
        {
            return Ok(Installed::nothing(old));
        }
        let evidence = evidence::gather(project, &picks, &registries, context)?;
        let trust = pins::propose(context, trust, &picks, &evidence, options.pin)?;
        let judged = evidence::judge_picks(&picks, &evidence, &trust.policy);
        evidence::refuse_if_any(&judged)?;
        let executables = verdict::executables(&picks, &judged);
        let mut lock = plan::new_lock(&picks, &judged, &wants, project, &old)?;
        let mut stands = standing::look_at_disk(project, &picks, &lock, &old, &judged)?;
        let keeps = options.keep_edits && !options.force;
        let kept = if keeps { standing::keep_edits(&mut stands, &lock, &old) } else { Vec::new() };
        let verified = evidence::verify_missing(picks, judged, &stands, &registries, &trust.policy, context)?;
        plan::settle_stubs(&mut lock, &mut stands, &verified);
        kinds::refuse_lies(project, &lock, &verified)?;
        kinds::refuse_dependencies(&lock)?;
        if !options.rehearsal {
            announce(context, &old, &verified)?;
        }
        let decided = tools::decide(project, &wants, &old, &mut lock, &verified, &options)?;
        let mut plan =
            plan::plan(project, &old, lock, stands, verified, &evidence, (&wants_text, &trust.text), options.force)?;
        if let Some(decided) = &decided {
            plan.changes.splice(0..0, decided.changes());
            if !options.rehearsal {
                tools::say(context, decided, options.dry_run);
            }
        }
        plan.installed.tools = decided;
        if !options.dry_run {
            plan.installed.tools.as_ref().map_or(Ok(()), |tools| tools.refuse_if_changed(project))?;
            place::apply_kept(project, held, &plan.changes)?;
            diary::note_override(project, options.force, "install", "--force");
            if kept.is_empty() && plan.installed.notes.is_empty() {
                verdict::keep(context, project, &plan.installed.lock.format(), &trust.text, executables);
            }
        }
        Ok(Installed { kept, ..plan.installed })
    }
}

impl Installed {
    /// Everything stands as it should.
    fn nothing(lock: Lock) -> Self {
        Self {
            changes: Vec::new(),
            total: lock.skills.len(),
            lock_changed: false,
            notes: Vec::new(),
            kept: Vec::new(),
            tools: None,
            lock,
        }
    }
}

/// Says what each package that was not here before can do: people decide about it now, or look at it in
/// review, and its own files are the only witness.
fn announce(context: &Context, old: &Lock, admitted: &[(PackageName, Admitted)]) -> Result<(), Failure> {
    for (name, admitted) in admitted {
        let Admitted::Fresh(verified) = admitted else { continue };
        let mut lines = abilities::of_new(verified.tree())?.into_iter();
        if let (None, Some(first)) = (old.skill(name), lines.next()) {
            context.ui.note(format!("{name} {} brings: {first}", verified.version()));
            lines.for_each(|line| context.ui.note(format!("    {line}")));
        }
    }
    Ok(())
}

fn lock_would_change(picks: &[resolution::Pick], old: &Lock) -> Failure {
    let new: Vec<String> = picks
        .iter()
        .filter(|pick| pick.locked.is_none())
        .map(|pick| format!("{}@{}", pick.name, pick.version))
        .collect();
    let gone = old
        .skills
        .iter()
        .filter(|skill| picks.iter().all(|pick| pick.name != skill.name))
        .map(|skill| format!("{} goes", skill.name));
    let all: Vec<String> = new.into_iter().chain(gone).collect();
    Failure::new(
        Exit::Failed,
        "lock-would-change",
        format!("skills.lock does not match skills.toml, and `--locked` forbids changing it: {}", all.join(", ")),
    )
    .hint("run `skill install` without `--locked`, and commit skills.lock")
}
