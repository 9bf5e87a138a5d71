//! Several machines' parts of one benchmark, put together.

use super::outcome::{CaseOutcome, Measured, Outcome, Settings, rate};
use super::price::costs;
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
    let mut shards = vec![whole.settings.shard.clone()];
    let mut seen = vec![identity(&whole)];
    for part in parts {
        alike(&whole, &part)?;
        if seen.contains(&identity(&part)) {
            return Err(format!(
                "the benchmark begun at {} was given twice: its figures would count twice",
                part.started_at
            ));
        }
        seen.push(identity(&part));
        shards.push(part.settings.shard.clone());
        add(&mut whole, part);
    }
    whole.settings.shard = None;
    whole.cases.sort_by_key(|case| (case.rtt_us, case.number));
    whole.costs = costs(&whole);
    whole.warnings = warnings(&whole);
    whole.warnings.extend(missing(&shards));
    Ok(whole)
}

/// What tells a benchmark from every other.
fn identity(outcome: &Outcome) -> (String, u64, Option<String>) {
    let began = outcome.started_at.clone();
    (began, outcome.duration_ms, outcome.settings.shard.clone())
}

/// Says how two benchmarks cannot be put together.
fn alike(whole: &Outcome, part: &Outcome) -> Result<(), String> {
    let mut settings = part.settings.clone();
    settings.shard.clone_from(&whole.settings.shard);
    settings.seed = whole.settings.seed;
    if settings != whole.settings {
        return Err(format!(
            "the benchmarks were measured in different ways ({}): merge what was measured with the \
             same flags",
            different(&whole.settings, &settings)
        ));
    }
    let names = |outcome: &Outcome| -> Vec<String> {
        outcome
            .targets
            .iter()
            .map(|target| target.name.clone())
            .collect()
    };
    if names(whole) != names(part) {
        return Err(format!(
            "the benchmarks have different targets ({} and {}): merge what was measured with the \
             same --target",
            names(whole).join(", "),
            names(part).join(", ")
        ));
    }
    Ok(())
}

/// The settings that two benchmarks do not share: `clients 1 and 8`.
pub(super) fn different(one: &Settings, other: &Settings) -> String {
    let fields = |settings| match serde_json::to_value(settings) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (one, other) = (fields(one), fields(other));
    let differ: Vec<String> = one
        .iter()
        .filter_map(|(name, value)| {
            let against = other.get(name)?;
            (value != against).then(|| format!("{name} {value} and {against}"))
        })
        .collect();
    differ.join(", ")
}

/// Says which parts of a benchmark in parts were not given.
fn missing(shards: &[Option<String>]) -> Option<String> {
    let given: Vec<&str> = shards.iter().map(Option::as_deref).collect::<Option<_>>()?;
    let parts: usize = given.first()?.split_once('/')?.1.parse().ok()?;
    let absent: Vec<String> = (1..=parts)
        .map(|part| format!("{part}/{parts}"))
        .filter(|part| !given.contains(&part.as_str()))
        .collect();
    (!absent.is_empty()).then(|| {
        format!(
            "this is not the whole: the part {} is missing",
            absent.join(", ")
        )
    })
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

fn worse(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
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
    into.offered_per_second = match (into.offered_per_second, from.offered_per_second) {
        (Some(one), Some(other)) => {
            let elapsed = (into.elapsed_s + from.elapsed_s).max(1e-9);
            Some((one * into.elapsed_s + other * from.elapsed_s) / elapsed)
        }
        (one, other) => one.or(other),
    };
    into.elapsed_s += from.elapsed_s;
    into.per_second = rate(into.count, into.elapsed_s);
    into.capped |= from.capped;
    if into.stopped.is_none() {
        into.stopped.clone_from(&from.stopped);
    }
    into.processor = worse(into.processor, from.processor);
    into.waiting = worse(into.waiting, from.waiting);
    into.late_us = worse(into.late_us, from.late_us);
    into.rounds.extend(&from.rounds);
    match (&mut into.stages, &from.stages) {
        (Some(into), Some(from)) => into.merge(from),
        (none, from) => none.clone_from(from),
    }
}
