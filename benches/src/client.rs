//! Clients that send one prepared request again and again, so that what is measured is the server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How the end of a response is found.
#[derive(Debug, Clone, Copy)]
pub enum Framing {
    /// HTTP/1.1 with a `Content-Length`.
    Http,
    /// This many replies, each of which ends with the given number of lines.
    Lines(usize),
}

/// One connection and the request it repeats.
pub struct Repeater {
    stream: TcpStream,
    request: Vec<u8>,
    framing: Framing,
    buffer: Vec<u8>,
}

/// A `POST /` with a JSON body.
pub fn http_post(path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A command in RESP.
pub fn resp(args: &[&str]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len());
    for arg in args {
        out.push_str(&format!("${}\r\n{arg}\r\n", arg.len()));
    }
    out.into_bytes()
}

impl Repeater {
    /// Connects.
    ///
    /// # Panics
    /// When the server is not there.
    pub async fn connect(address: SocketAddr, request: Vec<u8>, framing: Framing) -> Repeater {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        stream.set_nodelay(true).expect("a TCP socket");
        Repeater {
            stream,
            request,
            framing,
            buffer: vec![0; 64 * 1024],
        }
    }

    /// Sends the request and waits for the whole response.
    ///
    /// # Panics
    /// When the server hangs up: then there is nothing to measure.
    pub async fn round_trip(&mut self) {
        self.stream
            .write_all(&self.request)
            .await
            .expect("the server reads");
        let mut filled = 0;
        loop {
            if filled == self.buffer.len() {
                self.buffer.resize(filled * 2, 0);
            }
            let read = self
                .stream
                .read(&mut self.buffer[filled..])
                .await
                .expect("the server answers");
            assert!(read > 0, "the server hung up");
            filled += read;
            if complete(&self.buffer[..filled], self.framing) {
                return;
            }
        }
    }
}

fn complete(response: &[u8], framing: Framing) -> bool {
    match framing {
        Framing::Lines(lines) => memchr::memchr_iter(b'\n', response).count() >= lines,
        Framing::Http => {
            let Some(head) = memmem::find(response, b"\r\n\r\n") else {
                return false;
            };
            response.len() >= head + 4 + content_length(&response[..head])
        }
    }
}

/// What a head says of the length of its body. It is read as cheaply as it can be: a client that takes
/// long over a response is measured in the server's place.
fn content_length(head: &[u8]) -> usize {
    const NAME: &[u8] = b"content-length:";
    let mut rest = head;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        rest = &rest[end + 1..];
        if rest
            .get(..NAME.len())
            .is_some_and(|name| name.eq_ignore_ascii_case(NAME))
        {
            let digits = rest[NAME.len()..].trim_ascii_start().iter();
            let digits =
                digits.map_while(|byte| byte.is_ascii_digit().then(|| usize::from(byte - b'0')));
            return digits.fold(0, |length, digit| length * 10 + digit);
        }
    }
    0
}

/// Lets all connections repeat their request until `count` round trips are done, and answers how long
/// that took. Latencies, in microseconds, are added to `latencies`.
pub async fn drive(
    connections: Vec<Repeater>,
    count: u64,
    latencies: &mut Histogram<u64>,
) -> (Duration, Vec<Repeater>) {
    let share = count.div_ceil(connections.len() as u64);
    let start = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|mut connection| {
            tokio::spawn(async move {
                let mut own = Vec::with_capacity(share as usize);
                for _ in 0..share {
                    let sent = Instant::now();
                    connection.round_trip().await;
                    own.push(sent.elapsed());
                }
                (connection, own)
            })
        })
        .collect();
    let mut back = Vec::new();
    for task in tasks {
        if let Ok((connection, own)) = task.await {
            for latency in own {
                latencies.record(latency.as_micros() as u64).ok();
            }
            back.push(connection);
        }
    }
    (start.elapsed(), back)
}

impl Repeater {
    /// The same connection with another request.
    #[must_use]
    pub fn repeating(mut self, request: Vec<u8>, framing: Framing) -> Repeater {
        self.request = request;
        self.framing = framing;
        self
    }
}
