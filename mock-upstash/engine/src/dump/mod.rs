//! DUMP payloads: values in the RDB format, for RESTORE here and in a real Redis.
//!
//! A payload is a byte for the value's encoding, the value, two bytes for the version of the format
//! and a checksum of eight. [`restore`] reads every encoding that Redis wrote up to 8.10 for the
//! types it has; [`dump`] writes the plainest encoding that holds a value and says the lowest version
//! that knows it: strings, lists, sets, sorted sets and hashes go into Redis 7.0 and newer, streams
//! too unless a consumer was seen at another time than it was served (7.2), hashes whose fields
//! expire into 7.4 and newer, which is where they began.
//!
//! A JSON document is written as RedisJSON writes one: a module's value that holds the text. Upstash
//! does not document what it answers there.

mod hash;
mod json;
mod list;
mod listpack;
mod lzf;
mod reader;
mod set;
mod sorted_set;
mod stream;
mod writer;
mod ziplist;

use crc::{CRC_64_REDIS, Crc};

use crate::value::Value;
use reader::Reader;
use writer::Writer;

/// The newest version of the format that is read: that of Redis 8.10.
const NEWEST: u16 = 15;
/// The version of Redis 7.0.
const REDIS_7_0: u16 = 10;
/// The version of Redis 7.2: streams know when a consumer was last served.
const REDIS_7_2: u16 = 11;
/// The version of Redis 7.4: hash fields expire.
const REDIS_7_4: u16 = 12;

/// Version and checksum.
const FOOTER_BYTES: usize = 10;

static CHECKSUM: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);

/// The first byte of a payload (RDB_TYPE_… of rdb.h).
mod encoding {
    pub(super) const STRING: u8 = 0;
    pub(super) const LIST: u8 = 1;
    pub(super) const SET: u8 = 2;
    pub(super) const SORTED_SET_TEXT: u8 = 3;
    pub(super) const HASH: u8 = 4;
    pub(super) const SORTED_SET: u8 = 5;
    pub(super) const MODULE: u8 = 7;
    pub(super) const HASH_ZIPMAP: u8 = 9;
    pub(super) const LIST_ZIPLIST: u8 = 10;
    pub(super) const SET_INTSET: u8 = 11;
    pub(super) const SORTED_SET_ZIPLIST: u8 = 12;
    pub(super) const HASH_ZIPLIST: u8 = 13;
    pub(super) const LIST_QUICKLIST: u8 = 14;
    pub(super) const STREAM: u8 = 15;
    pub(super) const HASH_LISTPACK: u8 = 16;
    pub(super) const SORTED_SET_LISTPACK: u8 = 17;
    pub(super) const LIST_QUICKLIST_2: u8 = 18;
    pub(super) const STREAM_2: u8 = 19;
    pub(super) const SET_LISTPACK: u8 = 20;
    pub(super) const STREAM_3: u8 = 21;
    pub(super) const HASH_EXPIRING_EARLY: u8 = 22;
    pub(super) const HASH_LISTPACK_EXPIRING_EARLY: u8 = 23;
    pub(super) const HASH_EXPIRING: u8 = 24;
    pub(super) const HASH_LISTPACK_EXPIRING: u8 = 25;
    pub(super) const STREAM_4: u8 = 26;
    pub(super) const STREAM_5: u8 = 27;
}

/// Why a payload is not restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The version is newer than any that is known, or the checksum is not that of the payload.
    #[error("the payload's version or checksum is wrong; was it cut or changed on the way?")]
    Footer,
    /// What is within the footer is no value.
    #[error("the payload holds no value in a known encoding")]
    Data,
}

/// Bytes that are not as the format has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Malformed;

/// The payload for a value.
pub fn dump(value: &Value) -> Vec<u8> {
    let mut writer = Writer::default();
    let version = match value {
        Value::String(bytes) => {
            writer.byte(encoding::STRING);
            writer.string(bytes);
            REDIS_7_0
        }
        Value::List(list) => list::write(&mut writer, list),
        Value::Set(set) => set::write(&mut writer, set),
        Value::Hash(hash) => hash::write(&mut writer, hash),
        Value::SortedSet(set) => sorted_set::write(&mut writer, set),
        Value::Stream(stream) => stream::write(&mut writer, stream),
        Value::Json(json) => json::write(&mut writer, json),
    };
    seal(writer.into_bytes(), version)
}

/// Puts version and checksum behind encoding and value.
fn seal(mut payload: Vec<u8>, version: u16) -> Vec<u8> {
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum = CHECKSUM.checksum(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// The value that a payload holds. However it is made, it costs time and memory in proportion to its
/// length only.
///
/// # Errors
/// When version or checksum are wrong, or there is no value in it.
pub fn restore(payload: &[u8]) -> Result<Value, Refusal> {
    let body = payload
        .len()
        .checked_sub(FOOTER_BYTES)
        .ok_or(Refusal::Footer)?;
    let (body, mut footer) = (&payload[..body], Reader::new(&payload[body..]));
    let version = footer.array().map(u16::from_le_bytes);
    let checksum = footer.array().map(u64::from_le_bytes);
    let sealed = &payload[..payload.len() - size_of::<u64>()];
    // A checksum of zero stands for none, as in Redis 8.10.
    let whole = checksum == Ok(0) || checksum == Ok(CHECKSUM.checksum(sealed));
    if whole && version.is_ok_and(|version| version <= NEWEST) {
        restore_body(body)
    } else {
        Err(Refusal::Footer)
    }
}

/// The value in a payload without its footer.
///
/// # Errors
/// When there is no value in it.
pub fn restore_body(body: &[u8]) -> Result<Value, Refusal> {
    let mut reader = Reader::new(body);
    read(&mut reader).map_err(|Malformed| Refusal::Data)
}

/// Reads encoding and value. As in Redis, nothing looks at bytes that may follow.
fn read(reader: &mut Reader<'_>) -> Result<Value, Malformed> {
    use encoding::*;
    let kind = reader.byte()?;
    Ok(match kind {
        STRING => Value::String(reader.string()?.into_owned()),
        LIST => Value::List(Box::new(list::read_plain(reader)?)),
        LIST_ZIPLIST => Value::List(Box::new(list::read_ziplist(reader)?)),
        LIST_QUICKLIST => Value::List(Box::new(list::read_ziplists(reader)?)),
        LIST_QUICKLIST_2 => Value::List(Box::new(list::read_listpacks(reader)?)),
        SET => Value::Set(Box::new(set::read_plain(reader)?)),
        SET_INTSET => Value::Set(Box::new(set::read_integers(reader)?)),
        SET_LISTPACK => Value::Set(Box::new(set::read_listpack(reader)?)),
        SORTED_SET_TEXT | SORTED_SET => Value::SortedSet(Box::new(sorted_set::read_plain(
            reader,
            kind == SORTED_SET,
        )?)),
        SORTED_SET_ZIPLIST | SORTED_SET_LISTPACK => {
            let packed = reader.string()?;
            let items = if kind == SORTED_SET_LISTPACK {
                listpack::read(&packed)?
            } else {
                ziplist::read(&packed)?
            };
            Value::SortedSet(Box::new(sorted_set::from_items(items)?))
        }
        HASH => Value::Hash(Box::new(hash::read_plain(reader)?)),
        HASH_ZIPMAP | HASH_ZIPLIST | HASH_LISTPACK => {
            let packed = reader.string()?;
            let items = match kind {
                HASH_ZIPMAP => ziplist::read_map(&packed)?,
                HASH_ZIPLIST => ziplist::read(&packed)?,
                _ => listpack::read(&packed)?,
            };
            Value::Hash(Box::new(hash::from_items(items)?))
        }
        HASH_EXPIRING | HASH_EXPIRING_EARLY => {
            let relative = kind == HASH_EXPIRING;
            Value::Hash(Box::new(hash::read_expiring(reader, relative)?))
        }
        HASH_LISTPACK_EXPIRING | HASH_LISTPACK_EXPIRING_EARLY => {
            if kind == HASH_LISTPACK_EXPIRING {
                // The soonest of the times that follow.
                reader.time_ms()?;
            }
            Value::Hash(Box::new(hash::read_expiring_listpack(reader)?))
        }
        STREAM => Value::Stream(Box::new(stream::read(reader, 1)?)),
        STREAM_2 => Value::Stream(Box::new(stream::read(reader, 2)?)),
        STREAM_3 => Value::Stream(Box::new(stream::read(reader, 3)?)),
        STREAM_4 => Value::Stream(Box::new(stream::read(reader, 4)?)),
        STREAM_5 => Value::Stream(Box::new(stream::read(reader, 5)?)),
        MODULE => Value::Json(Box::new(json::read(reader)?)),
        _ => return Err(Malformed),
    })
}
