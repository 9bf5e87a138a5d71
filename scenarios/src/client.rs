//! The one trait through which scenarios and workloads speak to a target.

use std::time::Duration;

use async_trait::async_trait;

use crate::reply::{Expressiveness, Reply};

/// A command with its arguments, as bytes: `[b"SET", b"k", b"v"]`.
pub type Command = Vec<Vec<u8>>;

/// Why no reply came back. A reply error (`-WRONGTYPE …`) is a [`Reply`], never one of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The target's transport cannot do this at all (blocking pops over REST, say). The text says why.
    #[error("{0}")]
    Unsupported(String),
    /// Nothing was executed: the request was refused, or never reached the server. Safe to repeat.
    #[error("{0}")]
    NotSent(String),
    /// The request may or may not have been executed (a timeout, a connection lost midway).
    #[error("{0}")]
    OutcomeUnknown(String),
    /// The run's own rules forbid the command: budget spent, or forbidden for a guest.
    #[error("{0}")]
    Refused(String),
    /// The server answered with something that is not a reply (invalid JSON, half a body).
    #[error("{0}")]
    Protocol(String),
}

/// What a subscription delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The pattern that matched, for pattern subscriptions.
    pub pattern: Option<Vec<u8>>,
    /// The channel the message was published to.
    pub channel: Vec<u8>,
    /// The message.
    pub payload: Vec<u8>,
}

/// A subscription: over TCP a connection of its own, over REST a stream of server-sent events.
#[async_trait]
pub trait Subscription: Send {
    /// The next message, or `None` when none came within `timeout`.
    ///
    /// # Errors
    /// When the connection is lost.
    async fn next(&mut self, timeout: Duration) -> Result<Option<Message>, ClientError>;
}

/// One client of a target: over TCP one connection, over REST one logical client with a sync token
/// of its own.
#[async_trait]
pub trait Client: Send {
    /// Sends one command and waits for its reply.
    ///
    /// # Errors
    /// When no reply came back; see [`ClientError`].
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError>;

    /// Sends all commands at once and returns a reply for each; one's error stays in its slot.
    ///
    /// # Errors
    /// When no replies came back; see [`ClientError`].
    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError>;

    /// Runs the commands as one transaction (`MULTI` … `EXEC`, or `/multi-exec`).
    ///
    /// The reply is an array with one reply each, [`Reply::Nil`] when a watched key changed, or
    /// [`Reply::Error`] when the transaction was discarded.
    ///
    /// # Errors
    /// When no reply came back; see [`ClientError`].
    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError>;

    /// Subscribes to channels, or to patterns; returns when every subscription is confirmed.
    ///
    /// # Errors
    /// When the subscription was refused or the connection lost.
    async fn subscribe(
        &mut self,
        channels: &[Vec<u8>],
        pattern: bool,
    ) -> Result<Box<dyn Subscription>, ClientError>;

    /// What tells a server how much this client has seen, so that another client that adopts it reads
    /// at least as much: Upstash's sync token. `None` where the transport has none, or nothing was
    /// sent yet.
    fn sync_token(&self) -> Option<Vec<u8>> {
        None
    }

    /// Goes on from where another client was, whose token this is. Does nothing where the transport
    /// has none.
    fn adopt_sync_token(&mut self, token: &[u8]) {
        let _ = token;
    }
}

/// What a target's transport can do; scenarios and workloads ask before they try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Which kinds of reply arrive told apart.
    pub expressiveness: Expressiveness,
    /// A client is one connection with a state: WATCH, MULTI, CLIENT, SELECT.
    pub connection: bool,
    /// Blocking commands (`BLPOP`, `XREAD BLOCK`).
    pub blocking: bool,
    /// Whether commands travel over HTTP.
    pub rest: bool,
}

/// Makes clients of one target.
#[async_trait]
pub trait Connector: Send + Sync {
    /// A new client.
    ///
    /// # Errors
    /// When the target cannot be reached or refuses the credentials.
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError>;

    /// What the target's transport can do.
    fn capabilities(&self) -> Capabilities;
}
