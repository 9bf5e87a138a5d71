//! Bits in a string: bit 0 is the topmost of the first byte.

use std::ops::Range;

/// How BITOP combines strings. A string that is too short is taken for one with zeros behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Set in all.
    And,
    /// Set in any.
    Or,
    /// Set in an odd number.
    Xor,
    /// Not set in the one there is.
    Not,
    /// Set in the first and in no other.
    Diff,
    /// Set in another but not in the first.
    Diff1,
    /// Set in the first and in another.
    AndOr,
    /// Set in exactly one.
    One,
}

/// Combines strings; the result is as long as the longest.
pub fn combine(operation: Operation, sources: &[&[u8]]) -> Vec<u8> {
    let length = sources.iter().map(|bytes| bytes.len()).max().unwrap_or(0);
    let byte_of = |source: &[u8], index: usize| source.get(index).copied().unwrap_or(0);
    let Some((first, others)) = sources.split_first() else {
        return Vec::new();
    };
    let byte_at = |index: usize| {
        let a = byte_of(first, index);
        let others = others.iter().map(|source| byte_of(source, index));
        match operation {
            Operation::And => others.fold(a, |all, b| all & b),
            Operation::Or => others.fold(a, |any, b| any | b),
            Operation::Xor => others.fold(a, |odd, b| odd ^ b),
            Operation::Not => !a,
            Operation::Diff => a & !others.fold(0, |any, b| any | b),
            Operation::Diff1 => !a & others.fold(0, |any, b| any | b),
            Operation::AndOr => a & others.fold(0, |any, b| any | b),
            Operation::One => {
                let (one, _) = others.fold((a, 0), |(one, more), b| {
                    let more = more | (one & b);
                    ((one | b) & !more, more)
                });
                one
            }
        }
    };
    (0..length).map(byte_at).collect()
}

/// Whether a bit is set; bits behind the end are not.
pub fn bit(bytes: &[u8], offset: usize) -> bool {
    bytes
        .get(offset / 8)
        .is_some_and(|byte| byte >> (7 - offset % 8) & 1 == 1)
}

/// Sets or clears a bit, within the string.
pub fn set_bit(bytes: &mut [u8], offset: usize, on: bool) {
    if let Some(byte) = bytes.get_mut(offset / 8) {
        let mask = 1 << (7 - offset % 8);
        *byte = if on { *byte | mask } else { *byte & !mask };
    }
}

/// The number of bits that are set in a range of bits within the string.
pub fn count(bytes: &[u8], bits: Range<usize>) -> usize {
    let (first, last) = (bits.start.div_ceil(8), bits.end / 8);
    if first > last {
        return bits.filter(|offset| bit(bytes, *offset)).count();
    }
    let single = |range: Range<usize>| range.filter(|offset| bit(bytes, *offset)).count();
    let whole = bytes.get(first..last).unwrap_or_default();
    // Eight bytes at a time: strings may be long.
    let (words, rest) = whole.as_chunks::<8>();
    let in_words: usize = words
        .iter()
        .map(|word| u64::from_ne_bytes(*word).count_ones() as usize)
        .sum();
    let in_rest: usize = rest.iter().map(|byte| byte.count_ones() as usize).sum();
    single(bits.start..first * 8) + in_words + in_rest + single(last * 8..bits.end)
}

/// The first bit of a range within the string that is set, or that is not.
pub fn position(bytes: &[u8], bits: Range<usize>, on: bool) -> Option<usize> {
    let uninteresting = if on { 0x00 } else { 0xff };
    let mut offset = bits.start;
    while offset < bits.end {
        if offset.is_multiple_of(8) {
            // Whole bytes without such a bit are passed over.
            let rest = bytes.get(offset / 8..).unwrap_or_default();
            let skip = rest.iter().position(|byte| *byte != uninteresting)?;
            offset += skip * 8;
        }
        if offset < bits.end && bit(bytes, offset) == on {
            return Some(offset);
        }
        offset += 1;
    }
    None
}

/// The integer in `width` bits (at most 64) from an offset on, as if it had no sign.
pub fn read(bytes: &[u8], offset: usize, width: u32) -> u64 {
    (0..width as usize).fold(0, |value, index| {
        (value << 1) | u64::from(bit(bytes, offset + index))
    })
}

/// Writes the lowest `width` bits of an integer from an offset on, within the string.
pub fn write(bytes: &mut [u8], offset: usize, width: u32, value: u64) {
    for index in 0..width {
        let on = value >> (width - 1 - index) & 1 == 1;
        set_bit(bytes, offset + index as usize, on);
    }
}
