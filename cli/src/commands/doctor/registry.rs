//! The registry: named, reachable, and does it know us?

use index::api::Me;
use jiff::Timestamp;
use reqwest::Method;

use super::Finding;
use crate::api::{self, Api};
use crate::client::{Body, Client};
use crate::commands::whoami::day;
use crate::context::Context;
use crate::credentials;
use crate::failure::Failure;
use crate::shown;

/// From how many days before its end a token is worth a warning.
const EXPIRY_WARNING_DAYS: i64 = 14;

/// Asks the registry who it is, and who we are.
pub(super) fn look(context: &Context) -> Vec<Finding> {
    let url = match context.registry_url() {
        Ok(url) => url,
        Err(failure) => return vec![Finding::warn("registry", failure.message, failure.hint.unwrap_or_default())],
    };
    if context.flags.offline {
        return vec![Finding::ok("registry", format!("{url}, not asked because of `--offline`"))];
    }
    match reach(context, &url) {
        Ok((client, name)) => {
            let reached =
                Finding::ok("registry", format!("{} calls itself `{}`", client.url(), shown::line(&name, 60)));
            vec![reached, token(context, client)]
        }
        Err(failure) => vec![Finding::fail("registry", failure)],
    }
}

fn reach(context: &Context, url: &str) -> Result<(Client, String), Failure> {
    let client = Client::new(url)?;
    let config = context.block_on(api::config(&client))?;
    Ok((client, config.name))
}

fn token(context: &Context, client: Client) -> Finding {
    let token = match credentials::find_token(context, client.url()) {
        Ok(Some(token)) => token,
        Ok(None) => return Finding::ok("token", "not logged in; only publishing needs it (`skill login`)"),
        Err(failure) => return Finding::fail("token", failure),
    };
    let api = Api::with_token(client, token);
    match context.block_on(api.ask::<Me>(Method::GET, "/me", Body::Empty)) {
        Ok(me) => expiry(&me, Timestamp::now()),
        Err(failure) => Finding::fail("token", failure.hint("`skill login` with a new token, or `skill logout`")),
    }
}

fn expiry(me: &Me, now: Timestamp) -> Finding {
    let user = shown::line(&me.user, 40);
    let Some(expires) = &me.token.expires else {
        return Finding::warn(
            "token",
            format!("of {user}, never expires"),
            "make one that does: `skill token create --expires DAYS`",
        );
    };
    let until = format!("of {user}, expires {}", day(expires));
    let left = expires.parse::<Timestamp>().map(|end| (end.as_second() - now.as_second()) / 86_400);
    match left {
        Ok(days) if days >= EXPIRY_WARNING_DAYS => Finding::ok("token", until),
        Ok(days) => Finding::warn("token", format!("{until}, in {days} days"), "`skill token create` makes a new one"),
        Err(_) => Finding::ok("token", until),
    }
}

#[cfg(test)]
mod tests {
    use index::api::TokenSummary;

    use super::super::Level;
    use super::*;

    fn level(expires: Option<&str>) -> Level {
        let token = TokenSummary {
            id: "1".to_owned(),
            name: String::new(),
            actions: Vec::new(),
            scopes: Vec::new(),
            expires: expires.map(str::to_owned),
        };
        let now = "2026-11-22T00:00:00Z".parse().expect("a time");
        expiry(&Me { user: "alice".to_owned(), token }, now).level
    }

    #[test]
    fn a_token_that_ends_soon_or_never_is_worth_a_warning() {
        assert_eq!(level(Some("2027-11-22T00:00:00Z")), Level::Ok);
        assert_eq!(level(Some("2026-11-30T00:00:00Z")), Level::Warn);
        assert_eq!(level(None), Level::Warn);
    }
}
