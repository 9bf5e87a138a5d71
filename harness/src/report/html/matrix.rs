//! The matrix of scenarios by targets, each with its transcript.

use crate::compare::Verdict;
use crate::run::{Outcome, ScenarioOutcome, StepOutcome};

pub(super) struct Group<'a> {
    pub(super) area: &'a str,
    pub(super) rows: Vec<ScenarioRow<'a>>,
}

pub(super) struct ScenarioRow<'a> {
    pub(super) scenario: &'a ScenarioOutcome,
    pub(super) verdicts: String,
    pub(super) chips: Vec<Chip<'a>>,
    pub(super) reasons: Vec<String>,
    pub(super) steps: Vec<StepView<'a>>,
}

pub(super) struct Chip<'a> {
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) name: &'a str,
    pub(super) title: &'static str,
}

pub(super) struct StepView<'a> {
    pub(super) sent: &'a str,
    pub(super) said: Vec<Said>,
    pub(super) note: Option<String>,
    pub(super) differs: bool,
}

pub(super) struct Said {
    pub(super) who: String,
    pub(super) text: String,
}

pub(super) fn groups(outcome: &Outcome) -> Vec<Group<'_>> {
    let row = |scenario| scenario_row(scenario);
    outcome
        .areas
        .iter()
        .map(|area| Group {
            area: &area.name,
            rows: outcome
                .scenarios
                .iter()
                .filter(|one| one.area == area.name)
                .map(row)
                .collect(),
        })
        .collect()
}

fn class_of(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Matched => ("matched", "✓"),
        Verdict::Documented => ("documented", "≈"),
        Verdict::Differed => ("differed", "≠"),
        Verdict::Unsupported => ("unsupported", "–"),
        Verdict::NotEvaluable => ("not-evaluable", "?"),
    }
}

fn scenario_row(scenario: &ScenarioOutcome) -> ScenarioRow<'_> {
    let chips = scenario.results.iter().map(|result| {
        let (class, mark) = class_of(result.verdict);
        Chip {
            class,
            mark,
            name: &result.target,
            title: result.verdict.name(),
        }
    });
    let verdicts: Vec<&str> = scenario
        .results
        .iter()
        .map(|result| class_of(result.verdict).0)
        .collect();
    let mut reasons = Vec::new();
    for result in &scenario.results {
        if let Some(reason) = &result.reason {
            reasons.push(format!(
                "{}, {}: {reason}",
                result.target,
                result.verdict.name()
            ));
        }
        reasons.extend(
            result
                .unsupported_steps
                .iter()
                .map(|step| format!("{}, {step}", result.target)),
        );
    }
    let steps = scenario
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| step_view(scenario, index, step));
    ScenarioRow {
        scenario,
        verdicts: verdicts.join(" "),
        chips: chips.collect(),
        reasons,
        steps: steps.collect(),
    }
}

/// A step's answers, those that all agree shown once.
fn step_view<'a>(
    scenario: &'a ScenarioOutcome,
    index: usize,
    step: &'a StepOutcome,
) -> StepView<'a> {
    let mut said: Vec<Said> = Vec::new();
    if let Some(expected) = &step.expected {
        said.push(Said {
            who: "document".into(),
            text: expected.clone(),
        });
    }
    for answer in &step.answers {
        let Some(text) = answer.reply.as_ref().or(answer.note.as_ref()) else {
            continue;
        };
        match said.iter_mut().find(|one| one.text == *text) {
            Some(one) => one.who = format!("{}, {}", one.who, answer.target),
            None => said.push(Said {
                who: answer.target.clone(),
                text: text.clone(),
            }),
        }
    }
    // Where nobody departs from the document, saying who said so is noise.
    let all = step.answers.len() + usize::from(step.expected.is_some());
    if let [one] = said.as_mut_slice()
        && one.who.split(", ").count() == all
    {
        one.who = "all".into();
    }
    let differs = scenario
        .results
        .iter()
        .flat_map(|result| &result.differences)
        .any(|found| found.step == index);
    StepView {
        sent: step.sent.trim_end(),
        said,
        note: step.compared.map(str::to_owned),
        differs,
    }
}
