//! The hash commands against Redis.

use super::against_redis;
use super::generate::{
    Part, amount, any_of, command, counted, expiry, float, index, instant, integer, key, maybe,
    member, one_of, options, pattern, sequence, times, value, word,
};

/// `FIELDS numfields field …`
fn fields() -> Part {
    sequence(vec![word("FIELDS"), counted(member(), 1..4)])
}

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let pair = || sequence(vec![member(), value()]);
    let when = || maybe(one_of(&["NX", "XX", "gt", "LT"]));
    let around = |option: Part| -> Vec<Part> {
        vec![
            key(),
            any_of(vec![
                sequence(vec![maybe(option.clone()), fields()]),
                sequence(vec![fields(), maybe(option.clone())]),
                options(vec![option, fields()]),
            ]),
        ]
    };
    let set_fields = sequence(vec![word("FIELDS"), counted(pair(), 1..3)]);
    vec![
        command("HSET", vec![key(), times(pair(), 1..4)]),
        command("HMSET", vec![key(), times(pair(), 1..3)]),
        command("HSETNX", vec![key(), member(), value()]),
        command("HGET", vec![key(), member()]),
        command("HMGET", vec![key(), times(member(), 1..4)]),
        any_of(
            ["HGETALL", "HKEYS", "HVALS", "HLEN"]
                .map(|name| command(name, vec![key()]))
                .to_vec(),
        ),
        command("HSTRLEN", vec![key(), member()]),
        command("HEXISTS", vec![key(), member()]),
        command("HDEL", vec![key(), times(member(), 1..4)]),
        command("HINCRBY", vec![key(), member(), integer()]),
        command("HINCRBYFLOAT", vec![key(), member(), float()]),
        command(
            "HRANDFIELD",
            vec![key(), maybe(index()), maybe(word("WITHVALUES"))],
        ),
        command(
            "HSCAN",
            vec![
                key(),
                index(),
                options(vec![
                    sequence(vec![word("MATCH"), pattern()]),
                    sequence(vec![word("COUNT"), index()]),
                    one_of(&["NOVALUES", "WITHTYPE"]),
                ]),
            ],
        ),
        command("HEXPIRE", vec![key(), amount(), when(), fields(), when()]),
        command("HPEXPIRE", vec![key(), amount(), when(), fields(), when()]),
        command("HEXPIREAT", vec![key(), instant(), when(), fields()]),
        command("HPEXPIREAT", vec![key(), instant(), when(), fields()]),
        any_of(
            [
                "HTTL",
                "HPTTL",
                "HEXPIRETIME",
                "HPEXPIRETIME",
                "HPERSIST",
                "HGETDEL",
            ]
            .map(|name| command(name, vec![key(), fields()]))
            .to_vec(),
        ),
        command("HGETEX", around(any_of(vec![expiry(), word("PERSIST")]))),
        command(
            "HSETEX",
            vec![
                key(),
                options(vec![expiry(), one_of(&["FNX", "fxx", "KEEPTTL"])]),
                set_fields,
                maybe(any_of(vec![expiry(), one_of(&["FNX", "fxx", "KEEPTTL"])])),
            ],
        ),
    ]
}

#[test]
fn hash_commands_answer_as_redis_does() {
    against_redis("hash", commands());
}
