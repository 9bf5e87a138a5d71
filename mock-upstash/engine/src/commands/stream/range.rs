//! Commands that show entries by id.

use crate::call::Call;
use crate::error::SYNTAX;
use crate::reply::{Outcome, Reply};
use crate::value::Stream;

use super::{argument, entry_reply};

/// `XLEN key`
pub(super) fn xlen(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let stream = call.db().read::<Stream>(key)?;
    Ok(Reply::count(stream.map_or(0, Stream::len)))
}

/// `XRANGE key start end [COUNT count]`
pub(super) fn xrange(call: &mut Call<'_>) -> Outcome {
    range(call, false)
}

/// `XREVRANGE key end start [COUNT count]`
pub(super) fn xrevrange(call: &mut Call<'_>) -> Outcome {
    range(call, true)
}

fn range(call: &mut Call<'_>, reversed: bool) -> Outcome {
    let (start, end) = if reversed { (3, 2) } else { (2, 3) };
    let start = argument::range_start(call, start)?;
    let end = argument::range_end(call, end)?;
    let mut count = None;
    let mut at = 4;
    while at < call.args.len() {
        if !call.is(at, "COUNT") || at + 1 == call.args.len() {
            return Err(SYNTAX);
        }
        count = Some(usize::try_from(call.integer(at + 1)?).unwrap_or(0));
        at += 2;
    }
    let key = call.arg(1);
    let Some(stream) = call.db().read::<Stream>(key)? else {
        return Ok(Reply::Array(Vec::new()));
    };
    // A count of nothing answers nil, but only where there is a stream.
    if count == Some(0) {
        return Ok(Reply::NilArray);
    }
    let limit = count.unwrap_or(usize::MAX);
    let entries = stream.range(start, end);
    Ok(Reply::Array(if reversed {
        entries.rev().take(limit).map(entry_reply).collect()
    } else {
        entries.take(limit).map(entry_reply).collect()
    }))
}
