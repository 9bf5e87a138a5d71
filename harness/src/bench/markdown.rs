//! The figures as Markdown, for a pull request or a job.

use std::fmt::Write;

use super::html::{generator, place, sentence};
use super::outcome::Outcome;
use super::overtake::overtakes;
use super::price::{RATES, costs};
use super::terminal::{human, method, noise, verdict};
use crate::cost::dollars;

/// The outcome as Markdown.
pub fn markdown(outcome: &Outcome) -> String {
    let mut text = format!("# Benchmark\n\n{}.\n\n", method(outcome));
    for warning in &outcome.warnings {
        let _ = writeln!(text, "> **Warning:** {}\n", escape(warning));
    }
    text.push_str("| case |");
    let mut line = "| --- |".to_owned();
    for (index, target) in outcome.targets.iter().enumerate() {
        let _ = write!(text, " {} p50 | p99 | ops/s |", escape(&target.name));
        line.push_str(" ---: | ---: | ---: |");
        if index > 0 {
            text.push_str(" p50 ratio (99 %) |");
            line.push_str(" ---: |");
        }
    }
    let _ = writeln!(text, "\n{line}");
    for case in &outcome.cases {
        let _ = write!(text, "| {} |", place(case));
        for (index, one) in case.results.iter().enumerate() {
            let _ = match &one.figures {
                Some(figures) => write!(
                    text,
                    " {} | {} | {:.0} |",
                    human(figures.p50_us),
                    human(figures.p99_us),
                    one.per_second
                ),
                None => write!(text, " failed | | |"),
            };
            if index > 0 {
                let said = case
                    .comparisons
                    .get(index - 1)
                    .map_or_else(String::new, verdict);
                let _ = write!(text, " {said} |");
            }
        }
        text.push('\n');
    }
    let _ = writeln!(text, "\n{}.\n", noise(outcome));
    for one in overtakes(outcome) {
        let _ = writeln!(text, "- {}", sentence(&one));
    }
    for line in generator(outcome) {
        let _ = writeln!(text, "- generator over {line}");
    }
    let rates = outcome
        .settings
        .rate
        .map_or(RATES.to_vec(), |rate| vec![rate]);
    text.push_str("\n| case | commands | a million operations | with a read region |");
    for rate in &rates {
        let _ = write!(text, " plan at {rate}/s |");
    }
    let _ = writeln!(
        text,
        "\n| --- | ---: | ---: | ---: |{}",
        " --- |".repeat(rates.len())
    );
    for row in costs(outcome, &rates) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            row.case,
            row.commands,
            dollars(row.million_usd),
            dollars(row.million_region_usd),
            row.plans.join(" | ")
        );
    }
    text
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('\n', " ")
        .replace('<', "&lt;")
}
