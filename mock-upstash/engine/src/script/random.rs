//! The pseudo-random numbers of scripts: the 48-bit generator that Redis puts in place of C's.
//!
//! One sequence for the whole life of the server, begun at `drand48`'s own start: a script goes on
//! where the one before it stopped, unless it calls `math.randomseed` (measured on redis-server
//! 8.0 and 8.10).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const INCREMENT: u64 = 0xB;
const MASK: u64 = (1 << 48) - 1;
const START: u64 = 0x1234_ABCD_330E;

/// The largest number the generator is divided by, which is C's `INT32_MAX`.
const RANGE: i64 = i32::MAX as i64;

/// The generator; its clones share one state.
#[derive(Debug, Clone)]
pub(crate) struct Random(Arc<AtomicU64>);

impl Default for Random {
    fn default() -> Self {
        Random(Arc::new(AtomicU64::new(START)))
    }
}

impl Random {
    /// Begins the sequence that belongs to a seed.
    pub(crate) fn seed(&self, seed: i32) {
        let high = u64::from(seed.cast_unsigned());
        self.0.store((high << 16) | 0x330E, Ordering::Relaxed);
    }

    /// The next number, from 0 up to and without 1.
    pub(crate) fn next(&self) -> f64 {
        let state = self.0.load(Ordering::Relaxed);
        let state = state.wrapping_mul(MULTIPLIER).wrapping_add(INCREMENT) & MASK;
        self.0.store(state, Ordering::Relaxed);
        // 31 bits, read as the signed integer that C makes of them.
        let number = (state >> 17) as i64;
        (number % RANGE) as f64 / RANGE as f64
    }
}
