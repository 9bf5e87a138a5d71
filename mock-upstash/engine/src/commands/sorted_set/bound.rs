//! The ends of ranges as clients write them.

use crate::call::Call;
use crate::error::ReplyError;
use crate::number;
use crate::value::sorted_set::{LexBound, LexRange, ScoreBound, ScoreRange};

/// Reads a range of scores: `(` before an end leaves it out.
///
/// # Errors
/// When an end is no number.
pub(super) fn scores(call: &Call<'_>, min: usize, max: usize) -> Result<ScoreRange, ReplyError> {
    let bound = |index| {
        let text = call.arg(index);
        let (text, exclusive) = match text.strip_prefix(b"(") {
            Some(rest) => (rest, true),
            None => (&text[..], false),
        };
        let score = number::lenient_double(text)
            .ok_or(ReplyError::fixed("ERR min or max is not a float"))?;
        Ok(ScoreBound { score, exclusive })
    };
    Ok(ScoreRange {
        min: bound(min)?,
        max: bound(max)?,
    })
}

/// Reads a range of members: `-`, `+`, or a member behind `[` or `(`.
///
/// # Errors
/// When an end is none of these.
pub(super) fn members<'e>(
    call: &Call<'e>,
    min: usize,
    max: usize,
) -> Result<LexRange<'e>, ReplyError> {
    let bound = |index| match &call.arg(index)[..] {
        b"-" => Ok(LexBound::Lowest),
        b"+" => Ok(LexBound::Highest),
        [b'[', member @ ..] => Ok(LexBound::Inclusive(member)),
        [b'(', member @ ..] => Ok(LexBound::Exclusive(member)),
        _ => Err(ReplyError::fixed(
            "ERR min or max not valid string range item",
        )),
    };
    Ok(LexRange {
        min: bound(min)?,
        max: bound(max)?,
    })
}
