//! Finds out by experiment which of Upstash's ways a difference comes from.
//!
//! The catalogue recognises the suite's own differences by their replies. In documents that users
//! write the same ways of Upstash show in replies that nobody foresaw. There the scenario is run again
//! on mocks that each have one quirk switched off: if the mock answers as the subject did, and the
//! difference goes away without the quirk, the quirk is its cause, and the catalogue's entry for it
//! has the source and the advice.

use futures_util::future::join_all;
use tokio::sync::watch;

use mock_upstash::MockUpstash;
use mock_upstash::dialect::{Dialect, QUIRKS, Quirk};
use scenarios::Scenario;

use super::observation::{Observation, Trace};
use super::plan::Plan;
use super::scheduler::{Executed, ScenarioRun, is_upstash};
use super::single::observe;
use crate::compare::{Entry, Finding, Judgement, Mode, Side, Verdict, compare, judge, mode};
use crate::target::{Options, Target, TargetError, open_mock};

/// In how many scenarios causes are looked for; where more differ, something else is wrong.
const MOST_SCENARIOS: usize = 50;

/// Looks for the cause of every unexpected difference of a target that is, or stands for, Upstash.
/// Differences whose cause is found become documented ones.
pub async fn attribute(plan: &Plan, executed: &mut Executed, stop: &watch::Receiver<bool>) {
    let open = |run: &ScenarioRun| {
        let judged = run.judgements.iter().zip(&plan.targets).enumerate();
        judged
            .filter(|(index, (judgement, target))| {
                is_upstash(target)
                    && plan.reference != Some(*index)
                    && judgement
                        .findings
                        .iter()
                        .any(|found| found.documented.is_none())
            })
            .map(|(index, _)| index)
            .collect::<Vec<_>>()
    };
    let mut laboratories: [Option<Laboratory>; 2] = [None, None];
    let runs = plan.scenarios.iter().zip(&mut executed.runs).enumerate();
    let differing = runs.filter_map(|(number, (planned, run))| {
        let targets = open(run);
        (!targets.is_empty()).then_some((number, &planned.scenario, run, targets))
    });
    for (number, scenario, run, targets) in differing.take(MOST_SCENARIOS) {
        for which in targets {
            if *stop.borrow() {
                return;
            }
            let rest = plan.targets[which].capabilities().rest;
            let laboratory = &mut laboratories[usize::from(rest)];
            if laboratory.is_none() {
                *laboratory = match Laboratory::open(rest).await {
                    Ok(opened) => Some(opened),
                    Err(error) => {
                        tracing::warn!(%error, "no mock to look for the causes of differences on");
                        return;
                    }
                };
            }
            let Some(laboratory) = laboratory else {
                return;
            };
            let case = Case {
                plan,
                scenario,
                number,
                which,
            };
            case.settle(run, laboratory, stop).await;
        }
    }
    for laboratory in laboratories.into_iter().flatten() {
        laboratory.close().await;
    }
}

/// Mocks over one transport: one as Upstash is, and one without each of its quirks.
struct Laboratory {
    whole: Target,
    without: Vec<(Quirk, &'static str, Target)>,
    rest: bool,
}

impl Laboratory {
    async fn open(rest: bool) -> Result<Self, TargetError> {
        let options = Options::default();
        let mut without = Vec::new();
        for row in QUIRKS.iter().filter(|row| Dialect::UPSTASH.has(row.quirk)) {
            let mock = MockUpstash::builder().quirk(row.quirk, false);
            without.push((row.quirk, row.id, open_mock(mock, rest, &options).await?));
        }
        Ok(Laboratory {
            whole: open_mock(MockUpstash::builder(), rest, &options).await?,
            without,
            rest,
        })
    }

    async fn close(self) {
        let all = self.without.iter().map(|(_, _, target)| target);
        join_all(all.chain([&self.whole]).map(Target::shutdown)).await;
    }
}

/// One scenario on one target.
struct Case<'a> {
    plan: &'a Plan,
    scenario: &'a Scenario,
    /// The scenario's place in the plan.
    number: usize,
    /// The target's place in the plan.
    which: usize,
}

impl Case<'_> {
    async fn settle(
        &self,
        run: &mut ScenarioRun,
        laboratory: &Laboratory,
        stop: &watch::Receiver<bool>,
    ) {
        let on = |target| {
            observe(
                target,
                self.scenario,
                &self.plan.run_id,
                self.number,
                stop.clone(),
            )
        };
        let whole = on(&laboratory.whole).await;
        let without = laboratory.without.iter();
        let without: Vec<(Quirk, &str, Trace)> =
            join_all(without.map(|(quirk, id, target)| async { (*quirk, *id, on(target).await) }))
                .await;
        let mut causes = Vec::new();
        for (place, finding) in run.judgements[self.which].findings.iter().enumerate() {
            if finding.documented.is_some() || !self.predicted(run, finding, &whole) {
                continue;
            }
            let alone = |(_, _, trace): &&(Quirk, &str, Trace)| !self.shows(run, finding, trace);
            let mut involved: Vec<(Quirk, &str)> = without
                .iter()
                .filter(alone)
                .map(|(quirk, id, _)| (*quirk, *id))
                .collect();
            if involved.is_empty() {
                // Several together: each changes the reply, and without all of them it is Redis's.
                let step = finding.step;
                let changes = |(_, _, trace): &&(Quirk, &str, Trace)| {
                    reply(trace.steps.get(step)) != reply(whole.steps.get(step))
                };
                involved = without
                    .iter()
                    .filter(changes)
                    .map(|(quirk, id, _)| (*quirk, *id))
                    .collect();
                if involved.is_empty()
                    || !self
                        .goes_without(&involved, run, finding, laboratory, stop)
                        .await
                {
                    continue;
                }
            }
            if let Some((entry, id)) = self.entry(&involved) {
                causes.push((place, entry, id));
            }
        }
        let judgement = &mut run.judgements[self.which];
        for (place, entry, id) in causes {
            let finding = &mut judgement.findings[place];
            finding.documented = Some(entry.id.clone());
            finding.severity = entry.severity;
            finding.difference.what.push_str(&format!(
                "; the mock answers as the reference does when its quirk {id} is off"
            ));
        }
        if judgement
            .findings
            .iter()
            .all(|found| found.documented.is_some())
        {
            judgement.verdict = Verdict::Documented;
        }
    }

    /// Whether the mock, all its quirks on, answers as the subject did.
    fn predicted(&self, run: &ScenarioRun, finding: &Finding, whole: &Trace) -> bool {
        let subject = &run.traces[self.which];
        let seen = reply(subject.steps.get(finding.step));
        match (seen, reply(whole.steps.get(finding.step))) {
            (Some(seen), Some(whole_reply)) => {
                let level = subject.level.min(whole.level);
                let mode = self
                    .scenario
                    .steps
                    .get(finding.step)
                    .map_or(Mode::Exact, mode);
                compare(seen, whole_reply, level, &mode).is_none()
            }
            _ => false,
        }
    }

    /// Whether the difference shows, had the subject done what the trace tells.
    fn shows(&self, run: &ScenarioRun, finding: &Finding, trace: &Trace) -> bool {
        let judgement = self.judged(run, trace);
        trace.steps.get(finding.step).is_none()
            || judgement.findings.iter().any(|found| {
                found.step == finding.step && found.difference.path == finding.difference.path
            })
    }

    fn judged(&self, run: &ScenarioRun, trace: &Trace) -> Judgement {
        let sides: Vec<Side<'_>> = (0..self.plan.targets.len())
            .map(|index| Side {
                kind: self.plan.targets[index].kind,
                upstash: is_upstash(&self.plan.targets[index]),
                trace: if index == self.which {
                    trace
                } else {
                    &run.traces[index]
                },
            })
            .collect();
        let (reference, catalogue) = (self.plan.reference, &self.plan.catalogue);
        judge(self.scenario, &sides, reference, &run.unstable, catalogue).swap_remove(self.which)
    }

    /// Whether the difference goes away on a mock without all of these quirks.
    async fn goes_without(
        &self,
        quirks: &[(Quirk, &str)],
        run: &ScenarioRun,
        finding: &Finding,
        laboratory: &Laboratory,
        stop: &watch::Receiver<bool>,
    ) -> bool {
        let builder = quirks
            .iter()
            .fold(MockUpstash::builder(), |builder, (quirk, _)| {
                builder.quirk(*quirk, false)
            });
        let Ok(target) = open_mock(builder, laboratory.rest, &Options::default()).await else {
            return false;
        };
        let trace = observe(
            &target,
            self.scenario,
            &self.plan.run_id,
            self.number,
            stop.clone(),
        )
        .await;
        target.shutdown().await;
        !self.shows(run, finding, &trace)
    }

    /// The gravest of the entries that these quirks have in the catalogue, and the quirk.
    fn entry<'q>(&self, quirks: &[(Quirk, &'q str)]) -> Option<(&Entry, &'q str)> {
        let entries = self.plan.catalogue.entries();
        let of = |id: &'q str| {
            let named = entries
                .iter()
                .filter(move |entry| entry.quirks.iter().any(|name| name == id));
            named.map(move |entry| (entry, id))
        };
        quirks
            .iter()
            .flat_map(|(_, id)| of(id))
            .max_by_key(|(entry, _)| entry.severity)
    }
}

fn reply(seen: Option<&Observation>) -> Option<&scenarios::Reply> {
    seen.and_then(|seen| seen.answer.reply())
}
