//! The hash commands.

mod expire;
mod field_option;
mod get;
mod scan;
mod set;

use crate::command::{Command, Flags, Group, Handler};

const READ: &[Flags] = &[Flags::READONLY];
const READ_FAST: &[Flags] = &[Flags::READONLY, Flags::FAST];
const WRITE_FAST: &[Flags] = &[Flags::WRITE, Flags::DENYOOM, Flags::FAST];
const TAKE_FAST: &[Flags] = &[Flags::WRITE, Flags::FAST];

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("HDEL", -3, set::hdel, "2.0.0").flags(TAKE_FAST),
    row("HEXISTS", 3, get::hexists, "2.0.0").flags(READ_FAST),
    row("HEXPIRE", -6, expire::hexpire, "7.4.0").flags(TAKE_FAST),
    row("HEXPIREAT", -6, expire::hexpireat, "7.4.0").flags(TAKE_FAST),
    row("HEXPIRETIME", -5, expire::hexpiretime, "7.4.0").flags(READ_FAST),
    row("HGET", 3, get::hget, "2.0.0").flags(READ_FAST),
    row("HGETALL", 2, get::hgetall, "2.0.0").flags(READ),
    row("HGETDEL", -5, get::hgetdel, "8.0.0").flags(TAKE_FAST),
    row("HGETEX", -5, get::hgetex, "8.0.0").flags(TAKE_FAST),
    row("HINCRBY", 4, set::hincrby, "2.0.0").flags(WRITE_FAST),
    row("HINCRBYFLOAT", 4, set::hincrbyfloat, "2.6.0").flags(WRITE_FAST),
    row("HKEYS", 2, get::hkeys, "2.0.0").flags(READ),
    row("HLEN", 2, get::hlen, "2.0.0").flags(READ_FAST),
    row("HMGET", -3, get::hmget, "2.0.0").flags(READ_FAST),
    row("HMSET", -4, set::hmset, "2.0.0").flags(WRITE_FAST),
    row("HPERSIST", -5, expire::hpersist, "7.4.0").flags(TAKE_FAST),
    row("HPEXPIRE", -6, expire::hpexpire, "7.4.0").flags(TAKE_FAST),
    row("HPEXPIREAT", -6, expire::hpexpireat, "7.4.0").flags(TAKE_FAST),
    row("HPEXPIRETIME", -5, expire::hpexpiretime, "7.4.0").flags(READ_FAST),
    row("HPTTL", -5, expire::hpttl, "7.4.0").flags(READ_FAST),
    row("HRANDFIELD", -2, scan::hrandfield, "6.2.0").flags(READ),
    row("HSCAN", -3, scan::hscan, "2.8.0").flags(READ),
    row("HSET", -4, set::hset, "2.0.0").flags(WRITE_FAST),
    row("HSETEX", -6, set::hsetex, "8.0.0").flags(WRITE_FAST),
    row("HSETNX", 4, set::hsetnx, "2.0.0").flags(WRITE_FAST),
    row("HSTRLEN", 3, get::hstrlen, "3.2.0").flags(READ_FAST),
    row("HTTL", -5, expire::httl, "7.4.0").flags(READ_FAST),
    row("HVALS", 2, get::hvals, "2.0.0").flags(READ),
];

const fn row(name: &'static str, arity: i16, handler: Handler, since: &'static str) -> Command {
    Command::new(Group::Hash, name, arity, handler)
        .keys(1, 1, 1)
        .since(since)
}
