//! `skill lint`: what is wrong with a package, and what a machine can mend.
//!
//! A folder is read as `pack` reads it, an archive as the registry and `install` do; both end in
//! the same tree, so both are judged by the same rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use skills::lint::{self, Finding, Level};
use skills::tree::Tree;
use skills::{FilePath, archive};

use super::unpack;
use crate::context::Context;
use crate::failure::{Exit, Failure, OnPath};
use crate::folder;
use crate::ui::Answer;

/// Arguments of `skill lint`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders, or archives
    #[arg(value_name = "DIR|FILE", default_value = ".")]
    paths: Vec<PathBuf>,
    /// Mend what a machine can mend, in place
    #[arg(long)]
    fix: bool,
    /// With `--fix`: change nothing; show what would change
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Warnings fail, too
    #[arg(long)]
    strict: bool,
}

/// One package, judged.
struct Report {
    path: PathBuf,
    rows: Vec<Row>,
    changed: Vec<FilePath>,
    diff: String,
}

/// A finding, or the refusal of a package that could not even be read as one.
struct Row {
    code: String,
    level: Level,
    file: String,
    line: Option<usize>,
    message: String,
    hint: Option<String>,
    fixable: bool,
}

/// Judges every path; fails if any has an error.
pub fn run(args: Args, context: &Context) -> Result<Answer, Failure> {
    let bar = context.ui.bar("linting", args.paths.len());
    let mut reports = Vec::new();
    for path in &args.paths {
        reports.push(judge(path, &args)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    say_changes(&reports, args.dry_run, context);
    let (errors, warnings) = (count(&reports, Level::Error), count(&reports, Level::Warning));
    context.ui.note(summary(&reports, errors, warnings));
    let failed = errors > 0 || (args.strict && warnings > 0);
    let text = reports.iter().map(|report| report.text(reports.len() > 1, context)).collect::<String>();
    let packages: Vec<Value> = reports.iter().map(Report::json).collect();
    let data = json!({"packages": packages, "errors": errors, "warnings": warnings, "dry_run": args.dry_run});
    Ok(Answer::new(text, data).exit(if failed { Exit::Failed } else { Exit::Done }))
}

fn judge(path: &Path, args: &Args) -> Result<Report, Failure> {
    let judged = if path.is_dir() { judge_folder(path, args) } else { judge_archive(path, args) };
    match judged {
        // A package that breaks a law of its kind is a finding like others; a disk that fails is not.
        Err(failure) if failure.exit == Exit::Failed => Ok(Report::refused(path, failure)),
        judged => judged,
    }
}

fn judge_archive(path: &Path, args: &Args) -> Result<Report, Failure> {
    if args.fix {
        let seen = format!("`{}` is an archive, and `--fix` mends folders", path.display());
        return Err(
            Failure::usage("fix-archive", seen).hint("`skill unpack` it, mend the folder, and `skill pack` that")
        );
    }
    let tree = archive::unpack(&unpack::read_archive(path)?).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
    Ok(Report::of(path, &lint::lint(&tree, None)))
}

fn judge_folder(path: &Path, args: &Args) -> Result<Report, Failure> {
    let folder = folder::read(path)?;
    let name = folder.name.as_deref();
    if !args.fix {
        return Ok(Report::of(path, &lint::lint(&folder.tree, name)));
    }
    let fixes = lint::fix(&folder.tree, name).map_err(|refusal| Failure::of(Exit::Failed, refusal))?;
    let diff = if args.dry_run { diff(&folder.tree, &fixes) } else { String::new() };
    if !args.dry_run {
        for (file, bytes) in &fixes {
            replace(&path.join(file.as_str()), bytes)?;
        }
    }
    let mended = with_fixes(&folder.tree, &fixes)?;
    let changed = fixes.into_iter().map(|(file, _)| file).collect();
    Ok(Report { changed, diff, ..Report::of(path, &lint::lint(&mended, name)) })
}

/// Writes a mended file beside the old one, with its mode, and renames: never half a file.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().expect("a file in a folder has a parent");
    let mode = std::fs::metadata(path).on("read", path)?.permissions();
    let staged = tempfile::Builder::new().prefix(".fix-").tempfile_in(folder).on("write into", folder)?;
    std::fs::write(staged.path(), bytes).on("write", path)?;
    staged.as_file().set_permissions(mode).on("write", path)?;
    staged.persist(path).map_err(|error| Failure::io("write", path, &error.error))?;
    Ok(())
}

fn with_fixes(tree: &Tree, fixes: &[(FilePath, Vec<u8>)]) -> Result<Tree, Failure> {
    let fixes: BTreeMap<&FilePath, &Vec<u8>> = fixes.iter().map(|(path, bytes)| (path, bytes)).collect();
    let mut files = tree.files().to_vec();
    for file in &mut files {
        if let Some(bytes) = fixes.get(&file.path) {
            file.bytes = (*bytes).clone();
        }
    }
    Ok(Tree::new(files)?)
}

fn diff(tree: &Tree, fixes: &[(FilePath, Vec<u8>)]) -> String {
    let mut text = String::new();
    for (path, bytes) in fixes {
        let old = tree.file(path.as_str()).map(|file| file.bytes.as_slice()).unwrap_or_default();
        let mut options = diffy::DiffOptions::new();
        options.set_original_filename(format!("a/{path}")).set_modified_filename(format!("b/{path}"));
        let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(bytes));
        let _ = write!(text, "{}", options.create_patch(&old, &new));
    }
    text
}

fn say_changes(reports: &[Report], dry_run: bool, context: &Context) {
    let verb = if dry_run { "would mend" } else { "mended" };
    for report in reports {
        for file in &report.changed {
            context.ui.note(format!("{verb} {}", report.path.join(file.as_str()).display()));
        }
    }
}

fn count(reports: &[Report], level: Level) -> usize {
    reports.iter().flat_map(|report| &report.rows).filter(|row| row.level == level).count()
}

fn summary(reports: &[Report], errors: usize, warnings: usize) -> String {
    let packages = plural(reports.len(), "package");
    if errors + warnings == 0 {
        return format!("{packages}, nothing found");
    }
    let fixable = reports.iter().flat_map(|report| &report.rows).filter(|row| row.fixable).count();
    let mend = if fixable > 0 { format!("; `--fix` mends {fixable}") } else { String::new() };
    format!("{packages}, {}, {}{mend}", plural(errors, "error"), plural(warnings, "warning"))
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

impl Report {
    fn of(path: &Path, findings: &[Finding]) -> Self {
        let mut rows: Vec<Row> = findings.iter().map(Row::of).collect();
        rows.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        Self { path: path.to_owned(), rows, changed: Vec::new(), diff: String::new() }
    }

    fn refused(path: &Path, failure: Failure) -> Self {
        let row = Row {
            code: failure.code,
            level: Level::Error,
            file: String::new(),
            line: None,
            message: failure.message,
            hint: failure.hint,
            fixable: false,
        };
        Self { path: path.to_owned(), rows: vec![row], changed: Vec::new(), diff: String::new() }
    }

    /// The diff, then the findings under their package's path; nothing for a clean package.
    fn text(&self, several: bool, context: &Context) -> String {
        let mut text = self.diff.clone();
        if several && !self.rows.is_empty() {
            let _ = writeln!(text, "{}", self.path.display());
        }
        for row in &self.rows {
            row.write(&mut text, if several { "  " } else { "" }, context);
        }
        text
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({"path": self.path, "findings": rows, "changed": self.changed, "diff": self.diff})
    }
}

impl Row {
    fn of(finding: &Finding) -> Self {
        Self {
            code: finding.code.to_owned(),
            level: finding.level,
            file: finding.file.clone(),
            line: finding.line,
            message: finding.message.clone(),
            hint: finding.hint.clone(),
            fixable: finding.fixable,
        }
    }

    /// `SKILL.md:3: error[S004]: …`, the shape that editors and CI logs make clickable.
    fn write(&self, text: &mut String, indent: &str, context: &Context) {
        let place = match (self.file.as_str(), self.line) {
            ("", _) => String::new(),
            (file, Some(line)) => format!("{file}:{line}: "),
            (file, None) => format!("{file}: "),
        };
        let (style, level) = level_name(self.level);
        let fixable = if self.fixable { " (--fix mends it)" } else { "" };
        let label = context.ui.paint(style, &format!("{level}[{}]", self.code));
        let _ = writeln!(text, "{indent}{place}{label}: {}{fixable}", self.message);
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "{indent}  {} {hint}", context.ui.paint("36", "hint:"));
        }
    }

    fn json(&self) -> Value {
        json!({
            "code": self.code, "level": level_name(self.level).1, "file": self.file, "line": self.line,
            "message": self.message, "hint": self.hint, "fixable": self.fixable,
        })
    }
}

fn level_name(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Error => ("1;31", "error"),
        Level::Warning => ("33", "warning"),
    }
}
