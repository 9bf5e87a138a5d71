//! How much of a processor the generator uses: a generator that is busy all the time measures itself.

use std::time::{Duration, Instant};

/// Above this share of a processor the generator is taken for the bottleneck.
pub const SATURATED: f64 = 0.9;

/// Measures the calling thread from here on.
#[derive(Debug)]
pub(crate) struct Meter {
    used: Option<Duration>,
    since: Instant,
}

impl Meter {
    pub(crate) fn start() -> Self {
        Meter {
            used: used(),
            since: Instant::now(),
        }
    }

    /// Time on a processor and time passed, since the start.
    pub(crate) fn stop(&self) -> Option<(Duration, Duration)> {
        Some((used()?.saturating_sub(self.used?), self.since.elapsed()))
    }
}

/// The time this thread was on a processor: the first field of Linux's schedstat, in nanoseconds.
/// Other systems do not tell without foreign code.
fn used() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}
