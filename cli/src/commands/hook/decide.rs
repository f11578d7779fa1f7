//! What the installed bundles say about one call. Pure: the call, the bundles, and where its files are.

use skills::PackageName;
use skills::tools::unwrap::{Line, Paths, judge};
use skills::tools::{Bundle, Effect, Rule, Server as Known, Subject};

use super::answer::Said;
use super::call::{Call, Server};
use crate::clients::{Client, Given, Named, Renames, Verdict};

/// The files of a call, as places in the repository; what is outside is nobody's business here.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) read: Vec<String>,
    pub(super) changed: Vec<String>,
}

/// Denied, asked about, or nothing. `root` is the repository's own path, which commands may spell out.
pub(super) fn decide(
    client: Client,
    bundles: &[(PackageName, Bundle)],
    call: &Call,
    files: &Files,
    root: &str,
) -> Option<Said> {
    match call {
        Call::Command(lines) => {
            let said =
                lines.iter().filter_map(|line| of_command(client, bundles, &line.replace(&format!("{root}/"), "")));
            said.max_by_key(|said| said.effect)
        }
        Call::Files { .. } => of_files(client, bundles, files),
        Call::Tool { server, tool } => bundles.iter().filter_map(|bundle| of_tool(client, bundle, server, tool)).next(),
        Call::Other => None,
    }
}

fn of_command(client: Client, bundles: &[(PackageName, Bundle)], command: &str) -> Option<Said> {
    if bundles.iter().all(|(_, bundle)| bundle.rules.is_empty()) {
        return None;
    }
    let line = match Line::read(command) {
        Ok(line) => line,
        Err(refusal) => return Some(Said::deny(refusal.message)),
    };
    let of = |(package, bundle): &'_ (PackageName, Bundle)| {
        judge(&bundle.rules, &line).map(|(effect, rule)| Said::by_rule(package, effect, rule))
    };
    let said = bundles.iter().filter_map(of).max_by_key(|said| said.effect)?;
    let is_native = line.is_plain && client == Client::Codex;
    asked(client, said, is_native)
}

fn of_files(client: Client, bundles: &[(PackageName, Bundle)], files: &Files) -> Option<Said> {
    let fits = |rule: &Rule| match &rule.subject {
        Subject::Read(globs) => files.read.iter().any(|path| Paths::of(globs).fit(path)),
        Subject::Edit(globs) => files.changed.iter().any(|path| Paths::of(globs).fit(path)),
        Subject::Command(_) => false,
    };
    let rules = bundles.iter().flat_map(|(package, bundle)| bundle.rules.iter().map(move |rule| (package, rule)));
    let said = rules.filter(|(_, rule)| fits(rule)).map(|(package, rule)| Said::by_rule(package, rule.effect, rule));
    asked(client, said.max_by_key(|said| said.effect)?, false)
}

fn of_tool(client: Client, bundle: &(PackageName, Bundle), server: &Server, tool: &str) -> Option<Said> {
    let (package, bundle) = bundle;
    let given = Given { package, bundle, approved: &[], renames: &Renames::default(), hook: false };
    let named = Named::of(&given).ok()?;
    let known = bundle.servers.iter().find(|known| is_meant(known, server, tool))?;
    let spelled = |name: &str| match server {
        Server::Joined => format!("{}-{}", known.id, plain(name)),
        Server::Id(_) | Server::Launch(_) => plain(name),
    };
    let Some(listed) = known.tools.iter().find(|known| spelled(&known.name) == plain(tool)) else {
        let reason = format!("{package}: the bundle does not expose this tool of the server `{}`", known.id);
        return Some(Said::deny(reason));
    };
    let what = format!("`{}:{}` changes something", known.id, listed.name);
    match named.verdict(known, listed) {
        Verdict::Deny => Some(Said::deny(format!("{package}: {what}, which a human carries out"))),
        // Codex asks by its own configuration, and its hook could not.
        Verdict::Ask if client == Client::Codex => None,
        Verdict::Ask => Some(Said::ask(format!("{package}: `{}:{}` is asked about first", known.id, listed.name))),
        Verdict::Default | Verdict::Allow => None,
    }
}

fn is_meant(known: &Known, server: &Server, tool: &str) -> bool {
    match server {
        Server::Id(id) => *id == known.id,
        Server::Joined => tool.strip_prefix(known.id.as_str()).is_some_and(|rest| rest.starts_with('-')),
        Server::Launch(launch) => match &known.launch {
            skills::tools::Launch::Http { url, .. } => url == launch,
            skills::tools::Launch::Stdio { pin, .. } => {
                launch.split_whitespace().any(|word| word.trim_matches(['"', '\'']) == pin.word())
            }
        },
    }
}

/// As clients spell tools: other characters than these become `_`.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// Some hooks can deny and not ask. What the client's own rule asks about is left to it; everything else
/// that should be asked about is denied there, and says how it can be asked about.
fn asked(client: Client, said: Said, is_native: bool) -> Option<Said> {
    match (client, said.effect) {
        (Client::Codex, Effect::Ask) if is_native => None,
        (Client::Codex, Effect::Ask) => Some(Said::deny(format!(
            "{} (this hook cannot ask: run it as one plain command, or let a human)",
            said.reason
        ))),
        _ => Some(said),
    }
}
