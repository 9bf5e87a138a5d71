//! Counters that INFO shows.

use bytes::Bytes;

use super::Engine;
use crate::command::{Command, Flags};
use crate::notification;

/// Counters over the engine's life.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Clients that connected.
    pub connections: u64,
    /// Commands carried out, inner ones of scripts not counted.
    pub commands: u64,
    /// Commands that scripts and functions carried out; Upstash bills each as one more (Upstash
    /// docs, sdks/ratelimit-ts/costs).
    pub script_commands: u64,
    /// Keys that expired.
    pub expired: u64,
    /// Keys that were evicted.
    pub evicted: u64,
    /// Changes to keys.
    pub changes: u64,
    /// Keys that commands which only read found.
    pub hits: u64,
    /// Keys that they did not find.
    pub misses: u64,
    /// Commands by the second.
    pub pace: Pace,
}

/// How many commands a second, as INFO tells it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    second: u64,
    commands: u64,
    before: u64,
}

impl Pace {
    /// Counts a command.
    pub(super) fn count(&mut self, now_ms: u64) {
        let second = now_ms / 1000;
        if second != self.second {
            self.before = self.per_second(now_ms);
            self.second = second;
            self.commands = 0;
        }
        self.commands += 1;
    }

    /// Commands of the last second that is over.
    pub fn per_second(&self, now_ms: u64) -> u64 {
        match (now_ms / 1000).checked_sub(self.second) {
            Some(0) => self.before,
            Some(1) => self.commands,
            _ => 0,
        }
    }
}

impl Engine {
    /// Counts which of the keys that a command reads are there.
    pub(super) fn count_lookups(&mut self, db: usize, command: &Command, args: &[Bytes]) {
        if !command.flags.contains(Flags::READONLY) {
            return;
        }
        let mut count = |key: &Bytes| match self.databases[db].contains(key) {
            true => self.stats.hits += 1,
            false => self.stats.misses += 1,
        };
        match command.single_key() {
            Some(at) => args.get(at).into_iter().for_each(count),
            None => notification::keys_read(command, args)
                .into_iter()
                .for_each(&mut count),
        }
    }
}
