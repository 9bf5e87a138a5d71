//! Two replies held against each other: the first thing on which they disagree, if they do.

use scenarios::Reply;
use scenarios::reply::Expressiveness;

use super::canonical::{fold, unordered};
use super::difference::{Difference, Kind};

/// How strictly two replies are held against each other.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Equal, byte for byte.
    Exact,
    /// The same members, in whichever order.
    Unordered,
    /// The same field-value pairs, in whichever order of the pairs.
    UnorderedPairs,
    /// The same type and, for arrays, the same types of members; for errors the same code.
    Shape,
    /// Numbers no further apart than this; anything else equal.
    Within(f64),
    /// Times to live no further apart than this; -1 and -2 exactly.
    Lifetime(i64),
    /// Both errors with the same code; the words are free.
    ErrorClass,
    /// One mode for each member of an array.
    Items(Vec<Mode>),
    /// Not at all: the document accepts several replies, and each side gave one of them.
    Free,
}

impl Mode {
    /// What a report says about a comparison that is not exact.
    pub fn gloss(&self) -> Option<&'static str> {
        match self {
            Mode::Exact => None,
            Mode::Unordered | Mode::UnorderedPairs => Some("order ignored"),
            Mode::Shape => Some("only the type of reply compared"),
            Mode::Within(_) => Some("numbers compared approximately"),
            Mode::Lifetime(_) => Some("times to live compared approximately"),
            Mode::ErrorClass => Some("only the error code compared"),
            Mode::Items(modes) => modes.iter().find_map(Mode::gloss),
            Mode::Free => Some("several replies accepted"),
        }
    }

    /// How the replies to a command compare when a document expects nothing in particular.
    ///
    /// Redis leaves the order of these replies open, or ties them to the clock or to chance.
    pub fn of_command(name: &[u8]) -> Mode {
        match name.to_ascii_uppercase().as_slice() {
            b"TTL" | b"EXPIRETIME" => Mode::Lifetime(2),
            b"PTTL" | b"PEXPIRETIME" => Mode::Lifetime(2_000),
            b"TIME" | b"INFO" | b"RANDOMKEY" | b"SRANDMEMBER" | b"HRANDFIELD" | b"ZRANDMEMBER"
            | b"SPOP" | b"LASTSAVE" | b"DBSIZE" | b"CLIENT" | b"MEMORY" | b"DUMP" => Mode::Shape,
            b"SMEMBERS" | b"SINTER" | b"SUNION" | b"SDIFF" | b"KEYS" | b"HKEYS" | b"HVALS" => {
                Mode::Unordered
            }
            b"HGETALL" => Mode::UnorderedPairs,
            b"SCAN" | b"SSCAN" => Mode::Items(vec![Mode::Shape, Mode::Unordered]),
            b"HSCAN" | b"ZSCAN" => Mode::Items(vec![Mode::Shape, Mode::UnorderedPairs]),
            _ => Mode::Exact,
        }
    }
}

/// Holds a subject's reply against the reference's, both as a transport of `level` carries them.
pub fn compare(
    reference: &Reply,
    subject: &Reply,
    level: Expressiveness,
    mode: &Mode,
) -> Option<Difference> {
    // A reply that came as a set says itself that its order means nothing.
    let loosened = (*mode == Mode::Exact && (unordered(reference) || unordered(subject)))
        .then_some(Mode::Unordered);
    let mode = loosened.as_ref().unwrap_or(mode);
    walk(
        &fold(reference, level),
        &fold(subject, level),
        mode,
        &mut Vec::new(),
    )
}

fn walk(
    reference: &Reply,
    subject: &Reply,
    mode: &Mode,
    path: &mut Vec<usize>,
) -> Option<Difference> {
    if *mode == Mode::Free {
        return None;
    }
    let found = |kind, what: String| {
        Some(Difference {
            kind,
            path: path.clone(),
            what,
        })
    };
    match (reference, subject) {
        (Reply::Error(left), Reply::Error(right)) => {
            errors(left, right, mode).map(|difference| Difference {
                path: path.clone(),
                ..difference
            })
        }
        (Reply::Error(error), _) => found(
            Kind::Status,
            format!(
                "the reference failed with {}, the subject succeeded",
                code(error)
            ),
        ),
        (_, Reply::Error(error)) => found(
            Kind::Status,
            format!(
                "the reference succeeded, the subject failed with {}",
                code(error)
            ),
        ),
        (Reply::Array(left), Reply::Array(right)) => arrays(left, right, mode, path),
        (Reply::Map(left), Reply::Map(right)) => {
            arrays(&flatten(left), &flatten(right), mode, path)
        }
        (Reply::Set(left), Reply::Set(right)) => arrays(left, right, &Mode::Unordered, path),
        _ if type_name(reference) != type_name(subject) => found(
            Kind::Type,
            format!(
                "the reference answers {}, the subject {}",
                type_name(reference),
                type_name(subject)
            ),
        ),
        _ => scalars(reference, subject, mode).map(|difference| Difference {
            path: path.clone(),
            ..difference
        }),
    }
}

fn errors(left: &str, right: &str, mode: &Mode) -> Option<Difference> {
    if code(left) != code(right) {
        return Some(Difference::new(
            Kind::ErrorClass,
            format!(
                "both failed, the reference with {}, the subject with {}",
                code(left),
                code(right)
            ),
        ));
    }
    let words_matter = !matches!(mode, Mode::Shape | Mode::ErrorClass);
    (words_matter && left != right).then(|| {
        Difference::new(
            Kind::ErrorText,
            format!("both failed with {}, in different words", code(left)),
        )
    })
}

fn arrays(
    left: &[Reply],
    right: &[Reply],
    mode: &Mode,
    path: &mut Vec<usize>,
) -> Option<Difference> {
    match mode {
        Mode::Unordered => members(left, right, path),
        Mode::UnorderedPairs => members(&pairs(left), &pairs(right), path),
        // Of replies that vary by nature only the type is held against each other, not the length.
        Mode::Shape => left
            .iter()
            .zip(right)
            .enumerate()
            .find_map(|(index, (left, right))| nested(left, right, &Mode::Shape, index, path)),
        _ => {
            let of = |index: usize| match mode {
                Mode::Items(modes) => modes.get(index).unwrap_or(&Mode::Exact),
                other => other,
            };
            if left.len() != right.len() {
                return Some(lengths(left, right, path));
            }
            let first = left
                .iter()
                .zip(right)
                .enumerate()
                .find_map(|(index, (left, right))| nested(left, right, of(index), index, path))?;
            if !matches!(mode, Mode::Items(_))
                && left.len() > 1
                && members(left, right, path).is_none()
            {
                return Some(Difference {
                    kind: Kind::Order,
                    path: path.clone(),
                    what: "the same members, in another order".into(),
                });
            }
            Some(first)
        }
    }
}

fn nested(
    left: &Reply,
    right: &Reply,
    mode: &Mode,
    index: usize,
    path: &mut Vec<usize>,
) -> Option<Difference> {
    path.push(index + 1);
    let found = walk(left, right, mode, path);
    path.pop();
    found
}

fn lengths(left: &[Reply], right: &[Reply], path: &[usize]) -> Difference {
    let kind = if left.len() > right.len() {
        Kind::Missing
    } else {
        Kind::Extra
    };
    let what = format!(
        "the reference answers {}, the subject {}",
        counted(left.len()),
        counted(right.len())
    );
    Difference {
        kind,
        path: path.to_vec(),
        what,
    }
}

fn counted(length: usize) -> String {
    match length {
        0 => "an empty array".into(),
        1 => "an array of 1".into(),
        more => format!("an array of {more}"),
    }
}

/// Compares two arrays as bags: every member of one must be found once in the other.
fn members(left: &[Reply], right: &[Reply], path: &[usize]) -> Option<Difference> {
    let mut spare: Vec<&Reply> = right.iter().collect();
    let mut missing = 0;
    for member in left {
        match spare.iter().position(|candidate| same(member, candidate)) {
            Some(index) => {
                spare.swap_remove(index);
            }
            None => missing += 1,
        }
    }
    let found = |kind, what: String| {
        Some(Difference {
            kind,
            path: path.to_vec(),
            what,
        })
    };
    match (missing, spare.len()) {
        (0, 0) => None,
        (missing, 0) => found(
            Kind::Missing,
            format!("the subject lacks {missing} of the reference's members"),
        ),
        (0, extra) => found(
            Kind::Extra,
            format!("the subject has {extra} more than the reference"),
        ),
        (missing, _) => found(Kind::Value, format!("{missing} of the members differ")),
    }
}

fn same(left: &Reply, right: &Reply) -> bool {
    walk(left, right, &Mode::Exact, &mut Vec::new()).is_none()
}

fn scalars(reference: &Reply, subject: &Reply, mode: &Mode) -> Option<Difference> {
    if reference == subject || *mode == Mode::Shape {
        return None;
    }
    if let (Mode::Lifetime(slack), Reply::Integer(left), Reply::Integer(right)) =
        (mode, reference, subject)
        && *left >= 0
        && *right >= 0
    {
        let apart = left.abs_diff(*right);
        return (apart > slack.unsigned_abs()).then(|| {
            Difference::new(Kind::Timing, format!("the times to live are {apart} apart"))
        });
    }
    if let (Some(left), Some(right)) = (number(reference), number(subject)) {
        let apart = (left - right).abs();
        if let Mode::Within(slack) = mode
            && apart <= *slack
        {
            return None;
        }
        let textual = matches!(reference, Reply::Bulk(_) | Reply::Double(_));
        let fraction = left.fract() != 0.0 || right.fract() != 0.0;
        if textual && fraction && apart <= 1e-9 * left.abs().max(1.0) {
            return Some(Difference::new(
                Kind::Precision,
                "the same number to nine digits, printed differently",
            ));
        }
    }
    Some(Difference::new(Kind::Value, "the values differ"))
}

fn number(reply: &Reply) -> Option<f64> {
    match reply {
        Reply::Integer(number) => Some(*number as f64),
        Reply::Double(number) => Some(*number),
        Reply::Bulk(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

fn flatten(pairs: &[(Reply, Reply)]) -> Vec<Reply> {
    pairs
        .iter()
        .flat_map(|(key, value)| [key.clone(), value.clone()])
        .collect()
}

fn pairs(items: &[Reply]) -> Vec<Reply> {
    items
        .chunks(2)
        .map(|pair| Reply::Array(pair.to_vec()))
        .collect()
}

/// The first word of an error reply, by which code tells errors apart.
pub fn code(error: &str) -> &str {
    error.split_whitespace().next().unwrap_or("an empty error")
}

/// What kind of value a reply is, in words.
pub fn type_name(reply: &Reply) -> &'static str {
    match reply {
        Reply::Status(_) => "a status",
        Reply::Error(_) => "an error",
        Reply::Integer(_) => "an integer",
        Reply::Bulk(_) => "a string",
        Reply::Nil => "nothing (nil)",
        Reply::Array(_) => "an array",
        Reply::Map(_) => "a map",
        Reply::Set(_) => "a set",
        Reply::Double(_) => "a double",
        Reply::Boolean(_) => "a truth value",
        Reply::BigNumber(_) => "a big number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Reply {
        Reply::Bulk(text.as_bytes().to_vec())
    }

    fn array(items: &[&str]) -> Reply {
        Reply::Array(items.iter().map(|item| text(item)).collect())
    }

    fn kind(reference: Reply, subject: Reply, mode: Mode) -> Option<Kind> {
        compare(&reference, &subject, Expressiveness::Resp2, &mode).map(|found| found.kind)
    }

    fn exact(reference: Reply, subject: Reply) -> Option<Kind> {
        kind(reference, subject, Mode::Exact)
    }

    fn error(text: &str) -> Reply {
        Reply::Error(text.into())
    }

    #[test]
    fn equal_replies_do_not_differ() {
        assert_eq!(exact(Reply::Nil, Reply::Nil), None);
        assert_eq!(exact(array(&["a", "b"]), array(&["a", "b"])), None);
    }

    #[test]
    fn every_kind_is_told_apart() {
        assert_eq!(exact(text("v"), error("ERR no")), Some(Kind::Status));
        assert_eq!(exact(error("ERR no"), Reply::Nil), Some(Kind::Status));
        assert_eq!(exact(Reply::Integer(1), text("1")), Some(Kind::Type));
        assert_eq!(exact(text("v"), Reply::Nil), Some(Kind::Type));
        assert_eq!(exact(text("v"), text("w")), Some(Kind::Value));
        assert_eq!(
            exact(error("WRONGTYPE x"), error("ERR x")),
            Some(Kind::ErrorClass)
        );
        assert_eq!(exact(error("ERR x"), error("ERR y")), Some(Kind::ErrorText));
        assert_eq!(
            exact(array(&["a", "b"]), array(&["b", "a"])),
            Some(Kind::Order)
        );
        assert_eq!(
            exact(array(&["a", "b"]), array(&["a"])),
            Some(Kind::Missing)
        );
        assert_eq!(exact(array(&["a"]), array(&["a", "b"])), Some(Kind::Extra));
        assert_eq!(
            exact(text("0.3"), text("0.30000000000000004")),
            Some(Kind::Precision)
        );
        assert_eq!(
            kind(Reply::Integer(10), Reply::Integer(60), Mode::Lifetime(2)),
            Some(Kind::Timing)
        );
    }

    #[test]
    fn a_status_equals_the_same_text_only_over_json() {
        let (status, bulk) = (Reply::Status("OK".into()), text("OK"));
        assert_eq!(
            compare(&status, &bulk, Expressiveness::Json, &Mode::Exact),
            None
        );
        assert_eq!(exact(status, bulk), Some(Kind::Type));
    }

    #[test]
    fn close_integers_are_not_a_matter_of_precision() {
        assert_eq!(
            exact(text("9007199254740993"), text("9007199254740992")),
            Some(Kind::Value)
        );
    }

    #[test]
    fn looser_modes_forgive_only_what_they_name() {
        let (left, right) = (array(&["a", "b"]), array(&["b", "a"]));
        assert_eq!(kind(left.clone(), right.clone(), Mode::Unordered), None);
        assert_eq!(
            kind(left.clone(), array(&["a", "c"]), Mode::Unordered),
            Some(Kind::Value)
        );
        assert_eq!(
            kind(left.clone(), array(&["a"]), Mode::Unordered),
            Some(Kind::Missing)
        );
        assert_eq!(
            kind(
                array(&["f", "1", "g", "2"]),
                array(&["g", "2", "f", "1"]),
                Mode::UnorderedPairs
            ),
            None
        );
        assert_eq!(
            kind(
                array(&["f", "1", "g", "2"]),
                array(&["g", "1", "f", "2"]),
                Mode::UnorderedPairs
            ),
            Some(Kind::Value)
        );
        assert_eq!(kind(text("a"), text("b"), Mode::Shape), None);
        assert_eq!(kind(text("a"), Reply::Nil, Mode::Shape), Some(Kind::Type));
        assert_eq!(
            kind(text("a"), error("ERR"), Mode::Shape),
            Some(Kind::Status)
        );
        assert_eq!(
            kind(text("1.5"), text("1.50001"), Mode::Within(0.001)),
            None
        );
        assert_eq!(
            kind(Reply::Integer(-1), Reply::Integer(-2), Mode::Lifetime(9)),
            Some(Kind::Value)
        );
        assert_eq!(kind(error("ERR a"), error("ERR b"), Mode::ErrorClass), None);
        assert_eq!(
            kind(error("ERR a"), error("NOSCRIPT b"), Mode::ErrorClass),
            Some(Kind::ErrorClass)
        );
    }

    #[test]
    fn a_nested_difference_says_where_it_is() {
        let reference = Reply::Array(vec![text("x"), array(&["a", "b"])]);
        let subject = Reply::Array(vec![text("x"), array(&["a", "c"])]);
        let found = compare(&reference, &subject, Expressiveness::Resp2, &Mode::Exact);
        assert_eq!(found.map(|found| found.path), Some(vec![2, 2]));
    }

    #[test]
    fn items_compare_each_in_its_own_mode() {
        let mode = Mode::of_command(b"scan");
        let left = Reply::Array(vec![text("0"), array(&["a", "b"])]);
        let right = Reply::Array(vec![text("17"), array(&["b", "a"])]);
        assert_eq!(kind(left.clone(), right, mode.clone()), None);
        let short = Reply::Array(vec![text("0"), array(&["a"])]);
        assert_eq!(kind(left, short, mode), Some(Kind::Missing));
    }
}
