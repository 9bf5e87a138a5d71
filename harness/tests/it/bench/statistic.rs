//! The statistics over data that is made: autocorrelated, with a long tail, from a fixed seed.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
use swapcheck::bench::statistic::{paired, unpaired};

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
    let mut random = Pcg64Mcg::seed_from_u64(11);
    let mut missed = [0, 0];
    for _ in 0..1000 {
        let a = rounds(&mut random, 20, 0.3, 1.0);
        let b = rounds(&mut random, 20, 0.3, 1.0);
        missed[0] += u32::from(!paired(&a, &b, 0.01).expect("20 rounds").is_inconclusive());
        missed[1] += u32::from(!unpaired(&a, &b, 0.01).expect("20 rounds").is_inconclusive());
    }
    assert!(
        missed.iter().all(|missed| *missed <= 20),
        "{missed:?} of 1000"
    );
}

#[test]
fn a_fifth_more_is_found() {
    let mut random = Pcg64Mcg::seed_from_u64(12);
    let found = (0..100)
        .filter(|_| {
            let a = rounds(&mut random, 20, 0.3, 1.0);
            let b = rounds(&mut random, 20, 0.3, 1.2);
            let ratio = paired(&a, &b, 0.01).expect("20 rounds");
            ratio.low > 1.0 && ratio.low < 1.2
        })
        .count();
    assert!(found >= 95, "{found} of 100");
}
