//! JSON documents in payloads, as the module RedisJSON (since 2.0) writes them.

use super::reader::Reader;
use super::writer::Writer;
use super::{Malformed, REDIS_7_0, encoding};
use crate::value::Json;

/// The letters of a module type's name, six bits each (module.c).
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The type's name.
const NAME: &[u8; 9] = b"ReJSON-RL";
/// The version of the type's encoding in which a document is its text.
const VERSION: u64 = 3;

/// What stands before a module's string, and at the end (RDB_MODULE_OPCODE_… of rdb.h).
const STRING: u64 = 5;
const END: u64 = 0;

/// Name and version in one number.
fn module_id() -> u64 {
    let name = NAME.iter().fold(0, |id, letter| {
        let place = LETTERS.iter().position(|have| have == letter);
        id << 6 | place.unwrap_or_default() as u64
    });
    name << 10 | VERSION
}

pub(super) fn write(writer: &mut Writer, json: &Json) -> u16 {
    writer.byte(encoding::MODULE);
    writer.length(module_id());
    writer.length(STRING);
    writer.plain_string(json.to_text().as_bytes());
    writer.length(END);
    REDIS_7_0
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Json, Malformed> {
    if reader.length()? != module_id() || reader.length()? != STRING {
        return Err(Malformed);
    }
    let text = reader.string()?;
    if reader.length()? != END {
        return Err(Malformed);
    }
    Json::parse(&text).map_err(|_| Malformed)
}
