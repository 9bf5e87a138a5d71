//! Targets: the servers under test, how they are named, had, reached, and left as they were found.
//!
//! A user names a target ([`TargetSpec`]); [`open`] finds or starts the server and returns a
//! [`Target`], or says in one line why there is none ([`Opened::Absent`]). Everything that is sent
//! goes through a [`Scope`], one per scenario: it counts billable commands and, on a server that
//! swapcheck did not start, keeps to the rules of a guest.
//!
//! ```no_run
//! use swapcheck::target::{self, KeyExpiry, Opened, Options};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options::default();
//! match target::open(&"redis://localhost:6379".parse()?, &options).await? {
//!     Opened::Absent(reason) => println!("{reason}"),
//!     Opened::Ready(target) => {
//!         let scope = target.scope(b"run1:greeting:", KeyExpiry::Guarded);
//!         let mut client = scope.connector().connect().await?;
//!         let set = [&b"SET"[..], b"run1:greeting:k", b"hello"].map(<[u8]>::to_vec).to_vec();
//!         println!("{:?}", client.command(&set).await?);
//!         scope.finish().await?;
//!         target.shutdown().await;
//!     }
//! }
//! # Ok(())
//! # }
//! ```

pub mod codec;
mod dial;
mod endpoint;
mod error;
mod guest;
mod open;
mod option;
mod provision;
mod rest;
mod secret;
mod spec;
mod tcp;
mod tls;

use std::sync::Arc;

use scenarios::client::Capabilities;
use scenarios::{Client, ClientError, Connector, Reply};
use tokio::sync::Mutex;

pub(crate) use endpoint::Endpoint;
pub use error::TargetError;
pub use guest::{KeyExpiry, Scope};
pub use open::open;
pub(crate) use open::{Place, locate, open_mock};
pub use option::{DEFAULT_REDIS_IMAGE, Environment, Notify, Options, Protocol};
pub use rest::{RestClient, RestConnector};
pub use secret::{Secret, redact_text, redact_url};
pub use spec::{TARGET_WORDS, TargetKind, TargetSpec};
pub use tcp::{TcpClient, TcpConnector};

use self::guest::Ledger;
use self::open::Held;

/// A server under test and the way to reach it.
pub struct Target {
    /// The name that reports use.
    pub name: String,
    /// What kind of target it is.
    pub kind: TargetKind,
    /// Makes clients without a scenario's limits: for the health check and for versions. Scenarios
    /// and workloads get theirs from [`Target::scope`].
    pub connector: Arc<dyn Connector>,
    /// Whether swapcheck started the server. On any other it is a guest.
    pub owned: bool,
    /// Where the server came from, in one line: `container of redis:8`, a redacted URL.
    pub description: String,
    /// What the server says of itself: `Redis 8.0.2`.
    pub version: Option<String>,
    /// What the user should know about how this target was had: `Docker is not here; used …`.
    pub notes: Vec<String>,
    /// Where it listens, when swapcheck found it out.
    pub(crate) endpoint: Option<Endpoint>,
    ledger: Arc<Ledger>,
    kept: Box<Kept>,
}

/// What a target holds on to until it is shut down.
#[derive(Default)]
struct Kept {
    server: Mutex<Option<Held>>,
    /// The connection that health checks use.
    health: Mutex<Option<Box<dyn Client>>>,
}

/// What [`open`] found.
pub enum Opened {
    /// The target answers.
    Ready(Box<Target>),
    /// There is no such target here, which is no failure unless it was required. The text is one
    /// line: what is missing, and what to set to have it.
    Absent(String),
}

impl Target {
    /// A target around a connector of one's own: for tests, and for servers that swapcheck does
    /// not know how to reach. On one that is not `owned` it is a guest, without a budget and
    /// without a journal.
    pub fn around(
        name: &str,
        kind: TargetKind,
        connector: Arc<dyn Connector>,
        owned: bool,
    ) -> Self {
        let ledger = match owned {
            true => Ledger::owned(connector.clone()),
            false => Ledger::guest(connector.clone(), None, None),
        };
        Target {
            name: name.to_owned(),
            kind,
            connector,
            owned,
            description: name.to_owned(),
            version: None,
            notes: Vec::new(),
            endpoint: None,
            ledger,
            kept: Box::default(),
        }
    }

    /// What the target's transport can do.
    pub fn capabilities(&self) -> Capabilities {
        self.connector.capabilities()
    }

    /// A scope for one scenario, whose keys all begin with `prefix`. Must be called within a tokio
    /// runtime.
    pub fn scope(&self, prefix: &[u8], expiry: KeyExpiry) -> Scope {
        self.ledger.scope(prefix, expiry)
    }

    /// How many billable commands were sent so far, as Upstash counts them: an estimate for
    /// scripts, see [`Scope::billable`].
    pub fn billable(&self) -> u64 {
        self.ledger.billed()
    }

    /// Counts commands that a caller is about to send on connections of its own.
    ///
    /// # Errors
    /// When the budget of a server that swapcheck did not start does not allow them.
    pub(crate) fn spend(&self, commands: u64) -> Result<(), ClientError> {
        self.ledger.spend(commands)
    }

    /// How many more billable commands the budget allows; `None` without a budget.
    pub(crate) fn left(&self) -> Option<u64> {
        self.ledger.left()
    }

    /// Why nothing more can be sent to this target, once that is so: its budget or its quota is
    /// used up.
    pub fn stopped(&self) -> Option<String> {
        self.ledger.stopped()
    }

    /// Whether the target still answers; asked between scenarios, on a connection that is kept for
    /// it. One that was lost is made anew before the target is given up.
    ///
    /// # Errors
    /// When it does not, with the reason.
    pub async fn health(&self) -> Result<(), ClientError> {
        let mut kept = self.kept.health.lock().await;
        if let Some(client) = kept.as_mut()
            && self.ping(client.as_mut()).await.is_ok()
        {
            return Ok(());
        }
        *kept = None;
        let mut client = self.connector.connect().await?;
        self.ping(client.as_mut()).await?;
        *kept = Some(client);
        Ok(())
    }

    async fn ping(&self, client: &mut dyn Client) -> Result<(), ClientError> {
        self.ledger.bill(1);
        match client.command(&vec![b"PING".to_vec()]).await? {
            // A user whom the server forbids PING is answered all the same.
            Reply::Error(text) if !text.starts_with("NOPERM") => Err(ClientError::Protocol(
                format!("{} answers PING with an error: {text}", self.name),
            )),
            _ => Ok(()),
        }
    }

    /// Deletes every key that is left of this run (on a server that swapcheck did not start), and
    /// stops the server (where it did). Returns what could not be cleaned up, a line each. Safe to
    /// call again, and while scenarios are still running, as after Ctrl-C: from then on their
    /// commands are refused.
    pub async fn shutdown(&self) -> Vec<String> {
        let problems = self.ledger.close().await;
        *self.kept.health.lock().await = None;
        if let Some(server) = self.kept.server.lock().await.take() {
            server.stop().await;
        }
        problems
            .into_iter()
            .map(|problem| format!("{}: keys of this run are left: {problem}", self.name))
            .collect()
    }
}
