//! Approving grants: what a bundle wishes to be allowed, shown with its reason, and decided by a human.
//!
//! An approval is for one wish of one archive. It goes through the one journey of every install, so
//! that the entries it brings are shown, owned and taken away like all others.

use index::lock::Approved;
use serde_json::json;
use skills::manifest::Kinded;
use skills::tools::Grant;

use super::{Applied, grant_name};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::install::{Journey, Options};
use crate::policy::Grants;
use crate::project::Project;
use crate::shown;
use crate::ui::Answer;

/// What somebody wants to approve.
#[derive(Debug)]
pub struct Request {
    /// The bundle, as a person names it.
    pub package: String,
    /// These wishes; none: all of them.
    pub grants: Vec<String>,
    /// Whether the questions are answered already.
    pub yes: bool,
    /// Decide everything, write nothing.
    pub dry_run: bool,
}

/// Shows, asks, and writes what was approved.
pub fn run(request: Request, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, false)?;
    let held = project.hold(context, request.dry_run)?;
    let (wants, lock) = (project.wants()?, project.lock()?);
    let installed = crate::installed::find(&project, &lock, &request.package)?;
    let name = installed.locked.name.clone();
    let applied = match installed.manifest.map(|manifest| manifest.kinded) {
        Some(Kinded::Tools(bundle)) => Applied { package: name, digest: installed.digest, bundle: *bundle },
        _ => {
            return Err(Failure::usage(
                "not-a-bundle",
                format!("`{name}` is no tool bundle, so it wishes for nothing"),
            ));
        }
    };
    if wants.policy.grants == Grants::Deny {
        let seen = format!("[policy] of skills.toml denies grants, so none of `{}` is approved", applied.package);
        return Err(Failure::new(Exit::Policy, "policy-grants", seen).hint("the agent goes on asking each time"));
    }
    let open = open(&applied, &request.grants, &lock.approved)?;
    if open.is_empty() {
        context.ui.note(format!("{}: every grant is approved", applied.package));
        return Ok(answer(&applied, &[], request.dry_run));
    }
    for grant in &open {
        let reason = shown::line(&grant.reason, 300);
        context.ui.note(format!("{} wishes {}\n    {reason}", applied.package, grant_name(&grant.granted)));
    }
    if !request.dry_run && !request.yes && !context.ui.confirm("Allow this without asking, for this version?") {
        let seen = format!("nobody approved {} grants of `{}`", open.len(), applied.package);
        return Err(Failure::new(Exit::Policy, "grant-not-approved", seen)
            .hint("answer `y` on a terminal, or pass `--yes` once you have read them"));
    }
    let by = approver();
    let approve: Vec<Approved> = open
        .iter()
        .map(|grant| Approved {
            package: applied.package.clone(),
            grant: grant_name(&grant.granted),
            digest: applied.digest,
            by: by.clone(),
        })
        .collect();
    let options = Options { approve, dry_run: request.dry_run, keep_edits: true, ..Options::default() };
    Journey { context, project: &project, wants_text: project.wants_text()?, options }.run(&held)?;
    Ok(answer(&applied, &open, request.dry_run))
}

/// The wishes that are meant and not approved yet for this archive.
fn open<'a>(applied: &'a Applied, named: &[String], approved: &[Approved]) -> Result<Vec<&'a Grant>, Failure> {
    let known: Vec<String> = applied.bundle.grants.iter().map(|grant| grant_name(&grant.granted)).collect();
    if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let seen = format!("`{}` wishes for no `{}`", applied.package, unknown.escape_debug());
        return Err(Failure::usage("grant-unknown", seen).hint(format!("its grants: {known}")));
    }
    let approved = applied.approved(approved);
    let is_open = |grant: &&Grant| {
        (named.is_empty() || named.contains(&grant_name(&grant.granted))) && !approved.contains(&grant.granted)
    };
    Ok(applied.bundle.grants.iter().filter(is_open).collect())
}

/// Who approves, as the machine calls them: a note for whoever reviews the lock.
fn approver() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let named = named.map(|name| shown::line(&name, 64)).filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "somebody".to_owned())
}

fn answer(applied: &Applied, approved: &[&Grant], dry_run: bool) -> Answer {
    let grants: Vec<String> = approved.iter().map(|grant| grant_name(&grant.granted)).collect();
    Answer::new(
        "",
        json!({ "package": applied.package, "digest": applied.digest, "approved": grants, "dry_run": dry_run }),
    )
}
