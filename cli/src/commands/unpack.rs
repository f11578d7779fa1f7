//! `skill unpack FILE`: what an archive holds, read by the very reader that the registry and
//! `install` use.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;
use skills::limits::ARCHIVE_BYTES_MAX;
use skills::{Sha256, archive};

use super::pack;
use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::folder;
use crate::ui::Answer;

/// Arguments of `skill unpack`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The archive
    file: PathBuf,
    /// The folder to make, instead of one named like the archive
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write nothing; check the archive and say what would be written
    #[arg(long)]
    dry_run: bool,
}

/// Checks an archive and writes its files into a new folder.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let bytes = read_archive(&args.file)?;
    let tree = archive::unpack(&bytes).map_err(|refusal| Failure::of(Exit::Failed, refusal).at(args.file.display()))?;
    let target = args.output.map_or_else(|| default_target(&args.file), Ok)?;
    folder::check_free(&target)?;
    if !args.dry_run {
        folder::write_new(&tree, &target)?;
    }
    let verb = if args.dry_run { "would write" } else { "wrote" };
    context.ui.note(format!("{verb} {} files into {}", tree.files().len(), target.display()));
    let (archive, digest) = (Sha256::of(&bytes), tree.digest());
    let text = format!("{}archive  {archive}\ntree     {digest}\n", pack::list_files(&tree));
    let data = json!({"archive": archive, "tree": digest, "path": target, "files": pack::files(&tree), "dry_run": args.dry_run});
    Ok(Answer::new(text, data))
}

/// Reads an archive of at most the size that anybody accepts.
pub(super) fn read_archive(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = std::fs::File::open(path).on("read", path)?;
    let mut bytes = Vec::new();
    file.take(ARCHIVE_BYTES_MAX + 1).read_to_end(&mut bytes).on("read", path)?;
    if bytes.len() as u64 > ARCHIVE_BYTES_MAX {
        let seen =
            format!("`{}` has more than {ARCHIVE_BYTES_MAX} bytes, the most that an archive may have", path.display());
        return Err(Failure::new(Exit::Failed, "archive-too-large", seen));
    }
    Ok(bytes)
}

fn default_target(file: &Path) -> Result<PathBuf, Failure> {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = [".tar.gz", ".tgz"].iter().find_map(|ending| name.strip_suffix(ending));
    stem.filter(|stem| !stem.is_empty()).map(PathBuf::from).ok_or_else(|| {
        Failure::usage(
            "output-missing",
            format!("`{}` does not end in .tar.gz, so the folder has no name", file.display()),
        )
        .hint("name the folder with `-o DIR`")
    })
}
