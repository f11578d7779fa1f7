//! The exact two-sided sign test: is one version better, or was it luck?
//!
//! Of the evals that differ, `better` went up and the rest down. If both were as likely, how often would
//! the split be at least as uneven? No approximation: binomial terms, added up. Fewer than six that
//! differ can never show anything at 5 %: even all six of six is needed.

/// Largest number of evals that differ; above, the smallest term is no number of 64 bits any more.
pub const DIFFERING_MAX: u32 = 1000;

/// Below this a difference counts as shown.
pub const LEVEL: f64 = 0.05;

/// Fewest evals that differ with which anything can be shown: 2 · 2⁻⁵ is more than 5 %.
pub const DIFFERING_MIN: u32 = 6;

/// The probability of a split at least as uneven as `better` of `differing`, by luck alone. More than
/// [`DIFFERING_MAX`], or more better than differ, gives 1: nothing is claimed.
pub fn p_value(better: u32, differing: u32) -> f64 {
    if differing == 0 || differing > DIFFERING_MAX || better > differing {
        return 1.0;
    }
    let fewer = better.min(differing - better);
    // C(n, i) / 2^n, from i = 0: each term from the one before.
    let mut term = 0.5_f64.powi(i32::try_from(differing).unwrap_or(i32::MAX));
    let mut tail = term;
    for i in 1..=fewer {
        term *= f64::from(differing - i + 1) / f64::from(i);
        tail += term;
    }
    (2.0 * tail).min(1.0)
}

/// Whether it is shown that the versions differ.
pub fn is_shown(better: u32, differing: u32) -> bool {
    differing >= DIFFERING_MIN && p_value(better, differing) < LEVEL
}

/// What is said of the newer version: mostly that nobody can tell.
pub fn verdict(better: u32, differing: u32) -> &'static str {
    match (is_shown(better, differing), better * 2 > differing) {
        (false, _) => "not distinguishable",
        (true, true) => "better",
        (true, false) => "worse",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All 2^n outcomes of n coins, counted: the definition.
    fn brute_force(better: u32, differing: u32) -> f64 {
        let uneven = |heads: u32| heads.abs_diff(differing - heads);
        let all = 1_u32 << differing;
        let at_least = (0..all).filter(|coins| uneven(coins.count_ones()) >= uneven(better)).count();
        f64::from(u32::try_from(at_least).expect("at most 2^16")) / f64::from(all)
    }

    #[test]
    fn it_is_the_share_of_all_outcomes_that_are_as_uneven() {
        for differing in 1..=14 {
            for better in 0..=differing {
                let (fast, slow) = (p_value(better, differing), brute_force(better, differing));
                assert!((fast - slow).abs() < 1e-12, "{better} of {differing}: {fast}, counted {slow}");
            }
        }
    }

    #[test]
    fn the_thresholds_are_6_of_6_8_of_9_9_of_10_and_10_of_12() {
        for (better, differing) in [(6, 6), (7, 7), (8, 8), (8, 9), (9, 10), (10, 11), (10, 12)] {
            assert!(is_shown(better, differing), "{better} of {differing}");
            assert!(is_shown(differing - better, differing), "worse is as plain as better");
        }
        for (better, differing) in [(7, 8), (7, 9), (8, 10), (9, 11), (9, 12)] {
            assert!(!is_shown(better, differing), "{better} of {differing}");
        }
    }

    #[test]
    fn fewer_than_six_can_never_show_it() {
        for differing in 0..6 {
            assert!((0..=differing).all(|better| !is_shown(better, differing) && p_value(better, differing) > LEVEL));
        }
    }

    #[test]
    fn it_is_fair_symmetric_and_stays_a_probability() {
        for differing in 1..=DIFFERING_MAX {
            let half = p_value(differing / 2, differing);
            assert!((0.97..=1.0).contains(&half), "{differing}: {half}");
            assert!((p_value(1, differing) - p_value(differing - 1, differing)).abs() < f64::EPSILON);
        }
        assert!((p_value(5, 0) - 1.0).abs() < f64::EPSILON && (p_value(7, 6) - 1.0).abs() < f64::EPSILON);
    }
}
