//! The person's own folders and keys.

use std::path::Path;

use super::Finding;
use crate::context::Context;
use crate::credentials::Credentials;
use crate::failure::Failure;
use crate::keys::{KeyFile, KeyFolder};
use crate::private;

/// Whether the user-wide folders can be written, or made.
pub(super) fn folders(context: &Context) -> Vec<Finding> {
    let home = match context.home() {
        Ok(home) => home,
        Err(failure) => return vec![Finding::fail("home", failure)],
    };
    let folders = [("config", &home.config), ("cache", &home.cache), ("state", &home.state)];
    folders.into_iter().map(|(topic, folder)| writable(topic, folder)).collect()
}

/// Tried in the nearest folder that exists, with a file that has no name where the system can.
fn writable(topic: &'static str, folder: &Path) -> Finding {
    let nearest = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(folder);
    match tempfile::tempfile_in(nearest) {
        Ok(_) => Finding::ok(topic, folder.display().to_string()),
        Err(error) => {
            let failure = Failure::io("write into", nearest, &error);
            Finding::fail(topic, failure.hint("make it writable, or set SKILL_HOME to a folder that is"))
        }
    }
}

/// The keys and the credentials file: there, readable, and by nobody else.
pub(super) fn keys(context: &Context) -> Vec<Finding> {
    let Ok(home) = context.home() else { return Vec::new() };
    let mut findings = match KeyFolder::of(home).list() {
        Ok(keys) if keys.is_empty() => {
            vec![Finding::ok("keys", "none; only publishing needs one (`skill key generate`)")]
        }
        Ok(keys) => keys.iter().map(look_at_key).collect(),
        Err(failure) => vec![Finding::fail("keys", failure)],
    };
    if let Err(failure) = private::read(Credentials::of(home).path()) {
        findings.push(Finding::fail("token", failure));
    }
    findings
}

fn look_at_key(key: &KeyFile) -> Finding {
    match key.is_encrypted() {
        Err(failure) => Finding::fail("keys", failure),
        Ok(true) => Finding::ok("keys", format!("`{}`, encrypted", key.name)),
        Ok(false) => Finding::warn(
            "keys",
            format!("`{}` has no passphrase: whoever reads the file can sign as you", key.name),
            format!("`openssl pkcs8 -topk8 -scrypt -in {}` encrypts it", key.path.display()),
        ),
    }
}
