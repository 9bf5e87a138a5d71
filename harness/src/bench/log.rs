//! All histograms as one HdrHistogram log (`.hlog`), which HdrHistogram's own tools plot and process.

use std::time::{Duration, SystemTime};

use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use jiff::Timestamp;

use super::outcome::Outcome;

/// The outcome as a log: an interval for each case and target, with a tag `case@target`. Latencies
/// are nanoseconds, which the log's "max" shows as such.
///
/// # Errors
/// A sentence, when a histogram cannot be written, which no measurement yields.
pub fn log(outcome: &Outcome) -> Result<Vec<u8>, String> {
    let fault = |error: &dyn std::fmt::Debug| format!("a histogram cannot be written: {error:?}");
    let mut serializer = V2DeflateSerializer::new();
    let mut bytes = Vec::new();
    let begun = outcome
        .started_at
        .parse::<Timestamp>()
        .map_or(SystemTime::UNIX_EPOCH, SystemTime::from);
    {
        let mut builder = IntervalLogWriterBuilder::new();
        builder
            .add_comment(&format!("[swapcheck bench {}]", outcome.swapcheck))
            .add_comment("[Latencies in nanoseconds; max in milliseconds]")
            .with_start_time(begun)
            .with_base_time(begun)
            .with_max_value_divisor(1e6);
        let mut writer = builder
            .begin_log_with(&mut bytes, &mut serializer)
            .map_err(|error| fault(&error))?;
        let mut since = Duration::ZERO;
        for case in &outcome.cases {
            for one in &case.results {
                let length = Duration::try_from_secs_f64(one.elapsed_s).unwrap_or_default();
                let tag = tag(&case.id, case.rtt_us, &one.target);
                let tag = Tag::new(&tag).ok_or_else(|| fault(&tag))?;
                writer
                    .write_histogram(one.histogram.inner(), since, length, Some(tag))
                    .map_err(|error| fault(&error))?;
                since += length;
            }
        }
    }
    Ok(bytes)
}

/// A tag has no comma and no space.
fn tag(case: &str, rtt_us: u64, target: &str) -> String {
    let distance = match rtt_us {
        0 => String::new(),
        rtt => format!("+{}ms", rtt as f64 / 1e3),
    };
    format!("{case}{distance}@{target}").replace([',', ' ', '\r', '\n'], "_")
}
