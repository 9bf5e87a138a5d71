//! Numbers among the arguments, read with the limits and error texts that commands share.

use crate::call::Call;
use crate::error::{MUST_BE_POSITIVE, ReplyError};
use crate::number;

/// An integer between `min` and `max`; `error` is for one that is outside, or no integer at all.
///
/// # Errors
/// With `error`.
pub(crate) fn ranged(
    call: &Call<'_>,
    index: usize,
    min: i64,
    max: i64,
    error: ReplyError,
) -> Result<i64, ReplyError> {
    number::integer(call.arg(index))
        .filter(|n| (min..=max).contains(n))
        .ok_or(error)
}

/// An integer that is not negative.
///
/// # Errors
/// `ERR value is out of range, must be positive`, also for what is no integer.
pub(crate) fn non_negative(call: &Call<'_>, index: usize) -> Result<usize, ReplyError> {
    let n = ranged(call, index, 0, i64::MAX, MUST_BE_POSITIVE)?;
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}

/// An integer whose magnitude is one too: anything but the smallest.
///
/// # Errors
/// When it is no integer, or the one whose magnitude does not fit.
pub(crate) fn magnitude(call: &Call<'_>, index: usize) -> Result<i64, ReplyError> {
    let n = call.integer(index)?;
    if n == i64::MIN {
        return Err(ReplyError::fixed(
            "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ));
    }
    Ok(n)
}

/// The number of keys at `index`, and where the arguments behind those keys begin.
///
/// # Errors
/// With `error` when it is not positive.
pub(crate) fn key_count(
    call: &Call<'_>,
    index: usize,
    error: ReplyError,
) -> Result<(usize, usize), ReplyError> {
    let count = ranged(call, index, 1, i64::MAX, error)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    Ok((count, count.saturating_add(index + 1)))
}
