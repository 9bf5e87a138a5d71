//! Fields with values, each field with an expiry of its own where asked for.

use std::collections::{BTreeSet, HashMap};

use indexmap::IndexMap;

/// Most fields of a compact hash (`hash-max-listpack-entries`).
const COMPACT_FIELDS: usize = 512;
/// Longest field or value of a compact hash, in bytes (`hash-max-listpack-value`).
const COMPACT_BYTES: usize = 64;

type Bytes = Box<[u8]>;

/// Fields with values, each field with an expiry of its own where asked for.
///
/// A hash begins compact and stops to be when it grows, for good. A compact one keeps its fields in
/// the order in which they came and HSCAN answers it in one go, as Redis does. In a large one an
/// element only ever moves from the end to a lower place, so a scan that goes from the end down meets
/// every field that was there throughout.
#[derive(Debug, Clone, Default)]
pub struct Hash {
    fields: IndexMap<Bytes, Bytes, foldhash::fast::RandomState>,
    large: bool,
    expiry: Option<Box<Expiry>>,
}

/// When fields go, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Default)]
struct Expiry {
    by_field: HashMap<Bytes, u64, foldhash::fast::RandomState>,
    by_time: BTreeSet<(u64, Bytes)>,
}

impl Hash {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether it is past the limits of the compact form.
    pub fn is_large(&self) -> bool {
        self.large
    }

    /// A field's value.
    pub fn get(&self, field: &[u8]) -> Option<&[u8]> {
        self.fields.get(field).map(|value| &value[..])
    }

    /// Whether a field is there.
    pub fn contains(&self, field: &[u8]) -> bool {
        self.fields.contains_key(field)
    }

    /// Sets a field and takes away its expiry; says whether the field is new.
    pub fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        self.set_expiry(field, None);
        self.set_keeping_expiry(field, value)
    }

    /// Sets a field and leaves its expiry; says whether the field is new.
    pub fn set_keeping_expiry(&mut self, field: &[u8], value: &[u8]) -> bool {
        let new = match self.fields.get_mut(field) {
            Some(slot) => {
                *slot = value.into();
                false
            }
            None => {
                self.fields.insert(field.into(), value.into());
                true
            }
        };
        self.large |= self.fields.len() > COMPACT_FIELDS
            || field.len() > COMPACT_BYTES
            || value.len() > COMPACT_BYTES;
        new
    }

    /// Takes a field out.
    pub fn remove(&mut self, field: &[u8]) -> Option<Bytes> {
        self.set_expiry(field, None);
        if self.large {
            self.fields.swap_remove(field)
        } else {
            self.fields.shift_remove(field)
        }
    }

    /// Fields and values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &[u8])> {
        self.fields
            .iter()
            .map(|(field, value)| (&field[..], &value[..]))
    }

    /// The field and value at a place; places are dense from 0.
    pub fn at(&self, index: usize) -> Option<(&[u8], &[u8])> {
        self.fields
            .get_index(index)
            .map(|(field, value)| (&field[..], &value[..]))
    }

    /// When a field goes, in milliseconds since the Unix epoch.
    pub fn expires_at(&self, field: &[u8]) -> Option<u64> {
        self.expiry.as_ref()?.by_field.get(field).copied()
    }

    /// Sets or clears when a field goes. No effect without the field.
    pub fn set_expiry(&mut self, field: &[u8], at_ms: Option<u64>) {
        if let Some(expiry) = &mut self.expiry
            && let Some(before) = expiry.by_field.remove(field)
        {
            expiry.by_time.remove(&(before, field.into()));
        }
        match at_ms {
            Some(at) if self.fields.contains_key(field) => {
                let expiry = self.expiry.get_or_insert_default();
                expiry.by_field.insert(field.into(), at);
                expiry.by_time.insert((at, field.into()));
            }
            _ => {
                if self.expiry.as_ref().is_some_and(|e| e.by_field.is_empty()) {
                    self.expiry = None;
                }
            }
        }
    }

    /// When the first field goes.
    pub fn soonest(&self) -> Option<u64> {
        let (at, _) = self.expiry.as_ref()?.by_time.first()?;
        Some(*at)
    }

    /// Takes out a field whose time is past.
    pub fn pop_expired(&mut self, now_ms: u64) -> Option<Bytes> {
        let (at, field) = self.expiry.as_ref()?.by_time.first()?;
        if *at >= now_ms {
            return None;
        }
        let field = field.clone();
        self.remove(&field);
        Some(field)
    }
}
