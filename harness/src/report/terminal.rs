//! The report on the screen: progress while a run goes on, then what it concludes, from the summary
//! down to the single differences, and the one line that answers the question.

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::{OwoColorize, Style};

use super::Reporter;
use super::view::{Class, Exhibit, counted, duration, exhibits, thousands};
use super::workload;
use crate::compare::{Severity, Verdict};
use crate::cost::dollars;
use crate::latency::{Summary, human};
use crate::run::{
    ChecklistState, Event, NamedLatency, Outcome, Progress, Readiness, Role, Tally, TargetOutcome,
};

/// How many commands the latency table lists; the files list all.
const COMMANDS_SHOWN: usize = 12;
/// How many unexpected differences are spelled out; the files have all.
const EXHIBITS_SHOWN: usize = 25;
/// How many lines of a reply are shown.
const REPLY_LINES: usize = 12;

/// Tells a run on a terminal, or, when the output is not one, in plain lines.
pub struct Terminal<W: Write> {
    out: W,
    color: bool,
    width: usize,
    bar: Option<ProgressBar>,
    /// Plain lines tell how far a run is every so many scenarios.
    told: usize,
    started: bool,
}

impl<W: Write> Terminal<W> {
    /// A report to `out`. `color` allows colours; `progress` a bar on standard error.
    pub fn new(out: W, color: bool, progress: bool, width: usize) -> Self {
        let bar = progress.then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.set_message("finding or starting the targets");
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Terminal {
            out,
            color,
            width: width.clamp(60, 120),
            bar,
            told: 0,
            started: false,
        }
    }

    /// One line. An output that nobody reads any more (`| head`) is no error.
    fn line(&mut self, text: &str) {
        match &self.bar {
            Some(bar) if !bar.is_finished() => bar.suspend(|| {
                let _ = writeln!(self.out, "{text}");
            }),
            _ => {
                let _ = writeln!(self.out, "{text}");
            }
        }
    }

    fn paint(&self, text: &str, style: Style) -> String {
        if self.color {
            text.style(style).to_string()
        } else {
            text.to_owned()
        }
    }

    fn heading(&mut self, text: &str) {
        let painted = self.paint(text, Style::new().bold());
        self.line("");
        self.line(&painted);
    }

    /// Text wrapped to the width of the screen, every line indented.
    fn wrapped(&mut self, indent: &str, text: &str) {
        for line in wrap(text, self.width.saturating_sub(indent.chars().count())) {
            self.line(&format!("{indent}{line}"));
        }
    }

    /// A table whose first column is aligned to the left and the others to the right.
    fn table(&mut self, header: &[String], rows: &[Vec<Cell>]) {
        let header: Vec<Cell> = header
            .iter()
            .map(|text| Cell {
                painted: self.paint(text, Style::new().dimmed()),
                ..Cell::of(text)
            })
            .collect();
        let rows: Vec<&Vec<Cell>> = std::iter::once(&header).chain(rows).collect();
        let width = |index: usize| {
            rows.iter()
                .filter_map(|row| row.get(index))
                .map(|cell| cell.width)
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..header.len()).map(width).collect();
        for row in rows {
            let mut line = String::from(" ");
            for (index, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.width);
                let (before, after) = if index == 0 {
                    ("", pad.as_str())
                } else {
                    (pad.as_str(), "")
                };
                let gap = if index == 0 { " " } else { "   " };
                line.push_str(&format!("{gap}{before}{}{after}", cell.painted));
            }
            self.line(line.trim_end());
        }
    }

    fn progress(&mut self, progress: &Progress) {
        if let Some(bar) = &self.bar {
            bar.set_length(progress.total as u64);
            bar.set_position(progress.done as u64);
            bar.set_message(progress.scenario.clone());
            return;
        }
        let tenth = progress.done * 10 / progress.total.max(1);
        if tenth > self.told {
            self.told = tenth;
            let line = format!("  {} of {} scenarios done", progress.done, progress.total);
            self.line(&line);
        }
    }

    fn outcome(&mut self, outcome: &Outcome) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.targets(outcome);
        self.areas(outcome);
        self.differences(outcome);
        self.silent(outcome);
        self.unstable(outcome);
        self.workloads(outcome);
        self.latency(outcome);
        self.cost(outcome);
        self.checklist(outcome);
        self.conclusion(outcome);
    }

    fn targets(&mut self, outcome: &Outcome) {
        self.heading("Targets");
        let name_width = outcome
            .targets
            .iter()
            .map(|target| target.name.len())
            .max()
            .unwrap_or(0);
        for target in &outcome.targets {
            let role = match target.role {
                Role::Reference => "reference",
                Role::Subject => "compared",
                Role::Absent => "not here",
            };
            let server = target.server.clone().map(|server| format!("{server} · "));
            let text = format!("{}{}", server.unwrap_or_default(), target.description);
            let indent = format!("  {role:<10} {:<name_width$}  ", target.name);
            let lines = wrap(&text, self.width.saturating_sub(indent.chars().count()));
            for (index, line) in lines.iter().enumerate() {
                let lead = if index == 0 {
                    indent.clone()
                } else {
                    " ".repeat(indent.chars().count())
                };
                self.line(&format!("{lead}{line}"));
            }
            for note in &target.notes {
                self.wrapped("             ", note);
            }
        }
        match &outcome.run.reference {
            Some(reference) => self.wrapped(
                "  ",
                &format!("Every command went to all of them; replies are held against {reference}'s."),
            ),
            None => self.wrapped(
                "  ",
                "There is no reference here: replies are held against what the documents expect of Redis. \
                 For the Redis column install redis-server or Docker, or give --target redis://HOST:PORT.",
            ),
        }
        if outcome.run.self_check {
            let unstable = outcome.scenarios.iter().flat_map(|one| &one.steps);
            let text = match unstable.filter(|step| step.unstable).count() {
                0 => "The reference was run against itself, too, and answered alike.".to_owned(),
                steps => format!(
                    "The reference was run against itself, too, and varied in {}.",
                    counted(steps, "step")
                ),
            };
            self.wrapped("  ", &text);
        }
    }

    fn areas(&mut self, outcome: &Outcome) {
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

    fn differences(&mut self, outcome: &Outcome) {
        let exhibits = exhibits(outcome);
        if exhibits.is_empty() {
            self.heading("Differences");
            self.line("  none");
        }
        for (class, heading) in [
            (
                Class::Unexpected,
                "Unexpected differences: find out about these before you switch",
            ),
            (
                Class::Documented,
                "Documented differences: Upstash is known to behave this way",
            ),
            (Class::Accepted, "Differences that the baseline accepts"),
        ] {
            let of_class: Vec<&Exhibit> = exhibits
                .iter()
                .filter(|exhibit| exhibit.class == class)
                .collect();
            if of_class.is_empty() {
                continue;
            }
            self.heading(heading);
            // Accepted ones were read when they were accepted.
            let shown = if class == Class::Accepted {
                0
            } else {
                EXHIBITS_SHOWN
            };
            for (index, exhibit) in of_class.iter().take(shown).enumerate() {
                self.exhibit(index + 1, exhibit);
            }
            if of_class.len() > shown {
                let more = if shown == 0 { "" } else { " more" };
                let line = format!(
                    "{}{more}, in the report files",
                    counted(of_class.len() - shown, "scenario")
                );
                self.line(&format!("  {line}"));
            }
        }
        let absent: Vec<String> = outcome
            .documented
            .iter()
            .flat_map(|found| {
                found
                    .expected_but_absent
                    .iter()
                    .map(move |place| format!("{}: {place}", found.id))
            })
            .collect();
        if !absent.is_empty() {
            self.heading("Documented differences that were expected to show, and did not");
            for line in absent {
                self.wrapped("  ", &line);
            }
        }
        if let Some(baseline) = &outcome.baseline
            && !baseline.gone.is_empty()
        {
            self.heading("Differences that the baseline accepts and that are gone");
            for id in &baseline.gone {
                self.line(&format!("  {id}"));
            }
            self.wrapped(
                "  ",
                &format!("Write it anew: --write-baseline {}", baseline.file),
            );
        }
    }

    fn exhibit(&mut self, number: usize, exhibit: &Exhibit) {
        let style = match exhibit.severity {
            Severity::Breaking => Style::new().red().bold(),
            Severity::Degraded => Style::new().yellow(),
            Severity::Cosmetic => Style::new().dimmed(),
        };
        let severity = self.paint(exhibit.severity.name(), style);
        let title = self.paint(&exhibit.title, Style::new().bold());
        self.line("");
        self.line(&format!("  {number}. {severity}  {title}"));
        let place = match &exhibit.documented {
            Some(id) => format!("     {}  [{id}]", exhibit.place),
            None => format!("     {}  {}", exhibit.place, exhibit.scenario),
        };
        self.line(&self.paint(&place, Style::new().dimmed()));
        if exhibit.class == Class::Unexpected {
            self.wrapped("     ", &plain(&exhibit.prose));
        }
        let width = exhibit
            .answers
            .iter()
            .map(|shown| shown.who.len())
            .max()
            .unwrap_or(0)
            .max(4);
        self.block("sent", width, &exhibit.sent, Style::new());
        for shown in &exhibit.answers {
            let style = if shown.differs { style } else { Style::new() };
            self.block(&shown.who, width, &shown.text, style);
        }
        self.wrapped("     ", &format!("{}: {}.", exhibit.what, exhibit.blame));
        if let Some(advice) = &exhibit.advice {
            self.wrapped("     ", &format!("What to change: {advice}"));
        }
        if let Some(source) = &exhibit.source {
            let source = format!("Source: {source}");
            self.wrapped("     ", &source);
        }
        if !exhibit.also.is_empty() {
            self.wrapped(
                "     ",
                &format!(
                    "Shows in {} more: {}",
                    counted(exhibit.also.len(), "place"),
                    exhibit.also.join(", ")
                ),
            );
        }
    }

    /// A text of several lines beside the name of who said it.
    fn block(&mut self, who: &str, width: usize, text: &str, style: Style) {
        let lines: Vec<&str> = text.lines().collect();
        let room = self.width.saturating_sub(width + 9).max(20);
        for (index, line) in lines.iter().take(REPLY_LINES).enumerate() {
            let lead = if index == 0 { who } else { "" };
            let line = self.paint(&cut(line, room), style);
            self.line(&format!("       {lead:<width$}  {line}"));
        }
        if lines.len() > REPLY_LINES {
            let more = counted(lines.len() - REPLY_LINES, "line");
            self.line(&format!(
                "       {:<width$}  … {more} more, in the report files",
                ""
            ));
        }
    }

    /// What is neither passed nor failed, and why.
    fn silent(&mut self, outcome: &Outcome) {
        for (verdict, heading) in [
            (
                Verdict::NotEvaluable,
                "Not evaluable: nothing can be said about these",
            ),
            (
                Verdict::Unsupported,
                "Unsupported: the target cannot do this at all",
            ),
        ] {
            let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
            for scenario in &outcome.scenarios {
                for result in scenario
                    .results
                    .iter()
                    .filter(|result| result.verdict == verdict)
                {
                    let reason = format!(
                        "{}: {}",
                        result.target,
                        result.reason.clone().unwrap_or_default()
                    );
                    match reasons.iter_mut().find(|(known, _)| *known == reason) {
                        Some((_, scenarios)) => scenarios.push(&scenario.id),
                        None => reasons.push((reason, vec![&scenario.id])),
                    }
                }
            }
            if reasons.is_empty() {
                continue;
            }
            self.heading(heading);
            for (reason, scenarios) in reasons {
                self.wrapped(
                    "  ",
                    &format!("{reason} ({})", counted(scenarios.len(), "scenario")),
                );
                let shown: Vec<&str> = scenarios.iter().take(4).copied().collect();
                let more = scenarios.len() - shown.len();
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                let line = format!("{}{more}", shown.join(", "));
                self.wrapped("      ", &line);
            }
        }
    }

    fn unstable(&mut self, outcome: &Outcome) {
        let steps: Vec<String> = outcome
            .scenarios
            .iter()
            .flat_map(|scenario| {
                let unstable = scenario.steps.iter().filter(|step| step.unstable);
                unstable.map(move |step| {
                    format!(
                        "{}:{}  {}",
                        scenario.document,
                        step.line,
                        first_line(&step.sent)
                    )
                })
            })
            .collect();
        if !steps.is_empty() {
            self.heading("Unstable: replies that varied between two runs of one target; only their type is compared");
            for step in steps {
                self.line(&format!("  {step}"));
            }
        }
    }

    fn workloads(&mut self, outcome: &Outcome) {
        if let Some(workloads) = &outcome.workloads {
            self.heading("Workloads: many clients at once, their histories checked");
            for line in workload::lines(workloads) {
                self.line(&line);
            }
        }
    }

    fn latency(&mut self, outcome: &Outcome) {
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

    fn cost(&mut self, outcome: &Outcome) {
        self.heading("Billable commands, and what they cost at Upstash");
        for target in outcome
            .targets
            .iter()
            .filter(|target| target.role != Role::Absent)
        {
            let billed = target.billed.billed;
            let payg = target
                .billed
                .prices
                .iter()
                .find(|price| price.usd > 0.0)
                .map(|price| price.usd);
            let text = format!(
                "{}: {} commands, {} of them writes (each billed once more per read region): {} on pay as \
                 you go; {} with health checks and cleaning up",
                target.name,
                thousands(billed.commands),
                thousands(billed.writes),
                dollars(payg.unwrap_or(0.0)),
                thousands(target.billed.in_all),
            );
            self.wrapped("  ", &text);
        }
    }

    fn checklist(&mut self, outcome: &Outcome) {
        self.heading("Checklist of the switch");
        let width = outcome
            .checklist
            .iter()
            .map(|item| item.title.len())
            .max()
            .unwrap_or(0);
        for item in &outcome.checklist {
            let (sign, style) = match item.state {
                ChecklistState::Yes => ("[x]", Style::new().green()),
                ChecklistState::WithChanges => ("[~]", Style::new().yellow()),
                ChecklistState::No => ("[ ]", Style::new().red()),
                ChecklistState::NotRun => ("[?]", Style::new().dimmed()),
            };
            let sign = self.paint(sign, style);
            self.line(&format!("  {sign} {:<width$}  {}", item.title, item.note));
        }
    }

    fn conclusion(&mut self, outcome: &Outcome) {
        let style = match outcome.readiness {
            Readiness::Ready => Style::new().green().bold(),
            Readiness::ReadyWithChanges => Style::new().yellow().bold(),
            Readiness::NotReady => Style::new().red().bold(),
        };
        let time = duration(outcome.run.duration_ms);
        self.line("");
        let readiness = self.paint(outcome.readiness.name(), style);
        self.line(&format!("{readiness}: {} ({time})", outcome.conclusion));
    }
}

impl<W: Write> Drop for Terminal<W> {
    /// A run that fails before its end leaves no half of a bar behind.
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl<W: Write> Reporter for Terminal<W> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::TargetReady {
                name, description, ..
            } => {
                if self.bar.is_none() {
                    self.line(&format!("{name}: {description}"));
                }
            }
            Event::TargetAbsent { name, reason } => self.wrapped("", &format!("{name}: {reason}")),
            Event::Started {
                scenarios,
                steps,
                targets,
            } => {
                self.started = true;
                let text = format!(
                    "swapcheck {} runs {} ({}) on {}",
                    env!("CARGO_PKG_VERSION"),
                    counted(*scenarios, "scenario"),
                    counted(*steps, "step"),
                    counted(*targets, "target"),
                );
                self.line(&text);
                if let Some(bar) = &self.bar {
                    bar.set_length(*scenarios as u64);
                    bar.set_message("");
                    if let Ok(style) =
                        ProgressStyle::with_template("{bar:30} {pos}/{len}  {wide_msg}")
                    {
                        bar.set_style(style.progress_chars("━╸─"));
                    }
                }
            }
            Event::Judged(progress) => self.progress(progress),
            Event::Confirming { scenarios } => {
                let text = format!(
                    "{} run once more, one by one, to confirm what differed",
                    counted(*scenarios, "scenario")
                );
                match &self.bar {
                    Some(bar) => bar.set_message(text),
                    None => self.line(&format!("  {text}")),
                }
            }
            Event::Workloads { count, clients } => {
                let text = format!(
                    "{} of {} each run on every target",
                    counted(*count, "workload"),
                    counted(*clients, "client")
                );
                match &self.bar {
                    Some(bar) => bar.set_message(text),
                    None => self.line(&format!("  {text}")),
                }
            }
            Event::WorkloadJudged {
                workload, target, ..
            } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("{workload} on {target}"));
                }
            }
            Event::TargetLost { name, reason } => {
                self.wrapped(
                    "",
                    &format!(
                        "{name} stopped answering ({reason}); what follows is not evaluable on it"
                    ),
                );
            }
            Event::Interrupted => {
                self.line("interrupted: stopping and cleaning up; what was done is reported")
            }
            Event::CleaningUp => {
                if let Some(bar) = &self.bar {
                    bar.set_message("cleaning up");
                }
            }
            Event::Note(text) => self.wrapped("", text),
            Event::Finished(outcome) => self.outcome(outcome),
        }
    }
}

/// A cell, which may be painted: escape sequences take no room on a screen.
struct Cell {
    painted: String,
    width: usize,
}

impl Cell {
    fn of(text: &str) -> Self {
        Cell {
            painted: text.to_owned(),
            width: text.chars().count(),
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

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn cut(line: &str, room: usize) -> String {
    match line.char_indices().nth(room) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// Markdown prose on one line, its emphasis and code marks left out.
fn plain(markdown: &str) -> String {
    markdown
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(['`', '*'], "")
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines
            .last_mut()
            .map(|line| line.chars().count())
            .unwrap_or(0);
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
