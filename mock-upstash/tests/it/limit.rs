//! Sizes that a plan limits, met by real clients over REST and TCP.

use mock_upstash::{Assumption, Fault, Limit, MockUpstash, Plan, UsageChange};
use redis::AsyncCommands;
use reqwest::{Client, StatusCode};

use crate::fault::connect;
use crate::rest::{answer, post, start};

const KEY_TOO_LONG: &str = "ERR max key size exceeded. Limit: 32768 bytes, Actual: 32769 bytes";

fn too_large(limit: usize, actual: usize) -> String {
    format!(
        "ERR max request size exceeded. Limit: {limit} bytes, Actual: {actual} bytes. See https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details"
    )
}

fn error(text: &str) -> String {
    format!(r#"{{"error":"{text}"}}"#)
}

async fn ask(mock: &MockUpstash, client: &Client, path: &str, body: &str) -> (StatusCode, String) {
    answer(post(mock, client, path).body(body.to_owned())).await
}

/// What a TCP client is answered where an error is due.
async fn told(redis: &mut redis::aio::MultiplexedConnection, words: &[&str]) -> String {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    let reply: redis::RedisResult<redis::Value> = command.query_async(redis).await;
    reply.expect_err("refused").to_string()
}

#[tokio::test]
async fn a_key_has_32_kb_on_every_plan() {
    let (mock, client) = start().await;
    let mut redis = connect(&mock).await;
    let (fits, long) = ("k".repeat(32_768), "k".repeat(32_769));
    for plan in [Plan::Free, Plan::Payg, Plan::Fixed500Gb] {
        mock.set_plan(plan);
        let set = |key: &str| format!(r#"["SET","{key}","v"]"#);
        assert_eq!(ask(&mock, &client, "/", &set(&fits)).await.0, 200);
        let refused = ask(&mock, &client, "/", &set(&long)).await;
        assert_eq!(refused, (StatusCode::BAD_REQUEST, error(KEY_TOO_LONG)));
        let pipeline = format!(r#"[["PING"],["GET","{long}"],["MGET","a","{long}"]]"#);
        let (status, text) = ask(&mock, &client, "/pipeline", &pipeline).await;
        assert_eq!(status, StatusCode::OK);
        let refusal = error(KEY_TOO_LONG);
        assert_eq!(
            text,
            format!(r#"[{{"result":"PONG"}},{refusal},{refusal}]"#)
        );
    }
    // A value that long is no key; a script's call is held to it.
    assert_eq!(
        redis.set::<_, _, String>("k", &long).await.expect("OK"),
        "OK"
    );
    let script = "return redis.call('GET', ARGV[1])";
    let called = told(&mut redis, &["EVAL", script, "0", &long]).await;
    assert!(called.contains("max key size exceeded"), "{called}");
    let refused = told(&mut redis, &["DEL", &long]).await;
    assert!(refused.contains("max key size exceeded"), "{refused}");
}

#[tokio::test]
async fn a_request_that_is_too_large_is_answered_413() {
    let (mock, client) = start().await;
    mock.set_limit(Limit::MaxRequestSize, Some(1000));
    // SET and k are four bytes beside the value.
    let (fits, large) = ("x".repeat(996), "x".repeat(997));
    let set = |value: &str| format!(r#"["SET","k","{value}"]"#);
    assert_eq!(ask(&mock, &client, "/", &set(&fits)).await.0, 200);
    let refusal = error(&too_large(1000, 1001));
    let one = ask(&mock, &client, "/", &set(&large)).await;
    assert_eq!(one, (StatusCode::PAYLOAD_TOO_LARGE, refusal.clone()));
    let path = ask(&mock, &client, "/set/k", &large).await;
    assert_eq!(path, (StatusCode::PAYLOAD_TOO_LARGE, refusal.clone()));
    // It counts for each command: a pipeline may be larger, and one of its commands is refused alone.
    let rows = [set(&fits), set(&large), set(&fits)].join(",");
    let pipeline = ask(&mock, &client, "/pipeline", &format!("[{rows}]")).await;
    let ok = r#"{"result":"OK"}"#;
    assert_eq!(pipeline, (StatusCode::OK, format!("[{ok},{refusal},{ok}]")));
    // A transaction is discarded whole.
    let rows = [r#"["SET","t","v"]"#.to_owned(), set(&large)].join(",");
    let transaction = ask(&mock, &client, "/multi-exec", &format!("[{rows}]")).await;
    assert_eq!(transaction, (StatusCode::BAD_REQUEST, refusal));
    assert_eq!(
        ask(&mock, &client, "/exists/t", "").await.1,
        r#"{"result":0}"#
    );
}

#[tokio::test]
async fn over_tcp_a_request_that_is_too_large_discards_its_transaction() {
    let (mock, _) = start().await;
    mock.set_limit(Limit::MaxRequestSize, Some(1000));
    let mut redis = connect(&mock).await;
    let large = "x".repeat(2000);
    let refusal = told(&mut redis, &["SET", "k", &large]).await;
    assert!(refusal.contains(&too_large(1000, 2004)[4..]), "{refusal}");
    let mut transaction = redis::pipe();
    transaction.atomic().set("t", "v").set("k", &large);
    let failed = transaction.query_async::<()>(&mut redis).await;
    assert!(failed.is_err());
    assert!(!redis.exists::<_, bool>("t").await.expect("an answer"));
}

#[tokio::test]
async fn a_reply_that_is_too_large_is_an_error_with_status_200() {
    let (mock, client) = start().await;
    let value = "x".repeat(1001);
    ask(&mock, &client, "/set/k", &value).await;
    mock.set_limit(Limit::MaxReplySize, Some(1000));
    let refusal = error(&too_large(1000, 1001));
    let one = ask(&mock, &client, "/get/k", "").await;
    assert_eq!(one, (StatusCode::OK, refusal.clone()));
    let body = r#"[["STRLEN","k"],["GET","k"]]"#;
    for path in ["/pipeline", "/multi-exec"] {
        let several = ask(&mock, &client, path, body).await;
        let wanted = format!(r#"[{{"result":1001}},{refusal}]"#);
        assert_eq!(several, (StatusCode::OK, wanted));
    }
    // What a command did it has done.
    assert_eq!(ask(&mock, &client, "/getdel/k", "").await.1, refusal);
    assert_eq!(
        ask(&mock, &client, "/exists/k", "").await.1,
        r#"{"result":0}"#
    );
    let mut redis = connect(&mock).await;
    let script = "return string.rep('x', 1001)";
    let told = told(&mut redis, &["EVAL", script, "0"]).await;
    assert!(told.contains("max request size exceeded"), "{told}");
}

#[tokio::test]
async fn scripts_may_call_with_more_than_clients_may_send() {
    let script = r#"["EVAL","redis.call('SET','k',string.rep('x',2000)) return #redis.call('GET','k')","0"]"#;
    for (limited, wanted) in [(false, StatusCode::OK), (true, StatusCode::BAD_REQUEST)] {
        let mock = MockUpstash::builder()
            .assume(Assumption::ScriptCallsLimited, limited)
            .limit(Limit::MaxRequestSize, Some(1000))
            .limit(Limit::MaxReplySize, Some(1000))
            .start()
            .await
            .expect("a free port");
        assert_eq!(
            ask(&mock, &crate::rest::client(), "/", script).await.0,
            wanted
        );
    }
}

#[tokio::test]
async fn what_a_key_holds_is_limited_however_it_grows() {
    let (mock, client) = start().await;
    let hundred = "x".repeat(100);
    for (key, line) in [
        ("s", format!("append/s/{hundred}")),
        ("r", format!("setrange/r/950/{hundred}")),
        ("l", format!("rpush/l/{hundred}")),
        ("c", "copy/nine/c/replace".to_owned()),
        ("h", format!("hset/h/g/{hundred}")),
        ("u", "sunionstore/u/members/others".to_owned()),
        ("b", "setbit/b/9000/1".to_owned()),
        ("j", format!("json.set/j/$..x/%22{hundred}%22")),
        ("m", "lmove/from/m/left/left".to_owned()),
    ] {
        mock.reset();
        for made in [
            format!("set/s/{}", "x".repeat(950)),
            format!("set/nine/{}", "x".repeat(1001)),
            format!("rpush/l/{}", "x".repeat(950)),
            format!("hset/h/f/{}", "x".repeat(950)),
            format!("sadd/members/{}", "x".repeat(600)),
            format!("sadd/others/{}", "y".repeat(600)),
            format!("rpush/from/{}", "x".repeat(600)),
            format!("rpush/m/{}", "x".repeat(600)),
            format!(
                "json.set/j/$/{}",
                r#"[{"x":1},{"x":1},{"x":1},{"x":1},{"x":1},{"x":1},{"x":1},{"x":1},{"x":1},{"x":1}]"#
            ),
        ] {
            let (status, text) = ask(&mock, &client, &format!("/{made}"), "").await;
            assert_eq!(status, StatusCode::OK, "{made}: {text}");
        }
        mock.set_limit(Limit::MaxRecordSize, Some(1000));
        let before = ask(&mock, &client, &format!("/dump/{key}"), "").await;
        let (status, text) = ask(&mock, &client, &format!("/{line}"), "").await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{line}: {text}");
        assert!(
            text.contains("ERR max single record size exceeded. Limit: 1000 bytes, Actual: 1"),
            "{line}: {text}"
        );
        // Nothing has changed, and what is there can be read and deleted.
        assert_eq!(
            ask(&mock, &client, &format!("/dump/{key}"), "").await,
            before
        );
        assert_eq!(ask(&mock, &client, "/get/nine", "").await.0, StatusCode::OK);
        assert_eq!(
            ask(&mock, &client, "/del/nine", "").await.1,
            r#"{"result":1}"#
        );
        let smaller = ask(&mock, &client, &format!("/set/{key}/v"), "").await;
        assert_eq!(smaller.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_script_that_meets_a_record_too_large_leaves_nothing() {
    let (mock, client) = start().await;
    mock.set_limit(Limit::MaxRecordSize, Some(1000));
    let script =
        r#"["EVAL","redis.call('SET','a','1') redis.call('SET','b',string.rep('x',1001))","0"]"#;
    assert_eq!(ask(&mock, &client, "/", script).await.0, 400);
    let caught = r#"["EVAL","redis.call('SET','c','1') local r = redis.pcall('SET','b',string.rep('x',1001)) return r.err","0"]"#;
    let (status, text) = ask(&mock, &client, "/", caught).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("max single record size exceeded"), "{text}");
    assert_eq!(
        ask(&mock, &client, "/exists/a/b/c", "").await.1,
        r#"{"result":1}"#
    );
}

#[tokio::test]
async fn full_storage_refuses_writes_and_scripts_until_something_goes() {
    let (mock, client) = start().await;
    mock.set_limit(Limit::MaxStorage, Some(10_000));
    let value = "x".repeat(3_000);
    for key in ["aa", "bb", "cc", "dd"] {
        // The one that passes the threshold is taken in whole.
        assert_eq!(
            ask(&mock, &client, &format!("/set/{key}"), &value).await.0,
            200
        );
    }
    let refusal = error(
        "ERR DB capacity quota exceeded. Threshold: 10000 bytes, Usage: 12008 bytes. See https://upstash.com/docs/redis/troubleshooting/db_capacity_quota_exceeded for details",
    );
    for refused in [
        r#"["SET","ee","v"]"#,
        r#"["LPUSH","l","v"]"#,
        r#"["EVAL","return 1","0"]"#,
    ] {
        let (status, text) = ask(&mock, &client, "/", refused).await;
        assert_eq!(
            (status, text),
            (StatusCode::BAD_REQUEST, refusal.clone()),
            "{refused}"
        );
    }
    for passes in [
        "/get/aa",
        "/scan/0",
        "/expire/aa/100",
        "/eval_ro/return%201/0",
        "/del/bb",
    ] {
        assert_eq!(
            ask(&mock, &client, passes, "").await.0,
            StatusCode::OK,
            "{passes}"
        );
    }
    assert_eq!(ask(&mock, &client, "/set/ee/v", "").await.0, StatusCode::OK);
    // What expires makes room too.
    assert_eq!(
        ask(&mock, &client, "/set/bb", &value).await.0,
        StatusCode::OK
    );
    assert_eq!(ask(&mock, &client, "/set/ff/v", "").await.0, 400);
    mock.advance(std::time::Duration::from_secs(101));
    assert_eq!(ask(&mock, &client, "/set/ff/v", "").await.0, StatusCode::OK);
    // As if there were more.
    let storage = Some(10_001);
    mock.set_usage(UsageChange {
        storage,
        ..UsageChange::default()
    });
    let mut redis = connect(&mock).await;
    assert!(
        told(&mut redis, &["SET", "gg", "v"])
            .await
            .contains("Usage: 10001 bytes")
    );
    let info: String = redis::cmd("INFO")
        .query_async(&mut redis)
        .await
        .expect("INFO");
    assert!(info.contains("total_data_size:10001\r\nt"), "{info}");
    assert!(info.contains("\r\nmax_data_size:10000\r\n"), "{info}");
}

#[tokio::test]
async fn with_eviction_keys_make_room_those_that_expire_first() {
    let mock = MockUpstash::builder()
        .eviction(true)
        .limit(Limit::MaxStorage, Some(10_000))
        .start()
        .await
        .expect("a free port");
    let client = crate::rest::client();
    let value = "x".repeat(1000);
    for key in 0..4 {
        ask(&mock, &client, &format!("/set/stays{key}"), &value).await;
    }
    for key in 0..20 {
        let path = format!("/set/goes{key}?EX=1000");
        let set = ask(&mock, &client, &path, &value).await;
        assert_eq!(set.1, r#"{"result":"OK"}"#, "{key}");
    }
    let stay = ask(&mock, &client, "/exists/stays0/stays1/stays2/stays3", "").await;
    assert_eq!(stay.1, r#"{"result":4}"#);
    assert!(mock.usage().storage < 11_100, "{}", mock.usage().storage);
    let info = ask(&mock, &client, "/info", "").await.1;
    assert!(
        info.contains("maxmemory_policy:optimistic-volatile"),
        "{info}"
    );
    assert!(!info.contains("evicted_keys:0"), "{info}");
    // Where nothing expires, any key goes.
    for key in 0..40 {
        let set = ask(&mock, &client, &format!("/set/more{key}"), &value).await;
        assert_eq!(set.1, r#"{"result":"OK"}"#, "{key}");
    }
    let left = ask(&mock, &client, "/dbsize", "").await.1;
    assert_eq!(left, r#"{"result":10}"#);
    // What even an empty database has no room for is refused.
    mock.set_limit(Limit::MaxStorage, Some(0));
    let (status, text) = ask(&mock, &client, "/set/k/v", "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("ERR DB capacity quota exceeded."), "{text}");
}

#[tokio::test]
async fn full_storage_may_refuse_what_does_not_delete() {
    let mock = MockUpstash::builder()
        .assume(Assumption::FullRefusesWrites, true)
        .limit(Limit::MaxStorage, Some(1))
        .start()
        .await
        .expect("a free port");
    let client = crate::rest::client();
    ask(&mock, &client, "/set/k/v", "").await;
    assert_eq!(ask(&mock, &client, "/expire/k/100", "").await.0, 400);
    assert_eq!(ask(&mock, &client, "/del/k", "").await.0, 200);
}

#[tokio::test]
async fn sizes_can_be_those_of_the_wire() {
    let mock = MockUpstash::builder()
        .assume(Assumption::WireSizes, true)
        .limit(Limit::MaxRequestSize, Some(22))
        .start()
        .await
        .expect("a free port");
    // *3, $3 SET, $1 k, $1 v with line ends: 4 + 9 + 7 + 7.
    let refused = ask(&mock, &crate::rest::client(), "/", r#"["SET","k","v"]"#).await;
    assert_eq!(refused.1, error(&too_large(22, 27)));
}

#[tokio::test]
async fn pending_entries_are_limited_to_what_is_set() {
    let (mock, client) = start().await;
    mock.set_limit(Limit::PendingEntries, Some(2));
    for _ in 0..3 {
        ask(&mock, &client, "/xadd/s/*/f/v", "").await;
    }
    ask(&mock, &client, "/xgroup/create/s/g/0", "").await;
    let read = "/xreadgroup/group/g/c/count/2/streams/s/%3E";
    assert_eq!(ask(&mock, &client, read, "").await.0, StatusCode::OK);
    let (status, text) = ask(&mock, &client, read, "").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let wanted = "Limit: 2, Current PEL size: 2, Requested Read: 2, Key: s, Group: g, Consumer: c.";
    assert!(text.contains(wanted), "{text}");
}

#[tokio::test]
async fn more_connections_than_the_plan_has_are_turned_away() {
    let (mock, _) = start().await;
    mock.set_limit(Limit::MaxConnections, Some(2));
    let first = connect(&mock).await;
    let second = connect(&mock).await;
    let url = mock.redis_url().expect("spoken");
    let address = url.rsplit_once('@').expect("a password").1;
    let mut raw = tokio::net::TcpStream::connect(address)
        .await
        .expect("it listens");
    let mut text = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut raw, &mut text)
        .await
        .expect("an answer");
    assert_eq!(text, "-ERR max concurrent connections exceeded\r\n");
    let third = redis::Client::open(&*url).expect("a valid URL");
    assert!(third.get_multiplexed_async_connection().await.is_err());
    drop((first, second));
    mock.set_limit(Limit::MaxConnections, Some(1000));
    let connections = Some(1000);
    mock.set_usage(UsageChange {
        connections,
        ..UsageChange::default()
    });
    assert!(third.get_multiplexed_async_connection().await.is_err());
}

#[tokio::test]
async fn as_redis_there_are_no_limits_unless_set() {
    let (_, client) = start().await;
    let mock = MockUpstash::builder()
        .dialect(mock_upstash::Dialect::REDIS)
        .start()
        .await
        .expect("a free port");
    assert!(
        Limit::ALL[..10]
            .iter()
            .all(|limit| mock.limit(*limit).is_none())
    );
    let key = "k".repeat(40_000);
    let set = format!(r#"["SET","{key}","v"]"#);
    assert_eq!(ask(&mock, &client, "/", &set).await.0, StatusCode::OK);
}

#[tokio::test]
async fn limits_can_be_feigned_by_a_fault() {
    let (mock, client) = start().await;
    mock.set_plan(Plan::Free);
    for (limit, status, text) in [
        (
            Limit::MonthlyCommands,
            400,
            "ERR max requests limit exceeded. Limit: 500000, Usage: 500000.",
        ),
        (
            Limit::DailyCommands,
            400,
            "ERR max daily request limit exceeded. Limit: 10000, Usage: 10001.",
        ),
        (
            Limit::MaxRequestSize,
            413,
            "ERR max request size exceeded. Limit: 10485760 bytes",
        ),
        (
            Limit::MaxReplySize,
            200,
            "ERR max request size exceeded. Limit: 10485760 bytes",
        ),
        (
            Limit::MaxStorage,
            400,
            "ERR DB capacity quota exceeded. Threshold: 268435456 bytes",
        ),
        (
            Limit::MaxRecordSize,
            400,
            "ERR max single record size exceeded. Limit: 104857600 bytes",
        ),
        (
            Limit::MaxKeySize,
            400,
            "ERR max key size exceeded. Limit: 32768 bytes",
        ),
        (Limit::PendingEntries, 400, "ERR XReadGroup is cancelled."),
        (
            Limit::MaxConnections,
            400,
            "ERR max concurrent connections exceeded",
        ),
    ] {
        mock.inject(Fault::limit(limit).on("SET").times(2));
        let met = ask(&mock, &client, "/set/k/v", "").await;
        assert_eq!(met.0, status, "{limit:?}");
        assert!(met.1.contains(text), "{limit:?}: {}", met.1);
        let mut redis = connect(&mock).await;
        let met = told(&mut redis, &["SET", "k", "v"]).await;
        assert!(met.contains(&text[4..]), "{limit:?}: {met}");
        mock.clear_faults();
    }
    assert_eq!(
        ask(&mock, &client, "/exists/k", "").await.1,
        r#"{"result":0}"#
    );
    mock.inject(Fault::limit(Limit::MonthlyCommands).times(2));
    let several = r#"[["GET","k"],["GET","k"]]"#;
    let (status, text) = ask(&mock, &client, "/pipeline", several).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        text.matches("ERR max requests limit exceeded").count(),
        2,
        "{text}"
    );
    let (status, text) = ask(&mock, &client, "/multi-exec", several).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.starts_with(r#"{"error":"ERR max requests"#), "{text}");
    mock.clear_faults();
    let fault = r#"{"effect": {"limit": "monthly-commands"}, "times": 1}"#;
    ask(&mock, &client, "/_mock/faults", fault).await;
    assert_eq!(ask(&mock, &client, "/get/k", "").await.0, 400);
}
