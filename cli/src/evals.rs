//! What evals say about a version of a package: read, summarised, kept signed.
//!
//! A benchmark is somebody's file of runs; its shape is the one that skill authors' tools write
//! (`runs[]` with an eval's id and its result). `evals/evals.json` of a package exists in two
//! spellings, `assertions` and `expectations`, and both are read. What is kept is a summary, signed,
//! one file a version: `.skill/evals/SCOPE.NAME/VERSION.json`.

pub mod kept;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skills::evidence::Moment;
use skills::{PackageName, Sha256, Version};

use crate::failure::Failure;

/// Most runs of one benchmark.
const RUNS_MAX: usize = 100_000;

/// The predicate type of a summary. Nobody owns `.invalid`.
pub const SUMMARY: &str = "https://agent-skill.invalid/eval-summary/v1";

/// The runs of a benchmark, as far as they are of the package and not of the baseline.
#[derive(Debug, Default, PartialEq)]
pub struct Benchmark {
    /// The pass rate of each run, by eval.
    pub rates: BTreeMap<String, Vec<f64>>,
    /// Tokens of each run that says so.
    pub tokens: Vec<f64>,
    /// Seconds of each run that says so.
    pub seconds: Vec<f64>,
    /// The model, where it is said.
    pub model: Option<String>,
    /// What ran it, where it is said.
    pub harness: Option<String>,
}

/// Mean and spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation of a sample; 0 of one value.
    pub stddev: f64,
}

/// What is kept of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// [`SUMMARY`].
    pub schema: String,
    /// The package.
    pub package: PackageName,
    /// Its version.
    pub version: Version,
    /// The digest of its archive.
    pub digest: Sha256,
    /// The version that it was measured against.
    pub against: Option<Version>,
    /// How many evals.
    pub evals: usize,
    /// How many runs.
    pub runs: usize,
    /// Pass rate of the runs.
    pub pass_rate: Spread,
    /// Tokens of a run.
    pub tokens: Option<Spread>,
    /// Seconds of a run.
    pub seconds: Option<Spread>,
    /// The model.
    pub model: Option<String>,
    /// What ran it.
    pub harness: Option<String>,
    /// When it was recorded.
    pub recorded: Moment,
    /// The mean pass rate of each eval: what versions are compared by.
    pub each: BTreeMap<String, f64>,
}

impl Benchmark {
    /// Reads a benchmark; runs of a baseline (`without_skill`, `baseline`) are left out.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| malformed(&format!("it is not JSON: {error}")))?;
        let runs = value["runs"].as_array().ok_or_else(|| malformed("it has no list `runs`"))?;
        if runs.is_empty() || runs.len() > RUNS_MAX {
            return Err(malformed(&format!("it has {} runs, expected 1 to {RUNS_MAX}", runs.len())));
        }
        let word = |keys: &[&str]| {
            let found = keys.iter().find_map(|key| value["metadata"][*key].as_str().or(value[*key].as_str()));
            found.map(|text| text.chars().take(200).collect())
        };
        let mut benchmark =
            Self { model: word(&["executor_model", "model"]), harness: word(&["harness", "agent"]), ..Self::default() };
        for (at, run) in runs.iter().enumerate() {
            let configuration = run["configuration"].as_str().unwrap_or("with_skill");
            if !matches!(configuration, "without_skill" | "baseline" | "old_skill") {
                benchmark.take(run).map_err(|why| malformed(&format!("run {}: {why}", at + 1)))?;
            }
        }
        if benchmark.rates.is_empty() {
            return Err(malformed("all its runs are of a baseline"));
        }
        Ok(benchmark)
    }

    fn take(&mut self, run: &Value) -> Result<(), String> {
        let id = eval_id(run).ok_or("it has no `eval_id`")?;
        let result = if run["result"].is_object() { &run["result"] } else { run };
        let rate = pass_rate(result).or_else(|| pass_rate(run)).ok_or("it says nothing of what passed")?;
        if !(0.0..=1.0).contains(&rate) {
            return Err(format!("pass rate {rate} is not between 0 and 1"));
        }
        self.rates.entry(id).or_default().push(rate);
        let number =
            |keys: [&str; 2]| keys.iter().find_map(|key| result[*key].as_f64()).filter(|number| *number >= 0.0);
        self.tokens.extend(number(["tokens", "total_tokens"]));
        self.seconds.extend(number(["time_seconds", "seconds"]));
        Ok(())
    }

    /// All rates.
    pub fn all_rates(&self) -> Vec<f64> {
        self.rates.values().flatten().copied().collect()
    }
}

/// The ids of the evals of `evals.json`, in either spelling; each has something that can fail.
pub fn eval_ids(text: &str) -> Result<Vec<String>, Failure> {
    let wrong = |why: String| Failure::usage("evals-malformed", format!("evals.json: {why}"));
    let value: Value = serde_json::from_str(text).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    let evals = value["evals"].as_array().or(value.as_array()).ok_or_else(|| wrong("it has no list `evals`".into()))?;
    let id = |(at, eval): (usize, &Value)| {
        let id = eval_id(eval).ok_or_else(|| wrong(format!("eval {} has no `id`", at + 1)))?;
        let says = |key: &str| eval[key].as_array().is_some_and(|list| !list.is_empty());
        match says("assertions") || says("expectations") {
            true => Ok(id),
            false => Err(wrong(format!("eval `{}` has neither `assertions` nor `expectations`", id.escape_debug()))),
        }
    };
    evals.iter().enumerate().map(id).collect()
}

/// Mean and spread of some values; nothing of none.
pub fn spread(values: &[f64]) -> Option<Spread> {
    let count = f64::from(u32::try_from(values.len()).ok().filter(|count| *count > 0)?);
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let stddev = if values.len() < 2 { 0.0 } else { (squares / (count - 1.0)).sqrt() };
    Some(Spread { mean: round(mean), stddev: round(stddev) })
}

/// Of the evals of both: how many went up, and how many differ at all.
pub fn differing(old: &Summary, new: &Summary) -> (u32, u32) {
    let pairs = old.each.iter().filter_map(|(id, before)| Some((*before, *new.each.get(id)?)));
    pairs
        .filter(|(before, after)| before != after)
        .fold((0, 0), |(better, all), (before, after)| (better + u32::from(after > before), all + 1))
}

/// Six digits: what is compared has to be the same number when it is read again.
pub fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn eval_id(value: &Value) -> Option<String> {
    let id = [&value["eval_id"], &value["id"]].into_iter().find(|id| !id.is_null())?;
    let text = id.as_str().map_or_else(|| id.as_u64().map(|id| id.to_string()), |id| Some(id.to_owned()))?;
    (!text.is_empty() && text.chars().count() <= 200).then_some(text)
}

/// A rate, or counts, or a list of what passed in either spelling.
fn pass_rate(value: &Value) -> Option<f64> {
    if let Some(rate) = value["pass_rate"].as_f64() {
        return Some(rate);
    }
    if let (Some(passed), Some(total)) = (value["passed"].as_f64(), value["total"].as_f64()) {
        return (total > 0.0).then(|| passed / total);
    }
    let list = [&value["expectations"], &value["assertions"]].into_iter().find_map(Value::as_array)?;
    let marks: Vec<f64> = list.iter().map(|one| f64::from(u8::from(one["passed"] == true))).collect();
    spread(&marks).map(|spread| spread.mean)
}

fn malformed(why: &str) -> Failure {
    Failure::usage("benchmark-malformed", format!("the benchmark cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: &str = r#"{"metadata": {"executor_model": "m-1", "harness": "h"}, "runs": [
        {"eval_id": 1, "configuration": "with_skill", "result": {"pass_rate": 1.0, "time_seconds": 10, "tokens": 100}},
        {"eval_id": 1, "configuration": "with_skill", "result": {"passed": 1, "total": 2, "time_seconds": 20, "tokens": 300}},
        {"eval_id": 1, "configuration": "without_skill", "result": {"pass_rate": 0.0}},
        {"eval_id": "two", "expectations": [{"passed": true}, {"passed": false}]},
        {"eval_id": "three", "assertions": [{"passed": true}]}]}"#;

    #[test]
    fn a_benchmark_is_read_without_its_baseline_in_either_spelling() {
        let benchmark = Benchmark::parse(RUNS).expect("a benchmark");
        assert_eq!(benchmark.rates["1"], [1.0, 0.5]);
        assert_eq!((&benchmark.rates["two"][..], &benchmark.rates["three"][..]), (&[0.5][..], &[1.0][..]));
        assert_eq!(spread(&benchmark.tokens), Some(Spread { mean: 200.0, stddev: 141.421_356 }));
        assert_eq!((benchmark.model.as_deref(), benchmark.harness.as_deref()), (Some("m-1"), Some("h")));
    }

    #[test]
    fn what_is_no_benchmark_is_refused() {
        for text in ["", "[]", "{\"runs\": []}", "{\"runs\": [{}]}", "{\"runs\": [{\"eval_id\": 1, \"pass_rate\": 7}]}"]
        {
            assert_eq!(Benchmark::parse(text).expect_err(text).code, "benchmark-malformed", "{text}");
        }
        let baseline = r#"{"runs": [{"eval_id": 1, "configuration": "baseline", "pass_rate": 1}]}"#;
        assert!(Benchmark::parse(baseline).is_err());
    }

    #[test]
    fn evals_are_read_in_both_spellings_and_have_to_be_able_to_fail() {
        let text = r#"{"evals": [{"id": 1, "assertions": ["x"]}, {"id": "b", "expectations": ["y"]}]}"#;
        assert_eq!(eval_ids(text).expect("evals"), ["1", "b"]);
        assert_eq!(eval_ids(r#"{"evals": [{"id": 1}]}"#).expect_err("nothing").code, "evals-malformed");
    }
}
