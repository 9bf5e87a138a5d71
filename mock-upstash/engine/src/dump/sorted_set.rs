//! Sorted sets in payloads.

use super::listpack::Item;
use super::reader::Reader;
use super::writer::Writer;
use super::{Malformed, REDIS_7_0, encoding};
use crate::number;
use crate::value::SortedSet;

/// In place of a score's length: not a number, and the infinities.
const NAN: u8 = 253;
const INFINITY: u8 = 254;
const NEGATIVE_INFINITY: u8 = 255;

pub(super) fn write(writer: &mut Writer, set: &SortedSet) -> u16 {
    writer.byte(encoding::SORTED_SET);
    writer.count(set.len());
    for (member, score) in set.iter() {
        writer.string(member);
        writer.raw(&score.to_le_bytes());
    }
    REDIS_7_0
}

/// Members and scores in turn; scores as they are in memory, or as text.
pub(super) fn read_plain(reader: &mut Reader<'_>, binary: bool) -> Result<SortedSet, Malformed> {
    let count = reader.count()?;
    let mut set = SortedSet::default();
    set.expect(count, 0);
    for _ in 0..count {
        let member = reader.string()?;
        let score = if binary {
            f64::from_le_bytes(reader.array()?)
        } else {
            text_score(reader)?
        };
        insert(&mut set, &member, score)?;
    }
    Ok(set)
}

fn text_score(reader: &mut Reader<'_>) -> Result<f64, Malformed> {
    match reader.byte()? {
        NAN => Err(Malformed),
        INFINITY => Ok(f64::INFINITY),
        NEGATIVE_INFINITY => Ok(f64::NEG_INFINITY),
        length => number::double(reader.bytes(length.into())?).ok_or(Malformed),
    }
}

/// From a listpack or ziplist, members and scores in turn.
pub(super) fn from_items(items: Vec<Item<'_>>) -> Result<SortedSet, Malformed> {
    if items.is_empty() || !items.len().is_multiple_of(2) {
        return Err(Malformed);
    }
    let mut set = SortedSet::default();
    let mut items = items.into_iter();
    while let (Some(member), Some(score)) = (items.next(), items.next()) {
        let score = match score {
            Item::Integer(n) => n as f64,
            Item::Text(text) => number::double(text).ok_or(Malformed)?,
        };
        insert(&mut set, &member.text(), score)?;
    }
    Ok(set)
}

fn insert(set: &mut SortedSet, member: &[u8], score: f64) -> Result<(), Malformed> {
    if score.is_nan() || set.insert(member, score).is_some() {
        return Err(Malformed);
    }
    Ok(())
}
