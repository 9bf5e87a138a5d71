//! A log of entries with consumer groups.

mod chunk;
mod group;
mod id;
mod trim;

use std::collections::BTreeMap;

use chunk::Chunk;
pub use chunk::Node;
pub use group::{Consumer, Group, Name, Pending};
pub use id::{Id, NewId};
pub use trim::{References, Threshold, Trim};

/// An entry: an id and what was added under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: Id,
    /// Field, value, field, value and so on; a field may come twice.
    pub fields: Box<[Box<[u8]>]>,
}

impl Entry {
    fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().step_by(2).map(|name| &name[..])
    }
}

/// A log of entries with consumer groups.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Entries in runs, by the id with which a run began.
    chunks: BTreeMap<Id, Chunk>,
    len: usize,
    last_id: Id,
    max_deleted_id: Id,
    entries_added: u64,
    groups: BTreeMap<Box<[u8]>, Group>,
}

/// Why an entry cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Its id is not above the last one.
    NotAbove,
    /// The last id is the highest there is.
    Exhausted,
}

impl Stream {
    /// Whether it has no entries. A key may hold such a stream.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Number of nodes that Redis would keep the entries in.
    pub fn nodes(&self) -> usize {
        self.chunks.len()
    }

    /// The nodes that Redis would keep the entries in.
    pub fn iter_nodes(&self) -> impl Iterator<Item = Node> {
        self.chunks.values().map(Chunk::node)
    }

    /// Puts a node behind all others, for restored streams; says whether its entries are in order
    /// and above those there are. Counters are set with [`Stream::restore_counters`].
    pub fn restore_node(&mut self, node: Node) -> bool {
        let Some(first) = node.entries.first() else {
            return true;
        };
        let ascending = node.entries.is_sorted_by(|a, b| a.id < b.id);
        let above = self.last().is_none_or(|last| last.id < node.master);
        if !ascending || !above || first.id < node.master {
            return false;
        }
        self.len += node.entries.len();
        self.chunks.insert(node.master, Chunk::restored(node));
        true
    }

    /// The last id that was given out, whether its entry is there or not.
    pub fn last_id(&self) -> Id {
        self.last_id
    }

    /// The highest id that was deleted, other than by trimming.
    pub fn max_deleted_id(&self) -> Id {
        self.max_deleted_id
    }

    /// Number of entries that were ever added.
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// Sets what entries do not tell, for restored streams.
    pub fn restore_counters(&mut self, last_id: Id, max_deleted_id: Id, entries_added: u64) {
        self.last_id = last_id;
        self.max_deleted_id = max_deleted_id;
        self.entries_added = entries_added;
    }

    /// The first entry.
    pub fn first(&self) -> Option<&Entry> {
        self.chunks.values().next()?.entries.front()
    }

    /// The last entry.
    pub fn last(&self) -> Option<&Entry> {
        self.chunks.values().next_back()?.entries.back()
    }

    /// The entry with an id.
    pub fn get(&self, id: Id) -> Option<&Entry> {
        let (_, chunk) = self.chunks.range(..=id).next_back()?;
        chunk.entries.get(chunk.find(id)?)
    }

    /// The entries from one id to another, both included.
    pub fn range(&self, start: Id, end: Id) -> impl DoubleEndedIterator<Item = &Entry> {
        let from = self.chunks.range(..=start).next_back();
        let from = from.map_or(start, |(master, _)| *master);
        let wanted = (start <= end).then(|| self.chunks.range(from..=end));
        wanted
            .into_iter()
            .flatten()
            .flat_map(move |(_, chunk)| chunk.range(start, end))
    }

    /// The id that an entry added now would get.
    ///
    /// # Errors
    /// When no entry can be added under the id that is asked for.
    pub fn next_id(&self, wanted: NewId, now_ms: u64) -> Result<Id, Refusal> {
        if self.last_id == Id::MAX {
            return Err(Refusal::Exhausted);
        }
        let id = match wanted {
            NewId::Exactly(id) => Some(id),
            NewId::At(ms) if ms == self.last_id.ms => {
                let next = self.last_id.sequence.checked_add(1);
                next.map(|sequence| Id { ms, sequence })
            }
            NewId::At(ms) => Some(Id { ms, sequence: 0 }),
            NewId::Auto if now_ms > self.last_id.ms => Some(Id {
                ms: now_ms,
                sequence: 0,
            }),
            NewId::Auto => self.last_id.next(),
        };
        id.filter(|id| *id > self.last_id).ok_or(Refusal::NotAbove)
    }

    /// Adds an entry behind all others; its id comes from [`Stream::next_id`].
    pub fn append(&mut self, entry: Entry) {
        self.last_id = entry.id;
        self.entries_added += 1;
        self.len += 1;
        match self.chunks.last_entry() {
            Some(mut chunk) if !chunk.get().is_full_for(&entry) => chunk.get_mut().push(entry),
            _ => {
                self.chunks.insert(entry.id, Chunk::new(entry));
            }
        }
    }

    /// Deletes the entry with an id; says whether it was there.
    pub fn delete(&mut self, id: Id) -> bool {
        let deleted = self.take_out(id);
        if deleted {
            self.max_deleted_id = self.max_deleted_id.max(id);
        }
        deleted
    }

    /// Takes an entry out, as trimming does.
    fn take_out(&mut self, id: Id) -> bool {
        let Some((master, chunk)) = self.chunks.range_mut(..=id).next_back() else {
            return false;
        };
        let Some(place) = chunk.find(id) else {
            return false;
        };
        chunk.entries.remove(place);
        self.len -= 1;
        if chunk.entries.is_empty() {
            let master = *master;
            self.chunks.remove(&master);
        }
        true
    }

    /// The consumer groups, by name.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&name[..], group))
    }

    /// A consumer group.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    /// A consumer group, to change.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.groups.get_mut(name)
    }

    /// Puts a consumer group in; says whether there was none of that name.
    pub fn create_group(&mut self, name: &[u8], group: Group) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        self.groups.insert(name.into(), group);
        true
    }

    /// Takes a consumer group out; says whether there was one.
    pub fn destroy_group(&mut self, name: &[u8]) -> bool {
        self.groups.remove(name).is_some()
    }

    /// Whether some group has an entry still to come or to be acknowledged.
    pub fn is_referenced(&self, id: Id) -> bool {
        self.groups
            .values()
            .any(|group| group.last_id < id || group.pending(id).is_some())
    }

    /// Takes an entry out of what is pending in every group.
    pub fn forget_references(&mut self, id: Id) {
        for group in self.groups.values_mut() {
            group.acknowledge(id);
        }
    }

    /// Whether an entry behind an id may have been deleted, so that counting is of no use.
    fn has_gap_behind(&self, id: Id) -> bool {
        !self.is_empty() && self.max_deleted_id != Id::MIN && id <= self.max_deleted_id
    }

    /// How many entries were ever added up to an id, where the counters tell.
    pub fn rank(&self, id: Id) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if self.is_empty() && id <= self.last_id {
            return Some(self.entries_added);
        }
        if id != Id::MIN && id < self.max_deleted_id {
            return None;
        }
        if id >= self.last_id {
            return (id == self.last_id).then_some(self.entries_added);
        }
        let first = self.first().map_or(Id::MIN, |entry| entry.id);
        if self.max_deleted_id != Id::MIN && self.max_deleted_id >= first {
            return None;
        }
        let gone = self.entries_added.saturating_sub(self.len as u64);
        match id.cmp(&first) {
            std::cmp::Ordering::Less => Some(gone),
            std::cmp::Ordering::Equal => Some(gone + 1),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// How many entries a group has not read yet, where that is known.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        if self.is_empty() {
            return Some(0);
        }
        // All there is lies ahead, and nothing of it was deleted.
        let first = self.first().map_or(Id::MIN, |entry| entry.id);
        if group.last_id < first && self.max_deleted_id < first {
            return i64::try_from(self.len).ok();
        }
        let read = match group.entries_read {
            Some(read) if !self.has_gap_behind(group.last_id) => read,
            _ => self.rank(group.last_id)?,
        };
        Some(self.entries_added.wrapping_sub(read) as i64)
    }

    /// Moves a group on to an entry that is delivered to it.
    pub fn advance_group(&mut self, name: &[u8], id: Id) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        if id <= group.last_id {
            return;
        }
        let first = self.first().map_or(Id::MIN, |entry| entry.id);
        let within = group.last_id >= first && !self.has_gap_behind(group.last_id);
        let read = match group.entries_read {
            Some(read) if within => Some(read + 1),
            _ => self.rank(id),
        };
        if let Some(group) = self.groups.get_mut(name) {
            group.entries_read = read;
            group.last_id = id;
        }
    }
}
