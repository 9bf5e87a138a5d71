//! A client of the generator: it runs one operation after the other on its connection.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

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
    /// From the request to the first byte of its answer.
    pub first_byte: Histogram,
    /// From there to the end of the operation.
    pub rest: Histogram,
}

impl Stages {
    /// The names of the stages, in order.
    pub const NAMES: [&str; 6] = [
        "DNS",
        "TCP connect",
        "TLS",
        "AUTH or HTTP preface",
        "first byte",
        "rest",
    ];

    /// The stages, in order.
    pub fn all(&self) -> [&Histogram; 6] {
        [
            &self.dns,
            &self.connect,
            &self.tls,
            &self.greeting,
            &self.first_byte,
            &self.rest,
        ]
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Stages) {
        self.dns.merge(&other.dns);
        self.connect.merge(&other.connect);
        self.tls.merge(&other.tls);
        self.greeting.merge(&other.greeting);
        self.first_byte.merge(&other.first_byte);
        self.rest.merge(&other.rest);
    }
}

/// Connections that clients take turns on.
pub(crate) struct Pool {
    free: Mutex<Vec<Link>>,
    places: Semaphore,
}

impl Pool {
    pub(crate) fn new(size: usize) -> Self {
        Pool {
            free: Mutex::new(Vec::new()),
            places: Semaphore::new(size),
        }
    }

    /// A connection that is free, or none where one may be made.
    fn take(&self) -> Option<Link> {
        self.links().pop()
    }

    fn give_back(&self, link: Link) {
        self.links().push(link);
    }

    fn links(&self) -> std::sync::MutexGuard<'_, Vec<Link>> {
        // A list of connections is whole after every statement.
        self.free
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
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
    /// Where connections come from, when clients share some.
    pub(crate) pool: Option<Arc<Pool>>,
    pub(crate) timeout: Duration,
    /// Set when the benchmark is to end: what is under way ends, and nothing else begins.
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) link: Option<Link>,
    pub(crate) stages: Stages,
}

impl Client {
    async fn operate(&mut self) -> Result<(), Fault> {
        let Some(pool) = self.pool.clone() else {
            return self.exchange().await;
        };
        let Ok(_place) = pool.places.acquire().await else {
            return Err(Fault::Lost("the pool of connections is closed".into()));
        };
        self.link = pool.take();
        let done = self.exchange().await;
        // After a failure that is not the connection's it is still good.
        let lost = matches!(done, Err(Fault::Lost(_)));
        if let Some(link) = self.link.take().filter(|_| !lost) {
            pool.give_back(link);
        }
        done
    }

    async fn exchange(&mut self) -> Result<(), Fault> {
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
        let mut first = None;
        for prepared in &self.prepared {
            link.exchange(prepared).await?;
            first = first.or(link.first_byte);
        }
        if let (true, Some(opening)) = (self.fresh, opened) {
            let ended = Instant::now();
            let first = first.unwrap_or(ended);
            self.stages.dns.record(opening.dns);
            self.stages.connect.record(opening.connect);
            self.stages.tls.record(opening.tls);
            self.stages.greeting.record(opening.greeting);
            self.stages.first_byte.record(first.duration_since(since));
            self.stages.rest.record(ended.duration_since(first));
        }
        Ok(())
    }
}

impl Worker for Client {
    async fn run(&mut self) -> Ended {
        if *self.stop.borrow() {
            return Ended::Stopped("it was interrupted".into());
        }
        if let Some(target) = &self.target
            && let Err(refusal) = target.spend(self.commands)
        {
            return Ended::Stopped(refusal.to_string());
        }
        match tokio::time::timeout(self.timeout, self.operate()).await {
            Ok(Ok(())) => Ended::Done,
            Ok(Err(Fault::Refused(text))) => Ended::Failed(text),
            Ok(Err(Fault::SlowDown(pause))) => Ended::SlowDown(pause),
            Ok(Err(Fault::Lost(text))) => {
                self.link = None;
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
