//! The HyperLogLog commands against Redis, the bytes of their strings included.

use proptest::prelude::*;

use super::against_redis;
use super::generate::{Part, command, key, one_of, times, value};

/// Many elements at once, so that the string outgrows its sparse form.
fn many() -> Part {
    (0u32..4, 1u32..700)
        .prop_map(|(from, count)| {
            let numbers = from * 500..from * 500 + count;
            numbers.map(|n| n.to_string().into_bytes()).collect()
        })
        .boxed()
}

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    vec![
        command("PFADD", vec![key(), times(value(), 0..6)]),
        command("PFADD", vec![key(), many()]),
        command("PFCOUNT", vec![key()]),
        command("PFCOUNT", vec![times(key(), 1..4)]),
        command("PFMERGE", vec![key(), times(key(), 0..3)]),
        command("GET", vec![key()]),
        command(
            "SET",
            vec![
                key(),
                // A header without registers, with too few, and with what is no header.
                one_of(&[
                    "HYLL\u{1}\0\0\0\0\0\0\0\0\0\0\0",
                    "HYLL\u{1}\0\0\0\0\0\0\0\0\0\0\0\u{1}\u{2}",
                    "HYLL\0\0\0\0\0\0\0\0\0\0\0\0",
                    "HYLL",
                    "HYLL\u{2}\0\0\0\0\0\0\0\0\0\0\0\u{7f}",
                ]),
            ],
        ),
    ]
}

#[test]
fn hyperloglog_commands_answer_as_redis_does() {
    against_redis("hyperloglog", commands());
}
