//! The list commands against Redis.

use super::against_redis;
use super::generate::{
    Part, any_of, command, counted, index, integer, key, maybe, one_of, options, sequence, timeout,
    times, value, word,
};

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let end = || one_of(&["LEFT", "RIGHT", "left", "Right", "UP"]);
    let element = || any_of(vec![one_of(&["a", "b", "c", "1", ""]), value()]);
    let count = || maybe(sequence(vec![one_of(&["COUNT", "count"]), index()]));
    let many = || sequence(vec![counted(key(), 1..4), end(), count()]);
    let push = ["LPUSH", "RPUSH", "LPUSHX", "RPUSHX"]
        .map(|name| command(name, vec![key(), times(element(), 1..6)]));
    vec![
        any_of(push.to_vec()),
        command("RPUSH", vec![key(), times(element(), 1..6)]),
        command("LLEN", vec![key()]),
        command("LINDEX", vec![key(), index()]),
        command("LSET", vec![key(), index(), element()]),
        command(
            "LINSERT",
            vec![
                key(),
                one_of(&["BEFORE", "after", "x"]),
                element(),
                element(),
            ],
        ),
        command("LRANGE", vec![key(), index(), index()]),
        command("LTRIM", vec![key(), index(), index()]),
        command("LREM", vec![key(), index(), element()]),
        command(
            "LPOS",
            vec![
                key(),
                element(),
                options(vec![sequence(vec![
                    one_of(&["RANK", "COUNT", "MAXLEN", "rank"]),
                    index(),
                ])]),
            ],
        ),
        command("LPOP", vec![key(), maybe(index())]),
        command("RPOP", vec![key(), maybe(integer())]),
        command("LMOVE", vec![key(), key(), end(), end()]),
        command("RPOPLPUSH", vec![key(), key()]),
        command("LMPOP", vec![many()]),
        any_of(vec![
            command("BLPOP", vec![times(key(), 1..3), timeout()]),
            command("BRPOP", vec![times(key(), 1..3), timeout()]),
            command("BLMOVE", vec![key(), key(), end(), end(), timeout()]),
            command("BRPOPLPUSH", vec![key(), key(), timeout()]),
            command("BLMPOP", vec![timeout(), many()]),
        ]),
        command("DEL", vec![word("k1"), key()]),
    ]
}

#[test]
fn list_commands_answer_as_redis_does() {
    against_redis("list", commands());
}
