//! Replies to RESP2 and RESP3.

use redis_engine::{Protocol, Reply, number};

/// Writes a reply; the forms that RESP2 lacks are folded into those that it has.
pub(crate) fn encode(out: &mut Vec<u8>, reply: &Reply, protocol: Protocol) {
    let resp3 = protocol == Protocol::Resp3;
    match reply {
        Reply::None => {}
        Reply::Status(text) => one_line(out, b'+', text),
        Reply::Error(error) => one_line(out, b'-', error.as_bytes()),
        Reply::Integer(n) => line(out, b':', n.to_string().as_bytes()),
        Reply::Bulk(bytes) => bulk(out, b'$', bytes),
        Reply::Nil | Reply::NilArray if resp3 => out.extend_from_slice(b"_\r\n"),
        Reply::Nil => out.extend_from_slice(b"$-1\r\n"),
        Reply::NilArray => out.extend_from_slice(b"*-1\r\n"),
        Reply::Array(items) => list(out, b'*', items, protocol),
        Reply::Set(items) => list(out, if resp3 { b'~' } else { b'*' }, items, protocol),
        Reply::Push(items) => list(out, if resp3 { b'>' } else { b'*' }, items, protocol),
        Reply::Map(pairs) => {
            let (mark, length) = if resp3 {
                (b'%', pairs.len())
            } else {
                (b'*', pairs.len() * 2)
            };
            line(out, mark, length.to_string().as_bytes());
            for (key, value) in pairs {
                encode(out, key, protocol);
                encode(out, value, protocol);
            }
        }
        Reply::Double(value) => {
            let text = number::format_double(*value);
            if resp3 {
                line(out, b',', text.as_bytes())
            } else {
                bulk(out, b'$', text.as_bytes())
            }
        }
        Reply::Boolean(yes) if resp3 => line(out, b'#', if *yes { b"t" } else { b"f" }),
        Reply::Boolean(yes) => line(out, b':', if *yes { b"1" } else { b"0" }),
        Reply::BigNumber(digits) if resp3 => line(out, b'(', digits),
        Reply::Verbatim(format, text) if resp3 => {
            let mut tagged = format.to_vec();
            tagged.push(b':');
            tagged.extend_from_slice(text);
            bulk(out, b'=', &tagged);
        }
        Reply::BigNumber(text) | Reply::Verbatim(_, text) => bulk(out, b'$', text),
    }
}

/// Writes text that may have several lines, a stack trace say: a line end would end the reply, so
/// each becomes a space.
fn one_line(out: &mut Vec<u8>, mark: u8, text: &[u8]) {
    let start = out.len() + 1;
    line(out, mark, text);
    let end = out.len() - 2;
    for byte in &mut out[start..end] {
        if matches!(byte, b'\r' | b'\n') {
            *byte = b' ';
        }
    }
}

fn line(out: &mut Vec<u8>, mark: u8, text: &[u8]) {
    out.push(mark);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn bulk(out: &mut Vec<u8>, mark: u8, bytes: &[u8]) {
    line(out, mark, bytes.len().to_string().as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn list(out: &mut Vec<u8>, mark: u8, items: &[Reply], protocol: Protocol) {
    line(out, mark, items.len().to_string().as_bytes());
    for item in items {
        encode(out, item, protocol);
    }
}

#[cfg(test)]
mod tests {
    use redis_engine::ReplyError;

    use super::*;

    #[test]
    fn an_error_of_several_lines_is_sent_as_one() {
        let mut out = Vec::new();
        let error = Reply::Error(ReplyError::lines("ERR boom\nstack traceback:\r\n\tmain"));
        encode(&mut out, &error, Protocol::Resp2);
        assert_eq!(out, b"-ERR boom stack traceback:  \tmain\r\n");
    }
}
