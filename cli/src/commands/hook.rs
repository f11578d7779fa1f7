//! `skill hook eval`: the fallback where a client's own rules do not reach (FORMATS §4).
//!
//! A client that is told to (`[tools] runtime-hook = true`) starts this before every tool call, with the call
//! as JSON on stdin. The answer is `deny`, `ask` or nothing, in the client's own words: never `allow`, which
//! would widen what the client itself decides. Whatever cannot be read, a call, a lock, a bundle that
//! somebody edited, is a denial: a guard that lets pass what it does not understand is none.

mod answer;
mod call;
mod decide;

use std::io::Read;
use std::path::{Component, Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};
use skills::PackageName;
use skills::manifest::{Kind, Kinded};
use skills::tools::Bundle;

use self::answer::Said;
use self::call::Call;
use self::decide::Files;
use crate::clients::Client;
use crate::context::Context;
use crate::failure::Failure;
use crate::installed;
use crate::project::Project;
use crate::ui::Answer;

/// Largest call in bytes: a file that is written is in it.
const CALL_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Arguments of `skill hook`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Do,
}

#[derive(Debug, Subcommand)]
enum Do {
    /// Judge one tool call, read from stdin, by the installed bundles
    Eval(Eval),
}

/// Arguments of `skill hook eval`.
#[derive(Debug, ClapArgs)]
struct Eval {
    /// Who asks, and how the answer is worded
    #[arg(long, value_name = "CLIENT")]
    client: String,
}

/// Answers one call.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let Do::Eval(args) = args.action;
    let client = Client::named(&args.client)?;
    let text = read_call();
    let said = match &text {
        Ok(call) => judge(client, call, context).unwrap_or_else(|failure| Some(Said::deny(failure.message))),
        Err(why) => Some(Said::deny(format!("the tool call cannot be read: {why}"))),
    };
    let event = text.ok();
    let answer = answer::worded(client, event.as_ref(), said.as_ref());
    let text = answer.map(|answer| format!("{answer}\n")).unwrap_or_default();
    let data = said.map_or(Value::Null, |said| json!({"decision": said.effect.as_str(), "reason": said.reason}));
    Ok(Answer::new(text, data))
}

fn read_call() -> Result<Value, String> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(CALL_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let limit = usize::try_from(CALL_BYTES_MAX).unwrap_or(usize::MAX);
    skills::json::parse(&bytes, limit).map_err(|refusal| refusal.message)
}

fn judge(client: Client, call: &Value, context: &Context) -> Result<Option<Said>, Failure> {
    let call = Call::read(client, call).map_err(|why| Failure::usage("hook-call", why))?;
    let project = Project::find(context, false)?;
    let bundles = bundles(&project)?;
    let here = context.cwd()?;
    let root = project.root.canonicalize().unwrap_or_else(|_| project.root.clone());
    let resolve =
        |paths: &[String]| -> Vec<String> { paths.iter().flat_map(|path| places(&root, &here, path)).collect() };
    let files = match &call {
        Call::Files { read, changed } => Files { read: resolve(read), changed: resolve(changed) },
        Call::Command(_) | Call::Tool { .. } | Call::Other => Files::default(),
    };
    Ok(decide::decide(client, &bundles, &call, &files, &root.display().to_string()))
}

/// The installed bundles, unedited, under the names that their servers have here.
fn bundles(project: &Project) -> Result<Vec<(PackageName, Bundle)>, Failure> {
    let renames = project.wants()?.tools;
    let found = installed::all(project, &project.lock()?, Kind::Tools)?;
    let mut bundles = Vec::new();
    for manifest in found.into_iter().filter_map(|installed| installed.manifest) {
        if let Kinded::Tools(bundle) = manifest.kinded {
            let bundle = renames.renames(&manifest.name).bundle(&bundle)?;
            bundles.push((manifest.name, bundle));
        }
    }
    Ok(bundles)
}

/// Where a path is in the repository: as it is written, and where its links lead. What is not there yet is
/// where the folders lead that are.
fn places(root: &Path, here: &Path, path: &str) -> Vec<String> {
    let written = plain(&here.join(path));
    let followed = followed(&written);
    let inside = [written, followed].into_iter().filter_map(|path| {
        let below = path.strip_prefix(root).ok()?.components().map(|part| part.as_os_str().to_string_lossy());
        Some(below.collect::<Vec<_>>().join("/"))
    });
    inside.collect()
}

fn followed(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|parent| Some((parent, parent.canonicalize().ok()?)));
    match there {
        Some((parent, real)) => real.join(path.strip_prefix(parent).unwrap_or(Path::new(""))),
        None => path.to_owned(),
    }
}

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
        plain
    })
}

#[cfg(test)]
mod tests;
