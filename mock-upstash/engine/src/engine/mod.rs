//! The engine: its state, and the way of a command through it.

mod admission;
mod change;
mod rest;
mod stats;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::acl::Acl;
use crate::blocking::Waiting;
use crate::call::{Call, Origin};
use crate::clock::Clock;
use crate::command::{Command, Flags};
use crate::config::Config;
use crate::dialect::{Dialect, Quirk};
use crate::disposal::{AtOnce, Disposal};
use crate::error::{EXEC_ABORT, ReplyError};
use crate::keyspace::{Database, Key};
use crate::limit::Limits;
use crate::lingering::Lingering;
use crate::notification::{self, Class};
use crate::pubsub::PubSub;
use crate::replica::Replica;
use crate::reply::{Outcome, Reply};
use crate::script::Scripts;
use crate::session::{ClientId, Connect, Protocol, Session};
use crate::storage::Storage;
use crate::usage::Usage;

pub use rest::RestChoices;
pub use stats::{Pace, Stats};

/// The version of Redis whose behaviour the engine follows, as HELLO and INFO tell it.
pub const REDIS_VERSION: &str = "8.4.0";

/// The whole store. One command runs at a time, to completion; a front puts a lock around it.
pub struct Engine {
    /// Whose behaviour it shows.
    pub dialect: Dialect,
    /// Its settings.
    pub config: Config,
    /// The databases, by index.
    pub databases: Vec<Database>,
    /// Where its time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where its randomness comes from.
    pub random: Pcg64Mcg,
    /// Subscriptions.
    pub pubsub: PubSub,
    /// Users and what they may do.
    pub acl: Acl,
    /// Scripts and functions.
    pub scripts: Scripts,
    /// Counters that INFO shows.
    pub stats: Stats,
    /// What becomes of data that takes long to free; by default it is freed where it stands.
    pub disposal: Box<dyn Disposal>,
    /// How large and how many; none unless set.
    pub limits: Limits,
    /// What it has been used for.
    pub usage: Usage,
    /// What nobody knows of commands over REST, and is chosen.
    pub rest: RestChoices,
    pub(crate) storage: Storage,
    /// Clients that are blocked, and keys that may serve them.
    pub(crate) waiting: Waiting,
    pub(crate) sessions: HashMap<ClientId, Session, foldhash::fast::FixedState>,
    pub(crate) monitors: Vec<ClientId>,
    /// A second copy of the data that serves reads; most engines have none.
    pub(crate) replica: Option<Box<Replica>>,
    watchers: HashMap<(usize, Key), HashSet<ClientId>>,
    /// Stands in for a client that is gone.
    detached: Session,
    next_client: ClientId,
    next_arrival: u64,
}

/// What an engine is made with.
pub struct Options {
    /// Whose behaviour it shows.
    pub dialect: Dialect,
    /// Its settings.
    pub config: Config,
    /// Where its time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where its randomness comes from.
    pub seed: u64,
}

impl Engine {
    /// An empty store.
    pub fn new(options: Options) -> Self {
        let databases = if options.dialect.has(Quirk::SingleDatabase) {
            1
        } else {
            options.config.databases
        };
        let notifications = options.config.notifications;
        let mut engine = Engine {
            dialect: options.dialect,
            databases: (0..databases.max(1)).map(|_| Database::default()).collect(),
            config: options.config,
            clock: options.clock,
            random: Pcg64Mcg::seed_from_u64(options.seed),
            pubsub: PubSub::default(),
            acl: Acl::default(),
            scripts: Scripts::default(),
            stats: Stats::default(),
            disposal: Box::new(AtOnce),
            limits: Limits::default().with_script_times_of(options.dialect),
            usage: Usage::default(),
            rest: RestChoices::default(),
            storage: Storage::default(),
            waiting: Waiting::default(),
            sessions: HashMap::default(),
            monitors: Vec::new(),
            replica: None,
            watchers: HashMap::new(),
            detached: Session::new(0, Connect::default(), 0),
            next_client: 1,
            next_arrival: 0,
        };
        engine.set_notifications(notifications);
        if engine.dialect.has(Quirk::CountsExpired) {
            for database in &mut engine.databases {
                database.lingering = Some(Lingering::default());
            }
        }
        engine
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_us() / 1000
    }

    /// Takes in a client.
    pub fn connect(&mut self, options: Connect) -> ClientId {
        let id = self.next_client;
        self.next_client += 1;
        self.stats.connections += 1;
        let session = Session::new(id, options, self.now_ms());
        self.sessions.insert(id, session);
        id
    }

    /// Lets go of a client: its subscriptions, watches and what it is blocked on end.
    pub fn disconnect(&mut self, client: ClientId) {
        self.unwatch(client);
        self.unblock(client);
        self.monitors.retain(|id| *id != client);
        if let Some(session) = self.sessions.remove(&client) {
            for channel in &session.channels {
                self.pubsub.remove(channel, false, client);
            }
            for pattern in &session.patterns {
                self.pubsub.remove(pattern, true, client);
            }
        }
    }

    /// A client's state; a stand-in that sends nothing when it is gone.
    pub fn session_mut(&mut self, client: ClientId) -> &mut Session {
        self.sessions.get_mut(&client).unwrap_or(&mut self.detached)
    }

    /// A client's state.
    pub fn session(&self, client: ClientId) -> Option<&Session> {
        self.sessions.get(&client)
    }

    /// Every connected client, by id.
    pub fn sessions(&self) -> Vec<&Session> {
        let mut all: Vec<&Session> = self.sessions.values().collect();
        all.sort_unstable_by_key(|session| session.id);
        all
    }

    /// Carries out one command, or queues it when the client is in a transaction.
    ///
    /// [`Reply::None`] means that nothing is to be sent now: the command blocks (then
    /// [`Session::blocked`] says until when, and the reply comes through the outbox), or its replies
    /// went to the outbox already. An empty command answers nothing either.
    pub fn execute(&mut self, client: ClientId, args: &[Bytes]) -> Reply {
        if args.is_empty() {
            return Reply::None;
        }
        let now_ms = self.now_ms();
        self.expire(now_ms);
        let is_exec = args[0].eq_ignore_ascii_case(b"EXEC");
        let reply = match self.admit(client, args, now_ms) {
            Ok(command) => self.route(
                client,
                Origin::Client,
                &[(command, args)],
                now_ms,
                |engine| engine.run_or_queue(client, command, args, now_ms),
            ),
            Err(error) if is_exec && !self.session_mut(client).rest => {
                self.serve_waiting();
                self.ship();
                self.session_mut(client).transaction = None;
                self.unwatch(client);
                Err(exec_refused(&error))
            }
            Err(error) => {
                self.serve_waiting();
                self.ship();
                if let Some(transaction) = &mut self.session_mut(client).transaction {
                    transaction.aborted = true;
                }
                Err(error)
            }
        };
        self.dispose();
        reply.unwrap_or_else(Reply::Error)
    }

    /// Carries out commands as one transaction, as REST's `/multi-exec` does: nothing of another
    /// client comes between, and a command that cannot be admitted discards them all.
    ///
    /// # Errors
    /// With the first refusal, when nothing has been carried out.
    pub fn transaction(
        &mut self,
        client: ClientId,
        commands: &[Vec<Bytes>],
    ) -> Result<Vec<Reply>, ReplyError> {
        let now_ms = self.now_ms();
        self.expire(now_ms);
        let admitted = commands
            .iter()
            .map(|args| self.admit(client, args, now_ms))
            .collect::<Result<Vec<_>, _>>()?;
        let commands: Vec<(&'static Command, &[Bytes])> = admitted
            .into_iter()
            .zip(commands)
            .map(|(command, args)| (command, &args[..]))
            .collect();
        let origin = Origin::Transaction;
        let replies = self.route(client, origin, &commands, now_ms, |engine| {
            let run = |(command, args): &(&'static Command, &[Bytes])| {
                engine.show_to_monitors(client, command, args);
                engine
                    .call(client, command, args, origin, now_ms)
                    .unwrap_or_else(Reply::Error)
            };
            commands.iter().map(run).collect()
        });
        self.dispose();
        Ok(replies)
    }

    /// Hands over what commands let go of and what takes long to free.
    fn dispose(&mut self) {
        let replica = self.replica.iter_mut();
        let copies = replica.flat_map(|replica| replica.databases_mut());
        for database in self.databases.iter_mut().chain(copies) {
            for rubbish in database.take_discarded() {
                self.disposal.dispose(rubbish);
            }
        }
    }

    /// Holds a command against the limits, and counts it unless they refuse it.
    fn meter(
        &mut self,
        admitted: Result<&'static Command, ReplyError>,
        args: &[Bytes],
        now_ms: u64,
    ) -> Result<&'static Command, ReplyError> {
        self.usage.roll(now_ms);
        let command = match &admitted {
            Ok(command) => Some(*command),
            Err(_) if self.limits.choices.refused_free => return admitted,
            Err(_) => self.find(args).ok(),
        };
        if let Ok(command) = admitted
            && let Some(refusal) = self.beyond_limits(command, args, Origin::Client)
        {
            return Err(refusal);
        }
        self.usage.count(command, &self.limits, false);
        self.usage.count_in(self.limits.request_size(args));
        admitted
    }

    fn run_or_queue(
        &mut self,
        client: ClientId,
        command: &'static Command,
        args: &[Bytes],
        now_ms: u64,
    ) -> Outcome {
        let session = self.session_mut(client);
        if let Some(transaction) = &mut session.transaction
            && !runs_inside_multi(command)
        {
            if command.flags.contains(Flags::NO_MULTI) {
                transaction.aborted = true;
                return Err(ReplyError::fixed(
                    "ERR Command not allowed inside a transaction",
                ));
            }
            transaction.queue.push((command, args.to_vec()));
            return Ok(Reply::status("QUEUED"));
        }
        self.show_to_monitors(client, command, args);
        self.call(client, command, args, Origin::Client, now_ms)
    }

    /// Runs a command's handler. No checks: see [`Engine::admit`].
    pub(crate) fn call(
        &mut self,
        client: ClientId,
        command: &'static Command,
        args: &[Bytes],
        origin: Origin,
        now_ms: u64,
    ) -> Outcome {
        if origin == Origin::Script {
            self.stats.script_commands += 1;
            self.usage.count(Some(command), &self.limits, true);
            if let Some(refusal) = self.beyond_limits(command, args, origin) {
                return Err(refusal);
            }
        } else {
            self.stats.commands += 1;
            self.stats.pace.count(now_ms);
        }
        let session = self.session_mut(client);
        let (db, mut protocol) = (session.db, session.protocol);
        self.count_lookups(db, command, args);
        if origin == Origin::Script {
            protocol = self.scripts.protocol;
        }
        let watch = self.watch_records(db, command, args);
        let mut call = Call {
            engine: self,
            client,
            args,
            command,
            origin,
            now_ms,
            db,
            protocol,
        };
        let misses = call.engine.config.notifications.contains(Class::KEY_MISS);
        let sought = if misses {
            notification::keys_read(command, args)
        } else {
            Vec::new()
        };
        for key in &sought {
            call.db().note_read(key);
        }
        let outcome = (command.handler)(&mut call);
        if misses {
            let failed_after = outcome
                .as_ref()
                .err()
                .map(|error| notification::looked_up(&self.databases[db], command, &sought, error));
            self.notify_reads(db, failed_after.map(|count| &sought[..count]));
        }
        if self.replica.is_some() && origin != Origin::Script {
            self.ship_scripts(command, args, outcome.is_ok());
        }
        let outcome = self.note_growth(db, command, args, watch, outcome);
        self.meter_reply(command, origin, outcome)
    }

    /// Counts a reply, and puts an error in its place when it is too large. What a command did it has
    /// done.
    fn meter_reply(&mut self, command: &Command, origin: Origin, outcome: Outcome) -> Outcome {
        // EXEC's reply is made of replies that were counted each for itself.
        if command.name == "EXEC" {
            return outcome;
        }
        if origin == Origin::Script && !self.limits.choices.script_calls_limited {
            return outcome;
        }
        let size = match &outcome {
            Ok(reply) => self.limits.reply_size(reply),
            Err(error) => error.as_bytes().len() as u64,
        };
        if origin != Origin::Script {
            self.usage.count_out(size);
        }
        self.limits.refuse_reply(size).map_or(outcome, Err)
    }

    /// Counts a reply that another server gave to an admitted command, and answers the error that
    /// stands in for one that is too large.
    pub fn meter_foreign(&mut self, reply: Reply) -> Reply {
        let size = self.limits.reply_size(&reply);
        self.usage.count_out(size);
        self.limits.refuse_reply(size).map_or(reply, Reply::Error)
    }

    /// Carries out what a transaction queued. EXEC's handler; kept here for it is the engine's own
    /// way of running commands.
    ///
    /// # Errors
    /// `EXECABORT` when a command was refused while queuing.
    pub(crate) fn exec(&mut self, client: ClientId, now_ms: u64) -> Outcome {
        let session = self.session_mut(client);
        let Some(transaction) = session.transaction.take() else {
            return Err(ReplyError::fixed("ERR EXEC without MULTI"));
        };
        let broken = session.watch_broken;
        self.unwatch(client);
        if transaction.aborted {
            return Err(EXEC_ABORT);
        }
        if broken {
            return Ok(Reply::NilArray);
        }
        let mut replies = Vec::with_capacity(transaction.queue.len());
        for (command, args) in transaction.queue {
            self.show_to_monitors(client, command, &args);
            let reply = self.call(client, command, &args, Origin::Transaction, now_ms);
            replies.push(reply.unwrap_or_else(Reply::Error));
        }
        Ok(Reply::Array(replies))
    }

    /// A number that grows with every call, to put blocked clients in order.
    pub(crate) fn next_arrival(&mut self) -> u64 {
        self.next_arrival += 1;
        self.next_arrival
    }

    /// Selects a client's database without checks (RESET, SELECT).
    pub(crate) fn set_db(&mut self, client: ClientId, db: usize) {
        self.session_mut(client).db = db;
    }

    /// Sets the protocol a client speaks (HELLO, RESET).
    pub(crate) fn set_protocol(&mut self, client: ClientId, protocol: Protocol) {
        self.session_mut(client).protocol = protocol;
    }
}

/// What EXEC says when it is refused itself. Its transaction is gone.
fn exec_refused(error: &ReplyError) -> ReplyError {
    let why = error.as_bytes();
    let why = why.strip_prefix(b"ERR ").unwrap_or(why);
    ReplyError::new([&b"EXECABORT Transaction discarded because of: "[..], why].concat())
}

fn runs_inside_multi(command: &Command) -> bool {
    matches!(
        command.name,
        "EXEC" | "DISCARD" | "MULTI" | "WATCH" | "QUIT" | "RESET"
    )
}
