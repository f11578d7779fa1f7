//! `skill tree`: who needs whom.

use std::collections::BTreeSet;
use std::fmt::Write;

use index::lock::Lock;
use serde_json::json;
use skills::PackageName;

use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::ui::Answer;

/// Arguments of `skill tree`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For the user instead of a repository
    #[arg(short, long)]
    global: bool,
}

/// The wanted skills, and below each what it needs. What was shown before is marked `(*)`.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let (wants, lock) = (project.wants()?, project.lock()?);
    let mut drawing = Drawing { lock: &lock, text: String::new(), shown: BTreeSet::new() };
    for name in wants.skills.keys() {
        drawing.branch(name, "", "", "");
    }
    let edges: Vec<_> = lock
        .skills
        .iter()
        .map(|skill| json!({ "name": skill.name, "version": skill.version, "dependencies": skill.dependencies }))
        .collect();
    Ok(Answer::new(drawing.text, json!({ "wanted": wants.skills.keys().collect::<Vec<_>>(), "skills": edges })))
}

struct Drawing<'l> {
    lock: &'l Lock,
    text: String,
    shown: BTreeSet<PackageName>,
}

impl Drawing<'_> {
    fn branch(&mut self, name: &PackageName, indent: &str, mark: &str, below: &str) {
        let skill = self.lock.skill(name);
        let version = skill.map_or_else(|| "(not in skills.lock)".to_owned(), |skill| skill.version.to_string());
        let again = !self.shown.insert(name.clone());
        let needs = skill.map_or(&[][..], |skill| &skill.dependencies);
        let star = if again && !needs.is_empty() { " (*)" } else { "" };
        writeln!(self.text, "{indent}{mark}{name} {version}{star}").expect("writing to a string");
        if again {
            return;
        }
        let indent = format!("{indent}{below}");
        for (at, dependency) in needs.iter().enumerate() {
            let (mark, below) = if at + 1 == needs.len() { ("└── ", "    ") } else { ("├── ", "│   ") };
            self.branch(dependency, &indent, mark, below);
        }
    }
}
