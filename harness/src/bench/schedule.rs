//! When the operations of an open loop are to start.

use std::time::Duration;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

/// When operations start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// At equal distances.
    Constant,
    /// At random, independent of each other, as the requests of many users arrive.
    Poisson,
}

/// Intended starts, in order, in stretches. Arrivals go on from one stretch to the next as if there
/// were nothing in between, so that rounds shorter than the time between two arrivals have the right
/// number of them too.
///
/// Where every client is still busy at the end of a stretch, what came meanwhile belongs to it: else a
/// server that stalls would stop the arrivals that have to wait for it.
#[derive(Debug)]
pub struct Schedule {
    arrival: Arrival,
    gap: f64,
    random: Pcg64Mcg,
    /// The next start; between stretches as counted from the end of the last one.
    next: Duration,
    end: Duration,
    /// How much longer than planned stretches may last, all of them together.
    allowance: Duration,
    over: bool,
}

impl Schedule {
    /// `rate` starts a second. All stretches together last no longer than planned by `allowance`:
    /// a server that never catches up would make the first one last for ever.
    pub fn new(rate: f64, arrival: Arrival, allowance: Duration, seed: u64) -> Self {
        let mut schedule = Schedule {
            arrival,
            gap: 1.0 / rate,
            random: Pcg64Mcg::seed_from_u64(seed),
            next: Duration::ZERO,
            end: Duration::ZERO,
            allowance,
            over: true,
        };
        schedule.next = match arrival {
            Arrival::Constant => Duration::from_secs_f64(schedule.gap / 2.0),
            Arrival::Poisson => schedule.draw(),
        };
        schedule
    }

    /// Begins a stretch.
    pub fn begin(&mut self, begin: Duration, length: Duration) {
        self.next += begin;
        self.end = begin + length;
        self.over = false;
    }

    /// The next start, for a client that is free now; `None` when the stretch is over.
    pub(super) fn take(&mut self, now: Duration) -> Option<Duration> {
        let intended = self.next;
        let later = intended.saturating_sub(self.end);
        // Once a client was idle after the end, the others are only finishing what they do.
        if self.over || (intended >= self.end && (intended > now || later >= self.allowance)) {
            self.over = true;
            return None;
        }
        self.end += later;
        self.allowance -= later;
        let gap = match self.arrival {
            Arrival::Constant => Duration::from_secs_f64(self.gap),
            Arrival::Poisson => self.draw(),
        };
        self.next += gap;
        Some(intended)
    }

    /// Ends the stretch, and says until when arrivals were made.
    pub(super) fn finish(&mut self) -> Duration {
        self.over = true;
        self.next = self.next.saturating_sub(self.end);
        self.end
    }

    fn draw(&mut self) -> Duration {
        // 1 - u is never 0, whose logarithm there is none of.
        let gap = -(1.0 - self.random.random::<f64>()).ln() * self.gap;
        Duration::from_secs_f64(gap.min(3600.0))
    }
}
