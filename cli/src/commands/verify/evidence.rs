//! `verify --evidence`: the open briefs, their proofs and their gates.
//!
//! A repository without an open brief is missing what it was asked about: a change that takes its brief
//! away must not be green for that.

use std::io::Write;
use std::path::Path;

use index::verify::{Class, Finding};

use super::{Args, BriefReport, Report};
use crate::briefs::{self, Shelved};
use crate::context::Context;
use crate::diary::{self, Event};
use crate::failure::{Failure, OnPath};
use crate::git::Repository;
use crate::handover::attest::{self, Verified};
use crate::handover::{Judges, Standing, Workplace, rerun, summary};
use crate::project::Project;
use crate::trust::Trust;

/// Judges the briefs that were named, or all that are open, into the report.
pub(super) fn examine(
    report: &mut Report,
    project: &Project,
    trust: &Trust,
    args: &Args,
    context: &Context,
) -> Result<(), Failure> {
    let judges = Judges::of(project, trust, args.policy_ref.as_deref())?;
    let (open, unread) = chosen(project, &args.names)?;
    report.project.extend(unread);
    if let Some(reference) = &args.policy_ref {
        report.project.extend(lost(project, reference)?);
    }
    if open.is_empty() {
        let found = Finding::new("SKV070", Class::Missing, "-", "there is no open brief, so nothing can be proved");
        report.project.push(found.path(briefs::BRIEFS_PATH).hint("commit the rendered brief with the work"));
    }
    let place = Workplace::look(project.clone())?;
    let standings = open.into_iter().map(|brief| Standing::of(&place, &judges, brief));
    let standings: Vec<Standing> = standings.collect::<Result<_, _>>()?;
    for standing in &standings {
        let stale = standing.findings().iter().any(|finding| finding.class == Class::Stale);
        diary::note(project, Event::Verified { brief: Some(standing.brief.id.to_string()), stale });
    }
    let reruns = run_again(&place, &standings, args, context)?;
    report.project.extend(reruns);
    if let Some(path) = &args.summary_md {
        write(path, &summary::markdown(&standings, &report.policy))?;
    }
    if let Some(path) = &args.attest {
        write_statement(path, report, &standings, &place)?;
    }
    let briefs = standings.into_iter().map(|standing| BriefReport { findings: standing.findings(), standing });
    report.briefs = Some(briefs.collect());
    Ok(())
}

/// Runs the checks again that were named, or all; a name that no brief has is a mistake.
fn run_again(
    place: &Workplace,
    standings: &[Standing],
    args: &Args,
    context: &Context,
) -> Result<Vec<Finding>, Failure> {
    let checks =
        || standings.iter().flat_map(|standing| standing.brief.document.checks.iter().map(move |one| (standing, one)));
    if let Some(unknown) = args.rerun.iter().find(|id| !checks().any(|(_, check)| check.id == **id)) {
        let seen = format!("no open brief has a check `{}`", unknown.escape_debug());
        return Err(Failure::could_not("check-missing", seen).hint("`skill check list` shows what there is"));
    }
    let chosen = checks().filter(|(_, check)| args.rerun_all || args.rerun.contains(&check.id));
    Ok(chosen.filter_map(|(standing, check)| rerun::rerun(place, standing, check, context)).collect())
}

/// The open briefs, and a finding for each that cannot be read.
fn chosen(project: &Project, names: &[String]) -> Result<(Vec<Shelved>, Vec<Finding>), Failure> {
    let unread =
        |failure: Failure| Finding::new("SKV081", Class::Failed, "-", failure.message).path(briefs::BRIEFS_PATH);
    if names.is_empty() {
        let (all, failures) = briefs::all(project)?;
        let open = all.into_iter().filter(|brief| brief.outcome.is_none()).collect();
        return Ok((open, failures.into_iter().map(unread).collect()));
    }
    let (mut open, mut findings) = (Vec::new(), Vec::new());
    for name in names {
        match briefs::find_open(project, name) {
            Ok(brief) => open.push(brief),
            Err(failure) if matches!(failure.code.as_str(), "brief-missing" | "brief-closed") => return Err(failure),
            Err(failure) => findings.push(unread(failure)),
        }
    }
    Ok((open, findings))
}

/// A finding for each brief that is open at a revision, and here neither open nor closed. What was begun
/// there after this work parted from it is not missed.
fn lost(project: &Project, reference: &str) -> Result<Vec<Finding>, Failure> {
    let Some(repository) = Repository::around(&project.root)? else { return Ok(Vec::new()) };
    let parted = repository.merge_base("HEAD", reference)?;
    let open = briefs::open_at(project, parted.as_deref().unwrap_or(reference))?;
    let found = open.into_iter().filter_map(|id| {
        let why = briefs::lost(project, &id)?;
        let message = format!("is open at {reference}, and here neither open nor closed: {why}");
        let [_, path, _] = briefs::paths(briefs::BRIEFS_PATH, &id);
        let found = Finding::new("SKV089", Class::Failed, id.as_str(), message).path(path);
        Some(found.hint("restore it; `skill brief close` is how work ends"))
    });
    Ok(found.collect())
}

fn write_statement(path: &Path, report: &Report, briefs: &[Standing], place: &Workplace) -> Result<(), Failure> {
    let installed: Vec<Finding> = report.findings().cloned().collect();
    let verified = Verified {
        briefs,
        tree: place.tree.as_ref().map(skills::evidence::GitTree::as_str),
        policy: &report.policy,
        at: briefs::now().to_string(),
        installed: &installed,
    };
    let statement = attest::statement(&verified).ok_or_else(|| {
        Failure::could_not("git-missing", "there is no Git here, so there is no tree that a statement could be about")
    })?;
    write(path, &format!("{statement:#}\n"))
}

/// The whole file, or as it was.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut staged = tempfile::Builder::new().prefix(".skill-").tempfile_in(folder).on("write into", folder)?;
    staged.write_all(text.as_bytes()).on("write", path)?;
    staged.persist(path).map_err(|error| Failure::io("write", path, &error.error))?;
    Ok(())
}
