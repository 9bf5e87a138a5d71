//! A client of the generator: it runs one operation after the other on its connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::histogram::Histogram;
use super::link::{Fault, Link, Route};
use super::load::{Ended, Worker};
use super::wire::Prepared;
use crate::target::Target;

/// The stages of operations on fresh connections.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stages {
    /// Looking the host's name up.
    pub dns: Histogram,
    /// TCP's handshake.
    pub connect: Histogram,
    /// TLS's handshake.
    pub tls: Histogram,
    /// AUTH and SELECT, or HTTP/2's preface.
    pub greeting: Histogram,
    /// From the request to the whole answer, which is small enough to come at once.
    pub first_byte: Histogram,
}

impl Stages {
    /// Adds all of another.
    pub fn merge(&mut self, other: &Stages) {
        self.dns.merge(&other.dns);
        self.connect.merge(&other.connect);
        self.tls.merge(&other.tls);
        self.greeting.merge(&other.greeting);
        self.first_byte.merge(&other.first_byte);
    }
}

/// What a client needs to know.
pub(crate) struct Client {
    pub(crate) route: Route,
    pub(crate) target: Option<Arc<Target>>,
    pub(crate) prepared: Vec<Prepared>,
    /// Billable commands of one operation.
    pub(crate) commands: u64,
    /// Whether each operation makes a connection of its own.
    pub(crate) fresh: bool,
    pub(crate) timeout: Duration,
    pub(crate) link: Option<Link>,
    pub(crate) stages: Stages,
}

impl Client {
    async fn operate(&mut self) -> Result<(), Fault> {
        if self.fresh {
            self.link = None;
        }
        let opened = match &mut self.link {
            Some(_) => None,
            none => {
                let (link, opening) = self.route.open().await?;
                *none = Some(link);
                Some(opening)
            }
        };
        let Some(link) = &mut self.link else {
            return Err(Fault::Lost("there is no connection".into()));
        };
        let since = Instant::now();
        for prepared in &self.prepared {
            link.exchange(prepared).await?;
        }
        if let (true, Some(opening)) = (self.fresh, opened) {
            self.stages.dns.record(opening.dns);
            self.stages.connect.record(opening.connect);
            self.stages.tls.record(opening.tls);
            self.stages.greeting.record(opening.greeting);
            self.stages.first_byte.record(since.elapsed());
        }
        Ok(())
    }
}

/// A failure is not repeated at once: a server that is gone would be asked a million times.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

impl Worker for Client {
    async fn run(&mut self) -> Ended {
        if let Some(target) = &self.target
            && let Err(refusal) = target.spend(self.commands)
        {
            return Ended::Stopped(refusal.to_string());
        }
        match tokio::time::timeout(self.timeout, self.operate()).await {
            Ok(Ok(())) => Ended::Done,
            Ok(Err(Fault::Refused(text))) => {
                tokio::time::sleep(AFTER_FAILURE).await;
                Ended::Failed(text)
            }
            Ok(Err(Fault::SlowDown(pause))) => {
                tokio::time::sleep(pause).await;
                Ended::Failed("the server asks for fewer requests (429)".into())
            }
            Ok(Err(Fault::Lost(text))) => {
                self.link = None;
                tokio::time::sleep(AFTER_FAILURE).await;
                Ended::Failed(text)
            }
            Err(_) => {
                // An answer that still comes would be taken for the next one's.
                self.link = None;
                Ended::TimedOut
            }
        }
    }
}
