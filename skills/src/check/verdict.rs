//! Whether a check's expectations are met: on how it ended, on what it said, on how it left the tree.
//!
//! Three outcomes are kept apart. What is definitely not as expected is FAILED. What says nothing about
//! the work is ERROR: a program that is missing, a report that cannot be read, an exit as expected with
//! nothing that says that anything was tested. FAILED goes before ERROR, and only without either it PASSED.

use serde_json::Value;

use super::{Check, OutputExpectation, SarifLevel, StateExpectation, junit};
use crate::digest::Sha256;
use crate::evidence::Outcome;
use crate::path::FilePath;

/// What a shell and `env` say of a program that is missing or cannot be started.
const PROGRAM_MISSING: [i32; 2] = [126, 127];

/// How a file of the final state was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing is there.
    Absent,
    /// It was there before the check ran, which did not write it: another run's result.
    Stale,
    /// A link, a folder, a device.
    NotAFile,
    /// A file; its bytes only where it is not too large to be read.
    File(Sha256, Option<Vec<u8>>),
}

/// How expectations of the final state are answered.
pub trait Left {
    /// How a file was left.
    fn file(&self, path: &FilePath) -> Found;
    /// Whether Git sees no change; nothing where there is no Git.
    fn is_clean(&self) -> Option<bool>;
}

/// The sentences of a verdict.
#[derive(Debug, Default)]
struct Reasons {
    failed: Vec<String>,
    unclear: Vec<String>,
}

impl Reasons {
    fn outcome(self) -> Outcome {
        match (self.failed.is_empty(), self.unclear.into_iter().next()) {
            (false, _) => Outcome::Failed(self.failed),
            (true, Some(why)) => Outcome::Error(why),
            (true, None) => Outcome::Passed,
        }
    }
}

/// Judges a run that came to its own end.
pub fn judge(check: &Check, exit: i32, counts: &[u32], left: &dyn Left) -> Outcome {
    let expected = i32::from(check.expect.exit);
    if exit != expected && PROGRAM_MISSING.contains(&exit) {
        return Outcome::Error(format!("exit {exit}: a program that it needs is missing or cannot be started"));
    }
    let mut reasons = Reasons::default();
    if exit != expected {
        reasons.failed.push(format!("exit {exit}, expected {expected}"));
    }
    for (expectation, count) in check.expect.outputs.iter().zip(counts) {
        output(expectation, *count, &mut reasons);
    }
    for state in &check.expect.states {
        self::state(state, left, &mut reasons);
    }
    reasons.outcome()
}

fn output(expected: &OutputExpectation, count: u32, reasons: &mut Reasons) {
    let pattern = expected.regex.regex().as_str();
    if count < expected.min {
        let least = expected.min;
        reasons.unclear.push(format!("the output has {count} of at least {least} matches of `{pattern}`"));
    }
    if let Some(most) = expected.max.filter(|most| count > *most) {
        reasons.failed.push(format!("the output has {count} matches of `{pattern}`, at most {most} are allowed"));
    }
}

fn state(state: &StateExpectation, left: &dyn Left, reasons: &mut Reasons) {
    match state {
        StateExpectation::FileExists(path) => {
            if let Err(why) = present(path, left) {
                reasons.failed.push(why);
            }
        }
        StateExpectation::FileAbsent(path) if left.file(path) == Found::Absent => {}
        StateExpectation::FileAbsent(path) => reasons.failed.push(format!("`{path}` is there")),
        StateExpectation::EqualFiles(one, other) => match (present(one, left), present(other, left)) {
            (Ok((one_is, _)), Ok((other_is, _))) if one_is == other_is => {}
            (Ok(_), Ok(_)) => reasons.failed.push(format!("`{one}` and `{other}` differ")),
            (one, other) => reasons.failed.extend(one.err().into_iter().chain(other.err())),
        },
        StateExpectation::Json { path, pointer, equals } => json(path, pointer, equals, left, reasons),
        StateExpectation::Junit { path, min_tests, max_failures } => {
            report(path, left, reasons, junit::read, |counts, reasons| {
                if counts.failed > *max_failures {
                    let seen = format!("`{path}`: {} tests failed, at most {max_failures} may", counts.failed);
                    reasons.failed.push(seen);
                } else if counts.ran < *min_tests {
                    reasons.unclear.push(format!("`{path}`: {} tests ran, expected at least {min_tests}", counts.ran));
                }
            });
        }
        StateExpectation::Sarif { path, max_level } => {
            report(path, left, reasons, sarif, |worst, reasons| {
                if worst > *max_level {
                    reasons.failed.push(format!("`{path}` has a finding of level `{}`", word(worst)));
                }
            });
        }
        StateExpectation::GitClean => match left.is_clean() {
            Some(true) => {}
            Some(false) => reasons.failed.push("Git sees changes".to_owned()),
            None => reasons.unclear.push("there is no Git here to see whether something changed".to_owned()),
        },
    }
}

/// The digest and bytes of a file that has to be there.
fn present(path: &FilePath, left: &dyn Left) -> Result<(Sha256, Option<Vec<u8>>), String> {
    match left.file(path) {
        Found::File(digest, bytes) => Ok((digest, bytes)),
        Found::Absent => Err(format!("`{path}` is not there")),
        Found::Stale => Err(format!("`{path}` was there before, and was not written")),
        Found::NotAFile => Err(format!("`{path}` is not a regular file")),
    }
}

fn json(path: &FilePath, pointer: &str, equals: &Value, left: &dyn Left, reasons: &mut Reasons) {
    let bytes = match present(path, left) {
        Ok((_, bytes)) => bytes,
        Err(why) => return reasons.failed.push(why),
    };
    let Some(value) = bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()) else {
        return reasons.unclear.push(format!("`{path}` is not JSON that can be read"));
    };
    match value.pointer(pointer) {
        Some(seen) if same(seen, equals) => {}
        Some(_) => reasons.failed.push(format!("`{path}` has another value at `{pointer}` than {equals}")),
        None => reasons.failed.push(format!("`{path}` has nothing at `{pointer}`, expected {equals}")),
    }
}

/// JSON has one kind of number: `1.0` is `1`.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// A report that cannot be read says nothing about the work.
fn report<T>(
    path: &FilePath,
    left: &dyn Left,
    reasons: &mut Reasons,
    read: impl Fn(&[u8]) -> Option<T>,
    judge: impl Fn(T, &mut Reasons),
) {
    match present(path, left).map(|(_, bytes)| bytes.as_deref().and_then(read)) {
        Ok(Some(report)) => judge(report, reasons),
        Ok(None) => reasons.unclear.push(format!("`{path}` is not a report that can be read")),
        Err(why) => reasons.unclear.push(why),
    }
}

/// The worst level of a SARIF report; `none` where there is no finding.
fn sarif(bytes: &[u8]) -> Option<SarifLevel> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let runs = value.get("runs")?.as_array()?;
    let mut worst = SarifLevel::None;
    for run in runs {
        for result in run.get("results").and_then(Value::as_array).into_iter().flatten() {
            worst = worst.max(level(run, result)?);
        }
    }
    Some(worst)
}

/// SARIF 2.1.0, §3.27.10: what a result says, else what its rule says, else `warning`.
fn level(run: &Value, result: &Value) -> Option<SarifLevel> {
    if result.get("kind").is_some_and(|kind| kind != "fail") {
        return Some(SarifLevel::None);
    }
    let rules = run.pointer("/tool/driver/rules").and_then(Value::as_array);
    let by_index = result.get("ruleIndex").and_then(Value::as_u64).and_then(|at| rules?.get(usize::try_from(at).ok()?));
    let by_id = || rules?.iter().find(|rule| rule.get("id").is_some() && rule.get("id") == result.get("ruleId"));
    let of_rule = || by_index.or_else(by_id)?.pointer("/defaultConfiguration/level");
    match result.get("level").or_else(of_rule).map(Value::as_str) {
        None | Some(Some("warning")) => Some(SarifLevel::Warning),
        Some(Some("none")) => Some(SarifLevel::None),
        Some(Some("note")) => Some(SarifLevel::Note),
        Some(Some("error")) => Some(SarifLevel::Error),
        Some(_) => None,
    }
}

fn word(level: SarifLevel) -> &'static str {
    match level {
        SarifLevel::None => "none",
        SarifLevel::Note => "note",
        SarifLevel::Warning => "warning",
        SarifLevel::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Source;
    use super::*;

    #[derive(Default)]
    struct Tree {
        files: BTreeMap<&'static str, &'static str>,
        clean: Option<bool>,
    }

    impl Left for Tree {
        fn file(&self, path: &FilePath) -> Found {
            match self.files.get(path.as_str()) {
                None => Found::Absent,
                Some(&"<stale>") => Found::Stale,
                Some(&"<link>") => Found::NotAFile,
                Some(text) => Found::File(Sha256::of(text), Some(text.as_bytes().to_vec())),
            }
        }

        fn is_clean(&self) -> Option<bool> {
            self.clean
        }
    }

    fn judged(expect: &str, exit: i32, counts: &[u32], files: &[(&'static str, &'static str)]) -> Outcome {
        let text = format!("[check]\nargv = [\"true\"]\ninputs = [\"**\"]\n[check.expect]\n{expect}\n");
        let check = Check::read(Source(&text)).unwrap_or_else(|refusal| panic!("{expect}: {refusal}"));
        judge(&check, exit, counts, &Tree { files: files.iter().copied().collect(), clean: Some(false) })
    }

    #[track_caller]
    fn passes(expect: &str, files: &[(&'static str, &'static str)]) {
        assert_eq!(judged(expect, 0, &[], files), Outcome::Passed, "{expect} {files:?}");
    }

    #[track_caller]
    fn fails(expect: &str, files: &[(&'static str, &'static str)], words: &str) {
        match judged(expect, 0, &[], files) {
            Outcome::Failed(why) => assert!(why.join("; ").contains(words), "{why:?}"),
            other => panic!("{expect} {files:?}: {other:?}"),
        }
    }

    #[track_caller]
    fn errs(expect: &str, files: &[(&'static str, &'static str)], words: &str) {
        match judged(expect, 0, &[], files) {
            Outcome::Error(why) => assert!(why.contains(words), "{why}"),
            other => panic!("{expect} {files:?}: {other:?}"),
        }
    }

    #[test]
    fn the_exit_is_the_one_that_is_expected() {
        assert_eq!(judged("", 0, &[], &[]), Outcome::Passed);
        assert_eq!(judged("exit = 3", 3, &[], &[]), Outcome::Passed);
        assert_eq!(judged("", 101, &[], &[]), Outcome::Failed(vec!["exit 101, expected 0".to_owned()]));
        assert_eq!(judged("exit = 1", 0, &[], &[]), Outcome::Failed(vec!["exit 0, expected 1".to_owned()]));
    }

    #[test]
    fn a_missing_program_says_nothing_about_the_work() {
        assert!(matches!(judged("", 127, &[], &[]), Outcome::Error(_)));
        assert!(matches!(judged("", 126, &[], &[]), Outcome::Error(_)));
        assert_eq!(judged("exit = 127", 127, &[], &[]), Outcome::Passed);
    }

    #[test]
    fn nothing_that_says_that_a_test_ran_is_an_error_and_too_much_is_a_failure() {
        let marker = "[[check.expect.output]]\nregex = \"^ok\"\nmin = 2";
        assert_eq!(judged(marker, 0, &[2], &[]), Outcome::Passed);
        assert!(matches!(judged(marker, 0, &[1], &[]), Outcome::Error(why) if why.contains("1 of at least 2")));
        assert!(matches!(judged(marker, 1, &[0], &[]), Outcome::Failed(_)), "a failure goes before an error");
        let never = "[[check.expect.output]]\nregex = \"^panic\"\nmax = 0";
        assert_eq!(judged(never, 0, &[0], &[]), Outcome::Passed);
        assert!(matches!(judged(never, 0, &[1], &[]), Outcome::Failed(_)));
    }

    #[test]
    fn files_are_there_or_not_and_what_another_run_left_does_not_count() {
        let there = "[[check.expect.state]]\nfile-exists = \"a\"";
        passes(there, &[("a", "")]);
        fails(there, &[], "not there");
        fails(there, &[("a", "<stale>")], "was there before");
        fails(there, &[("a", "<link>")], "not a regular file");
        let gone = "[[check.expect.state]]\nfile-absent = \"a\"";
        passes(gone, &[]);
        fails(gone, &[("a", "")], "is there");
        fails(gone, &[("a", "<stale>")], "is there");
    }

    #[test]
    fn two_files_are_equal_or_they_are_not() {
        let equal = "[[check.expect.state]]\nequal-files = [\"a\", \"b\"]";
        passes(equal, &[("a", "x"), ("b", "x")]);
        fails(equal, &[("a", "x"), ("b", "y")], "differ");
        fails(equal, &[("a", "x")], "`b` is not there");
        fails(equal, &[], "`a` is not there");
        fails(equal, &[("a", "<stale>"), ("b", "<stale>")], "was there before");
    }

    #[test]
    fn json_says_this_in_that_place() {
        let zero = "[[check.expect.state]]\njson = { path = \"p\", pointer = \"/a/0\", equals = 0 }";
        passes(zero, &[("p", "{\"a\": [0]}")]);
        passes(zero, &[("p", "{\"a\": [0.0]}")]);
        fails(zero, &[("p", "{\"a\": [1]}")], "another value");
        fails(zero, &[("p", "{\"a\": []}")], "nothing at");
        fails(zero, &[("p", "{\"a\": [\"0\"]}")], "another value");
        errs(zero, &[("p", "{")], "not JSON");
        fails(zero, &[], "not there");
    }

    #[test]
    fn reports_of_tests_and_findings_are_counted() {
        let junit = "[[check.expect.state]]\njunit = { path = \"j\", min-tests = 2 }";
        passes(junit, &[("j", "<testsuite><testcase/><testcase/></testsuite>")]);
        errs(junit, &[("j", "<testsuite><testcase/></testsuite>")], "1 tests ran");
        fails(junit, &[("j", "<testsuite><testcase><failure/></testcase><testcase/></testsuite>")], "1 tests failed");
        errs(junit, &[("j", "no XML")], "can be read");
        errs(junit, &[], "not there");
        let sarif = "[[check.expect.state]]\nsarif = { path = \"s\", max-level = \"note\" }";
        passes(sarif, &[("s", r#"{"runs":[{"results":[{"level":"note"}]}]}"#)]);
        passes(sarif, &[("s", r#"{"runs":[{"results":[{"kind":"pass"}]}]}"#)]);
        fails(sarif, &[("s", r#"{"runs":[{"results":[{}]}]}"#)], "`warning`");
        let by_rule = r#"{"runs":[{"tool":{"driver":{"rules":[{"id":"R","defaultConfiguration":{"level":"error"}}]}},
                         "results":[{"ruleId":"R"}]}]}"#;
        fails(sarif, &[("s", by_rule)], "`error`");
        errs(sarif, &[("s", r#"{"runs":[{"results":[{"level":"fatal"}]}]}"#)], "can be read");
        errs(sarif, &[("s", "{}")], "can be read");
    }

    #[test]
    fn git_is_asked_and_where_there_is_none_nothing_is_known() {
        let clean = "[[check.expect.state]]\ngit-clean = true";
        fails(clean, &[], "Git sees changes");
        let text = format!("[check]\nargv = [\"true\"]\ninputs = [\"**\"]\n[check.expect]\n{clean}\n");
        let check = Check::read(Source(&text)).expect("a check");
        let with = |clean| judge(&check, 0, &[], &Tree { clean, ..Tree::default() });
        assert_eq!(with(Some(true)), Outcome::Passed);
        assert!(matches!(with(None), Outcome::Error(_)));
    }
}
