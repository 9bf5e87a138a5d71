//! What reports say of workloads: a violation with its slice, as text and as a timeline, the command
//! that runs it again, what was not decided; and what a baseline accepts of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use scenarios::history::{Ended, Operation, Value, print};
use scenarios::workload::{Settings, workloads};
use swapcheck::baseline::Baseline;
use swapcheck::compare::Verdict;
use swapcheck::cost::Billed;
use swapcheck::report::Format;
use swapcheck::run::{
    Events, Outcome, Plan, ViolationOutcome, WorkloadOutcome, WorkloadPlan, WorkloadResult,
    WorkloadsOutcome, execute_workloads,
};
use swapcheck::target::TargetKind::{Mock, Redis};
use tokio::sync::watch;

use crate::fake::{Fake, plan, run, run_against};

const DOCUMENT: &str = "# Notes\n\n## A value is read back\nCaches rely on it.\n\n\
                        ```redis\n> SET {k} v\nOK\n```\n";

fn operation(
    client: usize,
    name: &'static str,
    input: Value,
    time: (u64, u64),
    ended: Ended,
) -> Operation {
    Operation {
        client,
        name,
        object: "register-1".to_owned(),
        input,
        invoked_us: time.0,
        ended_us: time.1,
        ended,
    }
}

/// A slice with all that a timeline can have: lanes, labels that would cover one another, one that is
/// too long, an operation of unknown outcome, one that failed, and what has to be escaped.
fn slice() -> Vec<Operation> {
    let returned = |value: Value| Ended::Returned(value);
    let done = || returned(Value::Bool(true));
    vec![
        operation(0, "write", "c0-1".into(), (1_000, 2_000), done()),
        operation(0, "write", "<b>&c0-2".into(), (2_000, 3_500), done()),
        operation(0, "read", Value::Nil, (3_600, 4_000), returned(Value::Nil)),
        operation(
            1,
            "write",
            "c1-1".into(),
            (1_500, 9_000),
            Ended::Unknown("timed out".into()),
        ),
        operation(
            1,
            "write",
            "x".repeat(200).into(),
            (9_100, 9_200),
            Ended::Failed("refused".into()),
        ),
        operation(
            4,
            "read",
            Value::Nil,
            (10_500, 11_000),
            returned("c0-1".into()),
        ),
    ]
}

fn result(target: &str, verdict: Verdict) -> WorkloadResult {
    WorkloadResult {
        target: target.to_owned(),
        verdict,
        reason: None,
        operations: 586,
        unknown: 0,
        notes: Vec::new(),
        violation: None,
        billed: Billed::default(),
    }
}

/// A register that held on Redis and not on the mock, and a queue that was not decided there.
fn worked() -> WorkloadsOutcome {
    let [register, queue] = [
        "locks/workload/register",
        "queue/workload/first-in-first-out",
    ]
    .map(super::workload);
    let outcome =
        |workload: scenarios::workload::Workload, on_mock: WorkloadResult| WorkloadOutcome {
            id: workload.id.to_owned(),
            area: workload.area().to_owned(),
            title: workload.title.to_owned(),
            prose: workload.prose.to_owned(),
            results: vec![result("redis", Verdict::Matched), on_mock],
        };
    let violated = WorkloadResult {
        unknown: 1,
        violation: Some(ViolationOutcome {
            id: "locks/workload/register on mock".to_owned(),
            what: "register-1 is not linearizable: c0-1 was in it again after c0-2 had replaced it"
                .to_owned(),
            text: print::slice(&slice()),
            slice: slice(),
            again: "swapcheck run --filter 'locks/workload/register' --target mock --seed 7"
                .to_owned(),
            accepted: false,
        }),
        ..result("mock", Verdict::Differed)
    };
    let undecided = WorkloadResult {
        reason: Some("not decided: the operations on list-0 overlap too much".to_owned()),
        ..result("mock", Verdict::NotEvaluable)
    };
    WorkloadsOutcome {
        clients: 6,
        operations: 600,
        limit_ms: 1_200,
        seed: 7,
        duration_ms: 3_100,
        workloads: vec![outcome(register, violated), outcome(queue, undecided)],
    }
}

fn healthy() -> Plan {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        Fake::honest().over_rest().target("mock", Mock),
    ];
    plan(DOCUMENT, targets)
}

async fn outcome() -> Outcome {
    let mut outcome = run(healthy()).await;
    outcome.add_workloads(worked(), &[], None);
    outcome
}

/// The part of a text from here to there.
fn part<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let from = text.find(from).expect("where it begins");
    let length = text[from..].find(to).expect("where it ends");
    &text[from..from + length]
}

#[tokio::test]
async fn a_timeline_has_a_lane_for_each_client_and_labels_that_can_be_read() {
    let page = Format::Html.render(&outcome().await).expect("a page");
    insta::assert_snapshot!(part(
        &page,
        "<svg role=\"img\" aria-label=\"Timeline",
        "</div>"
    ));
}

#[tokio::test]
async fn the_terminal_shows_the_slice_and_how_to_see_it_again() {
    let text = crate::report::terminal(&outcome().await, false);
    insta::assert_snapshot!(part(&text, "Workloads: many", "Latency"));
}

#[tokio::test]
async fn every_report_names_the_violation_and_what_was_not_decided() {
    let outcome = outcome().await;
    assert_eq!(outcome.exit_code, 1);
    assert!(
        outcome
            .conclusion
            .contains("something was violated in 1 of them"),
        "{}",
        outcome.conclusion
    );
    for format in [Format::Html, Format::Markdown, Format::Junit, Format::Json] {
        let text = format.render(&outcome).expect("a report");
        for part in ["had replaced it", "not decided", "--seed 7"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("<b>&c0-2") || matches!(format, Format::Json | Format::Markdown));
    }
    crate::report::keeps_to_schema(&Format::Json.render(&outcome).expect("a report"));
}

#[tokio::test]
async fn a_baseline_accepts_violations_that_may_show_or_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("accepted.toml");
    assert_eq!(
        Baseline::write(&path, &outcome().await).expect("it is written"),
        1
    );
    let baseline = Baseline::read(&path).expect("it is read back");
    let against = async |worked: WorkloadsOutcome| {
        let mut outcome = run_against(healthy(), Some(&baseline)).await;
        outcome.add_workloads(worked, &[], Some(&baseline));
        outcome
    };

    let same = against(worked()).await;
    assert_eq!(same.exit_code, 0);
    assert!(
        same.conclusion.contains("as the baseline accepts"),
        "{}",
        same.conclusion
    );
    let seen = same.baseline.as_ref().expect("there was a baseline");
    assert_eq!((seen.accepted, seen.new.len(), seen.gone.len()), (1, 0, 0));
    let junit = Format::Junit.render(&same).expect("a report");
    assert!(junit.contains("failures=\"0\""), "{junit}");

    let mut held = worked();
    held.workloads[0].results[1] = result("mock", Verdict::Matched);
    assert_eq!(against(held).await.exit_code, 0);

    let mut another = worked();
    let violation = another.workloads[0].results[1].violation.as_mut();
    violation.expect("a violation").id = "locks/workload/handover on mock".to_owned();
    let new = against(another).await;
    assert_eq!(new.exit_code, 1);
    assert_eq!(new.baseline.expect("there was a baseline").new.len(), 1);
}

/// The command repeats every choice: the workload, the target, the seed, and how much it does.
#[tokio::test]
async fn a_violation_comes_with_the_whole_command_that_repeats_it() {
    let mut plan = plan(
        DOCUMENT,
        vec![Fake::answering("INCR", scenarios::Reply::Integer(1)).target("mock", Mock)],
    );
    plan.reference = None;
    let plan = Arc::new(plan);
    let wanted = |reach: BTreeMap<String, String>| WorkloadPlan {
        workloads: workloads()
            .into_iter()
            .filter(|one| one.id == "patterns/workload/counter")
            .collect(),
        settings: Settings {
            clients: 3,
            operations: 20,
            duration: std::time::Duration::from_millis(1_500),
            round_trips: 0,
            seed: 11,
        },
        reach,
    };
    let (events, _receiver) = Events::channel();
    let (_keep, stop) = watch::channel(false);
    for (reach, flags) in [
        (BTreeMap::new(), "--target mock"),
        (
            BTreeMap::from([(
                "mock".to_owned(),
                "--target 'mock=https://a.example?_token=redacted' --max-commands 90".to_owned(),
            )]),
            "--target 'mock=https://a.example?_token=redacted' --max-commands 90",
        ),
    ] {
        let worked = execute_workloads(&plan, &wanted(reach), &events, &stop).await;
        let result = &worked.workloads[0].results[0];
        let violation = result
            .violation
            .as_ref()
            .unwrap_or_else(|| panic!("{result:?}"));
        assert_eq!(
            violation.again,
            format!(
                "swapcheck run --filter 'patterns/workload/counter' {flags} --seed 11 \
                 --workload-clients 3 --workload-operations 20 --workload-duration 1.5"
            )
        );
    }
}
