//! Sorted set commands.

mod algebra;
mod bound;
mod pop;
mod random;
mod range;
mod remove;
mod score;

pub(crate) use score::{AddOptions, add};

use crate::call::Call;
use crate::command::{Command, Flags, Group};
use crate::reply::Reply;

/// Rows of the command table.
pub const COMMANDS: &[Command] = &[
    row("BZMPOP", -5, pop::bzmpop)
        .flags(&[Flags::WRITE, Flags::BLOCKING])
        .counted_keys(2, 0)
        .since("7.0.0")
        .tcp_only(),
    row("BZPOPMAX", -3, pop::bzpopmax)
        .flags(&[Flags::WRITE, Flags::BLOCKING, Flags::FAST])
        .keys(1, -2, 1)
        .since("5.0.0")
        .tcp_only(),
    row("BZPOPMIN", -3, pop::bzpopmin)
        .flags(&[Flags::WRITE, Flags::BLOCKING, Flags::FAST])
        .keys(1, -2, 1)
        .since("5.0.0")
        .tcp_only(),
    row("ZADD", -4, score::zadd)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.2.0"),
    row("ZCARD", 2, score::zcard)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.2.0"),
    row("ZCOUNT", 4, score::zcount)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("2.0.0"),
    row("ZDIFF", -3, algebra::zdiff)
        .flags(&[Flags::READONLY])
        .counted_keys(1, 0)
        .since("6.2.0"),
    row("ZDIFFSTORE", -4, algebra::zdiffstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .counted_keys(2, 1)
        .since("6.2.0"),
    row("ZINCRBY", 4, score::zincrby)
        .flags(&[Flags::WRITE, Flags::DENYOOM, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.2.0"),
    row("ZINTER", -3, algebra::zinter)
        .flags(&[Flags::READONLY])
        .counted_keys(1, 0)
        .since("6.2.0"),
    row("ZINTERCARD", -3, algebra::zintercard)
        .flags(&[Flags::READONLY])
        .counted_keys(1, 0)
        .since("7.0.0"),
    row("ZINTERSTORE", -4, algebra::zinterstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .counted_keys(2, 1)
        .since("2.0.0"),
    row("ZLEXCOUNT", 4, score::zlexcount)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("2.8.9"),
    row("ZMPOP", -4, pop::zmpop)
        .flags(&[Flags::WRITE])
        .counted_keys(1, 0)
        .since("7.0.0"),
    row("ZMSCORE", -3, score::zmscore)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("6.2.0"),
    row("ZPOPMAX", -2, pop::zpopmax)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("ZPOPMIN", -2, pop::zpopmin)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("5.0.0"),
    row("ZRANDMEMBER", -2, random::zrandmember)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("6.2.0"),
    row("ZRANGE", -4, range::zrange)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("1.2.0"),
    row("ZRANGEBYLEX", -4, range::zrangebylex)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("2.8.9"),
    row("ZRANGEBYSCORE", -4, range::zrangebyscore)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("1.0.5"),
    row("ZRANGESTORE", -5, range::zrangestore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .keys(1, 2, 1)
        .since("6.2.0"),
    row("ZRANK", -3, score::zrank)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("2.0.0"),
    row("ZREM", -3, score::zrem)
        .flags(&[Flags::WRITE, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.2.0"),
    row("ZREMRANGEBYLEX", 4, remove::zremrangebylex)
        .flags(&[Flags::WRITE])
        .keys(1, 1, 1)
        .since("2.8.9"),
    row("ZREMRANGEBYRANK", 4, remove::zremrangebyrank)
        .flags(&[Flags::WRITE])
        .keys(1, 1, 1)
        .since("2.0.0"),
    row("ZREMRANGEBYSCORE", 4, remove::zremrangebyscore)
        .flags(&[Flags::WRITE])
        .keys(1, 1, 1)
        .since("1.2.0"),
    row("ZREVRANGE", -4, range::zrevrange)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("1.2.0"),
    row("ZREVRANGEBYLEX", -4, range::zrevrangebylex)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("2.8.9"),
    row("ZREVRANGEBYSCORE", -4, range::zrevrangebyscore)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("2.2.0"),
    row("ZREVRANK", -3, score::zrevrank)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("2.0.0"),
    row("ZSCAN", -3, score::zscan)
        .flags(&[Flags::READONLY])
        .keys(1, 1, 1)
        .since("2.8.0"),
    row("ZSCORE", 3, score::zscore)
        .flags(&[Flags::READONLY, Flags::FAST])
        .keys(1, 1, 1)
        .since("1.2.0"),
    row("ZUNION", -3, algebra::zunion)
        .flags(&[Flags::READONLY])
        .counted_keys(1, 0)
        .since("6.2.0"),
    row("ZUNIONSTORE", -4, algebra::zunionstore)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .counted_keys(2, 1)
        .since("2.0.0"),
];

const fn row(name: &'static str, arity: i16, handler: crate::command::Handler) -> Command {
    Command::new(Group::SortedSet, name, arity, handler)
}

/// Members with their scores: pairs in RESP3, one after the other in RESP2.
fn with_scores(
    call: &Call<'_>,
    members: impl IntoIterator<Item = (impl AsRef<[u8]>, f64)>,
) -> Reply {
    if call.resp3() {
        return pairs(members);
    }
    flat(members)
}

/// Members with their scores, as an array of pairs.
fn pairs(members: impl IntoIterator<Item = (impl AsRef<[u8]>, f64)>) -> Reply {
    let pair = |(member, score)| Reply::Array(vec![Reply::bulk(member), Reply::Double(score)]);
    Reply::Array(members.into_iter().map(pair).collect())
}

/// Members and scores one after the other.
fn flat(members: impl IntoIterator<Item = (impl AsRef<[u8]>, f64)>) -> Reply {
    let both = |(member, score)| [Reply::bulk(member), Reply::Double(score)];
    Reply::Array(members.into_iter().flat_map(both).collect())
}
