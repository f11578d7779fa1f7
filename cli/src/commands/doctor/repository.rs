//! The repository around us: its files, its Git settings, the agents used in it, and what the
//! installed skills say that they need.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use index::lock::{Lock, Source};
use skills::limits::MANIFEST_BYTES_MAX;
use skills::manifest::{Manifest, Requires};

use super::Finding;
use crate::agents::{self, CANONICAL};
use crate::context::Context;
use crate::place;
use crate::project::{Project, read_text};
use crate::shown;
use crate::trust::{TRUST_PATH, Trust};

/// Everything that can be said about the repository.
pub(super) fn look(context: &Context) -> Vec<Finding> {
    let Ok(project) = Project::find(context, false) else {
        return vec![Finding::ok("project", "no skills.toml here; `skill init` starts one")];
    };
    let mut findings = vec![wants(&project), trust(&project)];
    if place::interrupted(&project) {
        let seen = "an interrupted run left a change half done; the next command that changes something finishes it";
        findings.push(Finding::warn("project", seen, "run `skill install`"));
    }
    findings.push(agents_found(&project));
    findings.extend(git(&project));
    match project.lock() {
        Ok(lock) => {
            findings.push(Finding::ok("lock", format!("{} skills", lock.skills.len())));
            findings.extend(requirements(&project, &lock));
        }
        Err(failure) => findings.push(Finding::fail("lock", failure)),
    }
    findings
}

fn wants(project: &Project) -> Finding {
    match project.wants() {
        Ok(wants) => {
            Finding::ok("project", format!("{}, {} skills wanted", project.root.display(), wants.skills.len()))
        }
        Err(failure) => Finding::fail("project", failure),
    }
}

fn trust(project: &Project) -> Finding {
    match Trust::read(project) {
        Ok(trust) if trust.text.is_empty() => Finding::ok("trust", format!("no {TRUST_PATH} yet: nothing is trusted")),
        Ok(_) => Finding::ok("trust", format!("{TRUST_PATH} can be read")),
        Err(failure) => Finding::fail("trust", failure),
    }
}

fn agents_found(project: &Project) -> Finding {
    let names: Vec<&str> = agents::found(&project.places).iter().map(|agent| agent.name).collect();
    let shown = if names.is_empty() { "none has a folder of its own here".to_owned() } else { names.join(", ") };
    Finding::ok("agents", format!("{shown}; every agent that reads {CANONICAL} is served"))
}

/// Git that converts line ends changes vendored skills on checkout, and `verify` will say so.
fn git(project: &Project) -> Option<Finding> {
    let converts = ask_git(project, &["config", "--get", "core.autocrlf"]).is_some_and(|value| value != "false");
    let probe = format!("{CANONICAL}/probe/SKILL.md");
    let attribute = ask_git(project, &["check-attr", "text", "--", &probe])?;
    if attribute.ends_with(": unset") {
        return Some(Finding::ok("git", format!("line ends in {CANONICAL} are left alone")));
    }
    let hint = format!("add `{CANONICAL}/** -text` and `.skill/proofs/** -text` to .gitattributes");
    Some(match converts {
        true => Finding::warn("git", "core.autocrlf converts line ends: installed skills would fail `verify`", hint),
        false => Finding::ok("git", format!("no conversion on this machine; for others, {hint}")),
    })
}

/// One line of Git's answer; `None` where there is no Git, no work tree, or no answer.
fn ask_git(project: &Project, arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(&project.root).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
    let output = git.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What the installed skills need of this machine. Programs are looked for and never run: a
/// stranger's manifest names them.
fn requirements(project: &Project, lock: &Lock) -> Vec<Finding> {
    let (mut bins, mut env) = (BTreeMap::new(), BTreeMap::new());
    for skill in &lock.skills {
        let folder = match &skill.source {
            Source::Path { path } => project.root.join(path),
            Source::Registry { .. } => project.places.join(CANONICAL).join(skill.folder.as_str()),
        };
        for (wanted, found) in read_requires(&folder)
            .map(|requires| [(requires.bins, &mut bins), (requires.env, &mut env)])
            .into_iter()
            .flatten()
        {
            for need in wanted {
                found.entry(need).or_insert_with(Vec::new).push(skill.name.to_string());
            }
        }
    }
    let programs = bins.iter().map(|(need, by)| program(need, &by.join(", ")));
    programs.chain(env.iter().map(|(name, by)| variable(name, &by.join(", ")))).collect()
}

fn read_requires(folder: &Path) -> Option<Requires> {
    let text = read_text(&folder.join("skill.toml"), MANIFEST_BYTES_MAX).ok()?;
    Manifest::parse(text.as_bytes()).ok().map(|manifest| manifest.requires)
}

fn program(need: &str, by: &str) -> Finding {
    let (name, version) = need.split_once(char::is_whitespace).unwrap_or((need, ""));
    let shown = shown::line(need, 60);
    if !on_path(name) {
        return Finding::warn(
            "needs",
            format!("`{shown}` is not on PATH; needed by {by}"),
            "install it, or expect the skill to fail",
        );
    }
    let unchecked = if version.is_empty() { "" } else { ", its version was not looked at" };
    Finding::ok("needs", format!("`{shown}` is on PATH{unchecked}"))
}

fn on_path(name: &str) -> bool {
    let plain = !name.is_empty() && !name.contains(['/', '\\']);
    let endings: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
    let path = std::env::var_os("PATH").unwrap_or_default();
    plain
        && std::env::split_paths(&path)
            .any(|folder| endings.iter().any(|ending| folder.join(format!("{name}{ending}")).is_file()))
}

fn variable(name: &str, by: &str) -> Finding {
    let shown = shown::line(name, 60);
    match std::env::var_os(name) {
        Some(_) => Finding::ok("needs", format!("{shown} is set")),
        None => {
            Finding::warn("needs", format!("{shown} is not set; needed by {by}"), "set it in the agent's environment")
        }
    }
}
