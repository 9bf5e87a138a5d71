//! LZF, the compression of strings in the RDB format.

use super::Malformed;

/// The most that one compressed byte can stand for: a reference of three bytes means 264.
const MAX_EXPANSION: usize = 88;

/// Decompresses to exactly `length` bytes.
///
/// # Errors
/// When the data is cut off, refers to what is not there, or does not give `length` bytes.
pub(super) fn decompress(compressed: &[u8], length: usize) -> Result<Vec<u8>, Malformed> {
    // What is asked for is only believed as far as the data can give it.
    if length > compressed.len().saturating_mul(MAX_EXPANSION) {
        return Err(Malformed);
    }
    let mut output = Vec::with_capacity(length);
    let mut input = compressed.iter().copied();
    while let Some(control) = input.next() {
        let control = usize::from(control);
        if control < 32 {
            let taken = output.len() + control + 1;
            output.extend(input.by_ref().take(control + 1));
            if output.len() != taken || taken > length {
                return Err(Malformed);
            }
            continue;
        }
        let mut count = (control >> 5) + 2;
        if control >> 5 == 7 {
            count += usize::from(input.next().ok_or(Malformed)?);
        }
        let low = usize::from(input.next().ok_or(Malformed)?);
        let distance = ((control & 31) << 8 | low) + 1;
        let from = output.len().checked_sub(distance).ok_or(Malformed)?;
        if output.len() + count > length {
            return Err(Malformed);
        }
        // What is copied may reach into what the copy itself adds.
        for place in from..from + count {
            output.push(output[place]);
        }
    }
    if output.len() == length {
        Ok(output)
    } else {
        Err(Malformed)
    }
}
