//! `skill approve ID TASK`: a human's decision, signed, bound to what was on the page.
//!
//! No rubber stamp: a yes is refused while anything that has to be proved before it is missing or stale,
//! while an earlier gate is open, or while the brief is not what its package renders. A no is always taken.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use skills::brief::graph::Node;
use skills::evidence::gate::{State, before, required_checks, required_files};
use skills::evidence::{Approval, Decision, Role, Signer, Trust as Independence};
use skills::key::PublicKey;

use super::page::Page;
use super::{Judges, Standing, Workplace};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::keys::KeyFolder;
use crate::passphrase::PassphraseFlags;
use crate::project::Project;
use crate::runner::{self, Snapshot};
use crate::trust::{TRUST_PATH, Trust};
use crate::ui::Answer;
use crate::{briefs, evidence};

/// What somebody decides, and how.
#[derive(Debug)]
pub struct Request<'a> {
    /// The brief.
    pub brief: &'a str,
    /// The task.
    pub task: &'a str,
    /// Yes or no.
    pub decision: Decision,
    /// The key to sign with.
    pub key: Option<&'a str>,
    /// Where its passphrase comes from.
    pub passphrase: &'a PassphraseFlags,
    /// Sign without being asked.
    pub yes: bool,
    /// Sign nothing; say what would be signed.
    pub dry_run: bool,
    /// What the change is compared with.
    pub base: Option<&'a str>,
}

/// Looks, refuses or asks, signs, appends.
pub fn approve(request: &Request, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, false)?;
    let trust = Trust::read(&project)?;
    let judges = Judges::of(&project, &trust, None)?;
    let brief = briefs::find_open(&project, request.brief)?;
    let place = Workplace::look(project)?;
    let standing = Standing::of(&place, &judges, brief)?;
    if request.decision == Decision::Approve {
        refuse_early(&standing, request.task)?;
    } else {
        gate(&standing, request.task)?;
    }
    let page = Page::of(&place, standing, request.base)?;
    let keys = KeyFolder::of(context.home()?);
    let key = keys.choose(request.key)?;
    let unlock = || key.unlock(|| request.passphrase.existing(&context.ui, &key.name));
    let public = key.public.map_or_else(|| unlock().map(|signer| signer.public()), Ok)?;
    let signer = registered(&judges, &public, &key.name)?;
    let approval = statement(&page, request, signer, &place)?;
    context.ui.note(page.text());
    if request.dry_run {
        return Ok(answer(&approval, &page, &evidence::path(Some(&page.standing.brief.id)), true));
    }
    confirm(request, &approval, context)?;
    let signer = unlock()?;
    refuse_moved(&place)?;
    let id = page.standing.brief.id.as_str();
    runner::keep(&place.project.root, Some(id), approval.to_payload(), &signer)?;
    Ok(answer(&approval, &page, &evidence::path(Some(&page.standing.brief.id)), false))
}

/// The gate, if there is one of that name.
fn gate<'a>(standing: &'a Standing, task: &str) -> Result<&'a skills::brief::tables::Task, Failure> {
    let tasks = &standing.brief.document.tasks;
    let humans = || tasks.iter().filter(|task| Node::of(task) == Node::Human);
    humans().find(|one| one.id == task).ok_or_else(|| {
        let gates: Vec<&str> = humans().map(|task| task.id.as_str()).collect();
        let seen = format!("brief `{}` has no task `{}` for a human", standing.brief.id, task.escape_debug());
        let has = if gates.is_empty() { "it has none".to_owned() } else { format!("it has {}", gates.join(", ")) };
        Failure::usage("task-unknown", seen).hint(has)
    })
}

/// Everything that has to be true before somebody may say yes.
fn refuse_early(standing: &Standing, task: &str) -> Result<(), Failure> {
    let task = gate(standing, task)?;
    let document = &standing.brief.document;
    let refused = |code: &str, why: String, hint: String| Err(Failure::new(Exit::Failed, code, why).hint(hint));
    if !standing.findings.is_empty() {
        return Err(Failure::refused("the brief is not what its package renders", standing.findings.clone()));
    }
    let missing = required_files(document, &task.id).into_iter().find(|path| !standing.files.contains_key(*path));
    if let Some(path) = missing {
        let hint = "write it, and let Git see it: an ignored file is not in the tree".to_owned();
        return refused("artifact-missing", format!("`{path}` has to be there first, and is not in the tree"), hint);
    }
    let checks = required_checks(document, &task.id);
    let open = standing.judged.checks.iter().find(|one| checks.contains(&&*one.id) && !one.verdict.is_proved());
    if let Some(check) = open {
        let hint = format!("`skill check run {} --brief {}` first", check.id, standing.brief.id);
        return refused("proof-missing", format!("check `{}` is not proved. {}", check.id, check.verdict), hint);
    }
    let earlier = before(document, &task.id);
    let open =
        standing.tasks.iter().find(|one| one.state != State::Done && earlier.iter().any(|task| task.id == one.id));
    if let Some(open) = open {
        let hint = format!("`skill brief status {}` shows what is open", standing.brief.id);
        return refused("task-open", format!("task `{}` comes first: {}", open.id, open.why), hint);
    }
    Ok(())
}

/// The policy's row about a key that may approve.
fn registered<'a>(judges: &'a Judges, key: &PublicKey, name: &str) -> Result<&'a Signer, Failure> {
    let rows = || judges.signers.iter().filter(|signer| signer.key == *key);
    rows().find(|signer| signer.roles.contains(&Role::Approval)).ok_or_else(|| {
        let seen = match rows().next() {
            Some(signer) => format!("signer `{}` of {TRUST_PATH} has no role `approval`", signer.name),
            None => format!("{TRUST_PATH} knows no signer with the key `{name}`"),
        };
        let row = signer_row(name, key, Independence::Local, &[Role::Approval]);
        Failure::new(Exit::Policy, "signer-unknown", seen)
            .hint(format!("have this added to {TRUST_PATH} on the base branch, by whoever reviews it:\n{row}"))
    })
}

/// The row that registers a key, for `.skill/trust.toml`.
pub fn signer_row(name: &str, key: &PublicKey, trust: Independence, roles: &[Role]) -> String {
    let mut row = "[[signer]]\n".to_owned();
    let roles: Vec<String> = roles.iter().map(|role| format!("\"{}\"", role.as_str())).collect();
    let _ = writeln!(row, "name  = {}", toml_edit::Value::from(name));
    let _ = writeln!(row, "key   = \"ed25519:{}\"", STANDARD.encode(key.bytes()));
    let _ = writeln!(row, "trust = \"{}\"\nroles = [{}]", trust.as_str(), roles.join(", "));
    row
}

fn statement(page: &Page, request: &Request, signer: &Signer, place: &Workplace) -> Result<Approval, Failure> {
    let tree = place.tree.clone().ok_or_else(|| {
        Failure::could_not("git-missing", "there is no Git here, so there is no tree that a decision could be about")
            .hint("`git init`, and commit the work")
    })?;
    Ok(Approval {
        tree,
        task: request.task.to_owned(),
        decision: request.decision,
        by: signer.name.clone(),
        brief: page.standing.reference.clone(),
        shown: page.shown(request.task),
        opened: page.opened,
        decided: briefs::now().max(page.opened),
    })
}

fn confirm(request: &Request, approval: &Approval, context: &Context) -> Result<(), Failure> {
    let (word, task, tree) = (approval.decision.as_str(), &approval.task, &approval.tree);
    if request.yes || context.ui.confirm(&format!("{word} `{task}` as {} for tree {tree}?", approval.by)) {
        return Ok(());
    }
    let seen = format!("nobody said yes to {word} `{task}`, so nothing was signed");
    Err(Failure::new(Exit::Policy, "not-confirmed", seen)
        .hint("`--yes` signs without asking, once you have read the page"))
}

/// Somebody may have gone on working while somebody read.
fn refuse_moved(place: &Workplace) -> Result<(), Failure> {
    let now = Snapshot::take(&place.project.root)?;
    if now.tree().map(crate::git::GitTree::id) == place.tree.as_ref().map(skills::evidence::GitTree::as_str) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Failed,
        "tree-moved",
        "the tree has changed since the page was shown, so nothing was signed",
    )
    .hint("run it again, and read what is there now"))
}

fn answer(approval: &Approval, page: &Page, path: &str, dry_run: bool) -> Answer {
    let verb = if dry_run { "would sign" } else { "signed" };
    let (word, task, by) = (approval.decision.as_str(), &approval.task, &approval.by);
    let text = format!("{verb}: {word} `{task}` of {} by {by}\n  {path}\n", page.standing.brief.id);
    let shown: Vec<_> = approval.shown.iter().map(|one| json!({"name": one.name, "digest": one.digest})).collect();
    let data = json!({
        "brief": page.standing.brief.id, "task": task, "decision": word, "by": by, "tree": approval.tree,
        "digest": approval.brief.digest, "shown": shown, "file": path, "dry_run": dry_run,
        "opened": approval.opened, "decided": approval.decided,
    });
    Answer::new(text, data)
}
