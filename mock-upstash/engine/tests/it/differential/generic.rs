//! The generic commands against Redis.

use super::against_redis;
use super::generate::{
    Part, amount, any_of, command, index, instant, key, one_of, options, pattern, sequence, times,
    word,
};

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let when = || options(vec![one_of(&["NX", "XX", "gt", "LT", "x"])]);
    let scan_option = || -> Part {
        options(vec![
            sequence(vec![word("MATCH"), pattern()]),
            sequence(vec![word("COUNT"), index()]),
            sequence(vec![word("COUNT"), word("100")]),
            sequence(vec![
                word("TYPE"),
                one_of(&["string", "hash", "SET", "zset", "x"]),
            ]),
            one_of(&["WITHTYPE", "NOVALUES"]),
        ])
    };
    vec![
        command("DEL", vec![times(key(), 1..3)]),
        command("UNLINK", vec![times(key(), 0..3)]),
        command("EXISTS", vec![times(key(), 1..4)]),
        command("TOUCH", vec![times(key(), 1..4)]),
        command("TYPE", vec![key()]),
        command("EXPIRE", vec![key(), amount(), when()]),
        command("PEXPIRE", vec![key(), amount(), when()]),
        command("EXPIREAT", vec![key(), instant(), when()]),
        command("PEXPIREAT", vec![key(), instant(), when()]),
        any_of(
            ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "PERSIST"]
                .map(|name| command(name, vec![key()]))
                .to_vec(),
        ),
        command("RENAME", vec![key(), key()]),
        command("RENAMENX", vec![key(), key()]),
        command(
            "COPY",
            vec![
                key(),
                key(),
                options(vec![
                    word("REPLACE"),
                    sequence(vec![word("DB"), one_of(&["0", "1", "15", "16", "-1", "x"])]),
                ]),
            ],
        ),
        command("RANDOMKEY", vec![]),
        command("KEYS", vec![pattern()]),
        command("SCAN", vec![word("0"), scan_option()]),
        command(
            "SCAN",
            vec![any_of(vec![index(), word(" 0")]), scan_option()],
        ),
        command(
            "MEMORY",
            vec![
                word("USAGE"),
                key(),
                options(vec![sequence(vec![word("SAMPLES"), index()])]),
            ],
        ),
        command(
            "WAIT",
            vec![one_of(&["0", "-1", "x"]), one_of(&["0", "-1", "x", "10"])],
        ),
        command(
            "WAITAOF",
            vec![
                one_of(&["0", "1", "2", "x"]),
                one_of(&["0", "-1", "x"]),
                one_of(&["0", "-1", "x", "10"]),
            ],
        ),
    ]
}

#[test]
fn generic_commands_answer_as_redis_does() {
    against_redis("generic", commands());
}
