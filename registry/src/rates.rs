//! How often somebody may do something: one small table of token buckets.
//!
//! The generic cell rate algorithm keeps a single instant a key, the *theoretical arrival time*: a
//! request is allowed while that time is not further ahead than the burst allows. Time comes in as a value,
//! so the rule is tested without waiting. The table is bounded: keys whose bucket is full again are as good
//! as new and are dropped.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Most keys remembered at once; beyond it the idle ones are forgotten.
const KEYS_MAX: usize = 10_000;

/// A rate for each key.
pub struct Rates<K> {
    step: Duration,
    slack: Duration,
    arrivals: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Rates<K> {
    /// `per_minute` on average, `burst` at once; both at least one.
    pub fn new(per_minute: u32, burst: u32) -> Self {
        let step = Duration::from_secs(60) / per_minute.max(1);
        Self { step, slack: step * (burst.max(1) - 1), arrivals: Mutex::default() }
    }

    /// Counts one; the error says how long to wait.
    pub fn count(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut arrivals = self.arrivals.lock().expect("nothing panics while it holds the rates");
        if arrivals.len() >= KEYS_MAX {
            arrivals.retain(|_, arrival| *arrival > now);
        }
        if arrivals.len() >= KEYS_MAX && !arrivals.contains_key(&key) {
            return Err(self.step);
        }
        let arrival = arrivals.entry(key).or_insert(now);
        let ahead = arrival.saturating_duration_since(now);
        if ahead > self.slack {
            return Err(ahead - self.slack);
        }
        *arrival = (*arrival).max(now) + self.step;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds_for_each_key_alone() {
        let rates = Rates::new(60, 3);
        let start = Instant::now();
        for _ in 0..3 {
            assert_eq!(rates.count("ann", start), Ok(()));
        }
        assert_eq!(rates.count("ann", start), Err(Duration::from_secs(1)));
        assert_eq!(rates.count("bob", start), Ok(()));
        assert_eq!(rates.count("ann", start + Duration::from_secs(1)), Ok(()));
        assert!(rates.count("ann", start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn the_table_is_bounded_and_forgets_who_is_idle() {
        let rates = Rates::new(60, 1);
        let start = Instant::now();
        for key in 0..KEYS_MAX {
            assert_eq!(rates.count(key, start), Ok(()));
        }
        assert!(rates.count(KEYS_MAX, start).is_err());
        assert_eq!(rates.count(KEYS_MAX, start + Duration::from_secs(2)), Ok(()));
    }
}
