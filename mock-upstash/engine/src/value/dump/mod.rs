//! Values as bytes, in the format of Redis's RDB files: what DUMP answers and RESTORE takes.
//!
//! A payload is a type, the value, the version of the format in two bytes and a CRC-64 over all of
//! it. Payloads come from clients and may be made to deceive: nothing in one is believed before it
//! is checked, and no memory is set aside on its word alone.

mod listpack;
mod read;
mod write;

use crc::{CRC_64_REDIS, Crc};

pub use read::Restored;

use crate::value::Value;

static CHECKSUM: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);

/// The version written: Redis 7.0 reads it, and every later one.
const VERSION: u16 = 10;
/// The version written where fields expire, which Redis 7.4 brought.
const VERSION_WITH_FIELD_EXPIRY: u16 = 12;
/// The newest version read.
const NEWEST_VERSION: u16 = 15;
/// Version and checksum.
const FOOTER: usize = 10;

/// Types of value, as RDB numbers them.
mod kind {
    pub(super) const STRING: u8 = 0;
    pub(super) const LIST: u8 = 1;
    pub(super) const SET: u8 = 2;
    pub(super) const SORTED_SET_TEXT: u8 = 3;
    pub(super) const HASH: u8 = 4;
    pub(super) const SORTED_SET: u8 = 5;
    pub(super) const SET_INTEGERS: u8 = 11;
    pub(super) const HASH_LISTPACK: u8 = 16;
    pub(super) const SORTED_SET_LISTPACK: u8 = 17;
    pub(super) const LIST_QUICKLIST: u8 = 18;
    pub(super) const SET_LISTPACK: u8 = 20;
    pub(super) const HASH_EXPIRING: u8 = 24;
    pub(super) const HASH_LISTPACK_EXPIRING: u8 = 25;
}

/// Writes a value; `None` when the format has no place for its kind.
pub fn dump(value: &Value) -> Option<Vec<u8>> {
    let (mut payload, expiring) = write::value(value)?;
    let version = if expiring {
        VERSION_WITH_FIELD_EXPIRY
    } else {
        VERSION
    };
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum = CHECKSUM.checksum(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    Some(payload)
}

/// The part of a payload before version and checksum, if both are right. A checksum of zero stands
/// for none, as in Redis.
pub fn verify(payload: &[u8]) -> Option<&[u8]> {
    let (checked, checksum) = payload.split_last_chunk::<8>()?;
    let (body, version) = checked.split_last_chunk::<2>()?;
    let checksum = u64::from_le_bytes(*checksum);
    let right = checksum == 0 || checksum == CHECKSUM.checksum(checked);
    (payload.len() > FOOTER && u16::from_le_bytes(*version) <= NEWEST_VERSION && right)
        .then_some(body)
}

/// Reads a value from the part before version and checksum; `None` when it is malformed.
pub fn restore(body: &[u8], now_ms: u64) -> Option<Restored> {
    read::value(body, now_ms)
}
