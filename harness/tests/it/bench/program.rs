//! `swapcheck bench` as a program: wrong flags, shards, and its manners on somebody else's server.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mock_upstash::MockUpstash;
use swapcheck::bench::Outcome;

use crate::server::RedisServer;
use crate::target::guest::{ask_owner, everything, with_others_keys};

/// A benchmark of next to nothing, but for its duration.
const SHORT: [&str; 4] = ["--warmup", "2ms", "--rounds", "3"];

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swapcheck"));
    command
        .arg("bench")
        .args(arguments)
        .env("XDG_STATE_HOME", folder)
        .current_dir(folder)
        .stdin(Stdio::null());
    for name in [
        "UPSTASH_REDIS_REST_URL",
        "UPSTASH_REDIS_REST_TOKEN",
        "UPSTASH_REDIS_URL",
        "KV_REST_API_URL",
        "KV_REST_API_TOKEN",
    ] {
        command.env_remove(name);
    }
    command
}

fn bench(folder: &Path, arguments: &[&str]) -> Ran {
    let output = command(folder, arguments).output().expect("it runs");
    let ran = Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    ran
}

/// Runs it with figures saved, and reads them.
fn measured(folder: &Path, arguments: &[&str]) -> (Ran, Outcome) {
    let mut all = [&SHORT, arguments, &["--save", "saved.json"]].concat();
    if !arguments.contains(&"--duration") {
        all.extend(["--duration", "9ms"]);
    }
    let ran = bench(folder, &all);
    let outcome = Outcome::read(&folder.join("saved.json"))
        .unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
    (ran, outcome)
}

#[test]
fn a_wrong_flag_gets_one_clear_message() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("other.json"), "{}").expect("it is written");
    std::fs::create_dir(folder.path().join("folder")).expect("it is made");
    for (arguments, said) in [
        (&["--target", "reddis"][..], "did you mean 'redis'"),
        (&["--target", "mock", "--target", "mock"], "two targets"),
        (&["--target", "upstash"], "UPSTASH_REDIS_REST_URL"),
        (&["--filter", "[x"], "is no glob"),
        (&["--filter", "nothing"], "no case is left"),
        (&["--filter", "zadd/100b/pipeline/10"], "--full"),
        (&["--size", "0"], "--size"),
        (&["--size", "1kb"], "--size"),
        (&["--batch", "0"], "--batch"),
        (&["--clients", "0"], "--clients"),
        (&["--clients", "9999"], "--clients"),
        (&["--rate", "0"], "operations per second"),
        (&["--rate", "fast"], "operations per second"),
        (&["--rate", "2"], "starts fewer than 10 operations"),
        (&["--arrival", "poisson"], "--rate"),
        (&["--rate", "5", "--arrival", "bursts"], "constant, poisson"),
        (&["--duration", "0ms"], "measures nothing"),
        (&["--duration", "5"], "a number and its unit"),
        (&["--duration", "2h"], "a number and its unit"),
        (&["--duration", "4000s"], "an hour is the most"),
        (&["--warmup", "long"], "a number and its unit"),
        (&["--rounds", "2"], "--rounds"),
        (&["--timeout", "0s"], "lets no answer in"),
        (&["--rtt", "20"], "a number and its unit"),
        (&["--rtt", "1ms,x"], "a number and its unit"),
        (&["--jitter", "1ms"], "--rtt"),
        (&["--connections", "new"], "kept, fresh"),
        (&["--pool", "0"], "--pool"),
        (&["--pool", "2", "--connections", "fresh"], "leave one"),
        (&["--http", "3"], "1.1, 2"),
        (&["--seed", "x"], "--seed"),
        (&["--max-commands", "many"], "--max-commands"),
        (&["--cost-rate", "0"], "operations per second"),
        (&["--full", "--full"], "--full"),
        (&["--compare", "missing.json"], "cannot be read"),
        (&["--compare", "other.json"], "is not what swapcheck bench"),
        (&["--fail-on", "p99>+5%"], "--compare"),
        (&["--compare", "x", "--fail-on", "p98>+5%"], "is no rule"),
        (&["--report", "xml=x"], "json, markdown, html or hlog"),
        (&["--report", "hlog"], "write the file after it"),
        (&["--report", "html=folder"], "is a folder"),
        (&["--save", "other.json/x"], "cannot be written"),
        (&["--shard", "3"], "is no part"),
        (&["--shard", "0/4"], "is no part"),
        (&["--shard", "5/4"], "is no part"),
        (&["--shard", "900/900"], "no case is left"),
        (
            &["--target", "redis://127.0.0.1:1", "--ca-file", "none.pem"],
            "none.pem",
        ),
        (&["merge"], "<FILE>"),
        (&["merge", "other.json"], "2 values"),
        (&["merge", "other.json", "missing.json"], "is not what"),
        (&["--no-such-flag"], "--no-such-flag"),
    ] {
        let ran = bench(folder.path(), arguments);
        let unreachable = arguments.contains(&"upstash");
        let code = if unreachable { 3 } else { 2 };
        assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
        let errors = ran.err.matches("error:").count();
        assert_eq!(errors, 1, "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn shards_make_the_whole_in_its_order() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let choice = ["--target", "mock", "--size", "100,1000", "--batch", "2"];
    let mut cases = Vec::new();
    for part in ["1/2", "2/2"] {
        let (ran, outcome) = measured(folder.path(), &[&choice[..], &["--shard", part]].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        cases.extend(
            outcome
                .cases
                .iter()
                .map(|case| (case.number, case.id.clone())),
        );
        let name = format!("{}.json", &part[..1]);
        std::fs::rename(folder.path().join("saved.json"), folder.path().join(name))
            .expect("it is there");
    }
    cases.sort();
    let ran = bench(
        folder.path(),
        &["merge", "2.json", "1.json", "--save", "whole.json"],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!ran.out.contains("not the whole"), "{}", ran.out);
    let whole = Outcome::read(&folder.path().join("whole.json")).expect("it is written");
    let merged = whole
        .cases
        .iter()
        .map(|case| (case.number, case.id.clone()));
    assert_eq!(merged.collect::<Vec<_>>(), cases);
    let all = swapcheck::bench::operation::cases(&[100, 1000], &[2], false);
    assert_eq!(cases.len(), all.len());

    let twice = bench(folder.path(), &["merge", "1.json", "1.json"]);
    assert_eq!(twice.code, Some(2), "{}", twice.err);
    assert!(twice.err.contains("given twice"), "{}", twice.err);
}

#[tokio::test]
async fn a_guest_leaves_what_was_there_and_sends_nothing_that_concerns_the_whole_database() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    with_others_keys(&server).await;
    let before = everything(&server).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = server.url();
    let small = [
        "--size",
        "100",
        "--batch",
        "1,3",
        "--full",
        "--clients",
        "2",
    ];
    let (ran, outcome) = measured(folder.path(), &[&small[..], &["--target", &url]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for case in &outcome.cases {
        let one = &case.results[0];
        assert!(one.count > 0 && one.errors == 0, "{}: {one:?}", case.id);
    }
    assert!(outcome.targets[0].billable > 0);
    let sent = ask_owner(&server, &["INFO", "commandstats"]).await;
    for never in [
        "flushall",
        "flushdb",
        "config",
        "script|flush",
        "function|flush",
        "acl|setuser",
        "select",
    ] {
        assert!(
            !sent.contains(&format!("cmdstat_{never}:")),
            "{never}: {sent}"
        );
    }
    // This test's own, before the benchmark.
    assert!(sent.contains("cmdstat_keys:calls=1,"), "{sent}");
    assert_eq!(everything(&server).await, before);
}

#[tokio::test]
async fn a_budget_is_kept_and_every_case_has_its_share() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = server.url();
    let all = ["--target", &url, "--size", "100", "--duration", "300ms"];
    let (ran, outcome) = measured(
        folder.path(),
        &[&all[..], &["--batch", "2", "--max-commands", "3000"]].concat(),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(outcome.targets[0].billable <= 3000, "{:?}", outcome.targets);
    for case in &outcome.cases {
        let one = &case.results[0];
        assert!(
            one.count >= 3 && one.stopped.is_none(),
            "{}: {one:?}",
            case.id
        );
    }
    assert!(ran.out.contains("--max-commands"), "{}", ran.out);

    let (ran, outcome) = measured(
        folder.path(),
        &[&all[..], &["--max-commands", "60"]].concat(),
    );
    assert!(outcome.targets[0].billable <= 60, "{:?}", outcome.targets);
    assert!(ran.out.contains("the budget of 60"), "{}", ran.out);
    let failures: u64 = outcome
        .cases
        .iter()
        .map(|case| case.results[0].errors)
        .sum();
    assert_eq!(failures, 0, "{}", ran.out);
    assert_eq!(everything(&server).await, []);
}

#[tokio::test]
async fn what_a_server_forbids_is_an_error_and_no_latency() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    let rules = [
        "ACL",
        "SETUSER",
        "guest",
        "on",
        ">pw",
        "~swapcheck:*",
        "+@all",
        "-eval",
    ];
    ask_owner(&server, &rules).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = server.url().replace("redis://", "redis://guest:pw@");
    let some = [
        "--filter", "get/100b", "--filter", "eval/*", "--size", "100",
    ];
    let (ran, outcome) = measured(folder.path(), &[&some[..], &["--target", &url]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let [get, eval] = &outcome.cases[..] else {
        panic!("{:?}", outcome.cases);
    };
    assert!(get.results[0].count > 0 && get.results[0].errors == 0);
    let refused = &eval.results[0];
    assert!(refused.errors > 0 && refused.count == 0 && refused.figures.is_none());
    let reason = refused.first_error.as_deref().unwrap_or_default();
    assert!(reason.contains("NOPERM"), "{reason}");
    assert!(
        ran.out.contains("failed") && !ran.out.contains(":pw@"),
        "{}",
        ran.out
    );

    let nothing = ["--filter", "eval/*", "--size", "100", "--target", &url];
    let (ran, _) = measured(folder.path(), &nothing);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(ran.err.contains("nothing could be measured"), "{}", ran.err);
}

#[tokio::test]
async fn a_cold_start_over_tls_shows_its_stages() {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let mock = MockUpstash::builder()
        .tls(true)
        .start()
        .await
        .expect("a mock");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let authority = mock.tls_ca_pem().expect("TLS is on").to_owned();
    std::fs::write(folder.path().join("ca.pem"), authority).expect("it is written");
    let url = format!("{}?_token={}", mock.url(), mock.token());
    for http in ["1.1", "2"] {
        let flags = ["--target", &url, "--ca-file", "ca.pem", "--http", http];
        let which = [
            "--filter",
            "cold-start",
            "--filter",
            "get/100b",
            "--rtt",
            "3ms",
        ];
        let folder = folder.path().to_owned();
        let arguments: Vec<String> = [flags, which]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let (ran, outcome) = tokio::task::spawn_blocking(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            measured(&folder, &arguments)
        })
        .await
        .expect("it runs");
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let cold = outcome.cases.iter().find(|case| case.id == "cold-start");
        let one = &cold.expect("it was measured").results[0];
        assert!(one.count > 0, "{one:?}");
        let stages = one.stages.as_ref().expect("they were timed");
        // A round trip for TCP, one for TLS 1.3, one for the request.
        for stage in [&stages.connect, &stages.tls, &stages.first_byte] {
            let least = stage.quantile_us(0.0);
            assert!(least >= 2_990.0, "HTTP/{http}: {least}");
        }
        assert!(
            ran.out.contains("TLS") && !ran.out.contains(mock.token()),
            "{}",
            ran.out
        );
    }
    mock.stop().await;
}

/// Starts a benchmark that takes minutes.
fn long(server: &RedisServer, folder: &Path) -> Child {
    command(folder, &["--target", &server.url(), "--duration", "60s"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}

#[tokio::test]
async fn an_interrupted_benchmark_leaves_nothing_behind() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    with_others_keys(&server).await;
    let before = everything(&server).await;
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut child = long(&server, folder.path());
        let limit = Instant::now() + Duration::from_secs(60);
        while everything(&server).await.len() == before.len() {
            assert!(Instant::now() < limit, "it made no keys");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .expect("kill is there");
        assert!(sent.success());
        let status = child.wait().expect("it ends");
        assert!(!status.success(), "{signal}: {status}");
        assert_eq!(everything(&server).await, before, "{signal}");
        // Figures of what was measured until then are not lost.
        assert!(folder.path().join("target/swapcheck/bench.json").is_file());
    }
}
