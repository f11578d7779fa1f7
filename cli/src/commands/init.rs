//! `skill init`: start `skills.toml`, and find out which agents are used here.

use std::fs;

use serde_json::json;

use crate::agents::{Agent, found};
use crate::context::Context;
use crate::failure::{Failure, OnPath};
use crate::project::Project;
use crate::ui::Answer;
use crate::wants::WantsEdit;

/// Arguments of `skill init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An agent that is used here; may be repeated. Without it: the agents found
    #[arg(long = "agent", value_name = "AGENT")]
    agents: Vec<String>,
    /// Show what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Writes `skills.toml` into the current folder, unless there is one.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let project = Project::at(&context.cwd()?);
    let path = project.wants_path();
    if path.exists() {
        return Err(Failure::usage("project-exists", format!("`{}` exists already", path.display()))
            .hint("`skill add SCOPE/NAME` adds a skill to it"));
    }
    let named = args.agents.iter().map(|name| Agent::named(name)).collect::<Result<Vec<_>, _>>()?;
    let agents: Vec<Agent> = if named.is_empty() { found(&project.places) } else { named };
    let names: Vec<String> = agents.iter().map(|agent| agent.name.to_owned()).collect();
    let text = start(context, &names)?;
    if !args.dry_run {
        fs::write(&path, &text).on("write", &path)?;
    }
    let seen = if names.is_empty() { "none found; `.agents/skills` serves most".to_owned() } else { names.join(", ") };
    let did = if args.dry_run { "would write" } else { "wrote" };
    context.ui.note(format!("{did} skills.toml; agents: {seen}"));
    let shown = if args.dry_run { text.clone() } else { String::new() };
    Ok(Answer::new(shown, json!({ "path": path, "agents": names, "text": text, "written": !args.dry_run })))
}

fn start(context: &Context, agents: &[String]) -> Result<String, Failure> {
    let mut edit =
        WantsEdit::new("# The skills that this repository uses. `skill add SCOPE/NAME` adds one.\n\n[skills]\n")?;
    if !agents.is_empty() {
        edit.agents(agents);
    }
    if let (Some(url), false) = (&context.flags.registry, context.flags.offline) {
        let client = crate::client::Client::new(url)?;
        let name = context.block_on(client.config())?.name;
        edit.registry(&name, client.url());
    }
    Ok(edit.text())
}
