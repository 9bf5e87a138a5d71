//! What the engine knows of one client.

use std::collections::VecDeque;

use bytes::Bytes;
use indexmap::IndexSet;

use crate::command::Command;
use crate::keyspace::Key;
use crate::reply::Reply;
use crate::value::Kind;

/// Names a client for as long as it is connected; never used twice.
pub type ClientId = u64;

/// Where replies go that are not the answer to the command at hand: published messages, the reply of
/// a command that had blocked, what MONITOR shows.
///
/// Called while the engine runs, so it must not block; a front puts the reply into a queue.
pub trait Outbox: Send {
    /// Takes one reply.
    fn push(&mut self, reply: Reply);
}

impl Outbox for VecDeque<Reply> {
    fn push(&mut self, reply: Reply) {
        self.push_back(reply);
    }
}

/// An outbox for clients to which nothing is ever sent out of turn.
#[derive(Debug, Default)]
pub struct NoOutbox;

impl Outbox for NoOutbox {
    fn push(&mut self, _reply: Reply) {}
}

/// The protocol a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// RESP2, and what is not told apart over REST.
    #[default]
    Resp2,
    /// RESP3.
    Resp3,
}

/// Commands queued between MULTI and EXEC.
#[derive(Debug, Default)]
pub struct Transaction {
    /// The commands, in order.
    pub queue: Vec<(&'static Command, Vec<Bytes>)>,
    /// One of them was refused when queued: EXEC will answer EXECABORT.
    pub aborted: bool,
}

/// What a blocked client waits for.
#[derive(Debug, Clone)]
pub struct Blocked {
    /// The command, run again when one of the keys has something.
    pub args: Vec<Bytes>,
    /// Keys waited for.
    pub keys: Vec<Key>,
    /// What kind of value can serve it; the command is not run again for a key of another kind.
    pub kind: Kind,
    /// Whether it also ends when the key is gone or of another kind (XREADGROUP).
    pub wakes_when_gone: bool,
    /// Milliseconds since the Unix epoch when it gives up; `None` waits for ever.
    pub deadline_ms: Option<u64>,
    /// What it answers when it gives up.
    pub on_timeout: Reply,
    /// Order of arrival, over all clients.
    pub since: u64,
}

/// A client's state.
pub struct Session {
    /// Its id.
    pub id: ClientId,
    /// Name set by CLIENT SETNAME.
    pub name: Bytes,
    /// Address shown by CLIENT LIST.
    pub address: String,
    /// Library name and version set by CLIENT SETINFO.
    pub library: (Bytes, Bytes),
    /// Selected database.
    pub db: usize,
    /// The protocol it speaks.
    pub protocol: Protocol,
    /// The ACL user it acts as; `None` until it has authenticated.
    pub user: Option<Bytes>,
    /// Commands queued since MULTI.
    pub transaction: Option<Transaction>,
    /// Keys watched, with their database.
    pub watched: Vec<(usize, Key)>,
    /// A watched key has changed.
    pub watch_broken: bool,
    /// Channels subscribed to.
    pub channels: IndexSet<Bytes>,
    /// Patterns subscribed to.
    pub patterns: IndexSet<Bytes>,
    /// It shows every command that is run.
    pub monitors: bool,
    /// What it is blocked on.
    pub blocked: Option<Blocked>,
    /// Milliseconds since the Unix epoch when it connected.
    pub connected_ms: u64,
    /// Milliseconds since the Unix epoch of its last command.
    pub last_command_ms: u64,
    /// Its last command.
    pub last_command: Option<&'static Command>,
    /// The front is to close its connection after the reply (QUIT), or after an empty one in its outbox
    /// (its user was deleted).
    pub closing: bool,
    /// Commands reached it over REST: TCP-only commands are refused and nothing blocks.
    pub rest: bool,
    /// The position up to which it has seen changes: a replica that has not got so far does not serve
    /// it ([`crate::replica`]).
    pub seen: u64,
    /// Where out-of-turn replies go.
    pub outbox: Box<dyn Outbox>,
}

impl Session {
    /// A client that has just connected.
    pub fn new(id: ClientId, options: Connect, now_ms: u64) -> Self {
        Session {
            id,
            name: Bytes::new(),
            address: options.address,
            library: (Bytes::new(), Bytes::new()),
            db: 0,
            protocol: Protocol::default(),
            user: options.user,
            transaction: None,
            watched: Vec::new(),
            watch_broken: false,
            channels: IndexSet::new(),
            patterns: IndexSet::new(),
            monitors: false,
            blocked: None,
            connected_ms: now_ms,
            last_command_ms: now_ms,
            last_command: None,
            closing: false,
            rest: options.rest,
            seen: 0,
            outbox: options.outbox,
        }
    }

    /// Number of channels and patterns subscribed to.
    pub fn subscriptions(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    /// Whether only pub/sub commands may be used now: subscribed, and in RESP2.
    pub fn in_subscribe_mode(&self) -> bool {
        self.protocol == Protocol::Resp2 && self.subscriptions() > 0
    }
}

/// How a client connects.
pub struct Connect {
    /// Address shown by CLIENT LIST, `127.0.0.1:50312`.
    pub address: String,
    /// The user it acts as without AUTH; `None` when it has to authenticate.
    pub user: Option<Bytes>,
    /// It stands for REST requests.
    pub rest: bool,
    /// Where out-of-turn replies go.
    pub outbox: Box<dyn Outbox>,
}

impl Default for Connect {
    fn default() -> Self {
        Connect {
            address: "127.0.0.1:0".to_owned(),
            user: Some(Bytes::from_static(b"default")),
            rest: false,
            outbox: Box::new(NoOutbox),
        }
    }
}
