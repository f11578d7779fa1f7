//! The part of the journey that is about tool bundles: what becomes of clients' files.

use index::lock::{Approved, Lock};
use skills::PackageName;
use skills::manifest::Kind;

use super::Options;
use super::evidence::Admitted;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::project::Project;
use crate::tools::{self, Applied, Decided};
use crate::wants::Wants;

/// Whether clients' files are what the installed bundles become, and the ledger says so.
pub(super) fn stand(project: &Project, wants: &Wants, lock: &Lock) -> Result<bool, Failure> {
    let is_bundle = |skill: &index::lock::LockedSkill| skill.kind == Kind::Tools;
    if lock.entries.is_empty() && lock.approved.is_empty() && !lock.skills.iter().any(is_bundle) {
        return Ok(true);
    }
    let bundles = Applied::installed(project, lock)?;
    // What stands in the way is said by the whole journey.
    let decided = tools::decide(project, wants, &lock.entries, &lock.approved, &bundles, false);
    Ok(decided.is_ok_and(|decided| decided.changes_nothing(lock)))
}

/// Decides what becomes of clients' files, and puts the ledger and the approvals into the new lock.
pub(super) fn decide(
    project: &Project,
    wants: &Wants,
    old: &Lock,
    lock: &mut Lock,
    verified: &[(PackageName, Admitted)],
    options: &Options,
) -> Result<Option<Decided>, Failure> {
    let mut bundles = Vec::new();
    for skill in lock.skills.iter().filter(|skill| skill.kind == Kind::Tools) {
        let fresh = verified.iter().find_map(|(name, admitted)| match admitted {
            Admitted::Fresh(verified) if *name == skill.name => Some(verified.tree()),
            _ => None,
        });
        bundles.extend(match fresh {
            Some(tree) => Applied::of(&skill.name, crate::installed::digest(skill, tree)?, tree)?,
            None => {
                let stands = crate::installed::find(project, lock, &skill.name.to_string())?;
                Applied::of(&skill.name, stands.digest, &stands.tree)?
            }
        });
    }
    if bundles.is_empty() && old.entries.is_empty() && old.approved.is_empty() {
        return Ok(None);
    }
    let given =
        |row: &&Approved| !options.approve.iter().any(|new| (&new.package, &new.grant) == (&row.package, &row.grant));
    let approvals: Vec<Approved> = old.approved.iter().filter(given).chain(&options.approve).cloned().collect();
    let decided = tools::decide(project, wants, &old.entries, &approvals, &bundles, options.force)?;
    if !decided.modified.is_empty() && !options.keep_edits {
        let places: Vec<String> = decided.modified.iter().map(|place| format!("`{place}`")).collect();
        let seen = format!("{} was changed since it was written", places.join(", "));
        return Err(Failure::new(Exit::Failed, "edited", seen)
            .hint("`skill status` shows what differs; `--force` writes it anew"));
    }
    if options.locked && !decided.keeps_the_ledger(old) {
        let seen = "the entries of tool bundles in clients' files do not match skills.lock, and `--locked` forbids changing it";
        return Err(Failure::new(Exit::Failed, "lock-would-change", seen)
            .hint("run `skill install` without `--locked`, and commit skills.lock"));
    }
    (lock.entries, lock.approved) = (decided.rows.clone(), decided.approved.clone());
    Ok(Some(decided))
}

pub(super) fn say(context: &Context, decided: &Decided, whole: bool) {
    let shown = decided.show(whole);
    if !shown.is_empty() {
        context.ui.note(shown.trim_end());
    }
    for place in &decided.modified {
        context.ui.warn(format!("`{place}` was changed since it was written, and is left as it is"));
    }
    for row in &decided.lapsed {
        let (package, grant) = (&row.package, &row.grant);
        context.ui.warn(format!(
            "{package}: `{grant}` is not allowed any more: approved for other files of it, or denied by `[policy]`"
        ));
    }
}
