//! The two load models: callers that wait for each other, and arrivals at a given rate.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use super::histogram::Histogram;

/// Where time comes from: the machine's clock, or one that a test moves.
pub trait Clock {
    /// The time since the clock began.
    fn now(&self) -> Duration;
    /// Waits until then; returns at once when it is past.
    fn wait_until(&self, instant: Duration) -> impl Future<Output = ()>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct MachineClock(Instant);

impl Default for MachineClock {
    fn default() -> Self {
        MachineClock(Instant::now())
    }
}

/// tokio's timer has ticks of a millisecond and may fire some late; the rest is waited for by looking
/// at the clock.
const TICK: Duration = Duration::from_millis(5);

impl Clock for MachineClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    async fn wait_until(&self, instant: Duration) {
        let left = instant.saturating_sub(self.now());
        if left > TICK {
            tokio::time::sleep(left - TICK).await;
        }
        while self.now() < instant {
            tokio::task::yield_now().await;
        }
    }
}

/// How one operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It did what it is for.
    Done,
    /// It failed, or did something else.
    Failed(String),
    /// No answer came in time.
    TimedOut,
    /// The budget allows no more.
    Stopped(String),
}

/// A client that can run one operation after the other.
pub trait Worker {
    /// Runs one operation.
    fn run(&mut self) -> impl Future<Output = Ended>;
}

/// When operations start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrival {
    /// At equal distances.
    Constant,
    /// At random, independent of each other, as the requests of many users arrive.
    Poisson,
}

/// What one stretch of load came to.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The latency of every operation that was done.
    pub histogram: Histogram,
    /// Operations that failed.
    pub errors: u64,
    /// Operations without an answer in time.
    pub timeouts: u64,
    /// The first failure, in words.
    pub first_error: Option<String>,
    /// Why nothing more was sent, if that is so.
    pub stopped: Option<String>,
    /// Whether it ended before its time, for it might do no more operations.
    pub capped: bool,
    /// In an open loop: how late a client that was free began, which is the generator's fault and
    /// not the server's.
    pub late: Histogram,
    /// From the first start to the last end.
    pub elapsed: Duration,
}

/// How long a stretch of load lasts.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// Nothing starts later than this after the beginning.
    pub length: Duration,
    /// How many operations it may have.
    pub most: u64,
}

impl From<Duration> for Stretch {
    fn from(length: Duration) -> Self {
        Stretch {
            length,
            most: u64::MAX,
        }
    }
}

/// Takes one of so many operations, if one is left.
fn take(left: &Cell<u64>) -> bool {
    let some = left.get() > 0;
    left.set(left.get().saturating_sub(1));
    some
}

impl Tally {
    fn note(&mut self, ended: Ended, latency: Duration) {
        match ended {
            Ended::Done => self.histogram.record(latency),
            Ended::TimedOut => self.timeouts += 1,
            Ended::Failed(reason) => {
                self.errors += 1;
                self.first_error.get_or_insert(reason);
            }
            Ended::Stopped(reason) => {
                self.stopped.get_or_insert(reason);
            }
        }
    }

    /// Adds what another stretch came to.
    pub fn add(&mut self, other: &Tally) {
        self.histogram.merge(&other.histogram);
        self.errors += other.errors;
        self.timeouts += other.timeouts;
        self.elapsed += other.elapsed;
        self.capped |= other.capped;
        self.late.merge(&other.late);
        if self.first_error.is_none() {
            self.first_error.clone_from(&other.first_error);
        }
        if self.stopped.is_none() {
            self.stopped.clone_from(&other.stopped);
        }
    }
}

/// Intended starts, in order.
#[derive(Debug)]
pub struct Schedule {
    arrival: Arrival,
    gap: f64,
    next: Duration,
    end: Duration,
    random: Pcg64Mcg,
}

impl Schedule {
    /// `rate` starts a second from `begin` to `end`.
    pub fn new(rate: f64, arrival: Arrival, begin: Duration, end: Duration, seed: u64) -> Self {
        let mut schedule = Schedule {
            arrival,
            gap: 1.0 / rate,
            next: begin,
            end,
            random: Pcg64Mcg::seed_from_u64(seed),
        };
        // Short rounds that each began with a start would have too many of them.
        let first = match arrival {
            Arrival::Constant => Duration::from_secs_f64(schedule.gap / 2.0),
            Arrival::Poisson => schedule.draw(),
        };
        schedule.next += first;
        schedule
    }

    fn take(&mut self) -> Option<Duration> {
        let intended = self.next;
        if intended >= self.end {
            return None;
        }
        let gap = match self.arrival {
            Arrival::Constant => Duration::from_secs_f64(self.gap),
            Arrival::Poisson => self.draw(),
        };
        self.next += gap;
        Some(intended)
    }

    fn draw(&mut self) -> Duration {
        // 1 - u is never 0, whose logarithm there is none of.
        let gap = -(1.0 - self.random.random::<f64>()).ln() * self.gap;
        Duration::from_secs_f64(gap.min(3600.0))
    }
}

/// Closed loop: each worker starts the next operation when the last one ended.
pub async fn closed<W: Worker, C: Clock>(
    workers: &mut [W],
    clock: &C,
    stretch: impl Into<Stretch>,
) -> Tally {
    let begin = clock.now();
    let stretch = stretch.into();
    let end = begin + stretch.length;
    let left = Cell::new(stretch.most);
    let tally = RefCell::new(Tally::default());
    let run = async |worker: &mut W| {
        loop {
            let start = clock.now();
            if start >= end || tally.borrow().stopped.is_some() {
                return;
            }
            if !take(&left) {
                tally.borrow_mut().capped = true;
                return;
            }
            let ended = worker.run().await;
            let latency = clock.now().saturating_sub(start);
            tally.borrow_mut().note(ended, latency);
        }
    };
    futures_util::future::join_all(workers.iter_mut().map(run)).await;
    let mut tally = tally.into_inner();
    tally.elapsed = clock.now().saturating_sub(begin);
    tally
}

/// Open loop: operations start when the schedule says. An operation for which no worker was free
/// waits for one, and its latency counts from when it should have started: a server that stalls
/// makes all wait that came meanwhile, and all of them are seen.
///
/// No more than `most` operations start.
pub async fn open<W: Worker, C: Clock>(
    workers: &mut [W],
    clock: &C,
    schedule: Schedule,
    most: u64,
) -> Tally {
    let left = Cell::new(most);
    let begin = clock.now();
    let tally = RefCell::new(Tally::default());
    let schedule = RefCell::new(schedule);
    let run = async |worker: &mut W| {
        loop {
            if tally.borrow().stopped.is_some() {
                return;
            }
            let next = schedule.borrow_mut().take();
            let Some(intended) = next else { return };
            if !take(&left) {
                tally.borrow_mut().capped = true;
                return;
            }
            let free = clock.now() < intended;
            clock.wait_until(intended).await;
            if free {
                let late = clock.now().saturating_sub(intended);
                tally.borrow_mut().late.record(late);
            }
            let ended = worker.run().await;
            let latency = clock.now().saturating_sub(intended);
            tally.borrow_mut().note(ended, latency);
        }
    };
    futures_util::future::join_all(workers.iter_mut().map(run)).await;
    let mut tally = tally.into_inner();
    tally.elapsed = clock.now().saturating_sub(begin);
    tally
}
