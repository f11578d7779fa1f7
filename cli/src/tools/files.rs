//! Clients' configuration files on the disk: read to be edited, or the reason why not.
//!
//! A link is never followed and never replaced, a file that its owner made read-only stays as it is,
//! and nothing is read through a folder that leads elsewhere.

use std::io::ErrorKind;
use std::path::Path;

use skills::Refusal;

use super::reconcile::{Files, Found};
use crate::edits::CONFIG_BYTES_MAX;
use crate::failure::{Failure, OnPath};
use crate::project::{Project, Regular, read_regular};

/// Reads every file of these paths.
pub(super) fn read<'p>(project: &Project, paths: impl Iterator<Item = &'p str>) -> Result<Files, Failure> {
    let mut files = Files::new();
    for path in paths {
        if !files.contains_key(path) {
            files.insert(path.to_owned(), read_one(&project.places, path)?);
        }
    }
    Ok(files)
}

fn read_one(root: &Path, path: &str) -> Result<Found, Failure> {
    if let Some(refusal) = blocked_on_the_way(root, path) {
        return Ok(Found::Blocked(refusal));
    }
    let target = root.join(path);
    let is_read_only = match target.symlink_metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Absent),
        metadata => metadata.on("look at", &target)?.permissions().readonly(),
    };
    Ok(match read_regular(&target, CONFIG_BYTES_MAX).on("read", &target)? {
        Regular::Absent => Found::Absent,
        Regular::NotAFile => Found::Blocked(blocked(path, "is a link or a folder, and not a file")),
        Regular::TooLarge => Found::Blocked(blocked(path, "is larger than any file that is edited")),
        Regular::Bytes(_) if is_read_only => Found::Blocked(blocked(path, "is read-only")),
        Regular::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Found::Text(text),
            Err(_) => Found::Blocked(blocked(path, "is not UTF-8")),
        },
    })
}

/// A link, or anything but a folder, between the project and the file.
fn blocked_on_the_way(root: &Path, path: &str) -> Option<Refusal> {
    let parents = Path::new(path).ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty());
    let is_wrong = |parent: &&Path| root.join(parent).symlink_metadata().is_ok_and(|metadata| !metadata.is_dir());
    parents
        .into_iter()
        .find(is_wrong)
        .map(|parent| blocked(&parent.display().to_string(), "is a link or a file, and not a folder"))
}

fn blocked(path: &str, why: &str) -> Refusal {
    Refusal::new("tools-config-blocked", format!("`{path}` {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_a_writable_file_that_is_really_there_is_read() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = tempfile::tempdir().expect("a folder");
        let here = home.path();
        let write = |path: &str, bytes: &[u8]| {
            std::fs::create_dir_all(here.join(path).parent().expect("a parent")).expect("made");
            std::fs::write(here.join(path), bytes).expect("written");
        };
        let seen = |path: &str| match read_one(here, path).expect("looked at") {
            Found::Blocked(refusal) => refusal.message,
            found => format!("{found:?}"),
        };
        write(".claude/settings.json", b"{}");
        write("elsewhere/settings.json", b"{}");
        symlink("elsewhere", here.join(".cursor")).expect("linked");
        symlink(".claude/settings.json", here.join(".mcp.json")).expect("linked");
        std::fs::create_dir_all(here.join(".vscode/mcp.json")).expect("made");
        write(".codex", b"");
        write(".gemini/settings.json", b"{}");
        std::fs::set_permissions(here.join(".gemini/settings.json"), PermissionsExt::from_mode(0o444)).expect("set");
        write(".opencode/opencode.json", b"\xff\xfe{}");
        for (path, expected) in [
            (".claude/settings.json", "Text"),
            (".claude/other.json", "Absent"),
            (".none/other.json", "Absent"),
            (".mcp.json", "`.mcp.json` is a link"),
            (".cursor/mcp.json", "`.cursor` is a link"),
            (".cursor/settings.json", "`.cursor` is a link"),
            (".vscode/mcp.json", "is a link or a folder"),
            (".codex/config.toml", "`.codex` is a link or a file"),
            (".gemini/settings.json", "read-only"),
            (".opencode/opencode.json", "not UTF-8"),
        ] {
            assert!(seen(path).contains(expected), "{path}: {}", seen(path));
        }
    }
}
