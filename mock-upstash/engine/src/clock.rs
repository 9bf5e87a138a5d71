//! Time as the engine sees it: a clock that is given, never the system's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Tells the time. The engine asks once per command, so a command sees one instant throughout.
pub trait Clock: Send + Sync {
    /// Microseconds since the Unix epoch.
    fn now_us(&self) -> u64;

    /// Microseconds of the host's own time since any fixed moment; they go on while
    /// [`Clock::now_us`] stands still. Only the length of what runs is measured by them: a script is
    /// ended when it has used up its time. Where they are not known, scripts are ended by the number
    /// of instructions they ran.
    fn host_us(&self) -> Option<u64> {
        None
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that shows `unix_ms` milliseconds since the Unix epoch.
    pub fn at(unix_ms: u64) -> Self {
        ManualClock(Arc::new(AtomicU64::new(unix_ms.saturating_mul(1000))))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let us = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
                Some(now.saturating_add(us))
            })
            .ok();
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
