//! What evals say about each version of a package after the one before it.

use serde::Serialize;
use skills::{PackageName, Version};

use crate::evals::{Summary, differing, round};
use crate::sign_test::{p_value, verdict};

/// From one recorded version of a package to the next.
#[derive(Debug, PartialEq, Serialize)]
pub struct EvalDelta {
    /// The package.
    pub package: PackageName,
    /// The older version.
    pub from: Version,
    /// The newer one.
    pub to: Version,
    /// By how much the pass rate changed.
    pub delta: f64,
    /// How many evals of both differ.
    pub n: u32,
    /// How likely luck alone would do that: the exact sign test, two-sided.
    pub p: f64,
    /// `better`, `worse` or `not distinguishable`.
    pub verdict: &'static str,
    /// Whether both were measured with the same model and harness.
    pub alike: bool,
}

/// Each recorded version against the next, by package; those whose newer record is older than `since` are
/// left out.
pub(super) fn deltas(evals: &[Summary], since: u64) -> Vec<EvalDelta> {
    let mut evals: Vec<&Summary> = evals.iter().collect();
    evals.sort_by_key(|one| (&one.package, &one.version));
    let pairs = evals.windows(2).map(|pair| (pair[0], pair[1]));
    pairs
        .filter(|(old, new)| old.package == new.package && new.recorded.unix_seconds() >= since)
        .map(|(old, new)| delta(old, new))
        .collect()
}

fn delta(old: &Summary, new: &Summary) -> EvalDelta {
    let (better, n) = differing(old, new);
    EvalDelta {
        package: new.package.clone(),
        from: old.version.clone(),
        to: new.version.clone(),
        delta: round(new.pass_rate.mean - old.pass_rate.mean),
        n,
        p: p_value(better, n),
        verdict: verdict(better, n),
        alike: old.model == new.model && old.harness == new.harness,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A record of so many evals that all end alike, made in that second.
    fn record(package: &str, version: &str, evals: u32, rate: f64, at: u64) -> Summary {
        let each: serde_json::Map<_, _> = (0..evals).map(|id| (id.to_string(), json!(rate))).collect();
        let summary = json!({
            "schema": crate::evals::SUMMARY, "package": package, "version": version, "against": null,
            "digest": "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "evals": evals, "runs": evals, "pass_rate": {"mean": rate, "stddev": 0.0}, "tokens": null, "seconds": null,
            "model": null, "harness": null, "each": each,
            "recorded": skills::evidence::Moment::from_unix_seconds(at),
        });
        serde_json::from_value(summary).expect("a summary")
    }

    fn shown(evals: &[Summary], since: u64) -> Vec<(String, f64, u32, &'static str)> {
        let line = |one: EvalDelta| (format!("{} {} {}", one.package, one.from, one.to), one.delta, one.n, one.verdict);
        deltas(evals, since).into_iter().map(line).collect()
    }

    #[test]
    fn each_version_is_held_against_the_one_before_it_and_five_evals_show_nothing() {
        let evals = [
            record("a/x", "1.10.0", 8, 0.5, 30),
            record("a/x", "1.2.0", 8, 1.0, 20),
            record("a/x", "1.0.0", 5, 0.25, 10),
            record("a/y", "2.0.0", 8, 0.0, 40),
            record("a/z", "1.0.0", 6, 0.0, 5),
            record("a/z", "1.0.1", 6, 0.1, 6),
        ];
        let all = [
            ("a/x 1.0.0 1.2.0".to_owned(), 0.75, 5, "not distinguishable"),
            ("a/x 1.2.0 1.10.0".to_owned(), -0.5, 8, "worse"),
            ("a/z 1.0.0 1.0.1".to_owned(), 0.1, 6, "better"),
        ];
        assert_eq!(shown(&evals, 0), all);
        assert_eq!(shown(&evals, 21), all[1..2]);
    }

    #[test]
    fn other_models_are_said_and_what_does_not_differ_is_no_news() {
        let mut other = record("a/x", "1.0.1", 8, 1.0, 2);
        other.model = Some("m-2".to_owned());
        let [one] = &deltas(&[record("a/x", "1.0.0", 8, 1.0, 1), other], 0)[..] else { panic!("one pair") };
        assert_eq!((one.alike, one.n, one.verdict), (false, 0, "not distinguishable"));
        assert!((one.p - 1.0).abs() < f64::EPSILON && one.delta.abs() < f64::EPSILON);
    }
}
