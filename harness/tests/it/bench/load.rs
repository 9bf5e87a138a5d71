//! The load models, with a server and a clock that are made of a number.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use swapcheck::bench::load::{Arrival, Clock, Ended, Schedule, Worker, closed, open};

const SERVICE: Duration = Duration::from_millis(1);

/// A clock that stands still until somebody waits.
#[derive(Clone, Default)]
struct MovedClock(Rc<Cell<Duration>>);

impl Clock for MovedClock {
    fn now(&self) -> Duration {
        self.0.get()
    }

    async fn wait_until(&self, instant: Duration) {
        self.0.set(self.0.get().max(instant));
    }
}

/// A server that takes a millisecond, and stalls for one second when five have passed.
struct StallingServer {
    clock: MovedClock,
    stalled: bool,
}

impl Worker for StallingServer {
    async fn run(&mut self) -> Ended {
        let stall = !self.stalled && self.clock.now() >= Duration::from_secs(5);
        self.stalled |= stall;
        let pause = if stall {
            Duration::from_secs(1)
        } else {
            Duration::ZERO
        };
        self.clock.0.set(self.clock.now() + SERVICE + pause);
        Ended::Done
    }
}

fn server(clock: &MovedClock) -> [StallingServer; 1] {
    [StallingServer {
        clock: clock.clone(),
        stalled: false,
    }]
}

#[tokio::test]
async fn a_stall_of_a_second_shows_in_an_open_loop() {
    for arrival in [Arrival::Constant, Arrival::Poisson] {
        let clock = MovedClock::default();
        let schedule = Schedule::new(100.0, arrival, Duration::ZERO, Duration::from_secs(60), 7);
        let tally = open(&mut server(&clock), &clock, schedule, u64::MAX).await;
        let figures = tally.histogram.figures().expect("it measured");
        assert!(figures.p50_us < 5_000.0, "{arrival:?}: {figures:?}");
        assert!(figures.p999_us > 900_000.0, "{arrival:?}: {figures:?}");
        // Those that came during the stall are all there: about a hundred of 6000.
        assert!(figures.p99_us > 300_000.0, "{arrival:?}: {figures:?}");
        assert_eq!(tally.errors + tally.timeouts, 0);
    }
}

#[tokio::test]
async fn the_same_stall_hides_in_a_closed_loop() {
    let clock = MovedClock::default();
    let tally = closed(&mut server(&clock), &clock, Duration::from_secs(60)).await;
    let figures = tally.histogram.figures().expect("it measured");
    assert!(
        figures.p999_us < 2_000.0 && figures.max_us > 1_000_000.0,
        "{figures:?}"
    );
}

#[tokio::test]
async fn arrivals_come_at_the_rate_asked_for() {
    for (arrival, least, most) in [
        (Arrival::Constant, 6000, 6000),
        (Arrival::Poisson, 5700, 6300),
    ] {
        let clock = MovedClock::default();
        let schedule = Schedule::new(100.0, arrival, Duration::ZERO, Duration::from_secs(60), 3);
        let tally = open(&mut server(&clock), &clock, schedule, u64::MAX).await;
        let count = tally.histogram.count();
        assert!((least..=most).contains(&count), "{arrival:?}: {count}");
    }
}

/// Fails, times out and succeeds in turns.
struct MixedServer(u32);

impl Worker for MixedServer {
    async fn run(&mut self) -> Ended {
        self.0 += 1;
        match self.0 {
            1 => Ended::Failed("ERR once".into()),
            2 => Ended::TimedOut,
            3 => Ended::Done,
            _ => Ended::Stopped("the budget is used up".into()),
        }
    }
}

#[tokio::test]
async fn errors_and_timeouts_are_counted_and_are_no_latency() {
    let clock = MovedClock::default();
    let tally = closed(&mut [MixedServer(0)], &clock, Duration::from_secs(1)).await;
    assert_eq!(
        (tally.errors, tally.timeouts, tally.histogram.count()),
        (1, 1, 1)
    );
    assert_eq!(tally.first_error.as_deref(), Some("ERR once"));
    assert_eq!(tally.stopped.as_deref(), Some("the budget is used up"));
}
