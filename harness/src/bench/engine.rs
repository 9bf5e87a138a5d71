//! The measurement itself: cases one after the other, targets in turns of short rounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::generator::ceilings;
use super::link::Route;
use super::load::{Clock, MachineClock, Schedule, Tally, closed, open};
use super::operation::{Case, Exchange, Script};
use super::outcome::{CaseOutcome, FORMAT, Measured, Outcome, Settings, TargetInfo};
use super::processor::Meter;
use super::relay::{Distance, Relay};
use super::warning::warnings;
use super::wire::Prepared;
use super::worker::{Client, Stages};
use crate::cost::{Billed, Counter};
use crate::target::{KeyExpiry, Scope, Target};

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
    /// Where the targets' own work is done: not on the generator's thread.
    pub main: Handle,
}

/// Told as the measurement goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The case that begins.
    pub what: String,
    /// How many rounds are done, of all cases.
    pub done: u64,
    /// How many there are.
    pub total: u64,
}

impl Plan {
    /// How long it takes, apart from seeding and slow answers.
    pub fn estimate(&self) -> Duration {
        let settings = &self.settings;
        let stretch = Duration::from_millis(settings.duration_ms + settings.warmup_ms);
        let stretches = self.cases.len() * self.distances.len() * (self.targets.len() + 1);
        stretch * u32::try_from(stretches).unwrap_or(u32::MAX) + Duration::from_secs(3)
    }

    fn total(&self) -> u64 {
        (self.cases.len() * self.distances.len() * self.settings.rounds) as u64
    }
}

/// Measures everything. To be called on a thread that does nothing else, in a runtime of that
/// thread alone: the thread's use of its processor is part of the result.
pub async fn measure(
    plan: &Plan,
    stop: &watch::Receiver<bool>,
    progress: impl Fn(Progress),
) -> Outcome {
    let (started, begun) = (Timestamp::now(), Instant::now());
    let generator = ceilings(plan.settings.http, &plan.main).await;
    let run = format!("{:x}", started.as_microsecond());
    let prefix = format!("swapcheck:{run}:bench:");
    let scopes: Vec<Arc<Scope>> = {
        let _inside = plan.main.enter();
        let scope =
            |target: &Arc<Target>| Arc::new(target.scope(prefix.as_bytes(), KeyExpiry::Guarded));
        plan.targets.iter().map(scope).collect()
    };
    let mut cases = Vec::new();
    let mut done = 0;
    for distance in &plan.distances {
        for case in &plan.cases {
            if *stop.borrow() {
                break;
            }
            let what = match distance {
                Some(distance) => format!("{} at {} ms", case.id, distance.rtt.as_millis()),
                None => case.id.clone(),
            };
            let tell = |round: usize| {
                progress(Progress {
                    what: what.clone(),
                    done: done + round as u64,
                    total: plan.total(),
                });
            };
            cases.push(measure_case(plan, case, *distance, &scopes, &prefix, stop, &tell).await);
            done += plan.settings.rounds as u64;
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
        warnings: Vec::new(),
    };
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
    used: Duration,
    passed: Duration,
    metered: bool,
    /// Keeps the relay for as long as the arm.
    _relay: Option<Relay>,
}

async fn measure_case(
    plan: &Plan,
    case: &Case,
    distance: Option<Distance>,
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
        arms.push(prepare(plan, case, distance, target, &scopes[target], &keys).await);
    }
    let clock = MachineClock::default();
    for arm in &mut arms {
        let warmup = Duration::from_millis(settings.warmup_ms);
        let warmed = load(arm, settings, &clock, warmup, u64::MAX).await;
        // What fails at once fails all the time: the reason is told, and no time spent on it.
        if warmed.histogram.count() == 0 && warmed.errors + warmed.timeouts > 0 {
            arm.clients.clear();
            arm.tallies.push(warmed);
        }
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
            if arm.clients.is_empty() {
                continue;
            }
            let meter = Meter::start();
            let tally = load(arm, settings, &clock, length, round as u64).await;
            if let Some((used, passed)) = meter.stop() {
                arm.metered = true;
                arm.used += used;
                arm.passed += passed;
            }
            arm.tallies.push(tally);
        }
    }
    conclude(plan, case, distance, arms)
}

/// The order of arms in a round: each is first as often as the others, and last.
fn turn(round: usize, arms: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..arms).map(|index| (index + round / 2) % arms).collect();
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

async fn load(
    arm: &mut Arm,
    settings: &Settings,
    clock: &MachineClock,
    length: Duration,
    round: u64,
) -> Tally {
    match settings.rate {
        None => closed(&mut arm.clients, clock, length).await,
        Some(rate) => {
            let begin = clock.now();
            let seed = settings.seed.wrapping_mul(0x9e37_79b9).wrapping_add(round);
            let schedule = Schedule::new(rate, settings.arrival, begin, begin + length, seed);
            open(&mut arm.clients, clock, schedule).await
        }
    }
}

/// Seeds the keys and opens the connections of an arm. One that cannot be prepared has no clients,
/// and a tally that says why.
async fn prepare(
    plan: &Plan,
    case: &Case,
    distance: Option<Distance>,
    target: usize,
    scope: &Arc<Scope>,
    prefix: &str,
) -> Arm {
    let mut arm = Arm {
        target,
        clients: Vec::new(),
        tallies: Vec::new(),
        used: Duration::ZERO,
        passed: Duration::ZERO,
        metered: false,
        _relay: None,
    };
    if let Err(reason) = try_prepare(plan, case, distance, &mut arm, scope, prefix).await {
        arm.clients.clear();
        arm.tallies.push(Tally {
            errors: 1,
            first_error: Some(reason),
            ..Tally::default()
        });
    }
    arm
}

async fn try_prepare(
    plan: &Plan,
    case: &Case,
    distance: Option<Distance>,
    arm: &mut Arm,
    scope: &Arc<Scope>,
    prefix: &str,
) -> Result<(), String> {
    let settings = &plan.settings;
    let target = &plan.targets[arm.target];
    let endpoint = target
        .endpoint
        .as_ref()
        .ok_or_else(|| format!("the address of {} is not known", target.name))?;
    let mut route = Route::new(endpoint, settings.http)?;
    if let Some(distance) = distance {
        let (host, port) = route.address();
        let relay = Relay::start(&host, port, distance, settings.seed)
            .map_err(|error| format!("no relay to {host}:{port} can be started: {error}"))?;
        route.relay = Some((relay.address(), distance.rtt));
        arm._relay = Some(relay);
    }
    let scripts: Vec<Script> = (0..settings.clients)
        .map(|client| case.script(prefix, client))
        .collect();
    let seeds: Vec<_> = scripts
        .iter()
        .flat_map(|script| script.seed.clone())
        .collect();
    let connector = scope.connector();
    plan.main
        .spawn(async move {
            let mut client = connector
                .connect()
                .await
                .map_err(|error| error.to_string())?;
            for seed in seeds {
                match client.command(&seed).await {
                    Ok(scenarios::Reply::Error(text)) => return Err(text),
                    Ok(_) => {}
                    Err(error) => return Err(error.to_string()),
                }
            }
            Ok(())
        })
        .await
        .map_err(|error| error.to_string())??;
    let fresh = settings.fresh || case.is_cold();
    let mut shared = None;
    for script in &scripts {
        let link = if fresh {
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
            prepared: prepared(case, script),
            commands: billed(script).commands,
            fresh,
            timeout: Duration::from_millis(settings.timeout_ms),
            link,
            stages: Stages::default(),
        });
    }
    Ok(())
}

fn prepared(case: &Case, script: &Script) -> Vec<Prepared> {
    let each = script.exchanges.iter().enumerate();
    each.map(|(index, exchange)| Prepared::new(exchange, case.needs_value(index)))
        .collect()
}

fn billed(script: &Script) -> Billed {
    let mut counter = Counter::default();
    for command in script.exchanges.iter().flat_map(Exchange::commands) {
        counter.count(command);
    }
    counter.billed()
}

fn conclude(plan: &Plan, case: &Case, distance: Option<Distance>, arms: Vec<Arm>) -> CaseOutcome {
    let cost = billed(&case.script("", 0));
    let fresh = plan.settings.fresh || case.is_cold();
    let mut measured: Vec<Measured> = arms
        .into_iter()
        .map(|arm| {
            let mut stages = Stages::default();
            for client in &arm.clients {
                stages.merge(&client.stages);
            }
            let share = arm.used.as_secs_f64() / arm.passed.as_secs_f64().max(1e-9);
            Measured::new(
                &plan.targets[arm.target].name,
                &arm.tallies,
                arm.metered.then_some(share),
                fresh.then_some(stages),
            )
        })
        .collect();
    let again = measured.pop();
    let mut outcome = CaseOutcome {
        id: case.id.clone(),
        title: case.title.to_owned(),
        group: case.group,
        size: case.size,
        batch: case.batch,
        rtt_us: distance.map_or(0, |distance| distance.rtt.as_micros() as u64),
        commands: cost.commands,
        writes: cost.writes,
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
