//! One connection of the generator, in either protocol, opened a stage at a time so that each can
//! be timed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::load::{Clock, MachineClock};
use super::relay::Distance;
use super::wire::{Prepared, Seen, encode, error_text, judge_json, pass};
use crate::target::Endpoint;

/// The version of HTTP that REST is spoken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum HttpVersion {
    /// A connection carries one request at a time.
    #[serde(rename = "1.1")]
    Http1,
    /// Clients share one connection.
    #[serde(rename = "2")]
    Http2,
}

/// How to reach a server and what to say first.
#[derive(Clone)]
pub(crate) struct Route {
    host: String,
    port: u16,
    tls: Option<Arc<rustls::ClientConfig>>,
    speech: Speech,
    /// Where to connect in place of the host, and how far away that is.
    pub(crate) relay: Option<(std::net::SocketAddr, Distance)>,
}

#[derive(Clone)]
enum Speech {
    /// What to send first, and how many replies it has.
    Resp { greeting: Bytes, replies: usize },
    Rest {
        authority: HeaderValue,
        authorization: Option<HeaderValue>,
        base: String,
        version: HttpVersion,
    },
}

/// What opening a connection took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Opening {
    pub(crate) dns: Duration,
    pub(crate) connect: Duration,
    pub(crate) tls: Duration,
    /// AUTH and SELECT over TCP; the preface of HTTP/2.
    pub(crate) greeting: Duration,
}

impl Route {
    /// The route to a target.
    pub(crate) fn new(endpoint: &Endpoint, version: HttpVersion) -> Result<Self, String> {
        let url = &endpoint.url;
        let rest = matches!(url.scheme(), "http" | "https");
        let host = url.host_str().unwrap_or("localhost");
        let port = url.port_or_known_default().unwrap_or(6379);
        let alpn: &[&[u8]] = match (rest, version) {
            (true, HttpVersion::Http1) => &[b"http/1.1"],
            (true, HttpVersion::Http2) => &[b"h2"],
            _ => &[],
        };
        let tls = endpoint.tls(alpn).map_err(|error| error.to_string())?;
        let speech = if rest {
            let bearer = endpoint.token.as_ref().map(|token| {
                HeaderValue::try_from(format!("Bearer {}", token.expose())).map(|mut value| {
                    value.set_sensitive(true);
                    value
                })
            });
            Speech::Rest {
                authority: HeaderValue::try_from(match url.port() {
                    Some(port) => format!("{host}:{port}"),
                    None => host.to_owned(),
                })
                .map_err(|_| format!("'{host}' cannot be a host header"))?,
                authorization: bearer
                    .transpose()
                    .map_err(|_| "the token cannot be a header".to_owned())?,
                base: {
                    let path = url.path().trim_end_matches('/');
                    match version {
                        HttpVersion::Http1 => path.to_owned(),
                        // Scheme and authority are fields of their own there.
                        HttpVersion::Http2 => {
                            format!("{}{path}", url.origin().ascii_serialization())
                        }
                    }
                },
                version,
            }
        } else {
            greeting(url)?
        };
        Ok(Route {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            tls,
            speech,
            relay: None,
        })
    }

    /// Where it leads, for a relay.
    pub(crate) fn address(&self) -> (String, u16) {
        (self.host.clone(), self.port)
    }

    /// Whether REST is spoken.
    pub(crate) fn is_rest(&self) -> bool {
        matches!(&self.speech, Speech::Rest { .. })
    }

    /// Whether clients share one connection.
    pub(crate) fn shares(&self) -> bool {
        matches!(
            &self.speech,
            Speech::Rest {
                version: HttpVersion::Http2,
                ..
            }
        )
    }

    /// Opens a connection.
    pub(crate) async fn open(&self) -> Result<(Link, Opening), String> {
        let mut opening = Opening::default();
        let mut since = Instant::now();
        let mut lap = || {
            let took = since.elapsed();
            since = Instant::now();
            took
        };
        let stream = match self.relay {
            Some((relay, distance)) => {
                let stream = TcpStream::connect(relay).await;
                // The system answers on loopback at once; at that distance a SYN and its answer
                // are a round trip.
                pause(distance.round_trip(&mut rand::rng())).await;
                stream
            }
            None => {
                let found: Vec<_> = tokio::net::lookup_host((self.host.as_str(), self.port))
                    .await
                    .map_err(|error| format!("the host '{}' is not found: {error}", self.host))?
                    .collect();
                let looked_up = lap();
                // An address is not looked up.
                if self.host.parse::<std::net::IpAddr>().is_err() {
                    opening.dns = looked_up;
                }
                TcpStream::connect(&found[..]).await
            }
        }
        .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
        .map_err(|error| format!("no connection to {}:{}: {error}", self.host, self.port))?;
        opening.connect = lap();
        let link = match &self.tls {
            None => self.speak(stream, &mut opening, lap).await?,
            Some(config) => {
                let name = ServerName::try_from(self.host.clone())
                    .map_err(|_| format!("no certificate can be for '{}'", self.host))?;
                let stream = tokio_rustls::TlsConnector::from(config.clone())
                    .connect(name, stream)
                    .await
                    .map_err(|error| format!("no TLS connection to {}: {error}", self.host))?;
                opening.tls = lap();
                self.speak(stream, &mut opening, lap).await?
            }
        };
        Ok((link, opening))
    }

    async fn speak<S>(
        &self,
        stream: S,
        opening: &mut Opening,
        mut lap: impl FnMut() -> Duration,
    ) -> Result<Link, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broken = |error: hyper::Error| format!("HTTP cannot be spoken: {error}");
        let speaker = match &self.speech {
            Speech::Resp { greeting, replies } => {
                let mut resp = Resp {
                    stream: Box::new(stream),
                    buffer: BytesMut::with_capacity(16 * 1024),
                    first_byte: None,
                };
                if *replies > 0 {
                    resp.exchange(greeting, *replies, false).await?;
                }
                Speaker::Resp(resp)
            }
            Speech::Rest {
                version: HttpVersion::Http1,
                ..
            } => {
                let (sender, driver) = http1::handshake(TokioIo::new(stream))
                    .await
                    .map_err(broken)?;
                tokio::spawn(driver);
                Speaker::Http1(sender)
            }
            Speech::Rest {
                version: HttpVersion::Http2,
                ..
            } => {
                let (sender, driver) = http2::Builder::new(TokioExecutor::new())
                    .handshake(TokioIo::new(stream))
                    .await
                    .map_err(broken)?;
                tokio::spawn(driver);
                Speaker::Http2(sender)
            }
        };
        opening.greeting = lap();
        Ok(Link {
            speaker,
            speech: self.speech.clone(),
            first_byte: None,
        })
    }
}

/// Waits as exactly as the clock allows: tokio's timer has ticks of a millisecond, which is much of
/// a short distance.
async fn pause(length: Duration) {
    let clock = MachineClock::default();
    clock.wait_until(clock.now() + length).await;
}

fn greeting(url: &url::Url) -> Result<Speech, String> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let mut greeting = Vec::new();
    let mut replies = 0;
    if let Some(password) = url.password() {
        let mut auth = vec![b"AUTH".to_vec()];
        if !url.username().is_empty() {
            auth.push(decode(url.username()));
        }
        auth.push(decode(password));
        encode(&mut greeting, &auth);
        replies += 1;
    }
    let database = url.path().trim_matches('/');
    if !database.is_empty() && database != "0" {
        encode(
            &mut greeting,
            &[b"SELECT".to_vec(), database.as_bytes().to_vec()],
        );
        replies += 1;
    }
    Ok(Speech::Resp {
        greeting: greeting.into(),
        replies,
    })
}

/// An open connection.
pub(crate) struct Link {
    speaker: Speaker,
    speech: Speech,
    /// When the first byte of the latest answer came.
    pub(crate) first_byte: Option<Instant>,
}

enum Speaker {
    Resp(Resp),
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// Why an exchange failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The answer is an error; the connection is still good.
    Refused(String),
    /// The server asks for less, and names how long to wait.
    SlowDown(Duration),
    /// The connection is lost.
    Lost(String),
}

impl From<String> for Fault {
    fn from(text: String) -> Self {
        Fault::Lost(text)
    }
}

impl Link {
    /// Another user of the same connection, where connections are shared.
    pub(crate) fn share(&self) -> Option<Link> {
        match &self.speaker {
            Speaker::Http2(sender) => Some(Link {
                speaker: Speaker::Http2(sender.clone()),
                speech: self.speech.clone(),
                first_byte: None,
            }),
            _ => None,
        }
    }

    /// Sends an exchange and waits for the whole answer.
    pub(crate) async fn exchange(&mut self, prepared: &Prepared) -> Result<(), Fault> {
        let request = match &self.speech {
            Speech::Resp { .. } => None,
            Speech::Rest {
                authority,
                authorization,
                base,
                version,
            } => Some(request(
                prepared,
                authority,
                authorization.as_ref(),
                base,
                *version,
            )?),
        };
        let sent = match (&mut self.speaker, request) {
            (Speaker::Http1(sender), Some(request)) => {
                sender.ready().await.map_err(|error| error.to_string())?;
                sender.send_request(request).await
            }
            (Speaker::Http2(sender), Some(request)) => sender.send_request(request).await,
            (Speaker::Resp(resp), _) => {
                let refusal = resp
                    .exchange(&prepared.resp, prepared.replies, prepared.needs_value)
                    .await?;
                self.first_byte = resp.first_byte;
                return refusal.map_or(Ok(()), |text| Err(Fault::Refused(text)));
            }
            (_, None) => return Err(Fault::Lost("there is no request to send".into())),
        };
        let response = sent.map_err(|error| format!("the connection was lost: {error}"))?;
        self.first_byte = Some(Instant::now());
        let status = response.status();
        let pause = response
            .headers()
            .get(hyper::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map_or(Duration::from_secs(1), Duration::from_secs);
        let body = response
            .into_body()
            .collect()
            .await
            .map_err(|error| format!("the answer broke off: {error}"))?
            .to_bytes();
        match status {
            StatusCode::OK => judge_json(&body, prepared.needs_value).map_err(Fault::Refused),
            StatusCode::TOO_MANY_REQUESTS => {
                Err(Fault::SlowDown(pause.min(Duration::from_secs(10))))
            }
            _ => {
                let text: String = String::from_utf8_lossy(&body).chars().take(200).collect();
                Err(Fault::Refused(format!("{status}: {text}")))
            }
        }
    }
}

fn request(
    prepared: &Prepared,
    authority: &HeaderValue,
    authorization: Option<&HeaderValue>,
    base: &str,
    version: HttpVersion,
) -> Result<Request<Full<Bytes>>, Fault> {
    let mut builder = Request::post(format!("{base}{}", prepared.path))
        .header(CONTENT_TYPE, "application/json")
        // As Upstash's own clients ask, unless told otherwise.
        .header("upstash-encoding", "base64");
    if version == HttpVersion::Http1 {
        builder = builder.header(HOST, authority.clone());
    }
    if let Some(authorization) = authorization {
        builder = builder.header(AUTHORIZATION, authorization.clone());
    }
    builder
        .body(Full::new(prepared.json.clone()))
        .map_err(|error| Fault::Lost(format!("the request cannot be made: {error}")))
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Resp {
    stream: Box<dyn Stream>,
    buffer: BytesMut,
    first_byte: Option<Instant>,
}

impl Resp {
    /// Sends, and reads so many replies. An error among them is returned as text.
    async fn exchange(
        &mut self,
        bytes: &[u8],
        replies: usize,
        needs_value: bool,
    ) -> Result<Option<String>, String> {
        let lost = |error: std::io::Error| format!("the connection was lost: {error}");
        self.buffer.clear();
        self.first_byte = None;
        self.stream.write_all(bytes).await.map_err(lost)?;
        self.stream.flush().await.map_err(lost)?;
        let (mut at, mut left, mut seen) = (0, replies, Seen::default());
        while left > 0 {
            match pass(&self.buffer, at, &mut seen)? {
                Some(end) => {
                    at = end;
                    left -= 1;
                }
                None => {
                    self.buffer.reserve(16 * 1024);
                    if self.stream.read_buf(&mut self.buffer).await.map_err(lost)? == 0 {
                        return Err("the server closed the connection".into());
                    }
                    self.first_byte.get_or_insert_with(Instant::now);
                }
            }
        }
        Ok(match seen.error {
            Some(at) => Some(error_text(&self.buffer, at)),
            None if needs_value && seen.nil => {
                Some("the reply is nil, so that the operation did not do what it is for".into())
            }
            None => None,
        })
    }
}
