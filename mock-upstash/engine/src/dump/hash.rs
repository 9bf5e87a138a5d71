//! Hashes in payloads.

use super::listpack::{self, Item};
use super::reader::Reader;
use super::writer::Writer;
use super::{Malformed, REDIS_7_0, REDIS_7_4, encoding};
use crate::value::Hash;

/// The latest time at which a field may go (EB_EXPIRE_TIME_MAX of ebuckets.h).
const LATEST_MS: u64 = (1 << 48) - 2;

pub(super) fn write(writer: &mut Writer, hash: &Hash) -> u16 {
    let Some(soonest) = hash.soonest() else {
        writer.byte(encoding::HASH);
        writer.count(hash.len());
        for (field, value) in hash.iter() {
            writer.string(field);
            writer.string(value);
        }
        return REDIS_7_0;
    };
    writer.byte(encoding::HASH_EXPIRING);
    writer.raw(&soonest.to_le_bytes());
    writer.count(hash.len());
    for (field, value) in hash.iter() {
        // From the soonest time on, and 0 is for fields that stay.
        let after = hash.expires_at(field).map_or(0, |at| at - soonest + 1);
        writer.length(after);
        writer.string(field);
        writer.string(value);
    }
    REDIS_7_4
}

pub(super) fn read_plain(reader: &mut Reader<'_>) -> Result<Hash, Malformed> {
    let count = reader.count()?;
    let mut hash = Hash::default();
    for _ in 0..count {
        let (field, value) = (reader.string()?, reader.string()?);
        insert(&mut hash, &field, &value, 0)?;
    }
    Ok(hash)
}

/// Time, field and value in turn; `relative` to the soonest time, or since the Unix epoch.
pub(super) fn read_expiring(reader: &mut Reader<'_>, relative: bool) -> Result<Hash, Malformed> {
    let soonest = if relative {
        u64::from_le_bytes(reader.array()?)
    } else {
        1
    };
    let count = reader.count()?;
    let mut hash = Hash::default();
    for _ in 0..count {
        let at_ms = match reader.length()? {
            0 => 0,
            after => (after - 1).checked_add(soonest).ok_or(Malformed)?,
        };
        let (field, value) = (reader.string()?, reader.string()?);
        insert(&mut hash, &field, &value, at_ms)?;
    }
    Ok(hash)
}

/// A listpack of field, value and time in turn.
pub(super) fn read_expiring_listpack(reader: &mut Reader<'_>) -> Result<Hash, Malformed> {
    let packed = reader.string()?;
    let items = listpack::read(&packed)?;
    if items.is_empty() || !items.len().is_multiple_of(3) {
        return Err(Malformed);
    }
    // Those that go soonest come first; the order of what HGETALL answers follows.
    let mut hash = Hash::default();
    let mut items = items.into_iter();
    while let (Some(field), Some(value), Some(at)) = (items.next(), items.next(), items.next()) {
        let at_ms = u64::try_from(at.integer()?).map_err(|_| Malformed)?;
        insert(&mut hash, &field.text(), &value.text(), at_ms)?;
    }
    Ok(hash)
}

/// From a listpack, ziplist or zipmap, fields and values in turn.
pub(super) fn from_items(items: Vec<Item<'_>>) -> Result<Hash, Malformed> {
    if items.is_empty() || !items.len().is_multiple_of(2) {
        return Err(Malformed);
    }
    let mut hash = Hash::default();
    let mut items = items.into_iter();
    while let (Some(field), Some(value)) = (items.next(), items.next()) {
        insert(&mut hash, &field.text(), &value.text(), 0)?;
    }
    Ok(hash)
}

/// Puts a field in that goes at a time; at 0 it stays.
fn insert(hash: &mut Hash, field: &[u8], value: &[u8], at_ms: u64) -> Result<(), Malformed> {
    if at_ms > LATEST_MS || !hash.set(field, value) {
        return Err(Malformed);
    }
    if at_ms > 0 {
        hash.set_expiry(field, Some(at_ms));
    }
    Ok(())
}
