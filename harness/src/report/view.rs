//! Differences as people read them: each once, with the scenario's prose, what was sent, and every
//! target's answer side by side, the worst first.

use std::collections::BTreeMap;

use crate::compare::{Kind, Severity};
use crate::run::{DifferenceOutcome, DocumentedOutcome, Outcome, ScenarioOutcome};

/// What a difference means for the run. Ordered: what fails it comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// It fails the run.
    Unexpected,
    /// Upstash documents it.
    Documented,
    /// The baseline accepts it.
    Accepted,
}

impl Class {
    /// The word a report uses.
    pub fn name(self) -> &'static str {
        match self {
            Class::Unexpected => "unexpected",
            Class::Documented => "documented",
            Class::Accepted => "accepted",
        }
    }
}

/// What one side has to say to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The target, or `document` for what is expected.
    pub who: String,
    /// The reply, or why there is none.
    pub text: String,
    /// Whether it is one of those that differ.
    pub differs: bool,
}

/// A difference as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// What it means for the run.
    pub class: Class,
    /// How bad it is.
    pub severity: Severity,
    /// In which way the replies disagree.
    pub kind: Kind,
    /// What differs, as a heading.
    pub title: String,
    /// The documented difference that it is.
    pub documented: Option<String>,
    /// The scenario's id.
    pub scenario: String,
    /// The scenario's heading.
    pub scenario_title: String,
    /// File and line of the step.
    pub place: String,
    /// Who relies on it and what breaks without it.
    pub prose: String,
    /// What was sent.
    pub sent: String,
    /// What everybody answered.
    pub answers: Vec<Shown>,
    /// What differs, in one sentence.
    pub what: String,
    /// Where it comes from.
    pub blame: &'static str,
    /// The targets on which it shows.
    pub targets: Vec<String>,
    /// What to change in the application.
    pub advice: Option<String>,
    /// Where it is documented, and how sure that is.
    pub source: Option<String>,
    /// The other places where it shows: lines of the same scenario, and steps of others.
    pub also: Vec<String>,
}

/// All differences of a run, the ones that fail it first, and of those the worst first.
///
/// A documented difference is shown once, and unexpected ones once per scenario, for one wrong reply
/// often leads to others: by the worst step, of equals the first. The other places are named.
pub fn exhibits(outcome: &Outcome) -> Vec<Exhibit> {
    let mut grouped: BTreeMap<String, Exhibit> = BTreeMap::new();
    for scenario in &outcome.scenarios {
        for result in &scenario.results {
            for found in &result.differences {
                let key = match &found.documented {
                    Some(id) => format!("documented {id}"),
                    None => format!("{} {}", scenario.id, found.accepted),
                };
                match grouped.get_mut(&key) {
                    Some(exhibit) => exhibit.join(scenario, found, &result.target),
                    None => {
                        grouped.insert(key, exhibit(outcome, scenario, found, &result.target));
                    }
                }
            }
        }
    }
    let mut exhibits: Vec<Exhibit> = grouped.into_values().collect();
    exhibits.sort_by(|one, other| {
        let rank = |exhibit: &Exhibit| (exhibit.class, std::cmp::Reverse(exhibit.severity));
        rank(one)
            .cmp(&rank(other))
            .then_with(|| one.scenario.cmp(&other.scenario))
    });
    exhibits
}

impl Exhibit {
    fn join(&mut self, scenario: &ScenarioOutcome, found: &DifferenceOutcome, target: &str) {
        let line = scenario
            .steps
            .get(found.step)
            .map_or(scenario.line, |step| step.line);
        let place = format!("{}:{line}", scenario.document);
        if !self.targets.iter().any(|known| known == target) {
            self.targets.push(target.to_owned());
        }
        if place == self.place {
            for shown in self.answers.iter_mut().filter(|shown| shown.who == target) {
                shown.differs = true;
            }
        } else {
            let also = if scenario.id == self.scenario {
                format!("line {line}")
            } else {
                place
            };
            if !self.also.contains(&also) {
                self.also.push(also);
            }
        }
    }
}

fn exhibit(
    outcome: &Outcome,
    scenario: &ScenarioOutcome,
    found: &DifferenceOutcome,
    target: &str,
) -> Exhibit {
    let entry: Option<&DocumentedOutcome> = found
        .documented
        .as_ref()
        .and_then(|id| outcome.documented.iter().find(|entry| entry.id == *id));
    let step = scenario.steps.get(found.step);
    let mut answers = Vec::new();
    if let Some(expected) = step.and_then(|step| step.expected.clone()) {
        answers.push(Shown {
            who: "document".into(),
            text: expected,
            differs: false,
        });
    }
    for answer in step.iter().flat_map(|step| &step.answers) {
        let text = answer.reply.clone().or_else(|| answer.note.clone());
        answers.push(Shown {
            who: answer.target.clone(),
            text: text.unwrap_or_else(|| "done".into()),
            differs: answer.target == target,
        });
    }
    Exhibit {
        class: match (&found.documented, found.accepted) {
            (Some(_), _) => Class::Documented,
            (None, true) => Class::Accepted,
            (None, false) => Class::Unexpected,
        },
        severity: found.severity,
        kind: found.kind,
        title: entry.map_or_else(|| scenario.title.clone(), |entry| entry.title.clone()),
        documented: found.documented.clone(),
        scenario: scenario.id.clone(),
        scenario_title: scenario.title.clone(),
        place: format!(
            "{}:{}",
            scenario.document,
            step.map_or(scenario.line, |step| step.line)
        ),
        prose: scenario.prose.clone(),
        sent: step
            .map(|step| step.sent.trim_end().to_owned())
            .unwrap_or_default(),
        answers,
        what: found.what.clone(),
        blame: found.blame.gloss(),
        targets: vec![target.to_owned()],
        advice: entry.map(|entry| entry.advice.trim().to_owned()),
        source: entry.map(|entry| format!("{} ({})", entry.source.trim(), entry.confidence.name())),
        also: Vec::new(),
    }
}

/// Thousands apart, as people read numbers.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time as people read it.
pub(super) fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", millis as f64 / 1e3),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

/// `1 scenario`, `2 scenarios`.
pub(super) fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", thousands(number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(999), "999");
        assert_eq!(duration(950), "950 ms");
        assert_eq!(duration(61_500), "1 min 1 s");
        assert_eq!(counted(1, "scenario"), "1 scenario");
        assert_eq!(counted(2_000, "step"), "2,000 steps");
    }
}
