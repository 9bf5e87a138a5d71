//! List commands.

mod blocking;
mod element;
mod pop;

use crate::command::{Command, Flags, Group};

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("BLMOVE", 6, blocking::blmove)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::BLOCKING])
        .keys(1, 2, 1)
        .since("6.2.0")
        .tcp_only(),
    row("BLMPOP", -5, blocking::blmpop)
        .flags(&[Flags::WRITE, Flags::BLOCKING])
        .counted_keys(2, 0)
        .since("7.0.0")
        .tcp_only(),
    row("BLPOP", -3, blocking::blpop)
        .flags(&[Flags::WRITE, Flags::BLOCKING])
        .keys(1, -2, 1)
        .since("2.0.0")
        .tcp_only(),
    row("BRPOP", -3, blocking::brpop)
        .flags(&[Flags::WRITE, Flags::BLOCKING])
        .keys(1, -2, 1)
        .since("2.0.0")
        .tcp_only(),
    row("BRPOPLPUSH", 4, blocking::brpoplpush)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::BLOCKING])
        .keys(1, 2, 1)
        .since("2.2.0")
        .tcp_only(),
    row("LINDEX", 3, element::lindex)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("LINSERT", 5, element::linsert)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, 1, 1)
        .since("2.2.0"),
    row("LLEN", 2, element::llen)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("LMOVE", 5, pop::lmove)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, 2, 1)
        .since("6.2.0"),
    row("LMPOP", -4, pop::lmpop)
        .flags(&[Flags::WRITE])
        .counted_keys(1, 0)
        .since("7.0.0"),
    row("LPOP", -2, pop::lpop)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("LPOS", -3, element::lpos)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("6.0.6"),
    row("LPUSH", -3, element::lpush)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("LPUSHX", -3, element::lpushx)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .keys(1, 1, 1)
        .since("2.2.0"),
    row("LRANGE", 4, element::lrange)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("LREM", 4, element::lrem)
        .flags(&[Flags::WRITE])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("LSET", 4, element::lset)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("LTRIM", 4, element::ltrim)
        .flags(&[Flags::WRITE])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("RPOP", -2, pop::rpop)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("RPOPLPUSH", 3, pop::rpoplpush)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, 2, 1)
        .since("1.2.0"),
    row("RPUSH", -3, element::rpush)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("RPUSHX", -3, element::rpushx)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .keys(1, 1, 1)
        .since("2.2.0"),
];

const fn row(name: &'static str, arity: i16, handler: crate::command::Handler) -> Command {
    Command::new(Group::List, name, arity, handler)
}
