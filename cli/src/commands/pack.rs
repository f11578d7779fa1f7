//! `skill pack [DIR]`: the archive that `publish` would send, the same bytes on every machine.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use skills::manifest::Manifest;
use skills::tree::Tree;
use skills::{FilePath, Sha256, archive, lint};

use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::folder::{self, Folder};
use crate::ui::Answer;

/// Arguments of `skill pack`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The package's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Where to write the archive, instead of NAME-VERSION.tar.gz
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// List the files that belong to the package; writes only with `-o`
    #[arg(long)]
    list: bool,
    /// Write nothing; say what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Packs a folder and says its digests.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let folder = folder::read(&args.folder)?;
    let bytes = archive::pack(&folder.tree).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
    warn_of_errors(context, &folder);
    let target = match args.output {
        Some(path) => Some(path),
        None if args.list => None,
        None => Some(default_target(&folder, context)?),
    };
    if let Some(target) = &target {
        refuse_inside(target, &folder)?;
        if !args.dry_run {
            write(target, &bytes)?;
        }
        let verb = if args.dry_run { "would write" } else { "wrote" };
        context.ui.note(format!("{verb} {}", target.display()));
    }
    Ok(answer(&folder.tree, &bytes, target.as_deref(), args.list))
}

fn warn_of_errors(context: &Context, folder: &Folder) {
    let findings = lint::lint(&folder.tree, folder.name.as_deref());
    let errors = findings.iter().filter(|finding| finding.level == lint::Level::Error).count();
    if errors > 0 {
        let plural = if errors == 1 { "error" } else { "errors" };
        context.ui.warn(format!("{errors} lint {plural}: this archive cannot be published; `skill lint` says why"));
    }
}

/// In the current folder; where that is the package itself, beside it, or the next archive would
/// hold this one.
fn default_target(folder: &Folder, context: &Context) -> Result<PathBuf, Failure> {
    let manifest = folder.tree.file("skill.toml").and_then(|file| Manifest::parse(&file.bytes).ok());
    let name = match manifest {
        Some(manifest) => format!("{}-{}.tar.gz", manifest.name.name(), manifest.version.number()),
        None => format!("{}.tar.gz", folder.name.as_deref().unwrap_or("skill")),
    };
    let root = std::fs::canonicalize(&folder.path).on("read", &folder.path)?;
    let inside = context.cwd()?.canonicalize().is_ok_and(|here| here.starts_with(&root));
    Ok(if inside { root.parent().unwrap_or(&root).join(name) } else { PathBuf::from(name) })
}

/// An archive in its own folder would be packed into the next one: no two would be the same.
fn refuse_inside(target: &Path, folder: &Folder) -> Result<(), Failure> {
    let root = std::fs::canonicalize(&folder.path).on("read", &folder.path)?;
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = std::fs::canonicalize(parent).on("write into", parent)?;
    let inside = parent.strip_prefix(&root).ok().zip(target.file_name());
    let path = inside.and_then(|(parent, name)| FilePath::parse(parent.join(name).to_str()?).ok());
    match path {
        Some(path) if would_pack(&path, &folder.tree) => Err(Failure::usage(
            "output-inside",
            format!("`{}` lies in the folder that is packed, and would be part of the next archive", target.display()),
        )
        .hint("write it elsewhere with `-o ../FILE`, or `exclude` it in skill.toml")),
        _ => Ok(()),
    }
}

fn would_pack(path: &FilePath, tree: &Tree) -> bool {
    let manifest = tree.file("skill.toml").and_then(|file| Manifest::parse(&file.bytes).ok());
    manifest.map_or_else(|| skills::manifest::packs_by_default(path), |manifest| manifest.packs(path))
}

fn write(target: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut staged = builder.prefix(".pack-").tempfile_in(parent).on("write into", parent)?;
    staged.write_all(bytes).on("write", target)?;
    staged.persist(target).map_err(|error| Failure::io("write", target, &error.error))?;
    Ok(())
}

fn answer(tree: &Tree, bytes: &[u8], target: Option<&Path>, list: bool) -> Answer {
    let mut text = if list { list_files(tree) } else { String::new() };
    let archive = Sha256::of(bytes);
    let count = tree.files().len();
    let plural = if count == 1 { "file" } else { "files" };
    let _ = write!(
        text,
        "archive  {archive}\ntree     {}\nsize     {} bytes, {count} {plural}\n",
        tree.digest(),
        bytes.len()
    );
    let data =
        json!({"archive": archive, "tree": tree.digest(), "size": bytes.len(), "path": target, "files": files(tree)});
    Answer::new(text, data)
}

/// One line a file: mode, size, path.
pub(super) fn list_files(tree: &Tree) -> String {
    let line = |file: &skills::tree::File| format!("{:o} {:>9}  {}\n", file.mode.bits(), file.bytes.len(), file.path);
    tree.files().iter().map(line).collect()
}

/// The files of a tree as JSON.
pub(super) fn files(tree: &Tree) -> Vec<Value> {
    let with_size = tree.resources().into_iter().zip(tree.files());
    with_size
        .map(|(resource, file)| json!({"path": resource.path, "mode": resource.mode, "size": file.bytes.len(), "digest": resource.digest}))
        .collect()
}
