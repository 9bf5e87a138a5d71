//! How long a script may run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::clock::Clock;

/// How many Lua instructions stand for a millisecond where the host's time is not known.
const INSTRUCTIONS_PER_MS: u64 = 100_000;

/// How many instructions a script runs between two looks at the limit.
pub(crate) const STRIDE: u32 = 10_000;

/// The limit of the script that runs.
pub(crate) struct Limit {
    clock: Arc<dyn Clock>,
    limit_ms: AtomicU64,
    ends_us: AtomicU64,
    instructions_left: AtomicU64,
    over: AtomicBool,
}

impl Limit {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Limit {
            clock,
            limit_ms: AtomicU64::new(u64::MAX),
            ends_us: AtomicU64::new(u64::MAX),
            instructions_left: AtomicU64::new(u64::MAX),
            over: AtomicBool::new(false),
        }
    }

    /// Begins a script's time.
    pub(crate) fn begin(&self, limit_ms: u64) {
        let (ends_us, instructions) = match self.clock.host_us() {
            Some(now_us) => (
                now_us.saturating_add(limit_ms.saturating_mul(1000)),
                u64::MAX,
            ),
            None => (u64::MAX, limit_ms.saturating_mul(INSTRUCTIONS_PER_MS)),
        };
        self.over.store(false, Ordering::Relaxed);
        self.limit_ms.store(limit_ms, Ordering::Relaxed);
        self.ends_us.store(ends_us, Ordering::Relaxed);
        self.instructions_left
            .store(instructions, Ordering::Relaxed);
    }

    /// Notes that [`STRIDE`] more instructions were run; the limit in milliseconds once it is
    /// reached.
    pub(crate) fn reached(&self) -> Option<u64> {
        let left = self.instructions_left.load(Ordering::Relaxed);
        let left = left.saturating_sub(u64::from(STRIDE));
        self.instructions_left.store(left, Ordering::Relaxed);
        let late = self
            .clock
            .host_us()
            .is_some_and(|now_us| now_us >= self.ends_us.load(Ordering::Relaxed));
        if left == 0 || late {
            self.over.store(true, Ordering::Relaxed);
        }
        self.over()
    }

    /// The limit in milliseconds, once it has been reached.
    pub(crate) fn over(&self) -> Option<u64> {
        let over = self.over.load(Ordering::Relaxed);
        over.then(|| self.limit_ms.load(Ordering::Relaxed))
    }

    /// Seconds of the host's time, for `os.clock`.
    pub(crate) fn seconds(&self) -> f64 {
        let us = self.clock.host_us().unwrap_or_else(|| self.clock.now_us());
        us as f64 / 1e6
    }
}
