//! A replica: a second copy of the data that trails the first by a set time and serves reads.
//!
//! What a command changes is shipped as the keys it touched and what they then held, so that a script,
//! a random choice and an id made from the clock arrive as they happened. A shipment arrives when the
//! clock has moved by the lag; nothing else makes it arrive but [`Engine::failover`], which loses it,
//! and WAIT. Time alone decides, so the same requests at the same instants get the same replies.
//!
//! A position is a count of changes. Each client has the position that it has seen; a replica that has
//! not got so far does not serve it, and the primary does.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use indexmap::IndexMap;

use crate::call::Origin;
use crate::command::{Command, Flags, Group, Keys};
use crate::engine::{Engine, Stats};
use crate::keyspace::{Database, Entry, Key};
use crate::script::{Scripts, Sha, sha_of};
use crate::session::ClientId;

/// Most scripts whose text is kept for the replica that a failover makes.
const KEPT_TEXTS: usize = 1000;

/// The second copy, and what is on its way to it.
pub struct Replica {
    lag: Duration,
    /// What it has; while it serves, what the primary has.
    databases: Vec<Database>,
    scripts: Scripts,
    /// What it served.
    stats: Stats,
    /// It serves a command now: its data are in the engine's place, and the primary's are here.
    serving: bool,
    /// Up to where it has everything.
    position: u64,
    log: VecDeque<Shipment>,
    /// The scripts that the primary has, with whether each came with EVAL.
    texts: IndexMap<Sha, (Bytes, bool)>,
    /// Clients that a command at the primary ended the wait of.
    woken: Vec<ClientId>,
    /// INFO was asked so often.
    asked: u64,
    /// Whether a transaction that only reads is served by it.
    serves_transactions: bool,
    /// Whether a script counts as a change that a client has seen.
    counts_scripts: bool,
}

/// What one command changed.
struct Shipment {
    due_us: u64,
    /// The position that a replica has reached with it.
    position: u64,
    cargo: Cargo,
}

enum Cargo {
    /// What keys hold; `None` where they are gone.
    Keys(Vec<(usize, Key, Option<Entry>)>),
    LoadScript(Bytes, bool),
    ForgetScripts,
    LoadLibrary(Bytes),
    ForgetLibrary(Bytes),
    ForgetLibraries,
}

impl Replica {
    /// Its copies of the databases.
    pub(crate) fn databases_mut(&mut self) -> impl Iterator<Item = &mut Database> {
        self.databases.iter_mut()
    }
}

impl Engine {
    /// Sets how long changes take to the replica that serves reads; zero for none. The replica starts
    /// with all data there are now.
    pub fn set_replica_lag(&mut self, lag: Duration) {
        if let Some(replica) = &mut self.replica
            && !lag.is_zero()
        {
            replica.lag = lag;
            return;
        }
        for database in &mut self.databases {
            database.track_changes(!lag.is_zero());
        }
        self.replica = (!lag.is_zero()).then(|| {
            Box::new(Replica {
                lag,
                databases: Vec::new(),
                scripts: Scripts::default(),
                stats: Stats::default(),
                serving: false,
                position: 0,
                log: VecDeque::new(),
                texts: IndexMap::new(),
                woken: Vec::new(),
                asked: 0,
                serves_transactions: false,
                counts_scripts: false,
            })
        });
        self.resync_replica();
    }

    /// How long changes take to the replica; zero when there is none.
    pub fn replica_lag(&self) -> Duration {
        self.replica.as_ref().map_or(Duration::ZERO, |r| r.lag)
    }

    /// Lets the replica serve transactions that only read. No effect without a replica.
    pub fn let_replica_serve_transactions(&mut self, on: bool) {
        if let Some(replica) = &mut self.replica {
            replica.serves_transactions = on;
        }
    }

    /// Counts the loading of a script as a change: who has seen it is served by a node that has it.
    /// No effect without a replica.
    pub fn count_scripts_as_changes(&mut self, on: bool) {
        if let Some(replica) = &mut self.replica {
            replica.counts_scripts = on;
        }
    }

    /// The position of the primary: how many changes there were.
    pub fn position(&self) -> u64 {
        self.stats.changes
    }

    /// How many changes the replica has not got yet.
    pub fn replica_behind(&mut self) -> u64 {
        self.let_replica_catch_up();
        match &self.replica {
            Some(replica) => self.stats.changes - replica.position.min(self.stats.changes),
            None => 0,
        }
    }

    /// When the replica will have reached a position, in microseconds since the Unix epoch; `None`
    /// when it has, or when there is none. A position beyond the primary's is taken for the primary's:
    /// what it counted is lost.
    pub fn replica_due_us(&mut self, position: u64) -> Option<u64> {
        self.let_replica_catch_up();
        let wanted = position.min(self.stats.changes);
        let replica = self.replica.as_ref()?;
        if wanted <= replica.position {
            return None;
        }
        let shipment = replica.log.iter().find(|one| one.position >= wanted)?;
        Some(shipment.due_us)
    }

    /// The replica takes the primary's place. What has not reached it is lost, scripts included, and a
    /// new replica starts with what is left. Answers how many changes to keys are lost.
    pub fn failover(&mut self) -> usize {
        self.let_replica_catch_up();
        let Some(replica) = &mut self.replica else {
            return 0;
        };
        std::mem::swap(&mut self.databases, &mut replica.databases);
        std::mem::swap(&mut self.scripts, &mut replica.scripts);
        self.storage.forget();
        let classes = self.config.notifications;
        replica.stats = difference(&self.stats, &replica.stats);
        let mut lost = Vec::new();
        for shipment in std::mem::take(&mut replica.log) {
            match shipment.cargo {
                Cargo::Keys(keys) => lost.extend(keys.into_iter().map(|(db, key, _)| (db, key))),
                Cargo::LoadScript(text, _) => {
                    replica.texts.shift_remove(&sha_of(&text));
                }
                _ => {}
            }
        }
        for (db, key) in &lost {
            self.key_modified(*db, key);
        }
        self.set_notifications(classes);
        self.resync_replica();
        self.serve_waiting();
        self.ship();
        lost.len()
    }

    /// Makes the replica have what the primary has, at once. No effect without one.
    pub fn resync_replica(&mut self) {
        let Some(mut replica) = self.replica.take() else {
            return;
        };
        replica.log.clear();
        replica.databases = self.databases.iter().map(Database::copy).collect();
        for database in &mut self.databases {
            database.track_changes(true);
        }
        replica.position = self.stats.changes;
        replica.scripts = Scripts::default();
        let libraries = self.scripts.libraries.iter();
        let libraries: Vec<Bytes> = libraries.map(|(_, library)| library.code.clone()).collect();
        let texts: Vec<_> = replica.texts.values().cloned().collect();
        std::mem::swap(&mut self.scripts, &mut replica.scripts);
        for (text, from_eval) in texts {
            self.carry(Cargo::LoadScript(text, from_eval), &mut []);
        }
        for code in libraries {
            self.carry(Cargo::LoadLibrary(code), &mut []);
        }
        std::mem::swap(&mut self.scripts, &mut replica.scripts);
        self.replica = Some(replica);
    }

    /// Carries out a command, or a transaction, at the node that serves it.
    pub(crate) fn route<T>(
        &mut self,
        client: ClientId,
        origin: Origin,
        commands: &[(&'static Command, &[Bytes])],
        now_ms: u64,
        run: impl FnOnce(&mut Engine) -> T,
    ) -> T {
        if self.replica.is_none() {
            let outcome = run(self);
            self.serve_waiting();
            return outcome;
        }
        self.let_replica_catch_up();
        let at_replica = self.replica_serves(client, origin, commands);
        let outcome = if at_replica {
            self.at_replica(now_ms, run)
        } else {
            run(self)
        };
        self.serve_waiting();
        self.ship();
        let (reached, scripts_count) = match &self.replica {
            Some(replica) if at_replica => (replica.position, false),
            Some(replica) => (self.stats.changes, replica.counts_scripts),
            None => (self.stats.changes, false),
        };
        let sees = |(command, _): &(&'static Command, &[Bytes])| {
            sees_data(command) || (scripts_count && command.group == Group::Scripting)
        };
        if at_replica || commands.iter().any(sees) {
            let session = self.session_mut(client);
            session.seen = session.seen.max(reached);
        }
        outcome
    }

    /// Whether the replica serves these commands, which one client sent.
    fn replica_serves(
        &mut self,
        client: ClientId,
        origin: Origin,
        commands: &[(&Command, &[Bytes])],
    ) -> bool {
        let primary = self.stats.changes;
        let session = self.session_mut(client);
        let (seen, rest) = (session.seen.min(primary), session.rest);
        let queues = session.transaction.is_some();
        let Some(replica) = &mut self.replica else {
            return false;
        };
        let transaction = origin == Origin::Transaction;
        if queues || (transaction && !replica.serves_transactions) {
            return false;
        }
        // INFO is answered by whichever node gets the call; here by each in turn.
        if let [(command, _)] = commands
            && command.name == "INFO"
        {
            replica.asked += 1;
            return replica.asked.is_multiple_of(2);
        }
        let only_reads = |(command, args): &(&Command, &[Bytes])| {
            let waits = command.flags.contains(Flags::BLOCKING)
                && !rest
                && args.iter().any(|arg| arg.eq_ignore_ascii_case(b"BLOCK"));
            command.flags.contains(Flags::READONLY) && !waits
        };
        !commands.is_empty() && seen <= replica.position && commands.iter().all(only_reads)
    }

    /// Puts the replica's data into the engine's place while a command runs.
    fn at_replica<T>(&mut self, now_ms: u64, run: impl FnOnce(&mut Engine) -> T) -> T {
        let before = self.stats.clone();
        self.swap_replica(true);
        // The primary has told of what expires.
        for database in &mut self.databases {
            database.drop_expired(now_ms);
        }
        let outcome = run(self);
        self.swap_replica(false);
        if let Some(replica) = &mut self.replica {
            let served = difference(&self.stats, &before);
            replica.stats.commands += served.commands;
            replica.stats.script_commands += served.script_commands;
            replica.stats.hits += served.hits;
            replica.stats.misses += served.misses;
            replica.stats.pace = self.stats.pace;
        }
        outcome
    }

    fn swap_replica(&mut self, serving: bool) {
        if let Some(replica) = &mut self.replica {
            std::mem::swap(&mut self.databases, &mut replica.databases);
            std::mem::swap(&mut self.scripts, &mut replica.scripts);
            replica.serving = serving;
        }
    }

    /// The names of the node that answers now and of the primary.
    pub(crate) fn node_names(&self) -> [&'static str; 2] {
        const PRIMARY: &str = "node-1";
        match &self.replica {
            Some(replica) if replica.serving => ["node-2", PRIMARY],
            _ => [PRIMARY; 2],
        }
    }

    /// The counters of the node that answers now.
    pub(crate) fn node_stats(&self) -> Stats {
        match &self.replica {
            None => self.stats.clone(),
            Some(replica) if replica.serving => replica.stats.clone(),
            Some(replica) => difference(&self.stats, &replica.stats),
        }
    }

    /// Sends on its way what changed since the last call.
    pub(crate) fn ship(&mut self) {
        let due_us = self.due_us();
        let Some(replica) = &mut self.replica else {
            return;
        };
        let mut keys = Vec::new();
        for (db, database) in self.databases.iter_mut().enumerate() {
            let changed = database.take_changed().into_iter();
            keys.extend(changed.map(|(key, entry)| (db, key, entry)));
        }
        if !keys.is_empty() {
            // A change that nobody is told of, as that of a stream's group, counts as well.
            let shipped = replica
                .log
                .back()
                .map_or(replica.position, |last| last.position);
            if shipped >= self.stats.changes {
                self.stats.changes = shipped + 1;
            }
            replica.log.push_back(Shipment {
                due_us,
                position: self.stats.changes,
                cargo: Cargo::Keys(keys),
            });
        }
        let changes = self.stats.changes;
        for client in std::mem::take(&mut replica.woken) {
            if let Some(session) = self.sessions.get_mut(&client) {
                session.seen = changes;
            }
        }
        self.let_replica_catch_up();
    }

    /// Notes a client whose wait a change ended: it has seen the change.
    pub(crate) fn note_woken(&mut self, client: ClientId) {
        if let Some(replica) = &mut self.replica {
            replica.woken.push(client);
        }
    }

    /// Sends on its way what a command did to scripts and libraries.
    pub(crate) fn ship_scripts(&mut self, command: &Command, args: &[Bytes], succeeded: bool) {
        let due_us = self.due_us();
        let Some(replica) = &mut self.replica else {
            return;
        };
        if replica.serving {
            return;
        }
        let text = |index: usize| Bytes::copy_from_slice(args.get(index).unwrap_or(&Bytes::new()));
        let cargo = match command.name {
            // A script is kept even when it fails.
            "EVAL" | "EVAL_RO" => match replica.keep_text(text(1), true) {
                Some(cargo) => cargo,
                None => return,
            },
            "SCRIPT LOAD" if succeeded => match replica.keep_text(text(2), false) {
                Some(cargo) => cargo,
                None => return,
            },
            "SCRIPT FLUSH" if succeeded => {
                replica.texts.clear();
                Cargo::ForgetScripts
            }
            "FUNCTION LOAD" if succeeded => Cargo::LoadLibrary(text(args.len() - 1)),
            "FUNCTION DELETE" if succeeded => Cargo::ForgetLibrary(text(2)),
            "FUNCTION FLUSH" if succeeded => Cargo::ForgetLibraries,
            _ => return,
        };
        if replica.counts_scripts {
            self.stats.changes += 1;
        }
        let shipped = replica
            .log
            .back()
            .map_or(replica.position, |last| last.position);
        let position = if replica.counts_scripts {
            self.stats.changes
        } else {
            shipped
        };
        replica.log.push_back(Shipment {
            due_us,
            position,
            cargo,
        });
    }

    fn due_us(&self) -> u64 {
        match &self.replica {
            Some(replica) => {
                let lag_us = u64::try_from(replica.lag.as_micros()).unwrap_or(u64::MAX);
                self.clock.now_us().saturating_add(lag_us)
            }
            None => 0,
        }
    }

    /// Lets arrive what is due.
    fn let_replica_catch_up(&mut self) {
        if self.replica.is_some() {
            let now_us = self.clock.now_us();
            self.deliver(|shipment| shipment.due_us <= now_us);
        }
    }

    /// Lets arrive all that is on its way; says whether there is a replica.
    pub(crate) fn wait_for_replica(&mut self) -> bool {
        self.ship();
        self.deliver(|_| true);
        self.replica.is_some()
    }

    fn deliver(&mut self, is_due: impl Fn(&Shipment) -> bool) {
        let Some(mut replica) = self.replica.take() else {
            return;
        };
        while replica.log.front().is_some_and(&is_due)
            && let Some(shipment) = replica.log.pop_front()
        {
            replica.position = replica.position.max(shipment.position);
            if let Cargo::Keys(_) = &shipment.cargo {
                self.carry(shipment.cargo, &mut replica.databases);
            } else {
                std::mem::swap(&mut self.scripts, &mut replica.scripts);
                self.carry(shipment.cargo, &mut replica.databases);
                std::mem::swap(&mut self.scripts, &mut replica.scripts);
            }
        }
        if replica.log.is_empty() {
            replica.position = self.stats.changes;
        }
        self.replica = Some(replica);
    }

    /// Puts into place what arrived: keys into databases, scripts into the engine's own, which stand
    /// for the replica's meanwhile.
    fn carry(&mut self, cargo: Cargo, databases: &mut [Database]) {
        match cargo {
            Cargo::Keys(keys) => {
                for (db, key, entry) in keys {
                    let Some(database) = databases.get_mut(db) else {
                        continue;
                    };
                    match entry {
                        Some(entry) => database.insert_entry(&key, entry),
                        None => drop(database.remove(&key)),
                    }
                }
            }
            // What did not compile at the primary does not here either; then there is nothing to keep.
            Cargo::LoadScript(text, from_eval) => drop(self.load_script(&text, from_eval)),
            Cargo::ForgetScripts => self.scripts.flush(),
            Cargo::LoadLibrary(code) => drop(self.load_library(&code, true)),
            Cargo::ForgetLibrary(name) => {
                self.forget_library(&name);
            }
            Cargo::ForgetLibraries => self.forget_libraries(),
        }
    }
}

impl Replica {
    /// Notes a script of the primary; what is to be shipped, unless it was before.
    fn keep_text(&mut self, text: Bytes, from_eval: bool) -> Option<Cargo> {
        let sha = sha_of(&text);
        match self.texts.get(&sha) {
            Some((_, known)) if *known == from_eval || from_eval => return None,
            _ => {}
        }
        if self.texts.len() >= KEPT_TEXTS {
            self.texts.shift_remove_index(0);
        }
        self.texts.insert(sha, (text.clone(), from_eval));
        Some(Cargo::LoadScript(text, from_eval))
    }
}

/// Whether a client that ran a command at the primary has seen the primary's data.
fn sees_data(command: &Command) -> bool {
    command.group == Group::Transaction
        || command.flags.intersects(Flags::WRITE | Flags::READONLY)
        || !matches!(command.keys, Keys::None)
}

fn difference(total: &Stats, part: &Stats) -> Stats {
    Stats {
        connections: total.connections.saturating_sub(part.connections),
        commands: total.commands.saturating_sub(part.commands),
        script_commands: total.script_commands.saturating_sub(part.script_commands),
        expired: total.expired.saturating_sub(part.expired),
        evicted: total.evicted.saturating_sub(part.evicted),
        changes: total.changes.saturating_sub(part.changes),
        hits: total.hits.saturating_sub(part.hits),
        misses: total.misses.saturating_sub(part.misses),
        pace: total.pace,
    }
}
