//! Holding a reply against an expectation, fair to the transport the reply came by.

use std::borrow::Cow;

use crate::expectation::{Expectation, Mismatch};
use crate::print;
use crate::reply::{Expressiveness, Reply};
use crate::step::{Argument, Bindings, Captures, Piece};

/// A mismatch shows no more than this many characters of a reply.
const SHOWN: usize = 300;

pub(crate) fn check(
    expectation: &Expectation,
    reply: &Reply,
    expressiveness: Expressiveness,
    bindings: Bindings<'_>,
) -> Result<Captures, Mismatch> {
    let mut matcher = Matcher {
        expressiveness,
        bindings,
        path: Vec::new(),
        captured: Captures::new(),
    };
    matcher.check(expectation, reply)?;
    Ok(matcher.captured)
}

struct Matcher<'a> {
    expressiveness: Expressiveness,
    bindings: Bindings<'a>,
    path: Vec<usize>,
    captured: Captures,
}

type Checked = Result<(), Mismatch>;

impl Matcher<'_> {
    fn check(&mut self, expectation: &Expectation, reply: &Reply) -> Checked {
        match expectation {
            Expectation::Array(expected) => self.check_array(expected, reply),
            Expectation::Unordered(expected) => self.check_unordered(expected, reply),
            Expectation::Set(expected) => self.check_set(expected, reply),
            Expectation::Map(expected) => self.check_map(expected, reply),
            Expectation::Either(alternatives) => {
                for alternative in alternatives {
                    if let Some(captured) = self.attempt(alternative, reply) {
                        self.captured.extend(captured);
                        return Ok(());
                    }
                }
                self.mismatch(expectation, reply)
            }
            Expectation::Capture(inner, name) => {
                self.check(inner, reply)?;
                match captured(reply) {
                    Some(bytes) => {
                        self.captured.insert(name.clone(), bytes);
                        Ok(())
                    }
                    None => self.fail(format!("a string or a number to keep as ${name}"), reply),
                }
            }
            scalar => self.check_scalar(scalar, reply),
        }
    }

    fn check_scalar(&self, expectation: &Expectation, reply: &Reply) -> Checked {
        let json = self.expressiveness == Expressiveness::Json;
        let resp3 = self.expressiveness == Expressiveness::Resp3;
        let holds = match (expectation, reply) {
            (Expectation::Any, reply) => !reply.is_error(),
            (Expectation::Status(expected), Reply::Status(actual)) => expected == actual,
            (Expectation::Status(expected), Reply::Bulk(actual)) => {
                json && expected.as_bytes() == actual
            }
            (Expectation::Text(expected), reply) => return self.check_text(expected, reply),
            (Expectation::AnyText, Reply::Bulk(_)) => true,
            (Expectation::AnyText, Reply::Status(_)) => json,
            (Expectation::Like(glob), Reply::Bulk(actual)) => glob.matches(actual),
            (Expectation::Like(glob), Reply::Status(actual)) => {
                json && glob.matches(actual.as_bytes())
            }
            (Expectation::Integer { min, max }, Reply::Integer(actual)) => {
                (min..=max).contains(&actual)
            }
            (Expectation::Double(expected), Reply::Double(actual)) => same(*expected, *actual),
            (Expectation::Double(expected), reply) => {
                !resp3 && number(reply).is_some_and(|actual| same(*expected, actual))
            }
            (Expectation::AnyDouble, Reply::Double(_)) => true,
            (Expectation::AnyDouble, reply) => !resp3 && number(reply).is_some(),
            (Expectation::Approx { value, tolerance }, reply) => number(reply)
                .is_some_and(|actual| same(*value, actual) || (actual - value).abs() <= *tolerance),
            (Expectation::Nil, Reply::Nil) => true,
            (Expectation::Boolean(expected), Reply::Boolean(actual)) => expected == actual,
            (Expectation::Boolean(expected), Reply::Integer(actual)) => {
                !resp3 && *actual == i64::from(*expected)
            }
            (Expectation::BigNumber(expected), Reply::BigNumber(actual)) => expected == actual,
            (Expectation::BigNumber(expected), Reply::Bulk(actual)) => {
                !resp3 && expected.as_bytes() == actual
            }
            // Redis ends some texts with a space, which no editor keeps in a document.
            (Expectation::Error(glob), Reply::Error(actual)) => {
                glob.matches(actual.trim_end().as_bytes()) || glob.matches(actual.as_bytes())
            }
            _ => false,
        };
        if holds {
            Ok(())
        } else {
            self.mismatch(expectation, reply)
        }
    }

    fn check_text(&self, expected: &Argument, reply: &Reply) -> Checked {
        let bytes = match expected.render(self.bindings) {
            Ok(bytes) => bytes,
            Err(missing) => return self.fail(missing.to_string(), reply),
        };
        let uses_capture = expected
            .pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Capture(_)));
        let holds = match reply {
            Reply::Bulk(actual) => *actual == bytes,
            Reply::Status(actual) => {
                self.expressiveness == Expressiveness::Json && actual.as_bytes() == bytes
            }
            // RESP3 sends as a double what RESP2 sends as text.
            Reply::Double(actual) => {
                text_number(&bytes).is_some_and(|expected| same(expected, *actual))
            }
            Reply::Integer(actual) => uses_capture && actual.to_string().as_bytes() == bytes,
            _ => false,
        };
        if holds {
            Ok(())
        } else {
            self.mismatch(&Expectation::Text(expected.clone()), reply)
        }
    }

    fn check_array(&mut self, expected: &[Expectation], reply: &Reply) -> Checked {
        let Some(actual) = self.sequence(reply, expected.len()) else {
            return self.wrong_kind("array", expected.len(), reply);
        };
        for (index, (expected, actual)) in expected.iter().zip(actual.iter()).enumerate() {
            self.path.push(index + 1);
            self.check(expected, actual)?;
            self.path.pop();
        }
        match expected.len() == actual.len() {
            true => Ok(()),
            false => self.wrong_count(expected.len(), actual.len(), reply),
        }
    }

    fn check_unordered(&mut self, expected: &[Expectation], reply: &Reply) -> Checked {
        let Some(actual) = self.sequence(reply, expected.len()) else {
            return self.wrong_kind("array", expected.len(), reply);
        };
        let single: Vec<[&Expectation; 1]> = expected.iter().map(|one| [one]).collect();
        let elements: Vec<[&Reply; 1]> = actual.iter().map(|one| [one]).collect();
        self.pair_up(&single, &elements, reply)
    }

    fn check_set(&mut self, expected: &[Expectation], reply: &Reply) -> Checked {
        let members = match reply {
            Reply::Set(members) => members,
            Reply::Array(members) if self.expressiveness < Expressiveness::Resp3 => members,
            _ => return self.wrong_kind("set", expected.len(), reply),
        };
        let single: Vec<[&Expectation; 1]> = expected.iter().map(|one| [one]).collect();
        let members: Vec<[&Reply; 1]> = members.iter().map(|one| [one]).collect();
        self.pair_up(&single, &members, reply)
    }

    fn check_map(&mut self, expected: &[(Expectation, Expectation)], reply: &Reply) -> Checked {
        let pairs: Vec<[&Reply; 2]> = match reply {
            Reply::Map(pairs) => pairs.iter().map(|(key, value)| [key, value]).collect(),
            Reply::Array(flat)
                if self.expressiveness < Expressiveness::Resp3 && flat.len() % 2 == 0 =>
            {
                flat.chunks_exact(2)
                    .map(|pair| [&pair[0], &pair[1]])
                    .collect()
            }
            _ => return self.wrong_kind("map", expected.len(), reply),
        };
        let expected: Vec<[&Expectation; 2]> =
            expected.iter().map(|(key, value)| [key, value]).collect();
        self.pair_up(&expected, &pairs, reply)
    }

    /// Finds each expected item a partner of its own, as augmenting paths do: with comparators
    /// among the items, taking the first that fits can leave a later one without.
    fn pair_up<const N: usize>(
        &mut self,
        expected: &[[&Expectation; N]],
        actual: &[[&Reply; N]],
        reply: &Reply,
    ) -> Checked {
        if expected.len() != actual.len() {
            return self.wrong_count(expected.len(), actual.len(), reply);
        }
        let fits: Vec<Vec<bool>> = expected
            .iter()
            .map(|wanted| {
                // Plain text, by far the most common, is rendered once and not for every element.
                let texts = wanted.map(|one| match one {
                    Expectation::Text(text) => text.render(self.bindings).ok(),
                    _ => None,
                });
                let fit = |item: &[&Reply; N]| {
                    wanted
                        .iter()
                        .zip(&texts)
                        .zip(item)
                        .all(|((one, text), reply)| match (text, reply) {
                            (Some(text), Reply::Bulk(actual)) => text == actual,
                            _ => self.attempt(one, reply).is_some(),
                        })
                };
                actual.iter().map(fit).collect()
            })
            .collect();
        let mut taken_by: Vec<Option<usize>> = vec![None; actual.len()];
        for (wanted, item) in expected.iter().enumerate() {
            if !augment(wanted, &fits, &mut taken_by) {
                let text: Vec<String> = item.iter().map(|one| print::expectation(one)).collect();
                return self.fail(format!("an element {}", text.join(" => ")), reply);
            }
        }
        for (position, wanted) in taken_by.iter().enumerate() {
            let Some(wanted) = wanted else { continue };
            for (one, reply) in expected[*wanted].iter().zip(&actual[position]) {
                self.check(one, reply)?;
            }
        }
        Ok(())
    }

    /// What it would capture, when it matches.
    fn attempt(&self, expectation: &Expectation, reply: &Reply) -> Option<Captures> {
        check(expectation, reply, self.expressiveness, self.bindings).ok()
    }

    /// A reply's elements. RESP3's maps count as their flat form, and its pairs (`ZRANGE …
    /// WITHSCORES`) as RESP2 sends them when that makes the length right.
    fn sequence<'r>(&self, reply: &'r Reply, expected: usize) -> Option<Cow<'r, [Reply]>> {
        match reply {
            Reply::Array(elements) => {
                let pair =
                    |element: &Reply| matches!(element, Reply::Array(pair) if pair.len() == 2);
                let flatten = self.expressiveness == Expressiveness::Resp3
                    && elements.len() != expected
                    && elements.len() * 2 == expected
                    && elements.iter().all(pair);
                if !flatten {
                    return Some(Cow::Borrowed(elements));
                }
                let inner = |element: &Reply| match element {
                    Reply::Array(pair) => pair.clone(),
                    other => vec![other.clone()],
                };
                Some(Cow::Owned(elements.iter().flat_map(inner).collect()))
            }
            Reply::Set(members) => Some(Cow::Borrowed(members)),
            Reply::Map(pairs) => {
                let pairs = pairs
                    .iter()
                    .map(|(key, value)| vec![key.clone(), value.clone()]);
                // RESP2 sends a map flat, but XREAD's as an array of pairs.
                Some(Cow::Owned(match pairs.len() == expected {
                    true => pairs.map(Reply::Array).collect(),
                    false => pairs.flatten().collect(),
                }))
            }
            _ => None,
        }
    }

    fn wrong_count(&self, expected: usize, actual: usize, reply: &Reply) -> Checked {
        let plural = if expected == 1 { "" } else { "s" };
        Err(Mismatch {
            path: self.path.clone(),
            expected: format!("{expected} element{plural}"),
            actual: format!("{actual}: {}", shortened(reply)),
        })
    }

    fn wrong_kind(&self, kind: &str, count: usize, reply: &Reply) -> Checked {
        let expected = match (count, kind) {
            (0, kind) => format!("an empty {kind}"),
            (1, "map") => "a map of 1 pair".to_owned(),
            (count, "map") => format!("a map of {count} pairs"),
            (1, "array") => "an array of 1 element".to_owned(),
            (count, "array") => format!("an array of {count} elements"),
            (count, kind) => format!("a {kind} of {count}"),
        };
        self.fail(expected, reply)
    }

    fn mismatch(&self, expectation: &Expectation, reply: &Reply) -> Checked {
        let mut expected = print::expectation(expectation);
        if let Expectation::Text(text) = expectation
            && text
                .pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Key(_) | Piece::Capture(_)))
            && let Ok(bytes) = text.render(self.bindings)
        {
            expected = format!("{expected} ({})", shorten(print::quoted(&bytes)));
        }
        self.fail(shorten(expected), reply)
    }

    fn fail(&self, expected: String, reply: &Reply) -> Checked {
        Err(Mismatch {
            path: self.path.clone(),
            expected,
            actual: shortened(reply),
        })
    }
}

/// Gives item `wanted` a partner, moving earlier ones to others where that makes room.
fn augment(wanted: usize, fits: &[Vec<bool>], taken_by: &mut [Option<usize>]) -> bool {
    // Breadth first, so that long chains of moves do not nest calls.
    let mut came_from: Vec<Option<usize>> = vec![None; taken_by.len()];
    let mut queue = std::collections::VecDeque::from([wanted]);
    while let Some(item) = queue.pop_front() {
        for position in 0..taken_by.len() {
            if came_from[position].is_some() || !fits[item][position] {
                continue;
            }
            came_from[position] = Some(item);
            match taken_by[position] {
                Some(holder) => queue.push_back(holder),
                None => {
                    let mut free = position;
                    while let Some(item) = came_from[free] {
                        let previous = taken_by.iter().position(|holder| *holder == Some(item));
                        taken_by[free] = Some(item);
                        match previous {
                            Some(previous) if item != wanted => free = previous,
                            _ => break,
                        }
                    }
                    return true;
                }
            }
        }
    }
    false
}

/// Equal as numbers; not-a-number equals itself here, as a reply that repeats is the same reply.
fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

fn text_number(bytes: &[u8]) -> Option<f64> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn number(reply: &Reply) -> Option<f64> {
    match reply {
        Reply::Double(value) => Some(*value),
        Reply::Integer(value) => Some(*value as f64),
        Reply::Bulk(bytes) => text_number(bytes),
        _ => None,
    }
}

fn captured(reply: &Reply) -> Option<Vec<u8>> {
    match reply {
        Reply::Status(text) => Some(text.clone().into_bytes()),
        Reply::Bulk(bytes) => Some(bytes.clone()),
        Reply::Integer(value) => Some(value.to_string().into_bytes()),
        Reply::Double(value) => Some(print::double(*value).into_bytes()),
        Reply::BigNumber(digits) => Some(digits.clone().into_bytes()),
        _ => None,
    }
}

fn shortened(reply: &Reply) -> String {
    shorten(print::reply(reply))
}

fn shorten(text: String) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
        None => text,
    }
}
