//! Latencies as an HdrHistogram in nanoseconds, which other tools read.

use std::io::Cursor;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

/// Anything slower than an hour is recorded as an hour.
const HOUR_NS: u64 = 3_600_000_000_000;

/// Latencies, to three significant digits.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram(hdrhistogram::Histogram<u64>);

impl Default for Histogram {
    fn default() -> Self {
        let mut histogram =
            hdrhistogram::Histogram::new(3).expect("three significant digits are in range");
        histogram.auto(true);
        Histogram(histogram)
    }
}

impl Histogram {
    /// Adds one latency.
    pub fn record(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(HOUR_NS);
        // One that resizes itself has room for every value up to an hour.
        let _ = self.0.record(nanos.clamp(1, HOUR_NS));
    }

    /// Adds all latencies of another.
    pub fn merge(&mut self, other: &Histogram) {
        // One that resizes itself takes any other of the same precision, and all have it.
        let _ = self.0.add(&other.0);
    }

    /// How many latencies there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that this share of all does not exceed, in microseconds.
    pub fn quantile_us(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64 / 1e3
    }

    /// The mean, in microseconds; 0 when nothing was measured.
    pub fn mean_us(&self) -> f64 {
        self.0.mean() / 1e3
    }

    /// An estimate of the quantile of what these latencies are a sample of, in microseconds: between
    /// the two that are next to the rank qn + 1/2 (Hazen), in logarithms. For the latency that a share
    /// does not exceed depends on how many there are: of fewer, it is less far out.
    pub(super) fn between_us(&self, share: f64) -> f64 {
        let count = self.count();
        if count == 0 {
            return 0.0;
        }
        let rank = (share * count as f64 + 0.5).clamp(1.0, count as f64);
        let at = |rank: f64| self.0.value_at_quantile((rank - 0.5) / count as f64) as f64 / 1e3;
        let (low, high) = (at(rank.floor()), at(rank.ceil()));
        (low.ln() + (high.ln() - low.ln()) * rank.fract()).exp()
    }

    /// The figures that reports show; `None` when nothing was measured.
    pub fn figures(&self) -> Option<Figures> {
        // A percentile that none of so few operations can be beyond is no more than the slowest.
        let told =
            |share: f64, least: u64| (self.count() >= least).then(|| self.quantile_us(share));
        (!self.0.is_empty()).then(|| Figures {
            mean_us: self.mean_us(),
            p50_us: self.quantile_us(0.5),
            p90_us: told(0.9, 10),
            p99_us: told(0.99, 100),
            p999_us: told(0.999, 1_000),
            p9999_us: told(0.9999, 10_000),
            max_us: self.0.max() as f64 / 1e3,
        })
    }

    /// The histogram in HdrHistogram's compressed V2 format, in base64.
    pub fn encoded(&self) -> String {
        let mut bytes = Vec::new();
        // Writing to memory has no way to fail for a histogram of this range.
        let _ = V2DeflateSerializer::new().serialize(&self.0, &mut bytes);
        STANDARD.encode(bytes)
    }

    /// The histogram itself, for writers of other formats.
    pub(crate) fn inner(&self) -> &hdrhistogram::Histogram<u64> {
        &self.0
    }

    /// Reads what [`Histogram::encoded`], or another tool, has written.
    ///
    /// # Errors
    /// When it is no histogram of three significant digits.
    pub fn decode(text: &str) -> Result<Self, String> {
        let bytes = STANDARD
            .decode(text)
            .map_err(|error| format!("it is not base64: {error}"))?;
        let mut histogram: hdrhistogram::Histogram<u64> = Deserializer::new()
            .deserialize(&mut Cursor::new(bytes))
            .map_err(|error| format!("it is not an HdrHistogram: {error}"))?;
        if histogram.sigfig() != 3 {
            return Err("it does not have three significant digits".into());
        }
        histogram.auto(true);
        Ok(Histogram(histogram))
    }
}

impl Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.encoded())
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Histogram::decode(&text).map_err(|error| {
            serde::de::Error::custom(format!("a histogram cannot be read: {error}"))
        })
    }
}

/// Percentiles in microseconds; `None` where there were too few operations for one of them to be
/// beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// The mean.
    pub mean_us: f64,
    /// The median.
    pub p50_us: f64,
    /// 90 %.
    pub p90_us: Option<f64>,
    /// 99 %.
    pub p99_us: Option<f64>,
    /// 99.9 %.
    pub p999_us: Option<f64>,
    /// 99.99 %.
    pub p9999_us: Option<f64>,
    /// The slowest.
    pub max_us: f64,
}

/// Percentiles from p50 to p99.99 and the maximum, as reports print them.
pub(super) fn tail(figures: Option<&Figures>) -> [String; 6] {
    let Some(figures) = figures else {
        return std::array::from_fn(|_| "–".to_owned());
    };
    [
        Some(figures.p50_us),
        figures.p90_us,
        figures.p99_us,
        figures.p999_us,
        figures.p9999_us,
        Some(figures.max_us),
    ]
    .map(told)
}

/// A latency, or a dash where there were too few operations to tell.
pub(super) fn told(micros: Option<f64>) -> String {
    micros.map_or_else(|| "–".to_owned(), super::terminal::human)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_added() {
        let mut one = Histogram::default();
        (1..=1000).for_each(|micros| one.record(Duration::from_micros(micros)));
        let mut read = Histogram::decode(&one.encoded()).unwrap();
        assert_eq!(read.figures(), one.figures());
        let figures = one.figures().unwrap();
        assert!((figures.p50_us - 500.0).abs() < 1.0 && (figures.max_us - 1000.0).abs() < 1.0);
        read.merge(&one);
        assert_eq!(read.count(), 2000);
        assert_eq!(figures.p999_us.map(f64::round), Some(999.0));
        assert_eq!(figures.p9999_us, None, "a thousand do not tell it");
        assert!((one.between_us(0.99) - 990.5).abs() < 0.6);
        assert_eq!(Histogram::default().between_us(0.5), 0.0);
        assert!(Histogram::decode("!").is_err() && Histogram::decode("AAAA").is_err());
    }
}
