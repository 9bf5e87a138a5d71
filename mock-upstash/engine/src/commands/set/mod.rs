//! Set commands.

mod algebra;
mod member;
mod random;

use crate::command::{Command, Flags, Group};

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("SADD", -3, member::sadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("SCARD", 2, member::scard)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("SDIFF", -2, algebra::sdiff)
        .flags(&[Flags::READONLY])
        .keys(1, -1, 1)
        .since("1.0.0"),
    row("SDIFFSTORE", -3, algebra::sdiffstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, -1, 1)
        .since("1.0.0"),
    row("SINTER", -2, algebra::sinter)
        .flags(&[Flags::READONLY])
        .keys(1, -1, 1)
        .since("1.0.0"),
    row("SINTERCARD", -3, algebra::sintercard)
        .flags(&[Flags::READONLY])
        .counted_keys(1, 0)
        .since("7.0.0"),
    row("SINTERSTORE", -3, algebra::sinterstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, -1, 1)
        .since("1.0.0"),
    row("SISMEMBER", 3, member::sismember)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("SMEMBERS", 2, member::smembers)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("SMISMEMBER", -3, member::smismember)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("6.2.0"),
    row("SMOVE", 4, member::smove)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 2, 1)
        .since("1.0.0"),
    row("SPOP", -2, random::spop)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("SRANDMEMBER", -2, random::srandmember)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("SREM", -3, member::srem)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.0.0"),
    row("SSCAN", -3, member::sscan)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("2.8.0"),
    row("SUNION", -2, algebra::sunion)
        .flags(&[Flags::READONLY])
        .keys(1, -1, 1)
        .since("1.0.0"),
    row("SUNIONSTORE", -3, algebra::sunionstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, -1, 1)
        .since("1.0.0"),
];

const fn row(name: &'static str, arity: i16, handler: crate::command::Handler) -> Command {
    Command::new(Group::Set, name, arity, handler)
}
