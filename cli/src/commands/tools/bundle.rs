//! A bundle by its name, where it is installed, or by its folder.

use std::path::Path;

use skills::PackageName;
use skills::manifest::{Kinded, Manifest, SKILL_TOML};
use skills::tools::Bundle;

use crate::context::Context;
use crate::failure::Failure;
use crate::installed;
use crate::project::{Project, read_text};

/// Reads an installed bundle, unedited, or the manifest of a folder.
pub(super) fn open(text: &str, context: &Context) -> Result<(PackageName, Bundle), Failure> {
    let project = Project::find(context, false).ok();
    let lock = project.as_ref().map(Project::lock).transpose()?;
    if let (Some(project), Some(lock)) = (&project, &lock)
        && (lock.find(text).is_some() || !Path::new(text).is_dir())
    {
        let found = installed::find(project, lock, text)?;
        return of(found.manifest, text);
    }
    let folder = Path::new(text);
    if !folder.is_dir() {
        let seen = format!("`{}` is neither installed nor a folder", text.escape_debug());
        return Err(Failure::could_not("package-not-installed", seen)
            .hint("name an installed bundle as `scope/name`, or the folder of one"));
    }
    let text = read_text(&folder.join(SKILL_TOML), skills::limits::MANIFEST_BYTES_MAX)?;
    of(Some(Manifest::parse(text.as_bytes())?), &folder.display().to_string())
}

fn of(manifest: Option<Manifest>, text: &str) -> Result<(PackageName, Bundle), Failure> {
    match manifest.map(|manifest| (manifest.name, manifest.kinded)) {
        Some((name, Kinded::Tools(bundle))) => Ok((name, *bundle)),
        _ => Err(Failure::usage("not-a-bundle", format!("`{}` is not of kind `tools`", text.escape_debug()))),
    }
}
