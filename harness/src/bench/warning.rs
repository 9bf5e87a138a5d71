//! What a reader must know before using the figures.

use super::outcome::{Measured, Outcome, rate};
use super::processor::{KEPT_WAITING, SATURATED};

/// All warnings about an outcome.
pub(crate) fn warnings(outcome: &Outcome) -> Vec<String> {
    let mut warnings = Vec::new();
    let all = || {
        outcome.cases.iter().flat_map(|case| {
            case.results
                .iter()
                .map(move |measured| (case.id.as_str(), measured))
        })
    };
    // An open loop waits for starts by looking at the clock, which uses a processor by itself.
    if outcome.settings.rate.is_none() {
        let busy: Vec<String> = all()
            .filter(|(_, one)| one.processor.is_some_and(|share| share > SATURATED))
            .map(|(id, one)| format!("{id} on {}", one.target))
            .collect();
        if !busy.is_empty() {
            warnings.push(format!(
                "the generator was saturated in {}: it used more than {:.0} % of its processor, so \
                 that these figures may be of the generator rather than of the target ({}): use \
                 fewer --clients, or share the work with --shard",
                measurements(busy.len()),
                SATURATED * 100.0,
                few(&busy)
            ));
        }
    }
    let starved: Vec<String> = all()
        .filter(|(_, one)| one.waiting.is_some_and(|share| share > KEPT_WAITING))
        .map(|(id, one)| {
            let share = one.waiting.unwrap_or_default() * 100.0;
            format!("{id} on {}: {share:.0} %", one.target)
        })
        .collect();
    if !starved.is_empty() {
        warnings.push(format!(
            "this machine was busy: in {} the generator waited for a processor more than {:.0} % of \
             the time, which is in every latency ({}): measure on a quiet machine",
            measurements(starved.len()),
            KEPT_WAITING * 100.0,
            few(&starved)
        ));
    }
    let late: Vec<String> = all()
        .filter(|(_, one)| {
            let median = one.figures.map_or(f64::MAX, |figures| figures.p50_us);
            one.late_us
                .is_some_and(|late| late > LATE_US && late > median / 10.0)
        })
        .map(|(id, one)| {
            let late = super::terminal::human(one.late_us.unwrap_or_default());
            format!("{id} on {}: {late}", one.target)
        })
        .collect();
    if !late.is_empty() {
        warnings.push(format!(
            "the generator itself began operations late in {}, one in a hundred by as much as is \
             named here, and that is in their latency ({}): lower --rate or --clients, or measure on \
             a quiet machine",
            measurements(late.len()),
            few(&late)
        ));
    }
    if let Some(rate) = outcome.settings.rate {
        let behind: Vec<String> = all()
            .filter(|(_, one)| !one.capped && one.stopped.is_none() && fell_behind(one))
            .map(|(id, one)| format!("{id} on {}: {:.0}/s", one.target, one.per_second))
            .collect();
        if !behind.is_empty() {
            warnings.push(format!(
                "{} did not reach the {rate}/s asked for ({}): latencies grow with the backlog for as \
                 long as it lasts, and say more of --duration than of the target; lower --rate or \
                 raise --clients",
                measurements(behind.len()),
                few(&behind)
            ));
        }
    }
    let failing: Vec<String> = all()
        .filter(|(_, one)| one.errors + one.timeouts > 0)
        .map(|(id, one)| format!("{id} on {}: {}", one.target, failure(one)))
        .collect();
    if !failing.is_empty() {
        warnings.push(format!(
            "{} had errors or timeouts, which are in no latency ({})",
            measurements(failing.len()),
            few(&failing)
        ));
    }
    let capped = all().filter(|(_, one)| one.capped).count();
    if capped > 0 {
        warnings.push(format!(
            "{} had fewer operations than there was time for, so that --max-commands lasts for all: \
             raise it for narrower intervals",
            measurements(capped)
        ));
    }
    let ended = |one: &&Measured| one.stopped.is_some() && !outcome.interrupted;
    let stopped: Vec<String> = all()
        .filter(|(_, one)| ended(one))
        .map(|(id, one)| format!("{id} on {}", one.target))
        .collect();
    let reason = all().find(|(_, one)| ended(one));
    if let Some(reason) = reason.and_then(|(_, one)| one.stopped.as_deref()) {
        warnings.push(format!(
            "{} ended before the end: {reason} ({})",
            measurements(stopped.len()),
            few(&stopped)
        ));
    }
    if outcome.interrupted {
        warnings.push("the benchmark was stopped before its end".into());
    }
    warnings
}

/// Less than this is no lateness worth a word, in microseconds.
const LATE_US: f64 = 100.0;

/// Whether operations began later than an open loop was to start them.
fn fell_behind(one: &Measured) -> bool {
    let begun = rate(one.count + one.errors + one.timeouts, one.elapsed_s);
    one.offered_per_second
        .is_some_and(|offered| begun < offered * 0.95)
}

fn measurements(count: usize) -> String {
    match count {
        1 => "1 measurement".into(),
        count => format!("{count} measurements"),
    }
}

fn failure(measured: &Measured) -> String {
    let reason = measured
        .first_error
        .as_deref()
        .unwrap_or("no answer in time");
    format!(
        "{} errors, {} timeouts, {reason}",
        measured.errors, measured.timeouts
    )
}

fn few(all: &[String]) -> String {
    let shown = all.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
    match all.len() {
        0..=3 => shown,
        more => format!("{shown}; and {} more", more - 3),
    }
}
