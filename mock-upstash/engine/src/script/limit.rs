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
    began_us: AtomicU64,
    ends_us: AtomicU64,
    /// As many as it may run, and those of them that are left.
    instructions: AtomicU64,
    instructions_left: AtomicU64,
    over: AtomicBool,
}

impl Limit {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Limit {
            clock,
            limit_ms: AtomicU64::new(u64::MAX),
            began_us: AtomicU64::new(0),
            ends_us: AtomicU64::new(u64::MAX),
            instructions: AtomicU64::new(u64::MAX),
            instructions_left: AtomicU64::new(u64::MAX),
            over: AtomicBool::new(false),
        }
    }

    /// Begins a script's time.
    pub(crate) fn begin(&self, limit_ms: u64) {
        let (began_us, ends_us, instructions) = match self.clock.host_us() {
            Some(now_us) => {
                let ends_us = now_us.saturating_add(limit_ms.saturating_mul(1000));
                (now_us, ends_us, u64::MAX)
            }
            None => (0, u64::MAX, limit_ms.saturating_mul(INSTRUCTIONS_PER_MS)),
        };
        self.over.store(false, Ordering::Relaxed);
        self.limit_ms.store(limit_ms, Ordering::Relaxed);
        self.began_us.store(began_us, Ordering::Relaxed);
        self.ends_us.store(ends_us, Ordering::Relaxed);
        self.instructions.store(instructions, Ordering::Relaxed);
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

    /// Microseconds since the script's time began.
    pub(crate) fn used_us(&self) -> u64 {
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        match self.clock.host_us() {
            Some(now_us) => now_us.saturating_sub(load(&self.began_us)),
            None => {
                let run = load(&self.instructions) - load(&self.instructions_left);
                run.saturating_mul(1000) / INSTRUCTIONS_PER_MS
            }
        }
    }

    /// Seconds of the host's time, for `os.clock`.
    pub(crate) fn seconds(&self) -> f64 {
        let us = self.clock.host_us().unwrap_or_else(|| self.clock.now_us());
        us as f64 / 1e6
    }
}
