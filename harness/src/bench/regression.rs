//! Held against an earlier benchmark: `--compare FILE --fail-on 'p99>+10%'`.
//!
//! An alarm is raised only when the whole interval of confidence is beyond the limit. The share of
//! comparisons that may raise a false one is divided among all that are made at once (Bonferroni),
//! so that it holds for the run, not for each case.

use std::str::FromStr;

use super::merge::different;
use super::outcome::{CaseOutcome, Measured, Outcome, Settings};
use super::processor::KEPT_WAITING;
use super::series::Series;
use super::statistic::{Ratio, paired, unpaired};
use super::terminal::place;

/// The share of comparisons of whole benchmarks that may raise a false alarm.
pub const FALSE_ALARMS: f64 = 0.01;

/// What a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The mean.
    Mean,
    /// The median.
    P50,
    /// 90 %.
    P90,
    /// 99 %.
    P99,
    /// 99.9 %.
    P999,
    /// Operations per second.
    Throughput,
}

const METRICS: [(&str, Metric); 6] = [
    ("mean", Metric::Mean),
    ("p50", Metric::P50),
    ("p90", Metric::P90),
    ("p99", Metric::P99),
    ("p99.9", Metric::P999),
    ("throughput", Metric::Throughput),
];

impl Metric {
    fn of(self, rounds: &Series) -> &[f64] {
        match self {
            Metric::Mean => &rounds.mean_us,
            Metric::P50 => &rounds.p50_us,
            Metric::P90 => &rounds.p90_us,
            Metric::P99 => &rounds.p99_us,
            Metric::P999 => &rounds.p999_us,
            Metric::Throughput => &rounds.per_second,
        }
    }

    fn name(self) -> &'static str {
        METRICS
            .iter()
            .find(|(_, metric)| *metric == self)
            .map_or("", |(name, _)| name)
    }
}

/// When a benchmark has become worse: `p99>+10%`, `throughput<-5%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What it looks at.
    pub metric: Metric,
    /// Whether more is worse.
    pub above: bool,
    /// The ratio beyond which it is worse.
    pub limit: f64,
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is no rule: write p99>+10% or throughput<-5%; the figures are {}",
                METRICS.map(|(name, _)| name).join(", ")
            )
        };
        let at = text.find(['<', '>']).ok_or_else(wrong)?;
        let (name, rest) = text.split_at(at);
        let metric = METRICS
            .iter()
            .find(|(known, _)| *known == name.trim())
            .map(|(_, metric)| *metric)
            .ok_or_else(wrong)?;
        let number = rest[1..].trim().strip_suffix('%').ok_or_else(wrong)?;
        let percent: f64 = number.trim().parse().map_err(|_| wrong())?;
        let above = rest.starts_with('>');
        let limit = 1.0 + percent / 100.0;
        // A limit on the wrong side of nothing changed would fail for nothing changed.
        if !limit.is_finite() || limit <= 0.0 || (above && limit < 1.0) || (!above && limit > 1.0) {
            return Err(wrong());
        }
        Ok(Rule {
            metric,
            above,
            limit,
        })
    }
}

impl Rule {
    fn is_broken(&self, ratio: f64) -> bool {
        if self.above {
            ratio > self.limit
        } else {
            ratio < self.limit
        }
    }
}

/// A rule at a case and a target.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The case, with its distance.
    pub case: String,
    /// The target.
    pub target: String,
    /// What was compared.
    pub metric: Metric,
    /// Now to then.
    pub ratio: Ratio,
    /// Whether the rule fails.
    pub alarm: bool,
    /// Whether the estimate is beyond the limit and the interval is not: more rounds would tell.
    pub open: bool,
    /// Why it cannot be judged, in words, although it would fail: the machine was busy, say.
    pub disturbed: Option<&'static str>,
}

/// The comparison of two benchmarks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Changes {
    /// Every rule at every case that both have.
    pub all: Vec<Change>,
    /// Cases that fail more often now than then, in words. Failures have no latency, so that no rule
    /// would see them.
    pub failing: Vec<String>,
    /// What only one of them has, or has too few operations of.
    pub missing: Vec<String>,
}

/// Holds `now` against `then`.
///
/// # Errors
/// When they were measured in ways that cannot be compared, or have nothing in common.
pub fn changes(then: &Outcome, now: &Outcome, rules: &[Rule]) -> Result<Changes, String> {
    // More rounds, or longer ones, make intervals narrower and change no figure.
    let old = Settings {
        duration_ms: now.settings.duration_ms,
        warmup_ms: now.settings.warmup_ms,
        rounds: now.settings.rounds,
        timeout_ms: now.settings.timeout_ms,
        shard: now.settings.shard.clone(),
        seed: now.settings.seed,
        ..then.settings.clone()
    };
    if old != now.settings {
        return Err(format!(
            "the earlier benchmark was measured in another way ({}): measure with the same flags",
            different(&old, &now.settings)
        ));
    }
    let mut pairs = Vec::new();
    let mut changes = Changes::default();
    for case in &now.cases {
        let same = |other: &&CaseOutcome| other.id == case.id && other.rtt_us == case.rtt_us;
        let before = then.cases.iter().find(same);
        for result in &case.results {
            let old = before.and_then(|before| {
                before
                    .results
                    .iter()
                    .find(|old| old.target == result.target)
            });
            match old {
                Some(old) => {
                    changes.failing.extend(failing(&place(case), old, result));
                    pairs.push((place(case), before, case, old, result));
                }
                None => changes
                    .missing
                    .push(format!("{} on {}", place(case), result.target)),
            }
        }
    }
    // Only one side of an interval raises an alarm: the other's share is kept in hand, for few rounds
    // make the interval itself an estimate.
    let tests = (pairs.len() * rules.len()).max(1) as f64;
    let error = FALSE_ALARMS / tests;
    for (place, before, case, old, new) in &pairs {
        for rule in rules {
            match ratio(old, new, rule.metric, error) {
                Some(ratio) => {
                    // The end of the interval that is nearer to nothing changed.
                    let broken = rule.is_broken(if rule.above { ratio.low } else { ratio.high });
                    let floor = floor(case, rule.metric)
                        .max(before.map_or(0.0, |before| floor(before, rule.metric)));
                    let disturbed = if starved(old) || starved(new) {
                        Some("the machine was busy")
                    } else if ratio.ratio.ln().abs() <= floor {
                        Some("it is within the noise floor")
                    } else {
                        None
                    };
                    changes.all.push(Change {
                        case: place.clone(),
                        target: new.target.clone(),
                        metric: rule.metric,
                        alarm: broken && disturbed.is_none(),
                        open: !broken && disturbed.is_none() && rule.is_broken(ratio.ratio),
                        disturbed: disturbed.filter(|_| broken),
                        ratio,
                    });
                }
                None => changes.missing.push(format!(
                    "{} of {place} on {}: too few operations",
                    rule.metric.name(),
                    new.target
                )),
            }
        }
    }
    if pairs.is_empty() {
        return Err("the two benchmarks have no case and target in common".into());
    }
    if changes.all.is_empty() && changes.failing.is_empty() {
        return Err(format!(
            "nothing can be compared: both benchmarks need more operations, by a longer --duration \
             ({})",
            changes.missing.first().map_or("", String::as_str)
        ));
    }
    Ok(changes)
}

fn ratio(old: &Measured, new: &Measured, metric: Metric, error: f64) -> Option<Ratio> {
    unpaired(metric.of(&old.rounds), metric.of(&new.rounds), error)
}

/// So many of a hundred operations may fail more than did, before it is an alarm.
const FAILURES: f64 = 0.01;

/// Says that more operations fail than did, if that is so.
fn failing(place: &str, old: &Measured, new: &Measured) -> Option<String> {
    let share = |one: &Measured| {
        let failed = one.errors + one.timeouts;
        failed as f64 / (failed + one.count).max(1) as f64
    };
    (share(new) > share(old) + FAILURES).then(|| {
        format!(
            "{place} on {}: {:.0} % of operations fail, and {:.0} % did ({})",
            new.target,
            share(new) * 100.0,
            share(old) * 100.0,
            new.first_error.as_deref().unwrap_or("no answer in time")
        )
    })
}

/// Whether others kept the generator from working: then its latencies are of them.
fn starved(one: &Measured) -> bool {
    one.waiting.is_some_and(|share| share > KEPT_WAITING)
}

/// What the reference shows against itself, as a difference of logarithms.
fn floor(case: &CaseOutcome, metric: Metric) -> f64 {
    let Some((reference, again)) = case.results.first().zip(case.again.as_ref()) else {
        return 0.0;
    };
    let (one, other) = (metric.of(&reference.rounds), metric.of(&again.rounds));
    paired(one, other, FALSE_ALARMS).map_or(0.0, |ratio| ratio.ratio.ln().abs())
}

impl Changes {
    /// Whether any rule fails, or more operations than did.
    pub fn alarm(&self) -> bool {
        !self.failing.is_empty() || self.all.iter().any(|change| change.alarm)
    }

    /// What changed, a line each: alarms, then what differs without breaking a rule.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let line = |change: &Change, word: &str| {
            let percent = |ratio: f64| format!("{:+.1} %", (ratio - 1.0) * 100.0);
            format!(
                "{word}: {} on {}: {} {} ({} to {})\n",
                change.case,
                change.target,
                change.metric.name(),
                percent(change.ratio.ratio),
                percent(change.ratio.low),
                percent(change.ratio.high)
            )
        };
        for failing in &self.failing {
            text.push_str(&format!("worse: {failing}\n"));
        }
        for change in self.all.iter().filter(|change| change.alarm) {
            text.push_str(&line(change, "worse"));
        }
        for change in &self.all {
            if let Some(reason) = change.disturbed {
                text.push_str(&line(change, &format!("not judged, for {reason}")));
            }
        }
        for change in self.all.iter().filter(|change| change.open) {
            text.push_str(&line(
                change,
                "perhaps worse, a longer --duration would tell",
            ));
        }
        let differs = |change: &&Change| {
            let said = change.alarm || change.open || change.disturbed.is_some();
            !said && !change.ratio.is_inconclusive()
        };
        for change in self.all.iter().filter(differs) {
            text.push_str(&line(change, "changed, within the rule"));
        }
        let open = self
            .all
            .iter()
            .filter(|change| change.ratio.is_inconclusive())
            .count();
        text.push_str(&format!(
            "{} of {} comparisons are inconclusive\n",
            open,
            self.all.len()
        ));
        for missing in &self.missing {
            text.push_str(&format!("not compared: {missing}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_nonsense_is_refused() {
        let rule: Rule = "p99>+10%".parse().unwrap();
        assert_eq!((rule.metric, rule.above), (Metric::P99, true));
        assert!((rule.limit - 1.1).abs() < 1e-9);
        let rule: Rule = "throughput < -5 %".parse().unwrap();
        assert!(!rule.above && (rule.limit - 0.95).abs() < 1e-9);
        for wrong in [
            "",
            "p99",
            "p98>1%",
            "p99>10",
            "p99>-10%",
            "p99<+10%",
            "p99>NaN%",
            "p99<-100%",
        ] {
            assert!(wrong.parse::<Rule>().is_err(), "{wrong}");
        }
    }
}
