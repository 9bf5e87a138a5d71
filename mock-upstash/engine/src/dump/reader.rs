//! Reading the primitives of the RDB format: lengths, strings, times.

use std::borrow::Cow;

use super::{Malformed, lzf};
use crate::value::stream::Id;

/// Payload bytes still to be read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// What stands where a length may stand.
enum Length {
    Plain(u64),
    /// A string in a special form.
    Special(u8),
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// Whether there is nothing more.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes still to be read.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    /// The next byte, without going on.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.bytes(N)?.try_into().map_err(|_| Malformed)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    fn length_or_special(&mut self) -> Result<Length, Malformed> {
        let first = self.byte()?;
        let low = u64::from(first & 0x3f);
        Ok(match (first >> 6, first) {
            (0, _) => Length::Plain(low),
            (1, _) => Length::Plain(low << 8 | u64::from(self.byte()?)),
            (2, 0x80) => Length::Plain(u32::from_be_bytes(self.array()?).into()),
            (2, 0x81) => Length::Plain(u64::from_be_bytes(self.array()?)),
            (3, _) => Length::Special(first & 0x3f),
            _ => return Err(Malformed),
        })
    }

    /// A length, or another unsigned number stored as one.
    pub(super) fn length(&mut self) -> Result<u64, Malformed> {
        match self.length_or_special()? {
            Length::Plain(length) => Ok(length),
            Length::Special(_) => Err(Malformed),
        }
    }

    /// How many elements are to come; 0 is an error, for no key holds an empty collection. No more
    /// than there are bytes, as each takes one at least.
    pub(super) fn count(&mut self) -> Result<usize, Malformed> {
        let count = self.size()?;
        if count == 0 {
            Err(Malformed)
        } else {
            Ok(count)
        }
    }

    /// As [`Reader::count`], and may be 0.
    pub(super) fn size(&mut self) -> Result<usize, Malformed> {
        let count = usize::try_from(self.length()?).map_err(|_| Malformed)?;
        if count > self.rest.len() {
            return Err(Malformed);
        }
        Ok(count)
    }

    pub(super) fn string(&mut self) -> Result<Cow<'a, [u8]>, Malformed> {
        let size = |length: u64| usize::try_from(length).map_err(|_| Malformed);
        let decimal = |n: i32| Ok(Cow::Owned(n.to_string().into_bytes()));
        match self.length_or_special()? {
            Length::Plain(length) => Ok(Cow::Borrowed(self.bytes(size(length)?)?)),
            Length::Special(0) => decimal(i8::from_le_bytes(self.array()?).into()),
            Length::Special(1) => decimal(i16::from_le_bytes(self.array()?).into()),
            Length::Special(2) => decimal(i32::from_le_bytes(self.array()?)),
            Length::Special(3) => {
                let compressed = size(self.length()?)?;
                let length = size(self.length()?)?;
                let compressed = self.bytes(compressed)?;
                Ok(Cow::Owned(lzf::decompress(compressed, length)?))
            }
            Length::Special(_) => Err(Malformed),
        }
    }

    /// A time in milliseconds since the Unix epoch.
    pub(super) fn time_ms(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A stream id of two numbers stored as lengths.
    pub(super) fn id(&mut self) -> Result<Id, Malformed> {
        let (ms, sequence) = (self.length()?, self.length()?);
        Ok(Id { ms, sequence })
    }

    /// A stream id of 16 bytes.
    pub(super) fn raw_id(&mut self) -> Result<Id, Malformed> {
        let ms = u64::from_be_bytes(self.array()?);
        let sequence = u64::from_be_bytes(self.array()?);
        Ok(Id { ms, sequence })
    }
}
