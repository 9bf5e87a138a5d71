//! Requests: arrays of bulk strings, and inline commands as a person types them.

use bytes::{Buf, Bytes, BytesMut};

/// Most arguments of one command (Redis: 1024 * 1024 unless told otherwise).
const MAX_ARGUMENTS: i64 = 1024 * 1024;
/// Longest argument, in bytes (Redis: `proto-max-bulk-len`).
const MAX_ARGUMENT: i64 = 512 * 1024 * 1024;
/// Longest inline command and longest line of a length, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// A request that breaks the protocol; the connection ends after this error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProtocolError(pub(crate) String);

fn error(text: &str) -> ProtocolError {
    ProtocolError(format!("ERR Protocol error: {text}"))
}

/// Takes the next whole command out of `buffer`; `None` when there is none yet. A command without
/// arguments is empty and is to be passed over.
///
/// Before authentication Redis takes short commands alone; `trusted` says that it has happened.
pub(crate) fn decode(
    buffer: &mut BytesMut,
    trusted: bool,
) -> Result<Option<Vec<Bytes>>, ProtocolError> {
    match buffer.first() {
        None => Ok(None),
        Some(b'*') => array(buffer, trusted),
        Some(_) => inline(buffer),
    }
}

fn array(buffer: &mut BytesMut, trusted: bool) -> Result<Option<Vec<Bytes>>, ProtocolError> {
    let Some((count, mut at)) = length(
        buffer,
        0,
        "too big mbulk count string",
        "invalid multibulk length",
    )?
    else {
        return Ok(None);
    };
    if count > MAX_ARGUMENTS {
        return Err(error("invalid multibulk length"));
    }
    if count > 10 && !trusted {
        return Err(error("unauthenticated multibulk length"));
    }
    let Ok(count) = usize::try_from(count) else {
        buffer.advance(at);
        return Ok(Some(Vec::new()));
    };
    // First see whether all is there, so that a half command is not copied again and again.
    let mut places = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        match buffer.get(at) {
            None => return Ok(None),
            Some(b'$') => {}
            Some(other) => {
                return Err(error(&format!(
                    "expected '$', got '{}'",
                    char::from(*other)
                )));
            }
        }
        let Some((size, start)) = length(
            buffer,
            at,
            "too big bulk count string",
            "invalid bulk length",
        )?
        else {
            return Ok(None);
        };
        let size = match usize::try_from(size) {
            Ok(size) if size as u64 <= MAX_ARGUMENT as u64 => size,
            _ => return Err(error("invalid bulk length")),
        };
        if size > 16_384 && !trusted {
            return Err(error("unauthenticated bulk length"));
        }
        if buffer.len() < start + size + 2 {
            return Ok(None);
        }
        places.push((start, size));
        at = start + size + 2;
    }
    let frame = buffer.split_to(at).freeze();
    Ok(Some(
        places
            .into_iter()
            .map(|(start, size)| frame.slice(start..start + size))
            .collect(),
    ))
}

/// Reads the number on the line behind the mark at `at`; answers it and where the next line begins.
fn length(
    buffer: &[u8],
    at: usize,
    too_long: &str,
    invalid: &str,
) -> Result<Option<(i64, usize)>, ProtocolError> {
    let rest = &buffer[at + 1..];
    let Some(end) = rest.iter().take(MAX_LINE).position(|&b| b == b'\r') else {
        return if rest.len() >= MAX_LINE {
            Err(error(too_long))
        } else {
            Ok(None)
        };
    };
    if rest.len() < end + 2 {
        return Ok(None);
    }
    let number = redis_engine::number::integer(&rest[..end]).ok_or_else(|| error(invalid))?;
    Ok(Some((number, at + 1 + end + 2)))
}

fn inline(buffer: &mut BytesMut) -> Result<Option<Vec<Bytes>>, ProtocolError> {
    let Some(end) = buffer.iter().take(MAX_LINE).position(|&b| b == b'\n') else {
        return if buffer.len() >= MAX_LINE {
            Err(error("too big inline request"))
        } else {
            Ok(None)
        };
    };
    let line = buffer.split_to(end + 1);
    let line = line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]);
    words(line)
        .map(Some)
        .ok_or_else(|| error("unbalanced quotes in request"))
}

/// Splits a line into words, with quotes and escapes as redis-cli has them.
fn words(line: &[u8]) -> Option<Vec<Bytes>> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let mut word = Vec::new();
        loop {
            match rest {
                [] => break,
                [space, ..] if space.is_ascii_whitespace() => break,
                [quote @ (b'"' | b'\''), tail @ ..] => {
                    rest = quoted(*quote, tail, &mut word)?;
                    // A closing quote ends the word.
                    if rest.first().is_some_and(|next| !next.is_ascii_whitespace()) {
                        return None;
                    }
                }
                [byte, tail @ ..] => {
                    word.push(*byte);
                    rest = tail;
                }
            }
        }
        words.push(word.into());
        rest = rest.trim_ascii_start();
    }
    Some(words)
}

/// Reads up to the closing quote; answers what follows it.
fn quoted<'l>(quote: u8, mut rest: &'l [u8], word: &mut Vec<u8>) -> Option<&'l [u8]> {
    loop {
        match rest {
            [] => return None,
            [b'\\', b'x', high, low, tail @ ..]
                if quote == b'"' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
                word.push(digit(*high) * 16 + digit(*low));
                rest = tail;
            }
            [b'\\', escaped, tail @ ..] if quote == b'"' => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => *other,
                });
                rest = tail;
            }
            [b'\\', b'\'', tail @ ..] if quote == b'\'' => {
                word.push(b'\'');
                rest = tail;
            }
            [byte, tail @ ..] if *byte == quote => return Some(tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Result<Vec<Vec<Bytes>>, ProtocolError> {
        let mut buffer = BytesMut::from(text);
        let mut commands = Vec::new();
        while let Some(command) = decode(&mut buffer, true)? {
            commands.push(command);
        }
        Ok(commands)
    }

    #[test]
    fn arrays_and_lines_may_follow_each_other() {
        let commands =
            all(b"*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\nSET k \"a b\\x00\" 'c'\r\n*1\r\n$4\r\nPI")
                .expect("valid");
        assert_eq!(commands.len(), 2);
        assert_eq!(commands[0], ["GET", "\r\n"]);
        assert_eq!(commands[1], ["SET", "k", "a b\0", "c"]);
    }

    #[test]
    fn what_breaks_the_protocol_is_named() {
        let text = |bytes: &[u8]| all(bytes).expect_err("refused").0;
        assert_eq!(
            text(b"*2\r\n+GET\r\n"),
            "ERR Protocol error: expected '$', got '+'"
        );
        assert_eq!(
            text(b"*99999999\r\n"),
            "ERR Protocol error: invalid multibulk length"
        );
        assert_eq!(
            text(b"*1\r\n$-5\r\n"),
            "ERR Protocol error: invalid bulk length"
        );
        assert_eq!(
            text(b"GET \"a\r\n"),
            "ERR Protocol error: unbalanced quotes in request"
        );
        assert_eq!(
            text(&[b'a'; MAX_LINE]),
            "ERR Protocol error: too big inline request"
        );
    }
}
