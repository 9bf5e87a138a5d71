//! All data at one moment, to go back to.

use crate::engine::Engine;
use crate::keyspace::{Entry, Key};

/// All keys of all databases with what they held and until when.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    databases: Vec<Vec<(Key, Entry)>>,
}

impl Snapshot {
    /// Number of keys.
    pub fn len(&self) -> usize {
        self.databases.iter().map(Vec::len).sum()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Engine {
    /// Copies all data.
    pub fn snapshot(&mut self) -> Snapshot {
        let now_ms = self.now_ms();
        self.expire(now_ms);
        let entries = |(key, entry): (&[u8], &Entry)| (Key::from(key), entry.clone());
        Snapshot {
            databases: self
                .databases
                .iter()
                .map(|database| database.iter().map(entries).collect())
                .collect(),
        }
    }

    /// Replaces all data by that of a snapshot. Watched keys count as changed; what has expired
    /// since is gone. A replica has the same at once.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        for db in 0..self.databases.len() {
            self.flush(db);
            for (key, entry) in snapshot.databases.get(db).into_iter().flatten() {
                self.databases[db].insert_entry(key, entry.clone());
                self.key_modified(db, key);
            }
        }
        self.tick();
        self.resync_replica();
    }
}
