//! Transactions from several clients against Redis: what is queued, refused, watched and carried out.

use proptest::prelude::*;

use super::generate::{any_of, command, index, instant, key, member, one_of, times, value, word};
use super::interleaving::{CLIENTS, Step, anybody, interleaved_against_redis, protocols};
use super::{hash, list, set, sorted_set, stream, string};

fn steps() -> BoxedStrategy<Step> {
    let data = [
        string::commands(),
        hash::commands(),
        list::commands(),
        set::commands(),
        sorted_set::commands(),
        stream::commands(),
    ];
    let changes = vec![
        command("SET", vec![key(), value()]),
        command("INCR", vec![key()]),
        command("RPUSH", vec![key(), value()]),
        command("LPOP", vec![key()]),
        command("HSET", vec![key(), member(), value()]),
        command("HDEL", vec![key(), member()]),
        command("SREM", vec![key(), member()]),
        command("DEL", vec![key()]),
        command("RENAME", vec![key(), key()]),
        command("PEXPIREAT", vec![key(), instant()]),
        command("PERSIST", vec![key()]),
        command("SETRANGE", vec![key(), word("0"), word("")]),
        command("ZADD", vec![key(), word("XX"), index(), member()]),
        command("XADD", vec![key(), word("1-*"), word("f"), word("v")]),
        command("XDEL", vec![key(), word("1-0")]),
        command("XTRIM", vec![key(), word("MAXLEN"), word("1")]),
        command("COPY", vec![key(), key(), word("REPLACE")]),
        command("LTRIM", vec![key(), index(), index()]),
        command("PFADD", vec![key(), value()]),
        one_of(&["FLUSHALL", "FLUSHDB"]),
    ];
    let words = vec![
        command("MULTI", vec![]),
        command("EXEC", vec![]),
        command("DISCARD", vec![]),
        command("UNWATCH", vec![]),
        command("WATCH", vec![times(key(), 1..3)]),
        command("SELECT", vec![one_of(&["0", "1", "99"])]),
        command("NOPE", vec![value()]),
        command("PING", vec![]),
        command(
            "EVAL",
            vec![
                one_of(&[
                    "return redis.call('SET', KEYS[1], ARGV[1])",
                    "return redis.call('GET', KEYS[1])",
                    "return redis.call('LPUSH', KEYS[1], ARGV[1])",
                    "return redis.call('MULTI')",
                    "return",
                ]),
                word("1"),
                key(),
                value(),
            ],
        ),
        word("RESET"),
    ];
    prop_oneof![
        5 => anybody(words),
        3 => anybody(changes),
        2 => anybody(data.map(any_of).to_vec()),
        2 => (0..CLIENTS, one_of(&["MULTI", "EXEC"])),
        2 => (0..CLIENTS, command("WATCH", vec![key()])),
    ]
    .boxed()
}

#[test]
fn transactions_end_as_with_redis() {
    interleaved_against_redis("transaction", protocols(), steps(), |control| {
        control.run("FLUSHALL");
    });
}
