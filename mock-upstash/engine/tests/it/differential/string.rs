//! The string commands against Redis.

use super::against_redis;
use super::generate::{
    Part, amount, any_of, command, expiry, float, index, integer, key, maybe, one_of, options,
    sequence, times, value, word,
};

fn condition() -> Part {
    any_of(vec![
        sequence(vec![one_of(&["IFEQ", "ifne"]), value()]),
        sequence(vec![
            one_of(&["IFDEQ", "ifdne"]),
            // The digests of "a", "1" and "", one in capitals, and what is none.
            one_of(&[
                "e6c632b61e964e1f",
                "65CD25028F98F158",
                "2d06800538d394c2",
                "short",
                "zzzzzzzzzzzzzzzz",
            ]),
        ]),
    ])
}

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let set_option = || {
        options(vec![
            one_of(&["NX", "XX", "get", "KEEPTTL"]),
            expiry(),
            condition(),
        ])
    };
    vec![
        command("GET", vec![key()]),
        command("SET", vec![key(), value()]),
        command("SET", vec![key(), value(), set_option()]),
        command(
            "SET",
            vec![key(), value(), maybe(condition()), maybe(word("GET"))],
        ),
        command("SETNX", vec![key(), value()]),
        command("SETEX", vec![key(), amount(), value()]),
        command("PSETEX", vec![key(), amount(), value()]),
        command("GETSET", vec![key(), value()]),
        command("GETDEL", vec![key()]),
        command(
            "GETEX",
            vec![key(), options(vec![expiry(), word("PERSIST")])],
        ),
        command("DELEX", vec![key(), maybe(condition())]),
        command("DIGEST", vec![key()]),
        command("STRLEN", vec![key()]),
        command("APPEND", vec![key(), value()]),
        command("GETRANGE", vec![key(), index(), index()]),
        command("SUBSTR", vec![key(), index(), index()]),
        command("SETRANGE", vec![key(), index(), value()]),
        command("INCR", vec![key()]),
        command("DECR", vec![key()]),
        command("INCRBY", vec![key(), integer()]),
        command("DECRBY", vec![key(), integer()]),
        command("INCRBYFLOAT", vec![key(), float()]),
        command("SET", vec![key(), float()]),
        command("MGET", vec![times(key(), 1..4)]),
        command("MSET", vec![times(sequence(vec![key(), value()]), 1..4)]),
        command("MSETNX", vec![times(sequence(vec![key(), value()]), 1..3)]),
    ]
}

#[test]
fn string_commands_answer_as_redis_does() {
    against_redis("string", commands());
}
