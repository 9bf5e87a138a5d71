//! Targets that speak Upstash's REST API: Upstash itself, the mock, and whatever imitates it.
//!
//! What is repeated, and what is not:
//!
//! - a request that never reached the server (no connection) is repeated twice;
//! - 429 says that nothing was run, and is repeated after the time the server asks for;
//! - a 5xx may come from a gateway after the command ran, so only requests that read are repeated,
//!   once; 503 with `Retry-After` is no exception, for gateways send it too;
//! - a request whose answer did not come in time, or was cut off, is never repeated: its fate is
//!   unknown, and a caller is told so ([`ClientError::OutcomeUnknown`]).

mod decode;
mod request;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use scenarios::client::{Capabilities, Command, Subscription};
use scenarios::reply::Expressiveness;
use scenarios::{Client, ClientError, Connector, Reply};
use serde_json::Value;
use url::Url;

use self::decode::Envelope;
use self::request::Request;
use super::dial::seconds;
use super::error::TargetError;
use super::guest::only_reads;
use super::option::Options;
use super::secret::{Secret, redact_url};
use super::tls;

const SYNC_TOKEN: &str = "upstash-sync-token";

/// How often a request is sent again, after the first time, when it never reached the server.
const CONNECT_RETRIES: u32 = 2;
/// How often a request is sent again after being told to slow down.
const SLOW_DOWN_RETRIES: u32 = 4;
/// However long `Retry-After` asks for, a run does not stand still for longer than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How much of an unreadable answer an error shows.
const EXCERPT: usize = 120;

/// Makes logical clients of one REST endpoint; they share its connections.
#[derive(Clone)]
pub struct RestConnector {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    /// Without a trailing slash.
    base: String,
    shown: String,
    token: Secret,
    authorization: HeaderValue,
    reply_timeout: Duration,
    /// The pause before the first repetition when the server names none; doubled each time.
    first_pause: Duration,
}

impl RestConnector {
    /// A connector for an `http://` or `https://` URL. No connection is made yet.
    ///
    /// # Errors
    /// When the token cannot be a header, or the file of certificate authorities is wrong.
    pub fn new(url: &Url, token: Secret, options: &Options) -> Result<Self, TargetError> {
        tls::install_provider();
        let authorities = tls::read_authorities(options.ca_file.as_deref())?
            .iter()
            .map(|certificate| reqwest::Certificate::from_der(certificate))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                TargetError::Mistake(format!(
                    "a certificate of --ca-file cannot be used: {error}"
                ))
            })?;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(options.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .tcp_nodelay(true)
            .pool_max_idle_per_host(64);
        if !authorities.is_empty() {
            builder = builder.tls_certs_merge(authorities);
        }
        if url.host_str().is_some_and(is_loopback) {
            // A proxy for the outside world does not know this machine's own servers.
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| {
            TargetError::Mistake(format!(
                "the HTTP client cannot be set up: {}",
                whole(&error)
            ))
        })?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| {
                TargetError::Mistake(
                    "the token holds a character that no HTTP header can carry: copy it again from \
                     the Upstash console, without line breaks"
                        .to_owned(),
                )
            })?;
        authorization.set_sensitive(true);
        let mut base = url.clone();
        // A URL of a server has a place for these; the token goes by its header.
        let _ = base.set_username("");
        let _ = base.set_password(None);
        base.set_query(None);
        base.set_fragment(None);
        Ok(RestConnector {
            shared: Arc::new(Shared {
                http,
                base: base.as_str().trim_end_matches('/').to_owned(),
                shown: redact_url(url),
                token,
                authorization,
                reply_timeout: options.reply_timeout,
                first_pause: Duration::from_millis(500),
            }),
        })
    }

    /// The same connector, pausing this long before the first repetition when told to slow down
    /// without being told for how long.
    pub fn with_first_pause(mut self, pause: Duration) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.first_pause = pause;
        }
        self
    }

    /// Asks whether the server is there and takes the token.
    ///
    /// # Errors
    /// [`TargetError::Credentials`] when it refuses the token, [`TargetError::Unreachable`] when
    /// it does not answer as Upstash does.
    pub async fn check(&self) -> Result<(), TargetError> {
        let ping: Command = vec![b"PING".to_vec()];
        let unreachable = |error: ClientError| TargetError::Unreachable(error.to_string());
        let mut client = self.client();
        let request = Request::command(&ping).map_err(unreachable)?;
        let answer = client.exchange(&request, true).await.map_err(unreachable)?;
        if matches!(answer.status.as_u16(), 401 | 403) {
            return Err(match client.json(&answer) {
                Err(error) => TargetError::Credentials(error.to_string()),
                Ok(_) => {
                    TargetError::Credentials(format!("{} refused the token", self.shared.shown))
                }
            });
        }
        let value = client.json(&answer).map_err(unreachable)?;
        match Envelope::decode(value) {
            // A token that may not PING is a token all the same.
            Ok(Envelope(Reply::Error(text))) if !text.starts_with("NOPERM") => {
                Err(TargetError::Unreachable(format!(
                    "{} answered the first PING with an error: {text}",
                    self.shared.shown
                )))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(unreachable(client.unreadable(error, &answer.body))),
        }
    }

    /// A logical client with a sync token of its own.
    pub fn client(&self) -> RestClient {
        RestClient {
            shared: self.shared.clone(),
            sync_token: HeaderValue::from_static(""),
        }
    }
}

#[async_trait]
impl Connector for RestConnector {
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError> {
        Ok(Box::new(self.client()))
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            expressiveness: Expressiveness::Json,
            connection: false,
            blocking: false,
            rest: true,
        }
    }
}

/// One logical client: requests share connections with others, the sync token is its own, so that
/// it reads its own writes also where a replica answers.
pub struct RestClient {
    shared: Arc<Shared>,
    sync_token: HeaderValue,
}

/// An answer whose body arrived whole.
struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

impl RestClient {
    async fn exchange(&mut self, request: &Request, reads: bool) -> Result<Answer, ClientError> {
        let mut unconnected = 0;
        let mut slowed = 0;
        let mut failed = false;
        loop {
            let response = match self.attempt(request).await {
                Ok(response) => response,
                Err(error) if error.is_connect() && unconnected < CONNECT_RETRIES => {
                    unconnected += 1;
                    tokio::time::sleep(Duration::from_millis(100) * unconnected).await;
                    continue;
                }
                Err(error) => return Err(self.shared.no_answer(&error)),
            };
            let status = response.status();
            if status == StatusCode::TOO_MANY_REQUESTS && slowed < SLOW_DOWN_RETRIES {
                let pause = retry_after(response.headers())
                    .unwrap_or(self.shared.first_pause * 2u32.pow(slowed))
                    .min(LONGEST_PAUSE);
                tracing::debug!(?pause, "told to slow down");
                slowed += 1;
                tokio::time::sleep(pause).await;
                continue;
            }
            if status.is_server_error() && reads && !failed {
                failed = true;
                tokio::time::sleep(self.shared.first_pause.min(Duration::from_millis(500))).await;
                continue;
            }
            if let Some(token) = response.headers().get(SYNC_TOKEN) {
                self.sync_token = token.clone();
            }
            let body = response
                .bytes()
                .await
                .map_err(|error| self.shared.cut_off(status, &error))?;
            return Ok(Answer {
                status,
                body: body.to_vec(),
            });
        }
    }

    async fn attempt(&self, request: &Request) -> Result<Response, reqwest::Error> {
        self.shared
            .http
            .post(format!("{}{}", self.shared.base, request.path))
            .header(AUTHORIZATION, self.shared.authorization.clone())
            .header("Upstash-Encoding", "base64")
            .header(SYNC_TOKEN, self.sync_token.clone())
            .header(reqwest::header::CONTENT_TYPE, request.content_type)
            .timeout(self.shared.reply_timeout)
            .body(request.body.clone())
            .send()
            .await
    }

    /// The JSON of an answer that a healthy server may give: 200, or 400 and 413 with an error in it.
    fn json(&self, answer: &Answer) -> Result<Value, ClientError> {
        let shared = &self.shared;
        let excerpt = || shared.excerpt(&answer.body);
        match answer.status.as_u16() {
            200 => serde_json::from_slice(&answer.body).map_err(|error| {
                ClientError::Protocol(format!(
                    "{} answered 200 with a body that is not valid JSON ({error}): {}. Check that \
                     the URL is the REST URL of the database",
                    shared.shown,
                    excerpt()
                ))
            }),
            400 | 413 => match serde_json::from_slice::<Value>(&answer.body) {
                Ok(value) if value.get("error").is_some() => Ok(value),
                _ if answer.status == StatusCode::PAYLOAD_TOO_LARGE => {
                    Err(ClientError::NotSent(format!(
                        "{} answered 413: the request is larger than the database's plan allows. Send \
                     smaller values, or split the request",
                        shared.shown
                    )))
                }
                _ => Err(ClientError::Protocol(format!(
                    "{} answered {} without an error in JSON: {}",
                    shared.shown,
                    answer.status,
                    excerpt()
                ))),
            },
            401 | 403 => Err(ClientError::NotSent(format!(
                "{} refused the token ({}): {}. Copy the REST token from the Upstash console into \
                 UPSTASH_REDIS_REST_TOKEN; a Redis password is not a REST token on older databases",
                shared.shown,
                answer.status,
                excerpt()
            ))),
            429 => Err(ClientError::NotSent(format!(
                "{} answered 429 (too many requests) {} times in a row: wait a while, or run fewer \
                 scenarios with --area or --filter",
                shared.shown,
                SLOW_DOWN_RETRIES + 1
            ))),
            300..=399 => Err(ClientError::NotSent(format!(
                "{} redirected the request ({}), which loses it: give the URL that it redirects to, \
                 https:// rather than http:// most likely",
                shared.shown, answer.status
            ))),
            404 | 405 => Err(ClientError::NotSent(format!(
                "{} answered {}: this does not look like Upstash's REST API. Check the URL: {}",
                shared.shown,
                answer.status,
                excerpt()
            ))),
            500..=599 => Err(ClientError::OutcomeUnknown(format!(
                "{} answered {}: {}. Whether the command was run is not known, so a write was not \
                 repeated; try again later",
                shared.shown,
                answer.status,
                excerpt()
            ))),
            _ => Err(ClientError::Protocol(format!(
                "{} answered {}, which Upstash does not use: {}",
                shared.shown,
                answer.status,
                excerpt()
            ))),
        }
    }

    fn unreadable(&self, error: decode::DecodeError, body: &[u8]) -> ClientError {
        ClientError::Protocol(format!(
            "{} answered with JSON that is not a reply: {error}. The answer was {}",
            self.shared.shown,
            self.shared.excerpt(body)
        ))
    }

    async fn batch(&mut self, path: &str, commands: &[Command]) -> Result<Batch, ClientError> {
        let request = Request::batch(path, commands)?;
        let reads = commands.iter().all(only_reads);
        let answer = self.exchange(&request, reads).await?;
        let value = self.json(&answer)?;
        let envelopes = match value {
            Value::Array(items) => items,
            whole => {
                return match Envelope::decode(whole)
                    .map_err(|e| self.unreadable(e, &answer.body))?
                {
                    Envelope(Reply::Error(text)) => Ok(Batch::Refused(text)),
                    Envelope(_) => Err(ClientError::Protocol(format!(
                        "{} answered {path} with one result rather than a list",
                        self.shared.shown
                    ))),
                };
            }
        };
        if envelopes.len() != commands.len() {
            return Err(ClientError::Protocol(format!(
                "{} answered {} commands in {path} with {} replies: which belongs to which is not known",
                self.shared.shown,
                commands.len(),
                envelopes.len()
            )));
        }
        envelopes
            .into_iter()
            .map(|item| {
                Ok(Envelope::decode(item)
                    .map_err(|e| self.unreadable(e, &answer.body))?
                    .0)
            })
            .collect::<Result<Vec<Reply>, ClientError>>()
            .map(Batch::Replies)
    }
}

enum Batch {
    Replies(Vec<Reply>),
    /// The server refused the request as a whole and ran nothing.
    Refused(String),
}

#[async_trait]
impl Client for RestClient {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        let request = Request::command(command)?;
        let answer = self.exchange(&request, only_reads(command)).await?;
        let value = self.json(&answer)?;
        Envelope::decode(value)
            .map(|envelope| envelope.0)
            .map_err(|error| self.unreadable(error, &answer.body))
    }

    /// A pipeline that the server refuses as a whole has that error in every slot.
    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match self.batch("/pipeline", commands).await? {
            Batch::Replies(replies) => replies,
            Batch::Refused(text) => vec![Reply::Error(text); commands.len()],
        })
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        Ok(match self.batch("/multi-exec", commands).await? {
            Batch::Replies(replies) => Reply::Array(replies),
            Batch::Refused(text) => Reply::Error(text),
        })
    }

    async fn subscribe(
        &mut self,
        channels: &[Vec<u8>],
        pattern: bool,
    ) -> Result<Box<dyn Subscription>, ClientError> {
        stream::subscribe(&self.shared, channels, pattern).await
    }
}

impl Shared {
    /// Why a request has no answer. Only a connection that was never made proves that nothing ran.
    fn no_answer(&self, error: &reqwest::Error) -> ClientError {
        let text = self.token.redact(&whole(error));
        let shown = &self.shown;
        if error.is_connect() {
            let lower = text.to_ascii_lowercase();
            let advice = if lower.contains("certificate")
                || lower.contains("tls")
                || lower.contains("corrupt message")
            {
                tls::explain_handshake(&text)
            } else if lower.contains("dns") || lower.contains("lookup") {
                format!("its host could not be found: check the spelling and the network ({text})")
            } else if lower.contains("timed out") || error.is_timeout() {
                let tls = match shown.starts_with("https://") {
                    true => "; if the server does not expect TLS, the URL begins with http://",
                    false => "",
                };
                format!(
                    "it did not answer in time: check the address and the network{tls} ({text})"
                )
            } else {
                format!("nothing listens there: check the URL, and that the server runs ({text})")
            };
            return ClientError::NotSent(format!("no connection to {shown}: {advice}"));
        }
        if error.is_timeout() {
            return ClientError::OutcomeUnknown(format!(
                "{shown} did not answer within {}; whether it ran the command is not known, so it \
                 was not repeated",
                seconds(self.reply_timeout)
            ));
        }
        if error.is_builder() {
            return ClientError::NotSent(format!(
                "the request to {shown} cannot be built ({text})"
            ));
        }
        let advice = match shown.starts_with("http://") {
            true => "; if the server expects TLS, the URL begins with https://",
            false => "",
        };
        ClientError::OutcomeUnknown(format!(
            "{shown} closed the connection without an answer; whether it ran the command is not \
             known, so it was not repeated{advice} ({text})"
        ))
    }

    fn cut_off(&self, status: StatusCode, error: &reqwest::Error) -> ClientError {
        let text = self.token.redact(&whole(error));
        if error.is_timeout() {
            return ClientError::OutcomeUnknown(format!(
                "{} began to answer ({status}) and did not finish within {}; the command was \
                 probably run, and was not repeated",
                self.shown,
                seconds(self.reply_timeout)
            ));
        }
        ClientError::Protocol(format!(
            "{} sent only part of its answer ({status}) and closed the connection; the command was \
             probably run, and was not repeated ({text})",
            self.shown
        ))
    }

    /// The beginning of a body, on one line, without the token.
    fn excerpt(&self, body: &[u8]) -> String {
        if body.is_empty() {
            return "an empty body".to_owned();
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(EXCERPT * 4)]).into_owned();
        let text = self.token.redact(&text);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut short: String = line.chars().take(EXCERPT).collect();
        if short.len() < line.len() || body.len() > EXCERPT * 4 {
            short.push('…');
        }
        short
    }
}

/// `Retry-After` in seconds. The form with a date is not worth a calendar here.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(text.trim().parse().ok()?))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// An error with all its causes: reqwest's own text stops at the first. Without the URL, which an
/// error of ours names already.
fn whole(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    match text.is_empty() {
        true => "no further reason given".to_owned(),
        false => text,
    }
}
