//! The figures as a table for a terminal.

use std::fmt::Write;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

use super::histogram::{Histogram, told};
use super::link::HttpVersion;
use super::operation::{Group, Way};
use super::outcome::{CaseOutcome, Ceiling, Comparison, Measured, Outcome};
use super::overtake::{Overtake, overtakes};
use super::statistic::Ratio;
use super::worker::Stages;
use crate::cost::dollars;

/// The outcome as text, no wider than `width` where that can be had.
pub fn terminal(outcome: &Outcome, width: usize) -> String {
    let mut text = String::new();
    for target in &outcome.targets {
        let version = target.version.as_deref().unwrap_or("unknown version");
        let way = if target.rest { "REST" } else { "TCP" };
        let _ = writeln!(
            text,
            "{}: {version}, {}, over {way}",
            target.name, target.description
        );
    }
    let _ = writeln!(text, "{}\n", method(outcome));
    let mut distances: Vec<u64> = outcome.cases.iter().map(|case| case.rtt_us).collect();
    distances.sort_unstable();
    distances.dedup();
    for rtt in distances {
        if rtt > 0 {
            let _ = writeln!(text, "at a round trip of {}", human(rtt as f64));
        }
        let cases = outcome.cases.iter().filter(|case| case.rtt_us == rtt);
        let _ = writeln!(text, "{}\n", table(outcome, cases, width));
    }
    if let Some(note) = dashes(outcome) {
        let _ = writeln!(text, "{note}\n");
    }
    text.push_str(&cold_starts(outcome, width));
    for one in overtakes(outcome) {
        let _ = writeln!(text, "{}", sentence(&one));
    }
    text.push_str(&cost(outcome, width));
    let _ = writeln!(text, "{}", noise(outcome));
    for line in generator(outcome) {
        let _ = writeln!(text, "generator against a bare responder: {line}");
    }
    for warning in &outcome.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
}

/// A table without lines, of which the first column is to the left.
fn plain(header: Vec<String>) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header);
    table
}

/// Aligns figures to the right, and breaks lines in cells where the table would be too wide.
fn fit(table: &mut Table, width: usize) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let wide = table.lines().next().map_or(0, |line| line.chars().count());
    if wide > width {
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX).max(80));
        // Ids are for --filter: they stay whole.
        if let Some(column) = table.column_mut(0) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// What a dash in the place of a p99 means, when there is one.
fn dashes(outcome: &Outcome) -> Option<&'static str> {
    let mut figures = outcome
        .cases
        .iter()
        .flat_map(|case| &case.results)
        .filter_map(|one| one.figures.as_ref());
    let untold = figures.any(|figures| figures.p99_us.is_none());
    untold
        .then_some("–: fewer than a hundred operations do not tell a p99; a longer --duration does")
}

/// The stages of operations on fresh connections, a line for each target.
fn cold_starts(outcome: &Outcome, width: usize) -> String {
    let rows = stages(outcome);
    if rows.is_empty() {
        return String::new();
    }
    let mut header = vec!["fresh connections, medians".to_owned()];
    header.extend(Stages::NAMES.map(str::to_owned));
    let mut table = plain(header);
    for (label, medians) in rows {
        let cells = medians.map(|median| median.map_or_else(|| "-".to_owned(), human));
        table.add_row(std::iter::once(label).chain(cells));
    }
    fit(&mut table, width);
    format!("{table}\n\n")
}

/// The medians of the stages of fresh connections, in microseconds, by case and target; those that
/// took no time at all are none. Of a benchmark that has a cold start only that.
pub(super) fn stages(outcome: &Outcome) -> Vec<(String, [Option<f64>; 6])> {
    let only = outcome
        .cases
        .iter()
        .any(|case| case.group == Group::ColdStart);
    let mut rows = Vec::new();
    for case in &outcome.cases {
        if only && case.group != Group::ColdStart {
            continue;
        }
        for one in &case.results {
            let Some(stages) = one.stages.as_ref().filter(|_| one.count > 0) else {
                continue;
            };
            let median = |stage: &Histogram| {
                let median = stage.figures()?.p50_us;
                // Less than this is the time between two looks at the clock.
                (median >= 1.0).then_some(median)
            };
            rows.push((
                format!("{} on {}", place(case), one.target),
                stages.all().map(median),
            ));
        }
    }
    rows
}

/// What the operations cost at their smallest size, without batches.
fn cost(outcome: &Outcome, width: usize) -> String {
    let mut header: Vec<String> = ["Upstash's price of", "commands", "a million"]
        .map(str::to_owned)
        .into();
    let rates = outcome.cost_rates.iter();
    header.extend(rates.map(|rate| format!("{rate}/s, a month")));
    let mut table = plain(header);
    let mut seen: Vec<&str> = Vec::new();
    for case in outcome.cases.iter().filter(|case| case.way == Way::Single) {
        let row = outcome.costs.iter().find(|row| row.case == case.id);
        if let Some(row) = row.filter(|_| !seen.contains(&case.operation.as_str())) {
            seen.push(&case.operation);
            let mut cells = vec![
                case.id.clone(),
                row.commands.to_string(),
                dollars(row.million_usd),
            ];
            cells.extend(row.rates.iter().map(|rate| {
                let words = rate.words();
                words
                    .replace("Pay as you go", "by use")
                    .replace("Fixed ", "")
                    .replace(".00", "")
            }));
            table.add_row(cells);
        }
    }
    if seen.is_empty() {
        return String::new();
    }
    fit(&mut table, width);
    format!(
        "\n{table}\nThe plan is the cheapest whose commands and traffic allow it; what is stored is not looked at.\n\n"
    )
}

/// The generator's own figures, a line each.
pub(super) fn generator(outcome: &Outcome) -> Vec<String> {
    let line = |one: &Ceiling| {
        format!(
            "{}, {} client{}: {:.0}/s, p50 {}",
            one.protocol,
            one.clients,
            if one.clients == 1 { "" } else { "s" },
            one.per_second,
            human(one.p50_us)
        )
    };
    outcome.generator.iter().map(line).collect()
}

/// The name of a case with its distance.
pub(super) fn place(case: &CaseOutcome) -> String {
    match case.rtt_us {
        0 => case.id.clone(),
        rtt => format!("{} at {} ms", case.id, rtt as f64 / 1e3),
    }
}

/// A size, as people read it: `100 B`, `1 kB`.
pub(super) fn bytes(size: usize) -> String {
    match size {
        _ if size >= 1_000_000 => format!("{} MB", size as f64 / 1e6),
        _ if size >= 1_000 => format!("{} kB", size as f64 / 1e3),
        _ => format!("{size} B"),
    }
}

/// What a break-even says, in a sentence.
pub(super) fn sentence(one: &Overtake) -> String {
    let at = match one.rtt_us {
        0 => String::new(),
        rtt => format!(" at {} ms", rtt as f64 / 1e3),
    };
    let what = format!("{} of {}", one.operation, bytes(one.size));
    let measured = |batch: Option<&(usize, f64)>| batch.map_or(0, |(batch, _)| *batch as u64);
    let (least, largest) = (measured(one.batches.first()), measured(one.batches.last()));
    let said = match one.batch {
        Some(1) => format!(
            "{what}{at}: {} is no slower than {} without a batch",
            one.rest, one.tcp
        ),
        Some(batch) => format!(
            "{what}{at}: from about {batch} in a pipeline{} {} is quicker than {} one by one",
            match batch {
                _ if batch > largest => " (extrapolated)",
                _ if batch == least => " (the fewest that were measured)",
                _ => "",
            },
            one.rest,
            one.tcp
        ),
        None => format!(
            "{what}{at}: no pipeline on {} is quicker than {} one by one",
            one.rest, one.tcp
        ),
    };
    if one.unsure {
        said + " (unsure: the machine was busy)"
    } else {
        said
    }
}

/// How it was measured, in a sentence.
pub(super) fn method(outcome: &Outcome) -> String {
    let settings = &outcome.settings;
    let model = match settings.rate {
        None => "closed loop".to_owned(),
        Some(rate) => format!(
            "open loop of {rate}/s ({}), latency from the intended start",
            match settings.arrival {
                super::load::Arrival::Constant => "constant",
                super::load::Arrival::Poisson => "Poisson",
            }
        ),
    };
    let connections = match settings.pool {
        _ if settings.fresh => "a fresh connection for every operation".to_owned(),
        Some(size) => format!("{size} pooled connections"),
        None => "kept connections".to_owned(),
    };
    let version = match settings.http {
        HttpVersion::Http1 => "1.1",
        HttpVersion::Http2 => "2",
    };
    let relay = match settings.jitter_us {
        0 => String::new(),
        jitter => format!(
            ", round trips up to {} longer, at random",
            human(jitter as f64)
        ),
    };
    format!(
        "{model}, {} client{}, {} s for each case and target in {} rounds by turns, {connections}, \
         REST over HTTP/{version}{relay}",
        settings.clients,
        if settings.clients == 1 { "" } else { "s" },
        settings.duration_ms as f64 / 1e3,
        settings.rounds,
    )
}

fn table<'a>(
    outcome: &Outcome,
    cases: impl Iterator<Item = &'a CaseOutcome>,
    width: usize,
) -> Table {
    let mut header = vec!["case".to_owned()];
    for (index, target) in outcome.targets.iter().enumerate() {
        header.push(format!("{} p50", target.name));
        header.push("p99".into());
        header.push("ops/s".into());
        if index > 0 {
            header.push("p50 ratio (99 %)".into());
        }
    }
    let mut table = plain(header);
    for case in cases {
        let mut row = vec![case.id.clone()];
        for (index, measured) in case.results.iter().enumerate() {
            row.extend(figures(measured));
            if index > 0 {
                row.push(
                    case.comparisons
                        .get(index - 1)
                        .map_or_else(String::new, verdict),
                );
            }
        }
        table.add_row(row);
    }
    fit(&mut table, width);
    table
}

fn figures(measured: &Measured) -> [String; 3] {
    match &measured.figures {
        Some(figures) => [
            human(figures.p50_us),
            told(figures.p99_us),
            format!("{:.0}", measured.per_second),
        ],
        None if measured.errors + measured.timeouts > 0 => {
            ["failed".into(), String::new(), String::new()]
        }
        None => ["none".into(), String::new(), String::new()],
    }
}

/// The medians' comparison in a few characters: the ratio with its interval, or `inconclusive`.
pub(super) fn verdict(comparison: &Comparison) -> String {
    judged(comparison.p50, comparison.inconclusive)
}

/// The same of the 99 % quantiles.
pub(super) fn verdict_p99(comparison: &Comparison) -> String {
    judged(comparison.p99, comparison.inconclusive_p99)
}

fn judged(ratio: Option<Ratio>, inconclusive: bool) -> String {
    match ratio {
        Some(_) if inconclusive => "inconclusive".into(),
        Some(ratio) => times(ratio),
        None => "too few".into(),
    }
}

/// A ratio with its interval: `×2.16 (2.08–2.25)`.
pub(super) fn times(ratio: Ratio) -> String {
    // Three digits say all that an interval of this kind can mean.
    let digits = |value: f64| match value {
        _ if value < 9.995 => format!("{value:.2}"),
        _ if value < 99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    };
    if ratio.high > ratio.low * 100.0 {
        return format!("×{} (no bounds to speak of)", digits(ratio.ratio));
    }
    format!(
        "×{} ({}–{})",
        digits(ratio.ratio),
        digits(ratio.low),
        digits(ratio.high)
    )
}

/// What the reference shows against itself.
pub(super) fn noise(outcome: &Outcome) -> String {
    let ratios = |get: fn(&Comparison) -> Option<Ratio>| {
        let mut all: Vec<f64> = outcome
            .cases
            .iter()
            .filter_map(|case| get(case.noise.as_ref()?))
            .map(|ratio| (ratio.ratio.ln().abs().exp() - 1.0) * 100.0)
            .collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let said = |name: &str, all: Vec<f64>| {
        let (middle, most) = (all.get(all.len() / 2)?, all.last()?);
        Some(format!("{name} {middle:.1} % (at most {most:.1} %)"))
    };
    let both: Vec<String> = [
        said("p50", ratios(|one| one.p50)),
        said("p99", ratios(|one| one.p99)),
    ]
    .into_iter()
    .flatten()
    .collect();
    match outcome.targets.first() {
        Some(target) if !both.is_empty() => format!(
            "noise floor, {} against itself: {}",
            target.name,
            both.join(", ")
        ),
        _ => "noise floor: not measured".into(),
    }
}

/// Microseconds as people read them, with a decimal where it says something.
pub(super) fn human(micros: f64) -> String {
    match micros {
        _ if micros < 100.0 => format!("{micros:.1} µs"),
        _ => crate::latency::human(micros.round() as u64),
    }
}
