//! One run of a check: what was started, on what, what was enforced, and how it ended.
//!
//! ERROR is kept apart from FAILED: a missing program says nothing about the work. For readers that
//! know only in-toto's `result`, an error is FAILED with `skillRun.error` set: whoever does not know
//! the difference errs on the safe side.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::moment::Moment;
use super::signer::Trust;
use super::statement::{GitTree, Hex, HexDigest, Resource, Wire, malformed};
use crate::brief::uses::Pinned;
use crate::check::Network;
use crate::digest::Sha256;
use crate::name::{PackageName, SkillName};
use crate::path::FilePath;
use crate::refusal::Refusal;
use crate::version::Version;

/// The predicate type of in-toto's test results.
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

/// One run of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The tree that was judged, without its evidence; nothing where there is no Git.
    pub tree: Option<GitTree>,
    /// The digest of what the check reads.
    pub inputs: Sha256,
    /// The check, exactly.
    pub check: Pinned,
    /// The brief that it ran for.
    pub brief: Option<BriefRef>,
    /// How it ended.
    pub outcome: Outcome,
    /// What was started.
    pub argv: Vec<String>,
    /// What the check was told, defaults included.
    pub params: Map<String, Value>,
    /// The exit code, where the program came that far.
    pub exit: Option<i32>,
    /// When it was started.
    pub started_on: Moment,
    /// How long it took.
    pub duration_ms: u64,
    /// `x86_64-linux`
    pub platform: String,
    /// What was enforced.
    pub sandbox: Sandbox,
    /// What is kept of its output.
    pub observation: Observation,
    /// What it produced, by digest.
    pub artifacts: Vec<Artifact>,
    /// What ran it.
    pub runner: Runner,
}

/// A brief, by id and by the digest of its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BriefRef {
    /// Its id.
    pub id: SkillName,
    /// [`Document::digest`](crate::brief::Document::digest).
    pub digest: Sha256,
}

impl BriefRef {
    pub(super) fn resource(&self) -> Resource {
        let uri = format!("file:.skill/briefs/{}.brief.json", self.id);
        Resource { name: "brief".to_owned(), uri, digest: HexDigest::of(self.digest) }
    }

    /// Reads what [`Self::resource`] wrote.
    pub(super) fn of(resource: &Resource) -> Result<Self, Refusal> {
        let id = resource.uri.strip_prefix("file:.skill/briefs/").and_then(|rest| rest.strip_suffix(".brief.json"));
        let id = id.ok_or_else(|| malformed("its brief lies at another place than briefs do"))?;
        Ok(Self { id: SkillName::parse(id)?, digest: resource.digest.sha256.0 })
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was as expected.
    Passed,
    /// It ran, and something was not as expected: why, one sentence each.
    Failed(Vec<String>),
    /// It could not be run, or not to its end: nothing is said about the work.
    Error(String),
}

impl Outcome {
    /// `PASSED`, `FAILED`, `ERROR`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Passed => "PASSED",
            Self::Failed(_) => "FAILED",
            Self::Error(_) => "ERROR",
        }
    }
}

/// What held the check back: what the kernel enforced, not what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// What it could reach.
    pub network: Network,
    /// `user-namespace`, `network-namespace`, `landlock`, …; empty where nothing was enforced.
    pub enforced: Vec<String>,
}

/// What is kept of the output: a few lines, and digests of the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// The lines that the check asked to keep, redacted.
    pub key_lines: Vec<String>,
    /// All of stdout.
    pub stdout: StreamDigest,
    /// All of stderr.
    pub stderr: StreamDigest,
}

/// A stream, by size and digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamDigest {
    /// How many bytes it had.
    pub bytes: u64,
    /// Their digest.
    #[serde(with = "bare_hex")]
    pub sha256: Sha256,
}

/// A file that the check produced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Where, in the workspace.
    pub path: FilePath,
    /// Its digest.
    #[serde(with = "bare_hex")]
    pub sha256: Sha256,
    /// Its size.
    pub bytes: u64,
}

/// What ran the check. `trust` is what the runner believed of itself, and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runner {
    /// `skill`
    pub tool: String,
    /// Its version.
    pub version: String,
    /// How far it thinks that it is independent.
    pub trust: Trust,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Predicate {
    result: String,
    configuration: Vec<Resource>,
    passed_tests: Vec<PackageName>,
    failed_tests: Vec<PackageName>,
    skill_run: SkillRun,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SkillRun {
    argv: Vec<String>,
    params: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit: Option<i32>,
    why: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    started_on: Moment,
    duration_ms: u64,
    platform: String,
    sandbox: Sandbox,
    observation: Observation,
    artifacts: Vec<Artifact>,
    runner: Runner,
}

impl Run {
    /// The payload to sign. Call it once and keep the bytes.
    pub fn to_payload(&self) -> Vec<u8> {
        let name = &self.check.name;
        let passed = self.outcome == Outcome::Passed;
        let uri = format!("skill:{}", self.check.spec());
        let check = Resource { name: "check".to_owned(), uri, digest: HexDigest::of(self.check.digest) };
        let named = |when: bool| when.then(|| name.clone()).into_iter().collect();
        let predicate = Predicate {
            result: if passed { "PASSED" } else { "FAILED" }.to_owned(),
            configuration: [check].into_iter().chain(self.brief.as_ref().map(BriefRef::resource)).collect(),
            passed_tests: named(passed),
            failed_tests: named(!passed),
            skill_run: self.skill_run(),
        };
        Wire::new(TEST_RESULT, self.tree.as_ref(), Some(self.inputs), predicate).to_payload()
    }

    fn skill_run(&self) -> SkillRun {
        let (why, error) = match &self.outcome {
            Outcome::Passed => (Vec::new(), None),
            Outcome::Failed(why) => (why.clone(), None),
            Outcome::Error(error) => (Vec::new(), Some(error.clone())),
        };
        SkillRun {
            argv: self.argv.clone(),
            params: self.params.clone(),
            exit: self.exit,
            why,
            error,
            started_on: self.started_on,
            duration_ms: self.duration_ms,
            platform: self.platform.clone(),
            sandbox: self.sandbox.clone(),
            observation: self.observation.clone(),
            artifacts: self.artifacts.clone(),
            runner: self.runner.clone(),
        }
    }

    /// Parses a payload and checks that it agrees with itself: a result that its own lists and reasons
    /// contradict could be read as PASSED by one reader and as FAILED by another.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        let wire = Wire::<Predicate>::parse(payload, TEST_RESULT)?;
        let (tree, inputs) = wire.subjects()?;
        let predicate = wire.predicate;
        let (check, brief) = configuration(&predicate.configuration)?;
        let outcome = outcome(&predicate, &check.name)?;
        let run = predicate.skill_run;
        Ok(Self {
            tree,
            inputs: inputs.ok_or_else(|| malformed("it does not say what the check read"))?,
            check,
            brief,
            outcome,
            argv: run.argv,
            params: run.params,
            exit: run.exit,
            started_on: run.started_on,
            duration_ms: run.duration_ms,
            platform: run.platform,
            sandbox: run.sandbox,
            observation: run.observation,
            artifacts: run.artifacts,
            runner: run.runner,
        })
    }
}

/// One check, and at most one brief.
fn configuration(resources: &[Resource]) -> Result<(Pinned, Option<BriefRef>), Refusal> {
    let (mut check, mut brief) = (None, None);
    for resource in resources {
        match resource.name.as_str() {
            "check" if check.is_none() => check = Some(pinned(resource)?),
            "brief" if brief.is_none() => brief = Some(BriefRef::of(resource)?),
            _ => return Err(malformed("its configuration is not one check and at most one brief")),
        }
    }
    Ok((check.ok_or_else(|| malformed("it does not say which check ran"))?, brief))
}

fn pinned(resource: &Resource) -> Result<Pinned, Refusal> {
    let spec = resource.uri.strip_prefix("skill:").and_then(|rest| rest.rsplit_once('@'));
    let (name, version) = spec.ok_or_else(|| malformed("its check is not `skill:scope/name@version`"))?;
    let digest = resource.digest.sha256.0;
    Ok(Pinned { name: PackageName::parse(name)?, version: Version::parse(version)?, digest })
}

fn outcome(predicate: &Predicate, check: &PackageName) -> Result<Outcome, Refusal> {
    let SkillRun { why, error, .. } = &predicate.skill_run;
    let only = std::slice::from_ref(check);
    let lists = (predicate.passed_tests.as_slice(), predicate.failed_tests.as_slice());
    match (predicate.result.as_str(), error) {
        ("PASSED", None) if lists == (only, &[]) && why.is_empty() => Ok(Outcome::Passed),
        ("FAILED", None) if lists == (&[], only) => Ok(Outcome::Failed(why.clone())),
        ("FAILED", Some(error)) if lists == (&[], only) && why.is_empty() => Ok(Outcome::Error(error.clone())),
        _ => Err(malformed("its result, its tests and its reasons contradict each other")),
    }
}

/// In-toto writes digests as bare hex.
mod bare_hex {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Hex, Sha256};

    pub(super) fn serialize<S: Serializer>(digest: &Sha256, serializer: S) -> Result<S::Ok, S::Error> {
        Hex(*digest).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sha256, D::Error> {
        Hex::deserialize(deserializer).map(|hex| hex.0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    /// The run of FORMATS §5.
    pub(crate) fn run() -> Run {
        let digest = |text: &str| Sha256::of(text);
        let values = json!({"command": ["sh", "t.sh"]});
        Run {
            tree: Some(GitTree::parse("566de2f25c233a27ea929a57af36d6aca9d0ccd9").expect("a tree")),
            inputs: digest("inputs"),
            check: Pinned {
                name: PackageName::parse("platform/check-tests-pass").expect("a name"),
                version: Version::parse("1.2.0").expect("a version"),
                digest: digest("check"),
            },
            brief: Some(BriefRef { id: SkillName::parse("ops-412-orders").expect("an id"), digest: digest("brief") }),
            outcome: Outcome::Passed,
            argv: vec!["sh".to_owned(), "t.sh".to_owned()],
            params: values.as_object().expect("an object").clone(),
            exit: Some(0),
            started_on: Moment::parse("2026-11-22T08:28:54Z").expect("a moment"),
            duration_ms: 38,
            platform: "x86_64-linux".to_owned(),
            sandbox: Sandbox {
                network: Network::None,
                enforced: vec!["user-namespace".to_owned(), "network-namespace".to_owned()],
            },
            observation: Observation {
                key_lines: vec!["test result: ok. 3 passed; 0 failed".to_owned()],
                stdout: StreamDigest { bytes: 36, sha256: digest("stdout") },
                stderr: StreamDigest { bytes: 0, sha256: digest("") },
            },
            artifacts: vec![Artifact {
                path: FilePath::parse("out/after.sql").expect("a path"),
                sha256: digest("after"),
                bytes: 5120,
            }],
            runner: Runner { tool: "skill".to_owned(), version: "0.1.0".to_owned(), trust: Trust::Local },
        }
    }

    fn text() -> String {
        String::from_utf8(run().to_payload()).expect("UTF-8")
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let hex = |text: &str| Sha256::of(text).hex();
        let expected = [
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":["#,
            r#"{"name":"git-tree","digest":{"gitTree":"566de2f25c233a27ea929a57af36d6aca9d0ccd9"}},"#,
            &format!(r#"{{"name":"check-inputs","digest":{{"sha256":"{}"}}}}],"#, hex("inputs")),
            r#""predicateType":"https://in-toto.io/attestation/test-result/v0.1","predicate":{"result":"PASSED","#,
            r#""configuration":[{"name":"check","uri":"skill:platform/check-tests-pass@1.2.0","#,
            &format!(r#""digest":{{"sha256":"{}"}}}},"#, hex("check")),
            r#"{"name":"brief","uri":"file:.skill/briefs/ops-412-orders.brief.json","#,
            &format!(r#""digest":{{"sha256":"{}"}}}}],"#, hex("brief")),
            r#""passedTests":["platform/check-tests-pass"],"failedTests":[],"#,
            r#""skillRun":{"argv":["sh","t.sh"],"params":{"command":["sh","t.sh"]},"exit":0,"why":[],"#,
            r#""startedOn":"2026-11-22T08:28:54Z","durationMs":38,"platform":"x86_64-linux","#,
            r#""sandbox":{"network":"none","enforced":["user-namespace","network-namespace"]},"#,
            r#""observation":{"keyLines":["test result: ok. 3 passed; 0 failed"],"#,
            &format!(r#""stdout":{{"bytes":36,"sha256":"{}"}},"#, hex("stdout")),
            &format!(r#""stderr":{{"bytes":0,"sha256":"{}"}}}},"#, hex("")),
            &format!(r#""artifacts":[{{"path":"out/after.sql","sha256":"{}","bytes":5120}}],"#, hex("after")),
            r#""runner":{"tool":"skill","version":"0.1.0","trust":"local"}}}}"#,
        ];
        assert_eq!(text(), expected.concat());
    }

    #[test]
    fn what_was_written_parses_back() {
        let whole = run();
        let failed = Run { outcome: Outcome::Failed(vec!["exit 101, expected 0".into()]), exit: Some(101), ..run() };
        let error = Run { outcome: Outcome::Error("timed out after 300 s".into()), exit: None, ..run() };
        let bare = Run { tree: None, brief: None, artifacts: Vec::new(), ..run() };
        for run in [whole, failed, error, bare] {
            assert_eq!(Run::parse(&run.to_payload()), Ok(run));
        }
    }

    #[test]
    fn an_error_is_a_failure_to_whoever_knows_only_results() {
        let error = Run { outcome: Outcome::Error("no such program".into()), ..run() };
        let value: Value = serde_json::from_slice(&error.to_payload()).expect("JSON");
        assert_eq!(value["predicate"]["result"], "FAILED");
        assert_eq!(value["predicate"]["skillRun"]["error"], "no such program");
    }

    #[test]
    fn unknown_fields_are_ignored() {
        let more = text().replacen("\"skillRun\":{", "\"later\":[1],\"skillRun\":{\"later\":{},", 1);
        assert_eq!(Run::parse(more.as_bytes()), Ok(run()));
    }

    #[test]
    fn what_contradicts_itself_or_can_be_read_twice_is_refused() {
        for (from, to) in [
            ("\"PASSED\"", "\"FAILED\""),
            ("\"PASSED\"", "\"WARNED\""),
            ("\"why\":[]", "\"why\":[\"exit 1\"]"),
            ("\"why\":[]", "\"why\":[],\"error\":\"no program\""),
            ("\"passedTests\":[\"platform/check-tests-pass\"]", "\"passedTests\":[\"platform/check-other\"]"),
            ("\"failedTests\":[]", "\"failedTests\":[\"platform/check-tests-pass\"]"),
            ("\"exit\":0", "\"exit\":0,\"exit\":1"),
            ("Statement/v1", "Statement/v0.1"),
            ("test-result/v0.1", "test-result/v1"),
            ("\"name\":\"check-inputs\"", "\"name\":\"git-tree\""),
            ("\"name\":\"check-inputs\"", "\"name\":\"other\""),
            ("\"name\":\"brief\"", "\"name\":\"check\""),
            ("\"name\":\"check\"", "\"name\":\"checks\""),
            ("566de2f2", "566DE2F2"),
            ("skill:platform/check-tests-pass@1.2.0", "skill:platform/check-tests-pass"),
            ("file:.skill/briefs/ops-412-orders", "file:../ops-412-orders"),
            ("out/after.sql", "../after.sql"),
            ("2026-11-22T08:28:54Z", "yesterday"),
        ] {
            let text = text().replacen(from, to, 1);
            assert_ne!(text, self::text(), "{from}");
            assert!(Run::parse(text.as_bytes()).is_err(), "{from} -> {to}");
        }
    }
}
