//! Commands at random, from small pools so that they meet on the same keys.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use redis_engine::number;

/// A command: its name and arguments.
pub(crate) type Args = Vec<Vec<u8>>;

/// Arguments, as many as there are: a part of a command.
pub(crate) type Part = BoxedStrategy<Args>;

/// The keys that commands share. The last two carry no data to begin with, like any other.
pub(crate) const KEYS: [&str; 5] = ["k1", "k2", "k3", "{k}4", "k\0\r\n\u{fffd}"];

/// One argument, always the same.
pub(crate) fn word(word: &str) -> Part {
    Just(vec![word.as_bytes().to_vec()]).boxed()
}

/// One of several arguments.
pub(crate) fn one_of(words: &[&str]) -> Part {
    let words: Vec<Args> = words
        .iter()
        .map(|word| vec![word.as_bytes().to_vec()])
        .collect();
    select(words).boxed()
}

/// One of several parts.
pub(crate) fn any_of(parts: Vec<Part>) -> Part {
    proptest::strategy::Union::new(parts).boxed()
}

/// A part, or nothing.
pub(crate) fn maybe(part: Part) -> Part {
    prop_oneof![Just(Args::new()), part].boxed()
}

/// A part some times over.
pub(crate) fn times(part: Part, range: std::ops::Range<usize>) -> Part {
    vec(part, range).prop_map(|parts| parts.concat()).boxed()
}

/// Parts one after the other.
pub(crate) fn sequence(parts: Vec<Part>) -> Part {
    parts.prop_map(|parts: Vec<Args>| parts.concat()).boxed()
}

/// Some of several parts, in any order.
pub(crate) fn options(parts: Vec<Part>) -> Part {
    vec(any_of(parts), 0..4)
        .prop_map(|parts| parts.concat())
        .boxed()
}

/// A command of a name and parts.
pub(crate) fn command(name: &str, mut parts: Vec<Part>) -> Part {
    parts.insert(0, word(name));
    sequence(parts)
}

/// A number of arguments, preceded by how many there are; now and then by a wrong number.
pub(crate) fn counted(part: Part, range: std::ops::Range<usize>) -> Part {
    (
        vec(part, range),
        prop_oneof![9 => Just(None), 1 => odd_integer().prop_map(Some)],
    )
        .prop_map(|(parts, wrong)| {
            let count = vec![parts.len().to_string().into_bytes()];
            [wrong.unwrap_or(count), parts.concat()].concat()
        })
        .boxed()
}

/// A key.
pub(crate) fn key() -> Part {
    one_of(&KEYS)
}

/// A value: short text, numbers, binary, rarely something longer.
pub(crate) fn value() -> Part {
    prop_oneof![
        4 => one_of(&["", "a", "hello", "0", "1", "-1", "10", "3.5", "\u{e9}\0x\r\n"]),
        2 => integer(),
        1 => float(),
        1 => vec(any::<u8>(), 0..12).prop_map(|bytes| vec![bytes]),
        1 => (60usize..70).prop_map(|length| vec![vec![b'x'; length]]),
    ]
    .boxed()
}

/// An integer, the boundaries often enough.
pub(crate) fn integer() -> Part {
    prop_oneof![
        6 => (-12i64..12).prop_map(|n| vec![n.to_string().into_bytes()]),
        1 => any::<i64>().prop_map(|n| vec![n.to_string().into_bytes()]),
        2 => odd_integer(),
    ]
    .boxed()
}

/// Integers at boundaries, and texts that look like some.
pub(crate) fn odd_integer() -> Part {
    one_of(&[
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775806",
        "-9223372036854775807",
        "9223372036854775808",
        "18446744073709551615",
        "4294967295",
        "4294967296",
        "2147483647",
        "2147483648",
        "-2147483649",
        "536870912",
        "+1",
        "01",
        "-0",
        "1.0",
        " 1",
        "1 ",
        "",
        "0x10",
        "ten",
        "99999999999999999999",
    ])
}

/// A floating point number, in many forms.
pub(crate) fn float() -> Part {
    prop_oneof![
        4 => (-1000i32..1000).prop_map(|n| vec![format!("{}", f64::from(n) / 8.0).into_bytes()]),
        2 => any::<f64>().prop_map(|n| vec![format!("{n}").into_bytes()]),
        2 => (any::<i32>(), 0i32..25).prop_map(|(m, e)| vec![format!("{m}e-{e}").into_bytes()]),
        2 => one_of(&[
            "0.1", "0.2", "-0.1", "1e3", "1E-3", "3.0", "-0", "0", "inf", "-inf", "+inf", "infinity",
            "nan", "", " 1", "1 ", "1.", ".5", ".", "e5", "1e", "+1.5", "0x1p-3", "0x.8", "1e400",
            "1e-400", "1e19", "123456789012345678.5", "1e16", "5e-324", "0.1.2", "--1", "1_0",
        ]),
    ]
    .boxed()
}

/// Indexes into something short, boundaries now and then.
pub(crate) fn index() -> Part {
    prop_oneof![8 => (-8i64..8).prop_map(|n| vec![n.to_string().into_bytes()]), 1 => odd_integer()]
        .boxed()
}

/// A field or member.
pub(crate) fn member() -> Part {
    prop_oneof![
        9 => one_of(&["a", "b", "c", "d", "1", "2", "30", "", "m\0\u{ff}"]),
        1 => (60usize..70).prop_map(|length| vec![vec![b'm'; length]]),
    ]
    .boxed()
}

/// A glob pattern.
pub(crate) fn pattern() -> Part {
    one_of(&[
        "*", "k*", "?", "k?", "[a-c]", "[^a]", "k[1-2]", "\\k1", "*1*", "", "[", "[a", "k[", "**",
        "[c-a]", "\\", "m*", "{k}*", "[]", "[^", "[a\\]]",
    ])
}

/// An expiry's amount for `EX` and `PX`: far enough that nothing expires while the test runs, or in
/// the past, or refused.
pub(crate) fn amount() -> Part {
    prop_oneof![
        4 => (100_000i64..200_000).prop_map(|n| vec![n.to_string().into_bytes()]),
        1 => one_of(&["0", "-1", "-100000", "100000000000", "9223372036854775"]),
        1 => odd_integer(),
    ]
    .boxed()
}

/// An instant in seconds or milliseconds since the Unix epoch: past, or far away.
pub(crate) fn instant() -> Part {
    prop_oneof![
        3 => one_of(&["1", "1000", "1600000000", "4000000000", "4000000000000", "5000000000000"]),
        1 => amount(),
    ]
    .boxed()
}

/// `EX`, `PX`, `EXAT` or `PXAT` with what belongs to it.
pub(crate) fn expiry() -> Part {
    prop_oneof![
        sequence(vec![one_of(&["EX", "px", "Ex"]), amount()]),
        sequence(vec![one_of(&["EXAT", "PXAT", "pxat"]), instant()]),
    ]
    .boxed()
}

/// A blocking command's timeout in seconds: short, or refused.
pub(crate) fn timeout() -> Part {
    prop_oneof![
        6 => one_of(&["0.001", "0.002", "1e-3"]),
        1 => one_of(&["-1", "-0.1", "x", "nan", "1e400", "1e18", "", " 1"]),
    ]
    .boxed()
}

/// Commands that put something of every kind under the shared keys, take it away, or look at it:
/// for wrong types, and for what the group's own commands do not show.
pub(crate) fn surroundings() -> Part {
    let parts = [
        ("SET", vec![key(), value()]),
        ("RPUSH", vec![key(), times(value(), 1..3)]),
        ("SADD", vec![key(), times(member(), 1..3)]),
        ("HSET", vec![key(), member(), value()]),
        ("ZADD", vec![key(), word("1"), member()]),
        ("XADD", vec![key(), word("1-1"), word("f"), word("v")]),
        ("DEL", vec![key()]),
        ("TYPE", vec![key()]),
        ("PTTL", vec![key()]),
        ("PEXPIREAT", vec![key(), instant()]),
        ("EXISTS", vec![key(), key()]),
    ];
    let known = parts
        .into_iter()
        .filter(|(name, _)| redis_engine::command::find(name.as_bytes()).is_some());
    any_of(known.map(|(name, parts)| command(name, parts)).collect())
}

/// A command as it is, or with an argument taken out, doubled, swapped or replaced: for arities,
/// orders and forms that nobody thought of.
pub(crate) fn mutated(command: Part) -> Part {
    #[derive(Debug, Clone)]
    enum Change {
        Nothing,
        Remove(usize),
        Double(usize),
        Swap(usize),
        Replace(usize, Args),
    }
    let change = prop_oneof![
        20 => Just(Change::Nothing),
        1 => any::<usize>().prop_map(Change::Remove),
        1 => any::<usize>().prop_map(Change::Double),
        1 => any::<usize>().prop_map(Change::Swap),
        1 => (any::<usize>(), any_of(vec![value(), integer(), one_of(&["NX", "WITHVALUES", "x"])]))
            .prop_map(|(at, with)| Change::Replace(at, with)),
    ];
    (command, change)
        .prop_map(|(mut args, change)| {
            // The name stays.
            let places = args.len().saturating_sub(1).max(1);
            let place = |at: usize| at % places + 1;
            match change {
                Change::Remove(at) if place(at) < args.len() => drop(args.remove(place(at))),
                Change::Double(at) if place(at) < args.len() => {
                    args.insert(place(at), args[place(at)].clone());
                }
                Change::Swap(at) if place(at) + 1 < args.len() => {
                    args.swap(place(at), place(at) + 1);
                }
                Change::Replace(at, with) if place(at) < args.len() => {
                    args.splice(place(at)..=place(at), with);
                }
                _ => {}
            }
            args
        })
        .boxed()
}

/// Whether a command may be sent where nobody else could end its wait.
pub(crate) fn is_fit(args: &Args) -> bool {
    is_harmless(args) && !blocks_for_long(args)
}

/// Whether a command may be sent: mutation makes some that would take a server too long.
pub(crate) fn is_harmless(args: &Args) -> bool {
    !(is_answered_twice(args)
        || expires_soon(args)
        || waits_long(args)
        || makes_long_string(args)
        || repeats_without_end(args)
        || claims_without_end(args)
        || is_left_to_chance(args))
}

/// Whether Redis 8.10 sends two replies to a command, its only one to do so: SET with GET and a digest
/// of the wrong length answers the old value and then the error. The engine answers the error.
fn is_answered_twice(args: &Args) -> bool {
    let is = |arg: &[u8], words: &[&str]| {
        words
            .iter()
            .any(|word| arg.eq_ignore_ascii_case(word.as_bytes()))
    };
    args.iter().any(|arg| is(arg, &["GET"]))
        && args
            .windows(2)
            .any(|pair| is(&pair[0], &["IFDEQ", "IFDNE"]) && pair[1].len() != 16)
}

/// Whether something would expire while the test runs, on the server alone: the engine's clock stands
/// still. Seconds are longer than that.
fn expires_soon(args: &Args) -> bool {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    let soon = |ms: &Vec<u8>| number::integer(ms).is_some_and(|ms| (1..50_000).contains(&ms));
    let by_option = args
        .windows(2)
        .any(|pair| pair[0].eq_ignore_ascii_case(b"PX") && soon(&pair[1]));
    let by_place = matches!(
        name.as_deref(),
        Some(b"PSETEX" | b"PEXPIRE" | b"HPEXPIRE" | b"RESTORE")
    ) && args.get(2).is_some_and(soon);
    by_option || by_place
}

/// Whether a command waits for replicas longer than a moment.
fn waits_long(args: &Args) -> bool {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    matches!(name.as_deref(), Some(b"WAIT" | b"WAITAOF"))
        && args
            .last()
            .and_then(|timeout| number::integer(timeout))
            .is_some_and(|timeout| !(-1..=10).contains(&timeout) || timeout == 0)
}

/// Whether a command's offset makes a string of many megabytes.
fn makes_long_string(args: &Args) -> bool {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    let large = |arg: &Vec<u8>| number::integer(arg).is_some_and(|n| n > 100_000);
    match name.as_deref() {
        Some(b"SETBIT" | b"SETRANGE") => args.get(2).is_some_and(large),
        Some(b"BITFIELD") => args
            .windows(2)
            .any(|pair| pair[0].starts_with(b"u") | pair[0].starts_with(b"i") && large(&pair[1])),
        _ => false,
    }
}

/// Whether a command asks for so many random elements, with repetitions, that Redis would run out of
/// memory over it, and the machine with it.
fn repeats_without_end(args: &Args) -> bool {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    matches!(
        name.as_deref(),
        Some(b"HRANDFIELD" | b"SRANDMEMBER" | b"ZRANDMEMBER")
    ) && args
        .get(2)
        .and_then(|count| number::integer(count))
        .is_some_and(|count| count < -1000)
}

/// Whether XAUTOCLAIM is to make room for so many entries that Redis may have no memory for it.
fn claims_without_end(args: &Args) -> bool {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    name.as_deref() == Some(b"XAUTOCLAIM")
        && args
            .iter()
            .skip(6)
            .filter_map(|count| number::integer(count))
            .any(|count| count > 1_000_000)
}

/// Whether what a command does is left to chance, so that two servers go apart: SPOP of some of the
/// members.
fn is_left_to_chance(args: &Args) -> bool {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    let count = args.get(2).map(|count| number::integer(count));
    name.as_deref() == Some(b"SPOP")
        && match count {
            None => true,
            Some(Some(count)) => (1..1000).contains(&count),
            Some(None) => false,
        }
}

/// Whether a command would block for longer than a test can wait.
fn blocks_for_long(args: &Args) -> bool {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    let timeout = match name.as_deref().unwrap_or_default() {
        b"BLMPOP" | b"BZMPOP" => args.get(1),
        b"BLPOP" | b"BRPOP" | b"BLMOVE" | b"BRPOPLPUSH" | b"BZPOPMIN" | b"BZPOPMAX" => args.last(),
        _ => return false,
    };
    timeout.is_some_and(|timeout| {
        number::timeout_ms(timeout, 0).is_ok_and(|ms| ms.is_none_or(|ms| ms > 5))
    })
}
