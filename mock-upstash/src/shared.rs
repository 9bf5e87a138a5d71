//! What both fronts work on: the engine behind its lock, and who may use it.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use redis_engine::acl::User;
use redis_engine::{ClientId, Connect, Engine, Limits};
use tokio::sync::Notify;

use crate::assumption::{Assumption, Assumptions};
use crate::bound::Bounds;
use crate::clock::MockClock;
use crate::fault::{Effect, Faults};
use crate::journal::Journal;
use crate::pace::Pace;
use crate::snapshot::Snapshots;
use crate::upstream::Upstream;

/// What both fronts work on.
pub(crate) struct Shared {
    /// The engine; one command runs at a time.
    pub(crate) engine: Mutex<Engine>,
    pub(crate) clock: MockClock,
    /// Wakes whoever waits for a deadline, after the clock was moved.
    pub(crate) clock_moved: Notify,
    /// The engine's clients that stand for REST requests.
    rest_clients: Mutex<RestClients>,
    /// What is to go wrong.
    pub(crate) faults: Faults,
    /// What was asked.
    pub(crate) journal: Journal,
    /// Data to go back to.
    pub(crate) snapshots: Snapshots,
    /// How gaps in what is known are filled.
    pub(crate) assumptions: Assumptions,
    /// Whether `/_mock/` is served.
    pub(crate) control: bool,
    /// Most connections of each front, where the plan does not say.
    pub(crate) max_connections: Option<usize>,
    /// What clients may hold on to.
    pub(crate) bounds: Bounds,
    /// Makes commands wait that come too fast.
    pub(crate) pace: Pace,
    /// A Redis that carries out commands in the engine's place.
    pub(crate) upstream: Option<Upstream>,
    /// The limits to which a reset returns.
    first_limits: Limits,
    /// The two tokens, to which a reset returns.
    tokens: [String; 2],
}

/// Who asks over REST: a user, and the engine's client for it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: Bytes,
    pub(crate) client: ClientId,
}

/// The engine's client of each user that sends REST requests, and what tokens were found to mean:
/// finding out takes a digest for each request otherwise.
#[derive(Debug, Default)]
struct RestClients {
    /// The engine's generation of users for which `by_token` holds.
    generation: u64,
    by_token: HashMap<Bytes, Caller, foldhash::fast::RandomState>,
    by_user: HashMap<Bytes, ClientId>,
}

/// The user that the read-only token stands for, over TCP too
/// (Upstash docs, troubleshooting/readonly_connection).
pub(crate) const READ_ONLY_USER: &str = "default_ro";

/// The user that the standard token stands for.
pub(crate) const DEFAULT_USER: &str = "default";

/// What a mock is made of beside its engine.
pub(crate) struct Parts {
    pub(crate) clock: MockClock,
    pub(crate) seed: u64,
    pub(crate) token: String,
    pub(crate) read_only_token: String,
    pub(crate) assumptions: Assumptions,
    pub(crate) journal_length: usize,
    pub(crate) control: bool,
    pub(crate) max_connections: Option<usize>,
    pub(crate) bounds: Bounds,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) replica_lag: Duration,
}

impl Shared {
    /// Gives the two users their tokens.
    pub(crate) fn new(engine: Engine, parts: Parts) -> Self {
        let first_limits = engine.limits.clone();
        let shared = Shared {
            engine: Mutex::new(engine),
            clock: parts.clock,
            clock_moved: Notify::new(),
            rest_clients: Mutex::default(),
            faults: Faults::new(parts.seed),
            journal: Journal::new(parts.journal_length),
            snapshots: Snapshots::default(),
            assumptions: parts.assumptions,
            control: parts.control,
            max_connections: parts.max_connections,
            bounds: parts.bounds,
            pace: Pace::default(),
            upstream: parts.upstream,
            tokens: [parts.token, parts.read_only_token],
            first_limits,
        };
        shared.set_users(&mut shared.engine.lock());
        shared.set_replica_lag(parts.replica_lag);
        shared.pace.note(&shared.first_limits);
        shared
    }

    /// The standard token.
    pub(crate) fn token(&self) -> &str {
        &self.tokens[0]
    }

    /// The read-only token.
    pub(crate) fn read_only_token(&self) -> &str {
        &self.tokens[1]
    }

    /// Sets the two users that a new database has, and takes out all others.
    fn set_users(&self, engine: &mut Engine) {
        let others: Vec<Bytes> = engine.acl.users().map(|(name, _)| name.clone()).collect();
        for name in others {
            engine.acl.remove_user(&name);
        }
        let [token, read_only_token] = &self.tokens;
        for (name, token, read_only) in [
            (DEFAULT_USER, token, false),
            (READ_ONLY_USER, read_only_token, true),
        ] {
            let mut user = User {
                read_only,
                swaps_unknown: self.assumptions.has(Assumption::ReadOnlyOthersSwapped),
                ..User::unrestricted().with_password(token.as_bytes())
            };
            if read_only && self.assumptions.has(Assumption::ReadOnlyScriptsRefused) {
                for rule in [&b"-eval_ro"[..], b"-evalsha_ro", b"-fcall_ro"] {
                    // The commands exist, so the rules hold.
                    user.apply(rule).ok();
                }
            }
            engine
                .acl
                .set_user(Bytes::from_static(name.as_bytes()), user);
        }
    }

    /// Returns to the state of a mock that has just started: no data, scripts, faults or recorded
    /// requests, the two users, and the system's time.
    pub(crate) fn reset(&self) {
        self.faults.clear();
        self.journal.clear();
        self.clock.reset();
        self.pace.reset();
        {
            let mut engine = self.engine.lock();
            self.set_users(&mut engine);
            let client = engine.connect(Connect::default());
            for command in [
                ["FLUSHALL", "SYNC"],
                ["SCRIPT", "FLUSH"],
                ["FUNCTION", "FLUSH"],
            ] {
                engine.execute(
                    client,
                    &command.map(|word| Bytes::from_static(word.as_bytes())),
                );
            }
            engine.disconnect(client);
            engine.limits = self.first_limits.clone();
            self.pace.note(&engine.limits);
            engine.usage = engine.usage.anew();
            engine.tick();
            // What is on its way to a replica is part of what is forgotten.
            engine.resync_replica();
        }
        self.clock_moved.notify_waiters();
    }

    /// Moves time ahead, and lets happen what that brings.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.engine.lock().tick();
        self.clock_moved.notify_waiters();
    }

    /// The engine's client that stands for a token's REST requests; `None` when no user has it.
    pub(crate) fn caller(&self, engine: &mut Engine, token: &Bytes) -> Option<Caller> {
        let clients = &mut *self.rest_clients.lock();
        if clients.generation != engine.acl.generation() {
            clients.generation = engine.acl.generation();
            clients.by_token.clear();
        }
        if let Some(caller) = clients.by_token.get(token) {
            return Some(caller.clone());
        }
        let user = engine.acl.user_of_token(token)?.clone();
        let client = *clients
            .by_user
            .entry(user.clone())
            .or_insert_with_key(|user| {
                engine.connect(Connect {
                    user: Some(user.clone()),
                    rest: true,
                    ..Connect::default()
                })
            });
        let caller = Caller { user, client };
        // The token may be a slice of a whole request.
        let token = Bytes::copy_from_slice(token);
        clients.by_token.insert(token, caller.clone());
        Some(caller)
    }

    /// Whether requests are answered at once and as they should be: nothing goes wrong, nothing is waited
    /// for.
    pub(crate) fn is_plain(&self) -> bool {
        !self.faults.any() && !self.pace.is_on() && self.upstream.is_none()
    }

    /// What strikes a user's request with these commands.
    pub(crate) fn strike(&self, user: &[u8], commands: &[Vec<Bytes>]) -> Option<Effect> {
        commands
            .iter()
            .find_map(|command| self.faults.strike(user, command))
    }
}
