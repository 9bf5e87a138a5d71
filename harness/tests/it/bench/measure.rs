//! The measurement as a whole, against targets of this process.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mock_upstash::{Fault, MockUpstash};
use swapcheck::bench::load::Arrival;
use swapcheck::bench::operation::{Case, cases};
use swapcheck::bench::{Distance, HttpVersion, Outcome, Plan, Relay, Settings, measure, terminal};
use swapcheck::target::{Opened, Options, Target, open};

fn settings(http: HttpVersion) -> Settings {
    Settings {
        clients: 2,
        rate: None,
        arrival: Arrival::Poisson,
        duration_ms: 12,
        warmup_ms: 2,
        rounds: 4,
        timeout_ms: 5_000,
        http,
        fresh: false,
        pool: None,
        jitter_us: 0,
        shard: None,
        seed: 1,
    }
}

async fn mock() -> Arc<Target> {
    match open(&"mock".parse().expect("a target"), &Options::default()).await {
        Ok(Opened::Ready(target)) => Arc::new(*target),
        Ok(Opened::Absent(reason)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    }
}

/// Measures on a runtime of its own, as the command line does.
async fn measured(
    targets: Vec<Arc<Target>>,
    settings: Settings,
    distance: Option<Distance>,
) -> Outcome {
    measured_cases(cases(&[100], &[1, 10], true), targets, settings, distance).await
}

async fn measured_cases(
    cases: Vec<Case>,
    targets: Vec<Arc<Target>>,
    settings: Settings,
    distance: Option<Distance>,
) -> Outcome {
    let plan = Plan {
        targets,
        cases,
        distances: vec![distance],
        settings,
        cost_rates: vec![1.0],
        main: tokio::runtime::Handle::current(),
    };
    let (_keep, stop) = tokio::sync::watch::channel(false);
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime
            .expect("a runtime")
            .block_on(measure(&plan, &stop, |_| {}))
    })
    .await
    .expect("it measures")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_works_on_the_mock_by_either_http_and_json_keeps_to_its_schema() {
    let schema = include_str!("../../../schema/bench.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    for http in [HttpVersion::Http1, HttpVersion::Http2] {
        let target = mock().await;
        let outcome = measured(vec![target.clone()], settings(http), None).await;
        assert_eq!(outcome.cases.len(), cases(&[100], &[1, 10], true).len());
        for case in &outcome.cases {
            for one in case.results.iter().chain(&case.again) {
                assert!(one.count > 0, "{} {http:?}: {:?}", case.id, one.first_error);
                assert_eq!(
                    (one.errors, one.timeouts),
                    (0, 0),
                    "{}: {:?}",
                    case.id,
                    one.first_error
                );
                assert_eq!(one.count, one.histogram.count());
            }
        }
        let cold = outcome
            .cases
            .iter()
            .find(|case| case.id == "cold-start")
            .expect("it is there");
        let stages = cold.results[0]
            .stages
            .as_ref()
            .expect("its stages were timed");
        assert!(stages.connect.count() > 0 && stages.first_byte.count() > 0);
        let text = outcome.json().expect("it is JSON");
        let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new());
        let read: Outcome = serde_json::from_str(&text).expect("it is read again");
        assert_eq!(
            read.cases[0].results[0].count,
            outcome.cases[0].results[0].count
        );
        assert!(terminal(&outcome, 100).contains("cold-start"));
        target.shutdown().await;
    }
}

#[test]
fn a_relay_delays_both_ways_and_changes_nothing() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the relay connects");
        let mut word = [0; 5];
        stream.read_exact(&mut word).expect("a word");
        stream.write_all(&word).expect("it is sent back");
    });
    let rtt = Duration::from_millis(10);
    let distance = Distance {
        rtt,
        jitter: Duration::ZERO,
    };
    let relay = Relay::start("127.0.0.1", port, distance, 1).expect("a relay");
    let mut stream = std::net::TcpStream::connect(relay.address()).expect("it listens");
    let since = Instant::now();
    stream.write_all(b"hello").expect("it takes a word");
    let mut word = Vec::new();
    stream
        .read_to_end(&mut word)
        .expect("it ends with the server");
    assert_eq!(word, b"hello");
    assert!(since.elapsed() >= rtt, "{:?}", since.elapsed());
}

/// A server that is asked five hundred times a second in rounds of 50 ms, and stalls for a second at
/// the twentieth time.
async fn stalled() -> Outcome {
    let mock = MockUpstash::builder().start().await.expect("a mock");
    let url = format!("{}?_token={}", mock.url(), mock.token());
    let target = match open(&url.parse().expect("a target"), &Options::default()).await {
        Ok(Opened::Ready(target)) => Arc::new(*target),
        Ok(Opened::Absent(reason)) => panic!("{reason}"),
        Err(error) => panic!("{error}"),
    };
    mock.inject(
        Fault::delay(Duration::from_secs(1))
            .on("GET")
            .every(20)
            .times(1),
    );
    let settings = Settings {
        clients: 1,
        rate: Some(500.0),
        arrival: Arrival::Constant,
        duration_ms: 1_500,
        warmup_ms: 0,
        rounds: 30,
        ..settings(HttpVersion::Http1)
    };
    let all = cases(&[100], &[1], false);
    let case = all.into_iter().filter(|case| case.id == "get/100b");
    let outcome = measured_cases(case.collect(), vec![target.clone()], settings, None).await;
    target.shutdown().await;
    mock.stop().await;
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stall_of_a_real_server_shows_in_an_open_loop() {
    let outcome = stalled().await;
    let one = &outcome.cases[0].results[0];
    let figures = one.figures.expect("it measured");
    // Those that were to start during the stall are all there, five hundred of them, though its round
    // was to end after 50 ms.
    assert!(one.count >= 1_200, "{one:?}");
    assert!(
        figures.p999_us.is_some_and(|us| us > 990_000.0),
        "{figures:?}"
    );
    assert!(
        figures.p90_us.is_some_and(|us| us > 600_000.0),
        "{figures:?}"
    );
}
