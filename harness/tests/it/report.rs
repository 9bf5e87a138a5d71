//! Reports of one run that has a bit of everything, its volatile parts made fixed.

use std::time::Duration;

use scenarios::Reply;
use swapcheck::baseline::Baseline;
use swapcheck::compare::Catalogue;
use swapcheck::latency::Summary;
use swapcheck::report::{Format, Reporter, Terminal, exhibits};
use swapcheck::run::{Absent, Event, Outcome};
use swapcheck::target::TargetKind::{Mock, Redis};

use crate::fake::{Fake, plan, run, run_against};

const DOCUMENT: &str = r#"# Notes

## A value is read back
Caches rely on `GET` after `SET`. If <it> fails, every page is built anew.

```redis
> SET {k} v
OK
> GET {k}
"v"
```

## A deleted value is gone
An invalidation that leaves the value serves stale pages.

```redis
> SET {k} v
OK
> DEL {k}
(integer) 1
```

## Several values at once
Pages are built from many fragments.

```redis
> MGET {a} {b}
1) (nil)
2) (nil)
```

## Only over TCP
Connection pools rely on it.

```redis
only tcp
> PING
PONG
```
"#;

const CATALOGUE: &str = r#"
[[difference]]
id = "mget-is-empty"
title = "MGET of missing keys answers an empty array"
severity = "degraded"
source = "this test"
confidence = "documented"
advice = "Treat an empty array as misses."
shows_in = ["notes/test/several-values-at-once", "notes/test/a-value-is-read-back"]
[[difference.match]]
command = "MGET"
reference = "1) (nil)\n2) (nil)"
subject = "(empty array)"
"#;

/// A run in which the mock differs unexpectedly, as documented, and cannot do something.
async fn outcome() -> Outcome {
    let subject = Fake::twisted(|command, honest| {
        Ok(match command[0].as_str() {
            "DEL" => Reply::Integer(0),
            "MGET" => Reply::Array(vec![]),
            _ => honest,
        })
    });
    let targets = vec![
        Fake::honest().target("redis", Redis),
        subject.over_rest().target("mock", Mock),
    ];
    let mut plan = plan(DOCUMENT, targets);
    plan.catalogue = Catalogue::parse(CATALOGUE).expect("a valid catalogue");
    plan.absent.push(Absent {
        name: "upstash".into(),
        reason: "set UPSTASH_REDIS_REST_URL".into(),
    });
    fixed(run(plan).await)
}

/// The outcome with latencies that do not vary.
fn fixed(mut outcome: Outcome) -> Outcome {
    for target in &mut outcome.targets {
        let fix = |summary: &mut Summary, count: u64| {
            *summary = Summary {
                count,
                p50_us: 200,
                p90_us: 1_500,
                p99_us: 20_000,
                max_us: 30_000,
            };
        };
        if let Some(all) = &mut target.latency.all {
            fix(all, all.count);
        }
        for one in target
            .latency
            .areas
            .iter_mut()
            .chain(&mut target.latency.commands)
        {
            let count = one.summary.count;
            fix(&mut one.summary, count);
        }
    }
    for answer in outcome
        .scenarios
        .iter_mut()
        .flat_map(|one| &mut one.steps)
        .flat_map(|one| &mut one.answers)
    {
        answer.latency_us = answer.latency_us.map(|_| 250);
    }
    outcome.swapcheck = "0.0.0";
    outcome
}

/// What the terminal shows of an outcome, 100 columns wide.
pub(crate) fn terminal(outcome: &Outcome, color: bool) -> String {
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, color, false, 100);
    terminal.event(&Event::Finished(std::sync::Arc::new(outcome.clone())));
    drop(terminal);
    String::from_utf8(out).expect("UTF-8")
}

#[tokio::test]
async fn the_terminal_shows_the_summary_then_the_differences_then_the_answer() {
    insta::assert_snapshot!(terminal(&outcome().await, false));
}

#[tokio::test]
async fn the_terminal_has_no_escapes_without_color() {
    let outcome = outcome().await;
    assert!(!terminal(&outcome, false).contains('\x1b'));
    assert!(terminal(&outcome, true).contains('\x1b'));
}

#[tokio::test]
async fn markdown_answers_first() {
    insta::assert_snapshot!(
        Format::Markdown
            .render(&outcome().await)
            .expect("it renders")
    );
}

#[tokio::test]
async fn junit_has_a_suite_for_each_target() {
    insta::assert_snapshot!(Format::Junit.render(&outcome().await).expect("it renders"));
}

#[tokio::test]
async fn json_keeps_to_its_schema() {
    let text = Format::Json.render(&outcome().await).expect("it renders");
    keeps_to_schema(&text);
    insta::assert_snapshot!(text);
}

/// Holds a JSON report against the schema that is published with it.
pub(crate) fn keeps_to_schema(text: &str) {
    let schema = include_str!("../../schema/report.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let report: serde_json::Value = serde_json::from_str(text).expect("the report is JSON");
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[tokio::test]
async fn the_schema_refuses_what_it_does_not_know() {
    let schema = include_str!("../../schema/report.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let text = Format::Json.render(&outcome().await).expect("it renders");
    let mut report: serde_json::Value = serde_json::from_str(&text).expect("the report is JSON");
    report["surprise"] = serde_json::json!(1);
    assert!(!validator.is_valid(&report));
}

#[tokio::test]
async fn the_page_carries_everything_with_it_and_escapes_what_it_quotes() {
    let page = Format::Html.render(&outcome().await).expect("it renders");
    for outside in ["src=", "<link", "@import", "url(", "fetch("] {
        assert!(
            !page.contains(outside),
            "the page reaches outside by {outside}"
        );
    }
    assert!(page.contains("If &lt;it&gt; fails"), "prose is escaped");
    for part in [
        "A deleted value is gone",
        "MGET of missing keys answers an empty array",
        "Treat an empty array as misses.",
        "Only over TCP",
        "<svg",
        "prefers-color-scheme: dark",
        "notes/test/a-value-is-read-back on mock",
    ] {
        assert!(page.contains(part), "the page lacks {part}");
    }
}

#[tokio::test]
async fn what_fails_the_run_comes_first() {
    let outcome = outcome().await;
    let titles: Vec<String> = exhibits(&outcome)
        .into_iter()
        .map(|one| one.title)
        .collect();
    let wanted = [
        "A deleted value is gone",
        "MGET of missing keys answers an empty array",
    ];
    assert_eq!(titles, wanted);
}

#[tokio::test]
async fn a_baseline_accepts_what_it_was_written_from_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("accepted.toml");
    let differing = |reply: i64| {
        vec![
            Fake::honest().target("redis", Redis),
            Fake::answering("DEL", Reply::Integer(reply)).target("mock", Mock),
        ]
    };
    let first = run(plan(DOCUMENT, differing(0))).await;
    assert_eq!(
        (
            first.exit_code,
            Baseline::write(&path, &first).expect("it is written")
        ),
        (1, 1)
    );
    let baseline = Baseline::read(&path).expect("it is read back");
    let same = run_against(plan(DOCUMENT, differing(0)), Some(&baseline)).await;
    let seen = same.baseline.expect("there was a baseline");
    assert_eq!(
        (
            same.exit_code,
            seen.accepted,
            seen.new.len(),
            seen.gone.len()
        ),
        (0, 1, 0, 0)
    );
    let mut another = plan(DOCUMENT, differing(0));
    another.targets[1] = Fake::answering("GET", Reply::Nil).target("mock", Mock);
    let changed = run_against(another, Some(&baseline)).await;
    let seen = changed.baseline.expect("there was a baseline");
    assert_eq!(
        (changed.exit_code, seen.new.len(), seen.gone.len()),
        (1, 1, 1)
    );
    let text = std::fs::read_to_string(&path).expect("the file is there");
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_filtered_run_does_not_miss_what_it_did_not_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("accepted.toml");
    let targets = || {
        vec![
            Fake::honest().target("redis", Redis),
            Fake::answering("DEL", Reply::Integer(0)).target("mock", Mock),
        ]
    };
    Baseline::write(&path, &run(plan(DOCUMENT, targets())).await).expect("it is written");
    let baseline = Baseline::read(&path).expect("it is read back");
    let mut part = plan(DOCUMENT, targets());
    part.scenarios.truncate(1);
    let outcome = run_against(part, Some(&baseline)).await;
    assert_eq!(outcome.baseline.map(|seen| seen.gone), Some(vec![]));
    assert_eq!(outcome.exit_code, 0);
}

#[test]
fn a_latency_of_any_length_is_recorded() {
    let mut latency = swapcheck::latency::Latency::default();
    latency.record(Duration::ZERO);
    latency.record(Duration::MAX);
    assert_eq!(latency.summary().map(|summary| summary.count), Some(2));
}
