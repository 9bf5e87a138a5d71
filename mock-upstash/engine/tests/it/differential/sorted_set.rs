//! The sorted set commands against Redis.

use super::generate::{
    self, Args, Part, any_of, command, counted, float, index, integer, key, maybe, member, one_of,
    options, pattern, sequence, timeout, times, word,
};
use super::{against_redis, against_redis_with};

fn score() -> Part {
    any_of(vec![integer(), float()])
}

/// An end of a range of scores.
fn bound() -> Part {
    one_of(&[
        "-inf", "+inf", "(-inf", "(inf", "0", "1", "(1", "-3", "(-3", "2.5", "(", "", "((1", "nan",
        "1e400", "(1e-400", " 1", "1 ", "x",
    ])
}

fn limit() -> Part {
    sequence(vec![word("LIMIT"), index(), index()])
}

fn add_options() -> Part {
    options(vec![one_of(&["NX", "XX", "GT", "LT", "CH", "INCR", "ch"])])
}

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let pairs = || times(sequence(vec![score(), member()]), 1..6);
    let weights = || {
        let weight = any_of(vec![one_of(&["1", "2", "-1", "0", "inf", "-inf"]), float()]);
        sequence(vec![word("WEIGHTS"), times(weight, 1..4)])
    };
    let aggregate = || {
        let how = one_of(&["SUM", "MIN", "max", "COUNT", "AVG"]);
        sequence(vec![word("AGGREGATE"), how])
    };
    let joins = ["ZUNION", "ZINTER", "ZDIFF"].map(|name| {
        let extra = options(vec![weights(), aggregate(), word("WITHSCORES")]);
        command(name, vec![counted(key(), 1..4), extra])
    });
    let stores = ["ZUNIONSTORE", "ZINTERSTORE", "ZDIFFSTORE"].map(|name| {
        let extra = options(vec![weights(), aggregate()]);
        command(name, vec![key(), counted(key(), 1..4), extra])
    });
    let by_rank_or_score = || {
        any_of(vec![
            sequence(vec![index(), index()]),
            sequence(vec![bound(), bound(), word("BYSCORE")]),
        ])
    };
    let by_score = ["ZRANGEBYSCORE", "ZREVRANGEBYSCORE"].map(|name| {
        let extra = options(vec![limit(), word("WITHSCORES")]);
        command(name, vec![key(), bound(), bound(), extra])
    });
    let many = || {
        let count = maybe(sequence(vec![one_of(&["COUNT", "count"]), index()]));
        sequence(vec![
            counted(key(), 1..4),
            one_of(&["MIN", "max", "x"]),
            count,
        ])
    };
    vec![
        command("ZADD", vec![key(), pairs()]),
        command("ZADD", vec![key(), pairs()]),
        command("ZADD", vec![key(), add_options(), pairs()]),
        command("ZINCRBY", vec![key(), score(), member()]),
        command("ZREM", vec![key(), times(member(), 1..4)]),
        command("ZCARD", vec![key()]),
        command("ZSCORE", vec![key(), member()]),
        command("ZMSCORE", vec![key(), times(member(), 1..4)]),
        command("ZRANK", vec![key(), member(), maybe(word("WITHSCORE"))]),
        command("ZREVRANK", vec![key(), member(), maybe(word("withscore"))]),
        command("ZCOUNT", vec![key(), bound(), bound()]),
        command(
            "ZRANGE",
            vec![
                key(),
                by_rank_or_score(),
                options(vec![word("REV"), limit(), word("WITHSCORES")]),
            ],
        ),
        command(
            "ZRANGESTORE",
            vec![
                key(),
                key(),
                by_rank_or_score(),
                options(vec![word("REV"), limit()]),
            ],
        ),
        command(
            "ZREVRANGE",
            vec![key(), index(), index(), maybe(word("WITHSCORES"))],
        ),
        any_of(by_score.to_vec()),
        command("ZREMRANGEBYRANK", vec![key(), index(), index()]),
        command("ZREMRANGEBYSCORE", vec![key(), bound(), bound()]),
        any_of(joins.to_vec()),
        any_of(stores.to_vec()),
        command(
            "ZINTERCARD",
            vec![
                counted(key(), 1..4),
                maybe(sequence(vec![word("LIMIT"), index()])),
            ],
        ),
        command("ZPOPMIN", vec![key(), maybe(index())]),
        command("ZPOPMAX", vec![key(), maybe(index())]),
        command("ZMPOP", vec![many()]),
        any_of(vec![
            command("BZPOPMIN", vec![times(key(), 1..3), timeout()]),
            command("BZPOPMAX", vec![times(key(), 1..3), timeout()]),
            command("BZMPOP", vec![timeout(), many()]),
        ]),
        command(
            "ZRANDMEMBER",
            vec![key(), maybe(index()), maybe(word("WITHSCORES"))],
        ),
        command(
            "ZSCAN",
            vec![
                key(),
                index(),
                options(vec![
                    sequence(vec![word("MATCH"), pattern()]),
                    sequence(vec![word("COUNT"), index()]),
                ]),
            ],
        ),
    ]
}

#[test]
fn sorted_set_commands_answer_as_redis_does() {
    against_redis("sorted_set", commands());
}

/// Ranges of members are only well defined where all have one score, so nothing else gives scores.
pub(crate) fn lexical_commands() -> Vec<Part> {
    let bound = || {
        one_of(&[
            "-", "+", "[a", "(a", "[b", "(c", "[", "(", "[1", "(30", "x", "", "[m", "+x",
        ])
    };
    let one_score = || sequence(vec![word("1"), member()]);
    vec![
        command("ZADD", vec![key(), times(one_score(), 1..6)]),
        command("ZREM", vec![key(), member()]),
        command("ZLEXCOUNT", vec![key(), bound(), bound()]),
        command(
            "ZRANGE",
            vec![
                key(),
                bound(),
                bound(),
                word("BYLEX"),
                options(vec![word("REV"), limit(), word("WITHSCORES")]),
            ],
        ),
        command(
            "ZRANGESTORE",
            vec![
                key(),
                key(),
                bound(),
                bound(),
                word("bylex"),
                options(vec![limit()]),
            ],
        ),
        command("ZRANGEBYLEX", vec![key(), bound(), bound(), maybe(limit())]),
        command(
            "ZREVRANGEBYLEX",
            vec![key(), bound(), bound(), maybe(limit())],
        ),
        command("ZREMRANGEBYLEX", vec![key(), bound(), bound()]),
    ]
}

#[test]
fn lexical_ranges_answer_as_redis_does() {
    let is_fit =
        |args: &Args| generate::is_fit(args) && (args[0] != b"ZADD" || has_one_score(args));
    let group = "sorted_set_by_member";
    against_redis_with(&["FLUSHALL"], is_fit, group, lexical_commands());
}

fn has_one_score(args: &Args) -> bool {
    args.iter().skip(2).step_by(2).all(|score| score == b"1")
}
