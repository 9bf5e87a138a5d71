//! Writing the primitives of the RDB format: lengths, strings, times.

use crate::number;
use crate::value::stream::Id;

/// Longest text that is tried as an integer, `-2147483648`.
const LONGEST_INTEGER: usize = 11;

/// A payload in the making.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// A length, or another unsigned number stored as one.
    pub(super) fn length(&mut self, length: u64) {
        if let Ok(short) = u8::try_from(length)
            && short < 1 << 6
        {
            self.byte(short);
        } else if let Ok(medium) = u16::try_from(length)
            && medium < 1 << 14
        {
            self.raw(&(medium | 1 << 14).to_be_bytes());
        } else if let Ok(long) = u32::try_from(length) {
            self.byte(0x80);
            self.raw(&long.to_be_bytes());
        } else {
            self.byte(0x81);
            self.raw(&length.to_be_bytes());
        }
    }

    /// How many elements follow.
    pub(super) fn count(&mut self, count: usize) {
        self.length(count as u64);
    }

    /// A string; short integers take their binary form, as Redis stores them.
    pub(super) fn string(&mut self, bytes: &[u8]) {
        let integer = (bytes.len() <= LONGEST_INTEGER)
            .then(|| number::integer(bytes))
            .flatten();
        let Some(n) = integer.and_then(|n| i32::try_from(n).ok()) else {
            return self.plain_string(bytes);
        };
        if let Ok(n) = i8::try_from(n) {
            self.byte(0xc0);
            self.raw(&n.to_le_bytes());
        } else if let Ok(n) = i16::try_from(n) {
            self.byte(0xc1);
            self.raw(&n.to_le_bytes());
        } else {
            self.byte(0xc2);
            self.raw(&n.to_le_bytes());
        }
    }

    /// A string as it is.
    pub(super) fn plain_string(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// A time in milliseconds since the Unix epoch.
    pub(super) fn time_ms(&mut self, ms: i64) {
        self.raw(&ms.to_le_bytes());
    }

    /// A stream id as two numbers stored as lengths.
    pub(super) fn id(&mut self, id: Id) {
        self.length(id.ms);
        self.length(id.sequence);
    }

    /// A stream id as 16 bytes.
    pub(super) fn raw_id(&mut self, id: Id) {
        self.raw(&raw_id(id));
    }
}

/// A stream id as 16 bytes that sort as ids do.
pub(super) fn raw_id(id: Id) -> [u8; 16] {
    (u128::from(id.ms) << 64 | u128::from(id.sequence)).to_be_bytes()
}
