//! Targets: the servers under test, how they are named, had, reached, and left as they were found.
//!
//! A user names a target ([`TargetSpec`]); [`open`] finds or starts the server and returns a
//! [`Target`], or says in one line why there is none ([`Opened::Absent`]). Everything that is sent
//! goes through a [`Scope`], one per scenario: it counts billable commands and, on a server that
//! swapcheck did not start, keeps to the rules of a guest.

mod error;
mod option;
mod secret;
mod spec;

use std::sync::Arc;

use scenarios::client::Capabilities;
use scenarios::{ClientError, Connector};

pub use error::TargetError;
pub use option::{DEFAULT_REDIS_IMAGE, Environment, Options, Protocol};
pub use secret::{Secret, redact_text, redact_url};
pub use spec::{TARGET_WORDS, TargetKind, TargetSpec};

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
    /// What the user should know about how this target was had: `no Docker here, used …`.
    pub notes: Vec<String>,
}

/// What [`open`] found.
pub enum Opened {
    /// The target answers.
    Ready(Target),
    /// There is no such target here, which is no failure unless it was required. The text is one
    /// line: what is missing, and what to set to have it.
    Absent(String),
}

/// Whether a scenario can see that a key was given an expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyExpiry {
    /// The scenario looks at expiries (`TTL`, `PERSIST`, `EXPIRE … NX`): its keys are left as it
    /// makes them, journalled, and deleted at its end.
    Observed,
    /// It does not: on other people's servers every key it makes is given an expiry at once, so
    /// that nothing stays behind if this process dies.
    Guarded,
}

/// Finds or starts the server that `spec` names.
///
/// # Errors
/// When the server cannot be reached or started, or refuses the credentials; see [`TargetError`].
pub async fn open(spec: &TargetSpec, options: &Options) -> Result<Opened, TargetError> {
    let _ = (spec, options);
    Err(TargetError::Provision(
        "no target can be opened yet".to_owned(),
    ))
}

impl Target {
    /// A target around a connector of one's own: for tests, and for servers that swapcheck does
    /// not know how to reach.
    pub fn around(
        name: &str,
        kind: TargetKind,
        connector: Arc<dyn Connector>,
        owned: bool,
    ) -> Self {
        Target {
            name: name.to_owned(),
            kind,
            connector,
            owned,
            description: name.to_owned(),
            version: None,
            notes: Vec::new(),
        }
    }

    /// What the target's transport can do.
    pub fn capabilities(&self) -> Capabilities {
        self.connector.capabilities()
    }

    /// A scope for one scenario, whose keys all begin with `prefix`.
    pub fn scope(&self, prefix: &[u8], expiry: KeyExpiry) -> Scope {
        let _ = (prefix, expiry);
        Scope {
            connector: self.connector.clone(),
        }
    }

    /// How many billable commands were sent so far, as Upstash counts them.
    pub fn billable(&self) -> u64 {
        0
    }

    /// Whether the target still answers; asked between scenarios.
    ///
    /// # Errors
    /// When it does not, with the reason.
    pub async fn health(&self) -> Result<(), ClientError> {
        let mut client = self.connector.connect().await?;
        client.command(&vec![b"PING".to_vec()]).await.map(drop)
    }

    /// Deletes every key that is left of this run (on a server that swapcheck did not start), and
    /// stops the server (where it did). Returns what could not be cleaned up, a line each. Safe to
    /// call again, and while scenarios are still running, as after Ctrl-C.
    pub async fn shutdown(&self) -> Vec<String> {
        std::future::ready(Vec::new()).await
    }
}

/// One scenario's access to a target.
pub struct Scope {
    connector: Arc<dyn Connector>,
}

impl Scope {
    /// Makes the clients of this scenario.
    pub fn connector(&self) -> Arc<dyn Connector> {
        self.connector.clone()
    }

    /// How many billable commands this scope sent so far, as Upstash counts them.
    pub fn billable(&self) -> u64 {
        0
    }

    /// Deletes the keys that the scenario left behind.
    ///
    /// # Errors
    /// When they could not be deleted; they are tried again at the end of the run.
    pub async fn finish(self) -> Result<(), ClientError> {
        std::future::ready(Ok(())).await
    }
}
