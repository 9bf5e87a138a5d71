//! Replies and expectations as text, the way redis-cli prints replies.
//!
//! What [`reply`] prints, the parser reads back as an expectation that the reply matches. Two things
//! differ from redis-cli for that: a status of more than one word is written `(status) "…"`, and an
//! asterisk or backslash in an error text has a backslash before it, as an expected error is a glob.

use std::fmt::Write;

use crate::expectation::Expectation;
use crate::glob::Glob;
use crate::reply::Reply;
use crate::step::{Argument, Piece};

/// A reply, without a newline at its end.
pub fn reply(reply: &Reply) -> String {
    expectation(&Expectation::literal(reply))
}

/// An expectation as a document writes it, without a newline at its end.
pub fn expectation(expectation: &Expectation) -> String {
    let mut out = String::new();
    write_value(&mut out, expectation, 0);
    out
}

/// Bytes in double quotes, with redis-cli's escapes.
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'"' => out.push_str("\\\""),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x07 => out.push_str("\\a"),
            0x08 => out.push_str("\\b"),
            b' '..=b'~' => out.push(byte as char),
            other => {
                let _ = write!(out, "\\x{other:02x}");
            }
        }
    }
    out.push('"');
    out
}

/// A number as Redis writes it: whole numbers without a fraction, very large ones with an exponent.
pub fn double(value: f64) -> String {
    let magnitude = value.abs();
    if value.is_nan() {
        "nan".to_owned()
    } else if value.is_finite() && magnitude != 0.0 && !(1e-5..1e17).contains(&magnitude) {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// An argument as a document writes it.
pub fn argument(argument: &Argument) -> String {
    let mut out = String::new();
    let mut after_key = false;
    for piece in &argument.pieces {
        match piece {
            Piece::Bytes(bytes) if after_key && bytes.iter().all(is_bare) => {
                out.push_str(&String::from_utf8_lossy(bytes));
            }
            Piece::Bytes(bytes) => out.push_str(&quoted(bytes)),
            Piece::Key(name) => {
                let _ = write!(out, "{{{name}}}");
            }
            Piece::Capture(name) => {
                let _ = write!(out, "${name}");
            }
            Piece::Fill { length, unit } => {
                let _ = write!(out, "<{length} {}>", quoted(unit));
            }
        }
        after_key = matches!(piece, Piece::Key(_));
    }
    if out.is_empty() {
        "\"\"".to_owned()
    } else {
        out
    }
}

/// Whether a byte means nothing but itself outside of quotes.
fn is_bare(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-' | b'_' | b'/')
}

/// Whether a status can stand as a bare word.
pub(crate) fn is_status_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn write_value(out: &mut String, expectation: &Expectation, indent: usize) {
    match expectation {
        Expectation::Any => out.push_str("(any)"),
        Expectation::Status(text) if is_status_word(text) => out.push_str(text),
        Expectation::Status(text) => {
            let _ = write!(out, "(status) {}", quoted(text.as_bytes()));
        }
        Expectation::Text(text) => out.push_str(&argument(text)),
        Expectation::AnyText => out.push_str("(string)"),
        Expectation::Like(glob) => {
            let _ = write!(out, "(like {})", quoted(glob.source()));
        }
        Expectation::Integer { min, max } => write_integer(out, *min, *max),
        Expectation::Double(value) => {
            let _ = write!(out, "(double) {}", double(*value));
        }
        Expectation::AnyDouble => out.push_str("(double)"),
        Expectation::Approx { value, tolerance } => {
            let _ = write!(out, "(approx {}) {}", double(*tolerance), double(*value));
        }
        Expectation::Nil => out.push_str("(nil)"),
        Expectation::Boolean(value) => {
            let _ = write!(out, "({value})");
        }
        Expectation::BigNumber(digits) => {
            let _ = write!(out, "(big number) {digits}");
        }
        Expectation::Error(glob) => write_error(out, glob.source()),
        Expectation::Array(elements) if elements.is_empty() => out.push_str("(empty array)"),
        Expectation::Set(members) if members.is_empty() => out.push_str("(empty set)"),
        Expectation::Map(pairs) if pairs.is_empty() => out.push_str("(empty hash)"),
        Expectation::Unordered(elements) if elements.is_empty() => out.push_str("(empty array)"),
        Expectation::Array(elements) => write_elements(out, elements, ')', indent),
        Expectation::Set(members) => write_elements(out, members, '~', indent),
        Expectation::Unordered(elements) => {
            out.push_str("(unordered)\n");
            push_spaces(out, indent);
            write_elements(out, elements, ')', indent);
        }
        Expectation::Map(pairs) => {
            let width = digits(pairs.len());
            for (index, (key, value)) in pairs.iter().enumerate() {
                write_marker(out, index, width, '#', indent);
                write_value(out, key, indent + width + 2);
                out.push_str(" => ");
                write_value(out, value, indent + width + 2);
            }
        }
        Expectation::Either(alternatives) => {
            for (index, alternative) in alternatives.iter().enumerate() {
                if index > 0 {
                    out.push_str(" | ");
                }
                write_value(out, alternative, indent);
            }
        }
        Expectation::Capture(inner, name) => {
            write_value(out, inner, indent);
            let _ = write!(out, " => ${name}");
        }
    }
}

fn write_integer(out: &mut String, min: i64, max: i64) {
    let _ = match (min, max) {
        (i64::MIN, i64::MAX) => write!(out, "(integer)"),
        (min, max) if min == max => write!(out, "(integer) {min}"),
        (i64::MIN, max) => write!(out, "(integer) ..{max}"),
        (min, i64::MAX) => write!(out, "(integer) {min}.."),
        (min, max) => write!(out, "(integer) {min}..{max}"),
    };
}

/// An error text stands bare as redis-cli prints it, and in quotes when a line cannot hold it.
fn write_error(out: &mut String, source: &[u8]) {
    let plain = std::str::from_utf8(source).ok().filter(|text| {
        let awkward = text.starts_with([' ', '"'])
            || text.contains(" | (")
            || text.contains(|c: char| c.is_control());
        !awkward && !text.is_empty()
    });
    match plain {
        Some(text) => {
            let _ = write!(out, "(error) {text}");
        }
        None => {
            let _ = write!(out, "(error) {}", quoted(source));
        }
    }
}

fn write_elements(out: &mut String, elements: &[Expectation], separator: char, indent: usize) {
    let width = digits(elements.len());
    for (index, element) in elements.iter().enumerate() {
        write_marker(out, index, width, separator, indent);
        write_value(out, element, indent + width + 2);
    }
}

/// `1) ` and the like. The first element stands on the line that its parent has begun.
fn write_marker(out: &mut String, index: usize, width: usize, separator: char, indent: usize) {
    if index > 0 {
        out.push('\n');
        push_spaces(out, indent);
    }
    let _ = write!(out, "{:width$}{separator} ", index + 1);
}

fn push_spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

fn digits(count: usize) -> usize {
    count.to_string().len()
}

impl Expectation {
    /// The expectation that this very reply meets, and no other.
    pub fn literal(reply: &Reply) -> Expectation {
        let all = |replies: &[Reply]| replies.iter().map(Expectation::literal).collect();
        match reply {
            Reply::Status(text) => Expectation::Status(text.clone()),
            Reply::Error(text) => Expectation::Error(Glob::new(&Glob::escape(text.as_bytes()))),
            Reply::Integer(value) => Expectation::Integer {
                min: *value,
                max: *value,
            },
            Reply::Bulk(bytes) => Expectation::Text(Argument::from(bytes.as_slice())),
            Reply::Nil => Expectation::Nil,
            Reply::Array(elements) => Expectation::Array(all(elements)),
            Reply::Set(members) => Expectation::Set(all(members)),
            Reply::Map(pairs) => {
                let pair = |(key, value): &(Reply, Reply)| {
                    (Expectation::literal(key), Expectation::literal(value))
                };
                Expectation::Map(pairs.iter().map(pair).collect())
            }
            Reply::Double(value) => Expectation::Double(*value),
            Reply::Boolean(value) => Expectation::Boolean(*value),
            Reply::BigNumber(digits) => Expectation::BigNumber(digits.clone()),
        }
    }
}
