//! The report as test results: one suite per target, one case per scenario, as GitLab and GitHub
//! tools read JUnit.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::view::{Exhibit, exhibits};
use crate::compare::Verdict;
use crate::run::{Outcome, ResultOutcome, Role, ScenarioOutcome, WorkloadOutcome, WorkloadResult};

/// The outcome as JUnit XML.
///
/// # Errors
/// When the XML cannot be written, which is a fault of swapcheck.
pub fn junit(outcome: &Outcome) -> Result<String, SerializeError> {
    let exhibits = exhibits(outcome);
    let mut report = Report::new("swapcheck");
    report.set_time(Duration::from_millis(outcome.run.duration_ms));
    for target in outcome
        .targets
        .iter()
        .filter(|target| target.role != Role::Absent)
    {
        let mut suite = TestSuite::new(format!("swapcheck on {}", target.name));
        suite.add_property(("server", target.server.as_deref().unwrap_or("unknown")));
        for item in &outcome.checklist {
            let value = format!("{}: {}", item.state.name(), item.note);
            suite.add_property((format!("checklist: {}", item.title), value));
        }
        for scenario in &outcome.scenarios {
            for result in scenario
                .results
                .iter()
                .filter(|result| result.target == target.name)
            {
                suite.add_test_case(case(outcome, scenario, result, &exhibits));
            }
        }
        for workload in outcome.workloads.iter().flat_map(|all| &all.workloads) {
            for result in workload
                .results
                .iter()
                .filter(|one| one.target == target.name)
            {
                suite.add_test_case(workload_case(workload, result));
            }
        }
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn case(
    outcome: &Outcome,
    scenario: &ScenarioOutcome,
    result: &ResultOutcome,
    exhibits: &[Exhibit],
) -> TestCase {
    let required = |reason: &Option<String>| reason.clone().unwrap_or_default();
    let mut status = match result.verdict {
        Verdict::Matched | Verdict::Documented => TestCaseStatus::success(),
        Verdict::Differed if result.is_accepted() => TestCaseStatus::success(),
        Verdict::Differed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            if let Some(worst) = result.unexpected().next() {
                status.set_type(worst.kind.name());
                status.set_message(format!("{}: {}", worst.what, worst.blame.gloss()));
            }
            status.set_description(description(scenario, result));
            status
        }
        Verdict::Unsupported => TestCaseStatus::skipped(),
        // On a target that was required, what cannot be evaluated fails the run.
        Verdict::NotEvaluable if outcome.exit_code != 0 => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
        Verdict::NotEvaluable => TestCaseStatus::skipped(),
    };
    if matches!(result.verdict, Verdict::Unsupported | Verdict::NotEvaluable) {
        status.set_message(format!(
            "{}: {}",
            result.verdict.name(),
            required(&result.reason)
        ));
    }
    let mut case = TestCase::new(scenario.title.clone(), status);
    case.set_classname(
        scenario
            .id
            .rsplit_once('/')
            .map_or(scenario.area.as_str(), |(class, _)| class),
    );
    let micros: u64 = scenario
        .steps
        .iter()
        .flat_map(|step| &step.answers)
        .filter(|answer| answer.target == result.target)
        .filter_map(|answer| answer.latency_us)
        .sum();
    case.set_time(Duration::from_micros(micros));
    case.extra.insert(
        "file".into(),
        format!("{}:{}", scenario.document, scenario.line).into(),
    );
    let known: Vec<String> = result
        .differences
        .iter()
        .filter_map(|found| found.documented.as_ref())
        .filter_map(|id| {
            exhibits
                .iter()
                .find(|exhibit| exhibit.documented.as_ref() == Some(id))
        })
        .map(|exhibit| {
            let advice = exhibit.advice.as_deref().unwrap_or_default();
            format!("documented difference: {}. {advice}", exhibit.title)
        })
        .collect();
    if !known.is_empty() {
        case.set_system_out(known.join("\n"));
    }
    case
}

fn workload_case(workload: &WorkloadOutcome, result: &WorkloadResult) -> TestCase {
    let mut status = match result.verdict {
        Verdict::Matched | Verdict::Documented => TestCaseStatus::success(),
        Verdict::Differed if result.is_accepted() => TestCaseStatus::success(),
        Verdict::Differed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Unsupported | Verdict::NotEvaluable => TestCaseStatus::skipped(),
    };
    if let Some(reason) = &result.reason {
        status.set_message(format!("{}: {reason}", result.verdict.name()));
    }
    if let Some(violation) = result.violation.as_ref().filter(|_| result.is_unexpected()) {
        status.set_type("violation");
        status.set_message(violation.what.as_str());
        status.set_description(format!(
            "{}\n\n{}\n\nagain: {}",
            workload.prose, violation.text, violation.again
        ));
    }
    let mut case = TestCase::new(workload.title.clone(), status);
    case.set_classname(format!("{}/workload", workload.area));
    if !result.notes.is_empty() {
        case.set_system_out(result.notes.join("\n"));
    }
    case
}

fn description(scenario: &ScenarioOutcome, result: &ResultOutcome) -> String {
    let mut text = format!("{}\n", scenario.prose);
    for found in result.unexpected() {
        let Some(step) = scenario.steps.get(found.step) else {
            continue;
        };
        text.push_str(&format!(
            "\n{}:{}\n{}\n",
            scenario.document,
            step.line,
            step.sent.trim_end()
        ));
        if let Some(expected) = &step.expected {
            text.push_str(&format!("document: {expected}\n"));
        }
        for answer in &step.answers {
            let said = answer
                .reply
                .as_deref()
                .or(answer.note.as_deref())
                .unwrap_or("done");
            text.push_str(&format!("{}: {said}\n", answer.target));
        }
        text.push_str(&format!(
            "{} difference, {}: {}\n",
            found.severity, found.kind, found.what
        ));
    }
    text
}
