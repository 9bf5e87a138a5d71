//! The figures as a table for a terminal.

use std::fmt::Write;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};

use super::outcome::{CaseOutcome, Comparison, Measured, Outcome};

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
    let _ = writeln!(text, "{}", noise(outcome));
    for ceiling in &outcome.generator {
        let _ = writeln!(
            text,
            "generator over {} with {} client{}: {:.0}/s, p50 {}",
            ceiling.protocol,
            ceiling.clients,
            if ceiling.clients == 1 { "" } else { "s" },
            ceiling.per_second,
            human(ceiling.p50_us)
        );
    }
    for warning in &outcome.warnings {
        let _ = writeln!(text, "warning: {warning}");
    }
    text
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
    format!(
        "{model}, {} client{}, {:.1} s for each case and target in {} rounds by turns, {} connections",
        settings.clients,
        if settings.clients == 1 { "" } else { "s" },
        settings.duration_ms as f64 / 1e3,
        settings.rounds,
        if settings.fresh { "fresh" } else { "kept" },
    )
}

fn table<'a>(
    outcome: &Outcome,
    cases: impl Iterator<Item = &'a CaseOutcome>,
    width: usize,
) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX).max(80));
    let mut header = vec!["case".to_owned()];
    for (index, target) in outcome.targets.iter().enumerate() {
        header.push(format!("{} p50", target.name));
        header.push("p99".into());
        header.push("ops/s".into());
        if index > 0 {
            header.push("p50 ratio (99 %)".into());
        }
    }
    table.set_header(header);
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
    // Ids are for --filter: they stay whole.
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn figures(measured: &Measured) -> [String; 3] {
    match &measured.figures {
        Some(figures) => [
            human(figures.p50_us),
            human(figures.p99_us),
            format!("{:.0}", measured.per_second),
        ],
        None => ["failed".into(), String::new(), String::new()],
    }
}

/// A comparison in a few characters: the ratio with its interval, or `inconclusive`.
pub(super) fn verdict(comparison: &Comparison) -> String {
    match comparison.p50 {
        Some(_) if comparison.inconclusive => "inconclusive".into(),
        Some(ratio) => format!("×{:.2} ({:.2}–{:.2})", ratio.ratio, ratio.low, ratio.high),
        None => "not comparable".into(),
    }
}

/// What the reference shows against itself.
pub(super) fn noise(outcome: &Outcome) -> String {
    let ratios = |get: fn(&Comparison) -> Option<super::statistic::Ratio>| {
        let mut all: Vec<f64> = outcome
            .cases
            .iter()
            .filter_map(|case| get(case.noise.as_ref()?))
            .map(|ratio| (ratio.ratio.ln().abs().exp() - 1.0) * 100.0)
            .collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let (p50, p99) = (ratios(|one| one.p50), ratios(|one| one.p99));
    match (
        p50.get(p50.len() / 2),
        p50.last(),
        p99.get(p99.len() / 2),
        p99.last(),
    ) {
        (Some(p50), Some(p50_max), Some(p99), Some(p99_max)) => format!(
            "noise floor, {} against itself: p50 {p50:.1} % (at most {p50_max:.1} %), p99 {p99:.1} % (at most {p99_max:.1} %)",
            outcome
                .targets
                .first()
                .map_or("the reference", |target| target.name.as_str()),
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
