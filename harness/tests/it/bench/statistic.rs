//! The statistics over data that is made: autocorrelated, with a long tail, from a fixed seed.

use std::time::Duration;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
use swapcheck::bench::load::Tally;
use swapcheck::bench::series;
use swapcheck::bench::statistic::{Ratio, paired, unpaired};

/// As many as a benchmark has unless told otherwise.
pub(super) const ROUNDS: usize = 30;

/// Quantiles of rounds that resemble their neighbours, the way a machine's pace wanders.
pub(super) fn rounds(random: &mut Pcg64Mcg, count: usize, likeness: f64, factor: f64) -> Vec<f64> {
    let mut normal = || {
        let u: f64 = 1.0 - random.random::<f64>();
        let v: f64 = random.random();
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    let mut pace = normal() * 0.03;
    (0..count)
        .map(|_| {
            pace = likeness * pace + (1.0 - likeness * likeness).sqrt() * 0.03 * normal();
            100.0 * factor * (pace + 0.02 * normal()).exp()
        })
        .collect()
}

#[test]
fn intervals_hold_the_truth_also_when_rounds_are_alike() {
    // 99 % are asked for; thirty rounds do not tell a strong likeness well enough for all of that.
    for (likeness, most) in [(0.0, 20), (0.3, 20), (0.6, 40)] {
        let mut random = Pcg64Mcg::seed_from_u64(11);
        let mut missed = [0, 0];
        for _ in 0..1000 {
            let a = rounds(&mut random, ROUNDS, likeness, 1.0);
            let b = rounds(&mut random, ROUNDS, likeness, 1.0);
            let off = |ratio: Option<Ratio>| !ratio.expect("30 rounds").is_inconclusive();
            missed[0] += u32::from(off(paired(&a, &b, 0.01)));
            missed[1] += u32::from(off(unpaired(&a, &b, 0.01)));
        }
        assert!(
            missed.iter().all(|missed| *missed <= most),
            "{likeness}: {missed:?} of 1000"
        );
    }
}

#[test]
fn a_fifth_more_is_found() {
    let mut random = Pcg64Mcg::seed_from_u64(12);
    let found = (0..100)
        .filter(|_| {
            let a = rounds(&mut random, ROUNDS, 0.3, 1.0);
            let b = rounds(&mut random, ROUNDS, 0.3, 1.2);
            let ratio = paired(&a, &b, 0.01).expect("30 rounds");
            ratio.low > 1.0 && ratio.low < 1.2
        })
        .count();
    assert!(found >= 95, "{found} of 100");
}

/// Rounds of single operations: their pace wanders from one to the next and from one round to the next,
/// and one in fifty takes longer by a factor without a variance (a Pareto tail of 1.5).
fn operations(random: &mut Pcg64Mcg, each: usize, factor: f64) -> Vec<Tally> {
    let (mut slow, mut quick) = (0.0, 0.0);
    let mut round = || {
        let mut tally = Tally::default();
        slow = 0.3 * slow + 0.04 * (random.random::<f64>() - 0.5);
        for _ in 0..each {
            quick = 0.9 * quick + 0.1 * (random.random::<f64>() - 0.5);
            let tail = if random.random::<f64>() < 0.02 {
                (1.0 - random.random::<f64>()).powf(-1.0 / 1.5)
            } else {
                1.0
            };
            let us = 100.0 * factor * f64::exp(slow + quick) * tail;
            let latency = Duration::from_secs_f64(us / 1e6);
            tally.histogram.record(latency);
            tally.elapsed += latency;
        }
        tally
    };
    (0..ROUNDS).map(|_| round()).collect()
}

#[test]
fn single_operations_with_a_long_tail_are_no_false_alarm() {
    let mut random = Pcg64Mcg::seed_from_u64(13);
    let trials = 300;
    let mut missed = [0; 4];
    for _ in 0..trials {
        // The second is quicker to be asked, and so has more operations; its latencies are the same.
        let (a, b) = (
            operations(&mut random, 200, 1.0),
            operations(&mut random, 260, 1.0),
        );
        let [a, b] = &series(&[&a, &b])[..] else {
            panic!("two were given");
        };
        let ratios = [
            paired(&a.p50_us, &b.p50_us, 0.01),
            paired(&a.p99_us, &b.p99_us, 0.01),
            unpaired(&a.p50_us, &b.p50_us, 0.01),
            unpaired(&a.p99_us, &b.p99_us, 0.01),
        ];
        for (missed, ratio) in missed.iter_mut().zip(ratios) {
            *missed += u32::from(!ratio.expect("enough operations").is_inconclusive());
        }
    }
    // Three are to be expected.
    assert!(
        missed.iter().all(|missed| *missed <= 6),
        "{missed:?} of {trials}"
    );
}

#[test]
fn a_fifth_more_of_single_operations_is_found() {
    let mut random = Pcg64Mcg::seed_from_u64(14);
    let found = (0..50)
        .filter(|_| {
            let (a, b) = (
                operations(&mut random, 200, 1.0),
                operations(&mut random, 200, 1.2),
            );
            let both = series(&[&a, &b]);
            let ratio = paired(&both[0].p50_us, &both[1].p50_us, 0.01).expect("30 rounds");
            ratio.low > 1.0 && ratio.low < 1.2 && ratio.high > 1.2
        })
        .count();
    assert!(found >= 48, "{found} of 50");
}
