//! How long replies took: a histogram per target, per area and per command.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Latencies of one kind of thing, in whole microseconds, to three significant digits.
#[derive(Debug, Clone)]
pub struct Latency {
    histogram: Histogram<u64>,
}

impl Default for Latency {
    fn default() -> Self {
        // Three digits are a constant that hdrhistogram accepts (0 to 5); the range grows by itself.
        let mut histogram = Histogram::new(3).expect("three significant digits are in range");
        histogram.auto(true);
        Latency { histogram }
    }
}

impl Latency {
    /// Adds one measurement.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros())
            .unwrap_or(u64::MAX)
            .clamp(1, HOUR_US);
        // `saturating_record` would clamp to the present range rather than extend it.
        let _ = self.histogram.record(micros);
    }

    /// Adds all measurements of another.
    pub fn merge(&mut self, other: &Latency) {
        // An auto-resizing histogram takes any other of the same precision.
        let _ = self.histogram.add(&other.histogram);
    }

    /// The figures a report shows; `None` when nothing was measured.
    pub fn summary(&self) -> Option<Summary> {
        (!self.histogram.is_empty()).then(|| Summary {
            count: self.histogram.len(),
            p50_us: self.histogram.value_at_quantile(0.50),
            p90_us: self.histogram.value_at_quantile(0.90),
            p99_us: self.histogram.value_at_quantile(0.99),
            max_us: self.histogram.max(),
        })
    }
}

/// Anything slower than an hour is recorded as an hour.
const HOUR_US: u64 = 3_600_000_000;

/// Percentiles of a histogram, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// How many replies were measured.
    pub count: u64,
    /// Half of the replies came at least this quickly.
    pub p50_us: u64,
    /// Nine in ten replies came at least this quickly.
    pub p90_us: u64,
    /// 99 in a hundred replies came at least this quickly.
    pub p99_us: u64,
    /// The slowest reply.
    pub max_us: u64,
}

/// All latencies of one target.
#[derive(Debug, Clone, Default)]
pub struct TargetLatency {
    /// All replies together.
    pub all: Latency,
    /// By area.
    pub areas: BTreeMap<String, Latency>,
    /// By command, in upper case; a pipeline and a transaction count as commands of their own.
    pub commands: BTreeMap<String, Latency>,
}

impl TargetLatency {
    /// Adds one measurement under its area and command.
    pub fn record(&mut self, area: &str, command: &str, latency: Duration) {
        self.all.record(latency);
        self.areas
            .entry(area.to_owned())
            .or_default()
            .record(latency);
        self.commands
            .entry(command.to_owned())
            .or_default()
            .record(latency);
    }

    /// Adds all measurements of another.
    pub fn merge(&mut self, other: &TargetLatency) {
        self.all.merge(&other.all);
        for (area, latency) in &other.areas {
            self.areas.entry(area.clone()).or_default().merge(latency);
        }
        for (command, latency) in &other.commands {
            self.commands
                .entry(command.clone())
                .or_default()
                .merge(latency);
        }
    }
}

/// Microseconds as people read them: `85 µs`, `1.25 ms`, `2.1 s`.
pub fn human(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{:.2} ms", micros as f64 / 1e3),
        10_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_recorded() {
        let mut latency = TargetLatency::default();
        for micros in 1..=100 {
            latency.record("cache", "GET", Duration::from_micros(micros));
        }
        let summary = latency.areas["cache"].summary();
        let summary = summary.expect("100 measurements");
        assert_eq!(
            (summary.count, summary.p50_us, summary.p99_us),
            (100, 50, 99)
        );
        assert_eq!(Latency::default().summary(), None);
    }

    #[test]
    fn a_merge_keeps_both_sides() {
        let mut one = TargetLatency::default();
        one.record("cache", "GET", Duration::from_micros(10));
        let mut other = TargetLatency::default();
        other.record("locks", "GET", Duration::from_secs(3));
        one.merge(&other);
        let slowest = one.commands["GET"].summary().map(|summary| summary.max_us);
        assert!(
            slowest.is_some_and(|max| (2_990_000..3_010_000).contains(&max)),
            "{slowest:?}"
        );
        assert_eq!(
            one.commands["GET"].summary().map(|summary| summary.count),
            Some(2)
        );
        assert_eq!(one.areas.len(), 2);
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(human(85), "85 µs");
        assert_eq!(human(1_250), "1.25 ms");
        assert_eq!(human(12_500), "12.5 ms");
        assert_eq!(human(2_100_000), "2.10 s");
    }
}
