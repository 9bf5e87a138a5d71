//! What a change of a key sets off, and the changes that time makes.

use super::Engine;
use crate::keyspace::Key;
use crate::notification::Class;
use crate::session::ClientId;

impl Engine {
    /// Watches a key for a client.
    pub(crate) fn watch(&mut self, client: ClientId, db: usize, key: &[u8]) {
        let session = self.session_mut(client);
        if session.watched.iter().any(|(d, k)| *d == db && **k == *key) {
            return;
        }
        session.watched.push((db, key.into()));
        self.watchers
            .entry((db, key.into()))
            .or_default()
            .insert(client);
    }

    /// Clients one of whose watched keys has changed.
    pub(crate) fn clients_with_broken_watches(&self) -> Vec<ClientId> {
        if self.watchers.is_empty() {
            return Vec::new();
        }
        let broken = self.sessions.values().filter(|s| s.watch_broken);
        broken.map(|session| session.id).collect()
    }

    /// Says that nothing watched has changed after all, but for the clients in `broken`: the changes
    /// were taken back.
    pub(crate) fn mend_watches_except(&mut self, broken: &[ClientId]) {
        for session in self.sessions.values_mut() {
            session.watch_broken = broken.contains(&session.id);
        }
    }

    /// Ends all watches of a client.
    pub(crate) fn unwatch(&mut self, client: ClientId) {
        let session = self.session_mut(client);
        session.watch_broken = false;
        for place in std::mem::take(&mut session.watched) {
            if let Some(clients) = self.watchers.get_mut(&place) {
                clients.remove(&client);
                if clients.is_empty() {
                    self.watchers.remove(&place);
                }
            }
        }
    }

    /// Notes that a key changed: transactions that watch it will fail, clients blocked on it get
    /// their turn.
    pub(crate) fn key_modified(&mut self, db: usize, key: &[u8]) {
        self.stats.changes += 1;
        self.touch(db, key);
        self.waiting.note_ready(db, key, true);
    }

    /// Notes that a key's value was set over another: of the clients blocked on it, only those get
    /// their turn that wait for what is gone now.
    pub(crate) fn key_overwritten(&mut self, db: usize, key: &[u8]) {
        self.stats.changes += 1;
        self.touch(db, key);
        self.waiting.note_ready(db, key, false);
    }

    /// Notes that a key changed in a way that serves no blocked client.
    pub(crate) fn key_reduced(&mut self, db: usize, key: &[u8]) {
        self.stats.changes += 1;
        self.touch(db, key);
    }

    /// Fails the transactions that watch a key.
    fn touch(&mut self, db: usize, key: &[u8]) {
        if !self.watchers.is_empty()
            && let Some(clients) = self.watchers.get(&(db, Key::from(key)))
        {
            for client in clients {
                if let Some(session) = self.sessions.get_mut(client) {
                    session.watch_broken = true;
                }
            }
        }
    }

    /// Takes out every key and field whose time has come. Fronts need not call this for
    /// correctness, for each command begins with it; they call it now and then so that keyspace
    /// notifications of expiry go out while nobody asks.
    pub fn expire(&mut self, now_ms: u64) {
        for db in 0..self.databases.len() {
            while let Some(key) = self.databases[db].pop_expired(now_ms) {
                self.stats.expired += 1;
                self.storage.shrink();
                self.key_modified(db, &key);
                self.notify(Class::EXPIRED, "expired", &key, db);
            }
            self.expire_fields(db, now_ms);
        }
    }

    /// Takes out everything of one database. Only keys that somebody watches or waits for are looked
    /// at one by one.
    pub(crate) fn flush(&mut self, db: usize) {
        let database = &mut self.databases[db];
        let count = database.len() as u64;
        let cared_for = self.watchers.keys().chain(self.waiting.keys());
        let touched: Vec<Key> = cared_for
            .filter(|(of, key)| *of == db && database.contains(key))
            .map(|(_, key)| key.clone())
            .collect();
        database.clear();
        self.stats.changes += count;
        for key in touched {
            self.touch(db, &key);
            self.waiting.note_ready(db, &key, true);
        }
    }

    /// Lets time-dependent things happen: expiry, and blocked clients that give up. Fronts call it
    /// when [`Engine::next_deadline_ms`] has come and after the clock was moved.
    pub fn tick(&mut self) {
        let now_ms = self.now_ms();
        self.expire(now_ms);
        self.serve_waiting();
        self.give_up_waiting(now_ms);
        self.ship();
        self.dispose();
    }
}
