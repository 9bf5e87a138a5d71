//! Commands that wait, from several clients, against Redis: who is served, when, and with what.

use proptest::prelude::*;

use super::generate::{
    Part, any_of, command, counted, index, key, maybe, member, one_of, sequence, times, word,
};
use super::interleaving::{CLIENTS, Step, anybody, interleaved_against_redis, protocols};

/// Few keys, so that clients wait for the same ones.
fn place() -> Part {
    one_of(&["k1", "k1", "k2", "k3"])
}

/// For ever; now and then something that is refused.
fn timeout() -> Part {
    prop_oneof![12 => one_of(&["0", "0.0", "1000"]), 1 => one_of(&["-1", "x", "inf", "1e300"])]
        .boxed()
}

fn end() -> Part {
    one_of(&["LEFT", "RIGHT"])
}

fn count() -> Part {
    maybe(sequence(vec![word("COUNT"), one_of(&["1", "2", "5", "0"])]))
}

fn id() -> Part {
    one_of(&["$", "+", "0", "1-1", "3-0", ">"])
}

fn group() -> Part {
    sequence(vec![
        word("GROUP"),
        one_of(&["g", "g", "h"]),
        one_of(&["alice", "bob"]),
    ])
}

fn block() -> Part {
    sequence(vec![
        word("BLOCK"),
        one_of(&["0", "0", "0", "-1", "x", "900000"]),
    ])
}

/// `STREAMS` with one or two keys and ids.
fn streams(id: fn() -> Part) -> Part {
    any_of(vec![
        sequence(vec![word("STREAMS"), place(), id()]),
        sequence(vec![word("STREAMS"), place(), place(), id(), id()]),
    ])
}

fn waits() -> Vec<Part> {
    let new = || one_of(&[">", ">", ">", "0"]);
    vec![
        command("BLPOP", vec![times(place(), 1..3), timeout()]),
        command("BRPOP", vec![times(place(), 1..3), timeout()]),
        command("BLMOVE", vec![place(), place(), end(), end(), timeout()]),
        command("BRPOPLPUSH", vec![place(), place(), timeout()]),
        command(
            "BLMPOP",
            vec![timeout(), counted(place(), 1..3), end(), count()],
        ),
        command("BZPOPMIN", vec![times(place(), 1..3), timeout()]),
        command("BZPOPMAX", vec![times(place(), 1..3), timeout()]),
        command(
            "BZMPOP",
            vec![
                timeout(),
                counted(place(), 1..3),
                one_of(&["MIN", "MAX"]),
                count(),
            ],
        ),
        command("XREAD", vec![count(), block(), streams(id)]),
        command("XREADGROUP", vec![group(), count(), block(), streams(new)]),
        command(
            "XREADGROUP",
            vec![group(), block(), maybe(word("NOACK")), streams(new)],
        ),
    ]
}

/// What ends waits, or looks as if it did.
fn writes() -> Vec<Part> {
    let elements = || times(member(), 1..4);
    // An id of the clock's would differ.
    let entry = || {
        sequence(vec![
            one_of(&["1-*", "1-1", "2-2", "3-1", "9-*"]),
            word("f"),
            word("v"),
        ])
    };
    let script = "for i = 2, #ARGV do redis.call(ARGV[1], KEYS[1], ARGV[i]) end return redis.call('EXISTS', KEYS[1])";
    vec![
        any_of(vec![
            command("LPUSH", vec![place(), elements()]),
            command("RPUSH", vec![place(), elements()]),
        ]),
        command("RPUSH", vec![place(), elements()]),
        command(
            "ZADD",
            vec![place(), times(sequence(vec![index(), member()]), 1..4)],
        ),
        command(
            "XADD",
            vec![
                place(),
                maybe(sequence(vec![word("MAXLEN"), word("2")])),
                entry(),
            ],
        ),
        command("XADD", vec![place(), entry()]),
        command("XDEL", vec![place(), one_of(&["1-0", "1-1", "2-2"])]),
        any_of(vec![
            command("DEL", vec![place()]),
            command("UNLINK", vec![place(), place()]),
            command("SET", vec![place(), word("v")]),
            command("SADD", vec![place(), member()]),
            command("RENAME", vec![place(), place()]),
            command("COPY", vec![place(), place(), maybe(word("REPLACE"))]),
            command("PEXPIRE", vec![place(), one_of(&["-1", "100000"])]),
        ]),
        any_of(vec![
            command("LMOVE", vec![place(), place(), end(), end()]),
            command("LPOP", vec![place()]),
            command("LTRIM", vec![place(), index(), index()]),
            command("LINSERT", vec![place(), word("BEFORE"), member(), member()]),
            command("ZREM", vec![place(), member()]),
            command("ZINCRBY", vec![place(), index(), member()]),
            command("ZPOPMIN", vec![place()]),
            command("GEOADD", vec![place(), word("1"), word("2"), member()]),
        ]),
        any_of(vec![
            command(
                "XGROUP",
                vec![
                    word("CREATE"),
                    place(),
                    one_of(&["g", "h"]),
                    one_of(&["$", "0"]),
                    word("MKSTREAM"),
                ],
            ),
            command(
                "XGROUP",
                vec![
                    word("CREATE"),
                    place(),
                    word("g"),
                    word("0"),
                    word("MKSTREAM"),
                ],
            ),
            command("XGROUP", vec![word("DESTROY"), place(), word("g")]),
            command("XGROUP", vec![word("SETID"), place(), word("g"), word("0")]),
            command("XACK", vec![place(), word("g"), word("1-1")]),
            command("XPENDING", vec![place(), word("g")]),
        ]),
        command(
            "EVAL",
            vec![
                word(script),
                word("1"),
                place(),
                one_of(&["RPUSH", "LPUSH", "SADD"]),
                elements(),
            ],
        ),
        any_of(vec![command("MULTI", vec![]), command("EXEC", vec![])]),
        any_of(vec![command("EXEC", vec![]), command("DISCARD", vec![])]),
        any_of(vec![
            command("WATCH", vec![place()]),
            command("SELECT", vec![one_of(&["0", "0", "1"])]),
            one_of(&["FLUSHALL", "FLUSHDB"]),
        ]),
        any_of(vec![
            command("TYPE", vec![key()]),
            command("LLEN", vec![place()]),
        ]),
    ]
}

/// The first client never waits, so that there is always one to end the waits of the others.
fn steps() -> BoxedStrategy<Step> {
    let waiting = (1..CLIENTS, any_of(waits()));
    prop_oneof![
        3 => waiting,
        4 => anybody(writes()),
        3 => any_of(writes()).prop_map(|args| (0, args)),
    ]
    .boxed()
}

#[test]
fn clients_that_wait_are_served_as_redis_serves_them() {
    interleaved_against_redis("blocking", protocols(), steps(), |control| {
        control.run("FLUSHALL");
    });
}
