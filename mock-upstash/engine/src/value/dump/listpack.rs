//! Listpacks: short strings and integers, one behind the other.

/// The elements of a listpack; `None` when it is malformed.
pub(super) fn elements(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (header, mut rest) = bytes.split_first_chunk::<6>()?;
    let total = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    if usize::try_from(total).ok()? != bytes.len() {
        return None;
    }
    let mut elements = Vec::new();
    loop {
        if rest == [0xff] {
            return Some(elements);
        }
        let (element, length) = element(rest)?;
        rest = rest.get(length + back_length(length)..)?;
        elements.push(element);
    }
}

/// The element at the beginning, and its length without what leads back.
fn element(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let first = *bytes.first()?;
    let byte = |index: usize| bytes.get(index).copied().map(usize::from);
    let text = |header: usize, length: usize| {
        let end = header.checked_add(length)?;
        Some((bytes.get(header..end)?.to_vec(), end))
    };
    let number = |width: usize| {
        let digits = bytes.get(1..=width)?;
        let mut wide = [0; 8];
        wide[8 - width..].copy_from_slice(digits);
        // The digits stand at the top, so that the shift down brings the sign along.
        let value = i64::from_le_bytes(wide) >> (64 - width * 8);
        Some((value.to_string().into_bytes(), width + 1))
    };
    match first {
        0x00..=0x7f => Some((first.to_string().into_bytes(), 1)),
        0x80..=0xbf => text(1, usize::from(first & 0x3f)),
        0xc0..=0xdf => {
            let raw = i64::from(first & 0x1f) << 8 | byte(1)? as i64;
            let value = if raw >= 1 << 12 { raw - (1 << 13) } else { raw };
            Some((value.to_string().into_bytes(), 2))
        }
        0xe0..=0xef => text(2, usize::from(first & 0x0f) << 8 | byte(1)?),
        0xf0 => {
            let length = u32::from_le_bytes(bytes.get(1..5)?.try_into().ok()?);
            text(5, usize::try_from(length).ok()?)
        }
        0xf1 => number(2),
        0xf2 => number(3),
        0xf3 => number(4),
        0xf4 => number(8),
        _ => None,
    }
}

/// How many bytes the length takes that stands behind an element for the way back.
fn back_length(length: usize) -> usize {
    match length {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    }
}
