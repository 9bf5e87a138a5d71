//! What clients may send and hold on to is bounded, each bound met by a raw socket or a real client.

use std::time::Duration;

use mock_upstash::{Builder, MockUpstash};
use reqwest::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rest::{answer, post, start};

async fn bounded(bound: impl FnOnce(Builder) -> Builder) -> MockUpstash {
    let (_, _) = start().await;
    let builder = bound(MockUpstash::builder());
    builder.start().await.expect("a free port")
}

async fn connect(url: &str) -> TcpStream {
    let address = url.rsplit(['@', '/']).next().expect("an address");
    TcpStream::connect(address).await.expect("it listens")
}

/// What comes until the connection ends, in good time.
async fn rest_of(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    // A connection that is reset has ended too.
    tokio::time::timeout(Duration::from_secs(20), read)
        .await
        .expect("it ends")
        .ok();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test]
async fn a_header_that_stops_half_way_ends_its_connection() {
    let mock = bounded(|mock| mock.header_timeout(Duration::from_millis(100))).await;
    let ping = format!(
        "GET /ping?_token={} HTTP/1.1\r\nHost: x\r\n\r\n",
        mock.token()
    );
    for begun in [
        "",
        "P",
        "POST / HTTP/1.1\r\nHost: x\r\nAutho",
        "PRI * HTTP/2.0\r\n",
    ] {
        let mut stream = connect(&mock.url()).await;
        stream.write_all(begun.as_bytes()).await.expect("it reads");
        let told = rest_of(&mut stream).await;
        assert!(!told.contains("result"), "{begun}: {told}");
    }
    // Behind a request that was answered too.
    let mut stream = connect(&mock.url()).await;
    let both = format!("{ping}GET /pi");
    stream.write_all(both.as_bytes()).await.expect("it reads");
    let told = rest_of(&mut stream).await;
    assert_eq!(told.matches(r#"{"result":"PONG"}"#).count(), 1, "{told}");
}

#[tokio::test]
async fn a_body_that_stops_half_way_is_told_so() {
    let mock = bounded(|mock| mock.body_timeout(Duration::from_millis(100))).await;
    let mut stream = connect(&mock.url()).await;
    let begun = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 100\r\n\r\n[\"SET\"",
        mock.token()
    );
    stream.write_all(begun.as_bytes()).await.expect("it reads");
    let told = rest_of(&mut stream).await;
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
    assert!(told.contains("did not arrive in time"), "{told}");
}

#[tokio::test]
async fn a_body_may_be_so_large_and_no_larger() {
    let mock = bounded(|mock| mock.max_body(1000)).await;
    let client = crate::rest::client();
    let fits = post(&mock, &client, "/set/k").body("x".repeat(1000));
    assert_eq!(answer(fits).await.0, StatusCode::OK);
    let refused = post(&mock, &client, "/set/k").body("x".repeat(1001));
    let (status, text) = answer(refused).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let wanted = "ERR max request size exceeded. Limit: 1000 bytes, Actual: 1001 bytes.";
    assert!(text.contains(wanted), "{text}");
    // Of a body in chunks the size is not known before.
    let mut stream = connect(&mock.url()).await;
    let begun = format!(
        "POST /set/k?_token={} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n",
        mock.token(),
        "x".repeat(2000)
    );
    stream.write_all(begun.as_bytes()).await.expect("it reads");
    let told = rest_of(&mut stream).await;
    assert!(told.starts_with("HTTP/1.1 413 "), "{told}");
}

#[tokio::test]
async fn a_command_over_tcp_may_be_so_large_and_no_larger() {
    let mock = bounded(|mock| mock.max_body(100_000)).await;
    let url = mock.redis_url().expect("spoken");
    let mut stream = connect(&url).await;
    let auth = format!("AUTH {}\r\n*2\r\n$4\r\nECHO\r\n$10000000\r\n", mock.token());
    stream.write_all(auth.as_bytes()).await.expect("it reads");
    // It hangs up before it has read all.
    let flood = vec![b'x'; 1_000_000];
    let (mut reads, mut writes) = stream.split();
    let mut told = Vec::new();
    let (_, read) = tokio::join!(writes.write_all(&flood), reads.read_to_end(&mut told));
    drop(read);
    let told = String::from_utf8_lossy(&told);
    assert!(told.starts_with("+OK\r\n"), "{told}");
    assert!(told.len() < 200, "{told}");
    let (_, client) = start().await;
    assert_eq!(
        answer(post(&mock, &client, "/ping")).await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn arguments_and_depths_are_bounded() {
    let (mock, client) = start().await;
    let many = format!("[\"RPUSH\",\"l\"{}]", ",1".repeat(1024 * 1024));
    let (status, text) = answer(post(&mock, &client, "/").body(many)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("too many arguments"), "{text}");
    let many = format!("[[\"PING\"]{}]", ",[\"PING\"]".repeat(1024 * 1024));
    let (status, _) = answer(post(&mock, &client, "/pipeline").body(many)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let deep = format!(
        "[\"SET\",\"k\",{}{}]",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let (status, _) = answer(post(&mock, &client, "/").body(deep)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let url = mock.redis_url().expect("spoken");
    let mut stream = connect(&url).await;
    stream.write_all(b"*1048577\r\n").await.expect("it reads");
    let told = rest_of(&mut stream).await;
    assert_eq!(told, "-ERR Protocol error: invalid multibulk length\r\n");
    assert_eq!(
        answer(post(&mock, &client, "/exists/l/k")).await.1,
        r#"{"result":0}"#
    );
}

#[tokio::test]
async fn more_connections_than_there_may_be_are_closed() {
    let mock = bounded(|mock| mock.max_connections(1)).await;
    let ping = format!(
        "GET /ping?_token={} HTTP/1.1\r\nHost: x\r\n\r\n",
        mock.token()
    );
    let mut first = connect(&mock.url()).await;
    first.write_all(ping.as_bytes()).await.expect("it reads");
    let mut begun = [0; 15];
    first.read_exact(&mut begun).await.expect("an answer");
    assert_eq!(&begun, b"HTTP/1.1 200 OK");
    let mut second = connect(&mock.url()).await;
    assert_eq!(rest_of(&mut second).await, "");
    drop(first);
    // The place is free again, as soon as the mock has seen that the first is gone.
    let again = async {
        loop {
            let mut next = connect(&mock.url()).await;
            let request = ping.replace("Host: x", "Host: x\r\nConnection: close");
            next.write_all(request.as_bytes()).await.ok();
            if rest_of(&mut next).await.contains("PONG") {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again)
        .await
        .expect("a place");
}

#[tokio::test]
async fn a_subscriber_who_does_not_read_is_let_go() {
    let mock = bounded(|mock| mock.subscriber_buffer(1_000_000)).await;
    let (_, client) = start().await;
    let url = mock.redis_url().expect("spoken");
    let mut redis = connect(&url).await;
    let subscribe = format!("AUTH {}\r\nSUBSCRIBE news\r\n", mock.token());
    redis
        .write_all(subscribe.as_bytes())
        .await
        .expect("it reads");
    let mut events = connect(&mock.url()).await;
    let subscribe = format!(
        "POST /subscribe/news?_token={} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        mock.token()
    );
    events
        .write_all(subscribe.as_bytes())
        .await
        .expect("it reads");
    let publish = async |message: &str| {
        let request = post(&mock, &client, "/publish/news").body(message.to_owned());
        answer(request).await.1
    };
    while publish("are you there?").await != r#"{"result":2}"# {
        tokio::task::yield_now().await;
    }
    // Neither reads; what the system buffers for them is soon full.
    let message = "x".repeat(500_000);
    let gone = async {
        while publish(&message).await != r#"{"result":0}"# {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone)
        .await
        .expect("they are let go");
}

#[tokio::test]
async fn a_connection_that_is_idle_for_too_long_is_closed() {
    const HOUR: Duration = Duration::from_secs(3600);
    let mock = bounded(|mock| mock.idle_timeout(Some(HOUR))).await;
    let mut stream = connect(&mock.redis_url().expect("spoken")).await;
    stream.write_all(b"PING\r\n").await.expect("it is there");
    let mut told = [0; 7];
    stream.read_exact(&mut told).await.expect("an answer");
    assert_eq!(&told, b"-NOAUTH");
    let ended = async {
        // The connection begins to be idle a moment after its reply.
        let mut rest = Vec::new();
        loop {
            mock.advance(HOUR);
            let read = stream.read_to_end(&mut rest);
            let waited = tokio::time::timeout(Duration::from_millis(20), read).await;
            if waited.is_ok() {
                break;
            }
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
    ended.expect("it ends");
}
