//! What both fronts work on: the engine behind its lock, and who may use it.

use std::collections::HashMap;

use bytes::Bytes;
use parking_lot::Mutex;
use redis_engine::acl::User;
use redis_engine::{ClientId, Connect, Engine};
use tokio::sync::Notify;

use crate::clock::MockClock;
use crate::fault::{Effect, Faults};

/// What both fronts work on.
pub(crate) struct Shared {
    /// The engine; one command runs at a time.
    pub(crate) engine: Mutex<Engine>,
    pub(crate) clock: MockClock,
    /// Wakes whoever waits for a deadline, after the clock was moved.
    pub(crate) clock_moved: Notify,
    /// The engine's client of each user that sends REST requests.
    rest_clients: Mutex<HashMap<Bytes, ClientId>>,
    /// What is to go wrong.
    pub(crate) faults: Faults,
}

/// The user that the read-only token stands for, over TCP too
/// (Upstash docs, troubleshooting/readonly_connection).
pub(crate) const READ_ONLY_USER: &str = "default_ro";

impl Shared {
    /// Gives the two users their tokens.
    pub(crate) fn new(
        mut engine: Engine,
        seed: u64,
        clock: MockClock,
        token: &str,
        read_only_token: &str,
    ) -> Self {
        let mut add = |name: &'static str, token: &str, read_only| {
            let user = User {
                read_only,
                ..User::unrestricted().with_password(token.as_bytes())
            };
            engine
                .acl
                .set_user(Bytes::from_static(name.as_bytes()), user);
        };
        add("default", token, false);
        add(READ_ONLY_USER, read_only_token, true);
        Shared {
            engine: Mutex::new(engine),
            clock,
            clock_moved: Notify::new(),
            rest_clients: Mutex::new(HashMap::new()),
            faults: Faults::new(seed),
        }
    }

    /// The engine's client that stands for a token's REST requests; `None` when no user has it.
    pub(crate) fn rest_client(&self, engine: &mut Engine, token: &[u8]) -> Option<ClientId> {
        let user = engine.acl.user_of_token(token)?.clone();
        let mut clients = self.rest_clients.lock();
        Some(*clients.entry(user).or_insert_with_key(|user| {
            engine.connect(Connect {
                user: Some(user.clone()),
                rest: true,
                ..Connect::default()
            })
        }))
    }

    /// What strikes a request with these commands.
    pub(crate) fn strike(&self, token: &[u8], commands: &[Vec<Bytes>]) -> Option<Effect> {
        if !self.faults.any() {
            return None;
        }
        let user = self.engine.lock().acl.user_of_token(token)?.clone();
        commands
            .iter()
            .find_map(|command| self.faults.strike(&user, command))
    }
}
