//! The REST client against what a healthy server never sends, and what it may.

use std::sync::Arc;
use std::time::Duration;

use scenarios::{Client, ClientError, Reply};
use serde_json::json;
use swapcheck::target::{Options, RestClient, RestConnector, Secret, TargetError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{ask, bulk, command, says};

fn connector(url: &str) -> RestConnector {
    let options = Options {
        connect_timeout: Duration::from_millis(400),
        reply_timeout: Duration::from_millis(500),
        ..Options::default()
    };
    RestConnector::new(&Url::parse(url).unwrap(), Secret::new("s3cr3t"), &options)
        .unwrap()
        .with_first_pause(Duration::from_millis(1))
}

/// A server that answers everything like this, and a client of it.
async fn always(answer: ResponseTemplate) -> (MockServer, RestClient) {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let client = connector(&server.uri()).client();
    (server, client)
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}

#[tokio::test]
async fn a_command_is_sent_as_upstash_takes_it() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/"))
        .and(header("authorization", "Bearer s3cr3t"))
        .and(header("upstash-encoding", "base64"))
        .and(body_json(json!(["SET", "k", "007"])))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"result": "OK"})))
        .expect(1)
        .mount(&server)
        .await;
    // Upstash's console shows the URL without a slash, people paste it with one.
    let mut client = connector(&format!("{}/", server.uri())).client();
    assert_eq!(ask(&mut client, &["SET", "k", "007"]).await, bulk("OK"));
}

#[tokio::test]
async fn the_sync_token_is_sent_back() {
    let server = MockServer::start().await;
    let answer = |token: &str| {
        ResponseTemplate::new(200)
            .insert_header("upstash-sync-token", token)
            .set_body_json(json!({"result": 1}))
    };
    Mock::given(header("upstash-sync-token", ""))
        .respond_with(answer("t1"))
        .expect(2)
        .mount(&server)
        .await;
    Mock::given(header("upstash-sync-token", "t1"))
        .respond_with(answer("t2"))
        .expect(1)
        .mount(&server)
        .await;
    let connector = connector(&server.uri());
    let (mut one, mut other) = (connector.client(), connector.client());
    ask(&mut one, &["INCR", "k"]).await;
    ask(&mut one, &["INCR", "k"]).await;
    ask(&mut other, &["INCR", "k"]).await;
}

#[tokio::test]
async fn connections_are_kept_alive() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Whoever opened a second connection would wait for ever.
    let serve = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for _ in 0..3 {
            read_request(&mut stream).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"result\":1}";
            stream.write_all(answer).await.unwrap();
        }
    });
    let mut client = connector(&url).client();
    for _ in 0..3 {
        assert_eq!(ask(&mut client, &["INCR", "k"]).await, Reply::Integer(1));
    }
    serve.await.unwrap();
}

#[tokio::test]
async fn an_error_is_a_reply() {
    for status in [200, 400, 413] {
        let (_server, mut client) = always(
            ResponseTemplate::new(status).set_body_json(json!({"error": "ERR syntax error"})),
        )
        .await;
        assert_eq!(
            ask(&mut client, &["SET"]).await,
            Reply::Error("ERR syntax error".to_owned()),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_refused_token_is_explained() {
    let body = json!({"error": "WRONGPASS invalid or missing auth token."});
    let (server, mut client) = always(ResponseTemplate::new(401).set_body_json(body)).await;
    let Err(ClientError::NotSent(text)) = client.command(&command(&["SET", "k", "v"])).await else {
        panic!("401 is no reply");
    };
    says(
        &text,
        &[
            "refused the token",
            "401",
            "WRONGPASS",
            "UPSTASH_REDIS_REST_TOKEN",
        ],
    );
    assert_eq!(requests(&server).await, 1);
    let error = connector(&server.uri()).check().await.unwrap_err();
    assert!(matches!(error, TargetError::Credentials(_)), "{error:?}");
}

#[tokio::test]
async fn too_many_requests_are_repeated_after_a_pause() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(429).insert_header("retry-after", "0"))
        .up_to_n_times(2)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"result": 1})))
        .mount(&server)
        .await;
    let mut client = connector(&server.uri()).client();
    assert_eq!(ask(&mut client, &["INCR", "k"]).await, Reply::Integer(1));
    assert_eq!(requests(&server).await, 3);

    let (server, mut client) = always(ResponseTemplate::new(429)).await;
    let Err(ClientError::NotSent(text)) = client.command(&command(&["INCR", "k"])).await else {
        panic!("429 is no reply");
    };
    says(&text, &["429", "5 times in a row", "wait a while"]);
    assert_eq!(requests(&server).await, 5);
}

#[tokio::test]
async fn a_failing_gateway_never_has_a_write_repeated() {
    for status in [500, 502, 503, 504] {
        let answer = || {
            ResponseTemplate::new(status)
                .insert_header("retry-after", "0")
                .set_body_raw("<html>\n<h1>Bad s3cr3t Gateway</h1></html>", "text/html")
        };
        let (server, mut client) = always(answer()).await;
        let Err(ClientError::OutcomeUnknown(text)) = client.command(&command(&["INCR", "k"])).await
        else {
            panic!("{status} is no reply");
        };
        says(
            &text,
            &[
                &status.to_string(),
                "Gateway",
                "is not known",
                "try again later",
            ],
        );
        assert_eq!(requests(&server).await, 1, "a write is sent once");
        let read = client.command(&command(&["GET", "k"])).await;
        assert!(
            matches!(read, Err(ClientError::OutcomeUnknown(_))),
            "{read:?}"
        );
        assert_eq!(requests(&server).await, 3, "a read is sent again, once");
        let mixed = client
            .pipeline(&[command(&["GET", "k"]), command(&["SET", "k", "v"])])
            .await;
        assert!(
            matches!(mixed, Err(ClientError::OutcomeUnknown(_))),
            "{mixed:?}"
        );
        assert_eq!(requests(&server).await, 4);
    }
}

#[tokio::test]
async fn a_gateway_that_recovers_is_read_through() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(502))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"result": "dg=="})))
        .mount(&server)
        .await;
    let mut client = connector(&server.uri()).client();
    assert_eq!(ask(&mut client, &["GET", "k"]).await, bulk("v"));
}

#[tokio::test]
async fn what_is_not_a_reply_is_shown() {
    for (body, part) in [
        ("<html>hello</html>", "not valid JSON"),
        ("", "an empty body"),
        ("{\"result\":", "not valid JSON"),
        ("{}", "neither `result` nor `error`"),
        ("[1]", "not an object"),
        ("{\"result\":\"not base64\"}", "not base64"),
        ("{\"result\":1.5}", "a number with a fraction"),
        ("{\"result\":{\"a\":1}}", "an object"),
    ] {
        let (server, mut client) =
            always(ResponseTemplate::new(200).set_body_raw(body, "text/plain")).await;
        let Err(ClientError::Protocol(text)) = client.command(&command(&["GET", "k"])).await else {
            panic!("{body} is no reply");
        };
        says(&text, &[part, &server.uri()]);
        assert_eq!(requests(&server).await, 1);
    }
}

#[tokio::test]
async fn other_statuses_say_what_to_check() {
    for (answer, part) in [
        (
            ResponseTemplate::new(404).set_body_string("no such page"),
            "does not look like Upstash",
        ),
        (ResponseTemplate::new(405), "does not look like Upstash"),
        (
            ResponseTemplate::new(301).insert_header("location", "https://elsewhere"),
            "redirected",
        ),
        (
            ResponseTemplate::new(413),
            "larger than the database's plan allows",
        ),
        (
            ResponseTemplate::new(400).set_body_string("oops"),
            "without an error in JSON: oops",
        ),
        (ResponseTemplate::new(418), "which Upstash does not use"),
    ] {
        let (_server, mut client) = always(answer).await;
        let error = client.command(&command(&["GET", "k"])).await.unwrap_err();
        says(&error.to_string(), &[part]);
    }
}

#[tokio::test]
async fn a_pipeline_has_as_many_replies_as_commands() {
    let two = [command(&["SET", "k", "v"]), command(&["LPUSH", "k", "x"])];
    let body = json!([{"result": "OK"}, {"error": "WRONGTYPE no"}]);
    let (server, mut client) = always(ResponseTemplate::new(200).set_body_json(body)).await;
    let replies = client.pipeline(&two).await.unwrap();
    assert_eq!(
        replies,
        [bulk("OK"), Reply::Error("WRONGTYPE no".to_owned())]
    );
    assert_eq!(client.transaction(&two).await, Ok(Reply::Array(replies)));
    let paths: Vec<String> = server
        .received_requests()
        .await
        .unwrap()
        .iter()
        .map(|request| request.url.path().to_owned())
        .collect();
    assert_eq!(paths, ["/pipeline", "/multi-exec"]);

    let (_server, mut client) =
        always(ResponseTemplate::new(200).set_body_json(json!([{"result": 1}]))).await;
    let error = client.pipeline(&two).await.unwrap_err();
    assert!(matches!(error, ClientError::Protocol(_)));
    says(&error.to_string(), &["2 commands", "1 replies"]);

    let (_server, mut client) =
        always(ResponseTemplate::new(400).set_body_json(json!({"error": "ERR discarded"}))).await;
    let discarded = Reply::Error("ERR discarded".to_owned());
    assert_eq!(client.transaction(&two).await, Ok(discarded.clone()));
    assert_eq!(
        client.pipeline(&two).await,
        Ok(vec![discarded.clone(), discarded])
    );
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) {
    let mut text = Vec::new();
    loop {
        let mut chunk = [0; 1024];
        let read = stream.read(&mut chunk).await.unwrap();
        text.extend_from_slice(&chunk[..read]);
        let shown = String::from_utf8_lossy(&text).to_ascii_lowercase();
        if let Some(end) = shown.find("\r\n\r\n") {
            let length = shown
                .split("content-length: ")
                .nth(1)
                .and_then(|rest| rest.lines().next());
            let length: usize = length
                .and_then(|digits| digits.trim().parse().ok())
                .unwrap_or(0);
            if text.len() >= end + 4 + length || read == 0 {
                return;
            }
        } else if read == 0 {
            return;
        }
    }
}

/// Answers every connection with these bytes and closes it; with none it holds it open.
async fn raw(bytes: &'static [u8], close: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            read_request(&mut stream).await;
            let _ = stream.write_all(bytes).await;
            if !close {
                held.push(stream);
            }
        }
    });
    url
}

#[tokio::test]
async fn half_a_body_is_no_reply() {
    let url = raw(
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"result\":",
        true,
    )
    .await;
    let error = connector(&url)
        .client()
        .command(&command(&["INCR", "k"]))
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Protocol(_)), "{error:?}");
    says(
        &error.to_string(),
        &["only part of its answer", "was not repeated"],
    );
}

#[tokio::test]
async fn a_hung_connection_leaves_the_outcome_open() {
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"] {
        let url = raw(bytes, false).await;
        let error = connector(&url)
            .client()
            .command(&command(&["INCR", "k"]))
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::OutcomeUnknown(_)), "{error:?}");
        says(&error.to_string(), &["within 500 ms", "not repeated"]);
    }
}

#[tokio::test]
async fn a_closed_connection_leaves_the_outcome_open() {
    let url = raw(b"", true).await;
    let error = connector(&url)
        .client()
        .command(&command(&["INCR", "k"]))
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::OutcomeUnknown(_)), "{error:?}");
    says(
        &error.to_string(),
        &["closed the connection without an answer", "https://"],
    );
}

#[tokio::test]
async fn a_request_that_never_left_may_be_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = connector(&format!("http://{address}"))
        .client()
        .command(&command(&["INCR", "k"]))
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::NotSent(_)), "{error:?}");
    says(&error.to_string(), &["nothing listens there"]);
    let error = connector("http://no-such-host.invalid")
        .check()
        .await
        .unwrap_err();
    assert!(matches!(error, TargetError::Unreachable(_)), "{error:?}");
    says(&error.to_string(), &["host could not be found"]);
}

#[tokio::test]
async fn tls_to_a_plain_port_is_recognized() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let error = connector(&url).check().await.unwrap_err();
    says(
        &error.to_string(),
        &["does not seem to speak TLS", "http://"],
    );
    let alert = raw(b"\x15\x03\x01\x00\x02\x02\x0a", true).await;
    let error = connector(&alert).check().await.unwrap_err();
    says(&error.to_string(), &["not HTTP", "begins with https://"]);
    let silent = raw(b"", false).await.replace("http://", "https://");
    let error = connector(&silent).check().await.unwrap_err();
    says(&error.to_string(), &["did not answer in time", "http://"]);
}

#[tokio::test]
async fn messages_come_as_events() {
    let server = MockServer::start().await;
    let events =
        "data: subscribe,a,1\n\n: comment\n\ndata: message,a,one,two\n\ndata: message,a,\n\n";
    Mock::given(path("/subscribe/a"))
        .and(header("accept", "text/event-stream"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(events, "text/event-stream"))
        .mount(&server)
        .await;
    let matched = "data: psubscribe,n.*,1\n\ndata: pmessage,n.*,n.x,{\"a\":1,\"b\":2}\n\n";
    Mock::given(path("/psubscribe/n%2E%2A"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(matched, "text/event-stream"))
        .mount(&server)
        .await;
    let mut client = connector(&server.uri()).client();
    let wait = Duration::from_secs(5);
    let mut exact = client.subscribe(&[b"a".to_vec()], false).await.unwrap();
    assert_eq!(exact.next(wait).await.unwrap().unwrap().payload, b"one,two");
    assert_eq!(exact.next(wait).await.unwrap().unwrap().payload, b"");
    let ended = exact.next(wait).await;
    assert!(matches!(ended, Err(ClientError::Protocol(_))), "{ended:?}");

    let mut pattern = client.subscribe(&[b"n.*".to_vec()], true).await.unwrap();
    let message = pattern.next(wait).await.unwrap().unwrap();
    assert_eq!(message.pattern.as_deref(), Some(&b"n.*"[..]));
    assert_eq!(message.channel, b"n.x");
    assert_eq!(message.payload, b"{\"a\":1,\"b\":2}");

    let (_server, mut refusing) =
        always(ResponseTemplate::new(400).set_body_string("no s3cr3t")).await;
    let Err(error) = refusing.subscribe(&[b"a".to_vec()], false).await else {
        panic!("it was refused")
    };
    says(&error.to_string(), &["refused the subscription", "400"]);
}

#[tokio::test]
async fn a_server_that_repeats_the_token_is_not_quoted() {
    let body = json!({"error": "ERR the token s3cr3t may not"});
    let (_server, mut client) = always(ResponseTemplate::new(400).set_body_json(body)).await;
    let Reply::Error(text) = ask(&mut client, &["GET", "k"]).await else {
        panic!("it is an error")
    };
    says(&text, &["ERR the token <redacted> may not"]);
}

#[tokio::test]
async fn a_server_is_encrypted_with_an_authority_of_ones_own() {
    let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, issued.cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key =
        rustls_pki_types::PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who does not trust the certificate hangs up here.
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            read_request(&mut stream).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n{\"result\":\"UE9ORw==\"}";
            let _ = stream.write_all(answer).await;
        }
    });
    let url = Url::parse(&format!("https://localhost:{port}")).unwrap();
    let trusting = Options {
        ca_file: Some(ca_file),
        ..Options::default()
    };
    let connector = RestConnector::new(&url, Secret::new("s3cr3t"), &trusting).unwrap();
    connector.check().await.unwrap();
    let connector = RestConnector::new(&url, Secret::new("s3cr3t"), &Options::default()).unwrap();
    let error = connector.check().await.unwrap_err();
    assert!(matches!(error, TargetError::Unreachable(_)), "{error:?}");
    says(&error.to_string(), &["no connection to", "--ca-file"]);
}

/// The mock takes paths and bodies apart as Upstash documents it.
#[tokio::test]
async fn bytes_travel_both_ways() {
    let mock = mock_upstash::MockUpstash::builder().start().await.unwrap();
    let url = Url::parse(&mock.url()).unwrap();
    let connector =
        RestConnector::new(&url, Secret::new(mock.token()), &Options::default()).unwrap();
    let mut client = connector.client();
    let every_byte: Vec<u8> = (0..=255).collect();
    let set = [&b"SET"[..], &every_byte, &every_byte, b"EX", b"100"]
        .map(<[u8]>::to_vec)
        .to_vec();
    assert_eq!(client.command(&set).await, Ok(bulk("OK")));
    let get = vec![b"GET".to_vec(), every_byte.clone()];
    assert_eq!(
        client.command(&get).await,
        Ok(Reply::Bulk(every_byte.clone()))
    );
    let ttl = vec![b"TTL".to_vec(), every_byte.clone()];
    assert_eq!(client.command(&ttl).await, Ok(Reply::Integer(100)));
    let again = [&set[..3], &[b"NX".to_vec()]].concat();
    assert_eq!(client.command(&again).await, Ok(Reply::Nil));
    let large = vec![b"SET".to_vec(), b"large".to_vec(), every_byte.repeat(4096)];
    assert_eq!(client.command(&large).await, Ok(bulk("OK")));
    let get = vec![b"GET".to_vec(), b"large".to_vec()];
    assert_eq!(
        client.command(&get).await,
        Ok(Reply::Bulk(every_byte.repeat(4096)))
    );
    for text in [
        "OK",
        "",
        "007",
        "9007199254740993",
        "true",
        "null",
        "\"",
        "é ☃ %2F/+?&\n",
    ] {
        assert_eq!(
            ask(&mut client, &["SET", text, text]).await,
            bulk("OK"),
            "{text}"
        );
        assert_eq!(ask(&mut client, &["GET", text]).await, bulk(text), "{text}");
    }
    assert_eq!(
        ask(&mut client, &["SET", "n", "9223372036854775807"]).await,
        bulk("OK")
    );
    assert_eq!(
        ask(&mut client, &["INCRBY", "n", "-1"]).await,
        Reply::Integer(i64::MAX - 1)
    );
    let unsupported = client.pipeline(&[set]).await;
    assert!(
        matches!(unsupported, Err(ClientError::Unsupported(_))),
        "{unsupported:?}"
    );
}
