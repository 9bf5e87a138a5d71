//! What a test may ask of the mock: time, requests, reset, snapshots; in code and under `/_mock/`.

use std::time::Duration;

use mock_upstash::{MockUpstash, RequestKind};
use reqwest::{Client, Method, StatusCode};

use crate::rest::{answer, post, start};

async fn get(mock: &MockUpstash, client: &Client, path: &str) -> String {
    answer(post(mock, client, path)).await.1
}

#[tokio::test]
async fn requests_are_remembered_with_who_asked() {
    let (mock, client) = start().await;
    get(&mock, &client, "/set/k/v").await;
    answer(post(&mock, &client, "/pipeline").body(r#"[["GET","k"],["PING"]]"#)).await;
    let denied = client.get(format!("{}/del/k", mock.url()));
    answer(denied.bearer_auth(mock.read_only_token())).await;
    answer(
        client
            .get(format!("{}/ping", mock.url()))
            .bearer_auth("wrong"),
    )
    .await;
    let requests = mock.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests[0].is("SET"));
    assert_eq!(requests[0].status, Some(200));
    assert_eq!(requests[1].kind, RequestKind::Pipeline);
    assert_eq!(requests[1].lines(), ["GET k", "PING"]);
    assert_eq!(
        (&*requests[2].user, requests[2].status),
        ("default_ro", Some(400))
    );
    let silent = MockUpstash::builder()
        .journal(0)
        .start()
        .await
        .expect("a free port");
    get(&silent, &client, "/ping").await;
    assert_eq!(silent.requests(), []);
}

#[tokio::test]
async fn a_reset_forgets_everything_and_a_snapshot_brings_it_back() {
    let (mock, client) = start().await;
    get(&mock, &client, "/set/k/v/ex/100").await;
    get(&mock, &client, "/rpush/l/a/b").await;
    let library = "#!lua name=lib\nredis.register_function('f', function() return 7 end)";
    let load = post(&mock, &client, "/function/load").body(library);
    assert_eq!(answer(load).await.1, r#"{"result":"lib"}"#);
    let snapshot = mock.snapshot();
    assert_eq!(snapshot.len(), 2);
    mock.advance(Duration::from_secs(1000));
    mock.inject(mock_upstash::Fault::error("ERR no"));
    mock.reset();
    assert_eq!(mock.requests(), []);
    assert_eq!(get(&mock, &client, "/dbsize").await, r#"{"result":0}"#);
    mock.restore(&snapshot);
    assert_eq!(get(&mock, &client, "/get/k").await, r#"{"result":"v"}"#);
    assert_eq!(
        get(&mock, &client, "/lrange/l/0/-1").await,
        r#"{"result":["a","b"]}"#
    );
    assert_eq!(get(&mock, &client, "/fcall/f/0").await, r#"{"result":7}"#);
    mock.advance(Duration::from_secs(101));
    assert_eq!(get(&mock, &client, "/get/k").await, r#"{"result":null}"#);
}

#[tokio::test]
async fn the_same_can_be_asked_over_http() {
    let (mock, client) = start().await;
    let ask = async |method: Method, path: &str, body: &'static str| {
        let request = client.request(method, format!("{}/_mock/{path}", mock.url()));
        answer(request.bearer_auth(mock.token()).body(body)).await
    };
    get(&mock, &client, "/set/k/v/px/60000").await;
    assert_eq!(
        ask(Method::PUT, "snapshots/one", "").await.0,
        StatusCode::OK
    );
    assert_eq!(
        ask(Method::GET, "snapshots", "").await.1,
        r#"[{"name":"one","keys":1}]"#
    );
    let (_, time) = ask(
        Method::POST,
        "time",
        r#"{"frozen":true,"advance_ms":61000}"#,
    )
    .await;
    assert!(time.ends_with(r#""frozen":true}"#), "{time}");
    assert_eq!(get(&mock, &client, "/get/k").await, r#"{"result":null}"#);
    let fault = r#"{"effect":{"error":"ERR injected"},"commands":["PING"]}"#;
    assert_eq!(ask(Method::POST, "faults", fault).await.0, StatusCode::OK);
    assert_eq!(
        get(&mock, &client, "/ping").await,
        r#"{"error":"ERR injected"}"#
    );
    assert!(
        ask(Method::GET, "faults", "")
            .await
            .1
            .contains("ERR injected")
    );
    assert!(
        ask(Method::GET, "requests", "")
            .await
            .1
            .contains(r#""commands":[["ping"]]"#)
    );
    assert_eq!(ask(Method::DELETE, "faults", "").await.0, StatusCode::OK);
    assert_eq!(get(&mock, &client, "/ping").await, r#"{"result":"PONG"}"#);
    assert_eq!(ask(Method::POST, "reset", "").await.0, StatusCode::OK);
    assert_eq!(ask(Method::GET, "requests", "").await.1, "[]");
    assert_eq!(ask(Method::POST, "restore/one", "").await.0, StatusCode::OK);
    assert_eq!(get(&mock, &client, "/get/k").await, r#"{"result":"v"}"#);
    assert_eq!(
        ask(Method::POST, "restore/none", "").await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        ask(Method::POST, "time", "{}x").await.0,
        StatusCode::BAD_REQUEST
    );
    let stranger = client.get(format!("{}/_mock/requests", mock.url()));
    let stranger = stranger.bearer_auth(mock.read_only_token());
    assert_eq!(answer(stranger).await.0, StatusCode::UNAUTHORIZED);
    let closed = MockUpstash::builder()
        .control(false)
        .start()
        .await
        .expect("a free port");
    let (_, text) = answer(post(&closed, &client, "/_mock/time")).await;
    assert!(text.contains("Command is not available: '_MOCK'"), "{text}");
}

#[tokio::test]
async fn tls_is_trusted_by_the_certificate_it_gives_out() {
    start().await;
    let mock = MockUpstash::builder()
        .tls(true)
        .start()
        .await
        .expect("a free port");
    let pem = mock.tls_ca_pem().expect("a certificate");
    let trusted = reqwest::Certificate::from_pem(pem.as_bytes()).expect("PEM");
    let client = Client::builder()
        .tls_certs_only([trusted])
        .build()
        .expect("a client");
    let response = post(&mock, &client, "/ping").send().await.expect("trusted");
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    assert_eq!(
        response.text().await.expect("a body"),
        r#"{"result":"PONG"}"#
    );
    assert!(
        post(&mock, &crate::rest::client(), "/ping")
            .send()
            .await
            .is_err()
    );
    let url = mock.redis_url().expect("spoken");
    assert!(url.starts_with("rediss://"), "{url}");
    let client = redis::Client::build_with_tls(
        url,
        redis::TlsCertificates {
            client_tls: None,
            root_cert: Some(pem.as_bytes().to_vec()),
        },
    );
    let mut connection = client
        .expect("a URL")
        .get_multiplexed_async_connection()
        .await
        .expect("trusted");
    let pong: String = redis::cmd("PING")
        .query_async(&mut connection)
        .await
        .expect("PONG");
    assert_eq!(pong, "PONG");
}

#[tokio::test]
async fn http_2_can_be_spoken_without_being_asked_for() {
    let (mock, _) = start().await;
    let client = Client::builder()
        .http2_prior_knowledge()
        .build()
        .expect("a client");
    let response = post(&mock, &client, "/ping")
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
}

#[tokio::test]
async fn connections_are_bounded() {
    start().await;
    let mock = MockUpstash::builder()
        .max_connections(1)
        .start()
        .await
        .expect("a free port");
    let url = mock.redis_url().expect("spoken");
    let client = redis::Client::open(&*url).expect("a URL");
    let _first = client
        .get_multiplexed_async_connection()
        .await
        .expect("there is room");
    let address = url.rsplit('@').next().expect("an address");
    let mut second = tokio::net::TcpStream::connect(address)
        .await
        .expect("it listens");
    let mut told = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut second, &mut told)
        .await
        .expect("an answer");
    assert_eq!(told, "-ERR max concurrent connections exceeded\r\n");
}

/// A mock of stock Redis stands for the Redis behind.
#[tokio::test]
async fn an_upstream_carries_out_the_commands() {
    let (behind, client) = start().await;
    let url = behind.redis_url().expect("spoken");
    let front = MockUpstash::builder()
        .upstream(&url)
        .start()
        .await
        .expect("a free port");
    assert_eq!(front.redis_url(), Some(url));
    assert_eq!(get(&front, &client, "/set/k/v").await, r#"{"result":"OK"}"#);
    assert_eq!(get(&behind, &client, "/get/k").await, r#"{"result":"v"}"#);
    let pipeline = post(&front, &client, "/pipeline")
        .body(r#"[["GET","k"],["NOPE"],["LPUSH","k","x"],["GET","none"]]"#);
    let (_, text) = answer(pipeline).await;
    assert!(
        text.starts_with(r#"[{"result":"v"},{"error":"ERR Command is not available: 'NOPE'."#),
        "{text}"
    );
    assert!(text.ends_with(r#"{"error":"WRONGTYPE Operation against a key holding the wrong kind of value"},{"result":null}]"#), "{text}");
    let transaction =
        post(&front, &client, "/multi-exec").body(r#"[["RPUSH","l","a"],["LRANGE","l","0","-1"]]"#);
    assert_eq!(
        answer(transaction).await.1,
        r#"[{"result":1},{"result":["a"]}]"#
    );
    let denied = client
        .get(format!("{}/set/k/w", front.url()))
        .bearer_auth(front.read_only_token());
    assert_eq!(answer(denied).await.0, StatusCode::BAD_REQUEST);
    let mut stream = post(&front, &client, "/subscribe/c")
        .send()
        .await
        .expect("a stream");
    let first = stream.chunk().await.expect("alive").expect("an event");
    assert_eq!(first, "data: subscribe,c,1\n\n");
    assert_eq!(
        get(&front, &client, "/publish/c/x").await,
        r#"{"result":1}"#
    );
    let second = stream.chunk().await.expect("alive").expect("an event");
    assert_eq!(second, "data: message,c,x\n\n");
    behind.stop().await;
    let (status, text) = answer(post(&front, &client, "/get/k")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("ERR upstream 127.0.0.1:"), "{text}");
}
