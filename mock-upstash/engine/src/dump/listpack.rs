//! Listpacks: sequences of strings and integers in one run of bytes.

use std::borrow::Cow;

use super::Malformed;
use super::reader::Reader;
use crate::number;

/// Total bytes and number of elements.
const HEADER_BYTES: usize = 6;
/// What ends it.
const END: u8 = 0xff;
/// The number of elements when there are too many to say.
const UNKNOWN: u16 = u16::MAX;

/// An element of a listpack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Text(&'a [u8]),
    Integer(i64),
}

impl<'a> Item<'a> {
    /// The element as bytes.
    pub(super) fn text(self) -> Cow<'a, [u8]> {
        match self {
            Item::Text(text) => Cow::Borrowed(text),
            Item::Integer(n) => Cow::Owned(n.to_string().into_bytes()),
        }
    }

    /// The element as an integer, however it is stored.
    pub(super) fn integer(&self) -> Result<i64, Malformed> {
        match self {
            Item::Text(text) => number::integer(text).ok_or(Malformed),
            Item::Integer(n) => Ok(*n),
        }
    }
}

/// Reads all elements.
///
/// # Errors
/// When any byte of it is not as it has to be.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Item<'_>>, Malformed> {
    let mut reader = Reader::new(bytes);
    let total = u32::from_le_bytes(reader.array()?);
    let count = u16::from_le_bytes(reader.array()?);
    if usize::try_from(total) != Ok(bytes.len()) {
        return Err(Malformed);
    }
    let mut items = Vec::new();
    while reader.peek() != Some(END) {
        let before = reader.len();
        items.push(read_item(&mut reader)?);
        let written = before - reader.len();
        let (length, used) = back_length(written);
        if reader.bytes(used)? != &length[..used] {
            return Err(Malformed);
        }
    }
    let told = count == UNKNOWN || usize::from(count) == items.len();
    if reader.len() != 1 || !told {
        return Err(Malformed);
    }
    Ok(items)
}

fn read_item<'a>(reader: &mut Reader<'a>) -> Result<Item<'a>, Malformed> {
    let first = reader.byte()?;
    let low = usize::from(first);
    Ok(match first {
        0..0x80 => Item::Integer(first.into()),
        0x80..0xc0 => Item::Text(reader.bytes(low & 0x3f)?),
        0xc0..0xe0 => {
            let n = i64::from(first & 0x1f) << 8 | i64::from(reader.byte()?);
            Item::Integer(if n < 1 << 12 { n } else { n - (1 << 13) })
        }
        0xe0..0xf0 => {
            let length = (low & 0x0f) << 8 | usize::from(reader.byte()?);
            Item::Text(reader.bytes(length)?)
        }
        0xf0 => {
            let length = u32::from_le_bytes(reader.array()?);
            Item::Text(reader.bytes(usize::try_from(length).map_err(|_| Malformed)?)?)
        }
        0xf1 => Item::Integer(i16::from_le_bytes(reader.array()?).into()),
        0xf2 => Item::Integer(three_bytes(reader.array()?)),
        0xf3 => Item::Integer(i32::from_le_bytes(reader.array()?).into()),
        0xf4 => Item::Integer(i64::from_le_bytes(reader.array()?)),
        _ => return Err(Malformed),
    })
}

/// An integer of three bytes.
pub(super) fn three_bytes([low, middle, high]: [u8; 3]) -> i64 {
    i64::from(i32::from_le_bytes([0, low, middle, high]) >> 8)
}

/// Behind each element stands its length, to be read backwards, seven bits to a byte. The limits are
/// those of lpEncodeBacklen (listpack.c).
fn back_length(length: usize) -> ([u8; 5], usize) {
    let used: usize = match length {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    };
    let mut bytes = [0; 5];
    for (place, byte) in bytes.iter_mut().take(used).enumerate() {
        let seven = (length >> (7 * (used - 1 - place)) & 0x7f) as u8;
        *byte = if place == 0 { seven } else { seven | 0x80 };
    }
    (bytes, used)
}

/// A listpack in the making.
#[derive(Debug)]
pub(super) struct Listpack {
    bytes: Vec<u8>,
    count: usize,
}

impl Listpack {
    pub(super) fn new() -> Listpack {
        Listpack {
            bytes: vec![0; HEADER_BYTES],
            count: 0,
        }
    }

    /// Adds bytes, as an integer where they are the canonical form of one.
    pub(super) fn text(&mut self, text: &[u8]) {
        /// Longer ones are not tried as integers (LONG_STR_SIZE).
        const LONGEST_INTEGER: usize = 20;
        if text.len() <= LONGEST_INTEGER
            && let Some(n) = number::integer(text)
        {
            return self.integer(n);
        }
        let start = self.bytes.len();
        match text.len() {
            length @ 0..64 => self.bytes.push(0x80 | length as u8),
            length @ 64..4096 => self
                .bytes
                .extend_from_slice(&(0xe000 | length as u16).to_be_bytes()),
            length => {
                self.bytes.push(0xf0);
                // Longer ones no key can hold.
                self.bytes.extend_from_slice(&(length as u32).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(text);
        self.close(start);
    }

    /// Adds an integer.
    pub(super) fn integer(&mut self, n: i64) {
        let start = self.bytes.len();
        let wide = n.to_le_bytes();
        match n {
            0..=127 => self.bytes.push(wide[0]),
            -4096..=4095 => {
                let short = (n & 0x1fff) as u16 | 0xc000;
                self.bytes.extend_from_slice(&short.to_be_bytes());
            }
            -32_768..=32_767 => {
                self.bytes.push(0xf1);
                self.bytes.extend_from_slice(&wide[..2]);
            }
            -8_388_608..=8_388_607 => {
                self.bytes.push(0xf2);
                self.bytes.extend_from_slice(&wide[..3]);
            }
            -2_147_483_648..=2_147_483_647 => {
                self.bytes.push(0xf3);
                self.bytes.extend_from_slice(&wide[..4]);
            }
            _ => {
                self.bytes.push(0xf4);
                self.bytes.extend_from_slice(&wide);
            }
        }
        self.close(start);
    }

    fn close(&mut self, start: usize) {
        let (length, used) = back_length(self.bytes.len() - start);
        self.bytes.extend_from_slice(&length[..used]);
        self.count += 1;
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let total = self.bytes.len() as u32;
        let count = u16::try_from(self.count).unwrap_or(UNKNOWN);
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
        self.bytes[4..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
        self.bytes
    }
}
