//! `skill review`: one page about the work on a brief, for whoever decides.

use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::briefs;
use crate::context::Context;
use crate::failure::{Failure, OnPath};
use crate::handover::page::{Page, columns, ran};
use crate::handover::{Judges, Standing, Workplace, html};
use crate::project::Project;
use crate::trust::Trust;
use crate::ui::Answer;

/// Arguments of `skill review`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The rendered brief
    id: String,
    /// Write the page as HTML into this file: self-contained, without script
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// What the change is compared with; by default the main branch of origin
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// Write no file; print the page
    #[arg(long)]
    dry_run: bool,
}

/// Gathers the page and shows it.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, false)?;
    let trust = Trust::read(&project)?;
    let judges = Judges::of(&project, &trust, None)?;
    let brief = briefs::find_open(&project, &args.id)?;
    let place = Workplace::look(project)?;
    let standing = Standing::of(&place, &judges, brief)?;
    let page = Page::of(&place, standing, args.base.as_deref())?;
    if let Some(path) = args.html.as_ref().filter(|_| !args.dry_run) {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
        let mut staged = tempfile::Builder::new().prefix(".review-").tempfile_in(folder).on("write into", folder)?;
        staged.write_all(html::document(&page).as_bytes()).on("write", path)?;
        staged.persist(path).map_err(|error| Failure::io("write", path, &error.error))?;
        context.ui.note(format!("wrote `{}`", path.display()));
    }
    Ok(Answer::new(page.text(), data(&page)))
}

fn data(page: &Page) -> Value {
    let standing = &page.standing;
    let change = page.change.as_ref().map(|change| {
        let file = |file: &crate::git::Changed| {
            json!({"path": file.path, "added": columns(file).0, "removed": columns(file).1})
        };
        let files: Vec<Value> = change.files.iter().map(file).collect();
        json!({"base": change.base, "commit": change.commit, "digest": change.digest, "files": files})
    });
    let checks: Vec<Value> = standing
        .judged
        .checks
        .iter()
        .map(|check| {
            let run = check.run.as_ref();
            json!({
                "id": check.id, "verdict": check.verdict.word(), "why": check.verdict.to_string(),
                "evidence": run.map(|run| run.digest), "ran": run.map(ran).unwrap_or_default(),
                "key_lines": run.map(|run| run.run.observation.key_lines.clone()).unwrap_or_default(),
            })
        })
        .collect();
    let escalations: Vec<Value> = page.escalations.iter().map(|one| json!({"at": one.at, "note": one.note})).collect();
    json!({
        "id": standing.brief.id, "digest": standing.reference.digest, "tree": page.tree, "opened": page.opened,
        "change": change, "checks": checks, "files": standing.files, "escalations": escalations,
        "tasks": super::brief::status::rows(standing),
        "findings": standing.findings().iter().map(crate::report::finding_json).collect::<Vec<_>>(),
        "next": page.next(),
    })
}
