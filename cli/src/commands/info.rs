//! `skill info NAME[@VERSION]`: what the registry says about a package, from its index file.
//!
//! The registry's word, not the publisher's: nothing here is verified. `skill add` verifies.

use std::fmt::Write as _;

use index::entry::{self, Boundary, Entry, INDEX_BYTES_MAX};
use index::urls;
use serde_json::json;
use skills::manifest::Kind;
use skills::{PackageName, Version};

use super::whoami::day;
use crate::abilities::{plural, words};
use crate::argument;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::shown;
use crate::ui::Answer;

/// Most versions listed as text; `--json` has them all.
const VERSIONS_SHOWN: usize = 10;

/// Arguments of `skill info`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The package, or one release of it
    #[arg(value_name = "SCOPE/NAME[@VERSION]", value_parser = parse_wanted)]
    wanted: (PackageName, Option<Version>),
}

fn parse_wanted(text: &str) -> Result<(PackageName, Option<Version>), String> {
    if text.strip_prefix('@').unwrap_or(text).contains('@') {
        return super::yank::parse_release(text).map(|(name, version)| (name, Some(version)));
    }
    argument::parse(text).map(|name| (name, None))
}

/// Fetches the index file and shows one version of it.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let (name, version) = args.wanted;
    let client = context.client()?;
    let bytes = context.block_on(client.fetch(&urls::index(&name), INDEX_BYTES_MAX))?.ok_or_else(|| {
        Failure::could_not("package-not-found", format!("{} has no package `{name}`", client.url()))
            .hint("`skill search WORDS` finds packages by what they do")
    })?;
    let entries = entry::parse(&bytes, &name).map_err(|refusal| Failure::of(Exit::Could, refusal))?;
    let entry = choose(&entries, version.as_ref(), &name)?;
    Ok(Answer::new(text(entry, &entries), json!({"release": entry, "versions": entries})))
}

/// The version asked for; else what `add` would choose: the newest that is neither yanked nor a
/// pre-release, as far as there is one.
fn choose<'e>(entries: &'e [Entry], version: Option<&Version>, name: &PackageName) -> Result<&'e Entry, Failure> {
    let newest = |wanted: &dyn Fn(&Entry) -> bool| entries.iter().rev().find(|entry| wanted(entry));
    let found = match version {
        Some(version) => newest(&|entry| entry.vers == *version),
        None => newest(&|entry| !entry.yanked && !entry.vers.is_prerelease())
            .or_else(|| newest(&|entry| !entry.yanked))
            .or_else(|| newest(&|_| true)),
    };
    found.ok_or_else(|| {
        let seen = match version {
            Some(version) => format!("`{name}` has no version {version}"),
            None => format!("`{name}` has no version that this program understands"),
        };
        Failure::could_not("version-not-found", seen).hint(format!("`skill info {name}` lists its versions"))
    })
}

fn text(entry: &Entry, entries: &[Entry]) -> String {
    let mut text = format!("{} {}\n", entry.name, entry.vers);
    if !entry.desc.is_empty() {
        let _ = writeln!(text, "{}", shown::wrapped(&entry.desc, "  ", 78));
    }
    text.push('\n');
    let mut row = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<13}{value}");
    };
    if entry.yanked {
        row("yanked", entry.yank_reason.as_deref().map_or("yes".to_owned(), |reason| shown::line(reason, 200)));
    }
    if let Some(instead) = &entry.deprecated {
        row("deprecated", shown::line(instead, 200));
    }
    row("license", entry.license.as_deref().map_or("not stated".to_owned(), |license| shown::line(license, 64)));
    if !entry.kw.is_empty() {
        row("keywords", shown::line(&entry.kw.join(", "), 64));
    }
    kind_rows(entry).into_iter().for_each(|(label, value)| row(label, value));
    row("contents", format!("{}, {} bytes packed", plural(entry.files, "file"), entry.size));
    row("brings", shown::line(&words(&entry.caps), 200));
    for dependency in &entry.deps {
        row("depends on", format!("{} {}", dependency.name, dependency.req));
    }
    for (label, needs) in [("needs", &entry.requires.bins), ("needs env", &entry.requires.env)] {
        if !needs.is_empty() {
            row(label, shown::line(&needs.join(", "), 64));
        }
    }
    row("archive", entry.cksum.to_string());
    row("tree", entry.tree.to_string());
    row("published", format!("{} by {}", day(&entry.published), shown::line(&entry.by, 40)));
    for key in &entry.sigs {
        row("signed by", shown::line(key.as_str(), 64));
    }
    row("versions", versions(entries));
    text
}

/// What only some kinds say: what they are cleared for, and how much proof there is.
fn kind_rows(entry: &Entry) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    if entry.kind != Kind::Skill {
        rows.push(("kind", entry.kind.as_str().to_owned()));
    }
    if let Some(Boundary { env, data, approval }) = &entry.boundary {
        let known = |label: &str, text: &str| (!text.is_empty()).then(|| format!("{label} {text}"));
        let parts = [known("environment", &env.join(" or ")), known("data", data), known("approval", approval)];
        rows.push(("boundary", shown::line(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "), 96)));
    }
    let counts =
        [("checks", entry.checks, entry.kind == Kind::Brief), ("fixtures", entry.fixtures, entry.kind == Kind::Check)];
    rows.extend(
        counts.into_iter().filter(|(.., of_kind)| *of_kind).map(|(label, count, _)| (label, count.to_string())),
    );
    rows.extend(entry.evals.as_ref().map(|path| ("evals", shown::line(path, 64))));
    rows
}

/// Newest first, yanked ones marked.
fn versions(entries: &[Entry]) -> String {
    let shown = entries.iter().rev().take(VERSIONS_SHOWN);
    let mut names: Vec<String> = shown
        .map(|entry| if entry.yanked { format!("{} (yanked)", entry.vers) } else { entry.vers.to_string() })
        .collect();
    if entries.len() > VERSIONS_SHOWN {
        names.push(format!("and {} older", entries.len() - VERSIONS_SHOWN));
    }
    names.join(", ")
}
