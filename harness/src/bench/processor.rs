//! How much of a processor the generator uses: a generator that is busy all the time measures itself.

use std::time::{Duration, Instant};

/// Above this share of a processor the generator is taken for the bottleneck.
pub const SATURATED: f64 = 0.9;

/// Above this share of the time that the generator waited for a processor, others kept it from
/// working.
pub const KEPT_WAITING: f64 = 0.1;

/// What a thread did with a stretch of time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// On a processor.
    pub(crate) used: Duration,
    /// Ready to run, with no processor free.
    pub(crate) waited: Duration,
    /// All of it.
    pub(crate) passed: Duration,
}

impl Usage {
    /// Adds another stretch.
    pub(crate) fn add(&mut self, other: Usage) {
        self.used += other.used;
        self.waited += other.waited;
        self.passed += other.passed;
    }

    /// Shares of the time: on a processor, and waiting for one.
    pub(crate) fn shares(&self) -> (f64, f64) {
        let passed = self.passed.as_secs_f64().max(1e-9);
        let share = |part: Duration| part.as_secs_f64() / passed;
        (share(self.used), share(self.waited))
    }
}

/// Measures the calling thread from here on.
#[derive(Debug)]
pub(crate) struct Meter {
    before: Option<(Duration, Duration)>,
    since: Instant,
}

impl Meter {
    pub(crate) fn start() -> Self {
        Meter {
            before: schedstat(),
            since: Instant::now(),
        }
    }

    /// What was done since the start; `None` where the system does not tell.
    pub(crate) fn stop(&self) -> Option<Usage> {
        let (before, after) = (self.before?, schedstat()?);
        Some(Usage {
            used: after.0.saturating_sub(before.0),
            waited: after.1.saturating_sub(before.1),
            passed: self.since.elapsed(),
        })
    }
}

/// The time this thread was on a processor, and the time it waited for one: the first two fields of
/// Linux's schedstat, in nanoseconds. Other systems do not tell without foreign code.
fn schedstat() -> Option<(Duration, Duration)> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let mut fields = text.split_whitespace().map(str::parse);
    let mut next = || Some(Duration::from_nanos(fields.next()?.ok()?));
    Some((next()?, next()?))
}
