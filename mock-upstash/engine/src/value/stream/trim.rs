//! Trimming: taking out the oldest entries.

use super::{Id, Stream};

/// What becomes of pending entries when the entry itself goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum References {
    /// They stay pending (`KEEPREF`).
    #[default]
    Keep,
    /// They are taken out of every group (`DELREF`).
    Delete,
    /// The entry does not go while a group has it to come or pending (`ACKED`).
    Respect,
}

/// Down to what a stream is trimmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// A number of entries.
    Length(usize),
    /// The lowest id that stays.
    LowestId(Id),
}

/// How a stream is to be trimmed.
#[derive(Debug, Clone, Copy)]
pub struct Trim {
    /// Down to what.
    pub threshold: Threshold,
    /// Whether only whole nodes go, and how many entries at most (0: any number).
    pub whole_nodes: Option<usize>,
    /// What becomes of pending entries.
    pub references: References,
}

impl Stream {
    /// Takes out the oldest entries; answers how many.
    pub fn trim(&mut self, trim: &Trim) -> usize {
        let mut removed = 0;
        let mut from = Id::MIN;
        while let Some((&master, chunk)) = self.chunks.range(from..).next() {
            let entries = chunk.entries.len();
            let goes_whole = match trim.threshold {
                Threshold::Length(length) if self.len <= length => break,
                Threshold::Length(length) => self.len - entries >= length,
                Threshold::LowestId(lowest) => chunk.last_id().is_none_or(|last| last < lowest),
            };
            if let Some(limit) = trim.whole_nodes {
                if limit > 0 && removed + entries > limit {
                    break;
                }
                // Where references count, entries are looked at one by one anyway.
                if !goes_whole && trim.references == References::Keep {
                    break;
                }
            }
            let ids: Vec<Id> = chunk.entries.iter().map(|entry| entry.id).collect();
            for id in ids {
                let stays = match trim.threshold {
                    Threshold::Length(length) => self.len <= length,
                    Threshold::LowestId(lowest) => id >= lowest,
                };
                if stays {
                    return removed;
                }
                match trim.references {
                    References::Respect if self.is_referenced(id) => continue,
                    References::Delete => self.forget_references(id),
                    References::Keep | References::Respect => {}
                }
                removed += usize::from(self.take_out(id));
            }
            let Some(next) = master.next() else {
                break;
            };
            from = next;
        }
        removed
    }
}
