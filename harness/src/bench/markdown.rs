//! The figures as Markdown, for a pull request or a job.

use std::fmt::Write;

use super::histogram::{tail, told};
use super::outcome::{Comparison, Outcome};
use super::overtake::overtakes;
use super::price::RateCost;
use super::terminal::{
    generator, human, method, noise, place, sentence, stages, verdict, verdict_p99,
};
use super::worker::Stages;
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
            text.push_str(" p50 ratio (99 %) | p99 ratio (99 %) |");
            line.push_str(" ---: | ---: |");
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
                    told(figures.p99_us),
                    one.per_second
                ),
                None => write!(text, " failed | | |"),
            };
            if index > 0 {
                let said = |verdict: fn(&Comparison) -> String| {
                    case.comparisons
                        .get(index - 1)
                        .map_or_else(String::new, verdict)
                };
                let _ = write!(text, " {} | {} |", said(verdict), said(verdict_p99));
            }
        }
        text.push('\n');
    }
    let _ = writeln!(text, "\n{}.\n", noise(outcome));
    for one in overtakes(outcome) {
        let _ = writeln!(text, "- {}", sentence(&one));
    }
    for line in generator(outcome) {
        let _ = writeln!(text, "- generator against a bare responder: {line}");
    }
    cold(outcome, &mut text);
    percentiles(outcome, &mut text);
    cost(outcome, &mut text);
    text
}

fn cold(outcome: &Outcome, text: &mut String) {
    let rows = stages(outcome);
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "\n## Fresh connections\n\nMedians of the stages.\n\n| case | {} |\n| --- |{}",
        Stages::NAMES.join(" | "),
        " ---: |".repeat(Stages::NAMES.len())
    );
    for (label, medians) in rows {
        let cells = medians.map(|median| median.map_or_else(|| "–".to_owned(), human));
        let _ = writeln!(text, "| {} | {} |", escape(&label), cells.join(" | "));
    }
}

fn percentiles(outcome: &Outcome, text: &mut String) {
    text.push_str(
        "\n## Percentiles\n\nA dash where there were too few operations to tell.\n\n\
         | case | target | operations | p50 | p90 | p99 | p99.9 | p99.99 | max | errors | timeouts |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for case in &outcome.cases {
        for one in &case.results {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} |",
                place(case),
                escape(&one.target),
                one.count,
                tail(one.figures.as_ref()).join(" | "),
                one.errors,
                one.timeouts
            );
        }
    }
}

fn cost(outcome: &Outcome, text: &mut String) {
    text.push_str("\n## Cost\n\n| case | commands | a million operations | with a read region |");
    for rate in &outcome.cost_rates {
        let _ = write!(text, " plan at {rate}/s, a month |");
    }
    let _ = writeln!(
        text,
        "\n| --- | ---: | ---: | ---: |{}",
        " --- |".repeat(outcome.cost_rates.len())
    );
    for row in &outcome.costs {
        let plans: Vec<String> = row.rates.iter().map(RateCost::words).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            row.case,
            row.commands,
            dollars(row.million_usd),
            dollars(row.million_region_usd),
            plans.join(" | ")
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('\n', " ")
        .replace('<', "&lt;")
}
