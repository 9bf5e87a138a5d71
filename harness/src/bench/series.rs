//! Figures of rounds, which intervals of confidence rest on.
//!
//! A percentile of a round that has too few operations for it is another name for its slowest. So many
//! rounds that follow each other are taken together as it takes for the percentile to be one: the p99
//! of 200 operations, the p99.9 of 2000.

use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;
use super::load::Tally;
use super::outcome::rate;

/// The figures of a measurement's rounds, in their order. One is empty where the whole measurement has
/// too few operations for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Means, in microseconds.
    pub mean_us: Vec<f64>,
    /// Medians.
    pub p50_us: Vec<f64>,
    /// 90 %.
    pub p90_us: Vec<f64>,
    /// 99 %.
    pub p99_us: Vec<f64>,
    /// 99.9 %.
    pub p999_us: Vec<f64>,
    /// Operations per second.
    pub per_second: Vec<f64>,
}

impl Series {
    /// Adds the rounds of another, which were measured after these or on another machine.
    pub fn extend(&mut self, other: &Series) {
        self.mean_us.extend(&other.mean_us);
        self.p50_us.extend(&other.p50_us);
        self.p90_us.extend(&other.p90_us);
        self.p99_us.extend(&other.p99_us);
        self.p999_us.extend(&other.p999_us);
        self.per_second.extend(&other.per_second);
    }
}

/// The series of measurements whose rounds were made by turns: one that did nothing has none, and the
/// figures of the others belong to the same rounds, so that they can be held against each other.
pub fn series(measurements: &[&[Tally]]) -> Vec<Series> {
    let did = |rounds: &&[Tally]| rounds.iter().any(|round| round.histogram.count() > 0);
    let active: Vec<&[Tally]> = measurements.iter().copied().filter(did).collect();
    let whole = |get: fn(&Histogram, f64) -> f64, rounds: &[Tally], least: u64| {
        let each = together(&active, least).into_iter();
        each.map(|range| {
            let (mut all, mut elapsed) = (Histogram::default(), Duration::ZERO);
            for round in &rounds[range] {
                all.merge(&round.histogram);
                elapsed += round.elapsed;
            }
            get(&all, elapsed.as_secs_f64())
        })
        .collect::<Vec<f64>>()
    };
    let of = |rounds: &[Tally]| Series {
        mean_us: whole(|all, _| all.mean_us(), rounds, 1),
        p50_us: whole(|all, _| all.between_us(0.5), rounds, 1),
        p90_us: whole(|all, _| all.between_us(0.9), rounds, 20),
        p99_us: whole(|all, _| all.between_us(0.99), rounds, 200),
        p999_us: whole(|all, _| all.between_us(0.999), rounds, 2_000),
        per_second: whole(|all, seconds| rate(all.count(), seconds), rounds, 1),
    };
    let one = |rounds: &&[Tally]| {
        if did(rounds) {
            of(rounds)
        } else {
            Series::default()
        }
    };
    measurements.iter().map(one).collect()
}

/// Which rounds are taken together, so that every measurement has at least so many operations in each.
fn together(measurements: &[&[Tally]], least: u64) -> Vec<Range<usize>> {
    let rounds = measurements.iter().map(|one| one.len()).min().unwrap_or(0);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut begin = 0;
    let mut counts = vec![0; measurements.len()];
    for round in 0..rounds {
        for (count, one) in counts.iter_mut().zip(measurements) {
            *count += one[round].histogram.count();
        }
        if counts.iter().all(|count| *count >= least) {
            ranges.push(begin..round + 1);
            begin = round + 1;
            counts.fill(0);
        }
    }
    // What is left would be too few.
    if let Some(last) = ranges.last_mut() {
        last.end = rounds;
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(operations: &[u64]) -> Vec<Tally> {
        let round = |count: &u64| {
            let mut tally = Tally {
                elapsed: Duration::from_millis(40),
                ..Tally::default()
            };
            (1..=*count).for_each(|us| tally.histogram.record(Duration::from_micros(us)));
            tally
        };
        operations.iter().map(round).collect()
    }

    #[test]
    fn a_percentile_is_of_enough_operations_or_there_is_none() {
        let (many, few) = (rounds(&[400; 30]), rounds(&[100; 30]));
        let both = series(&[&many, &few]);
        for one in &both {
            assert_eq!((one.p50_us.len(), one.p90_us.len()), (30, 30));
            assert_eq!((one.p99_us.len(), one.p999_us.len()), (15, 1));
        }
        assert!((both[0].p99_us[0] - 396.5).abs() < 0.5, "{:?}", both[0]);
        assert!((both[1].per_second[0] - 2_500.0).abs() < 1e-6);
        let far = series(&[&rounds(&[2; 30]), &rounds(&[3; 30])]);
        assert_eq!((far[0].p50_us.len(), far[0].p90_us.len()), (30, 3));
        assert!(far.iter().all(|one| one.p99_us.is_empty()));
    }

    #[test]
    fn what_did_nothing_does_not_spoil_the_others() {
        let failed = [Tally {
            errors: 1,
            ..Tally::default()
        }];
        let both = series(&[&rounds(&[10; 5]), &failed]);
        assert_eq!((both[0].p50_us.len(), &both[1]), (5, &Series::default()));
        // A round in which one of them did nothing goes with the next.
        let gaps = series(&[&rounds(&[1, 0, 1, 1]), &rounds(&[1, 1, 1, 1])]);
        assert_eq!((gaps[0].p50_us.len(), gaps[1].p50_us.len()), (3, 3));
    }
}
