//! The load models, with a server and a clock that are made of a number.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use swapcheck::bench::load::{Arrival, Clock, Ended, Schedule, Tally, Worker, closed, open};

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

/// One that does not stall.
fn calm(clock: &MovedClock) -> [StallingServer; 1] {
    [StallingServer {
        clock: clock.clone(),
        stalled: true,
    }]
}

/// A hundred a second.
fn schedule(arrival: Arrival, seed: u64) -> Schedule {
    Schedule::new(100.0, arrival, Duration::from_secs(5), seed)
}

async fn opened<W: Worker>(
    clock: &MovedClock,
    workers: &mut [W],
    schedule: &mut Schedule,
    length_ms: u64,
) -> Tally {
    schedule.begin(clock.now(), Duration::from_millis(length_ms));
    open(workers, clock, schedule, u64::MAX, Duration::from_secs(2)).await
}

#[tokio::test]
async fn a_stall_of_a_second_shows_in_an_open_loop() {
    for arrival in [Arrival::Constant, Arrival::Poisson] {
        let clock = MovedClock::default();
        let tally = opened(
            &clock,
            &mut server(&clock),
            &mut schedule(arrival, 7),
            60_000,
        )
        .await;
        let figures = tally.histogram.figures().expect("it measured");
        let p999 = figures.p999_us.expect("6000 tell it");
        let p99 = figures.p99_us.expect("6000 tell it");
        assert!(figures.p50_us < 5_000.0, "{arrival:?}: {figures:?}");
        assert!(p999 > 900_000.0, "{arrival:?}: {figures:?}");
        // Those that came during the stall are all there: about a hundred of 6000.
        assert!(p99 > 300_000.0, "{arrival:?}: {figures:?}");
        assert_eq!(tally.errors + tally.timeouts, 0);
    }
}

#[tokio::test]
async fn the_same_stall_hides_in_a_closed_loop() {
    let clock = MovedClock::default();
    let tally = closed(&mut server(&clock), &clock, Duration::from_secs(60)).await;
    let figures = tally.histogram.figures().expect("it measured");
    assert!(
        figures.p999_us.expect("60000 tell it") < 2_000.0 && figures.max_us > 1_000_000.0,
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
        let tally = opened(
            &clock,
            &mut server(&clock),
            &mut schedule(arrival, 3),
            60_000,
        )
        .await;
        let count = tally.histogram.count();
        assert!((least..=most).contains(&count), "{arrival:?}: {count}");
    }
}

#[tokio::test]
async fn rounds_shorter_than_the_time_between_arrivals_have_their_share_of_them() {
    for (arrival, least, most) in [(Arrival::Constant, 600, 600), (Arrival::Poisson, 520, 680)] {
        let clock = MovedClock::default();
        let mut server = calm(&clock);
        // 100 a second in 2000 rounds of 3 ms.
        let (mut schedule, mut all) = (schedule(arrival, 5), Tally::default());
        for _ in 0..2000 {
            all.add(&opened(&clock, &mut server, &mut schedule, 3).await);
            // Others have their turn.
            clock.0.set(clock.now() + Duration::from_millis(7));
        }
        let count = all.histogram.count();
        assert!((least..=most).contains(&count), "{arrival:?}: {count}");
        assert_eq!(all.offered, count);
        let figures = all.histogram.figures().expect("it measured");
        assert!(figures.max_us < 10_000.0, "{figures:?}");
    }
}

#[tokio::test]
async fn what_comes_during_a_stall_counts_also_after_the_end_of_a_round() {
    let clock = MovedClock::default();
    let (mut server, mut schedule) = (server(&clock), schedule(Arrival::Constant, 1));
    let mut all = Tally::default();
    // Ten seconds in rounds of 50 ms, five arrivals each; the server stalls in the hundredth.
    for _ in 0..200 {
        all.add(&opened(&clock, &mut server, &mut schedule, 50).await);
    }
    assert!((1000..=1110).contains(&all.offered), "{}", all.offered);
    let slow = all.histogram.quantile_us(0.95);
    assert!(slow > 300_000.0, "{slow}");
    let longest = all.scheduled.as_secs_f64();
    assert!((10.9..11.3).contains(&longest), "{longest}");
}

/// Two clients, one of which never has an answer for a second.
struct Uneven {
    clock: MovedClock,
    slow: bool,
}

impl Worker for Uneven {
    async fn run(&mut self) -> Ended {
        if self.slow {
            // The other goes on meanwhile.
            let until = self.clock.now() + Duration::from_secs(1);
            while self.clock.now() < until {
                tokio::task::yield_now().await;
                self.clock.0.set(self.clock.now() + SERVICE);
            }
        }
        self.clock.0.set(self.clock.now() + SERVICE);
        Ended::Done
    }
}

#[tokio::test]
async fn no_arrivals_are_made_up_while_a_client_is_free() {
    let clock = MovedClock::default();
    let mut clients = [true, false].map(|slow| Uneven {
        clock: clock.clone(),
        slow,
    });
    let mut schedule = schedule(Arrival::Constant, 1);
    let tally = opened(&clock, &mut clients, &mut schedule, 50).await;
    assert_eq!(tally.offered, 5, "{tally:?}");
    let slow = tally.histogram.figures().expect("it measured").max_us;
    assert!((990_000.0..1_100_000.0).contains(&slow), "{slow}");
}

#[tokio::test]
async fn a_server_that_never_catches_up_does_not_keep_a_round_for_ever() {
    let clock = MovedClock::default();
    // A thousand a second are all that it can do.
    let mut schedule = Schedule::new(3000.0, Arrival::Constant, Duration::from_secs(2), 1);
    let tally = opened(&clock, &mut calm(&clock), &mut schedule, 1000).await;
    assert_eq!(tally.offered, 9000);
    assert!(tally.elapsed >= Duration::from_millis(4900), "{tally:?}");
    // Those that waited for more than two seconds have gone away.
    assert!(
        (3950..=4050).contains(&tally.timeouts),
        "{}",
        tally.timeouts
    );
    assert_eq!(tally.timeouts + tally.histogram.count(), 9000);
    let figures = tally.histogram.figures().expect("it measured");
    assert!(figures.max_us < 2_010_000.0, "{figures:?}");
}

/// Asks for a pause at the third time.
struct Throttling {
    clock: MovedClock,
    asked: u32,
}

impl Worker for Throttling {
    async fn run(&mut self) -> Ended {
        self.asked += 1;
        self.clock.0.set(self.clock.now() + SERVICE);
        match self.asked {
            3 => Ended::SlowDown(Duration::from_secs(1)),
            _ => Ended::Done,
        }
    }
}

#[tokio::test]
async fn a_pause_that_was_asked_for_is_kept_and_is_in_no_latency() {
    let clock = MovedClock::default();
    let mut one = [Throttling {
        clock: clock.clone(),
        asked: 0,
    }];
    let mut schedule = schedule(Arrival::Constant, 1);
    let tally = opened(&clock, &mut one, &mut schedule, 3000).await;
    // What was to start during the pause was not sent, and is counted.
    assert_eq!((tally.offered, tally.histogram.count()), (300, 199));
    assert_eq!((tally.errors, one[0].asked), (101, 200));
    let figures = tally.histogram.figures().expect("it measured");
    assert!(figures.max_us < 2_000.0, "{figures:?}");

    let mut one = [Throttling {
        clock: clock.clone(),
        asked: 0,
    }];
    let tally = closed(&mut one, &clock, Duration::from_secs(3)).await;
    let count = tally.histogram.count();
    assert!((1900..2100).contains(&count), "{count}");
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
