//! `skill brief render`: the text that an agent works by, and the document that programs read.
//!
//! On a terminal what is missing is asked for; elsewhere, and with `--check`, it is one error that
//! lists all of it. A file that somebody edited is not written over without `--force`.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};
use skills::boundary::Clearance;
use skills::brief::param::{Param, Values};
use skills::brief::template::OUTPUT_BYTES_MAX;
use skills::brief::{Params, Rendered, render_family};

use super::package;
use crate::cache::Cache;
use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::project::{Project, read_text};
use crate::ui::Answer;
use crate::{briefs, diary, shown};

/// Largest file of values, in bytes: every parameter at its largest fits.
const VALUES_BYTES_MAX: usize = 1024 * 1024;

/// Arguments of `skill brief render`.
#[derive(Debug, Args)]
pub(super) struct Render {
    /// An installed brief, or the folder of a brief's package
    brief: String,
    /// A parameter's value; a list with commas, or as JSON
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A TOML file of values; `--set` wins
    #[arg(long, value_name = "FILE")]
    values: Option<PathBuf>,
    /// What files and evidence call it; by default the ticket and the first text
    #[arg(long)]
    id: Option<String>,
    /// Where to write, instead of `.skill/briefs`
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where the packages lie that a folder's brief uses; beside it, if nothing is said
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Ask nothing and write nothing; print the text
    #[arg(long, visible_alias = "check")]
    dry_run: bool,
    /// Write over files that differ
    #[arg(long)]
    force: bool,
}

/// Reads, asks, renders, writes.
pub(super) fn run(args: &Render, context: &Context) -> Result<Answer, Failure> {
    let (package, origin) = package::open(&args.brief, args.from.as_deref(), context)?;
    let params = &package.tables.params;
    let mut given = given(&args.set, args.values.as_deref(), params)?;
    if context.ui.interactive() && !args.dry_run {
        ask(&params.missing(&given), &mut given)?;
    }
    let values = params.accept(&given)?;
    let project = Project::find_or_start(context, false)?;
    must_exist(&project.root, params, &values)?;
    let uses = package.uses(&origin)?.complete()?;
    let family = render_family(&package.source(&uses), &uses.library(), &values, args.id.as_deref());
    let family = family.map_err(of_refusal)?;
    for finding in family.iter().flat_map(|rendered| &rendered.warnings) {
        let line = finding.line.map(|line| format!(" line {line}")).unwrap_or_default();
        context.ui.warn(format!("{}{line}: {} {}", finding.file, finding.code, finding.message));
    }
    hold_to_policy(&project, &family)?;
    let folder = match &args.out {
        Some(out) => out.clone(),
        None => {
            refuse_closed(&project, &family)?;
            briefs::folder(&project.root)?
        }
    };
    let answer = answer(args, &folder, &family)?;
    if let Ok(home) = context.home()
        && !args.dry_run
    {
        package::remember(&package, &uses, &Cache::new(&home.cache));
    }
    diary::note_override(&project, args.force && !args.dry_run, "brief render", "--force");
    Ok(answer)
}

/// What a parameter names has to be there.
pub(super) fn must_exist(root: &Path, params: &Params, values: &Values) -> Result<(), Failure> {
    for (name, path) in params.must_exist(values) {
        if std::fs::symlink_metadata(root.join(path)).is_err() {
            let seen = format!("`{name}` has to be there, and there is no `{path}`");
            return Err(Failure::could_not("param-refused", seen));
        }
    }
    Ok(())
}

/// What the repository's own policy says about packages, data and environments holds for briefs, too.
pub(super) fn hold_to_policy(project: &Project, family: &[Rendered]) -> Result<(), Failure> {
    let policy = project.wants()?.policy;
    for document in family.iter().map(|rendered| &rendered.document) {
        let boundary = &document.boundary;
        let asked = Clearance {
            task_class: vec![boundary.task_class.clone()],
            environment: vec![boundary.environment.clone()],
            data_class: boundary.data_class,
            approval: boundary.approval,
        };
        policy.admits(&document.from.package, true)?;
        policy.clears(&document.from.package, &asked)?;
    }
    Ok(())
}

/// Evidence and outcome go by the id: one that is closed stays closed.
fn refuse_closed(project: &Project, family: &[Rendered]) -> Result<(), Failure> {
    for rendered in family {
        if let Ok(briefs::Shelved { outcome: Some(closed), .. }) = briefs::find(project, &rendered.document.id) {
            return Err(briefs::is_closed(&closed));
        }
    }
    Ok(())
}

/// What the boundary or lint refuses is a failed check; everything else is wrong usage.
pub(super) fn of_refusal(refusal: skills::Refusal) -> Failure {
    let failed = matches!(refusal.code, "brief-boundary" | "brief-lint");
    Failure::of(if failed { Exit::Failed } else { Exit::Usage }, refusal)
}

/// The text and the document of a brief, each with its path.
pub(super) fn files(folder: &Path, rendered: &Rendered) -> [(PathBuf, String); 2] {
    let document = &rendered.document;
    [
        (folder.join(format!("{}.brief.md", document.id)), rendered.markdown.clone()),
        (folder.join(format!("{}.brief.json", document.id)), document.to_pretty()),
    ]
}

/// Writes the briefs; the parent is the answer, its children stand beside it.
fn answer(args: &Render, folder: &Path, family: &[Rendered]) -> Result<Answer, Failure> {
    let all: Vec<(PathBuf, String)> = family.iter().flat_map(|rendered| files(folder, rendered)).collect();
    if !args.dry_run {
        write(&all, args.force)?;
    }
    let paths: Vec<String> = all.iter().map(|(path, _)| path.display().to_string()).collect();
    let texts: Vec<&str> = family.iter().map(|rendered| rendered.markdown.as_str()).collect();
    let text = if args.dry_run { shown::text(&texts.join("\n")) } else { format!("{}\n", paths.join("\n")) };
    let parent = &family[0];
    let children: Vec<Value> = family[1..]
        .iter()
        .map(|child| json!({"id": child.document.id, "digest": child.document.digest(), "markdown": child.markdown}))
        .collect();
    let data = json!({
        "id": parent.document.id, "digest": parent.document.digest(), "files": paths, "dry_run": args.dry_run,
        "markdown": parent.markdown, "brief": parent.document, "children": children,
    });
    Ok(Answer::new(text, data))
}

/// The values of the file, then those of the command line.
pub(super) fn given(set: &[String], values: Option<&Path>, params: &Params) -> Result<Map<String, Value>, Failure> {
    let mut given = Map::new();
    if let Some(path) = values {
        if !path.exists() {
            return Err(Failure::could_not("file-missing", format!("there is no `{}`", path.display())));
        }
        let text = read_text(path, VALUES_BYTES_MAX)?;
        given = toml::from_str(&text).map_err(|error| {
            Failure::usage("values-malformed", format!("`{}`: {}", path.display(), error.message()))
        })?;
    }
    for pair in set {
        let Some((name, text)) = pair.split_once('=') else {
            let seen = format!("`--set {}` has no `=`", shown::line(pair, 60));
            return Err(Failure::usage("set-malformed", seen).hint("`--set NAME=VALUE`"));
        };
        let value = params.named(name).map_or_else(|| text.into(), |param| param.read(text));
        given.insert(name.to_owned(), value);
    }
    Ok(given)
}

/// Asks for each in turn; an empty line leaves it missing, and the one error says so.
fn ask(missing: &[&Param], given: &mut Map<String, Value>) -> Result<(), Failure> {
    let could_not = |error: std::io::Error| Failure::could_not("io", format!("could not ask: {error}"));
    for param in missing {
        let description = param.table.description.as_deref().map(|text| format!(" ({})", shown::line(text, 76)));
        eprint!("{}{}: ", param.name, description.unwrap_or_default());
        std::io::stderr().flush().map_err(could_not)?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(could_not)?;
        if !line.trim().is_empty() {
            given.insert(param.name.clone(), param.read(line.trim()));
        }
    }
    Ok(())
}

/// Looks at all files before it writes one; each is whole, or as it was.
pub(super) fn write(files: &[(PathBuf, String)], force: bool) -> Result<(), Failure> {
    let mut changed = Vec::new();
    for (path, text) in files {
        let is_there = std::fs::symlink_metadata(path).is_ok();
        let same = is_there && read_text(path, 4 * OUTPUT_BYTES_MAX).is_ok_and(|old| old == *text);
        if is_there && !same && !force {
            let seen = format!("`{}` is there and differs", path.display());
            return Err(
                Failure::could_not("file-exists", seen).hint("`--id` gives another name, `--force` writes over it")
            );
        }
        if !same {
            changed.push((path, text));
        }
    }
    for (path, text) in changed {
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).on("create", folder)?;
        let mut staged = tempfile::Builder::new().prefix(".brief-").tempfile_in(folder).on("write into", folder)?;
        staged.write_all(text.as_bytes()).on("write", path)?;
        open_to_readers(&staged)?;
        staged.persist(path).map_err(|error| Failure::io("write", path, &error.error))?;
    }
    Ok(())
}

/// Staged files are private; a brief is read by everybody who works here.
#[cfg(unix)]
fn open_to_readers(staged: &tempfile::NamedTempFile) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    staged.as_file().set_permissions(std::fs::Permissions::from_mode(0o644)).on("write", staged.path())
}

#[cfg(not(unix))]
fn open_to_readers(_: &tempfile::NamedTempFile) -> Result<(), Failure> {
    Ok(())
}
