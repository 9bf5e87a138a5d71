//! The server commands against Redis.

use super::against_redis_with;
use super::generate::{
    Part, any_of, command, index, is_fit, key, maybe, one_of, options, sequence, value, word,
};

pub(crate) fn commands() -> Vec<Part> {
    let mode = || maybe(one_of(&["SYNC", "async", "x"]));
    let letters = || {
        one_of(&[
            "KEA", "", "Kg", "xE", "nmK", "A", "AKE", "KEAnm", "ocK", "lshz$", "d", "td",
        ])
    };
    let setting = || {
        one_of(&[
            "notify-keyspace-events",
            "NOTIFY-KEYSPACE-EVENTS",
            "databases",
            "nope",
            "",
        ])
    };
    vec![
        command("DBSIZE", vec![]),
        command("FLUSHDB", vec![mode()]),
        command("FLUSHALL", vec![mode()]),
        command("TIME", vec![]),
        command(
            "CONFIG",
            vec![
                one_of(&["GET", "get"]),
                options(vec![one_of(&[
                    "notify-*",
                    "NOTIFY-keyspace-events",
                    "databases",
                    "maxmemory",
                    "maxmemory-policy",
                    "appendonly",
                    "save",
                    "nope",
                    "proto-max-bulk-len",
                ])]),
            ],
        ),
        command(
            "CONFIG",
            vec![word("SET"), word("notify-keyspace-events"), letters()],
        ),
        command(
            "CONFIG",
            vec![
                word("SET"),
                setting(),
                letters(),
                maybe(sequence(vec![setting(), letters()])),
            ],
        ),
        command("CONFIG", vec![one_of(&["nope", "SET", "GET"])]),
        command("INFO", vec![one_of(&["clients", "keyspace"])]),
        command(
            "MEMORY",
            vec![
                word("USAGE"),
                key(),
                options(vec![sequence(vec![word("SAMPLES"), index()])]),
            ],
        ),
        any_of(vec![
            command("SELECT", vec![one_of(&["0", "1"])]),
            command("SET", vec![key(), value()]),
            command("SET", vec![key(), value()]),
        ]),
    ]
}

#[test]
fn server_commands_answer_as_redis_does() {
    let resets = ["SELECT 0", "FLUSHALL", "CONFIG SET notify-keyspace-events "];
    against_redis_with(&resets, is_fit, "server", commands());
}
