//! Plain requests over HTTP/1.1, answered without hyper.
//!
//! Nearly all that clients send is a small request on a connection that is kept: a head that arrives
//! whole, a body of announced length. For these, hyper's care for all that HTTP allows takes longer than
//! everything else does. They are answered here, with hyper's own parser; whatever is out of the
//! ordinary, malformed requests included, is left to hyper, with the rest of the connection.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, Bytes, BytesMut};
use http_body_util::Either;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, Uri};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::watch;
use tokio::time::Instant;

use super::handler::{self, Asked, HEADERS};
use super::path;
use super::response::{self, Body, Refusal};
use crate::assumption::Assumption;
use crate::shared::Shared;
use crate::transport::send;

/// Headers of a request at the most; hyper gets those that have more.
const MAX_HEADERS: usize = 32;

/// How much is read at a time.
const CHUNK: usize = 8 * 1024;

/// Answers plain requests for as long as a connection brings nothing else. What it brings then comes
/// back, with the connection; `None` when that has ended.
///
/// # Errors
/// When the connection breaks.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    shared: &Arc<Shared>,
    stopped: &watch::Receiver<()>,
) -> io::Result<Option<(S, BytesMut)>> {
    let timeout = shared.bounds.header_timeout;
    let mut stop = stopped.clone();
    let mut stop = std::pin::pin!(stop.changed());
    let mut idle = std::pin::pin!(tokio::time::sleep(timeout));
    let mut input = BytesMut::with_capacity(CHUNK);
    let mut output = Vec::with_capacity(CHUNK);
    let mut date = Date::default();
    loop {
        while !input.is_empty() {
            let found = match shared.is_plain() {
                true => read_head(&input, shared),
                false => None,
            };
            let Some(head) = found else {
                send(&mut stream, &output).await?;
                return Ok(Some((stream, input)));
            };
            let body = read_body(&mut stream, &mut input, &head, shared).await?;
            let came = body.is_ok();
            let asked = Asked {
                parts: head.parts,
                body_at_most: Some(head.length as u64),
                body: std::future::ready(body),
                spared: true,
            };
            let Ok(response) = handler::handle(shared, asked, stopped).await else {
                return Ok(None);
            };
            if !write(&mut output, response, &mut date) {
                return Ok(None);
            }
            if !came {
                send(&mut stream, &output).await?;
                return Ok(None);
            }
        }
        if !output.is_empty() {
            send(&mut stream, &output).await?;
            output.clear();
            // One large answer should not hold its memory for ever.
            output.shrink_to(CHUNK);
        }
        input.reserve(CHUNK);
        let heard = Instant::now();
        loop {
            tokio::select! {
                biased;
                read = stream.read_buf(&mut input) => {
                    if read? == 0 {
                        return Ok(None);
                    }
                    break;
                }
                _ = stop.as_mut() => return Ok(None),
                () = idle.as_mut() => {
                    if heard.elapsed() >= timeout {
                        return Ok(None);
                    }
                    idle.as_mut().reset(heard + timeout);
                }
            }
        }
    }
}

/// A request's head.
struct Head {
    parts: Parts,
    /// Bytes of the head.
    bytes: usize,
    /// Bytes of the body.
    length: usize,
}

/// The head of a plain request; `None` for any other, and for one that has not arrived as a whole.
fn read_head(input: &[u8], shared: &Shared) -> Option<Head> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let bytes = match request.parse(input) {
        Ok(httparse::Status::Complete(bytes)) => bytes,
        _ => return None,
    };
    let mut parts = Request::new(()).into_parts().0;
    parts.method = match request.method? {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        _ => return None,
    };
    if request.version != Some(1) {
        return None;
    }
    let target = request.path.filter(|path| path.starts_with('/'))?;
    parts.uri = Uri::try_from(target).ok()?;
    let split = shared.assumptions.has(Assumption::EncodedSlashSplits);
    if path::opens_stream(&path::segments(parts.uri.path(), split)) {
        return None;
    }
    let mut length = None;
    for header in request.headers.iter() {
        match read_header(header)? {
            Read::Length(bytes) if length.is_none() => length = Some(bytes),
            Read::Length(_) => return None,
            Read::Wanted(name) => {
                let value = HeaderValue::from_bytes(header.value).ok()?;
                parts.headers.append(name.clone(), value);
            }
            Read::Other => {}
        }
    }
    let length = length.unwrap_or(0);
    // A larger one is only read of those who have a token.
    let small = length as u64 <= handler::MAX_BODY_OF_A_STRANGER;
    (small && length <= shared.bounds.max_body).then_some(Head {
        parts,
        bytes,
        length,
    })
}

/// What a header is to a plain request.
enum Read {
    Length(usize),
    Wanted(&'static HeaderName),
    Other,
}

/// `None` for a header that no plain request has.
fn read_header(header: &httparse::Header<'_>) -> Option<Read> {
    let is = |name: &HeaderName| header.name.eq_ignore_ascii_case(name.as_str());
    if is(&header::CONTENT_LENGTH) {
        let digits = !header.value.is_empty() && header.value.iter().all(u8::is_ascii_digit);
        let text = std::str::from_utf8(header.value).ok()?;
        return digits.then(|| text.parse().map(Read::Length).ok())?;
    }
    if is(&header::CONNECTION) {
        let kept = header.value.eq_ignore_ascii_case(b"keep-alive");
        return kept.then_some(Read::Other);
    }
    if [header::TRANSFER_ENCODING, header::EXPECT, header::UPGRADE]
        .iter()
        .any(is)
    {
        return None;
    }
    Some(match HEADERS.iter().find(|name| is(name)) {
        Some(name) => Read::Wanted(name),
        None => Read::Other,
    })
}

/// Reads the body behind a head and takes both out of `input`.
async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    input: &mut BytesMut,
    head: &Head,
    shared: &Shared,
) -> io::Result<Result<Bytes, Refusal>> {
    let whole = head.bytes + head.length;
    if input.len() < whole {
        input.reserve(whole - input.len());
        let rest = async {
            while input.len() < whole {
                if stream.read_buf(input).await? == 0 {
                    return Ok(false);
                }
            }
            Ok::<_, io::Error>(true)
        };
        match tokio::time::timeout(shared.bounds.body_timeout, rest).await {
            Ok(arrived) => {
                if !arrived? {
                    return Ok(Err(Refusal::body_broken()));
                }
            }
            Err(_) => return Ok(Err(Refusal::body_late())),
        }
    }
    let body = Bytes::copy_from_slice(&input[head.bytes..whole]);
    input.advance(whole);
    Ok(Ok(body))
}

/// Writes a response as hyper does; false for one that is no whole, which no plain request leads to.
fn write(output: &mut Vec<u8>, response: Response<Body>, date: &mut Date) -> bool {
    let (parts, Either::Left(body)) = response.into_parts() else {
        return false;
    };
    let body = response::whole(body);
    let mut line = |parts: &[&[u8]]| {
        for part in parts {
            output.extend_from_slice(part);
        }
        output.extend_from_slice(b"\r\n");
    };
    let reason = parts.status.canonical_reason().unwrap_or_default();
    line(&[
        b"HTTP/1.1 ",
        parts.status.as_str().as_bytes(),
        b" ",
        reason.as_bytes(),
    ]);
    for (name, value) in &parts.headers {
        line(&[name.as_ref(), b": ", value.as_bytes()]);
    }
    let length = body.len().to_string();
    line(&[b"content-length: ", length.as_bytes()]);
    line(&[b"date: ", date.now().as_bytes()]);
    line(&[]);
    output.extend_from_slice(&body);
    true
}

/// The date as HTTP writes it, written once in a second.
#[derive(Default)]
struct Date {
    second: u64,
    text: String,
}

impl Date {
    fn now(&mut self) -> &str {
        let now = SystemTime::now();
        let second = now
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .as_secs();
        if self.text.is_empty() || second != self.second {
            self.second = second;
            self.text = httpdate::fmt_http_date(now);
        }
        &self.text
    }
}
