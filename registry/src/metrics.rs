//! `/metrics`, in Prometheus' text format: a few atomics, added to and never locked.
//!
//! Routes are counted by class, never by path: a path is a stranger's text and would make as many series
//! as somebody likes. Everything is in memory and starts at zero with the process; nothing is written per
//! request.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What kind of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `/index/…`
    Index,
    /// `/archives/…`
    Archive,
    /// `/bundles/…`
    Bundle,
    /// `/keyrings/…`
    Keyring,
    /// `/api/v1/search`
    Search,
    /// `/api/v1/publish`
    Publish,
    /// The rest of `/api/…`
    Api,
    /// Everything else.
    Other,
}

const CLASSES: [(Class, &str, &str); 8] = [
    (Class::Index, "index", "/index/"),
    (Class::Archive, "archive", "/archives/"),
    (Class::Bundle, "bundle", "/bundles/"),
    (Class::Keyring, "keyring", "/keyrings/"),
    (Class::Search, "search", "/api/v1/search"),
    (Class::Publish, "publish", "/api/v1/publish"),
    (Class::Api, "api", "/api/"),
    (Class::Other, "other", ""),
];

/// Upper bounds of the histogram of durations, in microseconds.
const BOUNDS_US: [u64; 9] = [50, 200, 1_000, 5_000, 20_000, 100_000, 500_000, 2_000_000, 10_000_000];

/// The counters.
#[derive(Default)]
pub struct Metrics {
    requests: [[AtomicU64; 5]; CLASSES.len()],
    durations: [[AtomicU64; BOUNDS_US.len() + 1]; CLASSES.len()],
    duration_us: [AtomicU64; CLASSES.len()],
    published: AtomicU64,
    published_bytes: AtomicU64,
    connections: AtomicU64,
}

impl Class {
    /// The class of a path: the first whose beginning it has.
    pub fn of(path: &str) -> Self {
        CLASSES.iter().find(|(_, _, prefix)| path.starts_with(prefix)).map_or(Self::Other, |(class, _, _)| *class)
    }
}

impl Metrics {
    /// Counts an answer.
    pub fn answered(&self, class: Class, status: u16, took: Duration) {
        let class = class as usize;
        let hundred = usize::from(status / 100).clamp(1, 5) - 1;
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.iter().position(|bound| took_us <= *bound).unwrap_or(BOUNDS_US.len());
        self.requests[class][hundred].fetch_add(1, Relaxed);
        self.durations[class][bucket].fetch_add(1, Relaxed);
        self.duration_us[class].fetch_add(took_us, Relaxed);
    }

    /// Counts new releases and the bytes of their archives.
    pub fn published(&self, releases: u64, bytes: u64) {
        self.published.fetch_add(releases, Relaxed);
        self.published_bytes.fetch_add(bytes, Relaxed);
    }

    /// A connection was opened.
    pub fn opened(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// A connection was closed.
    pub fn closed(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    /// The text that Prometheus scrapes.
    pub fn format(&self, packages: usize) -> String {
        let mut text = String::with_capacity(4_096);
        self.format_requests(&mut text);
        self.format_durations(&mut text);
        for (name, kind, value) in [
            ("skill_registry_releases_published_total", "counter", self.published.load(Relaxed)),
            ("skill_registry_published_bytes_total", "counter", self.published_bytes.load(Relaxed)),
            ("skill_registry_connections", "gauge", self.connections.load(Relaxed)),
            ("skill_registry_packages", "gauge", packages as u64),
        ] {
            let _ = writeln!(text, "# TYPE {name} {kind}\n{name} {value}");
        }
        text
    }

    fn format_requests(&self, text: &mut String) {
        text.push_str("# TYPE skill_registry_requests_total counter\n");
        for (class, name, _) in CLASSES {
            for (hundred, count) in self.requests[class as usize].iter().enumerate() {
                let (status, count) = (hundred + 1, count.load(Relaxed));
                if count > 0 {
                    let _ = writeln!(
                        text,
                        "skill_registry_requests_total{{route=\"{name}\",status=\"{status}xx\"}} {count}"
                    );
                }
            }
        }
    }

    fn format_durations(&self, text: &mut String) {
        const NAME: &str = "skill_registry_request_seconds";
        let _ = writeln!(text, "# TYPE {NAME} histogram");
        for (class, name, _) in CLASSES {
            let mut sum = 0;
            for (bucket, count) in self.durations[class as usize].iter().enumerate() {
                sum += count.load(Relaxed);
                let bound = BOUNDS_US.get(bucket).map_or("+Inf".to_owned(), |us| (*us as f64 / 1e6).to_string());
                let _ = writeln!(text, "{NAME}_bucket{{route=\"{name}\",le=\"{bound}\"}} {sum}");
            }
            let seconds = self.duration_us[class as usize].load(Relaxed) as f64 / 1e6;
            let _ = writeln!(text, "{NAME}_sum{{route=\"{name}\"}} {seconds}\n{NAME}_count{{route=\"{name}\"}} {sum}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_first_class_that_it_begins_with() {
        assert_eq!(Class::of("/index/acme/pdf"), Class::Index);
        assert_eq!(Class::of("/api/v1/publish"), Class::Publish);
        assert_eq!(Class::of("/api/v1/me"), Class::Api);
        assert_eq!(Class::of("/no-such"), Class::Other);
        for (at, (class, _, _)) in CLASSES.iter().enumerate() {
            assert_eq!(*class as usize, at, "a class is the place of its counters");
        }
    }

    #[test]
    fn the_histogram_counts_up_to_infinity() {
        let metrics = Metrics::default();
        metrics.answered(Class::Index, 200, Duration::from_micros(10));
        metrics.answered(Class::Index, 404, Duration::from_secs(60));
        let text = metrics.format(3);
        for line in [
            "skill_registry_requests_total{route=\"index\",status=\"2xx\"} 1",
            "skill_registry_requests_total{route=\"index\",status=\"4xx\"} 1",
            "skill_registry_request_seconds_bucket{route=\"index\",le=\"0.00005\"} 1",
            "skill_registry_request_seconds_bucket{route=\"index\",le=\"+Inf\"} 2",
            "skill_registry_packages 3",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
