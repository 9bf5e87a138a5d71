//! Writing observed replies into a document, for `swapcheck record`.
//!
//! What the document says beside its replies stays as it is: prose, comments, blank lines, line
//! ends. An expectation that the replies meet stays too, comparators included; one that they do not
//! meet stays or is replaced, in as small a part as it can be, as the caller wants.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Document, Scenario};
use crate::expectation::Expectation;
use crate::glob::Glob;
use crate::print;
use crate::reply::{Expressiveness, Reply};
use crate::step::{Argument, Bindings, Captures, Piece, Step};

/// A text of at least this many bytes that repeats itself is written as a fill, `<1000 ab>`.
const SHORTEST_FILL: usize = 128;
/// A fill repeats a text no longer than this.
const LONGEST_UNIT: usize = 16;

/// The replies of one run of a document against one target.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Which kinds of reply the target's transport keeps apart.
    pub expressiveness: Expressiveness,
    /// The key that a name stood for in a scenario of this run.
    pub keys: &'a (dyn Fn(&Scenario, &str) -> Vec<u8> + Sync),
    /// The replies, by scenario and step, both counted from 0 as in the document.
    pub replies: &'a BTreeMap<(usize, usize), Reply>,
}

/// What becomes of an expectation that the replies do not meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet {
    /// It stays: it may be what the application needs.
    Keep,
    /// It is replaced, in as small a part as it can be.
    Replace,
}

/// The document with the replies of the runs written into it.
///
/// `text` is the text that `document` was parsed from. With more than one run, a reply that varies
/// between them is written as a comparator that covers all of them, and left out when none does. A
/// step that some run has no reply for is left as it is.
pub fn rewrite(text: &str, document: &Document, runs: &[Run<'_>], unmet: Unmet) -> String {
    let mut edits: BTreeMap<usize, (usize, String)> = BTreeMap::new();
    for (index, scenario) in document.scenarios.iter().enumerate() {
        let mut recorder = Recorder::new(scenario, runs);
        for (number, step) in scenario.steps.iter().enumerate() {
            let replies: Vec<&Reply> = runs
                .iter()
                .filter_map(|run| run.replies.get(&(index, number)))
                .collect();
            if !step.action.has_reply() || replies.is_empty() || replies.len() < runs.len() {
                continue;
            }
            let new = match (&step.expect, unmet) {
                (Some(before), Unmet::Keep) => Some(before.clone()),
                (before, _) => recorder.merge(before.as_ref(), &replies).map(|new| {
                    if Some(&new) == before.as_ref() {
                        new
                    } else {
                        timeless(step, new)
                    }
                }),
            };
            if new != step.expect {
                let written = new.as_ref().map(print::expectation).unwrap_or_default();
                edits.insert(step.ends.0, (step.ends.1, written));
            }
            if let Some(expectation) = &new {
                recorder.capture(expectation, &replies);
            }
        }
    }
    apply(text, &edits)
}

/// The expectation without what depends on when the commands ran, though two runs within a moment may
/// agree on it: a time to live is a range that a slow server keeps to, a moment is any.
fn timeless(step: &Step, expectation: Expectation) -> Expectation {
    let [command] = step.action.commands() else {
        return expectation;
    };
    let name = command.source.split_whitespace().next().unwrap_or_default();
    let slack = match name.to_ascii_uppercase().as_str() {
        "TTL" | "HTTL" => 5,
        "PTTL" | "HPTTL" => 5_000,
        "EXPIRETIME" | "PEXPIRETIME" | "HEXPIRETIME" | "HPEXPIRETIME" | "TIME" => i64::MAX,
        _ => return expectation,
    };
    lasting(expectation, slack)
}

fn lasting(expectation: Expectation, slack: i64) -> Expectation {
    match expectation {
        Expectation::Integer { min, max } if min == max && max > 0 => match slack {
            i64::MAX => Expectation::Integer {
                min: 1,
                max: i64::MAX,
            },
            slack => Expectation::Integer {
                min: (max - slack).max(1),
                max,
            },
        },
        Expectation::Text(_) if slack == i64::MAX => Expectation::AnyText,
        Expectation::Array(elements) => Expectation::Array(
            elements
                .into_iter()
                .map(|element| lasting(element, slack))
                .collect(),
        ),
        other => other,
    }
}

/// Puts each new reply after the line it follows, in place of the lines up to another.
fn apply(text: &str, edits: &BTreeMap<usize, (usize, String)>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut skip_to = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        if number > skip_to {
            out.push_str(line);
        }
        if let Some((last, written)) = edits.get(&number) {
            skip_to = *last;
            let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
            if !line.ends_with('\n') && !written.is_empty() {
                out.push_str(end);
            }
            for line in written.lines() {
                out.push_str(line);
                out.push_str(end);
            }
        }
    }
    out
}

/// The runs of one scenario, with what each has captured so far.
struct Recorder<'a> {
    runs: &'a [Run<'a>],
    scenario: &'a Scenario,
    names: BTreeSet<&'a str>,
    captures: Vec<Captures>,
}

impl<'a> Recorder<'a> {
    fn new(scenario: &'a Scenario, runs: &'a [Run<'a>]) -> Recorder<'a> {
        let captures = vec![Captures::new(); runs.len()];
        Recorder {
            runs,
            scenario,
            names: scenario.key_names(),
            captures,
        }
    }

    /// The expectation for these replies, one of each run, close to what was expected before.
    fn merge(&self, before: Option<&Expectation>, replies: &[&Reply]) -> Option<Expectation> {
        let Some(before) = before else {
            return self.covering(replies);
        };
        let met = |(run, reply): (usize, &&Reply)| self.check(before, run, reply).is_some();
        if replies.iter().enumerate().all(met) {
            return Some(before.clone());
        }
        match before {
            Expectation::Capture(inner, name) => {
                let inner = self.merge(Some(inner), replies)?;
                let scalar = !matches!(
                    inner,
                    Expectation::Array(_)
                        | Expectation::Set(_)
                        | Expectation::Map(_)
                        | Expectation::Unordered(_)
                        | Expectation::Error(_)
                        | Expectation::Nil
                );
                Some(match scalar {
                    true => Expectation::Capture(Box::new(inner), name.clone()),
                    false => inner,
                })
            }
            Expectation::Array(elements) => {
                let Some(columns) = columns(replies, elements.len()) else {
                    return self.covering(replies);
                };
                let merged = elements.iter().zip(&columns);
                let merged = merged.map(|(element, column)| self.merge(Some(element), column));
                merged.collect::<Option<Vec<_>>>().map(Expectation::Array)
            }
            Expectation::Unordered(_) => match self.covering(replies)? {
                Expectation::Array(elements) if !elements.is_empty() => {
                    Some(Expectation::Unordered(elements))
                }
                other => Some(other),
            },
            _ => self.covering(replies),
        }
    }

    /// The narrowest expectation that all replies meet, each in its run.
    fn covering(&self, replies: &[&Reply]) -> Option<Expectation> {
        let mut literals = replies
            .iter()
            .enumerate()
            .map(|(run, reply)| self.literal(run, reply));
        let first = literals.next()?;
        literals.try_fold(first, cover)
    }

    fn capture(&mut self, expectation: &Expectation, replies: &[&Reply]) {
        for (run, reply) in replies.iter().enumerate() {
            if let Some(captured) = self.check(expectation, run, reply) {
                self.captures[run].extend(captured);
            }
        }
    }

    fn check(&self, expectation: &Expectation, run: usize, reply: &Reply) -> Option<Captures> {
        let keys = |name: &str| (self.runs[run].keys)(self.scenario, name);
        let bindings = Bindings {
            keys: &keys,
            captures: &self.captures[run],
        };
        expectation
            .check(reply, self.runs[run].expressiveness, bindings)
            .ok()
    }

    /// A reply as the expectation it meets, the run's keys by their names again.
    fn literal(&self, run: usize, reply: &Reply) -> Expectation {
        let mut keys: Vec<(&str, Vec<u8>)> = self
            .names
            .iter()
            .map(|name| (*name, (self.runs[run].keys)(self.scenario, name)))
            .filter(|(_, key)| !key.is_empty())
            .collect();
        // The longest first: `{user}` may be a prefix of `{users}`.
        keys.sort_by_key(|(_, key)| std::cmp::Reverse(key.len()));
        named(Expectation::literal(reply), &keys)
    }
}

/// The elements of arrays of one length, by position.
fn columns<'r>(replies: &[&'r Reply], length: usize) -> Option<Vec<Vec<&'r Reply>>> {
    let arrays = replies.iter().map(|reply| match reply {
        Reply::Array(elements) if elements.len() == length => Some(elements),
        _ => None,
    });
    let arrays: Vec<&Vec<Reply>> = arrays.collect::<Option<_>>()?;
    Some(
        (0..length)
            .map(|index| arrays.iter().map(|array| &array[index]).collect())
            .collect(),
    )
}

/// An expectation with the run's keys in it written by name.
fn named(expectation: Expectation, keys: &[(&str, Vec<u8>)]) -> Expectation {
    let all = |inner: Vec<Expectation>| inner.into_iter().map(|one| named(one, keys)).collect();
    match expectation {
        Expectation::Array(inner) => Expectation::Array(all(inner)),
        Expectation::Set(inner) => Expectation::Set(all(inner)),
        Expectation::Map(pairs) => {
            let pair = |(key, value)| (named(key, keys), named(value, keys));
            Expectation::Map(pairs.into_iter().map(pair).collect())
        }
        Expectation::Text(text) => named_text(&text.literal().unwrap_or_default(), keys),
        Expectation::Error(glob) => {
            let mut source = glob.source().to_vec();
            for (_, key) in keys {
                source = replace(&source, &Glob::escape(key), b"*");
            }
            Expectation::Error(Glob::new(&source))
        }
        other => other,
    }
}

fn named_text(bytes: &[u8], keys: &[(&str, Vec<u8>)]) -> Expectation {
    for (name, key) in keys {
        if let Some(rest) = bytes.strip_prefix(key.as_slice()) {
            let mut pieces = vec![Piece::Key((*name).to_owned())];
            if !rest.is_empty() {
                pieces.push(Piece::Bytes(rest.to_vec()));
            }
            return Expectation::Text(Argument {
                pieces,
                location: None,
            });
        }
    }
    // A key within a text has another name in every run.
    let mut glob = Glob::escape(bytes);
    let literal = glob.clone();
    for (_, key) in keys {
        glob = replace(&glob, &Glob::escape(key), b"*");
    }
    if glob != literal {
        return Expectation::Like(Glob::new(&glob));
    }
    let piece = match unit(bytes) {
        Some(unit) => Piece::Fill {
            length: bytes.len(),
            unit: unit.to_vec(),
        },
        None => Piece::Bytes(bytes.to_vec()),
    };
    Expectation::Text(Argument {
        pieces: vec![piece],
        location: None,
    })
}

/// The short text that a long one repeats.
fn unit(bytes: &[u8]) -> Option<&[u8]> {
    let repeats = |length: &usize| bytes[*length..].iter().eq(&bytes[..bytes.len() - length]);
    let length = (1..=LONGEST_UNIT).find(|length| bytes.len() >= SHORTEST_FILL && repeats(length));
    length.map(|length| &bytes[..length])
}

fn replace(text: &[u8], part: &[u8], by: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        match rest.strip_prefix(part) {
            Some(after) => {
                out.extend_from_slice(by);
                rest = after;
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// The narrowest expectation for replies that meet one or the other, if there is one.
fn cover(a: Expectation, b: Expectation) -> Option<Expectation> {
    use Expectation as E;
    if a == b {
        return Some(a);
    }
    match (a, b) {
        (E::Text(_) | E::Like(_) | E::AnyText, E::Text(_) | E::Like(_)) => Some(E::AnyText),
        (E::Integer { .. }, E::Integer { .. }) => Some(E::Integer {
            min: i64::MIN,
            max: i64::MAX,
        }),
        (E::Double(_) | E::AnyDouble, E::Double(_)) => Some(E::AnyDouble),
        (E::Error(a), E::Error(b)) => {
            let class = |glob: &Glob| {
                glob.source()
                    .split(|byte| *byte == b' ')
                    .next()
                    .map(Vec::from)
            };
            let shared = class(&a).filter(|shared| Some(shared) == class(&b).as_ref())?;
            Some(E::Error(Glob::new(&[shared.as_slice(), b" *"].concat())))
        }
        (E::Array(a), E::Array(b)) => cover_arrays(a, b),
        (E::Unordered(a), E::Array(b)) => same_elements(&a, &b).then_some(E::Unordered(a)),
        (E::Set(a), E::Set(b)) => same_elements(&a, &b).then_some(E::Set(a)),
        (E::Map(a), E::Map(b)) => {
            let flat = |pairs: &[(E, E)]| -> Vec<E> {
                pairs
                    .iter()
                    .map(|(key, value)| E::Array(vec![key.clone(), value.clone()]))
                    .collect()
            };
            same_elements(&flat(&a), &flat(&b)).then_some(E::Map(a))
        }
        (E::Error(_), _) | (_, E::Error(_)) => None,
        _ => Some(E::Any),
    }
}

fn cover_arrays(a: Vec<Expectation>, b: Vec<Expectation>) -> Option<Expectation> {
    if a.len() != b.len() {
        return Some(Expectation::Any);
    }
    if same_elements(&a, &b) {
        return Some(Expectation::Unordered(a));
    }
    let covered: Option<Vec<_>> = a.into_iter().zip(b).map(|(a, b)| cover(a, b)).collect();
    covered.map(Expectation::Array)
}

/// Whether the elements are the same but for their order.
fn same_elements(a: &[Expectation], b: &[Expectation]) -> bool {
    let sorted = |list: &[Expectation]| {
        let mut printed: Vec<String> = list.iter().map(print::expectation).collect();
        printed.sort();
        printed
    };
    a.len() == b.len() && sorted(a) == sorted(b)
}
