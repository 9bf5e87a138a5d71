//! The stream commands against Redis.

use proptest::prelude::*;

use super::against_redis;
use super::generate::{
    Part, any_of, command, counted, index, key, maybe, one_of, options, sequence, times, word,
};

/// An id, low enough for ids to meet.
fn id() -> Part {
    prop_oneof![
        6 => (0u8..8, 0u8..4).prop_map(|(ms, n)| vec![format!("{ms}-{n}").into_bytes()]),
        2 => (0u8..9).prop_map(|ms| vec![ms.to_string().into_bytes()]),
        1 => one_of(&[
            "-", "+", "$", ">", "0-0", "18446744073709551615-18446744073709551615", "x", "", "1-x",
            "1-", "-1", "18446744073709551616", "007-01", " 1-1", "+1-1",
        ]),
    ]
    .boxed()
}

/// An id to add under.
fn new_id() -> Part {
    prop_oneof![
        4 => (0u8..30, 0u8..4).prop_map(|(ms, n)| vec![format!("{ms}-{n}").into_bytes()]),
        3 => (0u8..30).prop_map(|ms| vec![format!("{ms}-*").into_bytes()]),
        1 => id(),
    ]
    .boxed()
}

fn bound() -> Part {
    let exclusive = id().prop_map(|id| vec![[b"(", &id[0][..]].concat()]);
    prop_oneof![4 => one_of(&["-", "+"]), 4 => id(), 1 => exclusive].boxed()
}

fn group() -> Part {
    one_of(&["g", "g", "h", "missing"])
}

fn consumer() -> Part {
    one_of(&["alice", "bob", "carol"])
}

fn references() -> Part {
    one_of(&["KEEPREF", "DELREF", "acked"])
}

fn trim() -> Part {
    let strategy = any_of(vec![
        sequence(vec![word("MAXLEN"), maybe(one_of(&["~", "="])), index()]),
        sequence(vec![word("MINID"), maybe(one_of(&["~", "="])), id()]),
    ]);
    sequence(vec![
        strategy,
        maybe(sequence(vec![word("LIMIT"), index()])),
    ])
}

/// How long something has to have been idle: anything, or more than a test takes.
fn min_idle() -> Part {
    one_of(&["0", "0", "0", "100000000", "-1", "x"])
}

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let fields = || {
        let pair = sequence(vec![one_of(&["f", "g", ""]), one_of(&["v", "1", ""])]);
        times(pair, 1..3)
    };
    let add = || {
        let before = options(vec![word("NOMKSTREAM"), trim(), references()]);
        command("XADD", vec![key(), maybe(before), new_id(), fields()])
    };
    let count = || sequence(vec![word("COUNT"), index()]);
    let removal = || {
        let ids = sequence(vec![word("IDS"), counted(id(), 1..4)]);
        sequence(vec![maybe(references()), ids])
    };
    let read = |positions: fn() -> Part| {
        any_of(vec![
            sequence(vec![word("STREAMS"), key(), positions()]),
            sequence(vec![
                word("STREAMS"),
                key(),
                key(),
                positions(),
                positions(),
            ]),
        ])
    };
    let group_position = || any_of(vec![word(">"), word(">"), word("0"), id()]);
    let who = || sequence(vec![word("GROUP"), group(), consumer()]);
    let claim_options = options(vec![
        one_of(&["FORCE", "JUSTID", "force"]),
        sequence(vec![one_of(&["RETRYCOUNT", "IDLE", "TIME"]), index()]),
        sequence(vec![word("LASTID"), id()]),
    ]);
    let entries_read = maybe(sequence(vec![word("ENTRIESREAD"), index()]));
    let group_from = || any_of(vec![one_of(&["0", "$"]), id()]);
    vec![
        add(),
        add(),
        add(),
        command("XRANGE", vec![key(), bound(), bound(), maybe(count())]),
        command("XREVRANGE", vec![key(), bound(), bound(), maybe(count())]),
        command("XLEN", vec![key()]),
        command("XDEL", vec![key(), times(id(), 1..4)]),
        command("XDELEX", vec![key(), removal()]),
        command("XACKDEL", vec![key(), group(), removal()]),
        command("XTRIM", vec![key(), options(vec![trim(), references()])]),
        command("XTRIM", vec![key(), trim()]),
        command("XREAD", vec![maybe(count()), read(id)]),
        command(
            "XREADGROUP",
            vec![
                who(),
                options(vec![
                    count(),
                    word("NOACK"),
                    sequence(vec![word("CLAIM"), min_idle()]),
                ]),
                read(group_position),
            ],
        ),
        command(
            "XREADGROUP",
            vec![who(), maybe(count()), read(group_position)],
        ),
        command(
            "XGROUP",
            vec![
                word("CREATE"),
                key(),
                group(),
                group_from(),
                maybe(word("MKSTREAM")),
                entries_read.clone(),
            ],
        ),
        any_of(vec![
            command(
                "XGROUP",
                vec![word("SETID"), key(), group(), group_from(), entries_read],
            ),
            command(
                "XGROUP",
                vec![
                    one_of(&["CREATECONSUMER", "DELCONSUMER"]),
                    key(),
                    group(),
                    consumer(),
                ],
            ),
            command("XGROUP", vec![word("DESTROY"), key(), group()]),
        ]),
        command("XACK", vec![key(), group(), times(id(), 1..4)]),
        command("XPENDING", vec![key(), group()]),
        command(
            "XPENDING",
            vec![
                key(),
                group(),
                maybe(sequence(vec![word("IDLE"), min_idle()])),
                bound(),
                bound(),
                index(),
                maybe(consumer()),
            ],
        ),
        command(
            "XCLAIM",
            vec![
                key(),
                group(),
                consumer(),
                min_idle(),
                times(id(), 1..4),
                claim_options,
            ],
        ),
        command(
            "XAUTOCLAIM",
            vec![
                key(),
                group(),
                consumer(),
                min_idle(),
                bound(),
                options(vec![sequence(vec![word("COUNT"), index()]), word("JUSTID")]),
            ],
        ),
        any_of(vec![
            command("XINFO", vec![word("STREAM"), key()]),
            command(
                "XINFO",
                vec![word("STREAM"), key(), word("FULL"), maybe(count())],
            ),
            command("XINFO", vec![word("GROUPS"), key()]),
            command("XINFO", vec![word("CONSUMERS"), key(), group()]),
        ]),
    ]
}

#[test]
fn stream_commands_answer_as_redis_does() {
    against_redis("stream", commands());
}
