//! The two tables of figures: what matched, and how long replies took.

use std::io::Write;

use owo_colors::Style;

use super::Terminal;
use super::screen::Cell;
use crate::latency::{Summary, human};
use crate::report::view::thousands;
use crate::run::{NamedLatency, Outcome, Role, Tally, TargetOutcome};

/// How many commands the latency table lists; the files list all.
const COMMANDS_SHOWN: usize = 12;

impl<W: Write> Terminal<W> {
    pub(super) fn areas(&mut self, outcome: &Outcome) {
        self.heading("Scenarios that matched, by area");
        let present: Vec<&TargetOutcome> = outcome
            .targets
            .iter()
            .filter(|target| target.role != Role::Absent)
            .collect();
        let mut header = vec!["area".to_owned(), "scenarios".into(), "steps".into()];
        header.extend(present.iter().map(|target| target.name.clone()));
        let cells = |tallies: &[Tally]| -> Vec<Cell> {
            tallies.iter().map(|tally| self.tally(tally)).collect()
        };
        let count = |count: usize| Cell::of(&thousands(count as u64));
        let mut rows: Vec<Vec<Cell>> = outcome
            .areas
            .iter()
            .map(|area| {
                let mut row = vec![
                    Cell::of(&area.name),
                    count(area.scenarios),
                    count(area.steps),
                ];
                row.extend(cells(&area.tallies));
                row
            })
            .collect();
        if outcome.areas.len() > 1 {
            let steps: usize = outcome.areas.iter().map(|area| area.steps).sum();
            let mut row = vec![
                Cell::of("all"),
                count(outcome.scenarios.len()),
                count(steps),
            ];
            let all: Vec<Tally> = present.iter().map(|target| target.tally).collect();
            row.extend(cells(&all));
            rows.push(row);
        }
        self.table(&header, &rows);
        let line = format!("  {}", legend(&present));
        self.line(&self.paint(&line, Style::new().dimmed()));
    }

    fn tally(&self, tally: &Tally) -> Cell {
        let good = if tally.differed == 0 {
            Style::new().green()
        } else {
            Style::new()
        };
        let mut parts = vec![(tally.matched.to_string(), good)];
        for (count, sign, style) in [
            (tally.documented, "d", Style::new().yellow()),
            (tally.differed, " DIFFER", Style::new().red().bold()),
            (tally.accepted, "a", Style::new().dimmed()),
            (tally.unsupported, "u", Style::new().dimmed()),
            (tally.not_evaluable, "?", Style::new().yellow()),
        ] {
            if count > 0 {
                parts.push((format!("+{count}{sign}"), style));
            }
        }
        let width = parts
            .iter()
            .map(|(text, _)| text.chars().count() + 1)
            .sum::<usize>()
            - 1;
        let painted: Vec<String> = parts
            .iter()
            .map(|(text, style)| self.paint(text, *style))
            .collect();
        Cell {
            painted: painted.join(" "),
            width,
        }
    }

    pub(super) fn latency(&mut self, outcome: &Outcome) {
        let present: Vec<&TargetOutcome> = outcome
            .targets
            .iter()
            .filter(|target| target.latency.all.is_some())
            .collect();
        if present.is_empty() {
            return;
        }
        self.heading(
            "Latency: half (p50), nine in ten (p90), 99 in 100 (p99) of the replies came within",
        );
        let mut header = vec!["area".to_owned()];
        header.extend(
            present
                .iter()
                .map(|target| format!("{} p50 · p90 · p99", target.name)),
        );
        let rows = |names: &[String],
                    of: fn(&TargetOutcome) -> &[NamedLatency]|
         -> Vec<Vec<Cell>> {
            names
                .iter()
                .map(|name| {
                    let mut row = vec![Cell::of(name)];
                    row.extend(present.iter().map(|target| {
                        let found = of(target).iter().find(|latency| latency.name == *name);
                        Cell::of(
                            &found.map_or_else(|| "–".into(), |latency| figures(&latency.summary)),
                        )
                    }));
                    row
                })
                .collect()
        };
        let areas: Vec<String> = outcome.areas.iter().map(|area| area.name.clone()).collect();
        let mut by_area = rows(&areas, |target| &target.latency.areas);
        let mut all = vec![Cell::of("all")];
        let sums = present
            .iter()
            .filter_map(|target| target.latency.all.as_ref());
        all.extend(sums.map(|summary| Cell::of(&figures(summary))));
        by_area.push(all);
        self.table(&header, &by_area);
        header[0] = "command".into();
        let mut busiest: Vec<(u64, String)> = present
            .first()
            .map(|target| &target.latency.commands)
            .into_iter()
            .flatten()
            .map(|latency| (latency.summary.count, latency.name.clone()))
            .collect();
        busiest.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        let hidden = busiest.len().saturating_sub(COMMANDS_SHOWN);
        let names: Vec<String> = busiest
            .into_iter()
            .take(COMMANDS_SHOWN)
            .map(|(_, name)| name)
            .collect();
        let by_command = rows(&names, |target| &target.latency.commands);
        self.line("");
        self.table(&header, &by_command);
        if hidden > 0 {
            let line = format!("  and {hidden} commands more, in the report files");
            self.line(&self.paint(&line, Style::new().dimmed()));
        }
    }
}

fn legend(present: &[&TargetOutcome]) -> String {
    let any = |of: fn(&Tally) -> usize| present.iter().any(|target| of(&target.tally) > 0);
    let mut parts = Vec::new();
    for (shown, text) in [
        (
            any(|tally| tally.documented),
            "d: differs as Upstash documents",
        ),
        (any(|tally| tally.differed), "DIFFER: differs unexpectedly"),
        (
            any(|tally| tally.accepted),
            "a: differs, accepted by the baseline",
        ),
        (any(|tally| tally.unsupported), "u: the target cannot do it"),
        (
            any(|tally| tally.not_evaluable),
            "?: could not be evaluated",
        ),
    ] {
        if shown {
            parts.push(text);
        }
    }
    if parts.is_empty() {
        "all of them matched".into()
    } else {
        parts.join(" · ")
    }
}

fn figures(summary: &Summary) -> String {
    format!(
        "{} · {} · {}",
        human(summary.p50_us),
        human(summary.p90_us),
        human(summary.p99_us)
    )
}
