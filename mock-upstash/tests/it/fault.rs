//! Faults, each met by a real client.

use std::time::{Duration, Instant};

use mock_upstash::{Effect, Fault, MockUpstash};
use redis::AsyncCommands;
use reqwest::{Client, StatusCode};

use crate::rest::{answer, post, start};

pub(crate) async fn connect(mock: &MockUpstash) -> redis::aio::MultiplexedConnection {
    let url = mock.redis_url().expect("spoken by default");
    let client = redis::Client::open(url).expect("a valid URL");
    client
        .get_multiplexed_async_connection()
        .await
        .expect("it connects")
}

async fn incr(mock: &MockUpstash, client: &Client) -> reqwest::Result<String> {
    post(mock, client, "/incr/n").send().await?.text().await
}

#[tokio::test]
async fn a_connection_can_end_before_or_after_the_command_took_effect() {
    let (mock, client) = start().await;
    mock.inject(Fault::new(Effect::ResetBefore).on("INCR").times(1));
    assert!(incr(&mock, &client).await.is_err());
    mock.inject(Fault::new(Effect::ResetAfter).on("INCR").times(1));
    assert!(incr(&mock, &client).await.is_err());
    // The first had no effect, the second had.
    assert_eq!(
        incr(&mock, &client).await.expect("an answer"),
        r#"{"result":2}"#
    );

    let mut redis = connect(&mock).await;
    mock.inject(Fault::new(Effect::ResetBefore).on("INCRBY").times(1));
    assert!(redis.incr::<_, _, i64>("n", 1).await.is_err());
    let mut redis = connect(&mock).await;
    mock.inject(Fault::new(Effect::ResetAfter).on("INCRBY").times(1));
    assert!(redis.incr::<_, _, i64>("n", 1).await.is_err());
    assert_eq!(
        incr(&mock, &client).await.expect("an answer"),
        r#"{"result":4}"#
    );
}

#[tokio::test]
async fn an_error_or_a_status_takes_the_place_of_the_answer() {
    let (mock, client) = start().await;
    mock.inject(
        Fault::error("ERR max requests limit exceeded. Limit: 500000, Usage: 500000.").on("SET"),
    );
    let (status, body) = answer(post(&mock, &client, "/set/k/v")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(
        body,
        r#"{"error":"ERR max requests limit exceeded. Limit: 500000, Usage: 500000."}"#
    );
    let error = connect(&mock)
        .await
        .set::<_, _, ()>("k", "v")
        .await
        .expect_err("refused");
    assert!(
        error.to_string().contains("max requests limit exceeded"),
        "{error}"
    );
    mock.clear_faults();
    assert_eq!(
        answer(post(&mock, &client, "/get/k")).await.1,
        r#"{"result":null}"#
    );
    mock.inject(Fault::status(502, "<html>bad gateway</html>"));
    let (status, body) = answer(post(&mock, &client, "/get/k")).await;
    assert_eq!(
        (status, body.as_str()),
        (StatusCode::BAD_GATEWAY, "<html>bad gateway</html>")
    );
}

#[tokio::test]
async fn an_answer_can_be_cut_or_slow() {
    let (mock, client) = start().await;
    mock.inject(Fault::new(Effect::HalfAnswer).on("INCR").times(1));
    let response = post(&mock, &client, "/incr/n")
        .send()
        .await
        .expect("a head");
    assert!(response.text().await.is_err());
    mock.inject(
        Fault::new(Effect::Drip {
            bytes: 3,
            interval_ms: 1,
        })
        .times(2),
    );
    assert_eq!(
        incr(&mock, &client).await.expect("an answer"),
        r#"{"result":2}"#
    );
    let mut redis = connect(&mock).await;
    assert_eq!(redis.incr::<_, _, i64>("n", 1).await.expect("an answer"), 3);
    // Delays are the system's time, which clients wait by, and not the mock's.
    let late = Duration::from_millis(20);
    mock.inject(Fault::new(Effect::Delay {
        ms: 20,
        jitter_ms: 10,
    }));
    let asked = Instant::now();
    assert_eq!(
        incr(&mock, &client).await.expect("an answer"),
        r#"{"result":4}"#
    );
    assert!(asked.elapsed() >= late, "{:?}", asked.elapsed());
    let asked = Instant::now();
    assert_eq!(redis.incr::<_, _, i64>("n", 1).await.expect("an answer"), 5);
    assert!(asked.elapsed() >= late, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn over_tcp_an_answer_can_be_cut_and_a_gateway_be_down() {
    let (mock, _) = start().await;
    for effect in [
        Effect::HalfAnswer,
        Effect::Status {
            status: 502,
            body: String::new(),
        },
    ] {
        let mut redis = connect(&mock).await;
        mock.inject(Fault::new(effect.clone()).on("INCRBY").times(1));
        assert!(redis.incr::<_, _, i64>("n", 1).await.is_err(), "{effect:?}");
    }
    // Half an answer is that of a command that took effect.
    let mut redis = connect(&mock).await;
    assert_eq!(redis.incr::<_, _, i64>("n", 1).await.expect("an answer"), 2);
    mock.inject(Fault::new(Effect::BlackHole).on("INCRBY"));
    let waiting = redis.incr::<_, _, i64>("n", 1);
    let patience = Duration::from_millis(50);
    assert!(tokio::time::timeout(patience, waiting).await.is_err());
}

#[tokio::test]
async fn a_black_hole_never_answers() {
    let (mock, client) = start().await;
    mock.inject(Fault::new(Effect::BlackHole).on_key("n"));
    let impatient = post(&mock, &client, "/incr/n").timeout(Duration::from_millis(50));
    assert!(impatient.send().await.expect_err("no answer").is_timeout());
    assert_eq!(
        answer(post(&mock, &client, "/incr/other")).await.1,
        r#"{"result":1}"#
    );
    mock.clear_faults();
    assert_eq!(
        incr(&mock, &client).await.expect("an answer"),
        r#"{"result":1}"#
    );
}
