//! A run of neighbouring entries, as large as a node of Redis's streams.
//!
//! Redis keeps a stream's entries in nodes of at most 100 entries and about 4096 bytes. Clients see
//! that when they trim with `~`, which takes whole nodes. So the sizes are followed here: what a node
//! would take up is reckoned from the listpack format (listpack.c, t_stream.c).

use std::collections::VecDeque;
use std::collections::vec_deque;

use super::Entry;
use super::id::Id;
use crate::number;

/// Most entries of a node (`stream-node-max-entries`).
const MAX_ENTRIES: usize = 100;
/// Most bytes of a node (`stream-node-max-bytes`).
const MAX_BYTES: usize = 4096;

/// A run of neighbouring entries.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) entries: VecDeque<Entry>,
    /// Entries it ever had: deleted ones leave their room unused.
    ever: usize,
    /// What the node would take up.
    bytes: usize,
    /// The id and the fields of the first entry it ever had, against which others are stored.
    master: Id,
    master_fields: Vec<Box<[u8]>>,
}

/// What Redis stores of a node.
#[derive(Debug, Clone)]
pub struct Node {
    /// The id against which the ids of entries are stored: that of the first entry it ever had.
    pub master: Id,
    /// The fields of that entry.
    pub fields: Vec<Box<[u8]>>,
    /// Its entries, ids ascending.
    pub entries: Vec<Entry>,
    /// Deleted entries that still take up room.
    pub deleted: usize,
    /// What it takes up, in bytes.
    pub bytes: usize,
}

impl Chunk {
    pub(super) fn node(&self) -> Node {
        Node {
            master: self.master,
            fields: self.master_fields.clone(),
            entries: self.entries.iter().cloned().collect(),
            deleted: self.ever - self.entries.len(),
            bytes: self.bytes,
        }
    }

    pub(super) fn restored(node: Node) -> Chunk {
        Chunk {
            ever: node.entries.len() + node.deleted,
            entries: node.entries.into(),
            bytes: node.bytes,
            master: node.master,
            master_fields: node.fields,
        }
    }

    pub(super) fn new(entry: Entry) -> Chunk {
        let master_fields: Vec<Box<[u8]>> = entry.names().map(Box::from).collect();
        let header: usize = master_fields.iter().map(|field| stored(field)).sum();
        let mut chunk = Chunk {
            entries: VecDeque::new(),
            ever: 0,
            // The list's own header and end, counts of entries, deleted ones and fields, fields, 0.
            bytes: 7 + 2 + 2 + integer(master_fields.len() as i64) + header + 2,
            master: entry.id,
            master_fields,
        };
        chunk.push(entry);
        chunk
    }

    /// Whether an entry would go into a new chunk.
    pub(super) fn is_full_for(&self, entry: &Entry) -> bool {
        let size: usize = entry.fields.iter().map(|item| item.len()).sum();
        self.bytes + size >= MAX_BYTES || self.ever >= MAX_ENTRIES
    }

    pub(super) fn push(&mut self, entry: Entry) {
        let count = entry.fields.len() / 2;
        let same = entry.names().eq(self.master_fields.iter().map(|f| &f[..]));
        let values: usize = entry
            .fields
            .iter()
            .skip(1)
            .step_by(2)
            .map(|v| stored(v))
            .sum();
        let names: usize = entry.fields.iter().step_by(2).map(|f| stored(f)).sum();
        let difference = |to: u64, from: u64| integer(to.wrapping_sub(from) as i64);
        self.bytes += 2
            + difference(entry.id.ms, self.master.ms)
            + difference(entry.id.sequence, self.master.sequence)
            + if same {
                values + integer(count as i64 + 3)
            } else {
                integer(count as i64) + names + values + integer(2 * count as i64 + 4)
            };
        self.ever += 1;
        self.entries.push_back(entry);
    }

    pub(super) fn last_id(&self) -> Option<Id> {
        self.entries.back().map(|entry| entry.id)
    }

    pub(super) fn find(&self, id: Id) -> Option<usize> {
        self.entries
            .binary_search_by_key(&id, |entry| entry.id)
            .ok()
    }

    /// The entries from one id to another, both included.
    pub(super) fn range(&self, start: Id, end: Id) -> vec_deque::Iter<'_, Entry> {
        let from = self.entries.partition_point(|entry| entry.id < start);
        let to = self.entries.partition_point(|entry| entry.id <= end);
        self.entries.range(from..to.max(from))
    }
}

/// Bytes that a string takes up in a listpack.
fn stored(bytes: &[u8]) -> usize {
    if bytes.len() < 21
        && let Some(n) = number::integer(bytes)
    {
        return integer(n);
    }
    let head = match bytes.len() {
        0..64 => 1,
        64..4096 => 2,
        _ => 5,
    };
    with_length(head + bytes.len())
}

/// Bytes that an integer takes up in a listpack.
fn integer(n: i64) -> usize {
    with_length(match n {
        0..=127 => 1,
        -4096..=4095 => 2,
        -32_768..=32_767 => 3,
        -8_388_608..=8_388_607 => 4,
        -2_147_483_648..=2_147_483_647 => 5,
        _ => 9,
    })
}

/// An element of a listpack ends with its own length, seven bits to a byte.
fn with_length(bytes: usize) -> usize {
    bytes
        + match bytes {
            0..=127 => 1,
            128..16_383 => 2,
            16_383..2_097_151 => 3,
            2_097_151..268_435_455 => 4,
            _ => 5,
        }
}
