//! The bitmap commands: strings as rows of bits.

mod field;

use crate::call::Call;
use crate::command::{Command, Flags, Group, Handler};
use crate::error::{BIT_NOT_AN_INTEGER, BIT_NOT_ONE_OR_ZERO, BIT_OFFSET, ReplyError};
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::Value;
use crate::value::bitmap::{self, Operation};

const WRITE: &[Flags] = &[Flags::WRITE, Flags::DENYOOM];
const READ: &[Flags] = &[Flags::READONLY];
const READ_FAST: &[Flags] = &[Flags::READONLY, Flags::FAST];

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("BITCOUNT", -2, bitcount, "2.6.0").flags(READ),
    row("BITFIELD", -2, field::bitfield, "3.2.0").flags(WRITE),
    row("BITFIELD_RO", -2, field::bitfield, "6.0.0").flags(READ_FAST),
    row("BITOP", -4, bitop, "2.6.0").flags(WRITE).keys(2, -1, 1),
    row("BITPOS", -3, bitpos, "2.8.7").flags(READ),
    row("GETBIT", 3, getbit, "2.2.0").flags(READ_FAST),
    row("SETBIT", 4, setbit, "2.2.0").flags(WRITE),
];

const fn row(name: &'static str, arity: i16, handler: Handler, since: &'static str) -> Command {
    Command::new(Group::Bitmap, name, arity, handler)
        .keys(1, 1, 1)
        .since(since)
}

/// Reads a bit's offset; in a string that may be as long as the configured limit.
fn read_offset(call: &Call<'_>, text: &[u8], width: i64) -> Result<usize, ReplyError> {
    number::integer(text)
        .and_then(|offset| offset.checked_mul(width))
        .and_then(|offset| usize::try_from(offset).ok())
        .filter(|offset| offset / 8 < call.engine.config.max_string_bytes)
        .ok_or(BIT_OFFSET)
}

/// `SETBIT key offset value`
fn setbit(call: &mut Call<'_>) -> Outcome {
    let offset = read_offset(call, call.arg(2), 1)?;
    let on = match number::integer(call.arg(3)) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(BIT_NOT_AN_INTEGER),
    };
    let key = call.arg(1);
    let (bytes, grown) = make_room(call, key, offset)?;
    let before = bitmap::bit(bytes, offset);
    bitmap::set_bit(bytes, offset, on);
    if grown || before != on {
        call.changed(Class::STRING, "setbit", key);
    }
    Ok(Reply::flag(before))
}

/// The string under a key, made long enough for a bit; and whether that changed it.
fn make_room<'c>(
    call: &'c mut Call<'_>,
    key: &[u8],
    last_bit: usize,
) -> Result<(&'c mut Vec<u8>, bool), ReplyError> {
    call.db().read::<Vec<u8>>(key)?;
    let bytes = call.db().write_or_default::<Vec<u8>>(key)?;
    let length = last_bit / 8 + 1;
    let grown = bytes.len() < length;
    if grown {
        bytes.resize(length, 0);
    }
    Ok((bytes, grown))
}

/// `GETBIT key offset`
fn getbit(call: &mut Call<'_>) -> Outcome {
    let offset = read_offset(call, call.arg(2), 1)?;
    let key = call.arg(1);
    let bytes = call.db().read::<Vec<u8>>(key)?;
    Ok(Reply::flag(
        bytes.is_some_and(|bytes| bitmap::bit(bytes, offset)),
    ))
}

/// `BYTE` or `BIT` at an index, if there is an argument: whether a range counts bits.
fn counts_bits(call: &Call<'_>, index: usize) -> Result<bool, ReplyError> {
    match call.args.len() {
        n if n <= index => Ok(false),
        n if n == index + 1 && call.is(index, "BIT") => Ok(true),
        n if n == index + 1 && call.is(index, "BYTE") => Ok(false),
        _ => call.syntax_error(),
    }
}

/// The bits of a string between two indexes of bytes or bits, both included.
fn bits_between(start: i64, end: i64, bits: bool, length: usize) -> Option<std::ops::Range<usize>> {
    let total = if bits { length.checked_mul(8)? } else { length };
    let range = number::range(start, end, total)?;
    Some(if bits {
        range
    } else {
        range.start * 8..range.end * 8
    })
}

/// `BITCOUNT key [start end [BYTE | BIT]]`
fn bitcount(call: &mut Call<'_>) -> Outcome {
    let (start, end, bits) = match call.args.len() {
        2 => (0, -1, false),
        n if !(4..=5).contains(&n) => return call.syntax_error(),
        _ => {
            let (start, end) = (call.integer(2)?, call.integer(3)?);
            (start, end, counts_bits(call, 4)?)
        }
    };
    let key = call.arg(1);
    let Some(bytes) = call.db().read::<Vec<u8>>(key)? else {
        return Ok(Reply::Integer(0));
    };
    let range = bits_between(start, end, bits, bytes.len());
    Ok(Reply::count(
        range.map_or(0, |range| bitmap::count(bytes, range)),
    ))
}

/// `BITPOS key bit [start [end [BYTE | BIT]]]`
fn bitpos(call: &mut Call<'_>) -> Outcome {
    let on = match call.integer(2)? {
        0 => false,
        1 => true,
        _ => return Err(BIT_NOT_ONE_OR_ZERO),
    };
    if call.args.len() > 6 {
        return call.syntax_error();
    }
    let start = match call.args.get(3) {
        Some(_) => call.integer(3)?,
        None => 0,
    };
    let bits = counts_bits(call, 5)?;
    let end = match call.args.get(4) {
        Some(_) => Some(call.integer(4)?),
        None => None,
    };
    let key = call.arg(1);
    let Some(bytes) = call.db().read::<Vec<u8>>(key)? else {
        return Ok(Reply::Integer(if on { -1 } else { 0 }));
    };
    let total = bytes.len() as i64 * if bits { 8 } else { 1 };
    let from_end = |index: i64| {
        if index < 0 {
            index.saturating_add(total)
        } else {
            index
        }
    };
    let first = from_end(start).max(0);
    let last = from_end(end.unwrap_or(-1)).max(if end.is_some() { 0 } else { -1 });
    let last = last.min(total - 1);
    if first > last {
        return Ok(Reply::Integer(-1));
    }
    let unit = if bits { 1 } else { 8 };
    let range = first as usize * unit..(last as usize + 1) * unit;
    let found = match bitmap::position(bytes, range, on) {
        Some(position) => position as i64,
        // Without an end, the string is taken to go on with zeros.
        None if !on && end.is_none() => bytes.len() as i64 * 8,
        None => -1,
    };
    Ok(Reply::Integer(found))
}

/// The operations of BITOP by name.
const OPERATIONS: [(&str, Operation); 8] = [
    ("AND", Operation::And),
    ("OR", Operation::Or),
    ("XOR", Operation::Xor),
    ("NOT", Operation::Not),
    ("DIFF", Operation::Diff),
    ("DIFF1", Operation::Diff1),
    ("ANDOR", Operation::AndOr),
    ("ONE", Operation::One),
];

/// `BITOP operation destination key …`
fn bitop(call: &mut Call<'_>) -> Outcome {
    let named = OPERATIONS.into_iter().find(|(name, _)| call.is(1, name));
    let Some((name, operation)) = named else {
        return call.syntax_error();
    };
    let (to, keys) = (call.arg(2), call.args_from(3));
    match operation {
        Operation::Not if keys.len() != 1 => {
            return Err(ReplyError::fixed(
                "ERR BITOP NOT must be called with a single source key.",
            ));
        }
        Operation::Diff | Operation::Diff1 | Operation::AndOr if keys.len() < 2 => {
            return Err(ReplyError::new(format!(
                "ERR BITOP {name} must be called with at least two source keys."
            )));
        }
        _ => {}
    }
    let db = call.db();
    let sources = keys.iter().map(|key| {
        let bytes = db.read::<Vec<u8>>(key)?;
        Ok(bytes.map_or(&[][..], |bytes| &bytes[..]))
    });
    let result = bitmap::combine(operation, &sources.collect::<Result<Vec<_>, ReplyError>>()?);
    let length = result.len();
    if length > 0 {
        call.db().insert(to, Value::String(result));
        call.changed(Class::STRING, "set", to);
    } else if call.db().remove(to) {
        call.changed(Class::GENERIC, "del", to);
    }
    Ok(Reply::count(length))
}
