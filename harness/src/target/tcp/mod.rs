//! Targets that speak the Redis protocol, over TCP or TLS.
//!
//! The `redis` crate encodes, decodes and matches replies to commands; connections are made and
//! set up here, so that an error can say which step failed. A client is one connection and is never
//! reconnected: `WATCH`, `SELECT` and `MULTI` live in it.
//!
//! The crate splits an error reply at its first space into a code and a detail and names the codes
//! it knows. Joined again they are the server's text, byte for byte. What it cannot read is a
//! status or an error with bytes that are not UTF-8; that arrives as [`ClientError::Protocol`].

mod translate;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError};
use scenarios::client::{Capabilities, Command, Message, Subscription};
use scenarios::reply::Expressiveness;
use scenarios::{Client, ClientError, Connector, Reply};
use tokio::task::AbortHandle;
use url::Url;

use self::translate::{blocking_time, server_error};
pub(super) use self::translate::{packed, reply};
use super::dial::{Address, dial, seconds};
use super::error::TargetError;
use super::option::{Options, Protocol};
use super::secret::Secret;
use super::tls;

/// How often a connection is tried again that the server has no room for, and the first pause.
const CROWDED_RETRIES: u32 = 3;
const CROWDED_PAUSE: Duration = Duration::from_millis(200);

/// Makes connections to one server.
#[derive(Clone)]
pub struct TcpConnector {
    address: Address,
    tls: Option<Arc<rustls::ClientConfig>>,
    user: Option<String>,
    password: Option<Secret>,
    database: u16,
    protocol: Protocol,
    /// Whether RESP3 was asked for, and no server has refused it.
    resp3: Arc<AtomicBool>,
    connect_timeout: Duration,
    reply_timeout: Duration,
}

impl TcpConnector {
    /// A connector for a `redis://` or `rediss://` URL. No connection is made yet.
    ///
    /// # Errors
    /// When the URL or the file of certificate authorities is wrong.
    pub fn new(url: &Url, options: &Options) -> Result<Self, TargetError> {
        let decode = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| {
                    TargetError::Mistake(
                        "the user or password in the URL is not UTF-8 after percent-decoding"
                            .to_owned(),
                    )
                })
        };
        let authorities = tls::read_authorities(options.ca_file.as_deref())?;
        let tls = match url.scheme() {
            "rediss" => Some(tls::client_config(&authorities)?),
            _ => None,
        };
        // An IPv6 host has brackets in a URL, and none anywhere else.
        let host = url.host_str().unwrap_or("localhost");
        Ok(TcpConnector {
            address: Address {
                host: host
                    .trim_start_matches('[')
                    .trim_end_matches(']')
                    .to_owned(),
                port: url.port().unwrap_or(6379),
            },
            tls,
            user: match url.username() {
                "" => None,
                user => Some(decode(user)?),
            },
            password: url.password().map(decode).transpose()?.map(Secret::new),
            database: url.path().trim_matches('/').parse().unwrap_or(0),
            protocol: options.protocol,
            resp3: Arc::new(AtomicBool::new(options.protocol == Protocol::Resp3)),
            connect_timeout: options.connect_timeout,
            reply_timeout: options.reply_timeout,
        })
    }

    /// Connects, authenticates and selects the database, telling failures apart.
    ///
    /// # Errors
    /// [`TargetError::Unreachable`] or [`TargetError::Credentials`].
    pub async fn dial(&self) -> Result<TcpClient, TargetError> {
        let mut attempt = 0;
        loop {
            match self.dial_once().await {
                Err(error) if attempt < CROWDED_RETRIES && is_crowded(&error.to_string()) => {
                    attempt += 1;
                    tokio::time::sleep(CROWDED_PAUSE * attempt).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn dial_once(&self) -> Result<TcpClient, TargetError> {
        let wire = dial(&self.address, self.tls.clone(), self.connect_timeout).await?;
        let quiet = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(Some(self.reply_timeout));
        let (connection, driver) = MultiplexedConnection::new_with_config(&quiet, wire, config)
            .await
            .map_err(|error| self.no_redis(&error.to_string()))?;
        let mut client = TcpClient {
            connector: self.clone(),
            connection,
            driver: tokio::spawn(driver).abort_handle(),
            expressiveness: Expressiveness::Resp2,
            lost: None,
        };
        self.set_up(&mut client).await?;
        Ok(client)
    }

    async fn set_up(&self, client: &mut TcpClient) -> Result<(), TargetError> {
        if let Some(password) = &self.password {
            let mut auth = vec![b"AUTH".to_vec()];
            auth.extend(self.user.as_ref().map(|user| user.clone().into_bytes()));
            auth.push(password.expose().as_bytes().to_vec());
            if let Reply::Error(text) = self.ask(client, auth).await? {
                return Err(self.refused(&text));
            }
        }
        if self.protocol == Protocol::Resp3 {
            let hello = vec![b"HELLO".to_vec(), b"3".to_vec()];
            match self.ask(client, hello).await? {
                Reply::Error(text) if text.starts_with("NOAUTH") => return Err(self.refused(&text)),
                Reply::Error(_) => self.resp3.store(false, Ordering::Relaxed),
                _ => client.expressiveness = Expressiveness::Resp3,
            }
        }
        let greeting = match self.database {
            0 => vec![b"PING".to_vec()],
            number => vec![b"SELECT".to_vec(), number.to_string().into_bytes()],
        };
        match self.ask(client, greeting).await? {
            Reply::Error(text) if text.starts_with("NOAUTH") || text.starts_with("WRONGPASS") => {
                Err(self.refused(&text))
            }
            // An ACL may forbid PING and the server be usable all the same.
            Reply::Error(text) if text.starts_with("NOPERM") => Ok(()),
            Reply::Error(text) if self.database > 0 => Err(TargetError::Mistake(format!(
                "{} has no database {}: {text}. Leave the number out of the URL, or use /0",
                self.address, self.database
            ))),
            Reply::Error(text) => Err(TargetError::Unreachable(format!(
                "{} answered the first PING with an error: {text}",
                self.address
            ))),
            _ => Ok(()),
        }
    }

    async fn ask(&self, client: &mut TcpClient, command: Command) -> Result<Reply, TargetError> {
        client
            .command(&command)
            .await
            .map_err(|error| self.no_redis(&error.to_string()))
    }

    /// The connection stands and what comes back is not the Redis protocol, or nothing.
    fn no_redis(&self, error: &str) -> TargetError {
        let advice = if self.tls.is_some() {
            "check that this is a Redis server's port"
        } else {
            "if the server expects TLS, the URL begins with rediss://; if it speaks HTTP, with \
             http:// or https://"
        };
        TargetError::Unreachable(format!(
            "{} did not answer as a Redis server does: {advice} ({error})",
            self.address
        ))
    }

    fn refused(&self, text: &str) -> TargetError {
        let advice = if text.starts_with("NOAUTH") {
            "put the password into the URL, as in redis://user:password@host:port"
        } else {
            "check the user and the password in the URL"
        };
        TargetError::Credentials(format!(
            "{} refused the connection: {advice} ({})",
            self.address,
            self.redact(text)
        ))
    }

    fn redact(&self, text: &str) -> String {
        match &self.password {
            Some(password) => password.redact(text),
            None => text.to_owned(),
        }
    }

    async fn subscriber(&self) -> Result<PubSub, ClientError> {
        let lost = |error: String| {
            ClientError::NotSent(format!("no connection to subscribe with: {error}"))
        };
        let wire = dial(&self.address, self.tls.clone(), self.connect_timeout)
            .await
            .map_err(|error| lost(error.to_string()))?;
        let mut setup = RedisConnectionInfo::default().set_skip_set_lib_name();
        if let Some(user) = &self.user {
            setup = setup.set_username(user);
        }
        if let Some(password) = &self.password {
            setup = setup.set_password(password.expose());
        }
        PubSub::new(&setup, wire)
            .await
            .map_err(|error| lost(self.redact(&error.to_string())))
    }
}

/// The texts by which Redis and Upstash (Upstash docs, troubleshooting) say that they have as many
/// connections as they may. Some end soon, a run's own among them.
fn is_crowded(error: &str) -> bool {
    error.contains("max number of clients reached")
        || error.contains("max concurrent connections exceeded")
}

#[async_trait]
impl Connector for TcpConnector {
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError> {
        match self.dial().await {
            Ok(client) => Ok(Box::new(client)),
            Err(error) => Err(ClientError::NotSent(error.to_string())),
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            expressiveness: match self.resp3.load(Ordering::Relaxed) {
                true => Expressiveness::Resp3,
                false => Expressiveness::Resp2,
            },
            connection: true,
            blocking: true,
            rest: false,
        }
    }
}

/// One connection.
pub struct TcpClient {
    connector: TcpConnector,
    connection: MultiplexedConnection,
    driver: AbortHandle,
    expressiveness: Expressiveness,
    lost: Option<String>,
}

impl Drop for TcpClient {
    fn drop(&mut self) {
        // Closes the connection, also while a blocking command is still waiting on the server.
        self.driver.abort();
    }
}

impl TcpClient {
    /// Which kinds of reply this connection keeps apart: RESP3 only if the server agreed to it.
    pub fn expressiveness(&self) -> Expressiveness {
        self.expressiveness
    }

    fn still_connected(&self) -> Result<(), ClientError> {
        match &self.lost {
            Some(reason) => Err(ClientError::NotSent(format!(
                "the connection to {} was lost earlier: {reason}",
                self.connector.address
            ))),
            None => Ok(()),
        }
    }

    fn failed(&mut self, error: &RedisError, limit: Duration) -> ClientError {
        let address = &self.connector.address;
        let text = self.connector.redact(&error.to_string());
        if error.is_timeout() {
            return ClientError::OutcomeUnknown(format!(
                "{address} sent no reply within {}; whether it ran the command is not known",
                seconds(limit)
            ));
        }
        if matches!(error.kind(), redis::ErrorKind::Parse) {
            self.lost = Some("its replies could not be read".to_owned());
            // The crate's words are about bytes and offsets, over several lines.
            return ClientError::Protocol(format!(
                "{address} sent something that is not a Redis reply"
            ));
        }
        self.lost = Some(text.clone());
        ClientError::OutcomeUnknown(format!(
            "the connection to {address} was lost before a reply came; whether the server ran the \
             command is not known ({text})"
        ))
    }

    async fn send(
        &mut self,
        commands: &[Command],
        limit: Duration,
    ) -> Result<Vec<Reply>, ClientError> {
        self.still_connected()?;
        let mut pipeline = redis::Pipeline::with_capacity(commands.len());
        for command in commands {
            pipeline.add_command(packed(command)?);
        }
        self.connection.set_response_timeout(limit);
        match self
            .connection
            .send_packed_commands(&pipeline, 0, commands.len())
            .await
        {
            Ok(values) => Ok(values.into_iter().map(reply).collect()),
            Err(error) => Err(self.failed(&error, limit)),
        }
    }
}

#[async_trait]
impl Client for TcpClient {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        self.still_connected()?;
        let packed = packed(command)?;
        let limit = self.connector.reply_timeout + blocking_time(command);
        self.connection.set_response_timeout(limit);
        match self.connection.send_packed_command(&packed).await {
            Ok(value) => Ok(reply(value)),
            Err(error) => match server_error(&error) {
                Some(text) => Ok(Reply::Error(text)),
                None => Err(self.failed(&error, limit)),
            },
        }
    }

    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let blocking: Duration = commands.iter().map(blocking_time).sum();
        self.send(commands, self.connector.reply_timeout + blocking)
            .await
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        let mut all = Vec::with_capacity(commands.len() + 2);
        all.push(vec![b"MULTI".to_vec()]);
        all.extend_from_slice(commands);
        all.push(vec![b"EXEC".to_vec()]);
        let mut replies = self.send(&all, self.connector.reply_timeout).await?;
        if let Some(Reply::Error(text)) = replies.first() {
            // MULTI itself was refused (nested, say): what EXEC then says is about nothing.
            return Ok(Reply::Error(text.clone()));
        }
        replies.pop().ok_or_else(|| {
            ClientError::Protocol("the transaction was answered with nothing".to_owned())
        })
    }

    async fn subscribe(
        &mut self,
        channels: &[Vec<u8>],
        pattern: bool,
    ) -> Result<Box<dyn Subscription>, ClientError> {
        let limit = self.connector.reply_timeout;
        let mut pubsub = self.connector.subscriber().await?;
        let confirmed = async {
            for channel in channels {
                match pattern {
                    true => pubsub.psubscribe(channel).await?,
                    false => pubsub.subscribe(channel).await?,
                }
            }
            Ok::<(), RedisError>(())
        };
        match tokio::time::timeout(limit, confirmed).await {
            Err(_) => Err(ClientError::OutcomeUnknown(format!(
                "{} did not confirm the subscription within {}",
                self.connector.address,
                seconds(limit)
            ))),
            Ok(Err(error)) => Err(ClientError::NotSent(format!(
                "the subscription was refused: {}",
                server_error(&error).unwrap_or_else(|| self.connector.redact(&error.to_string()))
            ))),
            Ok(Ok(())) => Ok(Box::new(TcpSubscription(pubsub))),
        }
    }
}

struct TcpSubscription(PubSub);

#[async_trait]
impl Subscription for TcpSubscription {
    async fn next(&mut self, timeout: Duration) -> Result<Option<Message>, ClientError> {
        let next = async { self.0.on_message().next().await };
        let Ok(message) = tokio::time::timeout(timeout, next).await else {
            return Ok(None);
        };
        let message = message.ok_or_else(|| {
            ClientError::Protocol(
                "the subscription's connection was closed by the server".to_owned(),
            )
        })?;
        let unreadable = |error: redis::RedisError| {
            ClientError::Protocol(format!("a message could not be read ({error})"))
        };
        let pattern = match message.from_pattern() {
            true => Some(message.get_pattern().map_err(unreadable)?),
            false => None,
        };
        Ok(Some(Message {
            pattern,
            channel: message.get_channel().map_err(unreadable)?,
            payload: message.get_payload_bytes().to_vec(),
        }))
    }
}
