//! `skill diff`: what somebody edited, or what a new version changes.
//!
//! With one name: the installed files against what was published. With two: any two of an exact
//! version, a folder, an archive. It shows; it decides nothing and trusts nothing.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::Path;

use index::entry::Entry;
use index::lock::{LinkKind, Lock, LockedSkill, Source};
use serde_json::json;
use skills::limits::ARCHIVE_BYTES_MAX;
use skills::placed::placed;
use skills::tree::{File, Mode, Tree};
use skills::{PackageName, Sha256, Version, archive};

use crate::agents::CANONICAL;
use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::folder;
use crate::install::fetch_catalogue;
use crate::place::read_tree;
use crate::project::Project;
use crate::registries::{Registries, Registry, out_of_reach};
use crate::shown;
use crate::trust::Trust;
use crate::ui::Answer;
use crate::wants::Wants;

/// Arguments of `skill diff`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An installed skill; or with B, `scope/name@version`, a folder `./path` or an archive
    #[arg(value_name = "A")]
    a: String,
    /// What to compare it with
    #[arg(value_name = "B")]
    b: Option<String>,
    /// For the user instead of a repository
    #[arg(short, long)]
    global: bool,
}

/// Two trees, by the names to show.
struct Sides {
    before: (String, Tree),
    after: (String, Tree),
}

/// Prints a unified diff.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let sides = match &args.b {
        Some(b) => Sides { before: side(context, &args.a)?, after: side(context, b)? },
        None => installed(context, &args)?,
    };
    let (text, paths) = compare(&sides);
    if paths.is_empty() {
        context.ui.note("no difference");
    }
    // A file may hold what a terminal obeys; a pipe gets it as it is, so that it can be applied.
    let text = if std::io::stdout().is_terminal() { shown::text(&text) } else { text };
    Ok(Answer::new(text, json!({ "before": sides.before.0, "after": sides.after.0, "changed": paths })))
}

/// What was published, and what stands on the disk.
fn installed(context: &Context, args: &Args) -> Result<Sides, Failure> {
    let project = Project::find(context, args.global)?;
    let lock = project.lock()?;
    let skill = lock.find(&args.a).ok_or_else(|| {
        Failure::could_not("not-installed", format!("skills.lock does not have `{}`", args.a))
            .hint("`skill list` shows what is installed; `skill diff A B` compares any two")
    })?;
    let before = match &skill.source {
        Source::Path { path } => folder::read(&project.root.join(path))?.tree,
        Source::Registry { registry, archive, .. } => {
            let wants = project.wants()?;
            let registries = Registries::new(context, &wants);
            let bytes = context
                .block_on(async { fetch_archive(&registries, &*registries.named(registry).await?, archive).await })?;
            archive::unpack(&bytes).map_err(|refusal| Failure::of(Exit::Failed, refusal))?
        }
    };
    // As it was placed: under its installed name, with what installing adds.
    let before = placed(&before, skill.name.name(), &skill.folder)?;
    let after = edited_place(&project, &lock, skill, &before)?;
    Ok(Sides { before: (format!("{}@{}", skill.name, skill.version), before), after })
}

/// The first place of a skill that differs from what was placed: the canonical folder, or an
/// agent's copy of it. Where none does, the canonical one.
fn edited_place(
    project: &Project,
    lock: &Lock,
    skill: &LockedSkill,
    expected: &Tree,
) -> Result<(String, Tree), Failure> {
    let canonical = format!("{CANONICAL}/{}", skill.folder);
    let copies = lock.written.iter().filter(|row| row.folder == skill.folder && row.link == LinkKind::Copy);
    for place in std::iter::once(&canonical).chain(copies.map(|row| &row.path)) {
        let tree = read_tree(&project.places.join(place))?;
        if tree != *expected {
            return Ok((place.clone(), tree));
        }
    }
    let tree = read_tree(&project.places.join(&canonical))?;
    Ok((canonical, tree))
}

/// One side of `diff A B`.
fn side(context: &Context, text: &str) -> Result<(String, Tree), Failure> {
    let path = Path::new(text);
    if path.is_dir() {
        return Ok((text.to_owned(), folder::read(path)?.tree));
    }
    if path.is_file() {
        let bytes = std::fs::read(path).on("read", path)?;
        return Ok((
            text.to_owned(),
            archive::unpack(&bytes).map_err(|refusal| Failure::of(Exit::Failed, refusal).at(text))?,
        ));
    }
    let malformed = || {
        Failure::usage(
            "usage",
            format!("`{}` is neither a folder, nor an archive, nor `scope/name@version`", text.escape_debug()),
        )
    };
    let (name, version) = text.trim_start_matches('@').split_once('@').ok_or_else(malformed)?;
    published(context, &PackageName::parse(name)?, &Version::parse(version)?)
}

fn published(context: &Context, name: &PackageName, version: &Version) -> Result<(String, Tree), Failure> {
    let (wants, policy) = match Project::find(context, false) {
        Ok(project) => (project.wants()?, Trust::read(&project)?.policy),
        Err(_) => (Wants::default(), index::policy::Policy::empty()),
    };
    let registries = Registries::new(context, &wants);
    let bytes = context.block_on(async {
        let catalogue = fetch_catalogue([name.clone()], &registries, &policy).await?;
        let entry =
            catalogue.get(name).and_then(|entries| entries.iter().find(|entry: &&Entry| entry.vers == *version));
        let entry = entry.ok_or_else(|| {
            Failure::could_not("release-missing", format!("the registry has no {name} {version}"))
                .hint(format!("`skill info {name}` lists its versions"))
        })?;
        fetch_archive(&registries, &*registries.of(name, &policy).await?, &entry.cksum).await
    })?;
    Ok((format!("{name}@{version}"), archive::unpack(&bytes).map_err(|refusal| Failure::of(Exit::Failed, refusal))?))
}

async fn fetch_archive(registries: &Registries<'_>, registry: &Registry, digest: &Sha256) -> Result<Vec<u8>, Failure> {
    if let Some(bytes) = registries.cache().and_then(|cache| cache.archive(digest)) {
        return Ok(bytes);
    }
    let path = index::urls::archive(digest);
    let client = registry.client.as_ref().ok_or_else(|| out_of_reach(registry, &path))?;
    let bytes_max = usize::try_from(ARCHIVE_BYTES_MAX).unwrap_or(usize::MAX);
    let bytes = client.fetch(&path, bytes_max).await?.ok_or_else(|| out_of_reach(registry, &path))?;
    if Sha256::of(&bytes) != *digest {
        return Err(Failure::new(
            Exit::Failed,
            "SKV001",
            format!("the archive served has the digest {}, expected {digest}", Sha256::of(&bytes)),
        ));
    }
    Ok(bytes.to_vec())
}

/// The diff, and the paths that differ.
fn compare(sides: &Sides) -> (String, Vec<String>) {
    let by_path =
        |tree: &Tree| tree.files().iter().map(|file| (file.path.to_string(), file.clone())).collect::<BTreeMap<_, _>>();
    let (before, after) = (by_path(&sides.before.1), by_path(&sides.after.1));
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    let mut text = String::new();
    let mut changed = Vec::new();
    for path in paths {
        let (a, b) = (before.get(path), after.get(path));
        if a == b {
            continue;
        }
        changed.push(path.clone());
        write_file_diff(&mut text, path, a, b);
    }
    (text, changed)
}

fn write_file_diff(text: &mut String, path: &str, before: Option<&File>, after: Option<&File>) {
    let mode =
        |file: Option<&File>| file.map_or("absent", |file| if file.mode == Mode::Executable { "755" } else { "644" });
    if mode(before) != mode(after) {
        writeln!(text, "{path}: {} -> {}", mode(before), mode(after)).expect("writing to a string");
    }
    let bytes = |file: Option<&File>| file.map(|file| file.bytes.clone()).unwrap_or_default();
    let (a, b) = (bytes(before), bytes(after));
    match (String::from_utf8(a), String::from_utf8(b)) {
        (Ok(a), Ok(b)) if a != b => {
            let patch = diffy::DiffOptions::new()
                .set_original_filename(format!("a/{path}"))
                .set_modified_filename(format!("b/{path}"))
                .create_patch(&a, &b)
                .to_string();
            text.push_str(&patch);
        }
        (Ok(_), Ok(_)) => {}
        _ => writeln!(text, "{path}: binary files differ").expect("writing to a string"),
    }
}
