//! The report on the screen: progress while a run goes on, then what it concludes, from the summary
//! down to the single differences, and the one line that answers the question.

mod difference;
mod figure;
mod screen;

use std::io::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use owo_colors::Style;

use self::screen::wrap;
use super::Reporter;
use super::view::{counted, duration, thousands};
use super::workload;
use crate::cost::dollars;
use crate::run::{ChecklistState, Event, Outcome, Progress, Readiness, Role};

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

    fn workloads(&mut self, outcome: &Outcome) {
        if let Some(workloads) = &outcome.workloads {
            self.heading("Workloads: many clients at once, their histories checked");
            for line in workload::lines(workloads) {
                self.line(&line);
            }
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
