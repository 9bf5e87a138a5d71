//! Servers measured by turns, in short rounds: what the machine does meanwhile hits all alike.

use std::net::SocketAddr;

use hdrhistogram::Histogram;

use crate::client::{Framing, Repeater, drive, resp};

/// One request to one server, over so many connections.
pub struct Contestant {
    connections: Vec<Repeater>,
    commands: u64,
    count: u64,
    /// Commands per second in each round.
    rates: Vec<f64>,
    latencies: Histogram<u64>,
}

impl Contestant {
    /// Connects. A round has `count` requests of so many commands each.
    pub async fn new(
        (address, password): (SocketAddr, Option<&str>),
        (request, framing): (Vec<u8>, Framing),
        commands: u64,
        (connections, count): (usize, u64),
    ) -> Contestant {
        let mut all = Vec::new();
        for _ in 0..connections {
            let request = request.clone();
            all.push(match password {
                None => Repeater::connect(address, request, framing).await,
                Some(password) => {
                    let auth = resp(&["AUTH", password]);
                    let mut one = Repeater::connect(address, auth, Framing::Lines(1)).await;
                    one.round_trip().await;
                    one.repeating(request, framing)
                }
            });
        }
        Contestant {
            connections: all,
            commands,
            count,
            rates: Vec::new(),
            latencies: Histogram::new(3).expect("three digits"),
        }
    }

    /// The slowest of the quickest 99 % of requests, in microseconds.
    pub fn p99_us(&self) -> u64 {
        self.latencies.value_at_quantile(0.99)
    }

    async fn round(&mut self, counts: bool) {
        let connections = std::mem::take(&mut self.connections);
        let requests = self.count.div_ceil(connections.len() as u64) * connections.len() as u64;
        let mut latencies = Histogram::new(3).expect("three digits");
        let (took, back) = drive(connections, self.count, &mut latencies).await;
        self.connections = back;
        if counts {
            let commands = (requests * self.commands) as f64;
            self.rates.push(commands / took.as_secs_f64());
            self.latencies
                .add(&latencies)
                .expect("both have three digits");
        }
    }
}

/// Lets all have their turn so many times, in another order each time; the first time is a warm-up.
pub async fn by_turns(contestants: &mut [Contestant], rounds: usize) {
    let all = contestants.len();
    for round in 0..=rounds {
        for turn in 0..all {
            contestants[(turn + round) % all].round(round > 0).await;
        }
    }
}

/// How many commands one does by another's, round by round: the median, and the quartiles.
pub fn ratio(one: &Contestant, other: &Contestant) -> [f64; 3] {
    let each = one.rates.iter().zip(&other.rates);
    let mut ratios: Vec<f64> = each.map(|(one, other)| one / other).collect();
    ratios.sort_by(f64::total_cmp);
    let at = |share: usize| ratios[(ratios.len() - 1) * share / 4];
    [at(2), at(1), at(3)]
}
