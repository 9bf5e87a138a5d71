//! Consumer groups: what was delivered to whom and has not been acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::id::Id;

/// A consumer's name.
pub type Name = Arc<[u8]>;

/// An entry that was delivered and not acknowledged.
#[derive(Debug, Clone)]
pub struct Pending {
    /// To whom it was delivered last.
    pub consumer: Name,
    /// When, in milliseconds since the Unix epoch.
    pub delivered_ms: u64,
    /// How often it was delivered.
    pub deliveries: i64,
}

/// A member of a group.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// Its name.
    pub name: Name,
    /// When it last asked for something, in milliseconds since the Unix epoch.
    pub seen_ms: u64,
    /// When it last got something.
    pub active_ms: Option<u64>,
    /// The ids of its pending entries.
    pub pending: BTreeSet<Id>,
}

/// A consumer group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The last id delivered to any of its consumers.
    pub last_id: Id,
    /// How many of the entries that were ever added it has read, where that is known.
    pub entries_read: Option<u64>,
    /// Its pending entries.
    pending: BTreeMap<Id, Pending>,
    consumers: BTreeMap<Name, Consumer>,
}

impl Group {
    /// A group that has read up to an id.
    pub fn new(last_id: Id, entries_read: Option<u64>) -> Group {
        Group {
            last_id,
            entries_read,
            ..Group::default()
        }
    }

    /// Its consumers, by name.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        self.consumers.values()
    }

    /// A consumer.
    pub fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.consumers.get(name)
    }

    /// Makes a consumer; says whether there was none of that name.
    pub fn create_consumer(&mut self, name: &[u8], now_ms: u64) -> bool {
        if self.consumers.contains_key(name) {
            return false;
        }
        let name = Name::from(name);
        let consumer = Consumer {
            name: name.clone(),
            seen_ms: now_ms,
            active_ms: None,
            pending: BTreeSet::new(),
        };
        self.consumers.insert(name, consumer);
        true
    }

    /// Puts in a consumer as it is, with no pending entries, for restored streams.
    pub fn restore_consumer(&mut self, name: &[u8], seen_ms: u64, active_ms: Option<u64>) {
        self.create_consumer(name, seen_ms);
        if let Some(consumer) = self.consumers.get_mut(name) {
            consumer.seen_ms = seen_ms;
            consumer.active_ms = active_ms;
        }
    }

    /// Takes a consumer out with all that is pending for it; answers how many entries those were.
    pub fn delete_consumer(&mut self, name: &[u8]) -> usize {
        let Some(consumer) = self.consumers.remove(name) else {
            return 0;
        };
        for id in &consumer.pending {
            self.pending.remove(id);
        }
        consumer.pending.len()
    }

    /// Notes that a consumer asked for something.
    pub fn saw(&mut self, name: &[u8], now_ms: u64) {
        if let Some(consumer) = self.consumers.get_mut(name) {
            consumer.seen_ms = now_ms;
        }
    }

    /// Notes that a consumer got something.
    pub fn served(&mut self, name: &[u8], now_ms: u64) {
        if let Some(consumer) = self.consumers.get_mut(name) {
            consumer.active_ms = Some(now_ms);
        }
    }

    /// Number of pending entries.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// A pending entry.
    pub fn pending(&self, id: Id) -> Option<&Pending> {
        self.pending.get(&id)
    }

    /// A pending entry, to note another delivery. Its consumer is changed with [`Group::assign`].
    pub fn pending_mut(&mut self, id: Id) -> Option<&mut Pending> {
        self.pending.get_mut(&id)
    }

    /// The pending entries from one id to another, both included.
    pub fn pending_range(
        &self,
        start: Id,
        end: Id,
    ) -> impl DoubleEndedIterator<Item = (Id, &Pending)> {
        let wanted = (start <= end).then(|| self.pending.range(start..=end));
        wanted
            .into_iter()
            .flatten()
            .map(|(id, pending)| (*id, pending))
    }

    /// Makes an entry pending for a consumer, whoever had it before.
    pub fn assign(&mut self, id: Id, consumer: &[u8], delivered_ms: u64, deliveries: i64) {
        self.acknowledge(id);
        let Some(consumer) = self.consumers.get_mut(consumer) else {
            return;
        };
        consumer.pending.insert(id);
        let pending = Pending {
            consumer: consumer.name.clone(),
            delivered_ms,
            deliveries,
        };
        self.pending.insert(id, pending);
    }

    /// Takes a pending entry out; says whether it was there.
    pub fn acknowledge(&mut self, id: Id) -> bool {
        let Some(pending) = self.pending.remove(&id) else {
            return false;
        };
        if let Some(consumer) = self.consumers.get_mut(&pending.consumer) {
            consumer.pending.remove(&id);
        }
        true
    }
}
