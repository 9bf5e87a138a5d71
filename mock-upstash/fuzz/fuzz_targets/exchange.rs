//! A mock that is sent bytes, and has to go on serving.
#![allow(dead_code)] // Each target uses one of the two.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use mock_upstash::MockUpstash;

static MOCK: OnceLock<(tokio::runtime::Runtime, MockUpstash)> = OnceLock::new();

fn mock() -> &'static MockUpstash {
    let (_, mock) = MOCK.get_or_init(|| {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let mock = runtime.block_on(MockUpstash::builder().token("t").start());
        (runtime, mock.expect("a free port"))
    });
    mock
}

/// Sends bytes to the REST front.
pub fn rest(bytes: &[u8]) {
    send(&mock().url(), bytes);
    let ping = b"GET /ping?_token=t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert!(send(&mock().url(), ping).contains("PONG"));
}

/// Sends bytes to the RESP front.
pub fn resp(bytes: &[u8]) {
    let url = mock().redis_url().expect("spoken");
    send(&url, bytes);
    assert!(send(&url, b"AUTH t\r\nPING\r\n").contains("PONG"));
}

fn send(url: &str, bytes: &[u8]) -> String {
    let address = url.rsplit(['@', '/']).next().expect("an address");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let patience = Some(Duration::from_secs(5));
    stream.set_read_timeout(patience).expect("a timeout");
    stream.write_all(bytes).ok();
    stream.shutdown(Shutdown::Write).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    String::from_utf8_lossy(&answer).into_owned()
}
