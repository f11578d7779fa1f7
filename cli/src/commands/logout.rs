//! `skill logout`: forget a registry's token on this machine.

use serde_json::json;

use crate::client::Client;
use crate::context::Context;
use crate::credentials::Credentials;
use crate::failure::Failure;
use crate::ui::Answer;

/// Arguments of `skill logout`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Forget nothing; say what would be forgotten
    #[arg(long)]
    dry_run: bool,
}

/// Removes the stored token. The registry is not asked: logging out works without a network.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let url = Client::new(&context.registry_url()?)?.url().to_owned();
    let credentials = Credentials::of(context.home()?);
    let known = if args.dry_run { credentials.token(&url)?.is_some() } else { credentials.forget(&url)? };
    context.ui.note(match (known, args.dry_run) {
        (false, _) => format!("not logged in to {url}"),
        (true, true) => format!("would log out of {url}"),
        (true, false) => {
            format!("logged out of {url}; the token itself works until it is revoked (`skill token revoke`)")
        }
    });
    Ok(Answer::new("", json!({"registry": url, "was_logged_in": known, "dry_run": args.dry_run})))
}
