//! What is known of Upstash's REST API, fact by fact: paths, headers, statuses, error texts.

use mock_upstash::{Assumption, MockUpstash};
use reqwest::{Client, Method, StatusCode};

use crate::rest::{answer, post, start};

pub(crate) async fn body(mock: &MockUpstash, client: &Client, path: &str, body: &str) -> String {
    answer(post(mock, client, path).body(body.to_owned()))
        .await
        .1
}

pub(crate) fn error(text: &str) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, format!(r#"{{"error":"{text}"}}"#))
}

#[tokio::test]
async fn every_method_but_four_is_refused_without_a_body() {
    let (mock, client) = start().await;
    for method in [Method::GET, Method::POST, Method::PUT] {
        let request = client.request(method.clone(), format!("{}/echo/a", mock.url()));
        let (status, text) = answer(request.bearer_auth(mock.token())).await;
        assert_eq!(
            (status, &*text),
            (StatusCode::OK, r#"{"result":"a"}"#),
            "{method}"
        );
    }
    let head = client
        .head(format!("{}/set/k/v", mock.url()))
        .bearer_auth(mock.token());
    assert_eq!(answer(head).await, (StatusCode::OK, String::new()));
    assert_eq!(
        body(&mock, &client, "/get/k", "").await,
        r#"{"result":"v"}"#
    );
    for method in [Method::DELETE, Method::PATCH] {
        let request = client.request(method, mock.url());
        assert_eq!(
            answer(request).await,
            (StatusCode::METHOD_NOT_ALLOWED, String::new())
        );
    }
}

#[tokio::test]
async fn a_path_takes_its_body_then_its_query() {
    let (mock, client) = start().await;
    let set = post(&mock, &client, "/set/foo?EX=100&NX").body("V");
    assert_eq!(answer(set).await.1, r#"{"result":"OK"}"#);
    assert_eq!(
        body(&mock, &client, "/ttl/foo", "").await,
        r#"{"result":100}"#
    );
    assert_eq!(
        body(&mock, &client, "/get/foo", "").await,
        r#"{"result":"V"}"#
    );
    // JSON is a value like any other.
    let set = post(&mock, &client, "/set/json")
        .header("content-type", "application/json")
        .body(r#"{"a":1}"#);
    answer(set).await;
    assert_eq!(
        body(&mock, &client, "/get/json", "").await,
        r#"{"result":"{\"a\":1}"}"#
    );
    let eval = post(&mock, &client, "/eval").body(r#"{"script":"return 1"}"#);
    assert_eq!(
        answer(eval).await,
        error("ERR wrong number of arguments for 'eval' command")
    );
    let true_follows = post(&mock, &client, "/set/foo/w?NX=true");
    assert_eq!(answer(true_follows).await, error("ERR syntax error"));
}

#[tokio::test]
async fn a_path_that_is_not_clean_is_redirected() {
    let (mock, _) = start().await;
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client");
    let response = post(&mock, &client, "//pipeline?a=b")
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), StatusCode::MOVED_PERMANENTLY);
    assert_eq!(response.headers()["location"], "/pipeline?a=b");
    let lenient = MockUpstash::builder()
        .assume(Assumption::TolerateUncleanPaths, true)
        .start()
        .await
        .expect("a free port");
    let pipeline = post(&lenient, &client, "//pipeline").body(r#"[["PING"]]"#);
    assert_eq!(answer(pipeline).await.1, r#"[{"result":"PONG"}]"#);
}

#[tokio::test]
async fn bodies_that_are_no_commands_are_refused() {
    let (mock, client) = start().await;
    for (path, sent, text) in [
        ("/", "", "EOF"),
        ("/", "{}", "expected JSON array"),
        ("/", "[]", "ERR empty command"),
        ("/", "[\"GET\"", "ERR failed to parse command"),
        (
            "/",
            "[\"SET\",\"k\",null]",
            "ERR null args are not supported",
        ),
        (
            "/",
            "[[\"GET\",\"k\"]]",
            r#"ERR unsupported arg type: \"[\": json.Delim"#,
        ),
        (
            "/",
            "[\"SET\",\"k\",{}]",
            r#"ERR unsupported arg type: \"{\": json.Delim"#,
        ),
        (
            "/pipeline",
            "[\"GET\",\"k\"]",
            "ERR failed to parse pipeline request",
        ),
        ("/pipeline", "[]", "ERR empty pipeline request"),
        (
            "/pipeline",
            "[[\"PING\"],[\"SET\",\"k\",null]]",
            "ERR null args are not supported",
        ),
        (
            "/multi-exec",
            "[[\"PING\"],[\"SET\",\"k\",null]]",
            "ERR null args are not supported",
        ),
        ("/multi-exec", "{}", "ERR failed to parse pipeline request"),
        (
            "/multi-exec",
            "[[\"PING\"],[]]",
            "ERR empty pipeline command",
        ),
    ] {
        assert_eq!(
            answer(post(&mock, &client, path).body(sent)).await,
            error(text),
            "{path} {sent}"
        );
    }
    assert_eq!(
        body(&mock, &client, "/pipeline", "[[],[\"PING\"]]").await,
        r#"[{"error":"ERR empty pipeline command"},{"result":"PONG"}]"#
    );
    assert_eq!(
        body(&mock, &client, "/", r#"["set","n",1.0]"#).await,
        r#"{"result":"OK"}"#
    );
    assert_eq!(
        body(&mock, &client, "/get/n", "").await,
        r#"{"result":"1.0"}"#
    );
    assert_eq!(
        body(&mock, &client, "/", r#"["echo",true]"#).await,
        r#"{"result":"true"}"#
    );
}

#[tokio::test]
async fn a_token_comes_in_a_header_or_in_the_query_which_wins() {
    let (mock, client) = start().await;
    let url = format!("{}/ping", mock.url());
    let bare = client.get(&url).header("authorization", mock.token());
    assert_eq!(answer(bare).await.0, StatusCode::OK);
    let query = client
        .get(format!("{url}?_token={}", mock.token()))
        .bearer_auth("wrong");
    assert_eq!(answer(query).await.0, StatusCode::OK);
    let wrong_query = client
        .get(format!("{url}?_token=wrong"))
        .bearer_auth(mock.token());
    let (status, text) = answer(wrong_query).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        text,
        r#"{"error":"WRONGPASS invalid or missing auth token. See https://docs.upstash.com/redis/troubleshooting/http_unauthorized for details."}"#
    );
    let basic = client.get(&url).basic_auth("default", Some(mock.token()));
    assert_eq!(answer(basic).await.0, StatusCode::UNAUTHORIZED);
    // The token comes before everything else that is wrong.
    let nonsense = client
        .post(mock.url())
        .header("upstash-response-format", "xml")
        .body("{");
    assert_eq!(answer(nonsense).await.0, StatusCode::UNAUTHORIZED);
    let large = client.post(mock.url()).body(vec![b' '; 1 << 20]);
    assert_eq!(answer(large).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn headers_tell_type_state_and_origin() {
    let (mock, client) = start().await;
    let get = post(&mock, &client, "/set/k/v").header("origin", "https://app.example");
    let response = get.send().await.expect("an answer");
    let headers = response.headers();
    assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(headers["access-control-allow-credentials"], "true");
    assert_eq!(
        headers["access-control-allow-origin"],
        "https://app.example"
    );
    let before = headers["upstash-sync-token"].clone();
    let response = post(&mock, &client, "/set/k/w")
        .send()
        .await
        .expect("an answer");
    assert_ne!(response.headers()["upstash-sync-token"], before);
    let preflight = client
        .request(Method::OPTIONS, mock.url())
        .header("origin", "https://app.example")
        .header("access-control-request-headers", "authorization")
        .send()
        .await
        .expect("an answer");
    assert_eq!(preflight.status(), StatusCode::OK);
    assert_eq!(
        preflight.headers()["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(
        preflight.headers()["access-control-allow-headers"],
        "authorization"
    );
}

#[tokio::test]
async fn strings_are_in_base64_but_for_the_status_ok() {
    let (mock, client) = start().await;
    let encoded = async |sent: &'static str| {
        let request = post(&mock, &client, "/").header("upstash-encoding", "base64");
        answer(request.body(sent)).await.1
    };
    assert_eq!(encoded(r#"["SET","k","OK"]"#).await, r#"{"result":"OK"}"#);
    assert_eq!(encoded(r#"["GET","k"]"#).await, r#"{"result":"T0s="}"#);
    assert_eq!(encoded(r#"["PING"]"#).await, r#"{"result":"UE9ORw=="}"#);
    assert_eq!(encoded(r#"["TYPE","k"]"#).await, r#"{"result":"c3RyaW5n"}"#);
    assert_eq!(encoded(r#"["STRLEN","k"]"#).await, r#"{"result":2}"#);
    assert_eq!(
        encoded(r#"["MGET","k","no"]"#).await,
        r#"{"result":["T0s=",null]}"#
    );
    assert_eq!(
        encoded(r#"["GET"]"#).await,
        error("ERR wrong number of arguments for 'get' command").1
    );
}

#[tokio::test]
async fn replies_can_be_had_as_resp2() {
    let (mock, client) = start().await;
    let resp = async |path: &str, sent: &'static str| {
        let request = post(&mock, &client, path).header("upstash-response-format", "resp2");
        answer(request.body(sent)).await
    };
    assert_eq!(resp("/", r#"["SET","k","v"]"#).await.1, "+OK\r\n");
    assert_eq!(resp("/", r#"["GET","k"]"#).await.1, "$1\r\nv\r\n");
    let (status, text) = resp("/", r#"["LPUSH","k","v"]"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.starts_with("-WRONGTYPE "), "{text}");
    assert_eq!(
        resp("/pipeline", r#"[["GET","k"],["PING"]]"#).await.1,
        "$1\r\nv\r\n+PONG\r\n"
    );
    assert_eq!(
        resp("/multi-exec", r#"[["GET","k"]]"#).await.1,
        r#"[{"result":"v"}]"#
    );
    let both = post(&mock, &client, "/")
        .header("upstash-response-format", "resp2")
        .header("upstash-encoding", "base64");
    assert_eq!(
        answer(both.body(r#"["PING"]"#)).await.0,
        StatusCode::BAD_REQUEST
    );
    let unknown = post(&mock, &client, "/").header("upstash-response-format", "xml");
    assert_eq!(
        answer(unknown.body(r#"["PING"]"#)).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn what_needs_a_connection_is_refused_and_disturbs_nobody() {
    let (mock, client) = start().await;
    for name in [
        "AUTH",
        "MULTI",
        "EXEC",
        "DISCARD",
        "WATCH",
        "UNWATCH",
        "HELLO",
        "RESET",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "PSUBSCRIBE",
        "PUNSUBSCRIBE",
        "CLIENT",
        "MONITOR",
        "QUIT",
    ] {
        let text = format!(
            r#"ERR Command \"{name}\" is not allowed in REST or it has a special context path"#
        );
        let alone = post(&mock, &client, "/").body(format!(r#"["{name}","a"]"#));
        assert_eq!(answer(alone).await, error(&text), "{name}");
        let within = format!(r#"[["SET","k","{name}"],["{name}","a"]]"#);
        let discarded = post(&mock, &client, "/multi-exec").body(within);
        assert_eq!(answer(discarded).await, error(&text), "{name}");
        let next = body(&mock, &client, "/incr/n", "").await;
        assert!(next.starts_with(r#"{"result":"#), "{next}");
    }
    assert_eq!(
        body(&mock, &client, "/get/k", "").await,
        r#"{"result":null}"#
    );
    for (sent, name) in [
        (r#"["foo"]"#, "FOO"),
        (r#"["memory","stats"]"#, "MEMORY STATS"),
        (r#"[""]"#, ""),
        (r#"["ft._list"]"#, "FT._LIST"),
    ] {
        let text = format!(
            "ERR Command is not available: '{name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"
        );
        assert_eq!(
            answer(post(&mock, &client, "/").body(sent)).await,
            error(&text),
            "{sent}"
        );
    }
}

#[tokio::test]
async fn a_run_time_error_stays_in_its_slot_of_a_transaction() {
    let (mock, client) = start().await;
    let done = post(&mock, &client, "/multi-exec")
        .body(r#"[["SET","k","v"],["LPUSH","k","x"],["GET","k"]]"#);
    assert_eq!(
        answer(done).await,
        (
            StatusCode::OK,
            r#"[{"result":"OK"},{"error":"WRONGTYPE Operation against a key holding the wrong kind of value"},{"result":"v"}]"#.to_owned()
        )
    );
}

#[tokio::test]
async fn streams_follow_patterns_and_every_command() {
    let (mock, client) = start().await;
    let mut pattern = post(&mock, &client, "/psubscribe/ne*")
        .send()
        .await
        .expect("a stream");
    let mut monitor = post(&mock, &client, "/monitor")
        .send()
        .await
        .expect("a stream");
    let event = async |stream: &mut reqwest::Response| {
        let chunk = stream.chunk().await.expect("alive").expect("an event");
        String::from_utf8(chunk.to_vec()).expect("text")
    };
    assert_eq!(event(&mut pattern).await, "data: psubscribe,ne*,1\n\n");
    assert_eq!(event(&mut monitor).await, "data: \"OK\"\n\n");
    assert_eq!(
        body(&mock, &client, "/publish/news/a,b", "").await,
        r#"{"result":1}"#
    );
    assert_eq!(event(&mut pattern).await, "data: pmessage,ne*,news,a,b\n\n");
    let line = event(&mut monitor).await;
    assert!(
        line.ends_with(" [0 0.0.0.0:0] \"publish\" \"news\" \"a,b\"\n\n"),
        "{line}"
    );
    let eval = r#"["EVAL","return redis.call('GET',KEYS[1])","1","k"]"#;
    body(&mock, &client, "/", eval).await;
    for shown in [
        r#" [0 0.0.0.0:0] "EVAL" "return redis.call('GET',KEYS[1])" "1" "k""#,
        r#" [0 lua] "GET" "k""#,
    ] {
        let line = event(&mut monitor).await;
        assert!(line.trim_end().ends_with(shown), "{line}");
    }
    body(&mock, &client, "/multi-exec", r#"[["SET","k","v"]]"#).await;
    let line = event(&mut monitor).await;
    assert!(line.ends_with("\"SET\" \"k\" \"v\"\n\n"), "{line}");
}
