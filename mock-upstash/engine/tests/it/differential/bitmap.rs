//! The bitmap commands against Redis.

use super::against_redis;
use super::generate::{
    Part, any_of, command, index, integer, key, maybe, one_of, sequence, times, value,
};

/// Offsets of bits: small, for the servers fill the string with zeros up to there.
fn offset() -> Part {
    one_of(&[
        "0",
        "1",
        "7",
        "8",
        "9",
        "31",
        "32",
        "63",
        "64",
        "100",
        "#0",
        "#1",
        "#3",
        "#-1",
        "#x",
        "-1",
        "4294967296",
        "18446744073709551616",
        "x",
        "",
        "#",
        "01",
    ])
}

/// The group's commands at random.
pub(crate) fn commands() -> Vec<Part> {
    let kind = || {
        one_of(&[
            "u1", "i1", "u2", "i5", "u8", "i8", "u31", "i32", "u63", "i63", "i64", "u64", "i65",
            "u0", "x8", "U8", "i", "u08",
        ])
    };
    let get = || sequence(vec![one_of(&["GET", "get"]), kind(), offset()]);
    let change = || {
        sequence(vec![
            maybe(sequence(vec![
                one_of(&["OVERFLOW"]),
                one_of(&["WRAP", "sat", "FAIL", "x"]),
            ])),
            one_of(&["SET", "INCRBY"]),
            kind(),
            offset(),
            integer(),
        ])
    };
    let unit = || maybe(one_of(&["BYTE", "bit", "BITS"]));
    vec![
        command("SET", vec![key(), value()]),
        command("GET", vec![key()]),
        command(
            "SETBIT",
            vec![key(), offset(), one_of(&["0", "1", "1", "2", "x"])],
        ),
        command("GETBIT", vec![key(), offset()]),
        command(
            "BITCOUNT",
            vec![key(), maybe(sequence(vec![index(), index(), unit()]))],
        ),
        command(
            "BITPOS",
            vec![key(), one_of(&["0", "1", "2", "x"]), maybe(index())],
        ),
        command(
            "BITPOS",
            vec![key(), one_of(&["0", "1"]), index(), index(), unit()],
        ),
        command(
            "BITOP",
            vec![
                one_of(&[
                    "AND", "or", "XOR", "NOT", "DIFF", "DIFF1", "andor", "ONE", "NAND",
                ]),
                key(),
                times(key(), 1..4),
            ],
        ),
        command(
            "BITFIELD",
            vec![key(), times(any_of(vec![get(), change()]), 0..4)],
        ),
        command(
            "BITFIELD_RO",
            vec![key(), times(get(), 0..3), maybe(change())],
        ),
    ]
}

#[test]
fn bitmap_commands_answer_as_redis_does() {
    against_redis("bitmap", commands());
}
