//! Starting and stopping a mock, and what a test may ask of it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use redis_engine::{Config, Dialect, Engine, Options, Quirk};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::assumption::{Assumption, Assumptions};
use crate::bound::Bounds;
use crate::clock::MockClock;
use crate::disposal::Background;
use crate::fault::Fault;
use crate::journal::Request;
use crate::limit::Allowance;
use crate::listener::Listener;
use crate::shared::{DEFAULT_USER, Parts, READ_ONLY_USER, Shared};
use crate::tls::Identity;
use crate::upstream::{Upstream, UpstreamUrlError};
use crate::{resp, rest};

pub use redis_engine::snapshot::Snapshot;

/// Requests that the journal keeps unless told otherwise.
const JOURNAL_LENGTH: usize = 1024;

/// Why a mock could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not one of this machine's.
    #[error("cannot listen on {address}; choose another address, or port 0 for a free one")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A token that no client could send, or that does not tell its user from the other.
    #[error("the {which} {wrong}")]
    Token {
        /// `token` or `read-only token`.
        which: &'static str,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The certificate that was made is of no use.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The upstream's URL is not one.
    #[error(transparent)]
    Upstream(#[from] UpstreamUrlError),
}

/// How a mock is to start; the defaults suit a test.
#[derive(Debug, Clone)]
pub struct Builder {
    rest: SocketAddr,
    resp: Option<SocketAddr>,
    token: Option<String>,
    read_only_token: Option<String>,
    dialect: Dialect,
    assumptions: Assumptions,
    seed: u64,
    tls: bool,
    journal_length: usize,
    control: Option<bool>,
    max_connections: Option<usize>,
    pub(crate) allowance: Allowance,
    pub(crate) bounds: Bounds,
    upstream: Option<String>,
    replica_lag: Duration,
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
            assumptions: Assumptions::default(),
            seed: 0,
            tls: false,
            journal_length: JOURNAL_LENGTH,
            control: None,
            max_connections: None,
            allowance: Allowance::default(),
            bounds: Bounds::default(),
            upstream: None,
            replica_lag: Duration::ZERO,
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

    /// Switches one quirk: a way in which Upstash's commands depart from Redis's.
    #[must_use]
    pub fn quirk(mut self, quirk: Quirk, on: bool) -> Self {
        self.dialect = self.dialect.with(quirk, on);
        self
    }

    /// Switches one assumption: the other way to fill a gap in what is known of Upstash.
    #[must_use]
    pub fn assume(mut self, assumption: Assumption, on: bool) -> Self {
        self.assumptions = self.assumptions.with(assumption, on);
        self
    }

    /// Where its randomness comes from: the same seed and the same requests give the same replies.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether both fronts speak TLS, with a certificate made for the occasion: `https` and
    /// `rediss`. Clients are to trust [`MockUpstash::tls_ca_pem`]. By default they do not.
    #[must_use]
    pub fn tls(mut self, on: bool) -> Self {
        self.tls = on;
        self
    }

    /// How many requests [`MockUpstash::requests`] remembers; 0 for none. By default 1024.
    #[must_use]
    pub fn journal(mut self, requests: usize) -> Self {
        self.journal_length = requests;
        self
    }

    /// Whether `/_mock/` is served: time, faults, requests and snapshots over HTTP, for tests in
    /// other languages, with the standard token. By default only on addresses that no other machine
    /// can reach.
    #[must_use]
    pub fn control(mut self, on: bool) -> Self {
        self.control = Some(on);
        self
    }

    /// Most connections that each front takes; by default as many as the plan allows over TCP. One more
    /// is told so over TCP, and closed over HTTP.
    #[must_use]
    pub fn max_connections(mut self, count: usize) -> Self {
        self.max_connections = Some(count);
        self
    }

    /// Puts a Redis, Valkey or cluster behind the REST front in the engine's place:
    /// `redis://[user:password@]host[:port][/db]`, or `rediss`. The Redis protocol is then not
    /// spoken; [`MockUpstash::redis_url`] is this URL. Time, snapshots and reset are the engine's
    /// and do not reach the Redis.
    #[must_use]
    pub fn upstream(mut self, url: impl Into<String>) -> Self {
        self.upstream = Some(url.into());
        self
    }

    /// How long changes take to the replica that serves reads; by default zero: a read sees every write
    /// before it. Otherwise a read is stale until the clock has moved by the lag, unless its request
    /// carries the sync token of a later write, or comes over a TCP connection that has seen one.
    /// Reads in transactions and scripts that may write are the primary's.
    #[must_use]
    pub fn replica_lag(mut self, lag: Duration) -> Self {
        self.replica_lag = lag;
        self
    }

    /// Starts it; it is ready for requests when this returns.
    ///
    /// # Errors
    /// When an address cannot be listened on, a token is empty or cannot stand in a header, or the
    /// upstream's URL is not one. An upstream that does not answer is no error: it is tried again at
    /// each request.
    pub async fn start(self) -> Result<MockUpstash, StartError> {
        let (token, read_only_token) = self.tokens()?;
        let clock = MockClock::default();
        let mut engine = Engine::new(Options {
            dialect: self.dialect,
            config: Config::default(),
            clock: Arc::new(clock.clone()),
            seed: self.seed,
        });
        engine.disposal = Box::new(Background::default());
        engine.limits = self.allowance.limits(self.dialect, self.assumptions);
        engine.rest = self.assumptions.of_rest();
        engine.usage.read_regions = self.allowance.read_regions();
        let identity = match self.tls {
            true => {
                let addresses: Vec<_> = self.resp.into_iter().chain([self.rest]).collect();
                Some(Identity::generate(&addresses)?)
            }
            false => None,
        };
        let acceptor = |protocols| match &identity {
            Some(identity) => identity.acceptor(protocols).map(Some),
            None => Ok(None),
        };
        let upstream = self.upstream.as_deref().map(Upstream::parse).transpose()?;
        let shared = Arc::new(Shared::new(
            engine,
            Parts {
                clock,
                seed: self.seed,
                token,
                read_only_token,
                assumptions: self.assumptions,
                journal_length: self.journal_length,
                control: self.control.unwrap_or(self.rest.ip().is_loopback()),
                max_connections: self.max_connections,
                bounds: self.bounds,
                upstream,
                replica_lag: self.replica_lag,
            },
        ));
        let (stop, stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        let (listener, rest_address) = listen(self.rest, acceptor(rest::PROTOCOLS)?).await?;
        tasks.spawn(rest::serve(listener, shared.clone(), stopped.clone()));
        let resp_address = match self.resp {
            Some(address) if shared.upstream.is_none() => {
                let (listener, address) = listen(address, acceptor(&[])?).await?;
                let ended = resp::spawn(listener, shared.clone(), stopped)
                    .map_err(|source| StartError::Listen { address, source })?;
                tasks.spawn(async {
                    ended.await.ok();
                });
                Some(address)
            }
            _ => None,
        };
        Ok(MockUpstash {
            shared,
            rest_address,
            resp_address,
            identity,
            stop,
            tasks,
        })
    }
}

impl Builder {
    /// The token and the read-only token.
    fn tokens(&self) -> Result<(String, String), StartError> {
        let given = [
            ("token", &self.token),
            ("read-only token", &self.read_only_token),
        ];
        for (which, token) in given {
            let Some(token) = token else { continue };
            let wrong = if token.is_empty() {
                "is empty: give one, or leave it out for a random one"
            } else if token.chars().any(char::is_control) || token.trim() != token {
                "begins or ends with a space, or has a line end or another control character in it"
            } else if which != "token" && self.token.as_ref() == Some(token) {
                "is the token itself; the two tell apart who may write"
            } else {
                continue;
            };
            return Err(StartError::Token { which, wrong });
        }
        let or_random = |token: &Option<String>| token.clone().unwrap_or_else(random_token);
        Ok((or_random(&self.token), or_random(&self.read_only_token)))
    }
}

async fn listen(
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
) -> Result<(Listener, SocketAddr), StartError> {
    let error = |source| StartError::Listen { address, source };
    let listener = Listener::bind(address, tls).await.map_err(error)?;
    let bound = listener.address().map_err(error)?;
    Ok((listener, bound))
}

/// Where clients of this machine reach what listens on an address: all interfaces (`0.0.0.0`) is none to
/// connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
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
    pub(crate) shared: Arc<Shared>,
    rest_address: SocketAddr,
    resp_address: Option<SocketAddr>,
    identity: Option<Identity>,
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

    /// Value for `UPSTASH_REDIS_REST_URL`. A mock that listens on all interfaces is named by the loopback
    /// one.
    pub fn url(&self) -> String {
        let scheme = self.identity.as_ref().map_or("http", |_| "https");
        format!("{scheme}://{}", reachable(self.rest_address))
    }

    /// Value for `UPSTASH_REDIS_REST_TOKEN`.
    pub fn token(&self) -> &str {
        self.shared.token()
    }

    /// The token that may only read.
    pub fn read_only_token(&self) -> &str {
        self.shared.read_only_token()
    }

    /// Value for `REDIS_URL`, with user and password; `None` when the Redis protocol is not spoken.
    pub fn redis_url(&self) -> Option<String> {
        match &self.shared.upstream {
            Some(upstream) => Some(upstream.url().to_owned()),
            None => self.redis_url_of(DEFAULT_USER, self.token()),
        }
    }

    /// As [`MockUpstash::redis_url`], for the user that may only read; `None` with an upstream.
    pub fn read_only_redis_url(&self) -> Option<String> {
        self.redis_url_of(READ_ONLY_USER, self.read_only_token())
    }

    fn redis_url_of(&self, user: &str, password: &str) -> Option<String> {
        let address = self.resp_address?;
        let scheme = self.identity.as_ref().map_or("redis", |_| "rediss");
        let password =
            percent_encoding::utf8_percent_encode(password, percent_encoding::NON_ALPHANUMERIC);
        let address = reachable(address);
        Some(format!("{scheme}://{user}:{password}@{address}"))
    }

    /// The certificate, in PEM, of the authority that clients are to trust; `None` without TLS.
    pub fn tls_ca_pem(&self) -> Option<&str> {
        let identity = self.identity.as_ref()?;
        Some(&identity.authority_pem)
    }

    /// Moves time ahead: what expires by then has expired, blocked clients whose time is up have
    /// given up.
    pub fn advance(&self, by: Duration) {
        self.shared.advance(by);
    }

    /// Makes time stand still, but for [`MockUpstash::advance`].
    pub fn freeze(&self) {
        self.shared.clock.freeze();
        self.shared.clock_moved.notify_waiters();
    }

    /// Lets time run again.
    pub fn unfreeze(&self) {
        self.shared.clock.unfreeze();
        self.shared.clock_moved.notify_waiters();
    }

    /// What was asked so far, oldest first: the latest requests that carried a token which exists,
    /// over REST and over the Redis protocol. [`Builder::journal`] says how many are kept.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.journal.requests()
    }

    /// Returns to the state of a mock that has just started: no data, scripts, faults or recorded
    /// requests, the two users of a new database, the system's time. Connections stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Copies all data, to go back to by [`MockUpstash::restore`].
    pub fn snapshot(&self) -> Snapshot {
        self.shared.engine.lock().snapshot()
    }

    /// Replaces all data by that of a snapshot, of this mock or of another.
    pub fn restore(&self, snapshot: &Snapshot) {
        self.shared.engine.lock().restore(snapshot);
    }

    /// Lets something go wrong from now on. Faults that were there before stay; the first that fits a
    /// request strikes it.
    pub fn inject(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Changes how long changes take to the replica that serves reads; zero for no replica. See
    /// [`Builder::replica_lag`].
    pub fn set_replica_lag(&self, lag: Duration) {
        self.shared.set_replica_lag(lag);
    }

    /// The replica takes the primary's place, as when a node of Upstash's fails: what has not reached it
    /// is lost, scripts included. Answers how many changed keys that concerns; 0 without a replica lag.
    /// Connections stay.
    pub fn failover(&self) -> usize {
        self.shared.failover()
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
