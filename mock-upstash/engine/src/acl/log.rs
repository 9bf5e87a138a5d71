//! What ACL LOG shows: denials, the newest first.

use bytes::Bytes;

/// Denials kept at the most (Redis: `acllog-max-len`).
const MAX: usize = 128;
/// Denials of the same kind within this time count as one.
const GROUPING_MS: u64 = 60_000;
/// How many of the newest denials are looked through for one of the same kind.
const GROUPING_DEPTH: usize = 10;

/// A denial, as often as it happened.
#[derive(Debug, Clone)]
pub struct Denial {
    /// How often.
    pub count: u64,
    /// `command`, `key`, `channel` or `auth`.
    pub reason: &'static str,
    /// `toplevel`, `multi` or `lua`.
    pub context: &'static str,
    /// What was denied: the command's name, the key, the channel.
    pub object: Bytes,
    /// Who was denied.
    pub user: Bytes,
    /// The client, as CLIENT LIST describes it.
    pub client: String,
    /// Number of the entry.
    pub id: u64,
    /// Milliseconds since the Unix epoch of the first.
    pub created_ms: u64,
    /// Milliseconds since the Unix epoch of the last.
    pub updated_ms: u64,
}

/// Denials, the newest first.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Denial>,
    next_id: u64,
}

impl Log {
    /// Notes a denial; one like it within a minute is counted up and comes to the front.
    pub fn add(&mut self, mut denial: Denial) {
        let same = self.entries.iter().take(GROUPING_DEPTH).position(|known| {
            known.reason == denial.reason
                && known.context == denial.context
                && known.object == denial.object
                && known.user == denial.user
                && denial.updated_ms.saturating_sub(known.created_ms) <= GROUPING_MS
        });
        if let Some(at) = same {
            let mut known = self.entries.remove(at);
            known.count += 1;
            known.updated_ms = denial.updated_ms;
            known.client = denial.client;
            self.entries.insert(0, known);
            return;
        }
        denial.id = self.next_id;
        self.next_id += 1;
        self.entries.insert(0, denial);
        self.entries.truncate(MAX);
    }

    /// The denials, the newest first.
    pub fn entries(&self) -> &[Denial] {
        &self.entries
    }

    /// Forgets them all.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}
