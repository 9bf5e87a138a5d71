//! Verdicts and blame, on servers that give the replies a test wants.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use scenarios::{ClientError, Reply};
use swapcheck::compare::{Against, Blame, Catalogue, Kind, Verdict};
use swapcheck::run::{Outcome, Readiness, ResultOutcome};
use swapcheck::target::TargetKind::{Mock, Redis, RedisUrl, Upstash, UpstashTcp};

use crate::fake::{Fake, plan, run};

const READ_BACK: &str = "## A value is read back\nCaches rely on it.\n\n```redis\n> SET {k} v\nOK\n> GET {k}\n\"v\"\n```\n";
const PROBE: &str = "## A probe\nCompared, not judged.\n\n```redis\n> SET {k} v\n> GET {k}\n```\n";

fn nil_on_get() -> Fake {
    Fake::answering("GET", Reply::Nil)
}

fn text(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

fn result<'a>(outcome: &'a Outcome, target: &str) -> &'a ResultOutcome {
    let mut results = outcome.scenarios[0].results.iter();
    results
        .find(|result| result.target == target)
        .expect("the target took part")
}

fn blamed(outcome: &Outcome, target: &str) -> (Verdict, Vec<Blame>) {
    let result = result(outcome, target);
    (
        result.verdict,
        result.differences.iter().map(|found| found.blame).collect(),
    )
}

#[tokio::test]
async fn what_agrees_matches() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        Fake::honest().over_rest().target("mock", Mock),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    assert_eq!(blamed(&outcome, "redis"), (Verdict::Matched, vec![]));
    assert_eq!(blamed(&outcome, "mock"), (Verdict::Matched, vec![]));
    assert_eq!(
        (outcome.exit_code, outcome.readiness),
        (0, Readiness::Ready)
    );
}

#[tokio::test]
async fn a_subject_that_departs_differs_with_kind_and_place() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        nil_on_get().target("staging", RedisUrl),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    assert_eq!(
        blamed(&outcome, "staging"),
        (Verdict::Differed, vec![Blame::SubjectDiffers])
    );
    let found = &result(&outcome, "staging").differences[0];
    assert_eq!(
        (found.kind, found.step, found.against),
        (Kind::Type, 1, Against::Reference)
    );
    assert_eq!(
        found.id,
        "notes/test/a-value-is-read-back#2 type on staging"
    );
    assert_eq!(
        (outcome.exit_code, outcome.readiness),
        (1, Readiness::NotReady)
    );
}

#[tokio::test]
async fn a_probe_is_compared_too() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        nil_on_get().target("staging", RedisUrl),
    ];
    let outcome = run(plan(PROBE, targets)).await;
    assert_eq!(result(&outcome, "staging").verdict, Verdict::Differed);
}

#[tokio::test]
async fn a_mock_without_upstash_only_predicts() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        nil_on_get().target("mock", Mock),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    assert_eq!(
        blamed(&outcome, "mock"),
        (Verdict::Differed, vec![Blame::MockPredicts])
    );
}

#[tokio::test]
async fn upstash_differs_where_the_mock_predicts_it() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        nil_on_get().target("mock", Mock),
        nil_on_get().target("upstash", Upstash),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    assert_eq!(
        blamed(&outcome, "mock"),
        (Verdict::Differed, vec![Blame::UpstashDiffers])
    );
    assert_eq!(
        blamed(&outcome, "upstash"),
        (Verdict::Differed, vec![Blame::UpstashDiffers])
    );
}

#[tokio::test]
async fn the_mock_is_wrong_where_upstash_agrees_with_redis() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        nil_on_get().target("mock", Mock),
        Fake::honest().target("upstash", Upstash),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    assert_eq!(
        blamed(&outcome, "mock"),
        (Verdict::Differed, vec![Blame::MockIsWrong])
    );
    assert_eq!(blamed(&outcome, "upstash"), (Verdict::Matched, vec![]));
}

#[tokio::test]
async fn the_mock_is_wrong_where_it_does_not_predict_upstash() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        Fake::honest().target("mock", Mock),
        nil_on_get().target("upstash", Upstash),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    assert_eq!(
        blamed(&outcome, "upstash"),
        (Verdict::Differed, vec![Blame::UpstashDiffers])
    );
    assert_eq!(
        blamed(&outcome, "mock"),
        (Verdict::Differed, vec![Blame::MockIsWrong])
    );
    assert_eq!(
        result(&outcome, "mock").differences[0].against,
        Against::Upstash
    );
}

#[tokio::test]
async fn the_transport_is_blamed_where_one_database_has_two_answers() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        nil_on_get().over_rest().target("upstash", Upstash),
        Fake::honest().target("upstash-tcp", UpstashTcp),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    assert_eq!(
        blamed(&outcome, "upstash"),
        (Verdict::Differed, vec![Blame::TransportDiffers])
    );
    assert_eq!(blamed(&outcome, "upstash-tcp"), (Verdict::Matched, vec![]));
}

#[tokio::test]
async fn a_reference_that_leaves_the_document_is_reported_and_the_subject_is_not() {
    let targets = vec![
        nil_on_get().target("redis", Redis),
        nil_on_get().target("mock", Mock),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    assert_eq!(
        blamed(&outcome, "redis"),
        (Verdict::Differed, vec![Blame::Expectation])
    );
    assert_eq!(blamed(&outcome, "mock"), (Verdict::Matched, vec![]));
    let targets = vec![
        nil_on_get().target("redis", Redis),
        Fake::honest().target("mock", Mock),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    assert_eq!(
        blamed(&outcome, "redis"),
        (Verdict::Differed, vec![Blame::Expectation])
    );
    assert_eq!(blamed(&outcome, "mock"), (Verdict::Matched, vec![]));
}

#[tokio::test]
async fn without_a_reference_the_document_judges() {
    let mut plan = plan(READ_BACK, vec![nil_on_get().target("mock", Mock)]);
    plan.reference = None;
    let outcome = run(plan).await;
    let found = &result(&outcome, "mock").differences[0];
    assert_eq!(
        (found.against, found.kind),
        (Against::Expectation, Kind::Type)
    );
}

const DOCUMENTED: &str = r#"
[[difference]]
id = "get-is-nil"
title = "GET answers nil"
severity = "degraded"
source = "this test"
confidence = "documented"
advice = "ask twice"
shows_in = ["notes/test/a-value-is-read-back"]
[[difference.match]]
command = "GET"
reference = '"v"'
subject = '(nil)'
"#;

fn catalogue() -> Catalogue {
    Catalogue::parse(DOCUMENTED).expect("a valid catalogue")
}

#[tokio::test]
async fn a_documented_difference_is_told_apart_with_and_without_a_reference() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        nil_on_get().target("mock", Mock),
    ];
    let mut with = plan(READ_BACK, targets);
    with.catalogue = catalogue();
    let mut without = plan(READ_BACK, vec![nil_on_get().target("mock", Mock)]);
    without.catalogue = catalogue();
    without.reference = None;
    for plan in [with, without] {
        let outcome = run(plan).await;
        assert_eq!(result(&outcome, "mock").verdict, Verdict::Documented);
        assert_eq!(
            (outcome.exit_code, outcome.readiness),
            (0, Readiness::ReadyWithChanges)
        );
        assert_eq!(outcome.documented[0].shown_on, ["mock"]);
    }
}

#[tokio::test]
async fn a_documented_difference_does_not_cover_another_reply() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        Fake::answering("GET", text("w")).target("mock", Mock),
    ];
    let mut plan = plan(READ_BACK, targets);
    plan.catalogue = catalogue();
    let outcome = run(plan).await;
    assert_eq!(result(&outcome, "mock").verdict, Verdict::Differed);
    assert_eq!(outcome.exit_code, 1);
}

#[tokio::test]
async fn a_documented_difference_does_not_excuse_a_plain_redis() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        nil_on_get().target("other", RedisUrl),
    ];
    let mut plan = plan(READ_BACK, targets);
    plan.catalogue = catalogue();
    assert_eq!(result(&run(plan).await, "other").verdict, Verdict::Differed);
}

#[tokio::test]
async fn a_documented_difference_that_does_not_show_is_reported() {
    let targets = vec![
        Fake::honest().target("redis", Redis),
        Fake::honest().target("mock", Mock),
    ];
    let mut plan = plan(READ_BACK, targets);
    plan.catalogue = catalogue();
    let outcome = run(plan).await;
    assert_eq!(result(&outcome, "mock").verdict, Verdict::Matched);
    let absent = &outcome.documented[0].expected_but_absent;
    assert_eq!(*absent, ["notes/test/a-value-is-read-back on mock"]);
}

#[tokio::test]
async fn a_documented_slot_of_a_pipeline_does_not_hide_another() {
    let document = "## A pipeline\nBatches rely on it.\n\n```redis\n> pipeline\n  SET {k} v\n  GET {k}\n  MGET {k}\nend\n```\n";
    let subject = Fake::twisted(|command, honest| {
        Ok(match command[0].as_str() {
            "GET" => Reply::Nil,
            "MGET" => Reply::Array(vec![]),
            _ => honest,
        })
    });
    let targets = vec![
        Fake::honest().target("redis", Redis),
        subject.target("mock", Mock),
    ];
    let mut plan = plan(document, targets);
    plan.catalogue = catalogue();
    let outcome = run(plan).await;
    let result = result(&outcome, "mock");
    let documented: Vec<_> = result
        .differences
        .iter()
        .map(|found| found.documented.as_deref())
        .collect();
    assert_eq!(result.verdict, Verdict::Differed);
    assert!(
        documented.contains(&Some("get-is-nil")) && documented.contains(&None),
        "{documented:?}"
    );
}

#[tokio::test]
async fn what_a_target_cannot_do_is_unsupported_with_the_reason() {
    let document =
        "## Only over TCP\nPools rely on it.\n\n```redis\nonly tcp\n> GET {k}\n(nil)\n```\n";
    let targets = vec![
        Fake::honest().target("redis", Redis),
        Fake::honest().over_rest().target("mock", Mock),
    ];
    let outcome = run(plan(document, targets)).await;
    let result = result(&outcome, "mock");
    assert_eq!(result.verdict, Verdict::Unsupported);
    assert!(
        result
            .reason
            .as_deref()
            .is_some_and(|reason| reason.contains("TCP")),
        "{:?}",
        result.reason
    );
    assert_eq!(
        (outcome.exit_code, outcome.readiness),
        (0, Readiness::NotReady)
    );
}

#[tokio::test]
async fn a_command_the_target_does_not_know_is_unsupported() {
    let document = "## JSON\nDocuments rely on it.\n\n```redis\nneeds command JSON.SET\n> JSON.SET {k} $ 1\nOK\n```\n";
    let outcome = run(plan(document, vec![Fake::honest().target("redis", Redis)])).await;
    let result = result(&outcome, "redis");
    assert_eq!(result.verdict, Verdict::Unsupported);
    assert!(
        result
            .reason
            .as_deref()
            .is_some_and(|reason| reason.contains("JSON.SET"))
    );
}

#[tokio::test]
async fn no_reply_from_a_living_target_is_a_difference() {
    let broken = Fake::twisted(|command, honest| match command[0].as_str() {
        "GET" => Err(ClientError::Protocol("half a body".into())),
        _ => Ok(honest),
    });
    let targets = vec![
        Fake::honest().target("redis", Redis),
        broken.target("mock", Mock),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    let result = result(&outcome, "mock");
    assert_eq!(
        (result.verdict, result.differences[0].kind),
        (Verdict::Differed, Kind::NoReply)
    );
    assert!(result.differences[0].what.contains("half a body"));
}

#[tokio::test]
async fn a_target_that_dies_is_not_evaluable_and_exits_with_3() {
    let dead = Arc::new(AtomicUsize::new(0));
    let dying = Fake::twisted(move |command, honest| {
        if command[0] == "GET" {
            dead.store(1, Ordering::SeqCst);
        }
        if dead.load(Ordering::SeqCst) == 1 {
            return Err(ClientError::OutcomeUnknown("connection reset".into()));
        }
        Ok(honest)
    });
    let document = format!("{READ_BACK}\n{PROBE}");
    let targets = vec![
        Fake::honest().target("redis", Redis),
        dying.target("mock", Mock),
    ];
    let outcome = run(plan(&document, targets)).await;
    for scenario in &outcome.scenarios {
        let result = scenario
            .results
            .iter()
            .find(|result| result.target == "mock");
        let result = result.expect("the mock took part");
        assert_eq!(result.verdict, Verdict::NotEvaluable, "{}", scenario.id);
        assert!(
            result
                .reason
                .as_deref()
                .is_some_and(|reason| reason.contains("stopped answering"))
        );
    }
    assert_eq!(outcome.exit_code, 3);
}

#[tokio::test]
async fn what_cannot_be_evaluated_fails_only_a_required_target() {
    let spent = || {
        Fake::twisted(|command, honest| match command[0].as_str() {
            "GET" => Err(ClientError::Refused(
                "the budget of --max-commands is spent".into(),
            )),
            _ => Ok(honest),
        })
    };
    for (required, exit_code) in [(vec![], 0), (vec!["mock".to_owned()], 1)] {
        let targets = vec![
            Fake::honest().target("redis", Redis),
            spent().target("mock", Mock),
        ];
        let mut plan = plan(READ_BACK, targets);
        plan.required = required;
        let outcome = run(plan).await;
        assert_eq!(result(&outcome, "mock").verdict, Verdict::NotEvaluable);
        assert_eq!(outcome.exit_code, exit_code);
    }
}

#[tokio::test]
async fn a_step_that_varies_on_the_reference_is_unstable_and_fails_the_self_check() {
    let count = AtomicUsize::new(0);
    let varying = Fake::twisted(move |command, honest| {
        Ok(if command[0] == "GET" {
            text(&count.fetch_add(1, Ordering::SeqCst).to_string())
        } else {
            honest
        })
    });
    let targets = vec![
        varying.target("redis", Redis),
        Fake::honest().target("mock", Mock),
    ];
    let mut plan = plan(PROBE, targets);
    plan.self_check = true;
    let outcome = run(plan).await;
    assert!(outcome.scenarios[0].steps[1].unstable);
    // A string here and a string there: of an unstable step only the type is compared.
    assert_eq!(result(&outcome, "mock").verdict, Verdict::Matched);
    assert_eq!(outcome.exit_code, 1);
}

#[tokio::test]
async fn an_unstable_step_still_differs_by_type() {
    let count = AtomicUsize::new(0);
    let varying = Fake::twisted(move |command, honest| {
        Ok(if command[0] == "GET" {
            text(&count.fetch_add(1, Ordering::SeqCst).to_string())
        } else {
            honest
        })
    });
    let targets = vec![
        varying.target("redis", Redis),
        nil_on_get().target("mock", Mock),
    ];
    let mut plan = plan(PROBE, targets);
    plan.self_check = true;
    assert_eq!(result(&run(plan).await, "mock").verdict, Verdict::Differed);
}

#[tokio::test]
async fn every_error_text_shows_keys_as_the_document_writes_them() {
    let loud = Fake::twisted(|command, honest| {
        Ok(if command[0] == "GET" {
            Reply::Error(format!("ERR no such key {}", command[1]))
        } else {
            honest
        })
    });
    let targets = vec![
        Fake::honest().target("redis", Redis),
        loud.target("mock", Mock),
    ];
    let outcome = run(plan(READ_BACK, targets)).await;
    let answers = &outcome.scenarios[0].steps[1].answers;
    assert_eq!(
        answers[1].reply.as_deref(),
        Some("(error) ERR no such key {k}")
    );
}
