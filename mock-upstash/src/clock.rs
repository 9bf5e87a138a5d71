//! The mock's clock: the system's, moved ahead by whoever tests, or standing still.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use redis_engine::Clock;

/// Not frozen.
const RUNNING: u64 = u64::MAX;

/// The system's clock with an offset that only grows, until it is frozen.
#[derive(Debug, Clone)]
pub(crate) struct MockClock(Arc<State>);

#[derive(Debug)]
struct State {
    started: Instant,
    offset_us: AtomicU64,
    /// The instant at which the clock stands, in microseconds since the Unix epoch.
    frozen_us: AtomicU64,
}

impl Default for MockClock {
    fn default() -> Self {
        MockClock(Arc::new(State {
            started: Instant::now(),
            offset_us: AtomicU64::new(0),
            frozen_us: AtomicU64::new(RUNNING),
        }))
    }
}

impl MockClock {
    /// Moves the clock ahead.
    pub(crate) fn advance(&self, by: Duration) {
        let us = u64::try_from(by.as_micros()).unwrap_or(u64::MAX / 4);
        let frozen = self.0.frozen_us.load(Ordering::SeqCst);
        if frozen != RUNNING {
            self.0
                .frozen_us
                .store(frozen.saturating_add(us), Ordering::SeqCst);
        }
        self.0.offset_us.fetch_add(us, Ordering::SeqCst);
    }

    /// Makes the clock stand still; it then moves by [`MockClock::advance`] alone.
    pub(crate) fn freeze(&self) {
        let now = self.now_us();
        self.0.frozen_us.store(now, Ordering::SeqCst);
    }

    /// Lets the clock run on from where it stands.
    pub(crate) fn unfreeze(&self) {
        let frozen = self.0.frozen_us.swap(RUNNING, Ordering::SeqCst);
        if frozen != RUNNING {
            let offset = frozen.saturating_sub(system_us());
            self.0.offset_us.store(offset, Ordering::SeqCst);
        }
    }

    /// Back to the system's time, running.
    pub(crate) fn reset(&self) {
        self.0.frozen_us.store(RUNNING, Ordering::SeqCst);
        self.0.offset_us.store(0, Ordering::SeqCst);
    }

    /// Whether the clock stands still.
    pub(crate) fn is_frozen(&self) -> bool {
        self.0.frozen_us.load(Ordering::SeqCst) != RUNNING
    }
}

impl Clock for MockClock {
    fn now_us(&self) -> u64 {
        match self.0.frozen_us.load(Ordering::SeqCst) {
            RUNNING => system_us().saturating_add(self.0.offset_us.load(Ordering::SeqCst)),
            frozen => frozen,
        }
    }

    fn host_us(&self) -> Option<u64> {
        u64::try_from(self.0.started.elapsed().as_micros()).ok()
    }
}

fn system_us() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            since.as_secs().saturating_mul(1_000_000) + u64::from(since.subsec_micros())
        })
}
