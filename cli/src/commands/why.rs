//! `skill why NAME`: every chain from `skills.toml` to an installed skill.

use index::lock::Lock;
use serde_json::json;
use skills::PackageName;

use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::ui::Answer;

/// Most chains shown: beyond these, more say nothing new.
const CHAINS_MAX: usize = 20;

/// Arguments of `skill why`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `scope/name`, or the name of the installed folder
    #[arg(value_name = "NAME")]
    name: String,
    /// For the user instead of a repository
    #[arg(short, long)]
    global: bool,
}

/// One line a chain, from what is wanted to what is asked about.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, args.global)?;
    let (wants, lock) = (project.wants()?, project.lock()?);
    let name = lock.find(&args.name).map(|skill| skill.name.clone()).ok_or_else(|| {
        Failure::could_not("not-installed", format!("skills.lock does not have `{}`", args.name))
            .hint("`skill list` shows what is installed")
    })?;
    let mut chains = Vec::new();
    for root in wants.skills.keys() {
        walk(&lock, root, &name, &mut Vec::new(), &mut chains);
    }
    let lines: Vec<String> = chains
        .iter()
        .map(|chain| {
            format!("skills.toml -> {}\n", chain.iter().map(ToString::to_string).collect::<Vec<_>>().join(" -> "))
        })
        .collect();
    Ok(Answer::new(lines.concat(), json!({ "name": name, "chains": chains })))
}

fn walk(
    lock: &Lock,
    at: &PackageName,
    goal: &PackageName,
    path: &mut Vec<PackageName>,
    chains: &mut Vec<Vec<PackageName>>,
) {
    if chains.len() >= CHAINS_MAX || path.contains(at) {
        return;
    }
    path.push(at.clone());
    if at == goal {
        chains.push(path.clone());
    } else if let Some(skill) = lock.skill(at) {
        for dependency in &skill.dependencies {
            walk(lock, dependency, goal, path, chains);
        }
    }
    path.pop();
}
