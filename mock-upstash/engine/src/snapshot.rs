//! All data at one moment, to go back to.

use bytes::Bytes;

use crate::engine::Engine;
use crate::keyspace::{Entry, Key};

/// All keys of all databases with what they held and until when, and the libraries of functions:
/// what Redis, too, counts as data and writes to disk. Users and cached scripts are not among it.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    databases: Vec<Vec<(Key, Entry)>>,
    /// Their texts, in the order in which they were loaded.
    libraries: Vec<Bytes>,
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
            libraries: self
                .scripts
                .libraries
                .iter()
                .map(|(_, library)| library.code.clone())
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
        self.forget_libraries();
        for code in &snapshot.libraries {
            // It was loaded once, by an engine that may have had other libraries or limits.
            self.load_library(code, true).ok();
        }
        self.storage.forget();
        self.tick();
        self.resync_replica();
    }
}
