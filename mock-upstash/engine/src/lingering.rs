//! Keys that have expired and are still counted, as DBSIZE may on Upstash.

use std::collections::VecDeque;

use crate::keyspace::{Database, Key};

/// How long they are counted. Upstash's documentation says that they may be, not for how long
/// (commands/dbsize).
const LINGERS_MS: u64 = 1000;

/// Expired keys with the instant of their expiry in milliseconds since the Unix epoch, the first to
/// expire first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lingering(VecDeque<(u64, Key)>);

impl Lingering {
    /// Adds a key that expired later than those before it.
    pub(crate) fn add(&mut self, at_ms: u64, key: Key, now_ms: u64) {
        while let Some((first, _)) = self.0.front()
            && first + LINGERS_MS < now_ms
        {
            self.0.pop_front();
        }
        self.0.push_back((at_ms, key));
    }
}

impl Database {
    /// How many keys have expired and count all the same; a key that is there again counts but once.
    pub(crate) fn lingering_len(&self, now_ms: u64) -> usize {
        let keys = self.lingering.iter().flat_map(|lingering| &lingering.0);
        keys.filter(|(at, key)| at + LINGERS_MS >= now_ms && !self.contains(key))
            .count()
    }
}
