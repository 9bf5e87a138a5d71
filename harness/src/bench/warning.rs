//! What a reader must know before using the figures.

use super::outcome::{Measured, Outcome};
use super::processor::SATURATED;

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
                "the generator used more than {:.0} % of its processor in {} measurements, which \
                 may be of the generator rather than of the target ({}): use fewer --clients",
                SATURATED * 100.0,
                busy.len(),
                few(&busy)
            ));
        }
    }
    if let Some(rate) = outcome.settings.rate {
        let late: Vec<String> = all()
            .filter(|(_, one)| one.count > 0 && one.per_second < rate * 0.95)
            .map(|(id, one)| format!("{id} on {}: {:.0}/s", one.target, one.per_second))
            .collect();
        if !late.is_empty() {
            warnings.push(format!(
                "{} measurements did not reach the {rate}/s asked for ({}): latencies grow with the \
                 backlog; lower --rate or raise --clients",
                late.len(),
                few(&late)
            ));
        }
    }
    let failing: Vec<String> = all()
        .filter(|(_, one)| one.errors + one.timeouts > 0)
        .map(|(id, one)| format!("{id} on {}: {}", one.target, failure(one)))
        .collect();
    if !failing.is_empty() {
        warnings.push(format!(
            "{} measurements had errors or timeouts, which are in no latency ({})",
            failing.len(),
            few(&failing)
        ));
    }
    if outcome.interrupted {
        warnings.push("the benchmark was stopped before its end".into());
    }
    warnings
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
