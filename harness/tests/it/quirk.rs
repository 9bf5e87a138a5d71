//! Every quirk of the mock shows as a documented difference, and none that is not documented; with the
//! quirk off, the run says that the difference did not show.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use mock_upstash::dialect::{Dialect, QUIRKS, Quirk, QuirkRow};
use mock_upstash::{Builder, MockUpstash};
use swapcheck::compare::{BUILT_IN, Catalogue, Entry, Verdict};
use swapcheck::run::{Events, Outcome, Plan, Planned, execute, summarize};
use swapcheck::suite::{Selection, load};
use swapcheck::target::{Options, RestConnector, Secret, Target, TargetKind, TcpConnector};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use url::Url;

use crate::server::{RedisServer, alone};

/// What is run: a Redis, the whole suite, and the catalogue.
struct Bench {
    runtime: Runtime,
    redis: RedisServer,
    suite: Vec<Planned>,
    catalogue: Catalogue,
}

impl Bench {
    fn new() -> Option<Bench> {
        Some(Bench {
            redis: RedisServer::start(&[])?,
            runtime: Runtime::new().expect("a runtime"),
            suite: load(&Selection::default()).expect("the suite is well-formed"),
            catalogue: Catalogue::parse(BUILT_IN).expect("the repository's own catalogue"),
        })
    }

    fn entries_of(&self, quirk: &str) -> Vec<&Entry> {
        let entries = self.catalogue.entries().iter();
        entries
            .filter(|entry| entry.quirks.iter().any(|id| id == quirk))
            .collect()
    }

    /// Runs the scenarios with these ids, or all, on Redis and on a mock over REST or over TCP.
    fn run(&self, mock: Builder, over: TargetKind, ids: Option<&BTreeSet<&str>>) -> Outcome {
        let wanted = |planned: &&Planned| ids.is_none_or(|ids| ids.contains(&*planned.scenario.id));
        let scenarios = self.suite.iter().filter(wanted).cloned().collect();
        self.runtime.block_on(async {
            let mock = mock.start().await.expect("a free port");
            let options = Options::default();
            let tcp = |url: &str| {
                let url = Url::parse(url).expect("a URL");
                Arc::new(TcpConnector::new(&url, &options).expect("a connector"))
            };
            let redis = tcp(&self.redis.url());
            let mut reference = Target::around("redis", TargetKind::Redis, redis, true);
            reference.version = Some("Redis 8.0.2".to_owned());
            let mut subject = match over {
                TargetKind::UpstashTcp => {
                    let url = mock.redis_url().expect("spoken");
                    Target::around("mock", over, tcp(&url), true)
                }
                _ => {
                    let url = Url::parse(&mock.url()).expect("a URL");
                    let connector = RestConnector::new(&url, Secret::new(mock.token()), &options);
                    let connector = Arc::new(connector.expect("a connector"));
                    Target::around("mock", TargetKind::Mock, connector, true)
                }
            };
            subject.version = Some("Upstash 1.18.1 (Redis 8.4.0)".to_owned());
            let plan = Arc::new(Plan {
                scenarios,
                targets: vec![reference, subject],
                reference: Some(0),
                absent: Vec::new(),
                required: Vec::new(),
                catalogue: self.catalogue.clone(),
                self_check: false,
                jobs: 8,
                seed: 1,
                run_id: Plan::new_run_id(),
                credentials: false,
            });
            let (events, _listener) = Events::channel();
            let (_keep, stop) = watch::channel(false);
            let executed = execute(&plan, &events, &stop).await;
            let time = (Timestamp::UNIX_EPOCH, Duration::from_secs(1));
            summarize(&plan, &executed, None, time.0, time.1, false)
        })
    }
}

/// Scenarios that differ in a way that is not documented.
fn unexpected(outcome: &Outcome) -> Vec<&str> {
    let differs = |verdict| verdict == Verdict::Differed;
    outcome
        .scenarios
        .iter()
        .filter(|run| run.results.iter().any(|result| differs(result.verdict)))
        .map(|run| &*run.id)
        .collect()
}

fn shown(outcome: &Outcome) -> BTreeSet<&str> {
    let found = outcome.documented.iter();
    found
        .filter(|found| !found.shown_in.is_empty())
        .map(|found| &*found.id)
        .collect()
}

fn missed(outcome: &Outcome) -> Vec<&str> {
    let found = outcome.documented.iter();
    found
        .flat_map(|found| &found.expected_but_absent)
        .map(String::as_str)
        .collect()
}

fn is_on(quirk: Quirk) -> bool {
    Dialect::UPSTASH.has(quirk)
}

#[test]
fn every_quirk_is_in_the_catalogue() {
    let catalogue = Catalogue::parse(BUILT_IN).expect("the repository's own catalogue");
    for row in QUIRKS {
        let entries = catalogue.entries().iter();
        let listed: Vec<_> = entries
            .filter(|entry| entry.quirks.iter().any(|id| id == row.id))
            .collect();
        assert!(
            !listed.is_empty(),
            "{} has no entry in scenarios/documented-differences.toml",
            row.id
        );
        for entry in listed {
            assert_eq!(
                entry.unseen.is_some(),
                row.unseen.is_some(),
                "{} and the quirk {} do not agree whether a scenario can show it",
                entry.id,
                row.id
            );
        }
    }
    for entry in catalogue.entries() {
        for id in &entry.quirks {
            let known = mock_upstash::dialect::find(id).is_some();
            assert!(known, "{}: no quirk is called {id}", entry.id);
        }
    }
}

#[test]
fn the_suite_shows_every_quirk_and_nothing_unexpected() {
    let _alone = alone();
    let Some(bench) = Bench::new() else {
        return;
    };
    let rest = bench.run(MockUpstash::builder(), TargetKind::Mock, None);
    let tcp = bench.run(MockUpstash::builder(), TargetKind::UpstashTcp, None);
    let mut switched = MockUpstash::builder();
    let usually_off = |row: &&QuirkRow| !is_on(row.quirk) && row.unseen.is_none();
    for row in QUIRKS.iter().filter(usually_off) {
        switched = switched.quirk(row.quirk, true);
    }
    let switched = bench.run(switched, TargetKind::Mock, None);
    for outcome in [&rest, &tcp, &switched] {
        assert_eq!(unexpected(outcome), [""; 0]);
        assert_eq!(missed(outcome), [""; 0]);
    }
    let usual: BTreeSet<&str> = shown(&rest).union(&shown(&tcp)).copied().collect();
    for row in QUIRKS.iter().filter(|row| row.unseen.is_none()) {
        let entries = bench.entries_of(row.id);
        let shown = if is_on(row.quirk) {
            &usual
        } else {
            &shown(&switched)
        };
        for entry in entries {
            assert!(shown.contains(&*entry.id), "{} did not show", entry.id);
        }
    }
}

#[test]
fn a_quirk_that_is_switched_off_is_missed() {
    let _alone = alone();
    let Some(bench) = Bench::new() else {
        return;
    };
    for row in QUIRKS {
        let entries = bench.entries_of(row.id);
        if !is_on(row.quirk) || row.unseen.is_some() {
            continue;
        }
        let ids: BTreeSet<&str> = entries
            .iter()
            .flat_map(|entry| entry.shows_in.iter().map(String::as_str))
            .collect();
        assert!(!ids.is_empty(), "{}: shows_in is empty", row.id);
        // What needs a connection is not tried over REST.
        let outcomes = [TargetKind::Mock, TargetKind::UpstashTcp].map(|over| {
            let mock = MockUpstash::builder().quirk(row.quirk, false);
            bench.run(mock, over, Some(&ids))
        });
        for outcome in &outcomes {
            assert_eq!(unexpected(outcome), [""; 0], "{}", row.id);
        }
        for entry in entries {
            let noticed = outcomes.iter().any(|outcome| {
                let mut found = outcome.documented.iter();
                found.any(|found| found.id == entry.id && !found.expected_but_absent.is_empty())
            });
            assert!(noticed, "{} off: nobody misses {}", row.id, entry.id);
        }
    }
}
