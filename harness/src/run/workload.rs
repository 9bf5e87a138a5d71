//! Workloads: concurrent clients on every target, their histories checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use scenarios::history::{History, Operation, print};
use scenarios::workload::{self, Finding, Settings, Workload};

use super::checklist;
use super::event::{Event, Events};
use super::outcome::{Outcome, Role};
use super::plan::Plan;
use super::prefix::Prefix;
use super::readiness::Readiness;
use crate::baseline::Baseline;
use crate::compare::Verdict;
use crate::cost::Billed;
use crate::exit::Exit;
use crate::target::{KeyExpiry, TargetKind};

/// How many workloads run on a target at a time: more would wait for one another.
const AT_ONCE: usize = 6;
/// How long a workload may go on after its clients should have stopped.
const PATIENCE: Duration = Duration::from_secs(30);
/// What helps where reads are stale (@upstash/redis, readYourWrites).
const STALE: &str = "if reads come from a copy that trails here, hand the sync token of the last answer on \
                     to whoever asks next; the SDKs do so within one client";
/// Keys of workloads are numbered from here, those of scenarios below.
const FIRST_NUMBER: usize = 9_000;

/// Which workloads to run, and how.
#[derive(Debug, Clone)]
pub struct WorkloadPlan {
    /// The workloads.
    pub workloads: Vec<Workload>,
    /// How much each does.
    pub settings: Settings,
    /// By a target's name, the flags that reach it, without secrets.
    pub reach: BTreeMap<String, String>,
}

impl WorkloadPlan {
    /// The command that runs one workload again on one target, with the same choices.
    fn again(&self, workload: &str, target: &str) -> String {
        let Settings {
            clients,
            operations,
            duration,
            round_trips,
            seed,
        } = self.settings;
        let duration = match round_trips {
            0 => format!(" --workload-duration {}", duration.as_secs_f64()),
            // It is chosen by the distance, as it was.
            _ => String::new(),
        };
        let reach = match self.reach.get(target) {
            Some(flags) => flags.clone(),
            None => format!("--target {target}"),
        };
        format!(
            "swapcheck run --filter '{workload}' {reach} --seed {seed} --workload-clients {clients} \
             --workload-operations {operations}{duration}"
        )
    }
}

/// What a run's workloads came to.
#[derive(Debug, Clone, Serialize)]
pub struct WorkloadsOutcome {
    /// How many clients each had.
    pub clients: usize,
    /// How many operations they began at most.
    pub operations: usize,
    /// For how long they began new ones at most.
    pub limit_ms: u64,
    /// What repeats their choices.
    pub seed: u64,
    /// How long all of them took.
    pub duration_ms: u64,
    /// The workloads, in the order of their ids.
    pub workloads: Vec<WorkloadOutcome>,
}

/// A workload and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct WorkloadOutcome {
    /// Its id.
    pub id: String,
    /// Its area.
    pub area: String,
    /// What has to hold.
    pub title: String,
    /// Who relies on it and what breaks without it.
    pub prose: String,
    /// What is concluded for each target.
    pub results: Vec<WorkloadResult>,
}

/// What a workload came to on a target.
#[derive(Debug, Clone, Serialize)]
pub struct WorkloadResult {
    /// The target.
    pub target: String,
    /// Matched when nothing was violated.
    pub verdict: Verdict,
    /// Why it could not be run or judged.
    pub reason: Option<String>,
    /// How many operations its history has.
    pub operations: usize,
    /// Of how many of them the outcome is not known.
    pub unknown: usize,
    /// What the reader should know.
    pub notes: Vec<String>,
    /// What was violated.
    pub violation: Option<ViolationOutcome>,
    /// What was sent for it, as a bill counts it.
    pub billed: Billed,
}

/// A violation with its evidence.
#[derive(Debug, Clone, Serialize)]
pub struct ViolationOutcome {
    /// Its name in a baseline: the workload and the target.
    pub id: String,
    /// What is wrong, in one sentence.
    pub what: String,
    /// The smallest slice of history that shows it.
    pub slice: Vec<Operation>,
    /// The slice as text.
    pub text: String,
    /// The command that runs the workload again on this target, with the same choices.
    pub again: String,
    /// Whether the baseline accepts it.
    pub accepted: bool,
}

impl WorkloadResult {
    /// Whether it is a violation that fails a run.
    pub fn is_unexpected(&self) -> bool {
        self.verdict == Verdict::Differed && !self.is_accepted()
    }

    /// Whether it is a violation that the baseline accepts.
    pub fn is_accepted(&self) -> bool {
        self.violation.as_ref().is_some_and(|found| found.accepted)
    }
}

/// Runs all workloads on all targets of the plan.
pub async fn execute_workloads(
    plan: &Arc<Plan>,
    workloads: &WorkloadPlan,
    events: &Events,
    stop: &watch::Receiver<bool>,
) -> WorkloadsOutcome {
    let begun = Instant::now();
    let settings = workloads.settings;
    events.send(Event::Workloads {
        count: workloads.workloads.len(),
        clients: settings.clients,
    });
    let mut tasks = JoinSet::new();
    let mut places = BTreeMap::new();
    for target in 0..plan.targets.len() {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        for (number, workload) in workloads.workloads.iter().copied().enumerate() {
            let (plan, stop, permits) = (plan.clone(), stop.clone(), permits.clone());
            let again = workloads.again(workload.id, &plan.targets[target].name);
            let task = tasks.spawn(async move {
                // The semaphore is never closed.
                let _permit = permits.acquire_owned().await;
                let mut result = on_target(&plan, target, number, &workload, settings, stop).await;
                if let Some(violation) = &mut result.violation {
                    violation.again = again;
                }
                result
            });
            places.insert(task.id(), (number, target));
        }
    }
    let mut results: BTreeMap<(usize, usize), WorkloadResult> = BTreeMap::new();
    while let Some(finished) = tasks.join_next_with_id().await {
        let (id, result) = match finished {
            Ok((id, result)) => (id, Ok(result)),
            Err(error) => (error.id(), Err(error)),
        };
        let Some((number, target)) = places.get(&id).copied() else {
            continue;
        };
        let name = &plan.targets[target].name;
        let result = result.unwrap_or_else(|error| {
            nothing(
                name,
                format!("swapcheck failed in this workload, please report it: {error}"),
            )
        });
        events.send(Event::WorkloadJudged {
            workload: workloads.workloads[number].id.to_owned(),
            target: name.clone(),
            verdict: result.verdict,
        });
        results.insert((number, target), result);
    }
    let mut outcomes: Vec<WorkloadOutcome> = workloads
        .workloads
        .iter()
        .enumerate()
        .map(|(number, workload)| WorkloadOutcome {
            id: workload.id.to_owned(),
            area: workload.area().to_owned(),
            title: workload.title.to_owned(),
            prose: workload.prose.to_owned(),
            results: (0..plan.targets.len())
                .filter_map(|target| results.remove(&(number, target)))
                .collect(),
        })
        .collect();
    outcomes.sort_by(|one, other| one.id.cmp(&other.id));
    WorkloadsOutcome {
        clients: settings.clients,
        operations: settings.operations,
        limit_ms: whole_ms(settings.duration),
        seed: settings.seed,
        duration_ms: whole_ms(begun.elapsed()),
        workloads: outcomes,
    }
}

fn whole_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn on_target(
    plan: &Plan,
    which: usize,
    number: usize,
    workload: &Workload,
    settings: Settings,
    stop: watch::Receiver<bool>,
) -> WorkloadResult {
    let target = &plan.targets[which];
    if *stop.borrow() {
        return nothing(&target.name, "the run was interrupted".to_owned());
    }
    if let Some(reason) = target.stopped() {
        return nothing(&target.name, reason);
    }
    // Two targets may be two ways to one database: their keys must not meet.
    let prefix = Prefix::new(&plan.run_id, FIRST_NUMBER + number, which, []);
    let scope = target.scope(prefix.as_bytes(), KeyExpiry::Guarded);
    let running = workload::execute(
        workload,
        scope.connector(),
        prefix.as_bytes(),
        settings,
        stop,
    );
    let patience = PATIENCE + Settings::LONGEST_STRETCH;
    let finding = tokio::time::timeout(settings.duration + patience, running).await;
    let billed = scope.billed();
    // What could not be deleted now is tried again when the run shuts down, and reported there.
    if let Err(error) = scope.finish().await {
        tracing::debug!(target = %target.name, workload = workload.id, %error, "keys left for later");
    }
    let result = match finding {
        Ok(finding) => concluded(target.kind, &target.name, workload, finding, &prefix),
        Err(_) => nothing(
            &target.name,
            format!(
                "its clients did not end within {} s after they should have; the target is too slow \
                 for --workload-clients {}",
                PATIENCE.as_secs(),
                settings.clients
            ),
        ),
    };
    WorkloadResult { billed, ..result }
}

fn nothing(target: &str, reason: String) -> WorkloadResult {
    result(
        target,
        Verdict::NotEvaluable,
        Some(reason),
        &History::default(),
    )
}

fn result(
    target: &str,
    verdict: Verdict,
    reason: Option<String>,
    history: &History,
) -> WorkloadResult {
    WorkloadResult {
        target: target.to_owned(),
        verdict,
        reason,
        operations: history.operations().len(),
        unknown: history.unknown(),
        notes: Vec::new(),
        violation: None,
        billed: Billed::default(),
    }
}

fn concluded(
    kind: TargetKind,
    target: &str,
    workload: &Workload,
    finding: Finding,
    prefix: &Prefix,
) -> WorkloadResult {
    let history = &finding.history;
    let judged = |verdict, reason| result(target, verdict, reason, history);
    let mut concluded = match finding.verdict {
        workload::Verdict::Held => judged(Verdict::Matched, None),
        workload::Verdict::Unsupported(reason) => {
            judged(Verdict::Unsupported, Some(prefix.neutral_text(&reason)))
        }
        workload::Verdict::NotEvaluable(reason) => {
            judged(Verdict::NotEvaluable, Some(prefix.neutral_text(&reason)))
        }
        workload::Verdict::Violated(violation) => {
            let upstash = matches!(kind, TargetKind::Upstash | TargetKind::UpstashTcp);
            // Upstash answers reads from the nearest copy (Upstash docs, consistency).
            let verdict = match upstash && workload.eventual {
                true => Verdict::Documented,
                false => Verdict::Differed,
            };
            let mut result = judged(verdict, None);
            result.violation = Some(ViolationOutcome {
                id: format!("{} on {target}", workload.id),
                again: String::new(),
                accepted: false,
                what: violation.what,
                text: print::slice(&violation.slice),
                slice: violation.slice,
            });
            result
        }
    };
    concluded.notes = finding.notes;
    if concluded.violation.is_some() && workload.eventual {
        concluded.notes.push(STALE.to_owned());
    }
    concluded
}

impl Outcome {
    /// Adds what the workloads came to: a violation that the baseline does not accept fails the run,
    /// and so does a required target on which one could not be evaluated.
    pub fn add_workloads(
        &mut self,
        mut workloads: WorkloadsOutcome,
        required: &[String],
        baseline: Option<&Baseline>,
    ) {
        if let (Some(baseline), Some(outcome)) = (baseline, &mut self.baseline) {
            baseline.apply_to_workloads(&mut workloads.workloads, outcome);
        }
        let all: Vec<&WorkloadResult> = workloads
            .workloads
            .iter()
            .flat_map(|workload| &workload.results)
            .collect();
        let violated = |result: &&&WorkloadResult| result.is_unexpected();
        let accepted = all.iter().filter(|result| result.is_accepted()).count();
        let silent = all.iter().any(|result| {
            result.verdict == Verdict::NotEvaluable && required.contains(&result.target)
        });
        for target in &mut self.targets {
            let mut own = all.iter().filter(|result| result.target == target.name);
            let sent = own.clone().map(|result| result.billed);
            sent.for_each(|billed| target.billed.billed.add(billed));
            target.billed.prices = target.billed.billed.prices();
            if target.role != Role::Subject {
                continue;
            }
            let worst = match target.readiness {
                _ if own.clone().any(|result| violated(&result)) => Readiness::NotReady,
                // Without scenarios, the workloads alone answer.
                _ if self.scenarios.is_empty() => {
                    match own.all(|result| result.verdict == Verdict::Matched) {
                        true => Readiness::Ready,
                        false => Readiness::ReadyWithChanges,
                    }
                }
                Some(readiness) => readiness,
                None => continue,
            };
            target.readiness = Some(worst);
        }
        let broken = all.iter().filter(violated).count();
        if self.exit_code == Exit::Success.code() && (broken > 0 || silent) {
            self.exit_code = Exit::Differences.code();
        }
        if broken > 0 || self.scenarios.is_empty() {
            let subjects = self.targets.iter().filter_map(|target| target.readiness);
            self.readiness = match self.exit_code == Exit::Success.code() {
                true => subjects.max().unwrap_or(Readiness::NotReady),
                false => Readiness::NotReady,
            };
        }
        let held = match broken {
            0 => "nothing was violated".to_owned(),
            1 => "something was violated in 1 of them".to_owned(),
            many => format!("something was violated in {many} of them"),
        };
        let accepted = match accepted {
            0 => String::new(),
            many => format!(", and in {many} as the baseline accepts"),
        };
        let told = format!("{} workload runs: {held}{accepted}", all.len());
        self.conclusion = match self.scenarios.is_empty() {
            true => told,
            false => format!("{}; {told}", self.conclusion),
        };
        checklist::add_workloads(&mut self.checklist, &self.targets, &workloads.workloads);
        self.workloads = Some(workloads);
    }
}
