//! Starting and stopping a mock, and what a test may ask of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use redis_engine::{Config, Dialect, Engine, Options, Quirk};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::MockClock;
use crate::fault::Fault;
use crate::shared::{READ_ONLY_USER, Shared};
use crate::{resp, rest};

/// Why a mock could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not one of this machine's.
    #[error(
        "cannot listen on {address}: {source}; choose another address, or port 0 for a free one"
    )]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// How a mock is to start; the defaults suit a test.
#[derive(Debug, Clone)]
pub struct Builder {
    rest: SocketAddr,
    resp: Option<SocketAddr>,
    token: Option<String>,
    read_only_token: Option<String>,
    dialect: Dialect,
    seed: u64,
}

impl Default for Builder {
    fn default() -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Builder {
            rest: loopback,
            resp: Some(loopback),
            token: None,
            read_only_token: None,
            dialect: Dialect::UPSTASH,
            seed: 0,
        }
    }
}

impl Builder {
    /// Where the REST front listens; by default on a free port of the loopback interface.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.rest = address;
        self
    }

    /// Where the Redis protocol is spoken; `None` for nowhere. By default a free port of the
    /// loopback interface.
    #[must_use]
    pub fn redis_listen(mut self, address: Option<SocketAddr>) -> Self {
        self.resp = address;
        self
    }

    /// The token, which is also the password of the user `default`; by default a random one.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The read-only token; by default a random one.
    #[must_use]
    pub fn read_only_token(mut self, token: impl Into<String>) -> Self {
        self.read_only_token = Some(token.into());
        self
    }

    /// Whose behaviour it shows; by default Upstash's.
    #[must_use]
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Switches one quirk.
    #[must_use]
    pub fn quirk(mut self, quirk: Quirk, on: bool) -> Self {
        self.dialect = self.dialect.with(quirk, on);
        self
    }

    /// Where its randomness comes from: the same seed and the same requests give the same replies.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Starts it; it is ready for requests when this returns.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub async fn start(self) -> Result<MockUpstash, StartError> {
        let clock = MockClock::default();
        let engine = Engine::new(Options {
            dialect: self.dialect,
            config: Config::default(),
            clock: Arc::new(clock.clone()),
            seed: self.seed,
        });
        let token = self.token.unwrap_or_else(random_token);
        let read_only_token = self.read_only_token.unwrap_or_else(random_token);
        let shared = Arc::new(Shared::new(
            engine,
            self.seed,
            clock,
            &token,
            &read_only_token,
        ));
        let (stop, stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        let (listener, rest_address) = listen(self.rest).await?;
        tasks.spawn(rest::serve(listener, shared.clone(), stopped.clone()));
        let resp_address = match self.resp {
            None => None,
            Some(address) => {
                let (listener, address) = listen(address).await?;
                tasks.spawn(resp::serve(listener, shared.clone(), stopped));
                Some(address)
            }
        };
        Ok(MockUpstash {
            shared,
            rest_address,
            resp_address,
            token,
            read_only_token,
            stop,
            tasks,
        })
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let error = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(error)?;
    let bound = listener.local_addr().map_err(error)?;
    Ok((listener, bound))
}

fn random_token() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = rand::rng();
    (0..40)
        .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
        .collect()
}

/// A running mock. It stops when it is dropped.
pub struct MockUpstash {
    shared: Arc<Shared>,
    rest_address: SocketAddr,
    resp_address: Option<SocketAddr>,
    token: String,
    read_only_token: String,
    /// Dropped to tell connections to end.
    stop: watch::Sender<()>,
    /// Aborted when dropped.
    tasks: JoinSet<()>,
}

impl std::fmt::Debug for MockUpstash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MockUpstash")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl MockUpstash {
    /// Begins to describe a mock.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Value for `UPSTASH_REDIS_REST_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.rest_address)
    }

    /// Value for `UPSTASH_REDIS_REST_TOKEN`.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The token that may only read.
    pub fn read_only_token(&self) -> &str {
        &self.read_only_token
    }

    /// Value for `REDIS_URL`, with user and password; `None` when the Redis protocol is not spoken.
    pub fn redis_url(&self) -> Option<String> {
        let address = self.resp_address?;
        Some(format!("redis://default:{}@{address}", self.token))
    }

    /// As [`MockUpstash::redis_url`], for the user that may only read.
    pub fn read_only_redis_url(&self) -> Option<String> {
        let address = self.resp_address?;
        Some(format!(
            "redis://{READ_ONLY_USER}:{}@{address}",
            self.read_only_token
        ))
    }

    /// Moves time ahead: what expires by then has expired, blocked clients whose time is up have
    /// given up.
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
        self.shared.engine.lock().tick();
        self.shared.clock_moved.notify_waiters();
    }

    /// Makes time stand still, but for [`MockUpstash::advance`].
    pub fn freeze(&self) {
        self.shared.clock.freeze();
    }

    /// Lets time run again.
    pub fn unfreeze(&self) {
        self.shared.clock.unfreeze();
        self.shared.clock_moved.notify_waiters();
    }

    /// Lets something go wrong from now on. Faults that were there before stay; the first that fits a
    /// request strikes it.
    pub fn inject(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.faults.clear();
    }

    /// Stops it and waits until every connection is closed.
    pub async fn stop(mut self) {
        drop(self.stop);
        while self.tasks.join_next().await.is_some() {}
    }
}
