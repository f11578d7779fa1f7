//! What has to be true when a check is done: how it ended, what it said, and how it left the world.
//!
//! The final state counts for more than the answer: a program can say anything, two files are equal
//! or they are not.

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::pattern::Pattern;
use crate::manifest::source::{LIST_MAX, Source};
use crate::path::FilePath;
use crate::refusal::Refusal;

/// What has to be true.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// How it ends.
    pub exit: u8,
    /// What it says, all of it.
    pub outputs: Vec<OutputExpectation>,
    /// How it leaves the tree, all of it.
    pub states: Vec<StateExpectation>,
}

/// How often something is said.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputExpectation {
    /// Where.
    pub stream: Stream,
    /// What.
    pub regex: Pattern,
    /// How often at least; 1 if nothing is said about either bound.
    pub min: u32,
    /// How often at most.
    pub max: Option<u32>,
}

/// Where a program says something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// On either.
    #[default]
    Any,
    /// On its standard output.
    Stdout,
    /// On its standard error.
    Stderr,
}

/// How the tree is left.
#[derive(Debug, Clone, PartialEq)]
pub enum StateExpectation {
    /// Both files are there, with the same bytes.
    EqualFiles(FilePath, FilePath),
    /// The file is there.
    FileExists(FilePath),
    /// It is not.
    FileAbsent(FilePath),
    /// A JSON file says this in that place.
    Json {
        /// The file.
        path: FilePath,
        /// The place (RFC 6901).
        pointer: String,
        /// What stands there.
        equals: Value,
    },
    /// A JUnit report tells of enough tests and not too many failures.
    Junit {
        /// The file.
        path: FilePath,
        /// Fewest tests that ran: no test is no proof.
        min_tests: u32,
        /// Most that failed.
        max_failures: u32,
    },
    /// A SARIF report has nothing worse than this.
    Sarif {
        /// The file.
        path: FilePath,
        /// The worst level that is tolerated.
        max_level: SarifLevel,
    },
    /// Git sees no change.
    GitClean,
}

/// The levels of SARIF; later is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SarifLevel {
    /// Not a finding.
    None,
    /// A remark.
    Note,
    /// A warning.
    Warning,
    /// An error.
    Error,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExpectTable {
    exit: u8,
    output: Vec<Spanned<OutputTable>>,
    state: Vec<Spanned<StateTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputTable {
    #[serde(default)]
    stream: Stream,
    regex: Spanned<String>,
    min: Option<u32>,
    max: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct StateTable {
    equal_files: Option<(FilePath, FilePath)>,
    file_exists: Option<FilePath>,
    file_absent: Option<FilePath>,
    json: Option<JsonTable>,
    junit: Option<JunitTable>,
    sarif: Option<SarifTable>,
    git_clean: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonTable {
    path: FilePath,
    pointer: String,
    equals: toml::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct JunitTable {
    path: FilePath,
    #[serde(default = "one")]
    min_tests: u32,
    #[serde(default)]
    max_failures: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SarifTable {
    path: FilePath,
    max_level: SarifLevel,
}

fn one() -> u32 {
    1
}

impl ExpectTable {
    pub(super) fn expect(self, source: Source<'_>) -> Result<Expect, Refusal> {
        for entries in [self.output.len(), self.state.len()] {
            if entries > LIST_MAX {
                let message = format!("skill.toml: `[check.expect]` has {entries} entries, at most {LIST_MAX}");
                return Err(Refusal::new("manifest-limit", message));
            }
        }
        Ok(Expect {
            exit: self.exit,
            outputs: self.output.into_iter().map(|table| output(source, table)).collect::<Result<_, _>>()?,
            states: self.state.into_iter().map(|table| state(source, table)).collect::<Result<_, _>>()?,
        })
    }
}

fn output(source: Source<'_>, table: Spanned<OutputTable>) -> Result<OutputExpectation, Refusal> {
    let OutputTable { stream, regex, min, max } = table.get_ref();
    let min = min.unwrap_or(u32::from(max.is_none()));
    if max.is_some_and(|max| max < min) {
        return Err(source.refuse("check-expect", &table, "`min` is more than `max`, which nothing can meet"));
    }
    if min == 0 && max.is_none() {
        return Err(source.refuse("check-expect", &table, "`min` is 0 and there is no `max`, so anything would do"));
    }
    Ok(OutputExpectation { stream: *stream, regex: Pattern::parse(source, regex)?, min, max: *max })
}

fn state(source: Source<'_>, table: Spanned<StateTable>) -> Result<StateExpectation, Refusal> {
    let at = Spanned::new(table.span(), ());
    let refuse = |message: &str| Err(source.refuse("check-expect", &at, message));
    let StateTable { equal_files, file_exists, file_absent, json, junit, sarif, git_clean } = table.into_inner();
    let mut all: Vec<StateExpectation> = Vec::new();
    all.extend(equal_files.map(|(one, other)| StateExpectation::EqualFiles(one, other)));
    all.extend(file_exists.map(StateExpectation::FileExists));
    all.extend(file_absent.map(StateExpectation::FileAbsent));
    if let Some(JsonTable { path, pointer, equals }) = json {
        let Some(equals) = as_json(equals) else {
            return refuse("`equals` is a date or not a number, which JSON lacks");
        };
        all.push(StateExpectation::Json { path, pointer, equals });
    }
    all.extend(junit.map(|JunitTable { path, min_tests, max_failures }| StateExpectation::Junit {
        path,
        min_tests,
        max_failures,
    }));
    all.extend(sarif.map(|SarifTable { path, max_level }| StateExpectation::Sarif { path, max_level }));
    all.extend(git_clean.map(|_| StateExpectation::GitClean));
    let (Some(only), true) = (all.pop(), all.is_empty()) else {
        return refuse(
            "a state is exactly one of `equal-files`, `file-exists`, `file-absent`, `json`, `junit`, `sarif`, `git-clean`",
        );
    };
    match &only {
        StateExpectation::EqualFiles(one, other) if one == other => refuse("a file is always equal to itself"),
        StateExpectation::Json { pointer, .. } if !is_pointer(pointer) => {
            refuse("`pointer` is not a JSON pointer: expected `/key/0`, with `~1` for `/` and `~0` for `~`")
        }
        StateExpectation::Junit { min_tests: 0, .. } => refuse("`min-tests` is 0, and no test is no proof"),
        StateExpectation::GitClean if git_clean == Some(false) => refuse("`git-clean` is `true` or left out"),
        _ => Ok(only),
    }
}

/// The same value in JSON, if JSON has it.
fn as_json(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::Number(serde_json::Number::from_f64(number)?),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(_) => return None,
        toml::Value::Array(items) => Value::Array(items.into_iter().map(as_json).collect::<Option<_>>()?),
        toml::Value::Table(entries) => {
            Value::Object(entries.into_iter().map(|(key, value)| Some((key, as_json(value)?))).collect::<Option<_>>()?)
        }
    })
}

/// RFC 6901, section 3.
fn is_pointer(text: &str) -> bool {
    let escapes_end_well = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    (text.is_empty() || text.starts_with('/')) && escapes_end_well
}
