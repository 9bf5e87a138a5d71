//! Requests: arrays of bulk strings, and inline commands as a person types them.

use bytes::{Buf, Bytes, BytesMut};

/// Most arguments of one command (Redis: 1024 * 1024 unless told otherwise).
const MAX_ARGUMENTS: i64 = 1024 * 1024;
/// Longest argument, in bytes (Redis: `proto-max-bulk-len`).
const MAX_ARGUMENT: i64 = 512 * 1024 * 1024;
/// Most places of arguments that are kept for the next command.
const MAX_SPARE: usize = 1024;
/// Longest inline command and longest line of a length, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// A request that breaks the protocol; the connection ends after this error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProtocolError(pub(crate) String);

fn error(text: &str) -> ProtocolError {
    ProtocolError(format!("ERR Protocol error: {text}"))
}

/// Takes commands out of what has arrived. It remembers how far it has read into a command that is
/// not there whole, so that one that comes in many pieces is not read from its start for each.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// Where the arguments are that have arrived: start and size.
    places: Vec<(usize, usize)>,
    /// Arguments that the command has, when it is an array that has begun.
    count: Option<usize>,
    /// Where the next argument begins.
    at: usize,
}

impl Decoder {
    /// Takes the next whole command out of `buffer` into `command`; answers whether there was one. A
    /// command without arguments is empty and is to be passed over.
    ///
    /// Before authentication Redis takes short commands alone; `trusted` says that it has happened.
    pub(crate) fn decode(
        &mut self,
        buffer: &mut BytesMut,
        trusted: bool,
        command: &mut Vec<Bytes>,
    ) -> Result<bool, ProtocolError> {
        command.clear();
        match buffer.first() {
            None => Ok(false),
            Some(b'*') => self.array(buffer, trusted, command),
            Some(_) => inline(buffer, command),
        }
    }

    fn array(
        &mut self,
        buffer: &mut BytesMut,
        trusted: bool,
        command: &mut Vec<Bytes>,
    ) -> Result<bool, ProtocolError> {
        let count = match self.count {
            Some(count) => count,
            None => {
                let too_long = "too big mbulk count string";
                let invalid = "invalid multibulk length";
                let Some((count, at)) = length(buffer, 0, too_long, invalid)? else {
                    return Ok(false);
                };
                if count > MAX_ARGUMENTS {
                    return Err(error(invalid));
                }
                if count > 10 && !trusted {
                    return Err(error("unauthenticated multibulk length"));
                }
                let Ok(count) = usize::try_from(count) else {
                    buffer.advance(at);
                    return Ok(true);
                };
                self.places.clear();
                self.at = at;
                *self.count.insert(count)
            }
        };
        while self.places.len() < count {
            if !self.argument(buffer, trusted)? {
                return Ok(false);
            }
        }
        let frame = buffer.split_to(self.at).freeze();
        command.extend(
            self.places
                .iter()
                .map(|&(start, size)| frame.slice(start..start + size)),
        );
        self.count = None;
        self.places.shrink_to(MAX_SPARE);
        Ok(true)
    }

    /// Finds the next argument; answers whether it is there whole.
    fn argument(&mut self, buffer: &[u8], trusted: bool) -> Result<bool, ProtocolError> {
        match buffer.get(self.at) {
            None => return Ok(false),
            Some(b'$') => {}
            Some(other) => {
                let other = char::from(*other);
                return Err(error(&format!("expected '$', got '{other}'")));
            }
        }
        let too_long = "too big bulk count string";
        let invalid = "invalid bulk length";
        let Some((size, start)) = length(buffer, self.at, too_long, invalid)? else {
            return Ok(false);
        };
        let size = match usize::try_from(size) {
            Ok(size) if size as u64 <= MAX_ARGUMENT as u64 => size,
            _ => return Err(error(invalid)),
        };
        if size > 16_384 && !trusted {
            return Err(error("unauthenticated bulk length"));
        }
        if buffer.len() < start + size + 2 {
            return Ok(false);
        }
        self.places.push((start, size));
        self.at = start + size + 2;
        Ok(true)
    }
}

/// Reads the number on the line behind the mark at `at`; answers it and where the next line begins.
fn length(
    buffer: &[u8],
    at: usize,
    too_long: &str,
    invalid: &str,
) -> Result<Option<(i64, usize)>, ProtocolError> {
    let rest = &buffer[at + 1..];
    let line = &rest[..rest.len().min(MAX_LINE)];
    let Some(end) = memchr::memchr(b'\r', line) else {
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

fn inline(buffer: &mut BytesMut, command: &mut Vec<Bytes>) -> Result<bool, ProtocolError> {
    let Some(end) = memchr::memchr(b'\n', &buffer[..buffer.len().min(MAX_LINE)]) else {
        return if buffer.len() >= MAX_LINE {
            Err(error("too big inline request"))
        } else {
            Ok(false)
        };
    };
    let line = buffer.split_to(end + 1);
    let line = line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]);
    *command = words(line).ok_or_else(|| error("unbalanced quotes in request"))?;
    Ok(true)
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
        let mut decoder = Decoder::default();
        let (mut commands, mut command) = (Vec::new(), Vec::new());
        while decoder.decode(&mut buffer, true, &mut command)? {
            commands.push(command.clone());
        }
        Ok(commands)
    }

    #[test]
    fn a_command_in_pieces_is_put_together() {
        let text = b"*2\r\n$3\r\nGET\r\n$2\r\nkk\r\n*0\r\nPING\r\n*1\r\n$4\r\nPING\r\n";
        let mut buffer = BytesMut::new();
        let mut decoder = Decoder::default();
        let (mut commands, mut command) = (Vec::new(), Vec::new());
        for byte in text {
            buffer.extend_from_slice(&[*byte]);
            while decoder
                .decode(&mut buffer, true, &mut command)
                .expect("valid")
            {
                commands.push(command.clone());
            }
        }
        let whole = all(text).expect("valid");
        assert_eq!(whole.len(), 4);
        assert_eq!(commands, whole);
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
