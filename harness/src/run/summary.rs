//! Makes the outcome of a run from what its scenarios came to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use scenarios::print;

use super::checklist::checklist;
use super::observation::{Answer, Trace};
use super::outcome::{
    AnswerOutcome, AreaOutcome, BilledOutcome, DifferenceOutcome, DocumentedOutcome,
    LatencyOutcome, NamedLatency, Outcome, REPORT_VERSION, ResultOutcome, Role, RunOutcome,
    ScenarioOutcome, StepOutcome, Tally, TargetOutcome,
};
use super::plan::{Plan, Planned};
use super::readiness::Readiness;
use super::scheduler::{Executed, ScenarioRun};
use crate::baseline::Baseline;
use crate::compare::{self, Against, Judgement};
use crate::cost::Billed;
use crate::exit::Exit;
use crate::latency::{Latency, TargetLatency};

/// A printed reply keeps this many characters; the suite sends values of a megabyte.
const REPLY_WIDTH: usize = 2_000;

/// Draws the conclusions of a run.
pub fn summarize(
    plan: &Plan,
    executed: &Executed,
    baseline: Option<&Baseline>,
    started_at: Timestamp,
    duration: Duration,
    interrupted: bool,
) -> Outcome {
    let runs = &executed.runs;
    let mut scenarios: Vec<ScenarioOutcome> = plan
        .scenarios
        .iter()
        .zip(runs)
        .map(|(planned, run)| scenario(plan, planned, run))
        .collect();
    let baseline = baseline.map(|baseline| baseline.apply(&mut scenarios));
    let targets = targets(plan, runs, &scenarios);
    scenarios.sort_by(|one, other| one.id.cmp(&other.id));
    let mut outcome = Outcome {
        version: REPORT_VERSION,
        swapcheck: env!("CARGO_PKG_VERSION"),
        run: RunOutcome {
            id: plan.run_id.clone(),
            started_at: started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            seed: plan.seed,
            reference: plan.reference_name().map(str::to_owned),
            self_check: plan.self_check,
            interrupted,
        },
        readiness: targets
            .iter()
            .filter_map(|target| target.readiness)
            .max()
            .unwrap_or(Readiness::NotReady),
        conclusion: String::new(),
        exit_code: 0,
        areas: areas(plan, &scenarios),
        checklist: checklist(&targets, &scenarios, plan.credentials),
        documented: documented(plan, runs),
        baseline,
        targets,
        scenarios,
        workloads: None,
    };
    let exit = Exit::of(&outcome, plan, executed);
    outcome.exit_code = exit.code();
    if exit != Exit::Success {
        outcome.readiness = Readiness::NotReady;
    }
    outcome.conclusion = conclusion(&outcome, exit);
    outcome
}

fn scenario(plan: &Plan, planned: &Planned, run: &ScenarioRun) -> ScenarioOutcome {
    let scenario = &planned.scenario;
    let steps = scenario.steps.iter().enumerate().map(|(index, step)| {
        let unstable = run.unstable.contains(&index);
        let mode = compare::mode(step);
        StepOutcome {
            line: step.location.line,
            sent: step.source.clone(),
            expected: step
                .expect
                .as_ref()
                .map(|expected| shorten(print::expectation(expected))),
            compared: if unstable {
                Some("varies from run to run: only the type of reply compared")
            } else {
                mode.gloss()
            },
            unstable,
            answers: plan
                .targets
                .iter()
                .zip(&run.traces)
                .map(|(target, trace)| answer(&target.name, trace, index))
                .collect(),
        }
    });
    let results = plan
        .targets
        .iter()
        .zip(&run.traces)
        .zip(&run.judgements)
        .map(|((target, trace), judgement)| result(plan, planned, &target.name, trace, judgement));
    ScenarioOutcome {
        id: scenario.id.clone(),
        area: scenario.area.clone(),
        title: scenario.title.clone(),
        prose: scenario.prose.trim().to_owned(),
        document: planned.document.clone(),
        line: scenario.location.line,
        steps: steps.collect(),
        results: results.collect(),
    }
}

fn answer(target: &str, trace: &Trace, index: usize) -> AnswerOutcome {
    let seen = trace.steps.get(index);
    let (reply, note) = match seen.map(|seen| &seen.answer) {
        Some(Answer::Reply(reply)) => (Some(shorten(print::reply(reply))), None),
        Some(Answer::Done) => (None, None),
        Some(Answer::Failed(error)) => (None, Some(error.to_string())),
        Some(Answer::Skipped(reason)) => (None, Some(format!("not tried: {reason}"))),
        None => (None, Some("not reached".into())),
    };
    let latency = seen.and_then(|seen| seen.latency);
    let latency_us = latency.map(|latency| u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
    AnswerOutcome {
        target: target.to_owned(),
        reply,
        note,
        latency_us,
    }
}

fn result(
    plan: &Plan,
    planned: &Planned,
    target: &str,
    trace: &Trace,
    judged: &Judgement,
) -> ResultOutcome {
    let scenario = &planned.scenario;
    let unsupported =
        scenario
            .steps
            .iter()
            .zip(&trace.steps)
            .filter_map(|(step, seen)| match &seen.answer {
                Answer::Skipped(reason) => Some(format!("line {}: {reason}", step.location.line)),
                _ => None,
            });
    let mut differences: Vec<DifferenceOutcome> = judged
        .findings
        .iter()
        .map(|finding| DifferenceOutcome {
            id: difference_id(&scenario.id, finding, target),
            step: finding.step,
            kind: finding.difference.kind,
            severity: finding.severity,
            against: finding.against,
            blame: finding.blame,
            path: finding.difference.path.clone(),
            what: named_sides(plan, finding, target),
            documented: finding.documented.clone(),
            accepted: false,
        })
        .collect();
    differences.sort_by_key(|found| (std::cmp::Reverse(found.severity), found.step));
    ResultOutcome {
        target: target.to_owned(),
        verdict: judged.verdict,
        reason: judged.reason.clone(),
        unsupported_steps: unsupported.collect(),
        differences,
    }
}

/// What differs, with the targets' names in place of their parts.
fn named_sides(plan: &Plan, finding: &compare::Finding, target: &str) -> String {
    let against = match finding.against {
        Against::Upstash => "upstash",
        _ => plan.reference_name().unwrap_or("the document"),
    };
    finding
        .difference
        .what
        .replace("the reference", against)
        .replace("the subject", target)
}

/// A difference's name in a baseline: scenario, step, place in the reply, kind and target.
fn difference_id(scenario: &str, finding: &compare::Finding, target: &str) -> String {
    let mut place = format!("{}", finding.step + 1);
    for part in &finding.difference.path {
        place.push_str(&format!(".{part}"));
    }
    format!("{scenario}#{place} {} on {target}", finding.difference.kind)
}

fn targets(plan: &Plan, runs: &[ScenarioRun], scenarios: &[ScenarioOutcome]) -> Vec<TargetOutcome> {
    let present = plan.targets.iter().enumerate().map(|(index, target)| {
        let mut billed = Billed::default();
        let mut latency = TargetLatency::default();
        for run in runs {
            billed.add(run.traces[index].billed);
            latency.merge(&run.traces[index].latency);
        }
        let results = || {
            scenarios
                .iter()
                .flat_map(|scenario| &scenario.results)
                .filter(|result| result.target == target.name)
        };
        let mut tally = Tally::default();
        results().for_each(|result| tally.count(result));
        let is_reference = plan.reference == Some(index);
        TargetOutcome {
            name: target.name.clone(),
            role: if is_reference {
                Role::Reference
            } else {
                Role::Subject
            },
            description: target.description.clone(),
            server: target.version.clone(),
            notes: target.notes.clone(),
            readiness: (!is_reference).then(|| Readiness::of(results())),
            tally,
            latency: LatencyOutcome {
                all: latency.all.summary(),
                areas: named(&latency.areas),
                commands: named(&latency.commands),
            },
            billed: BilledOutcome {
                prices: billed.prices(),
                in_all: target.billable(),
                billed,
            },
        }
    });
    let absent = plan.absent.iter().map(|absent| TargetOutcome {
        name: absent.name.clone(),
        role: Role::Absent,
        description: absent.reason.clone(),
        server: None,
        notes: Vec::new(),
        readiness: None,
        tally: Tally::default(),
        latency: LatencyOutcome::default(),
        billed: BilledOutcome::default(),
    });
    present.chain(absent).collect()
}

fn named(latencies: &BTreeMap<String, Latency>) -> Vec<NamedLatency> {
    let named = |(name, latency): (&String, &Latency)| {
        Some(NamedLatency {
            name: name.clone(),
            summary: latency.summary()?,
        })
    };
    latencies.iter().filter_map(named).collect()
}

fn areas(plan: &Plan, scenarios: &[ScenarioOutcome]) -> Vec<AreaOutcome> {
    let mut areas: BTreeMap<&str, AreaOutcome> = BTreeMap::new();
    for scenario in scenarios {
        let area = areas.entry(&scenario.area).or_insert_with(|| AreaOutcome {
            name: scenario.area.clone(),
            scenarios: 0,
            steps: 0,
            tallies: vec![Tally::default(); plan.targets.len()],
        });
        area.scenarios += 1;
        area.steps += scenario.steps.len();
        for (tally, result) in area.tallies.iter_mut().zip(&scenario.results) {
            tally.count(result);
        }
    }
    areas.into_values().collect()
}

fn documented(plan: &Plan, runs: &[ScenarioRun]) -> Vec<DocumentedOutcome> {
    #[derive(Default)]
    struct Seen {
        scenarios: BTreeSet<String>,
        targets: BTreeSet<String>,
        absent: Vec<String>,
    }
    let mut seen: BTreeMap<&str, Seen> = BTreeMap::new();
    for (planned, run) in plan.scenarios.iter().zip(runs) {
        for (target, judgement) in plan.targets.iter().zip(&run.judgements) {
            for id in judgement
                .findings
                .iter()
                .filter_map(|found| found.documented.as_deref())
            {
                let seen = seen.entry(id).or_default();
                seen.scenarios.insert(planned.scenario.id.clone());
                seen.targets.insert(target.name.clone());
            }
            for id in &judgement.absent {
                let place = format!("{} on {}", planned.scenario.id, target.name);
                seen.entry(id).or_default().absent.push(place);
            }
        }
    }
    let mut documented: Vec<DocumentedOutcome> = seen
        .into_iter()
        .filter_map(|(id, seen)| {
            let entry = plan.catalogue.entry(id)?;
            Some(DocumentedOutcome {
                id: entry.id.clone(),
                title: entry.title.clone(),
                severity: entry.severity,
                source: entry.source.clone(),
                confidence: entry.confidence,
                advice: entry.advice.clone(),
                shown_in: seen.scenarios.into_iter().collect(),
                shown_on: seen.targets.into_iter().collect(),
                expected_but_absent: seen.absent,
            })
        })
        .collect();
    documented.sort_by_key(|found| (std::cmp::Reverse(found.severity), found.id.clone()));
    documented
}

/// What the last line says after the readiness.
fn conclusion(outcome: &Outcome, exit: Exit) -> String {
    let subjects = || {
        outcome
            .targets
            .iter()
            .filter(|target| target.role == Role::Subject)
    };
    let sum = |of: fn(&Tally) -> usize| subjects().map(|target| of(&target.tally)).sum::<usize>();
    let names: Vec<&str> = subjects().map(|target| target.name.as_str()).collect();
    let mut parts = Vec::new();
    if let Some(reason) = exit.reason(outcome) {
        parts.push(reason);
    }
    let (cosmetic, changes): (Vec<_>, Vec<_>) = outcome
        .documented
        .iter()
        .filter(|found| !found.shown_in.is_empty())
        .partition(|found| found.severity == compare::Severity::Cosmetic);
    for (count, one, more) in [
        (
            changes.len(),
            "documented difference to check your application for",
            "documented differences to check your application for",
        ),
        (
            cosmetic.len(),
            "cosmetic documented difference",
            "cosmetic documented differences",
        ),
        (
            sum(|tally| tally.accepted),
            "difference accepted by the baseline",
            "differences accepted by the baseline",
        ),
        (
            sum(|tally| tally.unsupported),
            "scenario unsupported",
            "scenarios unsupported",
        ),
        (
            sum(|tally| tally.not_evaluable),
            "scenario not evaluable",
            "scenarios not evaluable",
        ),
    ] {
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { more }));
        }
    }
    if parts.is_empty() {
        let matched = sum(|tally| tally.matched);
        parts.push(format!(
            "all {matched} scenarios match on {}",
            names.join(", ")
        ));
    }
    parts.join("; ")
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(REPLY_WIDTH) {
        Some((at, _)) => format!("{}… ({} bytes more)", &text[..at], text.len() - at),
        None => text,
    }
}
