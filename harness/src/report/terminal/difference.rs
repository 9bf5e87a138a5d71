//! What differed, and what is neither passed nor failed, spelled out.

use std::io::Write;

use owo_colors::Style;

use super::Terminal;
use crate::compare::{Severity, Verdict};
use crate::report::view::{Class, Exhibit, counted, exhibits};
use crate::run::Outcome;

/// How many unexpected differences are spelled out; the files have all.
const EXHIBITS_SHOWN: usize = 25;
/// How many lines of a reply are shown.
const REPLY_LINES: usize = 12;

impl<W: Write> Terminal<W> {
    pub(super) fn differences(&mut self, outcome: &Outcome) {
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
    pub(super) fn silent(&mut self, outcome: &Outcome) {
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

    pub(super) fn unstable(&mut self, outcome: &Outcome) {
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
