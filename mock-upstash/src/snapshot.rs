//! Snapshots by name: what `/_mock/` keeps for clients in other languages.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use redis_engine::snapshot::Snapshot;

/// Most snapshots that are kept by name.
const MAX_SNAPSHOTS: usize = 64;

/// Snapshots by name.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(Mutex<BTreeMap<String, Snapshot>>);

impl Snapshots {
    /// Keeps a snapshot; says whether there was room for it.
    pub(crate) fn keep(&self, name: &str, snapshot: Snapshot) -> bool {
        let mut all = self.0.lock();
        if all.len() >= MAX_SNAPSHOTS && !all.contains_key(name) {
            return false;
        }
        all.insert(name.to_owned(), snapshot);
        true
    }

    /// The snapshot with a name.
    pub(crate) fn get(&self, name: &str) -> Option<Snapshot> {
        self.0.lock().get(name).cloned()
    }

    /// Lets go of a snapshot; says whether there was one.
    pub(crate) fn remove(&self, name: &str) -> bool {
        self.0.lock().remove(name).is_some()
    }

    /// Names and numbers of keys.
    pub(crate) fn list(&self) -> Vec<(String, usize)> {
        let all = self.0.lock();
        all.iter()
            .map(|(name, snapshot)| (name.clone(), snapshot.len()))
            .collect()
    }
}
