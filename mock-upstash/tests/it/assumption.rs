//! What is assumed where nothing is known of Upstash: as it is, and the other way.

use mock_upstash::{Assumption, MockUpstash};
use reqwest::StatusCode;

use crate::fact::{body, error};
use crate::rest::{answer, client, post, start};

async fn with(assumption: Assumption) -> MockUpstash {
    MockUpstash::builder()
        .assume(assumption, true)
        .start()
        .await
        .expect("a free port")
}

fn not_in_rest(name: &str) -> (StatusCode, String) {
    error(&format!(
        r#"ERR Command \"{name}\" is not allowed in REST or it has a special context path"#
    ))
}

fn not_available(name: &str) -> (StatusCode, String) {
    error(&format!(
        "ERR Command is not available: '{name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details"
    ))
}

#[tokio::test]
async fn what_is_assumed_of_the_wire_can_be_switched() {
    let client = client();
    let mock = with(Assumption::ForbiddenStatus).await;
    let denied = client
        .post(format!("{}/set/k/v", mock.url()))
        .bearer_auth(mock.read_only_token());
    assert_eq!(answer(denied).await.0, StatusCode::FORBIDDEN);
    let mock = with(Assumption::NullPerCommand).await;
    assert_eq!(
        body(
            &mock,
            &client,
            "/pipeline",
            r#"[["PING"],["SET","k",null]]"#
        )
        .await,
        r#"[{"result":"PONG"},{"error":"ERR null args are not supported"}]"#
    );
    let mock = with(Assumption::EmptyPipelineAnswersArray).await;
    assert_eq!(body(&mock, &client, "/pipeline", "[]").await, "[]");
    let mock = with(Assumption::ShortestNumbers).await;
    assert_eq!(
        body(&mock, &client, "/", r#"["ECHO",1e3]"#).await,
        r#"{"result":"1000"}"#
    );
    let mock = with(Assumption::EncodedSlashSplits).await;
    assert_eq!(
        body(&mock, &client, "/set%2Fa/b", "").await,
        r#"{"result":"OK"}"#
    );
    let mock = with(Assumption::Resp2ErrorsAsJson).await;
    let resp2 = post(&mock, &client, "/get").header("upstash-response-format", "resp2");
    assert_eq!(
        answer(resp2).await,
        error("ERR wrong number of arguments for 'get' command")
    );
    let mock = with(Assumption::Resp2PipelineAsJson).await;
    let resp2 = post(&mock, &client, "/pipeline").header("upstash-response-format", "resp2");
    assert_eq!(
        answer(resp2.body(r#"[["PING"]]"#)).await.1,
        r#"[{"result":"PONG"}]"#
    );
    let mock = with(Assumption::FirstChannelAlone).await;
    let mut stream = post(&mock, &client, "/subscribe/a/b")
        .send()
        .await
        .expect("a stream");
    let first = stream.chunk().await.expect("alive").expect("an event");
    assert_eq!(first, "data: subscribe,a,1\n\n");
    assert_eq!(
        body(&mock, &client, "/publish/b/x", "").await,
        r#"{"result":0}"#
    );
    let mock = with(Assumption::NestedStatusBare).await;
    let eval = post(&mock, &client, "/")
        .header("upstash-encoding", "base64")
        .body(r#"["EVAL","return {redis.call('SET',KEYS[1],'v')}","1","k"]"#);
    assert_eq!(answer(eval).await.1, r#"{"result":["OK"]}"#);
}

#[tokio::test]
async fn reads_that_block_are_refused_over_rest_or_answered_at_once() {
    let reads = [
        r#"["XREAD","COUNT","1","BLOCK","0","STREAMS","s","$"]"#,
        r#"["xread","block","5000","streams","s","0"]"#,
        r#"["XREADGROUP","GROUP","g","BLOCK","BLOCK","0","STREAMS","s",">"]"#,
    ];
    let make = r#"["XGROUP","CREATE","s","g","$","MKSTREAM"]"#;
    let (mock, client) = start().await;
    body(&mock, &client, "/", make).await;
    for read in reads {
        let name = if read.contains("GROUP") {
            "XREADGROUP"
        } else {
            "XREAD"
        };
        let refusal = not_in_rest(name);
        let one = answer(post(&mock, &client, "/").body(read)).await;
        assert_eq!(one, refusal);
        let pipeline = body(&mock, &client, "/pipeline", &format!("[{read},[\"PING\"]]")).await;
        assert_eq!(pipeline, format!(r#"[{},{{"result":"PONG"}}]"#, refusal.1));
        let transaction = format!(r#"[["SET","k","v"],{read}]"#);
        let discarded = answer(post(&mock, &client, "/multi-exec").body(transaction)).await;
        assert_eq!(discarded, refusal);
    }
    assert_eq!(
        body(&mock, &client, "/exists/k", "").await,
        r#"{"result":0}"#
    );
    // A stream, a group and a consumer may be called so.
    for read in [
        r#"["XREAD","STREAMS","BLOCK","0"]"#,
        r#"["XREADGROUP","GROUP","g","BLOCK","STREAMS","s",">"]"#,
    ] {
        assert_eq!(
            body(&mock, &client, "/", read).await,
            r#"{"result":null}"#,
            "{read}"
        );
    }
    let mock = with(Assumption::RestBlockPassedOver).await;
    body(&mock, &client, "/", make).await;
    for read in reads {
        assert_eq!(body(&mock, &client, "/", read).await, r#"{"result":null}"#);
    }
    body(&mock, &client, "/xadd/s/1-0/f/v", "").await;
    assert_eq!(
        body(&mock, &client, "/", reads[1]).await,
        r#"{"result":[["s",[["1-0",["f","v"]]]]]}"#
    );
}

#[tokio::test]
async fn pops_that_block_are_refused_over_rest_in_one_of_two_texts() {
    let pops = [
        ("BLPOP", r#"["BLPOP","l","0"]"#),
        ("BRPOPLPUSH", r#"["brpoplpush","l","m","0"]"#),
        ("BLMOVE", r#"["BLMOVE","l","m","LEFT","LEFT","0"]"#),
        ("BZPOPMIN", r#"["BZPOPMIN","z","0"]"#),
        ("BLMPOP", r#"["BLMPOP","0","1","l","LEFT"]"#),
        ("BZMPOP", r#"["BZMPOP","0","1","z","MIN"]"#),
    ];
    let (mock, client) = start().await;
    let other = with(Assumption::RestBlockingUnavailable).await;
    for (name, pop) in pops {
        let refused = answer(post(&mock, &client, "/").body(pop)).await;
        assert_eq!(refused, not_in_rest(name));
        let refused = answer(post(&other, &client, "/").body(pop)).await;
        assert_eq!(refused, not_available(name));
    }
    let read = r#"["XREAD","BLOCK","0","STREAMS","s","$"]"#;
    let refused = answer(post(&other, &client, "/").body(read)).await;
    assert_eq!(refused, not_available("XREAD"));
    // What needs a connection for another reason keeps its text.
    let refused = answer(post(&other, &client, "/").body(r#"["MULTI"]"#)).await;
    assert_eq!(refused, not_in_rest("MULTI"));
}

#[tokio::test]
async fn select_is_answered_over_rest_or_refused() {
    let (mock, client) = start().await;
    assert_eq!(
        body(&mock, &client, "/select/0", "").await,
        r#"{"result":"OK"}"#
    );
    let other = answer(post(&mock, &client, "/select/1")).await;
    assert_eq!(
        other,
        error("ERR Only 0th database is supported! Selected DB: 1")
    );
    let mock = with(Assumption::RestSelectRefused).await;
    for path in ["/select/0", "/select/1"] {
        let refused = answer(post(&mock, &client, path)).await;
        assert_eq!(refused, not_in_rest("SELECT"));
    }
}

#[tokio::test]
async fn wait_is_answered_over_rest_or_refused() {
    let (mock, client) = start().await;
    let other = with(Assumption::RestWaitRefused).await;
    for (path, name, result) in [
        ("/wait/0/0", "WAIT", "0"),
        ("/waitaof/0/0/0", "WAITAOF", "[0,0]"),
    ] {
        let answered = body(&mock, &client, path, "").await;
        assert_eq!(answered, format!(r#"{{"result":{result}}}"#));
        let refused = answer(post(&other, &client, path)).await;
        assert_eq!(refused, not_in_rest(name));
    }
}

#[tokio::test]
async fn claims_may_be_held_to_the_limit_of_pending_entries() {
    let (mock, client) = start().await;
    let limited = with(Assumption::ClaimsLimited).await;
    let claims = [
        (
            "XClaim",
            4,
            r#"["XCLAIM","s","g","heir","0","1-0","2-0","3-0","4-0"]"#,
        ),
        (
            "XAutoClaim",
            100,
            r#"["XAUTOCLAIM","s","g","heir","0","0"]"#,
        ),
    ];
    for (name, requested, claim) in claims {
        for mock in [&mock, &limited] {
            mock.reset();
            mock.set_limit(mock_upstash::Limit::PendingEntries, Some(3));
            body(mock, &client, "/xgroup/create/s/g/0/MKSTREAM", "").await;
            for entry in 1..=4 {
                let added = format!("/xadd/s/{entry}-0/f/v");
                body(mock, &client, &added, "").await;
                let reader = format!("/xreadgroup/GROUP/g/c{entry}/COUNT/1/STREAMS/s/%3E");
                body(mock, &client, &reader, "").await;
            }
        }
        let claimed = body(&mock, &client, "/", claim).await;
        for entry in 1..=4 {
            assert!(claimed.contains(&format!("\"{entry}-0\"")), "{claimed}");
        }
        let refused = answer(post(&limited, &client, "/").body(claim)).await;
        let text = format!(
            "ERR {name} is cancelled. Pending Entries List limit per consumer is about to be reached. Limit: 3, Current PEL size: 0, Requested Read: {requested}, Key: s, Group: g, Consumer: heir."
        );
        assert_eq!(refused, error(&text));
        let some = r#"["XAUTOCLAIM","s","g","heir","0","0","COUNT","3","JUSTID"]"#;
        assert_eq!(
            body(&limited, &client, "/", some).await,
            r#"{"result":["4-0",["1-0","2-0","3-0"],[]]}"#
        );
    }
}

#[tokio::test]
async fn an_error_inside_an_array_is_text_or_an_object() {
    let eval = r#"["EVAL","return {1, redis.error_reply('MY bad')}","0"]"#;
    let (mock, client) = start().await;
    assert_eq!(
        body(&mock, &client, "/", eval).await,
        r#"{"result":[1,"MY bad"]}"#
    );
    let mock = with(Assumption::NestedErrorObjects).await;
    assert_eq!(
        body(&mock, &client, "/", eval).await,
        r#"{"result":[1,{"error":"MY bad"}]}"#
    );
}

#[tokio::test]
async fn a_token_whose_user_is_gone_has_a_text_of_its_own() {
    const ANY: &str = "WRONGPASS invalid or missing auth token. See https://docs.upstash.com/redis/troubleshooting/http_unauthorized for details.";
    const STALE: &str = "WRONGPASS invalid username-password pair or user is disabled";
    let (mock, client) = start().await;
    let other = with(Assumption::StaleTokenAsAny).await;
    for (mock, text) in [(&mock, STALE), (&other, ANY)] {
        let one = async |body: String| {
            let answer = answer(post(mock, &client, "/").body(body)).await.1;
            let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
            answer["result"].as_str().unwrap_or_default().to_owned()
        };
        let refused = async |token: &str, path: &str, text: &str| {
            let request = client.post(format!("{}{path}", mock.url()));
            let wanted = format!(r#"{{"error":"{text}"}}"#);
            let request = request.bearer_auth(token).body(r#"[["PING"]]"#);
            assert_eq!(answer(request).await, (StatusCode::UNAUTHORIZED, wanted));
        };
        let password = one(r#"["ACL","GENTOKEN"]"#.to_owned()).await;
        one(format!(
            r#"["ACL","SETUSER","app","on",">{password}","+@all","~*"]"#
        ))
        .await;
        let token = one(format!(r#"["ACL","RESTTOKEN","app","{password}"]"#)).await;
        let ping = client.post(format!("{}/ping", mock.url()));
        assert_eq!(answer(ping.bearer_auth(&token)).await.0, StatusCode::OK);
        for change in [
            r#"["ACL","SETUSER","app","off"]"#,
            r#"["ACL","DELUSER","app"]"#,
        ] {
            one(change.to_owned()).await;
            for path in ["/pipeline", "/ping", "/subscribe/c"] {
                refused(&token, path, text).await;
            }
        }
        refused("gwAAAAmadeup", "/ping", ANY).await;
    }
}

#[tokio::test]
async fn a_message_of_several_lines_has_a_prefix_for_each_or_none() {
    let client = client();
    let raw = with(Assumption::EventLinesRaw).await;
    let (mock, _) = start().await;
    for (mock, wanted) in [
        (&mock, "data: message,chat,one\ndata: two\n\n"),
        (&raw, "data: message,chat,one\ntwo\n\n"),
    ] {
        let mut stream = post(mock, &client, "/subscribe/chat")
            .send()
            .await
            .expect("a stream");
        stream.chunk().await.expect("alive").expect("an event");
        body(mock, &client, "/publish/chat", "one\ntwo").await;
        let event = stream.chunk().await.expect("alive").expect("an event");
        assert_eq!(event, wanted);
    }
}

#[tokio::test]
async fn an_encoding_that_is_not_known_is_passed_over_or_refused() {
    let (mock, client) = start().await;
    let other = with(Assumption::UnknownEncodingRefused).await;
    let ping = |mock: &MockUpstash, encoding: &str| {
        post(mock, &client, "/ping").header("upstash-encoding", encoding)
    };
    let pong = (StatusCode::OK, r#"{"result":"PONG"}"#.to_owned());
    assert_eq!(answer(ping(&mock, "hex")).await, pong);
    let refused = error("ERR unknown encoding, use base64");
    assert_eq!(answer(ping(&other, "hex")).await, refused);
    let encoded = r#"{"result":"UE9ORw=="}"#;
    assert_eq!(answer(ping(&other, "base64")).await.1, encoded);
}
