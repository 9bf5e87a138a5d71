//! The REST front, as any HTTP client sees it.

use mock_upstash::MockUpstash;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};

pub(crate) async fn start() -> (MockUpstash, Client) {
    (
        MockUpstash::builder().start().await.expect("a free port"),
        client(),
    )
}

/// A client, in a process that may have made none before.
pub(crate) fn client() -> Client {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    Client::new()
}

pub(crate) fn post(mock: &MockUpstash, client: &Client, path: &str) -> RequestBuilder {
    client
        .post(format!("{}{path}", mock.url()))
        .bearer_auth(mock.token())
}

pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, String) {
    let response: Response = request.send().await.expect("an answer");
    (response.status(), response.text().await.expect("a body"))
}

#[tokio::test]
async fn a_command_is_an_array_or_a_path() {
    let (mock, client) = start().await;
    let set = post(&mock, &client, "/").body(r#"["SET","k","v w"]"#);
    assert_eq!(
        answer(set).await,
        (StatusCode::OK, r#"{"result":"OK"}"#.to_owned())
    );
    let get = client.get(format!("{}/get/k?_token={}", mock.url(), mock.token()));
    assert_eq!(answer(get).await.1, r#"{"result":"v w"}"#);
    let raw = post(&mock, &client, "/set/b%2Fin").body(vec![0xff, 0x00]);
    assert_eq!(answer(raw).await.1, r#"{"result":"OK"}"#);
    let base64 = post(&mock, &client, "/")
        .header("Upstash-Encoding", "base64")
        .body(r#"["GET","b/in"]"#);
    assert_eq!(answer(base64).await.1, r#"{"result":"/wA="}"#);
}

#[tokio::test]
async fn refusals_have_their_status_and_text() {
    let (mock, client) = start().await;
    let bad_token = client
        .post(mock.url())
        .bearer_auth("wrong")
        .body(r#"["GET","k"]"#);
    let (status, body) = answer(bad_token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(
        body.starts_with(r#"{"error":"WRONGPASS invalid or missing auth token."#),
        "{body}"
    );
    let multi = post(&mock, &client, "/").body(r#"["MULTI"]"#);
    let text = r#"{"error":"ERR Command \"MULTI\" is not allowed in REST or it has a special context path"}"#;
    assert_eq!(
        answer(multi).await,
        (StatusCode::BAD_REQUEST, text.to_owned())
    );
    let read_only = client
        .post(mock.url())
        .bearer_auth(mock.read_only_token())
        .body(r#"["SET","k","v"]"#);
    let text = r#"{"error":"NOPERM this user has no permissions to run the 'set' command or its subcommand"}"#;
    assert_eq!(
        answer(read_only).await,
        (StatusCode::BAD_REQUEST, text.to_owned())
    );
    let method = client
        .request(Method::DELETE, mock.url())
        .bearer_auth(mock.token());
    assert_eq!(
        answer(method).await,
        (StatusCode::METHOD_NOT_ALLOWED, String::new())
    );
}

#[tokio::test]
async fn a_pipeline_keeps_errors_in_their_slot_and_a_transaction_is_all_or_nothing() {
    let (mock, client) = start().await;
    let pipeline =
        post(&mock, &client, "/pipeline").body(r#"[["SET","a","1"],["NOPE"],["GET","a"]]"#);
    let text = r#"[{"result":"OK"},{"error":"ERR Command is not available: 'NOPE'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"},{"result":"1"}]"#;
    assert_eq!(answer(pipeline).await, (StatusCode::OK, text.to_owned()));
    let discarded = post(&mock, &client, "/multi-exec").body(r#"[["SET","a","2"],["GET"]]"#);
    let text = r#"{"error":"ERR wrong number of arguments for 'get' command"}"#;
    assert_eq!(
        answer(discarded).await,
        (StatusCode::BAD_REQUEST, text.to_owned())
    );
    let done = post(&mock, &client, "/multi-exec").body(r#"[["GET","a"],["SET","a","3"]]"#);
    assert_eq!(
        answer(done).await,
        (
            StatusCode::OK,
            r#"[{"result":"1"},{"result":"OK"}]"#.to_owned()
        )
    );
}

#[tokio::test]
async fn messages_arrive_as_events() {
    let (mock, client) = start().await;
    let mut stream = post(&mock, &client, "/subscribe/chat")
        .body("[]")
        .send()
        .await
        .expect("a stream");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = stream.chunk().await.expect("alive").expect("an event");
    assert_eq!(first, "data: subscribe,chat,1\n\n");
    let publish = post(&mock, &client, "/publish/chat/a,b");
    assert_eq!(answer(publish).await.1, r#"{"result":1}"#);
    let second = stream.chunk().await.expect("alive").expect("an event");
    assert_eq!(second, "data: message,chat,a,b\n\n");
    drop(stream);
}
