//! The measurement itself: cases one after the other, targets in turns of short rounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::generator::ceilings;
use super::link::Route;
use super::load::{Clock, MachineClock, Schedule, Stretch, Tally, closed, open};
use super::operation::Case;
use super::outcome::{CaseOutcome, FORMAT, Measured, Outcome, Settings, TargetInfo};
use super::price::costs;
use super::processor::{Meter, Usage};
use super::relay::{Distance, Relay};
use super::script::{Exchange, Script};
use super::series::series;
use super::warning::warnings;
use super::wire::Prepared;
use super::worker::{Client, Pool, Stages};
use crate::cost::{Billed, Tariff};
use crate::target::{KeyExpiry, Scope, Target};
use scenarios::Connector;
use scenarios::client::Command;

/// What to measure, and how.
pub struct Plan {
    /// The targets, the reference first.
    pub targets: Vec<Arc<Target>>,
    /// The cases.
    pub cases: Vec<Case>,
    /// The distances to measure at; `None` is without a relay.
    pub distances: Vec<Option<Distance>>,
    /// How.
    pub settings: Settings,
    /// Operations per second that plans are looked up for.
    pub cost_rates: Vec<f64>,
    /// Where the targets' own work is done: not on the generator's thread.
    pub main: Handle,
}

/// Told as the measurement goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The case that begins.
    pub what: String,
    /// How long what is done was to take.
    pub done: Duration,
    /// How long all of it is to take.
    pub total: Duration,
}

impl Plan {
    /// How long it takes, apart from seeding and slow answers.
    pub fn estimate(&self) -> Duration {
        let each = |distance: &Option<Distance>| -> Duration {
            let cases = self.cases.iter();
            cases.map(|case| self.estimate_case(case, *distance)).sum()
        };
        CEILINGS + self.distances.iter().map(each).sum::<Duration>()
    }

    fn estimate_case(&self, case: &Case, distance: Option<Distance>) -> Duration {
        let settings = &self.settings;
        let arms = u32::try_from(self.targets.len()).map_or(u32::MAX, |targets| targets + 1);
        let rounds = u32::try_from(settings.rounds.max(1)).unwrap_or(u32::MAX);
        let round = Duration::from_millis(settings.duration_ms) / rounds;
        let warmup = Duration::from_millis(settings.warmup_ms);
        // A stretch lasts until the operation ends that it began last.
        let trip = distance.map_or(Duration::ZERO, |distance| {
            distance.rtt + distance.jitter / 2
        });
        let fresh = u32::from(settings.fresh || case.is_cold());
        let trips = u32::try_from(case.script("", 0).exchanges.len()).unwrap_or(u32::MAX);
        let operation = trip * (trips + fresh);
        let longest = |stretch: Duration| match settings.rate {
            None if operation > Duration::ZERO => {
                let times = stretch.as_secs_f64() / operation.as_secs_f64();
                operation.mul_f64(times.ceil())
            }
            _ => stretch + operation,
        };
        (longest(warmup) + longest(round) * rounds) * arms
    }
}

/// How long the generator is measured before anything else.
const CEILINGS: Duration = Duration::from_secs(3);

/// Measures everything. To be called on a thread that does nothing else, in a runtime of that
/// thread alone: the thread's use of its processor is part of the result.
pub async fn measure(
    plan: &Plan,
    stop: &watch::Receiver<bool>,
    progress: impl Fn(Progress),
) -> Outcome {
    let (started, begun) = (Timestamp::now(), Instant::now());
    let total = plan.estimate();
    progress(Progress {
        what: "the generator itself".into(),
        done: Duration::ZERO,
        total,
    });
    let generator = ceilings(&plan.main, stop).await;
    let run = format!("{:x}", started.as_microsecond());
    let prefix = format!("swapcheck:{run}:bench:");
    let scopes: Vec<Arc<Scope>> = {
        let _inside = plan.main.enter();
        let scope =
            |target: &Arc<Target>| Arc::new(target.scope(prefix.as_bytes(), KeyExpiry::Guarded));
        plan.targets.iter().map(scope).collect()
    };
    let mut cases = Vec::new();
    let mut done = CEILINGS;
    for distance in &plan.distances {
        for case in &plan.cases {
            if *stop.borrow() {
                break;
            }
            let what = match distance {
                Some(distance) => format!("{} at {} ms", case.id, distance.rtt.as_millis()),
                None => case.id.clone(),
            };
            let length = plan.estimate_case(case, *distance);
            let tell = |round: usize| {
                let share = round as f64 / plan.settings.rounds.max(1) as f64;
                progress(Progress {
                    what: what.clone(),
                    done: done + length.mul_f64(share),
                    total,
                });
            };
            let place = Place {
                case,
                distance: *distance,
                left: plan.cases.len() * plan.distances.len() - cases.len(),
            };
            cases.push(measure_case(plan, &place, &scopes, &prefix, stop, &tell).await);
            done += length;
        }
    }
    let mut outcome = Outcome {
        format: FORMAT,
        swapcheck: env!("CARGO_PKG_VERSION").into(),
        started_at: started.to_string(),
        duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        interrupted: *stop.borrow(),
        settings: plan.settings.clone(),
        targets: plan.targets.iter().map(info).collect(),
        generator,
        cases,
        cost_rates: plan.cost_rates.clone(),
        costs: Vec::new(),
        warnings: Vec::new(),
    };
    outcome.costs = costs(&outcome);
    outcome.warnings = warnings(&outcome);
    outcome
}

fn info(target: &Arc<Target>) -> TargetInfo {
    TargetInfo {
        name: target.name.clone(),
        description: target.description.clone(),
        version: target.version.clone(),
        rest: target.kind.is_rest(),
        billable: target.billable(),
    }
}

/// A target's turn in each round of a case.
struct Arm {
    target: usize,
    clients: Vec<Client>,
    tallies: Vec<Tally>,
    usage: Option<Usage>,
    /// When an open loop starts operations.
    schedule: Option<Schedule>,
    /// How many operations a stretch may have.
    most: u64,
    /// Keeps the relay for as long as the arm.
    _relay: Option<Relay>,
}

/// Where a measurement is.
struct Place<'a> {
    case: &'a Case,
    distance: Option<Distance>,
    /// How many cases are left, this one included.
    left: usize,
}

impl Place<'_> {
    /// How many operations a stretch of load may have, so that a budget lasts for all that are left
    /// and every round gets its share.
    fn most(&self, plan: &Plan, target: usize, commands: u64) -> u64 {
        let Some(budget) = plan.targets[target].left() else {
            return u64::MAX;
        };
        // The reference is measured twice. A tenth is kept for keys that have to be made.
        let arms = if target == 0 { 2 } else { 1 };
        let stretches = self.left * arms * (plan.settings.rounds + 1);
        let share = budget / 10 * 9 / stretches.max(1) as u64;
        (share / commands.max(1)).max(1)
    }
}

async fn measure_case(
    plan: &Plan,
    place: &Place<'_>,
    scopes: &[Arc<Scope>],
    prefix: &str,
    stop: &watch::Receiver<bool>,
    tell: &impl Fn(usize),
) -> CaseOutcome {
    let settings = &plan.settings;
    let mut arms = Vec::new();
    // The last is the reference a second time.
    for (number, target) in (0..plan.targets.len()).chain([0]).enumerate() {
        let keys = format!("{prefix}{number}:");
        arms.push(prepare(plan, place, target, (&scopes[target], &keys), stop).await);
    }
    let clock = MachineClock::until(stop.clone());
    let warmup = Duration::from_millis(settings.warmup_ms);
    for arm in arms.iter_mut().filter(|arm| !arm.clients.is_empty()) {
        let fails =
            |warmed: &Tally| warmed.histogram.count() == 0 && warmed.errors + warmed.timeouts > 0;
        let mut warmed = load(arm, settings, &clock, warmup).await;
        if fails(&warmed) {
            warmed = load(arm, settings, &clock, warmup).await;
        }
        // What fails again fails all the time: the reason is told, and no time spent on it.
        if fails(&warmed) {
            arm.clients.clear();
            arm.tallies.push(warmed);
        }
        arm.schedule = schedule(settings);
        for client in &mut arm.clients {
            client.stages = Stages::default();
        }
    }
    let length = Duration::from_millis(settings.duration_ms) / settings.rounds.max(1) as u32;
    for round in 0..settings.rounds {
        if *stop.borrow() {
            break;
        }
        tell(round);
        for index in turn(round, arms.len()) {
            let arm = &mut arms[index];
            if arm.clients.is_empty() || *stop.borrow() {
                continue;
            }
            let meter = Meter::start();
            let tally = load(arm, settings, &clock, length).await;
            if let Some(usage) = meter.stop() {
                arm.usage.get_or_insert_default().add(usage);
            }
            arm.tallies.push(tally);
        }
    }
    conclude(plan, place, arms)
}

/// The arrivals of an open loop: the same for every arm.
fn schedule(settings: &Settings) -> Option<Schedule> {
    let allowance = Duration::from_millis(settings.timeout_ms);
    let of = |rate| Schedule::new(rate, settings.arrival, allowance, settings.seed);
    settings.rate.map(of)
}

/// The order of arms in a round: each is first as often as the others, and last.
fn turn(round: usize, arms: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..arms).map(|index| (index + round / 2) % arms).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

async fn load(arm: &mut Arm, settings: &Settings, clock: &MachineClock, length: Duration) -> Tally {
    let most = arm.most;
    match &mut arm.schedule {
        None => closed(&mut arm.clients, clock, Stretch { length, most }).await,
        Some(schedule) => {
            schedule.begin(clock.now(), length);
            let patience = Duration::from_millis(settings.timeout_ms);
            open(&mut arm.clients, clock, schedule, most, patience).await
        }
    }
}

/// Seeds the keys and opens the connections of an arm. One that cannot be prepared has no clients,
/// and a tally that says why.
async fn prepare(
    plan: &Plan,
    place: &Place<'_>,
    target: usize,
    keys: (&Arc<Scope>, &str),
    stop: &watch::Receiver<bool>,
) -> Arm {
    let mut arm = Arm {
        target,
        clients: Vec::new(),
        tallies: Vec::new(),
        usage: None,
        schedule: schedule(&plan.settings),
        most: u64::MAX,
        _relay: None,
    };
    if let Err(reason) = try_prepare(plan, place, &mut arm, keys, stop).await {
        arm.clients.clear();
        // A budget that is used up is not the server's failure.
        let stopped = plan.targets[target].stopped();
        arm.tallies.push(Tally {
            errors: u64::from(stopped.is_none()),
            first_error: stopped.is_none().then_some(reason),
            stopped,
            ..Tally::default()
        });
    }
    arm
}

async fn try_prepare(
    plan: &Plan,
    place: &Place<'_>,
    arm: &mut Arm,
    (scope, prefix): (&Arc<Scope>, &str),
    stop: &watch::Receiver<bool>,
) -> Result<(), String> {
    let (settings, case) = (&plan.settings, place.case);
    let target = &plan.targets[arm.target];
    let endpoint = target
        .endpoint
        .as_ref()
        .ok_or_else(|| format!("the address of {} is not known", target.name))?;
    let mut route = Route::new(endpoint, settings.http)?;
    if let Some(distance) = place.distance {
        let (host, port) = route.address();
        let relay = Relay::start(&host, port, distance, settings.seed)
            .map_err(|error| format!("no relay to {host}:{port} can be started: {error}"))?;
        route.relay = Some((relay.address(), distance));
        arm._relay = Some(relay);
    }
    let scripts: Vec<Script> = (0..settings.clients)
        .map(|client| case.script(prefix, client))
        .collect();
    if let Some(first) = scripts.first() {
        arm.most = place.most(plan, arm.target, billed(first).commands);
    }
    let seeds: Vec<_> = scripts
        .iter()
        .flat_map(|script| script.seed.clone())
        .collect();
    let connector = scope.connector();
    plan.main
        .spawn(async move { plant(connector.as_ref(), &seeds).await })
        .await
        .map_err(|error| error.to_string())??;
    let fresh = settings.fresh || case.is_cold();
    let pool = settings.pool.filter(|_| !fresh && !route.shares());
    let pool = pool.map(|size| Arc::new(Pool::new(size)));
    let mut shared = None;
    for script in &scripts {
        let link = if fresh || pool.is_some() {
            None
        } else if route.shares() {
            if shared.is_none() {
                shared = Some(route.open().await?.0);
            }
            shared.as_ref().and_then(super::link::Link::share)
        } else {
            Some(route.open().await?.0)
        };
        arm.clients.push(Client {
            route: route.clone(),
            target: Some(target.clone()),
            prepared: prepared(case, script, &route),
            commands: billed(script).commands,
            fresh,
            pool: pool.clone(),
            timeout: Duration::from_millis(settings.timeout_ms),
            stop: stop.clone(),
            link,
            stages: Stages::default(),
        });
    }
    Ok(())
}

/// How many bytes of keys are made at once: servers bound the size of a request.
const PLANTED_AT_ONCE: usize = 200_000;

/// Makes what a case needs.
async fn plant(connector: &dyn Connector, mut seeds: &[Command]) -> Result<(), String> {
    let mut client = connector
        .connect()
        .await
        .map_err(|error| error.to_string())?;
    while !seeds.is_empty() {
        let mut bytes = 0;
        let fits = seeds.iter().take_while(|seed| {
            bytes += seed.iter().map(Vec::len).sum::<usize>();
            bytes <= PLANTED_AT_ONCE
        });
        let (now, later) = seeds.split_at(fits.count().clamp(1, 100));
        let replies = client.pipeline(now).await;
        let replies = replies.map_err(|error| error.to_string())?;
        let refusal = replies.into_iter().find_map(|reply| match reply {
            scenarios::Reply::Error(text) => Some(text),
            _ => None,
        });
        if let Some(text) = refusal {
            return Err(text);
        }
        seeds = later;
    }
    Ok(())
}

fn prepared(case: &Case, script: &Script, route: &Route) -> Vec<Prepared> {
    let each = script.exchanges.iter().enumerate();
    each.map(|(index, exchange)| Prepared::new(exchange, case.needs_value(index), route.is_rest()))
        .collect()
}

fn billed(script: &Script) -> Billed {
    let tariff = Tariff::default();
    let mut billed = Billed::default();
    for command in script.exchanges.iter().flat_map(Exchange::commands) {
        billed.add(tariff.bill(command));
    }
    billed
}

fn conclude(plan: &Plan, place: &Place<'_>, arms: Vec<Arm>) -> CaseOutcome {
    let case = place.case;
    let cost = billed(&case.script("", 0));
    let fresh = plan.settings.fresh || case.is_cold();
    let tallies: Vec<&[Tally]> = arms.iter().map(|arm| &arm.tallies[..]).collect();
    let rounds = series(&tallies);
    let mut measured: Vec<Measured> = arms
        .iter()
        .zip(rounds)
        .map(|(arm, rounds)| {
            let mut stages = Stages::default();
            for client in &arm.clients {
                stages.merge(&client.stages);
            }
            let name = &plan.targets[arm.target].name;
            Measured {
                rounds,
                ..Measured::new(name, &arm.tallies, fresh.then_some(stages)).used(arm.usage)
            }
        })
        .collect();
    let again = measured.pop();
    let mut outcome = CaseOutcome {
        id: case.id.clone(),
        number: case.number,
        operation: case.operation.to_owned(),
        title: case.title.clone(),
        group: case.group,
        way: case.way,
        size: case.size,
        batch: case.batch,
        rtt_us: place
            .distance
            .map_or(0, |distance| distance.rtt.as_micros() as u64),
        commands: cost.commands,
        writes: cost.writes,
        bytes: case.bytes(),
        results: measured,
        again,
        comparisons: Vec::new(),
        noise: None,
    };
    outcome.compare();
    outcome
}

#[cfg(test)]
mod tests {
    use super::turn;

    #[test]
    fn every_arm_takes_every_place() {
        for place in 0..3 {
            let mut seen: Vec<usize> = (0..6).map(|round| turn(round, 3)[place]).collect();
            seen.sort_unstable();
            assert_eq!(seen, [0, 0, 1, 1, 2, 2]);
        }
    }
}
