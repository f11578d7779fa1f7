//! `skill check run`: a check of an open brief, or an installed one, to its outcome and its evidence.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};
use skills::Sha256;
use skills::brief::document::PinnedCheck;
use skills::brief::param::Values;
use skills::brief::uses::Pinned;
use skills::check::Check;
use skills::evidence::{BriefRef, Outcome, Role, Run as Ran};

use super::brief::{self, Open};
use super::{check_of, exit_of, reasons, seconds};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::installed::{self, Installed};
use crate::keys::{KeyFolder, Signer};
use crate::passphrase::PassphraseFlags;
use crate::project::Project;
use crate::runner::{self, Done, Job};
use crate::shown;
use crate::trust::Trust;
use crate::ui::Answer;

/// Characters of a line for people.
const WIDTH: usize = 76;

/// Arguments of `skill check run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// The id of a check in an open brief, or `scope/name` of an installed one
    #[arg(value_name = "CHECK")]
    check: String,
    /// A parameter's value, for a check outside any brief; a list with commas, or as JSON
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The brief that the check belongs to, where several have one of this id
    #[arg(long, value_name = "ID")]
    brief: Option<String>,
    /// The key to sign with
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Sign and keep nothing
    #[arg(long)]
    no_evidence: bool,
    /// Start nothing; show what would be started
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    passphrase: PassphraseFlags,
}

/// A check that was found, and what it is told.
struct Chosen {
    installed: Installed,
    pinned: Pinned,
    check: Check,
    values: Values,
    brief: Option<(BriefRef, PathBuf)>,
}

/// Finds it, opens the key, runs it, keeps the evidence.
pub(super) fn run(args: &Run, context: &Context) -> Result<Answer, Failure> {
    let project = Project::find(context, false)?;
    let chosen = choose(args, &project)?;
    if args.dry_run {
        return plan(&chosen);
    }
    // Before anything runs: nobody waits for a check only to learn that there is no key.
    let signer = if args.no_evidence { None } else { Some(signer(args, context)?) };
    if let Some(signer) = &signer {
        warn_of_a_stranger(signer, &project, context)?;
    }
    context.ui.note(format!("running {}", chosen.pinned.spec()));
    let done = runner::run(&Job {
        package: &chosen.installed.tree,
        pinned: chosen.pinned.clone(),
        check: &chosen.check,
        values: chosen.values.clone(),
        root: &project.root,
        brief: chosen.brief.as_ref().map(|(reference, _)| reference.clone()),
        document: chosen.brief.as_ref().map(|(_, path)| path.clone()),
        home: context.home().ok(),
    })?;
    let id = chosen.brief.as_ref().map(|(reference, _)| reference.id.to_string());
    let keep = |signer: Signer| runner::keep(&project.root, id.as_deref(), done.run.to_payload(), &signer);
    let kept = signer.map(keep).transpose()?;
    if done.run.tree.is_none() {
        context.ui.warn("this is no Git repository: the evidence names the inputs of the check, and no tree");
    }
    if done.run.sandbox.enforced.is_empty() {
        context.ui.warn("nothing was enforced: this machine has no sandbox that we know, and the evidence says so");
    }
    let kept = kept.map(|path| path.strip_prefix(&project.root).map(PathBuf::from).unwrap_or(path));
    let data = json!({
        "outcome": done.run.outcome.as_str(), "why": reasons(&done.run.outcome), "evidence": kept,
        "run": payload(&done.run), "tail": done.tail,
    });
    Ok(Answer::new(text(&done, kept.as_ref()), data).exit(exit_of(&done.run.outcome)))
}

/// Said before the check is run, not when CI rejects what it left.
fn warn_of_a_stranger(signer: &Signer, project: &Project, context: &Context) -> Result<(), Failure> {
    let policy = Trust::read(project)?.policy;
    let known = policy.signers().iter().any(|row| row.key == signer.public() && row.roles.contains(&Role::Evidence));
    if !known {
        context.ui.warn(
            "no [[signer]] of .skill/trust.toml is this key: what it signs counts for nothing before the row is there \
             (`skill key show --signer` prints it)",
        );
    }
    Ok(())
}

fn payload(run: &Ran) -> Value {
    serde_json::from_slice(&run.to_payload()).expect("a payload is JSON that we just made")
}

fn signer(args: &Run, context: &Context) -> Result<Signer, Failure> {
    let key = KeyFolder::of(context.home()?).choose(args.key.as_deref()).map_err(|failure| {
        let hint = failure.hint.clone().map(|hint| format!("{hint}; or ")).unwrap_or_default();
        failure.hint(format!("{hint}`--no-evidence` runs it without signing"))
    })?;
    key.unlock(|| args.passphrase.existing(&context.ui, &key.name))
}

/// A check of a brief where there is one of this id; else an installed package.
fn choose(args: &Run, project: &Project) -> Result<Chosen, Failure> {
    let briefs = match &args.brief {
        Some(id) => vec![brief::open(&project.root, id)?],
        None if args.check.contains('/') => Vec::new(),
        None => brief::all(&project.root)?,
    };
    let mut having = briefs.iter().filter_map(|open| Some((open, open.check(&args.check)?)));
    match (having.next(), having.next()) {
        (Some((open, pinned)), None) => of_brief(args, project, open, pinned),
        (Some(_), Some(_)) => {
            let ids: Vec<&str> = briefs
                .iter()
                .filter(|open| open.check(&args.check).is_some())
                .map(|open| open.document.id.as_str())
                .collect();
            let seen = format!("several open briefs have a check `{}`: {}", args.check, ids.join(", "));
            Err(Failure::usage("check-ambiguous", seen).hint("`--brief ID` says which"))
        }
        (None, _) if args.brief.is_some() => {
            let ids: Vec<&str> =
                briefs.iter().flat_map(|open| &open.document.checks).map(|check| check.id.as_str()).collect();
            let seen = format!("the brief has no check `{}`, only {}", args.check.escape_debug(), ids.join(", "));
            Err(Failure::could_not("check-missing", seen))
        }
        (None, _) => of_package(args, project),
    }
}

/// Exactly the check that the brief pins, told exactly what the brief says.
fn of_brief(args: &Run, project: &Project, open: &Open, pinned: &PinnedCheck) -> Result<Chosen, Failure> {
    if !args.set.is_empty() {
        return Err(Failure::usage("usage", "`--set` is for a check outside any brief: this one's values are pinned"));
    }
    let name = pinned.uses.rsplit_once('@').map_or(pinned.uses.as_str(), |(name, _)| name);
    let chosen = find(project, name, &pinned.with)?;
    if chosen.pinned.digest != pinned.digest || chosen.pinned.spec() != pinned.uses {
        return Err(not_pinned(open, pinned, &chosen.pinned));
    }
    Ok(Chosen { brief: Some((open.reference()?, open.path.clone())), ..chosen })
}

fn not_pinned(open: &Open, pinned: &PinnedCheck, installed: &Pinned) -> Failure {
    let short = |digest: &Sha256| digest.to_string().chars().take(19).collect::<String>();
    let seen = format!(
        "brief `{}` pins `{}` ({}…), and `{}` ({}…) is installed: another check proves nothing here",
        open.document.id,
        pinned.uses,
        short(&pinned.digest),
        installed.spec(),
        short(&installed.digest)
    );
    Failure::new(Exit::Failed, "check-not-pinned", seen)
        .hint("install the pinned version, or `skill brief update` the brief to the installed one")
}

fn of_package(args: &Run, project: &Project) -> Result<Chosen, Failure> {
    let found =
        installed::find(project, &project.lock()?, &args.check).map_err(|failure| match failure.code.as_str() {
            "package-not-installed" if !args.check.contains('/') => {
                let seen = format!(
                    "no open brief has a check `{0}`, and no package `{0}` is installed",
                    args.check.escape_debug()
                );
                Failure::could_not("check-missing", seen).hint("`skill check list` shows what there is")
            }
            _ => failure,
        })?;
    let (_, check) = check_of(found.manifest.clone(), &args.check)?;
    let mut given = Map::new();
    for pair in &args.set {
        let Some((name, text)) = pair.split_once('=') else {
            let seen = format!("`--set {}` has no `=`", shown::line(pair, 60));
            return Err(Failure::usage("set-malformed", seen).hint("`--set NAME=VALUE`"));
        };
        let value = check.params.named(name).map_or_else(|| text.into(), |param| param.read(text));
        given.insert(name.to_owned(), value);
    }
    chosen(found, &args.check, &given)
}

fn find(project: &Project, name: &str, given: &Map<String, Value>) -> Result<Chosen, Failure> {
    chosen(installed::find(project, &project.lock()?, name)?, name, given)
}

fn chosen(installed: Installed, named: &str, given: &Map<String, Value>) -> Result<Chosen, Failure> {
    let (manifest, check) = check_of(installed.manifest.clone(), named)?;
    let values = check.params.accept(given)?;
    let pinned = Pinned { name: manifest.name, version: manifest.version, digest: installed.digest };
    Ok(Chosen { installed, pinned, check, values, brief: None })
}

/// What would be started, and within which bounds.
fn plan(chosen: &Chosen) -> Result<Answer, Failure> {
    let (check, argv) = (&chosen.check, chosen.check.command(&chosen.values)?);
    let mut text = format!("would run {}\n", chosen.pinned.spec());
    let row = |text: &mut String, name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "    {name:9}{}", shown::line(value, WIDTH));
        }
    };
    row(&mut text, "command", &format!("{argv:?}"));
    row(&mut text, "network", check.network.as_str());
    row(&mut text, "reads", &check.inputs.join(", "));
    row(&mut text, "writes", &check.outputs.iter().chain(&check.writes).cloned().collect::<Vec<_>>().join(", "));
    row(&mut text, "env", &check.env_pass.join(", "));
    row(&mut text, "timeout", &format!("{} s", check.timeout_seconds));
    let data = json!({
        "dry_run": true, "check": chosen.pinned.spec(), "digest": chosen.pinned.digest, "argv": argv,
        "params": chosen.values.as_map(), "network": check.network, "inputs": check.inputs, "outputs": check.outputs,
        "writes": check.writes, "env": check.env_pass, "timeout_seconds": check.timeout_seconds,
    });
    Ok(Answer::new(text, data))
}

/// The outcome first, then why, what it said, what held it back, and where the evidence is.
fn text(done: &Done, kept: Option<&PathBuf>) -> String {
    let run = &done.run;
    let mut text = format!("{}  {}  {}\n", run.outcome.as_str(), run.check.spec(), seconds(run.duration_ms));
    for why in reasons(&run.outcome) {
        let _ = writeln!(text, "{}", shown::wrapped(why, "    ", WIDTH + 4));
    }
    section(&mut text, "key lines", &run.observation.key_lines);
    if run.outcome != Outcome::Passed {
        section(&mut text, "last lines", &done.tail);
    }
    let enforced = if run.sandbox.enforced.is_empty() { "nothing".to_owned() } else { run.sandbox.enforced.join(", ") };
    let _ = writeln!(text, "\nnetwork   {}", run.sandbox.network.as_str());
    let _ = writeln!(
        text,
        "enforced{}",
        shown::wrapped(&enforced, "          ", 80).strip_prefix("        ").unwrap_or_default()
    );
    for artifact in &run.artifacts {
        let _ = writeln!(text, "made      {}  {} bytes", shown::line(artifact.path.as_str(), 50), artifact.bytes);
    }
    let _ = match kept {
        Some(path) => writeln!(text, "evidence  {}", path.display()),
        None => writeln!(text, "evidence  not kept"),
    };
    text
}

/// A line of a program may be any length; two of a terminal say what it is about.
const LINES_OF_A_LINE: usize = 2;

fn section(text: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    for line in lines {
        let line: Vec<char> = shown::line(line, LINES_OF_A_LINE * WIDTH).chars().collect();
        for part in line.chunks(WIDTH) {
            let _ = writeln!(text, "    {}", part.iter().collect::<String>());
        }
    }
}
