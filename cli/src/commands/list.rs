//! `skill list`: what is installed, from the lock.

use std::fmt::Write;

use index::lock::{LockedSkill, Source};
use serde_json::{Value, json};
use skills::manifest::Kind;

use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::ui::Answer;

/// Arguments of `skill list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For the user instead of a repository
    #[arg(short, long)]
    global: bool,
}

/// One line a skill: name, version, where from, the folder where it has another name.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let lock = project.lock()?;
    let mut text = String::new();
    for skill in &lock.skills {
        let folder = if skill.folder == *skill.name.name() { String::new() } else { format!("  as {}", skill.folder) };
        let kind = if skill.kind == Kind::Skill { String::new() } else { format!("  {}", skill.kind.as_str()) };
        writeln!(
            text,
            "{:<44} {:<12} {}{folder}{kind}",
            skill.name.to_string(),
            skill.version.to_string(),
            origin(skill)
        )
        .expect("writing to a string");
    }
    if lock.skills.is_empty() {
        context.ui.note("no skills are installed");
    }
    Ok(Answer::new(text, json!({ "skills": lock.skills.iter().map(skill_json).collect::<Vec<_>>() })))
}

fn origin(skill: &LockedSkill) -> String {
    match &skill.source {
        Source::Registry { registry, .. } => registry.clone(),
        Source::Path { path } => path.clone(),
    }
}

fn skill_json(skill: &LockedSkill) -> Value {
    let source = match &skill.source {
        Source::Registry { registry, archive, statement, keyring } => {
            json!({ "registry": registry, "archive": archive, "statement": statement, "keyring": keyring })
        }
        Source::Path { path } => json!({ "path": path }),
    };
    json!({
        "name": skill.name, "version": skill.version, "kind": skill.kind, "folder": skill.folder, "tree": skill.tree,
        "source": source, "dependencies": skill.dependencies, "files": skill.files,
    })
}
