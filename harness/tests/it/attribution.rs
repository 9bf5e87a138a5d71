//! What a user's own document shows of Upstash's ways is put down to the quirk that it comes from, and
//! what no quirk explains stays unexpected.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scenarios::Reply;
use swapcheck::compare::{BUILT_IN, Catalogue, Verdict};
use swapcheck::run::{Events, Outcome, Plan, attribute, execute, summarize};
use swapcheck::target::{Opened, Options, Target, TargetKind, open};
use tokio::sync::watch;

use crate::fake::{self, Fake};
use crate::server::RedisServer;

const OURS: &str = r#"## Records go through scripts
We encode what is empty, count in fractions, and clean up by name.

```redis
> EVAL "return cjson.encode({})" 0
"{}"
> INCRBYFLOAT {sum} 0.1
"0.1"
> INCRBYFLOAT {sum} 0.2
"0.3"
> EVAL "redis.call('SET', KEYS[1], 7.9) return redis.call('GET', KEYS[1])" 1 {n}
"7.9"
```

## A script fails half way
Both what it wrote and what it says are Upstash's.

```redis
> EVAL "redis.call('SET', KEYS[1], 'half') return redis.call('LPUSH', KEYS[1], 'x')" 1 {k}
(error) WRONGTYPE *
> GET {k}
"half"
```

## Slots of a pipeline are put down one by one
The first is as it should be.

```redis
> pipeline
  SET {k} v
  COPY {k} {k}
  EVAL "return cjson.encode({a = {}})" 0
end
1) OK
2) (error) ERR source and destination objects are the same
3) "{\"a\":{}}"
```
"#;

async fn target(spec: &str) -> Target {
    let spec = spec.parse().expect("a target");
    match open(&spec, &Options::default()).await.expect("a target") {
        Opened::Ready(target) => *target,
        Opened::Absent(reason) => panic!("{reason}"),
    }
}

async fn run(mut plan: Plan) -> Outcome {
    plan.catalogue = Catalogue::parse(BUILT_IN).expect("the repository's own catalogue");
    let plan = Arc::new(plan);
    let (events, _listener) = Events::channel();
    let (_keep, stop) = watch::channel(false);
    let mut executed = execute(&plan, &events, &stop).await;
    attribute(&plan, &mut executed, &stop).await;
    let time = (Timestamp::UNIX_EPOCH, Duration::from_secs(1));
    summarize(&plan, &executed, None, time.0, time.1, false)
}

/// The documented differences of the last target, in the order of scenarios and steps.
fn causes(outcome: &Outcome) -> Vec<&str> {
    let mut found: Vec<_> = outcome
        .scenarios
        .iter()
        .flat_map(|scenario| {
            let result = scenario.results.last().expect("a result");
            let differences = result.differences.iter();
            differences.map(|found| (scenario.line, found.step, found.path.clone(), found))
        })
        .collect();
    found.sort_by(|one, other| (one.0, one.1, &one.2).cmp(&(other.0, other.1, &other.2)));
    let cause = |found: &(usize, usize, Vec<usize>, _)| -> &str {
        let found: &swapcheck::run::DifferenceOutcome = found.3;
        found.documented.as_deref().unwrap_or("unexpected")
    };
    found.iter().map(cause).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_differences_are_put_down_to_the_quirks_they_come_from() {
    let mut alone = fake::plan(OURS, vec![target("mock").await]);
    alone.reference = None;
    let mut outcomes = vec![run(alone).await];
    if let Some(redis) = RedisServer::start(&[]) {
        let both = vec![target(&redis.url()).await, target("mock").await];
        outcomes.push(run(fake::plan(OURS, both)).await);
    }
    for outcome in &outcomes {
        assert_eq!(
            causes(outcome),
            [
                "cjson-empty-table",
                "float-digits",
                "script-fraction",
                "script-error-class",
                "script-rollback",
                "copy-onto-itself",
                "cjson-empty-table",
            ]
        );
        for scenario in &outcome.scenarios {
            let result = scenario.results.last().expect("a result");
            assert_eq!(result.verdict, Verdict::Documented, "{}", scenario.id);
        }
        assert_eq!(outcome.exit_code, 0);
        let what = &outcome.scenarios[0]
            .results
            .last()
            .expect("a result")
            .differences;
        assert!(
            what.iter()
                .any(|found| found.what.contains("when its quirk")),
            "{what:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_mock_does_not_predict_stays_unexpected() {
    let document =
        "## Empty\nNothing.\n\n```redis\n> EVAL \"return cjson.encode({})\" 0\n\"{}\"\n```\n";
    let odd = Fake::answering("EVAL", Reply::Bulk(b"[[]]".to_vec())).over_rest();
    let mut plan = fake::plan(document, vec![odd.target("upstash", TargetKind::Upstash)]);
    plan.reference = None;
    let outcome = run(plan).await;
    assert_eq!(causes(&outcome), ["unexpected"]);
    assert_eq!(outcome.exit_code, 1);
}
