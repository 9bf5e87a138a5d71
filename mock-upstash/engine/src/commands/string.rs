//! String commands.

use crate::call::Call;
use crate::command::{Command, Flags, Group};
use crate::notification::Class;
use crate::reply::{Outcome, Reply};
use crate::value::Value;

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("GET", 2, get)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("SET", -3, set)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, 1, 1)
        .since("1.0.0"),
];

const fn row(name: &'static str, arity: i16, handler: crate::command::Handler) -> Command {
    Command::new(Group::String, name, arity, handler)
}

/// `GET key`
fn get(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    Ok(Reply::bulk_or_nil(call.db().read::<Vec<u8>>(key)?))
}

/// `SET key value`
fn set(call: &mut Call<'_>) -> Outcome {
    let (key, value) = (call.arg(1), call.arg(2));
    call.db().insert(key, Value::String(value.to_vec()));
    call.changed(Class::STRING, "set", key);
    Ok(Reply::OK)
}
