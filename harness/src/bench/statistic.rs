//! Whether a difference is one: confidence intervals of ratios, from rounds.
//!
//! Latencies that follow each other are alike, so that single ones say less than their number
//! suggests. A round's quantile is one observation here (the method of batch means), in logarithms,
//! for latencies differ by factors. What likeness is left from one round to the next widens the
//! interval by the factor of a first-order autoregressive process. A few dozen rounds do not tell
//! that likeness well, so that more of it is assumed than they show. A pace that wanders more slowly
//! than a benchmark lasts looks like a change from one benchmark to the next, whatever the method:
//! limits that leave some room (`p99>+10%`) are for that.

use serde::{Deserialize, Serialize};

/// A ratio with its interval of confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// The estimate.
    pub ratio: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Ratio {
    /// Whether the interval leaves open which of the two is larger.
    pub fn is_inconclusive(&self) -> bool {
        self.low <= 1.0 && self.high >= 1.0
    }

    fn of(mean: f64, half: f64) -> Ratio {
        Ratio {
            ratio: mean.exp(),
            low: (mean - half).exp(),
            high: (mean + half).exp(),
        }
    }
}

/// The ratio of `b` to `a`, measured in the same rounds: what drifts, drifts for both, and is
/// divided out. `None` with fewer than three rounds. `error` is the share of intervals that may
/// miss the truth.
pub fn paired(a: &[f64], b: &[f64], error: f64) -> Option<Ratio> {
    let logs: Vec<f64> = a
        .iter()
        .zip(b)
        .filter(|(a, b)| **a > 0.0 && **b > 0.0)
        .map(|(a, b)| (b / a).ln())
        .collect();
    let one = Sample::of(&logs)?;
    let half = quantile_t(1.0 - error / 2.0, one.freedom) * one.variance.sqrt();
    Some(Ratio::of(one.mean, half))
}

/// The ratio of `b` to `a`, measured at different times. `None` with fewer than three rounds of
/// either.
pub fn unpaired(a: &[f64], b: &[f64], error: f64) -> Option<Ratio> {
    let logs = |all: &[f64]| -> Vec<f64> {
        all.iter()
            .filter(|one| **one > 0.0)
            .map(|one| one.ln())
            .collect()
    };
    let (a, b) = (Sample::of(&logs(a))?, Sample::of(&logs(b))?);
    let freedom = a.freedom.min(b.freedom);
    let half = quantile_t(1.0 - error / 2.0, freedom) * (a.variance + b.variance).sqrt();
    Some(Ratio::of(b.mean - a.mean, half))
}

/// A mean, and the variance of that mean.
struct Sample {
    mean: f64,
    variance: f64,
    freedom: f64,
}

impl Sample {
    fn of(values: &[f64]) -> Option<Sample> {
        let count = values.len();
        if count < 3 {
            return None;
        }
        let n = count as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square = |value: &f64| (value - mean).powi(2);
        let squares: f64 = values.iter().map(square).sum();
        if squares == 0.0 {
            return Some(Sample {
                mean,
                variance: 0.0,
                freedom: n - 1.0,
            });
        }
        let neighbours: f64 = values
            .windows(2)
            .map(|pair| (pair[0] - mean) * (pair[1] - mean))
            .sum();
        // The estimate is too low by about (1 + 4ρ)/n, for the mean is one of the same values
        // (Kendall 1954), and is off by as much as √((1 - ρ²)/n) two times in three.
        let estimate =
            ((neighbours / squares + 1.0 / n) / (1.0 - 4.0 / n).max(0.2)).clamp(-0.5, 0.95);
        let likeness = (estimate + ((1.0 - estimate * estimate) / n).sqrt()).clamp(0.0, 0.95);
        let widening = (1.0 + likeness) / (1.0 - likeness);
        Some(Sample {
            mean,
            variance: squares / (n - 1.0) / n * widening,
            // Squares of values that are alike are alike by the square of that (Bayley and
            // Hammersley 1946): so many independent ones tell the variance as well.
            freedom: (n * (1.0 - likeness * likeness) / (1.0 + likeness * likeness) - 1.0).max(2.0),
        })
    }
}

/// The quantile of Student's distribution, by bisection of its distribution function.
pub(crate) fn quantile_t(share: f64, freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 4.0);
    while high < 1e7 && distribution_t(high, freedom) < share {
        (low, high) = (high, high * 4.0);
    }
    // Each step halves what is left: six digits are more than an interval needs.
    for _ in 0..28 {
        let middle = (low + high) / 2.0;
        if distribution_t(middle, freedom) < share {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

fn distribution_t(t: f64, freedom: f64) -> f64 {
    let x = freedom / (freedom + t * t);
    1.0 - 0.5 * incomplete_beta(freedom / 2.0, 0.5, x)
}

/// The regularized incomplete beta function, by its continued fraction (Lentz's method; Abramowitz
/// and Stegun 26.5.8).
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges quickly on this side only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let front =
        (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (1.0 - x).ln()).exp();
    let bounded = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / bounded(1.0 - (a + b) * x / (a + 1.0)));
    let mut fraction = d;
    for step in 1..500 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / bounded(1.0 + term * d);
            c = bounded(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-14 {
            break;
        }
    }
    front * fraction / a
}

/// The logarithm of the gamma function, by Lanczos's approximation.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let base = x + 5.5 - (x + 0.5) * (x + 5.5).ln();
    let sum: f64 = TERMS
        .iter()
        .zip(1..)
        .map(|(term, index)| term / (x + f64::from(index)))
        .sum();
    (2.506_628_274_631_000_5 * (1.000_000_000_190_015 + sum) / x).ln() - base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (share, freedom, value) in [
            (0.975, 7.0, 2.365),
            (0.995, 19.0, 2.861),
            (0.95, 2.0, 2.920),
        ] {
            let found = quantile_t(share, freedom);
            assert!((found - value).abs() < 1e-3, "{share} {freedom}: {found}");
        }
    }

    #[test]
    fn drift_that_both_have_is_divided_out() {
        let a: Vec<f64> = (0..20)
            .map(|round| 100.0 + 10.0 * f64::from(round))
            .collect();
        let b: Vec<f64> = a.iter().map(|one| one * 1.2).collect();
        let ratio = paired(&a, &b, 0.01).unwrap();
        assert!((ratio.ratio - 1.2).abs() < 1e-9 && !ratio.is_inconclusive());
        assert!(unpaired(&a, &b, 0.01).unwrap().is_inconclusive());
        assert_eq!(paired(&a[..2], &b[..2], 0.01), None);
    }
}
