//! The checklist of a switch, each line ticked by the scenarios that prove it.

use globset::Glob;

use super::outcome::{ChecklistItem, ChecklistState, Role, ScenarioOutcome, TargetOutcome};
use super::workload::WorkloadOutcome;
use crate::compare::{Severity, Verdict};

/// A line that scenarios and workloads prove: its title, and which those are, by glob over their ids.
#[derive(Debug, Clone, Copy)]
pub struct Tick {
    /// What has to be so.
    pub title: &'static str,
    /// The scenarios and workloads that prove it.
    pub scenarios: &'static str,
}

/// The lines that scenarios prove, in the order of a switch.
pub const TICKS: &[Tick] = &[
    Tick {
        title: "Cache operations",
        scenarios: "cache/**",
    },
    Tick {
        title: "Rate limiting",
        scenarios: "{**/*rate-limit*{,/**},patterns/workload/{fixed-window,sliding-log,sliding-window,token-bucket}}",
    },
    Tick {
        title: "Distributed locks",
        scenarios: "locks/**",
    },
    Tick {
        title: "Job queue",
        scenarios: "queue/**",
    },
    Tick {
        title: "Session storage",
        scenarios: "sessions/**",
    },
    Tick {
        title: "Everything passes",
        scenarios: "**",
    },
];

/// The line that tells whether the targets answer.
const CONNECTION: &str = "Connection works";
/// The note of a line of which a run says nothing.
const NOTHING_SHOWN: &str = "no scenario of this run shows it";

/// Draws up the checklist.
pub fn checklist(
    targets: &[TargetOutcome],
    scenarios: &[ScenarioOutcome],
    credentials: bool,
) -> Vec<ChecklistItem> {
    let mut items = vec![environment(credentials), connection(targets)];
    items.extend(TICKS.iter().map(|tick| ticked(*tick, targets, scenarios)));
    items
}

fn environment(credentials: bool) -> ChecklistItem {
    let (state, note) = if credentials {
        (
            ChecklistState::Yes,
            "the credentials of an Upstash database are set",
        )
    } else {
        (
            ChecklistState::No,
            "set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN from the Upstash console",
        )
    };
    ChecklistItem {
        title: "Environment variables set",
        state,
        note: note.into(),
    }
}

fn connection(targets: &[TargetOutcome]) -> ChecklistItem {
    let subjects = || targets.iter().filter(|target| target.role == Role::Subject);
    let silent: Vec<&str> = subjects()
        .filter(|target| target.latency.all.is_none())
        .map(|target| target.name.as_str())
        .collect();
    let (state, note) = if subjects().next().is_none() {
        (
            ChecklistState::NotRun,
            "no target was there to switch to".to_owned(),
        )
    } else if silent.is_empty() {
        let names: Vec<&str> = subjects().map(|target| target.name.as_str()).collect();
        (
            ChecklistState::Yes,
            format!("{} answered", names.join(", ")),
        )
    } else {
        (
            ChecklistState::No,
            format!("{} gave no reply", silent.join(", ")),
        )
    };
    ChecklistItem {
        title: CONNECTION,
        state,
        note,
    }
}

fn ticked(tick: Tick, targets: &[TargetOutcome], scenarios: &[ScenarioOutcome]) -> ChecklistItem {
    let item = |state, note: String| ChecklistItem {
        title: tick.title,
        state,
        note,
    };
    let Ok(glob) = Glob::new(tick.scenarios).map(|glob| glob.compile_matcher()) else {
        return item(
            ChecklistState::NotRun,
            "its scenarios cannot be found".into(),
        );
    };
    let subject = |name: &str| {
        targets
            .iter()
            .any(|target| target.name == name && target.role == Role::Subject)
    };
    let results: Vec<_> = scenarios
        .iter()
        .filter(|scenario| glob.is_match(&scenario.id))
        .flat_map(|scenario| &scenario.results)
        .filter(|result| subject(&result.target))
        .collect();
    let is = |wanted: Verdict| {
        results
            .iter()
            .filter(|result| result.verdict == wanted)
            .count()
    };
    let failed = results
        .iter()
        .filter(|result| result.verdict == Verdict::Differed && !result.is_accepted())
        .count();
    let changes = results
        .iter()
        .filter(|result| {
            result.is_accepted()
                || (result.verdict == Verdict::Documented
                    && result
                        .differences
                        .iter()
                        .any(|found| found.severity > Severity::Cosmetic))
        })
        .count();
    let shown = results.len() - is(Verdict::Unsupported) - is(Verdict::NotEvaluable);
    match () {
        () if shown == 0 => item(ChecklistState::NotRun, NOTHING_SHOWN.into()),
        () if failed > 0 => item(
            ChecklistState::No,
            format!("{failed} of {shown} checks differ unexpectedly"),
        ),
        () if is(Verdict::NotEvaluable) > 0 => item(
            ChecklistState::NotRun,
            format!(
                "{} of {} checks could not be evaluated; of the others {} match, {changes} need a change",
                is(Verdict::NotEvaluable),
                shown + is(Verdict::NotEvaluable),
                shown - changes
            ),
        ),
        () if changes > 0 => item(
            ChecklistState::WithChanges,
            format!(
                "{} of {shown} checks match, {changes} need a change",
                shown - changes
            ),
        ),
        () => item(ChecklistState::Yes, format!("{shown} checks match")),
    }
}

/// Counts workloads into the lines that they belong to: one that was violated on a subject undoes a
/// line, one that held is noted on it.
pub(super) fn add_workloads(
    items: &mut [ChecklistItem],
    targets: &[TargetOutcome],
    workloads: &[WorkloadOutcome],
) {
    let subject = |name: &str| {
        targets
            .iter()
            .any(|target| target.name == name && target.role == Role::Subject)
    };
    // Where no scenario ran, workloads show that a target answers.
    let worked = |target: &&TargetOutcome| {
        workloads
            .iter()
            .flat_map(|workload| &workload.results)
            .any(|result| result.target == target.name && result.operations > 0)
    };
    let subjects = || targets.iter().filter(|target| target.role == Role::Subject);
    if let Some(item) = items.iter_mut().find(|item| item.title == CONNECTION)
        && item.state == ChecklistState::No
        && subjects().all(|target| target.latency.all.is_some() || worked(&target))
    {
        let names: Vec<&str> = subjects().map(|target| target.name.as_str()).collect();
        item.state = ChecklistState::Yes;
        item.note = format!("{} answered", names.join(", "));
    }
    for tick in TICKS {
        let item = items.iter_mut().find(|item| item.title == tick.title);
        let glob = Glob::new(tick.scenarios).map(|glob| glob.compile_matcher());
        let (Some(item), Ok(glob)) = (item, glob) else {
            continue;
        };
        let results: Vec<_> = workloads
            .iter()
            .filter(|workload| glob.is_match(&workload.id))
            .flat_map(|workload| &workload.results)
            .filter(|result| subject(&result.target))
            .collect();
        let count = |wanted: &[Verdict]| {
            let of_these = results
                .iter()
                .filter(|result| wanted.contains(&result.verdict));
            of_these.count()
        };
        let held = count(&[Verdict::Matched, Verdict::Documented]);
        let violated = count(&[Verdict::Differed]);
        if violated > 0 {
            item.state = ChecklistState::No;
            item.note = format!("{}; {} violated", item.note, workloads_of(violated));
        } else if held > 0 {
            if item.note == NOTHING_SHOWN {
                item.state = ChecklistState::Yes;
                item.note = format!("{} held", workloads_of(held));
            } else {
                item.note = format!("{}; {} held", item.note, workloads_of(held));
            }
        }
    }
}

fn workloads_of(count: usize) -> String {
    match count {
        1 => "1 workload".to_owned(),
        more => format!("{more} workloads"),
    }
}
