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
    /// Only the type, of arrays the length too.
    Shape,
}

/// How far clocks may be apart, in milliseconds.
const CLOCKS_MS: i64 = 30_000;

/// How the replies to a command are compared.
pub(crate) fn mode(args: &[Vec<u8>]) -> Mode {
    let name = args.first().map(|name| name.to_ascii_uppercase());
    let cursor = |index: usize, page: Mode| match args.get(index) {
        Some(cursor) if cursor == b"0" => page,
        _ => Mode::LaterPage,
    };
    let has = |word: &[u8]| args.iter().any(|arg| arg.eq_ignore_ascii_case(word));
    match name.as_deref().unwrap_or_default() {
        b"KEYS" | b"SMEMBERS" | b"SUNION" | b"SINTER" | b"SDIFF" | b"SPOP" | b"HKEYS"
        | b"HVALS" => Mode::Unordered,
        b"XINFO" | b"XPENDING" | b"XREADGROUP" => Mode::ApartFromTimes,
        b"HGETALL" => Mode::UnorderedPairs,
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
        Mode::Shape => same_shape(left, right),
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
