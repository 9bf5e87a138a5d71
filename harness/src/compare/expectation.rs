//! A document's expectation as a comparison has to see it: how strictly it lets two replies be held
//! against each other, and what kind of difference a reply is that does not meet it.

use scenarios::Reply;
use scenarios::expectation::{Expectation, Mismatch};
use scenarios::glob::Glob;
use scenarios::reply::Expressiveness;
use scenarios::step::{Action, Argument, Bindings, Piece, Step};

use super::difference::{Difference, Kind};
use super::reply::{Mode, code, compare};

/// How two replies to this step compare: as loosely as its expectation is written, and for a probe
/// as its command's nature allows.
pub fn mode(step: &Step) -> Mode {
    match &step.expect {
        Some(expectation) => of_expectation(expectation),
        None => match &step.action {
            Action::Command(command) | Action::Start(command) => {
                Mode::of_command(command.name().as_bytes())
            }
            Action::Every(command) if matches!(command.name().as_str(), "HSCAN" | "ZSCAN") => {
                Mode::UnorderedPairs
            }
            Action::Every(_) => Mode::Unordered,
            Action::Pipeline(commands) | Action::Transaction(commands) => Mode::Items(
                commands
                    .iter()
                    .map(|command| Mode::of_command(command.name().as_bytes()))
                    .collect(),
            ),
            _ => Mode::Exact,
        },
    }
}

fn of_expectation(expectation: &Expectation) -> Mode {
    match expectation {
        Expectation::Any | Expectation::AnyText | Expectation::Like(_) | Expectation::AnyDouble => {
            Mode::Shape
        }
        Expectation::Integer { min, max } if min != max => Mode::Shape,
        Expectation::Text(argument) if captured(argument) => Mode::Shape,
        Expectation::Approx { tolerance, .. } => Mode::Within(2.0 * tolerance),
        Expectation::Error(glob) if literal(glob).is_none() => Mode::ErrorClass,
        Expectation::Array(items) => {
            let modes: Vec<Mode> = items.iter().map(of_expectation).collect();
            if modes.iter().all(|mode| *mode == Mode::Exact) {
                Mode::Exact
            } else {
                Mode::Items(modes)
            }
        }
        Expectation::Set(items) | Expectation::Unordered(items) => {
            let exact = items.iter().all(|item| of_expectation(item) == Mode::Exact);
            if exact { Mode::Unordered } else { Mode::Shape }
        }
        Expectation::Map(pairs) => {
            let exact = |item| of_expectation(item) == Mode::Exact;
            let all = pairs.iter().all(|(key, value)| exact(key) && exact(value));
            if all {
                Mode::UnorderedPairs
            } else {
                Mode::Shape
            }
        }
        Expectation::Either(_) => Mode::Free,
        // What is captured is captured because it differs from run to run, unless it is spelled out.
        Expectation::Capture(inner, _) => of_expectation(inner),
        _ => Mode::Exact,
    }
}

fn captured(argument: &Argument) -> bool {
    argument
        .pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Capture(_)))
}

/// The one text that a glob matches, when it has no wildcard.
fn literal(glob: &Glob) -> Option<String> {
    let mut text = Vec::new();
    let mut bytes = glob.source().iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' => return None,
            b'\\' => text.push(
                bytes
                    .next_if(|next| matches!(next, b'*' | b'\\'))
                    .unwrap_or(byte),
            ),
            other => text.push(other),
        }
    }
    String::from_utf8(text).ok()
}

/// The one reply that meets the expectation, when there is only one.
pub fn only_reply(expectation: &Expectation, bindings: Bindings<'_>) -> Option<Reply> {
    let all = |items: &[Expectation]| {
        items
            .iter()
            .map(|item| only_reply(item, bindings))
            .collect::<Option<Vec<Reply>>>()
    };
    Some(match expectation {
        Expectation::Status(text) => Reply::Status(text.clone()),
        Expectation::Text(argument) => Reply::Bulk(argument.render(bindings).ok()?),
        Expectation::Integer { min, max } if min == max => Reply::Integer(*min),
        Expectation::Double(number) => Reply::Double(*number),
        Expectation::Nil => Reply::Nil,
        Expectation::Boolean(truth) => Reply::Boolean(*truth),
        Expectation::BigNumber(digits) => Reply::BigNumber(digits.clone()),
        Expectation::Error(glob) => Reply::Error(literal(glob)?),
        Expectation::Array(items) => Reply::Array(all(items)?),
        Expectation::Capture(inner, _) => only_reply(inner, bindings)?,
        _ => return None,
    })
}

/// What kind of difference a reply is that did not meet its expectation.
pub fn difference(
    expectation: &Expectation,
    reply: &Reply,
    level: Expressiveness,
    bindings: Bindings<'_>,
    mismatch: &Mismatch,
) -> Difference {
    let kind = only_reply(expectation, bindings)
        .and_then(|wanted| compare(&wanted, reply, level, &Mode::Exact))
        .map_or_else(|| kind_of_mismatch(expectation, reply), |found| found.kind);
    let what = format!("the document expects {}", mismatch.expected);
    Difference {
        kind,
        path: mismatch.path.clone(),
        what,
    }
}

fn kind_of_mismatch(expectation: &Expectation, reply: &Reply) -> Kind {
    match (strip(expectation), reply) {
        (Expectation::Error(glob), Reply::Error(error)) => {
            let source = String::from_utf8_lossy(glob.source()).into_owned();
            if code(&source) == code(error) {
                Kind::ErrorText
            } else {
                Kind::ErrorClass
            }
        }
        (Expectation::Error(_), _) | (_, Reply::Error(_)) => Kind::Status,
        (
            Expectation::Array(items) | Expectation::Unordered(items) | Expectation::Set(items),
            Reply::Array(members),
        ) => match items.len().cmp(&members.len()) {
            std::cmp::Ordering::Less => Kind::Extra,
            std::cmp::Ordering::Greater => Kind::Missing,
            std::cmp::Ordering::Equal => Kind::Value,
        },
        (Expectation::Integer { .. }, Reply::Integer(_))
        | (Expectation::Like(_) | Expectation::Text(_), Reply::Bulk(_) | Reply::Status(_))
        | (Expectation::Approx { .. }, Reply::Bulk(_) | Reply::Double(_) | Reply::Integer(_))
        | (Expectation::Map(_), Reply::Array(_) | Reply::Map(_))
        | (Expectation::Either(_), _) => Kind::Value,
        _ => Kind::Type,
    }
}

fn strip(expectation: &Expectation) -> &Expectation {
    match expectation {
        Expectation::Capture(inner, _) => strip(inner),
        other => other,
    }
}
