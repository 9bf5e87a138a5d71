//! Runs the plan: scenarios at the same time up to a limit, each on all its targets, isolated from
//! one another, and those that differ a second time on their own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::event::{Event, Events, Progress};
use super::observation::{End, Trace};
use super::plan::{Plan, order};
use super::prefix::Prefix;
use super::requirement::{Ability, Fit};
use super::single::in_scope;
use crate::compare::{Judgement, Side, Verdict, judge, varying};
use crate::target::{Target, TargetKind};

/// How long a health check may take, and how often it is tried before a target counts as lost.
const HEALTH_PATIENCE: Duration = Duration::from_secs(10);
const HEALTH_ATTEMPTS: u32 = 3;
const HEALTH_PAUSE: Duration = Duration::from_millis(300);

/// What became of one scenario.
#[derive(Debug, Clone)]
pub struct ScenarioRun {
    /// What each target did, in the plan's order.
    pub traces: Vec<Trace>,
    /// What is concluded for each target.
    pub judgements: Vec<Judgement>,
    /// The steps whose reply varies between two runs of one target.
    pub unstable: BTreeSet<usize>,
    /// Those of them that varied when the reference was run against itself.
    pub self_check: BTreeSet<usize>,
}

/// What became of all scenarios.
#[derive(Debug, Clone)]
pub struct Executed {
    /// One for each scenario, in the plan's order.
    pub runs: Vec<ScenarioRun>,
    /// Why a target was lost, by target in the plan's order.
    pub lost: Vec<Option<String>>,
}

/// Runs every scenario of the plan on all its targets, until `stop` turns true. A scenario that the
/// run did not come to is not evaluable.
pub async fn execute(plan: &Arc<Plan>, events: &Events, stop: &watch::Receiver<bool>) -> Executed {
    let hall = Arc::new(Hall::new(plan.clone(), events.clone(), stop.clone()));
    let mut runs = hall.clone().first_pass().await;
    hall.second_pass(&mut runs).await;
    let not_run = || hall.not_run("the run was interrupted");
    Executed {
        runs: runs
            .into_iter()
            .map(|run| run.unwrap_or_else(not_run))
            .collect(),
        lost: hall.lost.iter().map(|lost| lost.get().cloned()).collect(),
    }
}

/// What all scenarios of a run share.
struct Hall {
    plan: Arc<Plan>,
    events: Events,
    stop: watch::Receiver<bool>,
    abilities: Vec<Ability>,
    /// Why a target is lost, once it is.
    lost: Vec<OnceLock<String>>,
}

impl Hall {
    fn new(plan: Arc<Plan>, events: Events, stop: watch::Receiver<bool>) -> Self {
        let abilities = plan.targets.iter().map(Ability::of).collect();
        let lost = plan.targets.iter().map(|_| OnceLock::new()).collect();
        Hall {
            plan,
            events,
            stop,
            abilities,
            lost,
        }
    }

    fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Every scenario once, as many at a time as the plan allows.
    async fn first_pass(self: Arc<Self>) -> Vec<Option<ScenarioRun>> {
        let total = self.plan.scenarios.len();
        let permits = Arc::new(Semaphore::new(self.plan.jobs.max(1)));
        let mut tasks = JoinSet::new();
        let mut places = BTreeMap::new();
        for index in order(total, self.plan.seed) {
            let (hall, permits) = (self.clone(), permits.clone());
            let task = tasks.spawn(async move {
                // The semaphore is never closed.
                let _permit = permits.acquire_owned().await;
                let run = if hall.stopped() {
                    None
                } else {
                    Some(hall.scenario(index).await)
                };
                (index, run)
            });
            places.insert(task.id(), index);
        }
        let mut runs = vec![None; total];
        let mut done = 0;
        while let Some(finished) = tasks.join_next().await {
            let (index, run) = match finished {
                Ok(finished) => finished,
                Err(error) => {
                    let reason =
                        format!("swapcheck failed in this scenario, please report it: {error}");
                    (
                        places.get(&error.id()).copied().unwrap_or(0),
                        Some(self.not_run(&reason)),
                    )
                }
            };
            done += 1;
            if let Some(run) = &run {
                self.tell(index, run, done);
            }
            runs[index] = run;
        }
        runs
    }

    fn tell(&self, index: usize, run: &ScenarioRun, done: usize) {
        let names = self.plan.targets.iter().map(|target| target.name.clone());
        let verdicts = names
            .zip(run.judgements.iter().map(|judgement| judgement.verdict))
            .collect();
        self.events.send(Event::Judged(Progress {
            scenario: self.plan.scenarios[index].scenario.id.clone(),
            verdicts,
            done,
            total: self.plan.scenarios.len(),
        }));
    }

    /// What differed unexpectedly once more, one scenario at a time: what a busy machine caused does
    /// not show again, and what varies by nature varies here.
    async fn second_pass(&self, runs: &mut [Option<ScenarioRun>]) {
        let suspects: Vec<usize> = runs
            .iter()
            .enumerate()
            .filter(|(_, run)| run.as_ref().is_some_and(ScenarioRun::is_suspect))
            .map(|(index, _)| index)
            .collect();
        if suspects.is_empty() || self.stopped() {
            return;
        }
        self.events.send(Event::Confirming {
            scenarios: suspects.len(),
        });
        for index in suspects {
            if self.stopped() {
                return;
            }
            let Some(first) = runs[index].take() else {
                continue;
            };
            let traces = self.traces(index, 1).await;
            runs[index] = Some(if self.stopped() {
                first
            } else {
                self.confirm(index, first, traces)
            });
        }
    }

    fn confirm(&self, index: usize, first: ScenarioRun, traces: Vec<Trace>) -> ScenarioRun {
        let scenario = &self.plan.scenarios[index].scenario;
        let mut unstable = first.unstable;
        for (one, other) in first.traces.iter().zip(&traces) {
            unstable.extend(varying(scenario, one, other));
        }
        let mut run = self.judged(index, traces, unstable, first.self_check);
        // What the first attempt sent was sent, and its latencies were measured.
        for (again, before) in run.traces.iter_mut().zip(&first.traces) {
            again.billed.add(before.billed);
            again.latency.merge(&before.latency);
        }
        run
    }

    async fn scenario(&self, index: usize) -> ScenarioRun {
        let traces = self.traces(index, 0).await;
        let mut varied = BTreeSet::new();
        if let (true, Some(reference)) = (self.plan.self_check, self.plan.reference) {
            let again = self.trace(index, reference, 9).await;
            varied = varying(
                &self.plan.scenarios[index].scenario,
                &traces[reference],
                &again,
            );
        }
        self.judged(index, traces, varied.clone(), varied)
    }

    /// The scenario on all targets at once, all with the same sequence.
    async fn traces(&self, index: usize, attempt: usize) -> Vec<Trace> {
        join_all((0..self.plan.targets.len()).map(|target| self.trace(index, target, attempt)))
            .await
    }

    fn judged(
        &self,
        index: usize,
        traces: Vec<Trace>,
        unstable: BTreeSet<usize>,
        self_check: BTreeSet<usize>,
    ) -> ScenarioRun {
        let plan = &self.plan;
        let sides: Vec<Side<'_>> = plan
            .targets
            .iter()
            .zip(&traces)
            .map(|(target, trace)| Side {
                kind: target.kind,
                upstash: is_upstash(target),
                trace,
            })
            .collect();
        let scenario = &plan.scenarios[index].scenario;
        let judgements = judge(scenario, &sides, plan.reference, &unstable, &plan.catalogue);
        ScenarioRun {
            traces,
            judgements,
            unstable,
            self_check,
        }
    }

    /// A run of a scenario that did not take place.
    fn not_run(&self, reason: &str) -> ScenarioRun {
        let end = End::NotEvaluable(reason.to_owned());
        let trace =
            |target: &Target| Trace::ended(end.clone(), target.capabilities().expressiveness);
        let judgement = Judgement {
            verdict: Verdict::NotEvaluable,
            reason: Some(reason.to_owned()),
            findings: Vec::new(),
            absent: Vec::new(),
        };
        ScenarioRun {
            traces: self.plan.targets.iter().map(trace).collect(),
            judgements: vec![judgement; self.plan.targets.len()],
            unstable: BTreeSet::new(),
            self_check: BTreeSet::new(),
        }
    }

    /// One scenario on one target, its keys deleted at the end.
    async fn trace(&self, index: usize, which: usize, attempt: usize) -> Trace {
        let (target, scenario) = (
            &self.plan.targets[which],
            &self.plan.scenarios[index].scenario,
        );
        let level = target.capabilities().expressiveness;
        let unevaluable = |reason: String| Trace::ended(End::NotEvaluable(reason), level);
        if let Err(reason) = self.healthy(which).await {
            return unevaluable(reason);
        }
        let unsupported = match self.abilities[which].fit(target, scenario).await {
            Fit::Steps(unsupported) => unsupported,
            Fit::Nothing(reason) => return Trace::ended(End::Unsupported(reason), level),
            Fit::Unknown(reason) => return unevaluable(reason),
        };
        // Two targets may be two ways to one database: their keys must not meet either.
        let part = attempt * self.plan.targets.len() + which;
        let prefix = Prefix::new(&self.plan.run_id, index, part, scenario.key_names());
        let stop = self.stop.clone();
        let mut trace = in_scope(target, scenario, &unsupported, &prefix, stop).await;
        if let End::NoReply(reason) = &trace.end
            && let Err(lost) = self.healthy(which).await
        {
            trace.end = End::NotEvaluable(format!("{reason}; after that, {lost}"));
        }
        trace
    }

    /// Asks a target whether it still answers. One that does not is lost for the rest of the run, so
    /// that what broke it is not counted against the scenarios that follow.
    async fn healthy(&self, which: usize) -> Result<(), String> {
        let target = &self.plan.targets[which];
        if let Some(reason) = self.lost[which].get() {
            return Err(reason.clone());
        }
        let mut last = String::new();
        for attempt in 0..HEALTH_ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(HEALTH_PAUSE * attempt).await;
            }
            match tokio::time::timeout(HEALTH_PATIENCE, target.health()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = format!("no answer within {} s", HEALTH_PATIENCE.as_secs()),
            }
        }
        let reason = format!("{} stopped answering: {last}", target.name);
        if self.lost[which].set(reason.clone()).is_ok() {
            self.events.send(Event::TargetLost {
                name: target.name.clone(),
                reason: last,
            });
        }
        Err(reason)
    }
}

impl ScenarioRun {
    /// Whether anything in it would fail the run, and so deserves a second look.
    fn is_suspect(&self) -> bool {
        self.judgements.iter().any(|judgement| {
            judgement
                .findings
                .iter()
                .any(|finding| finding.documented.is_none())
        })
    }
}

/// Whether Upstash's documented differences are to be expected of a target.
pub(super) fn is_upstash(target: &Target) -> bool {
    match target.kind {
        TargetKind::Mock | TargetKind::Upstash | TargetKind::UpstashTcp | TargetKind::RestUrl => {
            true
        }
        TargetKind::Redis => false,
        TargetKind::RedisUrl => target.description.contains(".upstash.io"),
    }
}
