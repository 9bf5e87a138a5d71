//! One database: keys, what they hold and when they expire.
//!
//! All changes go through [`Database::value_mut`], [`Database::insert`], [`Database::remove`] and
//! their typed forms, so that a journal can take back what a script did.
//!
//! Keys live in an index map, whose order gives SCAN its guarantee: an element only ever moves from
//! the end to a lower index, so a scan that goes from the end down meets every key that was there
//! throughout.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU64;

use indexmap::{IndexMap, IndexSet};

use crate::disposal::Rubbish;
use crate::engine::Engine;
use crate::error::{ReplyError, WRONG_TYPE};
use crate::lingering::Lingering;
use crate::notification::Class;
use crate::value::{Hash, Holds, Kind, Value};

/// A key's name.
pub type Key = Box<[u8]>;

/// What a key holds, and until when.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it holds.
    pub value: Value,
    /// Milliseconds since the Unix epoch after which it is gone. Not zero, which saves a word for
    /// every key: who means zero gets the next instant, long past as well.
    expires_at: Option<NonZeroU64>,
}

impl Entry {
    /// An entry that does not expire.
    pub fn new(value: Value) -> Self {
        Entry {
            value,
            expires_at: None,
        }
    }

    /// When it expires, in milliseconds since the Unix epoch.
    pub fn expires_at(&self) -> Option<u64> {
        self.expires_at.map(NonZeroU64::get)
    }
}

type Map = IndexMap<Key, Entry, foldhash::fast::RandomState>;

/// One database.
#[derive(Debug, Default)]
pub struct Database {
    entries: Map,
    /// When each key with an expiry goes, soonest first.
    expiring: BTreeSet<(u64, Key)>,
    /// When the soonest field of each hash with expiring fields goes, soonest first.
    expiring_fields: BTreeSet<(u64, Key)>,
    /// Under which time each hash stands in `expiring_fields`.
    field_deadlines: HashMap<Key, u64, foldhash::fast::RandomState>,
    /// Keys that changed since they were last asked for, when there is a replica to ship them to.
    changed: Option<IndexSet<Key>>,
    /// What was let go of and takes long to free.
    discarded: Vec<Rubbish>,
    /// Keys that were made or overwritten and not yet notified; `None` while nobody is to know.
    arrivals: Option<Vec<Arrival>>,
    /// Keys that have expired and are still counted, where the dialect counts them.
    pub(crate) lingering: Option<Lingering>,
    /// What keys held before the changes that may have to be taken back: those of a script, and
    /// within it those of one command.
    journals: Vec<IndexMap<Key, Option<Entry>>>,
}

/// A key that was made or overwritten: class and name of the event, and the key.
type Arrival = (Class, &'static str, Key);

impl Database {
    /// Number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Number of keys that expire.
    pub fn expiring_len(&self) -> usize {
        self.expiring.len()
    }

    /// Whether a key exists.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.entries.contains_key(key)
    }

    /// What a key holds, with its expiry.
    pub fn entry(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// What a key holds.
    pub fn value(&self, key: &[u8]) -> Option<&Value> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// The kind of what a key holds.
    pub fn kind(&self, key: &[u8]) -> Option<Kind> {
        self.value(key).map(Value::kind)
    }

    /// What a key holds, to change in place.
    pub fn value_mut(&mut self, key: &[u8]) -> Option<&mut Value> {
        self.record(key);
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    /// The structure a key holds; `None` when there is no such key.
    ///
    /// # Errors
    /// When the key holds something else.
    pub fn read<T: Holds>(&self, key: &[u8]) -> Result<Option<&T>, ReplyError> {
        match self.entries.get(key) {
            None => Ok(None),
            Some(entry) => T::of(&entry.value).map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// The structure a key holds, to change in place; `None` when there is no such key. The caller
    /// ends with [`Database::remove_if_empty`] where it takes elements out.
    ///
    /// # Errors
    /// When the key holds something else.
    pub fn write<T: Holds>(&mut self, key: &[u8]) -> Result<Option<&mut T>, ReplyError> {
        match self.value_mut(key) {
            None => Ok(None),
            Some(value) => T::of_mut(value).map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// The structure a key holds, to change in place, made when there is no such key.
    ///
    /// # Errors
    /// When the key holds something else.
    pub fn write_or_default<T: Holds + Default>(
        &mut self,
        key: &[u8],
    ) -> Result<&mut T, ReplyError> {
        self.record(key);
        if !self.entries.contains_key(key) {
            self.note_arrival(Class::NEW, "new", key);
            self.entries
                .insert(key.into(), Entry::new(T::default().into_value()));
        }
        let entry = self.entries.get_mut(key).ok_or(WRONG_TYPE)?;
        T::of_mut(&mut entry.value).ok_or(WRONG_TYPE)
    }

    /// Sets what a key holds, without an expiry.
    pub fn insert(&mut self, key: &[u8], value: Value) {
        self.record(key);
        self.forget_expiry(key);
        self.note_overwriting(key, &value);
        self.put(key, Entry::new(value));
        self.index_fields(key);
    }

    /// Sets what a key holds over what it held, and keeps the expiry it has.
    pub fn overwrite(&mut self, key: &[u8], value: Value) {
        self.note_overwriting(key, &value);
        self.replace(key, value);
    }

    /// Changes what a key holds and keeps the expiry it has.
    pub fn replace(&mut self, key: &[u8], value: Value) {
        self.record(key);
        match self.entries.get_mut(key) {
            Some(entry) => {
                let before = std::mem::replace(&mut entry.value, value);
                self.discard(before);
            }
            None => self.put(key, Entry::new(value)),
        }
        self.index_fields(key);
    }

    /// Puts a whole entry, its expiry included.
    pub fn insert_entry(&mut self, key: &[u8], entry: Entry) {
        let expires_at = entry.expires_at();
        self.insert(key, entry.value);
        self.set_expiry(key, expires_at);
    }

    /// Takes a key out and lets go of what it held; says whether it was there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let taken = self.take(key);
        let was_there = taken.is_some();
        if let Some(entry) = taken {
            self.discard(entry.value);
        }
        was_there
    }

    /// Takes a key out and hands over what it held; the entry still tells its expiry.
    pub fn take(&mut self, key: &[u8]) -> Option<Entry> {
        self.record(key);
        let entry = self.entries.swap_remove(key)?;
        if let Some(at) = entry.expires_at() {
            self.expiring.remove(&(at, Key::from(key)));
        }
        self.index_fields(key);
        Some(entry)
    }

    /// What was let go of since the last call and takes long to free.
    pub(crate) fn take_discarded(&mut self) -> Vec<Rubbish> {
        std::mem::take(&mut self.discarded)
    }

    fn discard(&mut self, value: Value) {
        if value.is_costly_to_free() {
            self.discarded.push(Rubbish::new(value));
        }
    }

    /// Takes a key out when its collection has become empty; says whether it did.
    pub fn remove_if_empty(&mut self, key: &[u8]) -> bool {
        let empty = self.value(key).is_some_and(Value::is_empty_collection);
        if empty {
            self.remove(key);
        }
        empty
    }

    /// Sets or clears a key's expiry (milliseconds since the Unix epoch). No effect without the key.
    pub fn set_expiry(&mut self, key: &[u8], expires_at: Option<u64>) {
        self.record(key);
        self.forget_expiry(key);
        if let Some(entry) = self.entries.get_mut(key) {
            entry.expires_at = expires_at.map(|at| NonZeroU64::new(at).unwrap_or(NonZeroU64::MIN));
            if let Some(at) = entry.expires_at() {
                self.expiring.insert((at, key.into()));
            }
        }
    }

    /// When a key expires, in milliseconds since the Unix epoch.
    pub fn expires_at(&self, key: &[u8]) -> Option<u64> {
        self.entries.get(key).and_then(Entry::expires_at)
    }

    /// Takes out everything.
    pub fn clear(&mut self) {
        let entries = std::mem::take(&mut self.entries);
        self.lingering = self.lingering.take().map(|_| Lingering::default());
        if let Some(changed) = &mut self.changed {
            changed.extend(entries.keys().cloned());
        }
        let indexes = (
            std::mem::take(&mut self.expiring),
            std::mem::take(&mut self.expiring_fields),
            std::mem::take(&mut self.field_deadlines),
        );
        match self.journals.last_mut() {
            Some(journal) => {
                for (key, entry) in entries {
                    journal.entry(key).or_insert(Some(entry));
                }
            }
            None if entries.is_empty() => {}
            None => self.discarded.push(Rubbish::new((entries, indexes))),
        }
    }

    /// The next key whose time has come, taken out; it goes once `now_ms` is past its expiry.
    pub fn pop_expired(&mut self, now_ms: u64) -> Option<Key> {
        let (at, key) = self.expiring.first()?;
        if *at >= now_ms {
            return None;
        }
        let (at, key) = (*at, key.clone());
        self.remove(&key);
        if let Some(lingering) = &mut self.lingering {
            lingering.add(at, key.clone(), now_ms);
        }
        Some(key)
    }

    /// Key and entry at a place in the order that SCAN walks; places are dense from 0.
    pub fn at(&self, index: usize) -> Option<(&[u8], &Entry)> {
        self.entries
            .get_index(index)
            .map(|(key, entry)| (&key[..], entry))
    }

    /// All keys with what they hold, in no order that clients may rely on.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Entry)> {
        self.entries.iter().map(|(key, entry)| (&key[..], entry))
    }

    /// Begins to note what keys held before they are changed. A journal may begin within another.
    pub fn begin_journal(&mut self) {
        self.journals.push(IndexMap::new());
    }

    /// Ends the latest journal; keeps the changes, or takes them back. Returns the keys taken back.
    pub fn end_journal(&mut self, keep: bool) -> Vec<Key> {
        let Some(journal) = self.journals.pop() else {
            return Vec::new();
        };
        // The journal around it knows what a key held before this one did, whether it stays or not.
        if let Some(around) = self.journals.last_mut() {
            for (key, before) in &journal {
                if !around.contains_key(key) {
                    around.insert(key.clone(), before.clone());
                }
            }
        }
        if keep {
            for entry in journal.into_values().flatten() {
                self.discard(entry.value);
            }
            return Vec::new();
        }
        let mut restored = Vec::new();
        for (key, before) in journal {
            match before {
                Some(entry) => self.insert_entry(&key, entry),
                None => {
                    self.remove(&key);
                }
            }
            restored.push(key);
        }
        // What was taken back has never been there.
        drop(self.take_arrivals());
        restored
    }

    /// Begins, or ends, to note which keys change.
    pub(crate) fn track_changes(&mut self, on: bool) {
        self.changed = on.then(IndexSet::new);
    }

    /// The keys that changed since the last call, and what they hold now.
    pub(crate) fn take_changed(&mut self) -> Vec<(Key, Option<Entry>)> {
        let changed = match &mut self.changed {
            Some(changed) if !changed.is_empty() => std::mem::take(changed),
            _ => return Vec::new(),
        };
        let held = |key: Key| {
            let entry = self.entries.get(&key).cloned();
            (key, entry)
        };
        changed.into_iter().map(held).collect()
    }

    /// A copy, with keys in the same order, that notes no changes.
    pub(crate) fn copy(&self) -> Database {
        Database {
            entries: self.entries.clone(),
            expiring: self.expiring.clone(),
            expiring_fields: self.expiring_fields.clone(),
            field_deadlines: self.field_deadlines.clone(),
            journals: Vec::new(),
            changed: None,
            discarded: Vec::new(),
            arrivals: None,
            lingering: self.lingering.clone(),
        }
    }

    /// Takes out keys and fields whose time has come, and tells nobody.
    pub(crate) fn drop_expired(&mut self, now_ms: u64) {
        while self.pop_expired(now_ms).is_some() {}
        while let Some((key, _)) = self.pop_expired_fields(now_ms) {
            self.remove_if_empty(&key);
        }
    }

    /// Brings the index of expiring hash fields up to date. To be called after a change to the
    /// expiry of a hash's fields; the methods that put or take out whole values do it themselves.
    pub fn index_fields(&mut self, key: &[u8]) {
        let soonest = match self.entries.get(key).map(|entry| &entry.value) {
            Some(Value::Hash(hash)) => hash.soonest(),
            _ => None,
        };
        let indexed = self.field_deadlines.get(key).copied();
        if soonest == indexed {
            return;
        }
        if let Some(at) = indexed {
            self.expiring_fields.remove(&(at, Key::from(key)));
            self.field_deadlines.remove(key);
        }
        if let Some(at) = soonest {
            self.expiring_fields.insert((at, key.into()));
            self.field_deadlines.insert(key.into(), at);
        }
    }

    /// Number of hashes with fields that expire.
    pub fn expiring_fields_len(&self) -> usize {
        self.field_deadlines.len()
    }

    /// Takes out the fields of one hash whose time has come; answers the hash's key and whether any
    /// field went. `None` when there is no such hash.
    fn pop_expired_fields(&mut self, now_ms: u64) -> Option<(Key, bool)> {
        let (at, key) = self.expiring_fields.first()?;
        if *at >= now_ms {
            return None;
        }
        let key = key.clone();
        let mut any = false;
        if let Ok(Some(hash)) = self.write::<Hash>(&key) {
            while hash.pop_expired(now_ms).is_some() {
                any = true;
            }
        }
        self.index_fields(&key);
        Some((key, any))
    }

    fn put(&mut self, key: &[u8], entry: Entry) {
        match self.entries.get_mut(key) {
            Some(slot) => {
                let before = std::mem::replace(slot, entry);
                self.discard(before.value);
            }
            None => {
                self.note_arrival(Class::NEW, "new", key);
                self.entries.insert(key.into(), entry);
            }
        }
    }

    /// Begins, or ends, to note which keys are made and overwritten.
    pub(crate) fn note_arrivals(&mut self, on: bool) {
        self.arrivals = on.then(Vec::new);
    }

    fn note_arrival(&mut self, class: Class, event: &'static str, key: &[u8]) {
        if let Some(arrivals) = &mut self.arrivals {
            arrivals.push((class, event, key.into()));
        }
    }

    /// Notes that a key is looked for, should it not be there.
    pub(crate) fn note_read(&mut self, key: &[u8]) {
        if !self.contains(key) {
            self.note_arrival(Class::KEY_MISS, "keymiss", key);
        }
    }

    fn note_overwriting(&mut self, key: &[u8], value: &Value) {
        if self.arrivals.is_none() {
            return;
        }
        if let Some(kind) = self.kind(key) {
            self.note_arrival(Class::OVERWRITTEN, "overwritten", key);
            if kind != value.kind() {
                self.note_arrival(Class::TYPE_CHANGED, "type_changed", key);
            }
        }
    }

    /// Keys that were made or overwritten since the last look.
    pub(crate) fn take_arrivals(&mut self) -> Vec<Arrival> {
        self.arrivals
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn forget_expiry(&mut self, key: &[u8]) {
        if let Some(entry) = self.entries.get_mut(key)
            && let Some(at) = entry.expires_at.take()
        {
            self.expiring.remove(&(at.get(), Key::from(key)));
        }
    }

    fn record(&mut self, key: &[u8]) {
        if let Some(journal) = self.journals.last_mut()
            && !journal.contains_key(key)
        {
            journal.insert(key.into(), self.entries.get(key).cloned());
        }
        if let Some(changed) = &mut self.changed
            && !changed.contains(key)
        {
            changed.insert(key.into());
        }
    }
}

impl Engine {
    /// Takes out the hash fields whose time has come in one database, and the hashes that this
    /// empties.
    pub(crate) fn expire_fields(&mut self, db: usize, now_ms: u64) {
        while let Some((key, any)) = self.databases[db].pop_expired_fields(now_ms) {
            if !any {
                continue;
            }
            let emptied = self.databases[db].remove_if_empty(&key);
            self.key_modified(db, &key);
            self.notify(Class::HASH, "hexpired", &key, db);
            if emptied {
                self.notify(Class::GENERIC, "del", &key, db);
            }
        }
    }
}
