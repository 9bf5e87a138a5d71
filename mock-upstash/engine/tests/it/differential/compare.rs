//! When two replies count as equal: some commands promise no order, some tell the time.

use super::wire::Wire;

/// How the replies to a command are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// Byte for byte.
    Exact,
    /// Elements in any order.
    Unordered,
    /// Pairs, in RESP2 flattened, in any order.
    UnorderedPairs,
    /// Integers may differ by as much; the sign has to be the same.
    Within(i64),
    /// The first page of a scan, whose elements stand alone or in groups of so many: equal in any
    /// order when both servers show everything at once. Else there is nothing to compare.
    Page(usize),
    /// A later page of a scan: what a cursor means is each server's own affair.
    LaterPage,
    /// All but times and idle times of streams, their groups and consumers.
    ApartFromTimes,
    /// Pairs, of which those whose names stand in a list are not looked at, however deep they are.
    ApartFrom(&'static [&'static [u8]]),
    /// Arrays in any order, however deep they are.
    DeeplyUnordered,
    /// Names of commands in any order, those left out that the engine does not have.
    KnownCommands,
    /// Which of several functions that exist already an error names is each server's own affair.
    AnyTaken,
    /// Only the type, of arrays the length too.
    Shape,
}

/// How far clocks may be apart, in milliseconds.
const CLOCKS_MS: i64 = 30_000;

/// What ACL LOG tells of time, and of the client, which Redis describes at more length.
const DENIAL_TIMES: &[&[u8]] = &[
    b"age-seconds",
    b"client-info",
    b"entry-id",
    b"timestamp-created",
    b"timestamp-last-updated",
];

/// How the replies to a command are compared.
pub(crate) fn mode(args: &[Vec<u8>]) -> Mode {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    let cursor = |index: usize, page: Mode| match args.get(index) {
        Some(cursor) if cursor == b"0" => page,
        _ => Mode::LaterPage,
    };
    let has = |word: &[u8]| args.iter().any(|arg| arg.eq_ignore_ascii_case(word));
    let second = |words: &[&[u8]]| {
        args.get(1)
            .is_some_and(|arg| words.iter().any(|word| arg.eq_ignore_ascii_case(word)))
    };
    match name.as_deref().unwrap_or_default() {
        b"KEYS" | b"SMEMBERS" | b"SUNION" | b"SINTER" | b"SDIFF" | b"SPOP" | b"HKEYS"
        | b"HVALS" => Mode::Unordered,
        b"XINFO" | b"XPENDING" | b"XREADGROUP" => Mode::ApartFromTimes,
        b"HGETALL" => Mode::UnorderedPairs,
        b"HELLO" => Mode::ApartFrom(&[b"version", b"id", b"modules"]),
        b"CLIENT" if second(&[b"ID", b"INFO", b"LIST"]) => Mode::Shape,
        b"ACL" if second(&[b"GENPASS"]) => Mode::Shape,
        b"ACL" if second(&[b"CAT"]) => Mode::KnownCommands,
        b"ACL" if second(&[b"LOG"]) => Mode::ApartFrom(DENIAL_TIMES),
        b"PUBSUB" if second(&[b"CHANNELS"]) => Mode::Unordered,
        b"FUNCTION" if second(&[b"LIST"]) => Mode::DeeplyUnordered,
        b"CONFIG" if second(&[b"GET"]) => Mode::UnorderedPairs,
        b"INFO" => Mode::Shape,
        b"FUNCTION" if second(&[b"LOAD"]) => Mode::AnyTaken,
        // Scripts that read a hash answer its fields.
        b"EVAL" | b"EVAL_RO" if contains(args, b"HGETALL") => Mode::UnorderedPairs,
        b"SCAN" => cursor(1, Mode::Page(1)),
        b"SSCAN" => cursor(2, Mode::Page(1)),
        b"HSCAN" if has(b"NOVALUES") => cursor(2, Mode::Page(1)),
        b"HSCAN" | b"ZSCAN" => cursor(2, Mode::Page(2)),
        b"TTL" | b"EXPIRETIME" | b"HTTL" | b"HEXPIRETIME" => Mode::Within(CLOCKS_MS / 1000),
        b"PTTL" | b"PEXPIRETIME" | b"HPTTL" | b"HPEXPIRETIME" => Mode::Within(CLOCKS_MS),
        b"RANDOMKEY" | b"HRANDFIELD" | b"SRANDMEMBER" | b"ZRANDMEMBER" | b"MEMORY" | b"TIME" => {
            Mode::Shape
        }
        _ => Mode::Exact,
    }
}

/// Whether two replies are equal in a mode. Errors always have to be the same.
pub(crate) fn equal(mode: Mode, left: &Wire, right: &Wire) -> bool {
    if left == right {
        return true;
    }
    match mode {
        Mode::Exact => false,
        Mode::Unordered => grouped(left, 1) == grouped(right, 1),
        Mode::UnorderedPairs => grouped(left, 2) == grouped(right, 2),
        Mode::Within(distance) => within(distance, left, right),
        Mode::Page(group) => page_equal(group, left, right),
        Mode::LaterPage => page(left, 1).is_some() && page(right, 1).is_some(),
        Mode::ApartFromTimes => same_apart_from_times(left, right),
        Mode::ApartFrom(names) => apart_from(names, left) == apart_from(names, right),
        Mode::DeeplyUnordered => deeply_sorted(left) == deeply_sorted(right),
        Mode::KnownCommands => known_commands(left) == known_commands(right),
        Mode::AnyTaken => names_taken(left) && names_taken(right),
        Mode::Shape => same_shape(left, right),
    }
}

fn contains(args: &[Vec<u8>], word: &[u8]) -> bool {
    let script = args.get(1).map(Vec::as_slice).unwrap_or_default();
    script.windows(word.len()).any(|part| part == word)
}

fn names_taken(reply: &Wire) -> bool {
    matches!(reply, Wire::Error(text)
        if text.starts_with(b"ERR Function ") && text.ends_with(b" already exists"))
}

/// A reply with the values of some names taken out.
fn apart_from(names: &[&[u8]], reply: &Wire) -> Wire {
    let is_named = |name: &Wire| matches!(name, Wire::Bulk(name) if names.contains(&&name[..]));
    match reply {
        Wire::Array(items) => {
            let mut kept = Vec::with_capacity(items.len());
            for (place, item) in items.iter().enumerate() {
                kept.push(if place > 0 && is_named(&items[place - 1]) {
                    Wire::Nothing
                } else {
                    apart_from(names, item)
                });
            }
            Wire::Array(kept)
        }
        Wire::Map(pairs) => {
            let kept = pairs.iter().map(|(name, value)| {
                let value = if is_named(name) {
                    Wire::Nothing
                } else {
                    apart_from(names, value)
                };
                (name.clone(), value)
            });
            Wire::Map(kept.collect())
        }
        other => other.clone(),
    }
}

/// A reply with its arrays sorted, the innermost first.
fn deeply_sorted(reply: &Wire) -> Wire {
    let all = |items: &[Wire]| {
        let mut sorted: Vec<Wire> = items.iter().map(deeply_sorted).collect();
        sorted.sort();
        sorted
    };
    match reply {
        Wire::Array(items) => Wire::Array(all(items)),
        Wire::Set(items) => Wire::Set(all(items)),
        Wire::Map(pairs) => {
            let sorted = pairs.iter().map(|(k, v)| (k.clone(), deeply_sorted(v)));
            Wire::Map(sorted.collect())
        }
        other => other.clone(),
    }
}

/// Names of commands, sorted, without those that the engine does not have; another reply as it is.
fn known_commands(reply: &Wire) -> Wire {
    let is_known = |name: &Wire| {
        let Wire::Bulk(name) = name else {
            return true;
        };
        let mut parts = name.splitn(2, |byte| *byte == b'|');
        let row = redis_engine::command::find(parts.next().unwrap_or_default());
        // Modules add commands to categories of the core.
        let row = row.filter(|row| row.group != redis_engine::command::Group::Json);
        row.is_none_or(|row| row.redis)
            && match (row, parts.next()) {
                (Some(row), Some(word)) => row.subcommand(word).is_some_and(|row| row.redis),
                (Some(row), None) => row.subcommands.is_empty(),
                // A category, or what the engine should not have named.
                (None, _) => redis_engine::acl::category(&String::from_utf8_lossy(name)).is_some(),
            }
    };
    match reply {
        Wire::Array(names) => {
            let mut known: Vec<Wire> = names
                .iter()
                .filter(|name| is_known(name))
                .cloned()
                .collect();
            known.sort();
            Wire::Array(known)
        }
        other => other.clone(),
    }
}

/// Times are recognised by where they stand: behind a name that says so, or third of four in what is
/// pending; and instants by their size. The number of nodes of Redis's radix tree is its own affair.
fn same_apart_from_times(left: &Wire, right: &Wire) -> bool {
    let is_time = |name: &Wire| {
        let names: [&[u8]; 3] = [b"idle", b"inactive", b"radix-tree-nodes"];
        matches!(name, Wire::Bulk(name) if names.contains(&&name[..]))
    };
    match (left, right) {
        (Wire::Integer(a), Wire::Integer(b)) => {
            a == b || (a.min(b) > &1_000_000_000_000 && a.abs_diff(*b) < CLOCKS_MS.unsigned_abs())
        }
        (Wire::Array(a), Wire::Array(b)) => {
            let pending = matches!(a[..], [_, _, Wire::Integer(_), Wire::Integer(_)]);
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .enumerate()
                    .all(|(place, (a_item, b_item))| {
                        let skipped =
                            (pending && place == 2) || (place > 0 && is_time(&a[place - 1]));
                        if skipped {
                            within(CLOCKS_MS, a_item, b_item) || a_item == b_item
                        } else {
                            same_apart_from_times(a_item, b_item)
                        }
                    })
        }
        (Wire::Map(a), Wire::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|((name, a), (other, b))| {
                    let same = if is_time(name) {
                        within(CLOCKS_MS, a, b) || a == b
                    } else {
                        same_apart_from_times(a, b)
                    };
                    name == other && same
                })
        }
        _ => left == right,
    }
}

/// Messages with those sorted whose order no server promises: one that several patterns received, and
/// confirmations that subscriptions ended, whose counts fall whatever the order.
pub(crate) fn in_any_order(messages: &[Wire]) -> Vec<Wire> {
    let mut sorted = messages.to_vec();
    let runs = |a: &Wire, b: &Wire| match (parts(a), parts(b)) {
        ([kind, _, channel, text], [other, _, other_channel, other_text]) => {
            is(kind, b"pmessage") && kind == other && channel == other_channel && text == other_text
        }
        ([kind, _, Wire::Integer(_)], [other, _, Wire::Integer(_)]) => {
            (is(kind, b"unsubscribe") || is(kind, b"punsubscribe")) && kind == other
        }
        _ => false,
    };
    for run in sorted.chunk_by_mut(runs) {
        let counts: Vec<Wire> = run
            .iter()
            .filter_map(|m| parts(m).get(2).cloned())
            .collect();
        run.sort_by(|a, b| parts(a).get(1).cmp(&parts(b).get(1)));
        // The counts stay where they were.
        for (message, count) in run.iter_mut().zip(counts) {
            if let (Wire::Array(parts) | Wire::Push(parts), Wire::Integer(_)) = (message, &count) {
                parts[2] = count;
            }
        }
    }
    sorted
}

fn parts(message: &Wire) -> &[Wire] {
    match message {
        Wire::Array(parts) | Wire::Push(parts) => parts,
        _ => &[],
    }
}

fn is(part: &Wire, word: &[u8]) -> bool {
    matches!(part, Wire::Bulk(bytes) if bytes == word)
}

/// The kind of a reply, and its elements in groups, sorted.
type Groups = (u8, Vec<Vec<Wire>>);

/// The elements in groups, sorted; another reply as it is.
fn grouped(reply: &Wire, group: usize) -> Groups {
    let chunks = |items: &[Wire]| {
        let mut chunks: Vec<Vec<Wire>> = items.chunks(group).map(<[Wire]>::to_vec).collect();
        chunks.sort();
        chunks
    };
    match reply {
        Wire::Array(items) => (1, chunks(items)),
        Wire::Set(items) => (2, chunks(items)),
        Wire::Map(pairs) => {
            let flat: Vec<Wire> = pairs
                .iter()
                .flat_map(|(k, v)| [k.clone(), v.clone()])
                .collect();
            let mut chunks: Vec<Vec<Wire>> = flat.chunks(2).map(<[Wire]>::to_vec).collect();
            chunks.sort();
            (3, chunks)
        }
        other => (0, vec![vec![other.clone()]]),
    }
}

fn within(distance: i64, left: &Wire, right: &Wire) -> bool {
    match (left, right) {
        (Wire::Integer(a), Wire::Integer(b)) => {
            (*a < 0) == (*b < 0) && *a >= 0 && a.abs_diff(*b) <= distance.unsigned_abs()
        }
        (Wire::Array(a), Wire::Array(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a == b || within(distance, a, b))
        }
        _ => false,
    }
}

/// Whether a page of a scan is the last, and its elements in groups, sorted.
fn page(reply: &Wire, group: usize) -> Option<(bool, Groups)> {
    match reply {
        Wire::Array(parts) => match &parts[..] {
            [Wire::Bulk(cursor), elements @ Wire::Array(_)] => {
                Some((cursor == b"0", grouped(elements, group)))
            }
            _ => None,
        },
        _ => None,
    }
}

fn page_equal(group: usize, left: &Wire, right: &Wire) -> bool {
    match (page(left, group), page(right, group)) {
        (Some((true, left)), Some((true, right))) => left == right,
        (Some(_), Some(_)) => true,
        _ => false,
    }
}

fn same_shape(left: &Wire, right: &Wire) -> bool {
    match (left, right) {
        (Wire::Array(a), Wire::Array(b))
        | (Wire::Set(a), Wire::Set(b))
        | (Wire::Push(a), Wire::Push(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        (Wire::Map(a), Wire::Map(b)) => a.len() == b.len(),
        (Wire::Error(_), Wire::Error(_)) => left == right,
        _ => std::mem::discriminant(left) == std::mem::discriminant(right),
    }
}
