//! The set commands against Redis.

use super::against_redis;
use super::generate::{
    Part, any_of, command, counted, index, integer, key, maybe, member, one_of, options, pattern,
    sequence, times, word,
};

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let members = || any_of(vec![times(member(), 1..5), times(integer(), 1..9)]);
    let algebra = ["SUNION", "SINTER", "SDIFF"].map(|name| command(name, vec![times(key(), 1..4)]));
    let stores = ["SUNIONSTORE", "SINTERSTORE", "SDIFFSTORE"]
        .map(|name| command(name, vec![key(), times(key(), 1..4)]));
    // Nothing or everything: what lies between is left to chance.
    let all_or_nothing = || one_of(&["0", "5000", "9223372036854775807", "-1", "x"]);
    vec![
        command("SADD", vec![key(), members()]),
        command("SADD", vec![key(), members()]),
        command("SREM", vec![key(), members()]),
        command("SCARD", vec![key()]),
        command("SISMEMBER", vec![key(), member()]),
        command("SMISMEMBER", vec![key(), members()]),
        command("SMEMBERS", vec![key()]),
        command("SMOVE", vec![key(), key(), member()]),
        any_of(algebra.to_vec()),
        any_of(stores.to_vec()),
        command(
            "SINTERCARD",
            vec![
                counted(key(), 1..4),
                maybe(sequence(vec![one_of(&["LIMIT", "limit"]), index()])),
            ],
        ),
        command("SPOP", vec![key(), all_or_nothing()]),
        command("SRANDMEMBER", vec![key(), maybe(all_or_nothing())]),
        command(
            "SSCAN",
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
fn set_commands_answer_as_redis_does() {
    against_redis("set", commands());
}
