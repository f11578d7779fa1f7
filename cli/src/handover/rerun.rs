//! `verify --rerun`: a check is run again here, and what was signed is held against it.
//!
//! A signature says who claims that it passed; running it says whether it does. It only ever takes away:
//! a pass here is no evidence, because nobody signed it.

use index::verify::{Class, Finding};
use skills::brief::document::PinnedCheck;
use skills::brief::uses::Pinned;
use skills::evidence::Outcome;
use skills::manifest::Kinded;

use super::{Standing, Workplace};
use crate::context::Context;
use crate::failure::Failure;
use crate::runner::{self, Job};
use crate::{briefs, installed};

/// Runs one check of a brief again; a finding where it does not pass.
pub fn rerun(place: &Workplace, standing: &Standing, pinned: &PinnedCheck, context: &Context) -> Option<Finding> {
    context.ui.note(format!("running {} again", pinned.uses));
    let why = match outcome(place, standing, pinned, context) {
        Ok(Outcome::Passed) => return None,
        Ok(Outcome::Failed(why)) => why.join("; "),
        Ok(Outcome::Error(why)) => format!("ERROR: {why}"),
        Err(failure) => format!("it could not be run: {}", failure.message),
    };
    let about = format!("{}:{}", standing.brief.id, pinned.id);
    let found = Finding::new("SKV080", Class::Failed, about, format!("run again, it did not pass: {why}"));
    Some(found.hint(format!("`skill check run {} --brief {}` shows what it says", pinned.id, standing.brief.id)))
}

fn outcome(
    place: &Workplace,
    standing: &Standing,
    pinned: &PinnedCheck,
    context: &Context,
) -> Result<Outcome, Failure> {
    let name = pinned.uses.rsplit_once('@').map_or(pinned.uses.as_str(), |(name, _)| name);
    let found = installed::find(&place.project, &place.lock, name)?;
    let other = || Failure::could_not("check-not-pinned", format!("`{name}` is not installed as the brief pins it"));
    let manifest = found.manifest.as_ref().filter(|_| found.digest == pinned.digest).ok_or_else(other)?;
    let Kinded::Check(check) = &manifest.kinded else { return Err(other()) };
    let [_, document, _] = briefs::paths(briefs::BRIEFS_PATH, &standing.brief.id);
    let job = Job {
        package: &found.tree,
        pinned: Pinned { name: manifest.name.clone(), version: manifest.version.clone(), digest: found.digest },
        check,
        values: check.params.accept(&pinned.with)?,
        root: &place.project.root,
        brief: Some(standing.reference.clone()),
        document: Some(place.project.root.join(document)),
        home: context.home().ok(),
    };
    Ok(runner::run(&job)?.run.outcome)
}
