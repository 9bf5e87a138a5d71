//! Replies as they are on the wire, read from a server or folded from the engine's.

use std::io::{self, BufRead};

use redis_engine::session::Protocol;
use redis_engine::{Reply, number};

/// A reply on the wire. What RESP writes as text, numbers included, is kept as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wire {
    /// The client was blocked, so there was no reply.
    Nothing,
    Status(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    Nil,
    NilArray,
    Array(Vec<Wire>),
    Map(Vec<(Wire, Wire)>),
    Set(Vec<Wire>),
    Push(Vec<Wire>),
    Double(Vec<u8>),
    Boolean(bool),
    BigNumber(Vec<u8>),
    Verbatim(Vec<u8>),
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl Wire {
    /// Reads one reply.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Wire> {
        let mut line = Vec::new();
        from.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\r\n") {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.truncate(line.len() - 2);
        let (kind, text) = line.split_first().ok_or(broken("an empty line"))?;
        let number = || -> io::Result<i64> {
            number::integer(text).ok_or(broken("a length that is no number"))
        };
        let items = |from: &mut _, count: i64| -> io::Result<Vec<Wire>> {
            (0..count).map(|_| Wire::read(from)).collect()
        };
        Ok(match kind {
            b'+' => Wire::Status(text.to_vec()),
            b'-' => Wire::Error(text.to_vec()),
            b':' => Wire::Integer(number()?),
            b',' => Wire::Double(text.to_vec()),
            b'#' => Wire::Boolean(text == b"t"),
            b'(' => Wire::BigNumber(text.to_vec()),
            b'_' => Wire::Nil,
            b'$' | b'=' => {
                let Ok(length) = usize::try_from(number()?) else {
                    return Ok(Wire::Nil);
                };
                let mut bytes = vec![0; length + 2];
                from.read_exact(&mut bytes)?;
                bytes.truncate(length);
                if *kind == b'$' {
                    Wire::Bulk(bytes)
                } else {
                    Wire::Verbatim(bytes)
                }
            }
            b'*' if number()? < 0 => Wire::NilArray,
            b'*' => Wire::Array(items(from, number()?)?),
            b'~' => Wire::Set(items(from, number()?)?),
            b'>' => Wire::Push(items(from, number()?)?),
            b'%' => {
                let pairs = (0..number()?).map(|_| Ok((Wire::read(from)?, Wire::read(from)?)));
                Wire::Map(pairs.collect::<io::Result<_>>()?)
            }
            _ => return Err(broken("a reply of an unknown type")),
        })
    }

    /// What a front sends for the engine's reply.
    pub(crate) fn fold(reply: Reply, protocol: Protocol) -> Wire {
        let resp3 = protocol == Protocol::Resp3;
        let all = |items: Vec<Reply>| -> Vec<Wire> {
            items.into_iter().map(|r| Wire::fold(r, protocol)).collect()
        };
        match reply {
            Reply::None => Wire::Nothing,
            Reply::Status(text) => Wire::Status(text.to_vec()),
            Reply::Error(error) => Wire::Error(error.as_bytes().to_vec()),
            Reply::Integer(n) => Wire::Integer(n),
            Reply::Bulk(bytes) => Wire::Bulk(bytes.to_vec()),
            Reply::Nil => Wire::Nil,
            Reply::NilArray if resp3 => Wire::Nil,
            Reply::NilArray => Wire::NilArray,
            Reply::Array(items) => Wire::Array(all(items)),
            Reply::Set(items) if resp3 => Wire::Set(all(items)),
            Reply::Set(items) => Wire::Array(all(items)),
            Reply::Push(items) if resp3 => Wire::Push(all(items)),
            Reply::Push(items) => Wire::Array(all(items)),
            Reply::Map(pairs) if resp3 => Wire::Map(
                pairs
                    .into_iter()
                    .map(|(k, v)| (Wire::fold(k, protocol), Wire::fold(v, protocol)))
                    .collect(),
            ),
            Reply::Map(pairs) => {
                Wire::Array(all(pairs.into_iter().flat_map(|(k, v)| [k, v]).collect()))
            }
            Reply::Double(value) if resp3 => Wire::Double(number::format_double(value).into()),
            Reply::Double(value) => Wire::Bulk(number::format_double(value).into()),
            Reply::Boolean(yes) if resp3 => Wire::Boolean(yes),
            Reply::Boolean(yes) => Wire::Integer(i64::from(yes)),
            Reply::BigNumber(digits) if resp3 => Wire::BigNumber(digits.to_vec()),
            Reply::BigNumber(digits) => Wire::Bulk(digits.to_vec()),
            Reply::Verbatim(format, text) if resp3 => {
                Wire::Verbatim([&format[..], b":", &text].concat())
            }
            Reply::Verbatim(_, text) => Wire::Bulk(text.to_vec()),
        }
    }

    /// Shows a reply on one line, long ones cut.
    pub(crate) fn show(&self) -> String {
        let text = |bytes: &[u8]| {
            let mut shown = bytes.escape_ascii().to_string();
            if shown.len() > 300 {
                shown.truncate(300);
                shown.push('…');
            }
            shown
        };
        let list = |items: &[Wire]| items.iter().map(Wire::show).collect::<Vec<_>>().join(", ");
        match self {
            Wire::Nothing => "(nothing)".to_owned(),
            Wire::Status(status) => text(status),
            Wire::Error(error) => format!("(error) {}", text(error)),
            Wire::Integer(n) => format!("(integer) {n}"),
            Wire::Bulk(bytes) => format!("\"{}\"", text(bytes)),
            Wire::Nil => "(nil)".to_owned(),
            Wire::NilArray => "(nil array)".to_owned(),
            Wire::Array(items) => format!("[{}]", list(items)),
            Wire::Set(items) => format!("(set) [{}]", list(items)),
            Wire::Push(items) => format!("(push) [{}]", list(items)),
            Wire::Map(pairs) => {
                let shown = pairs
                    .iter()
                    .map(|(k, v)| format!("{}: {}", k.show(), v.show()));
                format!("{{{}}}", shown.collect::<Vec<_>>().join(", "))
            }
            Wire::Double(value) => format!("(double) {}", text(value)),
            Wire::Boolean(yes) => format!("({yes})"),
            Wire::BigNumber(digits) => format!("(big number) {}", text(digits)),
            Wire::Verbatim(bytes) => format!("(verbatim) \"{}\"", text(bytes)),
        }
    }
}

/// Writes a command as RESP clients send it.
pub(crate) fn encode(args: &[Vec<u8>], into: &mut Vec<u8>) {
    into.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        into.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        into.extend_from_slice(arg);
        into.extend_from_slice(b"\r\n");
    }
}
