//! The statistics over data that is made: autocorrelated, with a long tail, from a fixed seed.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
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
