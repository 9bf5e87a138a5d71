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
mod explain;
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

pub(super) use self::decode::Envelope;
use self::explain::whole;
pub(super) use self::request::Request;
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
            return Err(match client.shared.json(&answer) {
                Err(error) => TargetError::Credentials(error.to_string()),
                Ok(_) => {
                    TargetError::Credentials(format!("{} refused the token", self.shared.shown))
                }
            });
        }
        let value = client.shared.json(&answer).map_err(unreachable)?;
        match self
            .shared
            .reply(value, &answer.body)
            .map_err(unreachable)?
        {
            // A token that may not PING is a token all the same.
            Reply::Error(text) if !text.starts_with("NOPERM") => {
                Err(TargetError::Unreachable(format!(
                    "{} answered the first PING with an error: {text}",
                    self.shared.shown
                )))
            }
            _ => Ok(()),
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

    async fn batch(&mut self, path: &str, commands: &[Command]) -> Result<Batch, ClientError> {
        let request = Request::batch(path, commands)?;
        let reads = commands.iter().all(only_reads);
        let answer = self.exchange(&request, reads).await?;
        let value = self.shared.json(&answer)?;
        let envelopes = match value {
            Value::Array(items) => items,
            whole => {
                return match self.shared.reply(whole, &answer.body)? {
                    Reply::Error(text) => Ok(Batch::Refused(text)),
                    _ => Err(ClientError::Protocol(format!(
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
            .map(|item| self.shared.reply(item, &answer.body))
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
        let value = self.shared.json(&answer)?;
        self.shared.reply(value, &answer.body)
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

    fn sync_token(&self) -> Option<Vec<u8>> {
        (!self.sync_token.is_empty()).then(|| self.sync_token.as_bytes().to_vec())
    }

    fn adopt_sync_token(&mut self, token: &[u8]) {
        // What came in a header can be sent in one.
        if let Ok(token) = HeaderValue::from_bytes(token) {
            self.sync_token = token;
        }
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
