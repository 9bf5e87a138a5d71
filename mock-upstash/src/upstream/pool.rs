//! Connections to one node: used again, opened again after a failure, not too often.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::link::Link;
use super::{Away, Location};

/// Most connections to a node; who comes later waits.
const MAX_CONNECTIONS: usize = 64;
/// Time without a try after the first failure; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest time without a try.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Connections to one node.
pub(super) struct Pool {
    location: Location,
    node: String,
    /// Connections that nobody uses, the latest last.
    idle: Mutex<Vec<Link>>,
    permits: Semaphore,
    failure: Mutex<Option<Failure>>,
}

/// The node could not be reached.
#[derive(Clone)]
struct Failure {
    reason: String,
    pause: Duration,
    try_again: Instant,
}

impl Pool {
    pub(super) fn new(location: Location, node: &str) -> Pool {
        Pool {
            location,
            node: node.to_owned(),
            idle: Mutex::default(),
            permits: Semaphore::new(MAX_CONNECTIONS),
            failure: Mutex::default(),
        }
    }

    /// Does something with a connection of its own, which goes back when all went well.
    pub(super) async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut Link) -> std::io::Result<T>,
    ) -> Result<T, Away> {
        let Ok(_permit) = self.permits.acquire().await else {
            return Err(self.away("it is shutting down"));
        };
        let mut link = self.link().await?;
        // A command may have taken effect when its reply is lost, so it is not sent again.
        let done = work(&mut link)
            .await
            .map_err(|error| self.away(&error.to_string()))?;
        self.idle.lock().push(link);
        Ok(done)
    }

    async fn link(&self) -> Result<Link, Away> {
        while let Some(link) = self.pop() {
            if link.is_alive() {
                return Ok(link);
            }
        }
        let failed = self.failure.lock().clone();
        if let Some(failure) = &failed
            && Instant::now() < failure.try_again
        {
            return Err(self.away(&failure.reason));
        }
        match Link::open(&self.location, &self.node).await {
            Ok(link) => {
                *self.failure.lock() = None;
                Ok(link)
            }
            Err(error) => {
                let reason = error.to_string();
                let pause = failed.map_or(FIRST_PAUSE, |failure| failure.pause * 2);
                let pause = pause.min(LONGEST_PAUSE);
                *self.failure.lock() = Some(Failure {
                    reason: reason.clone(),
                    pause,
                    try_again: Instant::now() + pause,
                });
                Err(self.away(&reason))
            }
        }
    }

    fn pop(&self) -> Option<Link> {
        self.idle.lock().pop()
    }

    fn away(&self, reason: &str) -> Away {
        Away {
            node: self.node.clone(),
            reason: reason.to_owned(),
        }
    }
}
