//! The server commands against Redis.

use super::against_redis_with;
use super::generate::{
    Args, Part, any_of, command, index, is_fit, key, maybe, one_of, options, sequence, value, word,
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
    against_redis_with(&resets, sets_known_classes, "server", commands());
}

/// Classes of events that Redis 8.10 alone has are refused here, in words that leave them out.
fn sets_known_classes(args: &Args) -> bool {
    let is_known = |arg: &Vec<u8>| {
        arg.iter()
            .all(|letter| b"KEA$glshzxetdmnoc".contains(letter))
    };
    let sets = args[0] == b"CONFIG" && args.iter().any(|arg| arg.eq_ignore_ascii_case(b"SET"));
    let names: [&[u8]; 3] = [b"SET", b"notify-keyspace-events", b"databases"];
    let is_name = |arg: &Vec<u8>| names.iter().any(|name| arg.eq_ignore_ascii_case(name));
    is_fit(args) && (!sets || args.iter().skip(2).all(|arg| is_known(arg) || is_name(arg)))
}
