//! What one client does never disturbs another: hanging up, half a body, floods.

use mock_upstash::MockUpstash;
use reqwest::{Client, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rest::{answer, post, start};

async fn raw(mock: &MockUpstash, text: &str) -> TcpStream {
    let address = mock.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(text.as_bytes()).await.expect("it reads");
    stream
}

#[tokio::test]
async fn clients_that_hang_up_are_forgotten() {
    let (mock, client) = start().await;
    for text in [
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[\"SET\",".to_owned(),
        "POST /subscribe/a HTTP".to_owned(),
        format!(
            "GET /subscribe/a?_token={} HTTP/1.1\r\nHost: x\r\n\r\n",
            mock.token()
        ),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0".to_owned(),
        "\0\u{1}\u{2}\r\n\r\n".to_owned(),
    ] {
        drop(raw(&mock, &text).await);
    }
    let half = raw(
        &mock,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[\"",
    )
    .await;
    assert_eq!(
        answer(post(&mock, &client, "/incr/n")).await.1,
        r#"{"result":1}"#
    );
    drop(half);
    // The subscriber is gone as soon as its connection is.
    let gone = async {
        while answer(post(&mock, &client, "/publish/a/x")).await.1 != r#"{"result":0}"# {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), gone)
        .await
        .expect("no subscriber is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_closes_its_side_gets_its_answer() {
    let (mock, _) = start().await;
    let token = mock.token();
    // `nc -N` sends so. Both ends can arrive together or not, hence the many.
    for request in [
        format!("GET /ping?_token={token} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("POST /?_token={token} HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n[\"PING\"]"),
    ] {
        for _ in 0..200 {
            let mut stream = raw(&mock, &request).await;
            stream.shutdown().await.expect("it can be closed");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            assert!(answer.ends_with(r#"{"result":"PONG"}"#), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn nonsense_is_answered() {
    let (mock, _) = start().await;
    let mut stream = raw(&mock, "NONSENSE\r\n\r\n").await;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
}

#[tokio::test]
async fn large_and_deep_bodies_are_answered() {
    let (mock, client) = start().await;
    let deep = "[".repeat(1_000_000);
    let (status, _) = answer(post(&mock, &client, "/pipeline").body(deep)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let many = vec!["1"; 300_000].join(",");
    let (status, text) =
        answer(post(&mock, &client, "/").body(format!("[\"RPUSH\",\"l\",{many}]"))).await;
    assert_eq!((status, &*text), (StatusCode::OK, r#"{"result":300000}"#));
    mock.set_plan(mock_upstash::Plan::Unlimited);
    let large = format!("[\"SET\",\"k\",\"{}\"]", "x".repeat(20_000_000));
    assert_eq!(
        answer(post(&mock, &client, "/").body(large)).await.0,
        StatusCode::OK
    );
    assert_eq!(
        answer(post(&mock, &client, "/strlen/k")).await.1,
        r#"{"result":20000000}"#
    );
}

/// Each transaction counts itself up and reads its count back between two writes of others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_transactions_do_not_mix() {
    const CONNECTIONS: usize = 32;
    const EACH: usize = 10_000 / CONNECTIONS + 1;
    let (mock, _) = start().await;
    let mut tasks = tokio::task::JoinSet::new();
    for me in 0..CONNECTIONS {
        let url = format!("{}/multi-exec", mock.url());
        let token = mock.token().to_owned();
        tasks.spawn(async move {
            let client = Client::builder()
                .pool_max_idle_per_host(1)
                .build()
                .expect("a client");
            let sent = format!(
                r#"[["SET","who","{me}"],["INCR","count"],["GET","who"],["INCR","count"]]"#
            );
            for _ in 0..EACH {
                let request = client.post(&url).bearer_auth(&token).body(sent.clone());
                let (status, text) = answer(request).await;
                assert_eq!(status, StatusCode::OK);
                let replies: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
                assert_eq!(replies[2]["result"], me.to_string());
                let count = |at: usize| replies[at]["result"].as_i64().expect("a number");
                assert_eq!(count(3), count(1) + 1);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("nothing mixed");
    }
    let total = answer(post(&mock, &crate::rest::client(), "/get/count"))
        .await
        .1;
    assert_eq!(
        total,
        format!(r#"{{"result":"{}"}}"#, CONNECTIONS * EACH * 2)
    );
}

#[tokio::test]
async fn of_fifty_who_want_a_lock_one_gets_it() {
    let (mock, client) = start().await;
    let tries =
        (0..50).map(|me| answer(post(&mock, &client, &format!("/set/lock/{me}/NX/PX/10000"))));
    let answers = futures_util::future::join_all(tries).await;
    let held = answers
        .iter()
        .filter(|(_, text)| text == r#"{"result":"OK"}"#);
    assert_eq!(held.count(), 1);
}

#[tokio::test]
async fn a_database_that_one_request_selects_is_not_the_next_ones() {
    let (_, client) = start().await;
    let mock = MockUpstash::builder()
        .dialect(mock_upstash::Dialect::REDIS)
        .start()
        .await
        .expect("a free port");
    let sent = r#"[["SELECT","3"],["SET","k","v"]]"#;
    let moved = answer(post(&mock, &client, "/pipeline").body(sent)).await;
    assert_eq!(moved.1, r#"[{"result":"OK"},{"result":"OK"}]"#);
    assert_eq!(
        answer(post(&mock, &client, "/get/k")).await.1,
        r#"{"result":null}"#
    );
}
