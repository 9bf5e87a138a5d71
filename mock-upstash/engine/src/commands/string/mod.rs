//! The string commands.

mod condition;
mod counter;
mod set;

use crate::call::Call;
use crate::command::{Command, Flags, Group, Handler};
use crate::error::{OUT_OF_RANGE_OFFSET, ReplyError, STRING_TOO_LONG};
use crate::notification::Class;
use crate::number;
use crate::reply::{Outcome, Reply};
use crate::value::Value;

pub(crate) use counter::add_floats;

const READ_FAST: &[Flags] = &[Flags::READONLY, Flags::FAST];
const READ: &[Flags] = &[Flags::READONLY];
const WRITE: &[Flags] = &[Flags::WRITE, Flags::DENYOOM];
const WRITE_FAST: &[Flags] = &[Flags::WRITE, Flags::DENYOOM, Flags::FAST];
const TAKE_FAST: &[Flags] = &[Flags::WRITE, Flags::FAST];

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("APPEND", 3, append, "2.0.0").flags(WRITE_FAST),
    row("DECR", 2, counter::decr, "1.0.0").flags(WRITE_FAST),
    row("DECRBY", 3, counter::decrby, "1.0.0").flags(WRITE_FAST),
    row("DELEX", -2, condition::delex, "8.4.0").flags(TAKE_FAST),
    row("DIGEST", 2, condition::digest, "8.4.0").flags(READ_FAST),
    row("GET", 2, get, "1.0.0").flags(READ_FAST),
    row("GETDEL", 2, getdel, "6.2.0").flags(TAKE_FAST),
    row("GETEX", -2, set::getex, "6.2.0").flags(TAKE_FAST),
    row("GETRANGE", 4, getrange, "2.4.0").flags(READ),
    row("GETSET", 3, set::getset, "1.0.0").flags(WRITE_FAST),
    row("INCR", 2, counter::incr, "1.0.0").flags(WRITE_FAST),
    row("INCRBY", 3, counter::incrby, "1.0.0").flags(WRITE_FAST),
    row("INCRBYFLOAT", 3, counter::incrbyfloat, "2.6.0").flags(WRITE_FAST),
    row("MGET", -2, mget, "1.0.0")
        .flags(READ_FAST)
        .keys(1, -1, 1),
    row("MSET", -3, set::mset, "1.0.1")
        .flags(WRITE)
        .keys(1, -1, 2),
    row("MSETNX", -3, set::msetnx, "1.0.1")
        .flags(WRITE)
        .keys(1, -1, 2),
    row("PSETEX", 4, set::psetex, "2.6.0").flags(WRITE),
    row("SET", -3, set::set, "1.0.0").flags(WRITE),
    row("SETEX", 4, set::setex, "2.0.0").flags(WRITE),
    row("SETNX", 3, set::setnx, "1.0.0").flags(WRITE_FAST),
    row("SETRANGE", 4, setrange, "2.2.0").flags(WRITE),
    row("STRLEN", 2, strlen, "2.2.0").flags(READ_FAST),
    row("SUBSTR", 4, getrange, "1.0.0").flags(READ),
];

const fn row(name: &'static str, arity: i16, handler: Handler, since: &'static str) -> Command {
    Command::new(Group::String, name, arity, handler)
        .keys(1, 1, 1)
        .since(since)
}

/// `GET key`
fn get(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    Ok(Reply::bulk_or_nil(call.db().read::<Vec<u8>>(key)?))
}

/// `MGET key …`: a key of another kind counts as missing.
fn mget(call: &mut Call<'_>) -> Outcome {
    let keys = call.args_from(1);
    let db = call.db();
    let values = keys.iter().map(|key| match db.value(key) {
        Some(Value::String(bytes)) => Reply::bulk(bytes),
        _ => Reply::Nil,
    });
    Ok(Reply::Array(values.collect()))
}

/// `GETDEL key`
fn getdel(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    if call.db().read::<Vec<u8>>(key)?.is_none() {
        return Ok(Reply::Nil);
    }
    let taken = call.db().take(key);
    call.changed(Class::GENERIC, "del", key);
    Ok(match taken.map(|entry| entry.value) {
        Some(Value::String(bytes)) => Reply::Bulk(bytes.into()),
        _ => Reply::Nil,
    })
}

/// `STRLEN key`
fn strlen(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    Ok(Reply::count(
        call.db().read::<Vec<u8>>(key)?.map_or(0, Vec::len),
    ))
}

/// `GETRANGE key start end`, and its old name `SUBSTR`
fn getrange(call: &mut Call<'_>) -> Outcome {
    let (start, end) = (call.integer(2)?, call.integer(3)?);
    let key = call.arg(1);
    let Some(bytes) = call.db().read::<Vec<u8>>(key)? else {
        return Ok(Reply::bulk(b""));
    };
    Ok(Reply::bulk(match number::range(start, end, bytes.len()) {
        Some(range) => &bytes[range],
        None => b"",
    }))
}

/// `APPEND key value`
fn append(call: &mut Call<'_>) -> Outcome {
    let (key, tail) = (call.arg(1), call.arg(2));
    let held = call.db().read::<Vec<u8>>(key)?.map_or(0, Vec::len);
    check_length(call, held, tail.len())?;
    let bytes = call.db().write_or_default::<Vec<u8>>(key)?;
    bytes.extend_from_slice(tail);
    let length = bytes.len();
    call.changed(Class::STRING, "append", key);
    Ok(Reply::count(length))
}

/// `SETRANGE key offset value`
fn setrange(call: &mut Call<'_>) -> Outcome {
    let (key, patch) = (call.arg(1), call.arg(3));
    let offset = usize::try_from(call.integer(2)?).map_err(|_| OUT_OF_RANGE_OFFSET)?;
    let held = call.db().read::<Vec<u8>>(key)?.map_or(0, Vec::len);
    if patch.is_empty() {
        return Ok(Reply::count(held));
    }
    check_length(call, offset, patch.len())?;
    let bytes = call.db().write_or_default::<Vec<u8>>(key)?;
    let end = offset + patch.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(patch);
    let length = bytes.len();
    call.changed(Class::STRING, "setrange", key);
    Ok(Reply::count(length))
}

/// Refuses a string that would be longer than the configured limit.
fn check_length(call: &Call<'_>, held: usize, added: usize) -> Result<(), ReplyError> {
    match held.checked_add(added) {
        Some(length) if length <= call.engine.config.max_string_bytes => Ok(()),
        _ => Err(STRING_TOO_LONG),
    }
}
