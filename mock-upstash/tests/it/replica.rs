//! Eventual consistency, as clients see it: stale reads, sync tokens, what a failover loses.

use std::time::Duration;

use mock_upstash::{Assumption, Builder, MockUpstash};
use redis::AsyncCommands;
use reqwest::{Client, Method, StatusCode};

use crate::rest::{answer, post};

const LAG: Duration = Duration::from_millis(50);

/// A mock whose replica trails, with time standing still.
async fn start(builder: Builder) -> (MockUpstash, Client) {
    let mock = builder.start().await.expect("a free port");
    mock.freeze();
    (mock, crate::rest::client())
}

fn lagging() -> Builder {
    MockUpstash::builder().replica_lag(LAG)
}

/// Sends a command or a pipeline with a sync token; answers the body and the token that came back.
async fn ask(mock: &MockUpstash, client: &Client, body: &str, token: &str) -> (String, String) {
    let path = if body.starts_with("[[") {
        "/pipeline"
    } else {
        "/"
    };
    let request = post(mock, client, path)
        .header("upstash-sync-token", token)
        .body(body.to_owned());
    let response = request.send().await.expect("an answer");
    let token = response.headers()["upstash-sync-token"].to_str();
    let token = token.expect("text").to_owned();
    (response.text().await.expect("a body"), token)
}

#[tokio::test]
async fn without_the_token_a_read_is_stale_until_the_clock_is_moved() {
    let (mock, client) = start(lagging()).await;
    let (_, token) = ask(&mock, &client, r#"["SET","k","v"]"#, "").await;
    for _ in 0..3 {
        let (body, _) = ask(&mock, &client, r#"["GET","k"]"#, "").await;
        assert_eq!(body, r#"{"result":null}"#);
    }
    // Whoever has the writer's token sees the write: the writer, and another with it.
    let (body, _) = ask(&mock, &client, r#"["GET","k"]"#, &token).await;
    assert_eq!(body, r#"{"result":"v"}"#);
    let other = crate::rest::client();
    let (body, _) = ask(&mock, &other, r#"["GET","k"]"#, &token).await;
    assert_eq!(body, r#"{"result":"v"}"#);
    let (body, early) = ask(&mock, &other, r#"["GET","k"]"#, "").await;
    assert_eq!((&*body, &*early), (r#"{"result":null}"#, "0"));
    mock.advance(LAG);
    let (body, late) = ask(&mock, &client, r#"["GET","k"]"#, "").await;
    assert_eq!((body, late), (r#"{"result":"v"}"#.to_owned(), token));
}

#[tokio::test]
async fn a_token_makes_a_read_wait_while_time_runs() {
    let (mock, client) = start(lagging()).await;
    mock.set_replica_lag(Duration::from_secs(3600));
    let (_, token) = ask(&mock, &client, r#"["SET","k","v"]"#, "").await;
    mock.unfreeze();
    let read = ask(&mock, &client, r#"["GET","k"]"#, &token);
    tokio::pin!(read);
    // Others are served meanwhile, so the wait holds nothing up.
    tokio::select! {
        biased;
        _ = &mut read => panic!("the read came back before its write arrived"),
        (body, _) = ask(&mock, &client, r#"["GET","k"]"#, "") => {
            assert_eq!(body, r#"{"result":null}"#);
        }
    }
    mock.advance(Duration::from_secs(3600));
    assert_eq!(read.await.0, r#"{"result":"v"}"#);
}

#[tokio::test]
async fn a_token_can_be_the_primarys_business() {
    let builder = lagging().assume(Assumption::SyncTokenAtPrimary, true);
    let (mock, client) = start(builder.replica_lag(Duration::from_secs(3600))).await;
    mock.unfreeze();
    let (_, token) = ask(&mock, &client, r#"["SET","k","v"]"#, "").await;
    let (body, _) = ask(&mock, &client, r#"["GET","k"]"#, &token).await;
    assert_eq!(body, r#"{"result":"v"}"#);
}

#[tokio::test]
async fn a_token_that_no_mock_gave_out_is_none() {
    let (mock, client) = start(lagging()).await;
    ask(&mock, &client, r#"["SET","k","v"]"#, "").await;
    for token in ["?", "zzz", "00000000000000000000"] {
        let (body, _) = ask(&mock, &client, r#"["GET","k"]"#, token).await;
        assert_eq!(body, r#"{"result":null}"#, "{token}");
    }
    // One of another life of the database counts more than there was: all there is, is seen.
    let (body, _) = ask(&mock, &client, r#"["GET","k"]"#, "vvvv").await;
    assert_eq!(body, r#"{"result":"v"}"#);
}

#[tokio::test]
async fn a_pipeline_sees_its_own_writes_unless_told_otherwise() {
    let pipeline = r#"[["SET","k","v"],["GET","k"],["PING"]]"#;
    let (mock, client) = start(lagging()).await;
    let (body, token) = ask(&mock, &client, pipeline, "").await;
    assert_eq!(
        body,
        r#"[{"result":"OK"},{"result":"v"},{"result":"PONG"}]"#
    );
    assert_eq!(token, "1");
    let (mock, client) = start(lagging().assume(Assumption::PipelineReadsApart, true)).await;
    let (body, token) = ask(&mock, &client, pipeline, "").await;
    assert_eq!(
        body,
        r#"[{"result":"OK"},{"result":null},{"result":"PONG"}]"#
    );
    assert_eq!(token, "1");
}

#[tokio::test]
async fn a_transaction_with_a_read_is_the_primarys() {
    let (mock, client) = start(lagging()).await;
    ask(&mock, &client, r#"["SET","k","v"]"#, "").await;
    let exec = || post(&mock, &client, "/multi-exec").body(r#"[["GET","k"]]"#);
    assert_eq!(answer(exec()).await.1, r#"[{"result":"v"}]"#);
    let (mock, client) = start(lagging().assume(Assumption::ReplicaTransactions, true)).await;
    ask(&mock, &client, r#"["SET","k","v"]"#, "").await;
    let exec = || post(&mock, &client, "/multi-exec").body(r#"[["GET","k"]]"#);
    assert_eq!(answer(exec()).await.1, r#"[{"result":null}]"#);
}

#[tokio::test]
async fn evalsha_ro_meets_a_replica_without_the_script() {
    let (mock, client) = start(lagging()).await;
    let (_, token) = ask(&mock, &client, r#"["SCRIPT","LOAD","return 1"]"#, "").await;
    let call = r#"["EVALSHA_RO","e0e1f9fabfc9d4800c877a703b823ac0578ff8db","0"]"#;
    let (body, _) = ask(&mock, &client, call, &token).await;
    assert_eq!(
        body,
        r#"{"error":"NOSCRIPT No matching script. Please use EVAL."}"#
    );
    mock.advance(LAG);
    let (body, _) = ask(&mock, &client, call, &token).await;
    assert_eq!(body, r#"{"result":1}"#);
    let builder = lagging().assume(Assumption::SyncTokenCoversScripts, true);
    let (mock, client) = start(builder).await;
    let (_, token) = ask(&mock, &client, r#"["SCRIPT","LOAD","return 1"]"#, "").await;
    let (body, _) = ask(&mock, &client, call, &token).await;
    assert_eq!(body, r#"{"result":1}"#);
}

#[tokio::test]
async fn a_tcp_connection_reads_its_own_writes_and_another_does_not() {
    let (mock, _) = start(lagging()).await;
    let url = mock.redis_url().expect("spoken");
    let connect = async || {
        let client = redis::Client::open(&*url).expect("a valid URL");
        client
            .get_multiplexed_async_connection()
            .await
            .expect("it connects")
    };
    let (mut writer, mut reader) = (connect().await, connect().await);
    let () = writer.set("k", "v").await.expect("OK");
    let own: Option<String> = writer.get("k").await.expect("a reply");
    let others: Option<String> = reader.get("k").await.expect("a reply");
    assert_eq!((own.as_deref(), others.as_deref()), (Some("v"), None));
    mock.advance(LAG);
    let others: Option<String> = reader.get("k").await.expect("a reply");
    assert_eq!(others.as_deref(), Some("v"));
}

#[tokio::test]
async fn a_failover_loses_what_was_not_replicated() {
    let (mock, client) = start(lagging()).await;
    ask(&mock, &client, r#"["SET","k","old"]"#, "").await;
    mock.advance(LAG);
    let (_, token) = ask(&mock, &client, r#"["SET","k","new"]"#, "").await;
    assert_eq!(mock.failover(), 1);
    // The token of the lost write is honoured with what there is.
    let (body, _) = ask(&mock, &client, r#"["GET","k"]"#, &token).await;
    assert_eq!(body, r#"{"result":"old"}"#);
    mock.reset();
    mock.freeze();
    assert_eq!(mock.failover(), 0);
    ask(&mock, &client, r#"["SET","k","v"]"#, "").await;
    let (body, _) = ask(&mock, &client, r#"["GET","k"]"#, "").await;
    assert_eq!(body, r#"{"result":null}"#, "a reset keeps the lag");
    let snapshot = mock.snapshot();
    mock.restore(&snapshot);
    let (body, _) = ask(&mock, &client, r#"["GET","k"]"#, "").await;
    assert_eq!(body, r#"{"result":"v"}"#, "every node has what is restored");
}

#[tokio::test]
async fn the_replica_can_be_asked_about_over_http() {
    let (mock, client) = start(MockUpstash::builder()).await;
    let control = async |method: Method, path: &str, body: &'static str| {
        let request = client.request(method, format!("{}/_mock/{path}", mock.url()));
        answer(request.bearer_auth(mock.token()).body(body)).await
    };
    let state = |text: &str| (StatusCode::OK, text.to_owned());
    assert_eq!(
        control(Method::GET, "replica", "").await,
        state(r#"{"lag_ms":0,"behind":0}"#)
    );
    control(Method::POST, "replica", r#"{"lag_ms":20}"#).await;
    ask(&mock, &client, r#"["SET","k","v"]"#, "").await;
    assert_eq!(
        control(Method::GET, "replica", "").await,
        state(r#"{"lag_ms":20,"behind":1}"#)
    );
    assert_eq!(
        control(Method::POST, "failover", "").await,
        state(r#"{"lost_keys":1}"#)
    );
    let (body, _) = ask(&mock, &client, r#"["GET","k"]"#, "").await;
    assert_eq!(body, r#"{"result":null}"#);
}

#[tokio::test]
async fn the_same_requests_have_the_same_history() {
    let history = async || {
        let (mock, client) = start(lagging().seed(3)).await;
        let mut all = Vec::new();
        for i in 0..30 {
            let write = match i % 3 {
                0 => r#"["SADD","s","a","b","c","d","e"]"#,
                1 => r#"["SPOP","s","2"]"#,
                _ => r#"["EVAL","return redis.call('INCR',KEYS[1])","1","n"]"#,
            };
            all.push(ask(&mock, &client, write, "").await);
            if i % 4 == 0 {
                mock.advance(Duration::from_millis(30));
            }
            all.push(ask(&mock, &client, r#"["SMEMBERS","s"]"#, "").await);
            all.push(ask(&mock, &client, r#"["GET","n"]"#, "").await);
        }
        all
    };
    assert_eq!(history().await, history().await);
}
