//! `skill tools show`: what a bundle becomes in each client, before anything is written.

use clap::Args;
use serde_json::json;
use skills::tools::Granted;

use super::bundle;
use crate::clients::{Client, Given, Renames, Rendering, render};
use crate::context::Context;
use crate::failure::Failure;
use crate::shown;
use crate::ui::Answer;

/// Arguments of `skill tools show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// An installed bundle, or the folder of one
    bundle: String,
    /// Only these clients
    #[arg(long = "client", value_name = "CLIENT")]
    clients: Vec<String>,
    /// Show a server under another name
    #[arg(long = "rename", value_name = "OLD=NEW")]
    renames: Vec<String>,
    /// As if everything that the bundle wishes for were approved
    #[arg(long)]
    approved: bool,
    /// With the hook that calls `skill hook eval`
    #[arg(long)]
    runtime_hook: bool,
}

/// Renders for each client and writes nothing.
pub(super) fn run(args: &Show, context: &Context) -> Result<Answer, Failure> {
    let (package, bundle) = bundle::open(&args.bundle, context)?;
    let renames = Renames::parse(&args.renames)?;
    let wishes: Vec<Granted> = bundle.grants.iter().map(|grant| grant.granted.clone()).collect();
    let approved = if args.approved { wishes.as_slice() } else { &[] };
    let given = Given { package: &package, bundle: &bundle, approved, renames: &renames, hook: args.runtime_hook };
    let rendered: Vec<Rendering> =
        clients(args)?.into_iter().map(|client| render(client, &given)).collect::<Result<_, _>>()?;
    if !approved.is_empty() {
        context.ui.note("shown as if all grants were approved; none is written before `skill approve`");
    }
    let text: Vec<String> = rendered.iter().map(|rendering| shown::text(&rendering.text())).collect();
    Ok(Answer::new(text.join("\n"), json!({"package": package.to_string(), "clients": rendered})))
}

fn clients(args: &Show) -> Result<Vec<Client>, Failure> {
    match args.clients.as_slice() {
        [] => Ok(Client::all().to_vec()),
        named => named.iter().map(|name| Client::named(name)).collect(),
    }
}
