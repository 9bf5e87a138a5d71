//! Targets that speak the Redis protocol, over TCP or TLS.
//!
//! The `redis` crate encodes, decodes and matches replies to commands; connections are made and
//! set up here, so that an error can say which step failed. A client is one connection and is never
//! reconnected: `WATCH`, `SELECT` and `MULTI` live in it.
//!
//! The crate splits an error reply at its first space into a code and a detail and names the codes
//! it knows. Joined again they are the server's text, byte for byte. What it cannot read is a
//! status or an error with bytes that are not UTF-8; that arrives as [`ClientError::Protocol`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError, Value};
use scenarios::client::{Capabilities, Command, Message, Subscription};
use scenarios::reply::Expressiveness;
use scenarios::{Client, ClientError, Connector, Reply};
use tokio::task::AbortHandle;
use url::Url;

use super::dial::{Address, dial, seconds};
use super::error::TargetError;
use super::option::{Options, Protocol};
use super::secret::Secret;
use super::tls;

/// How long a command that blocks for ever (`BLPOP key 0`) is waited for.
const FOREVER: Duration = Duration::from_secs(60);

/// Makes connections to one server.
#[derive(Clone)]
pub struct TcpConnector {
    address: Address,
    tls: Option<Arc<rustls::ClientConfig>>,
    user: Option<String>,
    password: Option<Secret>,
    database: u16,
    protocol: Protocol,
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
            connect_timeout: options.connect_timeout,
            reply_timeout: options.reply_timeout,
        })
    }

    /// Connects, authenticates and selects the database, telling failures apart.
    ///
    /// # Errors
    /// [`TargetError::Unreachable`] or [`TargetError::Credentials`].
    pub async fn dial(&self) -> Result<TcpClient, TargetError> {
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
                Reply::Error(_) => {}
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
            expressiveness: match self.protocol {
                Protocol::Resp2 => Expressiveness::Resp2,
                Protocol::Resp3 => Expressiveness::Resp3,
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

/// Commands that change how a connection is answered, after which replies no longer match commands.
fn packed(command: &Command) -> Result<redis::Cmd, ClientError> {
    let name = command.first().map(|name| name.to_ascii_uppercase());
    match name.as_deref() {
        None => {
            return Err(ClientError::NotSent(
                "there is no command to send".to_owned(),
            ));
        }
        Some(b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE") => {
            return Err(ClientError::Unsupported(
                "a subscription has a connection of its own: use `subscribe` in the scenario"
                    .to_owned(),
            ));
        }
        Some(b"MONITOR" | b"SYNC" | b"PSYNC") => {
            return Err(ClientError::Unsupported(
                "the command turns the connection into a stream, which is not a reply".to_owned(),
            ));
        }
        Some(b"CLIENT")
            if command
                .get(1)
                .is_some_and(|sub| sub.eq_ignore_ascii_case(b"REPLY")) =>
        {
            return Err(ClientError::Unsupported(
                "CLIENT REPLY turns replies off, and then there is nothing to compare".to_owned(),
            ));
        }
        Some(_) => {}
    }
    let mut packed = redis::Cmd::with_capacity(command.len(), command.iter().map(Vec::len).sum());
    for argument in command {
        packed.arg(argument.as_slice());
    }
    Ok(packed)
}

/// How long the command itself asks the server to wait, on top of which its reply may take time.
pub(crate) fn blocking_time(command: &Command) -> Duration {
    let text = |argument: Option<&Vec<u8>>| {
        argument.and_then(|bytes| std::str::from_utf8(bytes).ok()?.parse::<f64>().ok())
    };
    let name = command
        .first()
        .map(|name| name.to_ascii_uppercase())
        .unwrap_or_default();
    let seconds = match name.as_slice() {
        b"BLPOP" | b"BRPOP" | b"BRPOPLPUSH" | b"BLMOVE" | b"BZPOPMIN" | b"BZPOPMAX" => {
            text(command.last())
        }
        b"BLMPOP" | b"BZMPOP" => text(command.get(1)),
        b"WAIT" => text(command.get(2)).map(|ms| ms / 1000.0),
        b"WAITAOF" => text(command.get(3)).map(|ms| ms / 1000.0),
        b"XREAD" | b"XREADGROUP" => command
            .iter()
            .position(|argument| argument.eq_ignore_ascii_case(b"BLOCK"))
            .and_then(|at| text(command.get(at + 1)))
            .map(|ms| ms / 1000.0),
        _ => return Duration::ZERO,
    };
    match seconds {
        Some(0.0) => FOREVER,
        Some(seconds) if seconds > 0.0 => Duration::try_from_secs_f64(seconds)
            .unwrap_or(FOREVER)
            .min(FOREVER),
        _ => Duration::ZERO,
    }
}

fn reply(value: Value) -> Reply {
    match value {
        Value::Nil => Reply::Nil,
        Value::Int(number) => Reply::Integer(number),
        Value::BulkString(bytes) => Reply::Bulk(bytes),
        Value::SimpleString(text) => Reply::Status(text),
        Value::Okay => Reply::Status("OK".to_owned()),
        Value::Array(items) => Reply::Array(items.into_iter().map(reply).collect()),
        Value::Set(items) => Reply::Set(items.into_iter().map(reply).collect()),
        Value::Map(pairs) => Reply::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (reply(key), reply(value)))
                .collect(),
        ),
        Value::Attribute { data, .. } => reply(*data),
        Value::Double(number) => Reply::Double(number),
        Value::Boolean(truth) => Reply::Boolean(truth),
        Value::VerbatimString { text, .. } => Reply::Bulk(text.into_bytes()),
        Value::BigNumber(digits) => Reply::BigNumber(String::from_utf8_lossy(&digits).into_owned()),
        Value::Push { data, .. } => Reply::Array(data.into_iter().map(reply).collect()),
        Value::ServerError(error) => Reply::Error(joined(error.code(), error.details())),
        other => Reply::Error(format!(
            "a kind of reply that the redis crate does not describe: {other:?}"
        )),
    }
}

fn server_error(error: &RedisError) -> Option<String> {
    match error.kind() {
        redis::ErrorKind::Server(_) | redis::ErrorKind::Extension => {
            Some(joined(error.code().unwrap_or("ERR"), error.detail()))
        }
        _ => None,
    }
}

/// The server's own text, which the crate cut at its first space.
fn joined(code: &str, detail: Option<&str>) -> String {
    match detail {
        Some(detail) => format!("{code} {detail}"),
        None => code.to_owned(),
    }
}
