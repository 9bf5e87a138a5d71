//! Sets in payloads.

use super::reader::Reader;
use super::writer::Writer;
use super::{Malformed, REDIS_7_0, encoding, listpack};
use crate::value::Set;

pub(super) fn write(writer: &mut Writer, set: &Set) -> u16 {
    writer.byte(encoding::SET);
    writer.count(set.len());
    for member in set.iter() {
        writer.string(&member);
    }
    REDIS_7_0
}

pub(super) fn read_plain(reader: &mut Reader<'_>) -> Result<Set, Malformed> {
    let count = reader.count()?;
    let mut set = Set::default();
    set.expect(count);
    for _ in 0..count {
        insert(&mut set, &reader.string()?)?;
    }
    Ok(set)
}

/// An intset: the width of its integers, their number, then they themselves, ascending.
pub(super) fn read_integers(reader: &mut Reader<'_>) -> Result<Set, Malformed> {
    let packed = reader.string()?;
    let mut reader = Reader::new(&packed);
    let width = u32::from_le_bytes(reader.array()?);
    let count = u32::from_le_bytes(reader.array()?);
    let bytes = u64::from(width) * u64::from(count);
    if count == 0 || u64::try_from(reader.len()) != Ok(bytes) {
        return Err(Malformed);
    }
    let mut set = Set::default();
    let mut previous = None;
    while !reader.is_at_end() {
        let n = match width {
            2 => i16::from_le_bytes(reader.array()?).into(),
            4 => i32::from_le_bytes(reader.array()?).into(),
            8 => i64::from_le_bytes(reader.array()?),
            _ => return Err(Malformed),
        };
        if previous.is_some_and(|previous| previous >= n) {
            return Err(Malformed);
        }
        previous = Some(n);
        insert(&mut set, n.to_string().as_bytes())?;
    }
    Ok(set)
}

pub(super) fn read_listpack(reader: &mut Reader<'_>) -> Result<Set, Malformed> {
    let packed = reader.string()?;
    let mut set = Set::default();
    for item in listpack::read(&packed)? {
        insert(&mut set, &item.text())?;
    }
    if set.is_empty() {
        Err(Malformed)
    } else {
        Ok(set)
    }
}

fn insert(set: &mut Set, member: &[u8]) -> Result<(), Malformed> {
    if set.insert(member) {
        Ok(())
    } else {
        Err(Malformed)
    }
}
