//! Latency as plots and as a table.

use super::measured;
use crate::latency::{Summary, human};
use crate::report::plot::{Row as PlotRow, plot};
use crate::report::view::thousands;
use crate::run::{NamedLatency, Outcome, TargetOutcome};

/// How many commands the plot by command shows.
const COMMANDS_PLOTTED: usize = 24;

pub(super) struct FigureRow<'a> {
    pub(super) name: &'a str,
    pub(super) cells: Vec<String>,
}

/// All areas or commands that any target has figures of.
pub(super) fn names(outcome: &Outcome, of: fn(&TargetOutcome) -> &[NamedLatency]) -> Vec<&str> {
    let mut names: Vec<&str> = outcome
        .targets
        .iter()
        .flat_map(|target| of(target).iter().map(|one| one.name.as_str()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

pub(super) fn busiest(outcome: &Outcome) -> Vec<&str> {
    let mut names = names(outcome, |one| &one.latency.commands);
    let count = |name: &str| -> u64 {
        measured(outcome)
            .flat_map(|target| &target.latency.commands)
            .filter(|one| one.name == name)
            .map(|one| one.summary.count)
            .sum()
    };
    names.sort_by_key(|name| std::cmp::Reverse(count(name)));
    names.truncate(COMMANDS_PLOTTED);
    names
}

fn found(latencies: &[NamedLatency], name: &str) -> Option<Summary> {
    latencies
        .iter()
        .find(|one| one.name == name)
        .map(|one| one.summary)
}

pub(super) fn plotted(
    title: &str,
    outcome: &Outcome,
    names: &[&str],
    of: fn(&TargetOutcome) -> &[NamedLatency],
) -> String {
    let targets: Vec<&str> = measured(outcome)
        .map(|target| target.name.as_str())
        .collect();
    let rows: Vec<PlotRow<'_>> = names
        .iter()
        .map(|name| PlotRow {
            label: name,
            figures: measured(outcome)
                .map(|target| found(of(target), name))
                .collect(),
        })
        .collect();
    plot(title, &targets, &rows)
}

pub(super) fn figures(outcome: &Outcome) -> Vec<FigureRow<'_>> {
    let cells = |of: &dyn Fn(&TargetOutcome) -> Option<Summary>| -> Vec<String> {
        measured(outcome)
            .flat_map(|target| match of(target) {
                Some(one) => [
                    human(one.p50_us),
                    human(one.p90_us),
                    human(one.p99_us),
                    thousands(one.count),
                ],
                None => ["–", "–", "–", "–"].map(str::to_owned),
            })
            .collect()
    };
    let mut rows = vec![FigureRow {
        name: "all",
        cells: cells(&|target| target.latency.all),
    }];
    for name in names(outcome, |one| &one.latency.areas) {
        rows.push(FigureRow {
            name,
            cells: cells(&|target| found(&target.latency.areas, name)),
        });
    }
    for name in names(outcome, |one| &one.latency.commands) {
        rows.push(FigureRow {
            name,
            cells: cells(&|target| found(&target.latency.commands, name)),
        });
    }
    rows
}
