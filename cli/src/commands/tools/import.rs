//! `skill tools import`: the draft of a bundle, from what a server says about itself.
//!
//! Reads `server.json` of the MCP registry, `manifest.json` of an MCP bundle, `.mcp.json` of a repository and
//! `server.yaml` of Docker's catalogue. None of them says what a tool does to the world, so each is `mutate`
//! until the author says otherwise; and what only the author can know stands as `TODO`, which `skill lint`
//! refuses. A version that is not exact, and a value where a variable's name belongs, are refused here: the
//! draft itself is read by the manifest's own reader, with every `TODO` filled in.

mod draft;
mod sources;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use skills::PackageName;

use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::project::{Regular, read_regular};
use crate::shown;
use crate::ui::Answer;

/// Largest file read, in bytes.
const SOURCE_BYTES_MAX: usize = 1024 * 1024;

/// Arguments of `skill tools import`.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// A `server.json`, `manifest.json`, `server.yaml` or `.mcp.json`
    file: PathBuf,
    /// The new folder of the draft
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// The package's name
    #[arg(long, value_name = "SCOPE/NAME", default_value = "local/tools-imported")]
    name: String,
    /// Print the draft and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Reads, drafts, judges the draft, writes.
pub(super) fn run(args: &Import, context: &Context) -> Result<Answer, Failure> {
    let name = PackageName::parse(&args.name)?;
    let bytes = read(&args.file)?;
    let is_yaml = args.file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let draft = sources::read(&bytes, is_yaml).map_err(|why| malformed(&args.file, &why))?;
    draft.check(&name).map_err(|refusal| Failure::of(Exit::Usage, refusal).at(args.file.display()))?;
    let text = draft.text(&name);
    let path = args.output.join("skill.toml");
    if !args.dry_run {
        write(&args.output, &path, &text)?;
    }
    context.ui.note("what only its author can know stands as TODO; `skill lint` refuses the draft until it is said");
    let data = json!({"package": name.to_string(), "file": path.display().to_string(),
                      "todo": text.matches("TODO").count(), "manifest": text, "dry_run": args.dry_run});
    let shown = if args.dry_run { shown::text(&text) } else { format!("{}\n", path.display()) };
    Ok(Answer::new(shown, data))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    match read_regular(path, SOURCE_BYTES_MAX).on("read", path)? {
        Regular::Bytes(bytes) => Ok(bytes),
        Regular::Absent => Err(Failure::could_not("file-missing", format!("there is no `{}`", path.display()))),
        Regular::NotAFile => Err(Failure::usage("not-a-file", format!("`{}` is not a regular file", path.display()))),
        Regular::TooLarge => Err(Failure::usage(
            "file-too-large",
            format!("`{}` has more than {SOURCE_BYTES_MAX} bytes", path.display()),
        )),
    }
}

fn malformed(path: &Path, why: &str) -> Failure {
    Failure::usage("import-malformed", format!("`{}` cannot be imported: {why}", path.display()))
}

fn write(folder: &Path, path: &Path, text: &str) -> Result<(), Failure> {
    if folder.symlink_metadata().is_ok() {
        return Err(Failure::could_not("target-exists", format!("`{}` is already there", folder.display()))
            .hint("a draft is written into a new folder"));
    }
    std::fs::create_dir_all(folder).on("create", folder)?;
    std::fs::write(path, text).on("write", path)
}

#[cfg(test)]
mod tests;
