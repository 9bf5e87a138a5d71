//! The HyperLogLog commands: counting distinct elements in a string of fixed size.

use crate::call::Call;
use crate::command::{Command, Flags, Group, Handler};
use crate::error::{CORRUPTED_HYPERLOGLOG, NOT_A_HYPERLOGLOG, ReplyError};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::hyperloglog::{self, Corrupted};

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("PFADD", -2, pfadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .keys(1, 1, 1),
    row("PFCOUNT", -2, pfcount).flags(&[Flags::READONLY]),
    row("PFMERGE", -2, pfmerge).flags(&[Flags::WRITE, Flags::DENYOOM]),
];

const fn row(name: &'static str, arity: i16, handler: Handler) -> Command {
    Command::new(Group::HyperLogLog, name, arity, handler)
        .keys(1, -1, 1)
        .since("2.8.9")
}

/// The error for registers that do not add up.
fn corrupted(_: Corrupted) -> ReplyError {
    CORRUPTED_HYPERLOGLOG
}

/// The HyperLogLog under a key, if there is one.
fn read<'c>(call: &'c mut Call<'_>, key: &[u8]) -> Result<Option<&'c Vec<u8>>, ReplyError> {
    match call.db().read::<Vec<u8>>(key)? {
        Some(bytes) if !hyperloglog::is_valid(bytes) => Err(NOT_A_HYPERLOGLOG),
        held => Ok(held),
    }
}

/// The HyperLogLog under a key to change, made when there is none; and whether it was made.
fn write<'c>(call: &'c mut Call<'_>, key: &[u8]) -> Result<(&'c mut Vec<u8>, bool), ReplyError> {
    let made = read(call, key)?.is_none();
    let bytes = call.db().write_or_default::<Vec<u8>>(key)?;
    if made {
        *bytes = hyperloglog::new();
    }
    Ok((bytes, made))
}

/// `PFADD key [element …]`
fn pfadd(call: &mut Call<'_>) -> Outcome {
    let (key, elements) = (call.arg(1), call.args_from(2));
    let (bytes, mut changed) = write(call, key)?;
    for element in elements {
        changed |= hyperloglog::add(bytes, element).map_err(corrupted)?;
    }
    if changed {
        hyperloglog::invalidate(bytes);
        call.changed(Class::STRING, "pfadd", key);
    }
    Ok(Reply::flag(changed))
}

/// `PFCOUNT key …`: of one key, the answer is kept in its string.
fn pfcount(call: &mut Call<'_>) -> Outcome {
    let keys = call.args_from(1);
    let mut registers = hyperloglog::no_registers();
    for key in keys {
        let Some(bytes) = read(call, key)? else {
            continue;
        };
        if keys.len() == 1
            && let Some(cardinality) = hyperloglog::cached(bytes)
        {
            return Ok(count(cardinality));
        }
        hyperloglog::merge(&mut registers, bytes).map_err(corrupted)?;
    }
    let cardinality = hyperloglog::estimate(&registers);
    if let [key] = keys
        && let Some(bytes) = call.db().write::<Vec<u8>>(key)?
    {
        hyperloglog::set_cached(bytes, cardinality);
        call.modified(key);
    }
    Ok(count(cardinality))
}

fn count(cardinality: u64) -> Reply {
    // A header made to deceive may hold any 63 bits.
    Reply::Integer(cardinality as i64)
}

/// `PFMERGE destination [source …]`
fn pfmerge(call: &mut Call<'_>) -> Outcome {
    let to = call.arg(1);
    let (mut registers, mut dense) = (hyperloglog::no_registers(), false);
    for key in call.args_from(1) {
        if let Some(bytes) = read(call, key)? {
            dense |= hyperloglog::is_dense(bytes);
            hyperloglog::merge(&mut registers, bytes).map_err(corrupted)?;
        }
    }
    let (bytes, _) = write(call, to)?;
    if dense {
        hyperloglog::make_dense(bytes).map_err(corrupted)?;
    }
    for (index, register) in registers.into_iter().enumerate() {
        if register > 0 {
            hyperloglog::raise(bytes, index, register).map_err(corrupted)?;
        }
    }
    hyperloglog::invalidate(bytes);
    call.changed(Class::STRING, "pfadd", to);
    Ok(Reply::OK)
}
