//! `skill brief lint`: what is wrong with a brief, as a package or as it was rendered.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use skills::brief::document::DOCUMENT_BYTES_MAX;
use skills::brief::template::OUTPUT_BYTES_MAX;
use skills::brief::{Document, lint};
use skills::lint::{Finding, Level};

use super::{package, show};
use crate::briefs::{self, BRIEFS_PATH, CLOSED_PATH};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::project::{Project, read_text};
use crate::ui::Answer;
use crate::{sarif, shown};

/// Arguments of `skill brief lint`.
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// A rendered `.brief.md` or its id, an installed brief, or the folder of a brief's package
    brief: String,
    /// Where the packages lie that it uses; beside it, if nothing is said
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Warnings fail, too
    #[arg(long)]
    strict: bool,
    /// Answer with SARIF 2.1.0, for code scanning
    #[arg(long)]
    sarif: bool,
}

/// Judges it; fails if there is an error.
pub(super) fn run(args: &Lint, context: &Context) -> Result<Answer, Failure> {
    let found = found(args, context)?;
    let count = |level| found.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    context.ui.note(format!("errors: {errors}, warnings: {warnings}"));
    let failed = errors > 0 || (args.strict && warnings > 0);
    let rows: Vec<Value> = found.iter().map(row).collect();
    let data = json!({"findings": rows, "errors": errors, "warnings": warnings});
    let text = if args.sarif { format!("{:#}\n", sarif(&found)) } else { text(&found, context) };
    Ok(Answer::new(text, data).exit(if failed { Exit::Failed } else { Exit::Done }))
}

/// A file if it is called like one, a brief by its id, else a package.
fn found(args: &Lint, context: &Context) -> Result<Vec<Finding>, Failure> {
    let path = Path::new(&args.brief);
    if path.is_file() || args.brief.ends_with(".md") {
        return of_file(path);
    }
    if let Some(brief) = show::shelved(&args.brief, context)? {
        let project = Project::find_or_start(context, false)?;
        let folder = if brief.outcome.is_some() { CLOSED_PATH } else { BRIEFS_PATH };
        let [path, ..] = briefs::paths(folder, &brief.id);
        let mut found = lint::rendered(&briefs::markdown(&project, &brief)?, Some(&brief.document));
        found.iter_mut().for_each(|finding| finding.file.clone_from(&path));
        return Ok(found);
    }
    of_package(args, context)
}

fn of_package(args: &Lint, context: &Context) -> Result<Vec<Finding>, Failure> {
    let (package, origin) = package::open(&args.brief, args.from.as_deref(), context)?;
    let uses = package.uses(&origin)?;
    for (name, place) in &uses.missing {
        context.ui.warn(format!("`{name}` is not in {place}: whether it fits is not judged"));
    }
    let dependencies: Vec<_> = package.manifest.dependencies.iter().map(|one| one.name.clone()).collect();
    Ok(lint::package(&package.tables, &package.template, &dependencies, &uses.bundles))
}

/// A rendered brief, with the document beside it, where there is one.
fn of_file(path: &Path) -> Result<Vec<Finding>, Failure> {
    if !path.exists() {
        return Err(Failure::could_not("file-missing", format!("there is no `{}`", path.display())));
    }
    let markdown = read_text(path, OUTPUT_BYTES_MAX + 4096)?;
    let beside = path.to_str().and_then(|path| path.strip_suffix(".brief.md"));
    let beside = beside.map(|stem| PathBuf::from(format!("{stem}.brief.json")));
    let document = match beside.filter(|path| path.exists()) {
        Some(path) => Some(Document::parse(read_text(&path, DOCUMENT_BYTES_MAX)?.as_bytes())?),
        None => None,
    };
    let mut found = lint::rendered(&markdown, document.as_ref());
    for finding in &mut found {
        finding.file = path.display().to_string();
    }
    Ok(found)
}

fn text(found: &[Finding], context: &Context) -> String {
    let mut text = String::new();
    for finding in found {
        let line = finding.line.map(|line| format!("{line}:")).unwrap_or_default();
        let (style, level) = level(finding.level);
        let label = context.ui.paint(style, &format!("{level}[{}]", finding.code));
        let _ = writeln!(text, "{}:{line} {label}: {}", shown::text(&finding.file), shown::text(&finding.message));
        if let Some(hint) = &finding.hint {
            let _ = writeln!(text, "  {} {}", context.ui.paint("36", "hint:"), shown::text(hint));
        }
    }
    text
}

/// Every rule with every run, so that a clean one says what it looked for.
fn sarif(found: &[Finding]) -> Value {
    let result = |finding: &Finding| {
        json!({
            "ruleId": finding.code,
            "level": level(finding.level).1,
            "message": {"text": finding.message},
            "locations": [sarif::location(&finding.file, finding.line)],
        })
    };
    let rules = lint::RULES.iter().map(|(code, name, description)| sarif::rule(code, name, description));
    sarif::log(rules.collect(), found.iter().map(result).collect(), json!({}))
}

fn row(finding: &Finding) -> Value {
    json!({
        "code": finding.code, "level": level(finding.level).1, "file": finding.file, "line": finding.line,
        "message": finding.message, "hint": finding.hint,
    })
}

fn level(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Error => ("1;31", "error"),
        Level::Warning => ("33", "warning"),
    }
}
