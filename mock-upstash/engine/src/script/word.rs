//! Words of a line with quotes, as Redis splits them (`sdssplitargs`).

/// Splits a line into words; `None` when quotes are not closed or stand against a word.
pub(crate) fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        let start = rest.iter().position(|b| !is_space(*b));
        let Some(start) = start else {
            return Some(words);
        };
        rest = &rest[start..];
        let (word, after) = next_word(rest)?;
        words.push(word);
        rest = after;
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn next_word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            0 => return Some((word, after)),
            byte if is_space(byte) => break,
            b'"' | b'\'' => {
                rest = quoted(after, byte, &mut word)?;
                // A closing quote ends the word.
                return match rest.first() {
                    Some(&next) if !is_space(next) => None,
                    _ => Some((word, rest)),
                };
            }
            byte => word.push(byte),
        }
        rest = after;
    }
    Some((word, rest))
}

fn quoted<'a>(mut rest: &'a [u8], quote: u8, word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        if byte == quote {
            return Some(rest);
        }
        if byte != b'\\' {
            word.push(byte);
            continue;
        }
        let (&escaped, after) = rest.split_first()?;
        if quote == b'\'' {
            if escaped == b'\'' {
                word.push(b'\'');
                rest = after;
            } else {
                word.push(b'\\');
            }
            continue;
        }
        rest = after;
        let hex = |digits: &[u8]| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let value = digit(digits[0])? * 16 + digit(digits[1])?;
            u8::try_from(value).ok()
        };
        if escaped == b'x'
            && let Some(value) = rest.get(..2).and_then(hex)
        {
            word.push(value);
            rest = &rest[2..];
            continue;
        }
        word.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'a' => 7,
            other => other,
        });
    }
}
