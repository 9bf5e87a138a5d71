//! Commands as a bill counts them, quotas, and the pace that a plan allows.

use std::time::Duration;

use mock_upstash::{Assumption, Limit, MockUpstash, Plan, UsageChange};
use redis::AsyncCommands;
use reqwest::{Client, Method, StatusCode};

use crate::fault::connect;
use crate::rest::{answer, post, start};

async fn ask(mock: &MockUpstash, client: &Client, path: &str, body: &str) -> (StatusCode, String) {
    answer(post(mock, client, path).body(body.to_owned())).await
}

#[tokio::test]
async fn commands_are_counted_as_they_are_billed() {
    let mock = MockUpstash::builder()
        .read_regions(2)
        .start()
        .await
        .expect("a free port");
    let client = crate::rest::client();
    ask(&mock, &client, "/set/k/v", "").await;
    ask(&mock, &client, "/mget/k/a/b", "").await;
    ask(
        &mock,
        &client,
        "/pipeline",
        r#"[["GET","k"],["GET","k"],["PING"]]"#,
    )
    .await;
    ask(
        &mock,
        &client,
        "/multi-exec",
        r#"[["INCR","n"],["GET","n"]]"#,
    )
    .await;
    let script =
        "for i = 1, 3 do redis.call('INCR', KEYS[1]) end return redis.pcall('GET', KEYS[1])";
    ask(
        &mock,
        &client,
        "/",
        &format!(r#"["EVAL","{script}","1","n"]"#),
    )
    .await;
    let usage = mock.usage();
    assert_eq!((usage.commands, usage.script_commands), (8, 4));
    // SET and four INCRs, once more for each of two regions.
    assert_eq!((usage.writes, usage.replicated_writes), (5, 10));
    assert_eq!(usage.billed, 22);
    assert_eq!((usage.month_commands, usage.day_commands), (22, 22));
    let counted = |name: &str| usage.by_command.get(name).copied().unwrap_or(0);
    let names = ["SET", "MGET", "GET", "PING", "INCR", "EVAL"];
    assert_eq!(names.map(counted), [1, 1, 4, 1, 4, 1]);
    assert_eq!(usage.reads, 5);
}

#[tokio::test]
async fn connecting_is_free_and_what_is_refused_is_not() {
    let (mock, _) = start().await;
    // AUTH, and CLIENT SETINFO twice.
    let mut redis = connect(&mock).await;
    let before = mock.usage();
    assert_eq!(before.billed, 0);
    assert!(before.free_commands > 0);
    assert_eq!(before.connections, 1);
    let () = redis.set("k", "v").await.expect("OK");
    let wrong: redis::RedisResult<i64> = redis.incr("k", 1).await;
    assert!(wrong.is_err());
    let unknown: redis::RedisResult<i64> = redis::cmd("NONSENSE").query_async(&mut redis).await;
    assert!(unknown.is_err());
    let mut transaction = redis::pipe();
    transaction.atomic().get("k").get("k");
    let () = transaction.query_async(&mut redis).await.expect("replies");
    let usage = mock.usage();
    // SET, INCRBY, NONSENSE, MULTI, GET, GET, EXEC.
    assert_eq!(usage.billed, 7);
    assert_eq!(usage.by_command["(unknown)"], 1);
}

#[tokio::test]
async fn what_is_billed_can_be_assumed_otherwise() {
    let assume = |assumption: Assumption| MockUpstash::builder().assume(assumption, true).start();
    let client = crate::rest::client();
    let mock = assume(Assumption::MonitoringFree)
        .await
        .expect("a free port");
    ask(
        &mock,
        &client,
        "/pipeline",
        r#"[["PING"],["INFO"],["GET","k"]]"#,
    )
    .await;
    assert_eq!(mock.usage().billed, 1);
    let mock = assume(Assumption::RefusedFree).await.expect("a free port");
    ask(
        &mock,
        &client,
        "/pipeline",
        r#"[["NONSENSE"],["GET"],["GET","k"]]"#,
    )
    .await;
    assert_eq!(mock.usage().billed, 1);
    let mock = assume(Assumption::ConnectionBilled)
        .await
        .expect("a free port");
    drop(connect(&mock).await);
    assert!(mock.usage().billed > 0);
    let mock = assume(Assumption::TransactionFrameFree)
        .await
        .expect("a free port");
    let mut redis = connect(&mock).await;
    let mut transaction = redis::pipe();
    transaction.atomic().get("k");
    let () = transaction.query_async(&mut redis).await.expect("replies");
    assert_eq!(mock.usage().billed, 1);
}

#[tokio::test]
async fn a_month_that_is_used_up_refuses_everything_until_the_next() {
    let (mock, client) = start().await;
    mock.set_plan(Plan::Free);
    let mut redis = connect(&mock).await;
    ask(&mock, &client, "/set/k/v", "").await;
    let used_up = mock.limit(Limit::MonthlyCommands);
    mock.set_usage(UsageChange {
        month_commands: used_up,
        ..UsageChange::default()
    });
    let refusal = r#"{"error":"ERR max requests limit exceeded. Limit: 500000, Usage: 500000. See https://upstash.com/docs/redis/troubleshooting/max_requests_limit for details"}"#;
    for path in ["/get/k", "/set/k/w", "/ping", "/del/k"] {
        let met = ask(&mock, &client, path, "").await;
        assert_eq!(met, (StatusCode::BAD_REQUEST, refusal.to_owned()), "{path}");
    }
    let several = r#"[["GET","k"],["GET","k"]]"#;
    let pipeline = ask(&mock, &client, "/pipeline", several).await;
    assert_eq!(pipeline, (StatusCode::OK, format!("[{refusal},{refusal}]")));
    let transaction = ask(&mock, &client, "/multi-exec", several).await;
    assert_eq!(transaction, (StatusCode::BAD_REQUEST, refusal.to_owned()));
    let told: redis::RedisResult<String> = redis.get("k").await;
    assert!(
        told.expect_err("refused")
            .to_string()
            .contains("max requests limit exceeded")
    );
    // One can still connect, and see why.
    drop(connect(&mock).await);
    assert_eq!(mock.usage().month_commands, 500_000);
    mock.advance(Duration::from_secs(31 * 86_400));
    assert_eq!(
        ask(&mock, &client, "/get/k", "").await.1,
        r#"{"result":"v"}"#
    );
    assert_eq!(mock.usage().month_commands, 1);
}

#[tokio::test]
async fn a_day_that_is_used_up_is_over_tomorrow() {
    let (mock, client) = start().await;
    mock.set_limit(Limit::DailyCommands, Some(2));
    for _ in 0..2 {
        assert_eq!(ask(&mock, &client, "/ping", "").await.0, StatusCode::OK);
    }
    let (status, text) = ask(&mock, &client, "/ping", "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let wanted = "ERR max daily request limit exceeded. Limit: 2, Usage: 2. See https://upstash.com/docs/redis/troubleshooting/max_daily_request_limit for details";
    assert!(text.contains(wanted), "{text}");
    mock.advance(Duration::from_secs(86_400));
    assert_eq!(ask(&mock, &client, "/ping", "").await.0, StatusCode::OK);
}

#[tokio::test]
async fn commands_that_come_too_fast_wait() {
    let (mock, client) = start().await;
    mock.freeze();
    mock.set_limit(Limit::CommandsPerSecond, Some(10));
    // A second's worth may come at once.
    let ten = format!("[{}]", [r#"["PING"]"#; 10].join(","));
    assert_eq!(
        ask(&mock, &client, "/pipeline", &ten).await.0,
        StatusCode::OK
    );
    let (waiting, ()) = tokio::join!(ask(&mock, &client, "/ping", ""), async {
        until_billed_or_waiting(&mock, 10).await;
        mock.advance(Duration::from_millis(100));
    });
    assert_eq!(waiting.0, StatusCode::OK);
    let mut redis = connect_unpaced(&mock).await;
    let mut other = redis.clone();
    let waiting = tokio::spawn(async move {
        let pong: String = redis::cmd("PING")
            .query_async(&mut redis)
            .await
            .expect("PONG");
        pong
    });
    // The clock stands still: whoever waits gets on when it is moved.
    while !waiting.is_finished() {
        mock.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
    assert_eq!(waiting.await.expect("no panic"), "PONG");
    mock.set_limit(Limit::CommandsPerSecond, None);
    let pong: String = redis::cmd("PING")
        .query_async(&mut other)
        .await
        .expect("PONG");
    assert_eq!(pong, "PONG");
}

/// Lets the request in flight come as far as it does.
async fn until_billed_or_waiting(mock: &MockUpstash, billed: u64) {
    for _ in 0..1000 {
        assert_eq!(mock.usage().billed, billed);
        tokio::task::yield_now().await;
    }
}

async fn connect_unpaced(mock: &MockUpstash) -> redis::aio::MultiplexedConnection {
    let rate = mock.limit(Limit::CommandsPerSecond);
    mock.set_limit(Limit::CommandsPerSecond, None);
    let redis = connect(mock).await;
    mock.set_limit(Limit::CommandsPerSecond, rate);
    redis
}

#[tokio::test]
async fn a_bandwidth_that_is_used_up_slows_down() {
    let (mock, client) = start().await;
    mock.freeze();
    mock.set_limit(Limit::CommandsPerSecond, Some(100));
    mock.set_limit(Limit::MonthlyBandwidth, Some(1_000_000));
    let fifty = format!("[{}]", [r#"["PING"]"#; 50].join(","));
    assert_eq!(
        ask(&mock, &client, "/pipeline", &fifty).await.0,
        StatusCode::OK
    );
    let month_bandwidth = Some(1_000_000);
    mock.set_usage(UsageChange {
        month_bandwidth,
        ..UsageChange::default()
    });
    // A tenth of the rate: these fifty take four seconds more than the one that is free, and the
    // half second that is used already.
    let waiting = ask(&mock, &client, "/pipeline", &fifty);
    let mut waiting = std::pin::pin!(waiting);
    let moved = async {
        for _ in 0..44 {
            mock.advance(Duration::from_millis(100));
            until_billed_or_waiting(&mock, 50).await;
        }
        mock.advance(Duration::from_millis(200));
    };
    let ((status, _), ()) = tokio::join!(waiting.as_mut(), moved);
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn usage_and_limits_are_read_and_set_over_http() {
    let (mock, client) = start().await;
    let control = async |method: Method, path: &str, body: &'static str| {
        let request = client.request(method, format!("{}/_mock/{path}", mock.url()));
        answer(request.bearer_auth(mock.token()).body(body)).await
    };
    ask(&mock, &client, "/set/k/v", "").await;
    let (status, text) = control(Method::GET, "usage", "").await;
    assert_eq!(status, StatusCode::OK);
    let usage: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(usage["billed"], 1);
    assert_eq!(usage["by_command"]["SET"], 1);
    assert_eq!(usage["storage"], 2);
    let (_, text) = control(Method::PUT, "usage", r#"{"month_commands": 499999}"#).await;
    let usage: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(usage["month_commands"], 499_999);
    let (_, text) = control(Method::PUT, "plan", r#""free""#).await;
    let limits: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(limits["monthly-commands"], 500_000);
    assert_eq!(limits["daily-commands"], serde_json::Value::Null);
    assert_eq!(ask(&mock, &client, "/get/k", "").await.0, StatusCode::OK);
    assert_eq!(
        ask(&mock, &client, "/get/k", "").await.0,
        StatusCode::BAD_REQUEST
    );
    let changes = r#"{"monthly-commands": null, "max-key-size": 2}"#;
    assert_eq!(
        control(Method::PUT, "limits", changes).await.0,
        StatusCode::OK
    );
    assert_eq!(ask(&mock, &client, "/get/k", "").await.0, StatusCode::OK);
    assert_eq!(
        ask(&mock, &client, "/get/key", "").await.0,
        StatusCode::BAD_REQUEST
    );
    for (path, mistake) in [
        ("plan", r#""pro""#),
        ("limits", r#"{"max-size": 1}"#),
        ("usage", r#"{"billed": 1}"#),
    ] {
        assert_eq!(
            control(Method::PUT, path, mistake).await.0,
            StatusCode::BAD_REQUEST
        );
    }
    mock.reset();
    assert_eq!(mock.usage().billed, 0);
    assert_eq!(mock.limit(Limit::MaxKeySize), Some(32_768));
}

#[tokio::test]
async fn an_upstream_is_held_to_limits_and_counted_too() {
    let (behind, _) = start().await;
    let mock = MockUpstash::builder()
        .upstream(behind.redis_url().expect("spoken"))
        .plan(Plan::Free)
        .limit(Limit::MaxRequestSize, Some(1000))
        .limit(Limit::MaxReplySize, Some(100))
        .start()
        .await
        .expect("a free port");
    let client = crate::rest::client();
    let large = "x".repeat(1000);
    assert_eq!(ask(&mock, &client, "/set/k", &large).await.0, 413);
    assert_eq!(ask(&mock, &client, "/set/k", &large[..500]).await.0, 200);
    let (status, text) = ask(&mock, &client, "/get/k", "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        text.contains("Limit: 100 bytes, Actual: 500 bytes"),
        "{text}"
    );
    assert_eq!(mock.usage().billed, 2);
}
