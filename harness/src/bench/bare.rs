//! Responders that do nothing but answer: what the generator reaches against them is its ceiling.

use std::io;

use bytes::{Buf, BytesMut};
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::wire::{Seen, pass};

/// What a responder speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    Resp,
    Http1,
    Http2,
}

/// A responder, which ends with this value.
pub(crate) struct Bare {
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bare {
    /// Starts a responder on a free port, in the runtime of the caller.
    pub(crate) async fn start(speech: Speech) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                // A connection that breaks is the generator's, which ended.
                tokio::spawn(async move {
                    let _ = match speech {
                        Speech::Resp => resp(stream).await,
                        Speech::Http1 => http1(stream).await,
                        Speech::Http2 => http2(stream).await,
                    };
                });
            }
        });
        Ok(Bare { port, task })
    }
}

async fn resp(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = BytesMut::with_capacity(16 * 1024);
    while stream.read_buf(&mut buffer).await? > 0 {
        let mut answer = Vec::new();
        while let Ok(Some(end)) = pass(&buffer, 0, &mut Seen::default()) {
            buffer.advance(end);
            answer.extend_from_slice(b"$2\r\nok\r\n");
        }
        stream.write_all(&answer).await?;
    }
    Ok(())
}

const BODY: &str = r#"{"result":"b2s="}"#;

/// Whole requests are told by their head and their content-length; nothing else is read.
async fn http1(mut stream: TcpStream) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut buffer = BytesMut::with_capacity(16 * 1024);
    while stream.read_buf(&mut buffer).await? > 0 {
        while let Some(length) = request_length(&buffer).filter(|length| *length <= buffer.len()) {
            buffer.advance(length);
            stream.write_all(answer.as_bytes()).await?;
        }
    }
    Ok(())
}

fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let length: usize = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0);
    Some(head + 4 + length)
}

async fn http2(stream: TcpStream) -> io::Result<()> {
    let answer = service_fn(|_request| async {
        Ok::<_, std::convert::Infallible>(hyper::Response::new(Full::new(
            bytes::Bytes::from_static(BODY.as_bytes()),
        )))
    });
    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), answer)
        .await
        .map_err(io::Error::other)
}
