//! The generic commands: those that work on keys whatever they hold.

mod copy;
mod dump;
mod expire;
mod scan;
mod wait;

use crate::call::Call;
use crate::command::{Categories, Command, Flags, Group, Handler};
use crate::dialect::Quirk;
use crate::notification::Class;
use crate::reply::{Outcome, Reply};

const READ: &[Flags] = &[Flags::READONLY];
const READ_FAST: &[Flags] = &[Flags::READONLY, Flags::FAST];
const WRITE_FAST: &[Flags] = &[Flags::WRITE, Flags::FAST];

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("COPY", -3, copy::copy, "6.2.0")
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, 2, 1),
    row("DEL", -2, del, "1.0.0")
        .flags(&[Flags::WRITE])
        .keys(1, -1, 1),
    row("DUMP", 2, dump::dump, "2.6.0").flags(READ),
    row("EXISTS", -2, exists, "1.0.0")
        .flags(READ_FAST)
        .keys(1, -1, 1),
    row("EXPIRE", -3, expire::expire, "1.0.0").flags(WRITE_FAST),
    row("EXPIREAT", -3, expire::expireat, "1.2.0").flags(WRITE_FAST),
    row("EXPIRETIME", 2, expire::expiretime, "7.0.0").flags(READ_FAST),
    Command::new(Group::Generic, "KEYS", 2, scan::keys)
        .flags(READ)
        .categories(&[Categories::DANGEROUS])
        .read_only_token(false),
    Command::container(
        Group::Generic,
        "MEMORY",
        -2,
        &[
            Command::new(Group::Generic, "MEMORY USAGE", -3, memory_usage)
                .flags(READ)
                .keys(2, 2, 1)
                .without(Categories::KEYSPACE)
                .since("4.0.0"),
        ],
    )
    .without(Categories::KEYSPACE)
    .since("4.0.0"),
    row("PERSIST", 2, expire::persist, "2.2.0").flags(WRITE_FAST),
    row("PEXPIRE", -3, expire::pexpire, "2.6.0").flags(WRITE_FAST),
    row("PEXPIREAT", -3, expire::pexpireat, "2.6.0").flags(WRITE_FAST),
    row("PEXPIRETIME", 2, expire::pexpiretime, "7.0.0").flags(READ_FAST),
    row("PTTL", 2, expire::pttl, "2.6.0").flags(READ_FAST),
    Command::new(Group::Generic, "RANDOMKEY", 1, scan::randomkey).flags(READ),
    row("RENAME", 3, copy::rename, "1.0.0")
        .flags(&[Flags::WRITE])
        .keys(1, 2, 1),
    row("RENAMENX", 3, copy::renamenx, "1.0.0")
        .flags(WRITE_FAST)
        .keys(1, 2, 1),
    row("RESTORE", -4, dump::restore, "2.6.0")
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .categories(&[Categories::DANGEROUS]),
    Command::new(Group::Generic, "SCAN", -2, scan::scan)
        .flags(READ)
        .read_only_token(false)
        .since("2.8.0"),
    row("TOUCH", -2, exists, "3.2.1")
        .flags(READ_FAST)
        .keys(1, -1, 1),
    row("TTL", 2, expire::ttl, "1.0.0").flags(READ_FAST),
    row("TYPE", 2, type_, "1.0.0").flags(READ_FAST),
    row("UNLINK", -2, del, "4.0.0")
        .flags(WRITE_FAST)
        .keys(1, -1, 1),
    Command::new(Group::Generic, "WAIT", 3, wait::wait)
        .flags(&[Flags::BLOCKING])
        .categories(&[Categories::CONNECTION])
        .without(Categories::KEYSPACE)
        .since("3.0.0"),
    Command::new(Group::Generic, "WAITAOF", 4, wait::waitaof)
        .flags(&[Flags::BLOCKING])
        .categories(&[Categories::CONNECTION])
        .without(Categories::KEYSPACE)
        .since("7.2.0"),
];

const fn row(name: &'static str, arity: i16, handler: Handler, since: &'static str) -> Command {
    Command::new(Group::Generic, name, arity, handler)
        .keys(1, 1, 1)
        .since(since)
}

/// `DEL key …` and `UNLINK key …`
fn del(call: &mut Call<'_>) -> Outcome {
    let mut gone = 0;
    for key in call.args_from(1) {
        if call.db().remove(key) {
            call.changed(Class::GENERIC, "del", key);
            gone += 1;
        }
    }
    Ok(Reply::Integer(gone))
}

/// `EXISTS key …` and `TOUCH key …`: a key counts as often as it is named.
fn exists(call: &mut Call<'_>) -> Outcome {
    let keys = call.args_from(1);
    let db = call.db();
    Ok(Reply::count(
        keys.iter().filter(|key| db.contains(key)).count(),
    ))
}

/// `TYPE key`
fn type_(call: &mut Call<'_>) -> Outcome {
    let key = call.arg(1);
    let kind = call.db().kind(key);
    Ok(Reply::status(
        kind.map_or("none", |kind| call.kind_name(kind)),
    ))
}

/// `MEMORY USAGE key [SAMPLES count]`: an estimate; the whole value is looked at, however many
/// samples are asked for.
fn memory_usage(call: &mut Call<'_>) -> Outcome {
    let mut i = 3;
    while i < call.args.len() {
        if !call.is(i, "SAMPLES") || i + 1 == call.args.len() {
            return call.syntax_error();
        }
        if call.integer(i + 1)? < 0 && !call.quirk(Quirk::MemoryUsageSamples) {
            return call.syntax_error();
        }
        i += 2;
    }
    let key = call.arg(2);
    // What a key costs besides its name and value: its place in the table, and two allocations.
    const PER_KEY: usize = 96;
    let value = call.db().value(key);
    Ok(value.map_or(Reply::Nil, |value| {
        Reply::count(PER_KEY + key.len() + value.bytes())
    }))
}
