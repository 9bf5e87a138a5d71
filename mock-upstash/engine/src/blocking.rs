//! Clients that wait for a key to have something, and the order in which they get it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use indexmap::IndexMap;

use crate::call::Origin;
use crate::engine::Engine;
use crate::keyspace::Key;
use crate::reply::Reply;
use crate::session::{Blocked, ClientId};

/// Blocked clients by the keys they wait for, and the keys that changed since the last look.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Clients by order of arrival.
    by_key: HashMap<(usize, Key), BTreeMap<u64, ClientId>>,
    /// Keys that changed and have clients waiting, in the order in which they changed first; with
    /// whether that may serve those who wait for a value, and not only those who wait for it to go.
    ready: IndexMap<(usize, Key), bool>,
    /// When clients give up, with their order of arrival, soonest first.
    deadlines: BTreeSet<(u64, u64, ClientId)>,
}

impl Waiting {
    /// Keys that clients wait for, with their databases.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &(usize, Key)> {
        self.by_key.keys()
    }

    pub(crate) fn note_ready(&mut self, db: usize, key: &[u8], may_serve: bool) {
        if self.by_key.is_empty() {
            return;
        }
        let place = (db, Key::from(key));
        if self.by_key.contains_key(&place) {
            *self.ready.entry(place).or_default() |= may_serve;
        }
    }
}

impl Engine {
    /// Puts a client to sleep; keeps its place and deadline when it is put to sleep again.
    pub(crate) fn block(&mut self, client: ClientId, db: usize, blocked: Blocked) {
        for key in &blocked.keys {
            let place = (db, key.clone());
            self.waiting
                .by_key
                .entry(place)
                .or_default()
                .insert(blocked.since, client);
        }
        if let Some(deadline_ms) = blocked.deadline_ms {
            let deadline = (deadline_ms, blocked.since, client);
            self.waiting.deadlines.insert(deadline);
        }
        self.session_mut(client).blocked = Some(blocked);
    }

    /// Ends a client's wait without a reply.
    pub(crate) fn unblock(&mut self, client: ClientId) -> Option<Blocked> {
        let session = self.sessions.get_mut(&client)?;
        let db = session.db;
        let blocked = session.blocked.take()?;
        if let Some(deadline_ms) = blocked.deadline_ms {
            let deadline = (deadline_ms, blocked.since, client);
            self.waiting.deadlines.remove(&deadline);
        }
        for key in &blocked.keys {
            let place = (db, key.clone());
            if let Some(clients) = self.waiting.by_key.get_mut(&place) {
                clients.remove(&blocked.since);
                if clients.is_empty() {
                    self.waiting.by_key.remove(&place);
                }
            }
        }
        Some(blocked)
    }

    /// Serves clients that wait for keys which changed, first come first served.
    pub(crate) fn serve_waiting(&mut self) {
        while !self.waiting.ready.is_empty() {
            for (place, may_serve) in std::mem::take(&mut self.waiting.ready) {
                let clients: Vec<ClientId> = match self.waiting.by_key.get(&place) {
                    Some(clients) => clients.values().copied().collect(),
                    None => continue,
                };
                for client in clients {
                    self.serve(client, &place, may_serve);
                }
            }
        }
    }

    /// Runs a blocked client's command again, if the key is such that it can be served.
    fn serve(&mut self, client: ClientId, (db, key): &(usize, Key), may_serve: bool) {
        let kind = self.databases[*db].kind(key);
        let Some(blocked) = self.session_mut(client).blocked.as_ref() else {
            return;
        };
        let served = may_serve && kind == Some(blocked.kind);
        if !served && !blocked.wakes_when_gone {
            return;
        }
        let Some(blocked) = self.unblock(client) else {
            return;
        };
        let now_ms = self.now_ms();
        let Ok(command) = self.resolve(&blocked.args) else {
            return;
        };
        let reply = self.call(client, command, &blocked.args, Origin::Client, now_ms);
        // Nothing for it yet: it goes back to its old place with its old deadline.
        if self.unblock(client).is_some() {
            self.block(client, *db, blocked);
            return;
        }
        self.note_woken(client);
        let reply = reply.unwrap_or_else(Reply::Error);
        self.session_mut(client).outbox.push(reply);
    }

    /// Answers clients whose time is up.
    pub(crate) fn give_up_waiting(&mut self, now_ms: u64) {
        while let Some(&(deadline_ms, _, client)) = self.waiting.deadlines.first()
            && deadline_ms <= now_ms
        {
            if let Some(blocked) = self.unblock(client) {
                self.session_mut(client).outbox.push(blocked.on_timeout);
            } else {
                self.waiting.deadlines.pop_first();
            }
        }
    }

    /// When the next blocked client gives up, in milliseconds since the Unix epoch.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let (deadline_ms, _, _) = self.waiting.deadlines.first()?;
        Some(*deadline_ms)
    }
}
