//! Stream commands.

mod add;
mod argument;
mod claim;
mod delete;
mod group;
mod info;
mod pending;
mod pending_limit;
mod range;
mod read;

use bytes::Bytes;

pub use read::asks_to_block;

use crate::call::Call;
use crate::command::{Command, Flags, Group};
use crate::error::ReplyError;
use crate::notification::Class;
use crate::reply::Reply;
use crate::value::stream::{Entry, Id};
use crate::value::{Stream, stream};

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("XACK", -4, delete::xack)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("XACKDEL", -6, delete::xackdel)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("8.2.0"),
    row("XADD", -5, add::xadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("XAUTOCLAIM", -6, claim::xautoclaim)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("6.2.0"),
    row("XCLAIM", -6, claim::xclaim)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("XDEL", -3, delete::xdel)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("XDELEX", -5, delete::xdelex)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("8.2.0"),
    row("XLEN", 2, range::xlen)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("XPENDING", -3, pending::xpending)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("XRANGE", -4, range::xrange)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("XREAD", -4, read::xread)
        .flags(&[Flags::READONLY, Flags::BLOCKING])
        .custom_keys(0, read::keys)
        .since("5.0.0"),
    row("XREADGROUP", -7, read::xreadgroup)
        .flags(&[Flags::WRITE, Flags::BLOCKING])
        .custom_keys(0, read::keys)
        .since("5.0.0"),
    row("XREVRANGE", -4, range::xrevrange)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("XTRIM", -4, delete::xtrim)
        .flags(&[Flags::WRITE])
        .keys(1, 1, 1)
        .since("5.0.0"),
    Command::container(Group::Stream, "XGROUP", -2, GROUP_SUBCOMMANDS).since("5.0.0"),
    Command::container(Group::Stream, "XINFO", -2, INFO_SUBCOMMANDS).since("5.0.0"),
];

const GROUP_SUBCOMMANDS: &[Command] = &[
    row("XGROUP CREATE", -5, group::create)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(2, 2, 1)
        .since("5.0.0"),
    row("XGROUP CREATECONSUMER", 5, group::createconsumer)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(2, 2, 1)
        .since("6.2.0"),
    row("XGROUP DELCONSUMER", 5, group::delconsumer)
        .flags(&[Flags::WRITE])
        .keys(2, 2, 1)
        .since("5.0.0"),
    row("XGROUP DESTROY", 4, group::destroy)
        .flags(&[Flags::WRITE])
        .keys(2, 2, 1)
        .since("5.0.0"),
    row("XGROUP SETID", -5, group::setid)
        .flags(&[Flags::WRITE])
        .keys(2, 2, 1)
        .since("5.0.0"),
];

const INFO_SUBCOMMANDS: &[Command] = &[
    row("XINFO CONSUMERS", 4, info::consumers)
        .flags(&[Flags::READONLY])
        .keys(2, 2, 1)
        .since("5.0.0"),
    row("XINFO GROUPS", 3, info::groups)
        .flags(&[Flags::READONLY])
        .keys(2, 2, 1)
        .since("5.0.0"),
    row("XINFO STREAM", -3, info::stream)
        .flags(&[Flags::READONLY])
        .keys(2, 2, 1)
        .since("5.0.0"),
];

const fn row(name: &'static str, arity: i16, handler: crate::command::Handler) -> Command {
    Command::new(Group::Stream, name, arity, handler)
}

/// An id as clients see it.
fn id_reply(id: Id) -> Reply {
    Reply::bulk(id.to_string())
}

/// An entry's fields and values.
fn fields_reply(entry: &Entry) -> Reply {
    Reply::bulks(entry.fields.iter())
}

/// An entry: its id, and its fields and values.
fn entry_reply(entry: &Entry) -> Reply {
    Reply::Array(vec![id_reply(entry.id), fields_reply(entry)])
}

/// A name as Redis puts it into an error text: as a C string, which ends with the first zero byte.
fn shown(name: &[u8]) -> &[u8] {
    name.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The error for a group that is looked for in a stream that may not be there either.
fn no_group(key: &Bytes, group: &Bytes) -> ReplyError {
    let parts: [&[u8]; 5] = [
        b"NOGROUP No such key '",
        shown(key),
        b"' or consumer group '",
        shown(group),
        b"'",
    ];
    ReplyError::new(parts.concat())
}

/// The error for a group that a stream lacks.
fn no_group_in_key(key: &Bytes, group: &Bytes) -> ReplyError {
    let parts: [&[u8]; 5] = [
        b"NOGROUP No such consumer group '",
        shown(group),
        b"' for key name '",
        shown(key),
        b"'",
    ];
    ReplyError::new(parts.concat())
}

/// Checks that a key holds a stream with a group.
///
/// # Errors
/// When it holds something else, or there is no such key or group.
fn require_group(call: &mut Call<'_>, key: &Bytes, group: &Bytes) -> Result<(), ReplyError> {
    match call.db().read::<Stream>(key)? {
        Some(stream) if stream.group(group).is_some() => Ok(()),
        _ => Err(no_group(key, group)),
    }
}

/// A group of a stream, to change.
///
/// # Errors
/// When the key holds something else, or there is no such key or group.
fn group_mut<'c>(
    call: &'c mut Call<'_>,
    key: &Bytes,
    group: &Bytes,
) -> Result<&'c mut stream::Group, ReplyError> {
    match call.db().write::<Stream>(key)? {
        Some(stream) => stream.group_mut(group).ok_or_else(|| no_group(key, group)),
        None => Err(no_group(key, group)),
    }
}

/// Makes sure that a group has a consumer and notes that it was seen; says so when it is new.
fn see_consumer(
    call: &mut Call<'_>,
    key: &Bytes,
    group: &Bytes,
    consumer: &Bytes,
) -> Result<(), ReplyError> {
    let now_ms = call.now_ms;
    let found = group_mut(call, key, group)?;
    let created = found.create_consumer(consumer, now_ms);
    found.saw(consumer, now_ms);
    if created {
        // Redis does not count that as a change of the key: transactions that watch it go on.
        call.notify(Class::STREAM, "xgroup-createconsumer", key);
    }
    Ok(())
}
