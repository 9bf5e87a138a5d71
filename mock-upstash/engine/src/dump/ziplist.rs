//! Ziplists and zipmaps: what Redis before 7.0 kept small collections in.

use super::Malformed;
use super::listpack::{Item, three_bytes};
use super::reader::Reader;

/// What ends both.
const END: u8 = 0xff;

/// Reads all elements of a ziplist.
///
/// # Errors
/// When any byte of it is not as it has to be.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Item<'_>>, Malformed> {
    let mut reader = Reader::new(bytes);
    let total = u32::from_le_bytes(reader.array()?);
    let tail = u32::from_le_bytes(reader.array()?);
    let count = u16::from_le_bytes(reader.array()?);
    if usize::try_from(total) != Ok(bytes.len()) {
        return Err(Malformed);
    }
    let mut items = Vec::new();
    let mut previous = 0;
    let mut last = bytes.len() - reader.len();
    while reader.peek() != Some(END) {
        let before = reader.len();
        last = bytes.len() - before;
        let told = match reader.byte()? {
            0xfe => u32::from_le_bytes(reader.array()?),
            short => short.into(),
        };
        if usize::try_from(told) != Ok(previous) {
            return Err(Malformed);
        }
        items.push(read_item(&mut reader)?);
        previous = before - reader.len();
    }
    let told = count == u16::MAX || usize::from(count) == items.len();
    if reader.len() != 1 || !told || usize::try_from(tail) != Ok(last) {
        return Err(Malformed);
    }
    Ok(items)
}

fn read_item<'a>(reader: &mut Reader<'a>) -> Result<Item<'a>, Malformed> {
    let first = reader.byte()?;
    let low = usize::from(first & 0x3f);
    Ok(match first {
        0..0x40 => Item::Text(reader.bytes(low)?),
        0x40..0x80 => {
            let length = low << 8 | usize::from(reader.byte()?);
            Item::Text(reader.bytes(length)?)
        }
        0x80 => {
            let length = u32::from_be_bytes(reader.array()?);
            Item::Text(reader.bytes(usize::try_from(length).map_err(|_| Malformed)?)?)
        }
        0xc0 => Item::Integer(i16::from_le_bytes(reader.array()?).into()),
        0xd0 => Item::Integer(i32::from_le_bytes(reader.array()?).into()),
        0xe0 => Item::Integer(i64::from_le_bytes(reader.array()?)),
        0xf0 => Item::Integer(three_bytes(reader.array()?)),
        0xfe => Item::Integer(i8::from_le_bytes(reader.array()?).into()),
        0xf1..=0xfd => Item::Integer(i64::from(first & 0x0f) - 1),
        _ => return Err(Malformed),
    })
}

/// Reads all elements of a zipmap, fields and values in turn.
///
/// # Errors
/// When any byte of it is not as it has to be.
pub(super) fn read_map(bytes: &[u8]) -> Result<Vec<Item<'_>>, Malformed> {
    let mut reader = Reader::new(bytes);
    let count = reader.byte()?;
    let mut items = Vec::new();
    while reader.peek() != Some(END) {
        let length = map_length(&mut reader)?;
        items.push(Item::Text(reader.bytes(length)?));
        let length = map_length(&mut reader)?;
        let free = usize::from(reader.byte()?);
        items.push(Item::Text(reader.bytes(length)?));
        reader.bytes(free)?;
    }
    // From 254 on the count is not kept.
    let told = count >= 0xfe || usize::from(count) == items.len() / 2;
    if reader.len() != 1 || !told {
        return Err(Malformed);
    }
    Ok(items)
}

fn map_length(reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    match reader.byte()? {
        0xfe => usize::try_from(u32::from_le_bytes(reader.array()?)).map_err(|_| Malformed),
        END => Err(Malformed),
        short => Ok(short.into()),
    }
}
