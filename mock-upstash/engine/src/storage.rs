//! How much data there is: of a key, of the whole store, and who may not add to it.
//!
//! What a value takes is found by walking it. So that not every write walks everything, an upper
//! bound is kept of what was added since the last walk; only when the bound passes a limit is it
//! walked again.

use std::collections::HashMap;

use bytes::Bytes;
use rand::RngExt;

use crate::command::{Command, Flags, Group};
use crate::engine::Engine;
use crate::error::ReplyError;
use crate::keyspace::{Database, Key};
use crate::limit::Limits;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::rollback::Rollback;
use crate::value::stream::Id;
use crate::value::{Json, Value};

/// More than any element takes beside its bytes: a score, an id, a sign of JSON.
const PER_ARGUMENT: u64 = 64;

/// What is known of the store's size.
#[derive(Debug, Default)]
pub(crate) struct Storage {
    /// What a walk found.
    walked: u64,
    /// At the most so much was added since.
    added: u64,
    /// Something was taken out since.
    shrunk: bool,
    /// At the most so much is held by each key that was looked at.
    records: HashMap<(usize, Key), u64, foldhash::fast::RandomState>,
}

impl Storage {
    /// Forgets everything: what is stored was replaced as a whole.
    pub(crate) fn forget(&mut self) {
        *self = Storage {
            shrunk: true,
            ..Storage::default()
        };
    }

    /// Notes that something was taken out.
    pub(crate) fn shrink(&mut self) {
        self.shrunk = true;
    }

    fn bound(&self) -> u64 {
        self.walked.saturating_add(self.added)
    }
}

/// A write that may make a key hold too much: what its keys held before, and the way back.
pub(crate) struct RecordWatch {
    limit: u64,
    before: Vec<(Bytes, u64)>,
    rollback: Rollback,
}

impl Engine {
    /// Bytes of all keys and what they hold, those said to be stored beside included.
    pub fn data_bytes(&self) -> u64 {
        let entries = self.databases.iter().flat_map(|database| database.iter());
        let stored: u64 = entries
            .map(|(key, entry)| key.len() as u64 + data_bytes(&entry.value))
            .sum();
        stored + self.usage.storage_beside
    }

    /// What answers a command that needs storage when there is none left.
    pub(crate) fn refuse_storage(&mut self, command: &Command) -> Option<ReplyError> {
        let limit = self.limits.storage_bytes?;
        let beside = self.usage.storage_beside;
        if self.storage.bound().saturating_add(beside) < limit && !self.storage.shrunk
            || !self.limits.needs_storage(command)
        {
            return None;
        }
        self.walk();
        if self.limits.evicts {
            self.evict(limit.saturating_sub(beside));
        }
        let usage = self.storage.walked + beside;
        (usage >= limit).then(|| Limits::refuse_storage(limit, usage))
    }

    /// Takes keys out until less than this is left. Upstash's one policy, `optimistic-volatile`, goes by
    /// chance, and prefers keys that expire (Upstash docs, features/eviction).
    fn evict(&mut self, limit: u64) {
        while self.storage.walked >= limit
            && let Some((db, key)) = self.next_to_evict()
        {
            let freed = key.len() as u64 + self.record_bytes(db, &key);
            self.databases[db].remove(&key);
            self.storage.walked = self.storage.walked.saturating_sub(freed);
            self.stats.evicted += 1;
            self.key_modified(db, &key);
            self.notify(Class::EVICTED, "evicted", &key, db);
        }
    }

    fn next_to_evict(&mut self) -> Option<(usize, Key)> {
        let any = |database: &Database| !database.is_empty();
        let expiring = |database: &Database| database.expiring_len() > 0;
        let found = self.databases.iter().position(expiring);
        let db = found.or_else(|| self.databases.iter().position(any))?;
        let database = &self.databases[db];
        let first = self.random.random_range(0..database.len());
        let mut from_there = (first..database.len()).chain(0..first);
        let at = from_there.find(|at| {
            let entry = database.at(*at).map(|(_, entry)| entry);
            found.is_none() || entry.is_some_and(|entry| entry.expires_at().is_some())
        })?;
        database.at(at).map(|(key, _)| (db, Key::from(key)))
    }

    /// Begins to watch what a write leaves at its keys, where it may be too much.
    pub(crate) fn watch_records(
        &mut self,
        db: usize,
        command: &Command,
        args: &[Bytes],
    ) -> Option<RecordWatch> {
        let limit = self.limits.record_bytes?;
        if !command.flags.contains(Flags::DENYOOM) {
            return None;
        }
        // No key holds more than all of them.
        if self.bound_with(command, args) <= limit {
            return None;
        }
        self.walk();
        if self.bound_with(command, args) <= limit {
            return None;
        }
        let keys = command.key_positions(args).into_iter();
        let keys: Vec<&Bytes> = keys.filter_map(|at| args.get(at)).collect();
        let added = size_of(args);
        let fits = |key: &&Bytes| {
            let record = self.storage.records.get(&(db, Key::from(&key[..])));
            record.is_some_and(|bound| bound.saturating_add(added) <= limit)
        };
        if growth(command, args) == Growth::Arguments && keys.iter().all(fits) {
            return None;
        }
        let before = keys
            .into_iter()
            .map(|key| (key.clone(), self.record_bytes(db, key)))
            .collect();
        Some(RecordWatch {
            limit,
            before,
            rollback: Rollback::begin(self),
        })
    }

    /// What the store holds at the most once a command is carried out.
    fn bound_with(&self, command: &Command, args: &[Bytes]) -> u64 {
        let bound = self.storage.bound();
        let added = match growth(command, args) {
            Growth::Arguments => size_of(args),
            Growth::Gap(bytes) => size_of(args).saturating_add(bytes),
            Growth::Copies => size_of(args).saturating_add(bound),
            Growth::Multiplied(factor) => size_of(args).saturating_mul(factor),
            Growth::Everywhere => size_of(args).saturating_mul(bound.saturating_add(1)),
        };
        bound.saturating_add(added)
    }

    /// Walks the store again, unless so little was added since the last time that it is not worth it:
    /// Upstash overshoots by megabytes too.
    fn walk(&mut self) {
        if self.storage.shrunk || self.storage.added >= self.storage.walked / 1024 {
            self.storage.walked = self.data_bytes() - self.usage.storage_beside;
            self.storage.added = 0;
            self.storage.shrunk = false;
        }
    }

    /// Notes what a command has added, and takes it back when a key holds too much. Entries that are
    /// too large already may be read, and may shrink (Upstash docs,
    /// troubleshooting/max_record_size_exceeded).
    pub(crate) fn note_growth(
        &mut self,
        db: usize,
        command: &Command,
        args: &[Bytes],
        watch: Option<RecordWatch>,
        outcome: Outcome,
    ) -> Outcome {
        if !command.flags.contains(Flags::WRITE) {
            return outcome;
        }
        if self.limits.record_bytes.is_none() && self.limits.storage_bytes.is_none() {
            // Limits may come later.
            self.storage.forget();
            return outcome;
        }
        self.storage.shrunk |= !command.flags.contains(Flags::DENYOOM);
        let mut added = size_of(args);
        match (growth(command, args), &outcome) {
            (Growth::Arguments, _) => {}
            // An element that moves is answered.
            (Growth::Copies, Ok(Reply::Bulk(element))) => added += element.len() as u64,
            _ => {
                let keys = command.key_positions(args).into_iter();
                let held = keys
                    .filter_map(|at| args.get(at))
                    .map(|key| self.record_bytes(db, key));
                added = added.saturating_add(held.sum());
            }
        }
        self.storage.added = self.storage.added.saturating_add(added);
        let Some(watch) = watch else {
            self.note_records(db, command, args, added);
            return outcome;
        };
        let mut refusal = None;
        for (key, before) in &watch.before {
            let after = self.record_bytes(db, key);
            if after > watch.limit && after > *before {
                refusal = Some(Limits::refuse_record(watch.limit, after));
            }
            let record = (db, Key::from(&key[..]));
            self.storage.records.insert(record, after.max(*before));
        }
        watch.rollback.end(self, refusal.is_none());
        refusal.map_or(outcome, Err)
    }

    /// Raises what is held at the most by keys of which something is known.
    fn note_records(&mut self, db: usize, command: &Command, args: &[Bytes], added: u64) {
        if self.storage.records.is_empty() {
            return;
        }
        for at in command.key_positions(args) {
            let key = args.get(at).map(|key| Key::from(&key[..]));
            let record = key.and_then(|key| self.storage.records.get_mut(&(db, key)));
            if let Some(record) = record {
                *record = record.saturating_add(added);
            }
        }
    }

    fn record_bytes(&self, db: usize, key: &[u8]) -> u64 {
        self.databases[db].value(key).map_or(0, data_bytes)
    }
}

/// At the most so much a command adds whose result is made of its arguments.
fn size_of(args: &[Bytes]) -> u64 {
    let size = |arg: &Bytes| arg.len() as u64 + PER_ARGUMENT;
    args.iter().map(size).sum()
}

/// How what a command stores is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Growth {
    /// By its arguments.
    Arguments,
    /// By its arguments and a gap that is filled.
    Gap(u64),
    /// By what other keys hold.
    Copies,
    /// By its arguments so many times over, for they are packed.
    Multiplied(u64),
    /// By its arguments at every place of a document.
    Everywhere,
}

fn growth(command: &Command, args: &[Bytes]) -> Growth {
    /// A dense HyperLogLog.
    const HYPERLOGLOG: u64 = 16 * 1024;
    /// LZF packs at most 264 bytes into three.
    const LZF: u64 = 88;
    let largest = || {
        let numbers = args.iter().skip(2).filter_map(|arg| {
            let digits = arg.strip_prefix(b"#").unwrap_or(arg);
            let number = crate::number::integer(digits)?;
            u64::try_from(number).ok()
        });
        numbers.max().unwrap_or(0)
    };
    match command.name {
        "SETRANGE" => Growth::Gap(largest()),
        "SETBIT" => Growth::Gap(largest() / 8),
        // `#n` counts in fields of up to 64 bits.
        "BITFIELD" => Growth::Gap(largest().saturating_mul(8)),
        "PFADD" => Growth::Gap(HYPERLOGLOG),
        "RESTORE" => Growth::Multiplied(LZF),
        "COPY" | "BITOP" | "PFMERGE" | "RENAME" | "RENAMENX" | "SORT" | "GEORADIUS"
        | "GEORADIUSBYMEMBER" | "LMOVE" | "BLMOVE" | "RPOPLPUSH" | "BRPOPLPUSH" => Growth::Copies,
        name if name.ends_with("STORE") => Growth::Copies,
        _ if command.group == Group::Json => {
            let several = |arg: &Bytes| {
                arg.windows(2).any(|two| two == b"..")
                    || arg.iter().any(|byte| matches!(byte, b'*' | b'['))
            };
            let mut paths = args.iter().skip(2);
            if paths.any(several) {
                Growth::Everywhere
            } else {
                Growth::Arguments
            }
        }
        _ => Growth::Arguments,
    }
}

/// Bytes of what a key holds, by what clients wrote: no overhead of this store's own.
fn data_bytes(value: &Value) -> u64 {
    /// A score, or one half of a stream entry's id.
    const NUMBER: u64 = 8;
    let texts = |parts: &mut dyn Iterator<Item = usize>| -> u64 { parts.sum::<usize>() as u64 };
    match value {
        Value::String(bytes) => bytes.len() as u64,
        Value::Hash(hash) => {
            texts(&mut hash.iter().map(|(field, value)| field.len() + value.len()))
        }
        Value::List(list) => texts(&mut list.iter().map(|held| held.len())),
        Value::Set(set) => texts(&mut set.iter().map(|held| held.len())),
        Value::SortedSet(set) => {
            NUMBER * set.len() as u64 + texts(&mut set.iter().map(|(member, _)| member.len()))
        }
        Value::Stream(stream) => {
            let entries = stream.range(Id::MIN, Id::MAX);
            entries
                .map(|entry| 2 * NUMBER + texts(&mut entry.fields.iter().map(|field| field.len())))
                .sum()
        }
        Value::Json(json) => json_bytes(json),
    }
}

fn json_bytes(json: &Json) -> u64 {
    match json {
        Json::String(text) => text.len() as u64 + 2,
        Json::Array(items) => items.iter().map(|item| json_bytes(item) + 1).sum::<u64>() + 1,
        Json::Object(members) => {
            let member = |name: usize, value: &Json| name as u64 + 4 + json_bytes(value);
            members
                .iter()
                .map(|(name, value)| member(name.len(), value))
                .sum::<u64>()
                + 1
        }
        _ => 8,
    }
}
