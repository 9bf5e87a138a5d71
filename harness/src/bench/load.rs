//! The two load models: callers that wait for each other, and arrivals at a given rate.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::histogram::Histogram;
pub use super::schedule::{Arrival, Schedule};

/// Where time comes from: the machine's clock, or one that a test moves.
pub trait Clock {
    /// The time since the clock began.
    fn now(&self) -> Duration;
    /// Waits until then; returns at once when it is past.
    fn wait_until(&self, instant: Duration) -> impl Future<Output = ()>;
}

/// The machine's clock.
#[derive(Debug, Clone)]
pub struct MachineClock {
    began: Instant,
    stop: Option<watch::Receiver<bool>>,
}

impl Default for MachineClock {
    fn default() -> Self {
        MachineClock {
            began: Instant::now(),
            stop: None,
        }
    }
}

impl MachineClock {
    /// A clock that keeps nobody waiting any more once the stop is set.
    pub fn until(stop: watch::Receiver<bool>) -> Self {
        MachineClock {
            stop: Some(stop),
            ..MachineClock::default()
        }
    }

    fn stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| *stop.borrow())
    }
}

/// tokio's timer has ticks of a millisecond and may fire some late; the rest is waited for by looking
/// at the clock.
const TICK: Duration = Duration::from_millis(5);

impl Clock for MachineClock {
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn wait_until(&self, instant: Duration) {
        let left = instant.saturating_sub(self.now());
        if left > TICK {
            let slept = tokio::time::sleep(left - TICK);
            match self.stop.clone() {
                None => slept.await,
                Some(mut stop) => tokio::select! {
                    () = slept => {}
                    _ = stop.wait_for(|stop| *stop) => {}
                },
            }
        }
        while self.now() < instant && !self.stopped() {
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
    /// The server asks for fewer requests, and for none this long.
    SlowDown(Duration),
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
    /// How many operations an open loop was to start.
    pub offered: u64,
    /// In how long.
    pub scheduled: Duration,
    /// How long it lasted, which throughput is reckoned by. In a closed loop from the first start to the
    /// last end; in an open loop to the last start, or to the end of the schedule if that is later:
    /// answers that are still on their way do not make a rate lower.
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

const SLOW_DOWN: &str = "the server asks for fewer requests (429)";

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
            Ended::SlowDown(_) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| SLOW_DOWN.to_owned());
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
        self.offered += other.offered;
        self.scheduled += other.scheduled;
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

/// A failure is not repeated at once in a closed loop: a server that is gone would be asked a million
/// times.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

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
            let now = clock.now();
            let pause = match &ended {
                Ended::Failed(_) => AFTER_FAILURE,
                Ended::SlowDown(pause) => *pause,
                _ => Duration::ZERO,
            };
            tally.borrow_mut().note(ended, now.saturating_sub(start));
            if !pause.is_zero() {
                clock.wait_until(now + pause).await;
            }
        }
    };
    futures_util::future::join_all(workers.iter_mut().map(run)).await;
    let mut tally = tally.into_inner();
    tally.elapsed = clock.now().saturating_sub(begin);
    tally
}

/// Open loop: operations start when the schedule says. An operation for which no worker was free
/// waits for one, and its latency counts from when it should have started: a server that stalls
/// makes all wait that came meanwhile, and all of them are seen. One that has waited longer than
/// `patience` is given up as a timeout, and one that would start while the server asks for fewer
/// requests is a failure: neither is left out, and neither is sent.
///
/// No more than `most` operations start.
pub async fn open<W: Worker, C: Clock>(
    workers: &mut [W],
    clock: &C,
    schedule: &mut Schedule,
    most: u64,
    patience: Duration,
) -> Tally {
    let left = Cell::new(most);
    let begin = clock.now();
    let (last_start, held_until) = (Cell::new(begin), Cell::new(Duration::ZERO));
    let tally = RefCell::new(Tally::default());
    let arrivals = RefCell::new(&mut *schedule);
    let run = async |worker: &mut W| {
        loop {
            if tally.borrow().stopped.is_some() {
                return;
            }
            let next = arrivals.borrow_mut().take(clock.now());
            let Some(intended) = next else { return };
            if !take(&left) {
                tally.borrow_mut().capped = true;
                return;
            }
            tally.borrow_mut().offered += 1;
            let free = clock.now() < intended;
            clock.wait_until(intended).await;
            let start = clock.now();
            let waited = start.saturating_sub(intended);
            last_start.set(start);
            if intended < held_until.get() {
                tally
                    .borrow_mut()
                    .note(Ended::SlowDown(Duration::ZERO), waited);
                continue;
            }
            if waited > patience {
                tally.borrow_mut().note(Ended::TimedOut, waited);
                continue;
            }
            if free {
                tally.borrow_mut().late.record(waited);
            }
            let ended = worker.run().await;
            let now = clock.now();
            if let Ended::SlowDown(pause) = &ended {
                held_until.set(held_until.get().max(now + *pause));
            }
            let latency = now.saturating_sub(intended);
            tally.borrow_mut().note(ended, latency);
        }
    };
    futures_util::future::join_all(workers.iter_mut().map(run)).await;
    let mut tally = tally.into_inner();
    let now = clock.now();
    let mut end = schedule.finish();
    if tally.capped || tally.stopped.is_some() {
        end = end.min(now);
    }
    tally.scheduled = end.saturating_sub(begin);
    tally.elapsed = end.max(last_start.get()).saturating_sub(begin);
    tally
}
