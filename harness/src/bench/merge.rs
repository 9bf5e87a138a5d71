//! Several machines' parts of one benchmark, put together.

use super::outcome::{CaseOutcome, Measured, Outcome, rate};
use super::warning::warnings;

/// Puts benchmarks together: histograms of the same case, distance and target are added, rounds
/// follow each other.
///
/// # Errors
/// When there is none, or they were not measured in the same way.
pub fn merge(parts: Vec<Outcome>) -> Result<Outcome, String> {
    let mut parts = parts.into_iter();
    let mut whole = parts
        .next()
        .ok_or("there is no benchmark to merge: name at least two files")?;
    for part in parts {
        let mut settings = part.settings.clone();
        settings.shard.clone_from(&whole.settings.shard);
        settings.seed = whole.settings.seed;
        if settings != whole.settings {
            return Err(format!(
                "the benchmarks were measured in different ways ({:?} and {:?}): merge what was \
                 measured with the same flags",
                whole.settings, settings
            ));
        }
        let names = |outcome: &Outcome| -> Vec<String> {
            outcome
                .targets
                .iter()
                .map(|target| target.name.clone())
                .collect()
        };
        if names(&whole) != names(&part) {
            return Err(format!(
                "the benchmarks have different targets ({} and {}): merge what was measured with \
                 the same --target",
                names(&whole).join(", "),
                names(&part).join(", ")
            ));
        }
        add(&mut whole, part);
    }
    whole.settings.shard = None;
    whole.warnings = warnings(&whole);
    Ok(whole)
}

fn add(whole: &mut Outcome, part: Outcome) {
    whole.duration_ms += part.duration_ms;
    whole.interrupted |= part.interrupted;
    for (target, other) in whole.targets.iter_mut().zip(&part.targets) {
        target.billable += other.billable;
    }
    // Of several machines the slowest generator is what figures may be held against.
    for ceiling in &mut whole.generator {
        let same = part
            .generator
            .iter()
            .find(|other| (&other.protocol, other.clients) == (&ceiling.protocol, ceiling.clients));
        if let Some(other) = same.filter(|other| other.per_second < ceiling.per_second) {
            *ceiling = other.clone();
        }
    }
    for case in part.cases {
        let same = |other: &&mut CaseOutcome| other.id == case.id && other.rtt_us == case.rtt_us;
        match whole.cases.iter_mut().find(same) {
            None => whole.cases.push(case),
            Some(into) => {
                for (into, from) in into.results.iter_mut().zip(&case.results) {
                    add_measured(into, from);
                }
                if let (Some(into), Some(from)) = (&mut into.again, &case.again) {
                    add_measured(into, from);
                }
                into.compare();
            }
        }
    }
}

fn add_measured(into: &mut Measured, from: &Measured) {
    into.histogram.merge(&from.histogram);
    into.figures = into.histogram.figures();
    into.errors += from.errors;
    into.timeouts += from.timeouts;
    if into.first_error.is_none() {
        into.first_error.clone_from(&from.first_error);
    }
    into.count = into.histogram.count();
    into.elapsed_s += from.elapsed_s;
    into.per_second = rate(into.count, into.elapsed_s);
    into.processor = match (into.processor, from.processor) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (one, other) => one.or(other),
    };
    into.rounds.extend(&from.rounds);
    match (&mut into.stages, &from.stages) {
        (Some(into), Some(from)) => into.merge(from),
        (none, from) => none.clone_from(from),
    }
}
