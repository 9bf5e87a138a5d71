//! Whatever bytes come, the mock answers or hangs up, and serves the next client. The targets in
//! `fuzz/` look deeper; these runs are short and always the same.

use mock_upstash::MockUpstash;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends bytes, reads all that comes back; the connection ends by the request or by ours.
async fn exchange(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(bytes).await.ok();
    stream.shutdown().await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    answer
}

fn check(cases: u32, bytes: impl Strategy<Value = Vec<u8>>, redis: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mock = runtime
        .block_on(MockUpstash::builder().token("t").start())
        .expect("a free port");
    let url = if redis {
        mock.redis_url().expect("spoken")
    } else {
        mock.url()
    };
    let address = url
        .rsplit(['@', '/'])
        .next()
        .expect("an address")
        .to_owned();
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let ping: &[u8] = if redis {
        b"AUTH t\r\nPING\r\n"
    } else {
        b"GET /ping?_token=t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    };
    TestRunner::new_with_rng(config, random)
        .run(&bytes, |bytes| {
            let answer = runtime.block_on(async {
                exchange(&address, &bytes).await;
                exchange(&address, ping).await
            });
            let answer = String::from_utf8_lossy(&answer).into_owned();
            prop_assert!(answer.contains("PONG"), "{answer}");
            Ok(())
        })
        .expect("it goes on serving");
}

fn request(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: t\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn any_path() {
    check(
        300,
        "/[a-z%/?&=+.0-9A-F]{0,60}".prop_map(|path| request(&path, b"")),
        false,
    );
}

#[test]
fn any_body() {
    let json = r#"[\[\]{}",:\\a-z0-9eu. -]{0,80}"#;
    let path = prop_oneof![
        Just("/"),
        Just("/pipeline"),
        Just("/multi-exec"),
        Just("/set/k")
    ];
    let text = (path.clone(), json).prop_map(|(path, body)| request(path, body.as_bytes()));
    let bytes = (path, any::<Vec<u8>>()).prop_map(|(path, body)| request(path, &body));
    check(300, prop_oneof![text, bytes], false);
}

#[test]
fn any_bytes_over_http_and_over_tcp() {
    check(100, any::<Vec<u8>>(), false);
    let frames = prop::collection::vec(
        prop_oneof![
            any::<Vec<u8>>(),
            (-2i64..20).prop_map(|count| format!("*{count}\r\n").into_bytes()),
            (-2i64..20).prop_map(|length| format!("${length}\r\n").into_bytes()),
            "(AUTH t|GET|SET|MULTI|EXEC|HELLO 3|\"a)\r\n".prop_map(String::into_bytes),
        ],
        0..12,
    );
    check(300, frames.prop_map(|frames| frames.concat()), true);
}
