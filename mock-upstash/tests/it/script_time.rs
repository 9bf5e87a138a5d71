//! How long scripts may run, one by one and together, met by real clients. No test waits: what scripts
//! have used is set, and the clock is moved.

use std::time::Duration;

use mock_upstash::{Assumption, Builder, Fault, Limit, MockUpstash, Plan, Quirk, UsageChange};
use reqwest::{Client, StatusCode};

use crate::fact::{body, error};
use crate::fault::connect;
use crate::rest::{answer, client, post};

const SCRIPTS: [&str; 2] = [
    r#"["EVAL","return 1","0"]"#,
    r#"["EVALSHA_RO","e0e1f9fabfc9d4800c877a703b823ac0578ff8db","0"]"#,
];
const DONE: &str = r#"{"result":1}"#;

async fn start(builder: Builder) -> (MockUpstash, Client) {
    let client = client();
    let mock = builder.start().await.expect("a free port");
    // A minute begins, and time stands still.
    mock.freeze();
    let get = client.get(format!("{}/_mock/time", mock.url()));
    let time = answer(get.bearer_auth(mock.token())).await.1;
    let time: serde_json::Value = serde_json::from_str(&time).expect("JSON");
    let now_ms = time["now_ms"].as_u64().expect("a number");
    mock.advance(Duration::from_millis(60_000 - now_ms % 60_000));
    (mock, client)
}

fn use_up(mock: &MockUpstash, us: u64) {
    mock.set_usage(UsageChange {
        minute_script_us: Some(us),
        ..UsageChange::default()
    });
}

fn refusal(limit_ms: u64, used_ms: u64) -> (StatusCode, String) {
    error(&format!(
        "ERR max script time exceeded. Limit: {limit_ms} ms per minute, Usage: {used_ms} ms"
    ))
}

#[tokio::test]
async fn scripts_share_the_time_of_a_minute() {
    let builder = MockUpstash::builder().limit(Limit::ScriptMsPerMinute, Some(10_000));
    let (mock, client) = start(builder).await;
    for script in SCRIPTS {
        assert_eq!(body(&mock, &client, "/", script).await, DONE);
    }
    let before = mock.usage();
    use_up(&mock, 10_000_000);
    for script in SCRIPTS {
        let refused = answer(post(&mock, &client, "/").body(script)).await;
        assert_eq!(refused, refusal(10_000, 10_000), "{script}");
        let within = format!(r#"[["SET","k","v"],{script}]"#);
        let discarded = answer(post(&mock, &client, "/multi-exec").body(within)).await;
        assert_eq!(discarded, refusal(10_000, 10_000));
    }
    let mut redis = connect(&mock).await;
    let mut eval = redis::cmd("EVAL");
    let told = eval.arg("return 1").arg(0).query_async::<i64>(&mut redis);
    let told = told.await.expect_err("refused").to_string();
    assert!(told.contains("max script time exceeded"), "{told}");
    // Everything else goes on, and what is refused is not billed.
    assert_eq!(
        body(&mock, &client, "/exists/k", "").await,
        r#"{"result":0}"#
    );
    assert_eq!(mock.usage().by_command["EVAL"], before.by_command["EVAL"]);
    mock.advance(Duration::from_secs(59));
    let refused = answer(post(&mock, &client, "/").body(SCRIPTS[0])).await;
    assert_eq!(refused, refusal(10_000, 10_000));
    mock.advance(Duration::from_secs(1));
    assert_eq!(body(&mock, &client, "/", SCRIPTS[0]).await, DONE);
}

#[tokio::test]
async fn the_time_that_a_script_took_is_counted() {
    let builder = MockUpstash::builder().limit(Limit::ScriptMsPerMinute, Some(1));
    let (mock, client) = start(builder).await;
    let long = r#"["EVAL","for i = 1, 2e6 do end return 1","0"]"#;
    // A script that has begun is not cut off.
    assert_eq!(body(&mock, &client, "/", long).await, DONE);
    let usage = mock.usage();
    assert!(usage.minute_script_us > 1000, "{usage:?}");
    assert_eq!(usage.script_us, usage.minute_script_us);
    let refused = answer(post(&mock, &client, "/").body(long)).await;
    assert_eq!(refused, refusal(1, usage.minute_script_us / 1000));
    mock.advance(Duration::from_secs(60));
    let later = mock.usage();
    assert_eq!(
        (later.minute_script_us, later.script_us),
        (0, usage.script_us)
    );
    mock.set_limit(Limit::ScriptMsPerMinute, None);
    use_up(&mock, u64::MAX);
    assert_eq!(body(&mock, &client, "/", long).await, DONE);
    mock.reset();
    assert_eq!(mock.usage().minute_script_us, 0);
    assert_eq!(mock.limit(Limit::ScriptMsPerMinute), Some(1));
}

#[tokio::test]
async fn the_sample_values_hold_when_the_quirk_is_on() {
    let times = |mock: &MockUpstash| {
        (
            mock.limit(Limit::ScriptMs),
            mock.limit(Limit::ScriptMsPerMinute),
        )
    };
    let (mock, _) = start(MockUpstash::builder()).await;
    assert_eq!(times(&mock), (None, None));
    let quirk = || MockUpstash::builder().quirk(Quirk::ScriptTimeLimit, true);
    let (mock, client) = start(quirk()).await;
    assert_eq!(times(&mock), (Some(250), Some(10_000)));
    mock.set_plan(Plan::Fixed5Gb);
    assert_eq!(times(&mock), (Some(250), Some(10_000)));
    let change = r#"{"script-ms":20,"script-ms-per-minute":null}"#;
    let table = body(&mock, &client, "/_mock/limits", change).await;
    assert!(table.contains(r#""script-ms":20"#), "{table}");
    assert_eq!(times(&mock), (Some(20), None));
    let endless = r#"["EVAL","while true do end","0"]"#;
    let ended = answer(post(&mock, &client, "/").body(endless)).await;
    assert_eq!(ended.0, StatusCode::BAD_REQUEST);
    assert!(ended.1.contains("Script ended after 20 ms"), "{}", ended.1);
    let (mock, _) = start(quirk().limit(Limit::ScriptMs, None)).await;
    assert_eq!(times(&mock), (None, Some(10_000)));
}

#[tokio::test]
async fn time_for_scripts_may_flow_back() {
    let builder = MockUpstash::builder()
        .limit(Limit::ScriptMsPerMinute, Some(6000))
        .assume(Assumption::ScriptTimeFlowsBack, true);
    let (mock, client) = start(builder).await;
    use_up(&mock, 7_000_000);
    for (after_s, used_ms) in [(0, 7000), (9, 6100)] {
        mock.advance(Duration::from_secs(after_s));
        let refused = answer(post(&mock, &client, "/").body(SCRIPTS[0])).await;
        assert_eq!(refused, refusal(6000, used_ms));
    }
    mock.advance(Duration::from_secs(2));
    assert_eq!(body(&mock, &client, "/", SCRIPTS[0]).await, DONE);
}

#[tokio::test]
async fn scripts_may_wait_for_their_time() {
    let builder = MockUpstash::builder()
        .limit(Limit::ScriptMsPerMinute, Some(10_000))
        .assume(Assumption::ScriptTimeWaits, true);
    let (mock, client) = start(builder).await;
    use_up(&mock, 10_000_000);
    assert_eq!(
        body(&mock, &client, "/echo/x", "").await,
        r#"{"result":"x"}"#
    );
    let waiting = answer(post(&mock, &client, "/").body(SCRIPTS[0]));
    tokio::pin!(waiting);
    let other = body(&mock, &client, "/echo/y", "");
    tokio::select! {
        biased;
        (_, answered) = &mut waiting => panic!("{answered}"),
        echoed = other => assert_eq!(echoed, r#"{"result":"y"}"#),
    }
    mock.advance(Duration::from_secs(60));
    assert_eq!(waiting.await.1, DONE);
    let mut redis = connect(&mock).await;
    use_up(&mock, 10_000_000);
    let eval = async {
        let mut eval = redis::cmd("EVAL");
        eval.arg("return 1").arg(0);
        eval.query_async::<i64>(&mut redis).await
    };
    tokio::pin!(eval);
    tokio::select! {
        biased;
        answered = &mut eval => panic!("{answered:?}"),
        echoed = body(&mock, &client, "/echo/z", "") => assert_eq!(echoed, r#"{"result":"z"}"#),
    }
    mock.advance(Duration::from_secs(60));
    assert_eq!(eval.await.expect("an answer"), 1);
}

#[tokio::test]
async fn a_fault_may_feign_the_limits_of_scripts() {
    let (mock, client) = start(MockUpstash::builder()).await;
    for (limit, text) in [
        (
            Limit::ScriptMs,
            "ERR Script ended after 250 ms, the longest a script may run",
        ),
        (
            Limit::ScriptMsPerMinute,
            "ERR max script time exceeded. Limit: 10000 ms per minute, Usage: 10000 ms",
        ),
    ] {
        mock.inject(Fault::limit(limit).on("EVAL").times(1));
        let refused = answer(post(&mock, &client, "/").body(SCRIPTS[0])).await;
        assert_eq!(refused, error(text));
    }
}
