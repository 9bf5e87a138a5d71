//! Replies to JSON, in the shapes of RESP2.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redis_engine::{Reply, ReplyError, number};

/// How strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As JSON text; bytes that are no UTF-8 become U+FFFD.
    Text,
    /// In base64, all but the status reply `OK` of a command itself.
    Base64,
}

/// Writes `{"result":…}`, or `{"error":…}` for an error reply.
pub(crate) fn envelope(out: &mut Vec<u8>, reply: &Reply, encoding: Encoding) {
    if let Reply::Error(error) = reply {
        return error_envelope(out, error.as_bytes());
    }
    out.extend_from_slice(b"{\"result\":");
    match reply {
        Reply::Status(text) if text == "OK" => text_string(out, text),
        _ => value(out, reply, encoding),
    }
    out.push(b'}');
}

/// Writes `{"error":…}`; errors are never in base64.
pub(crate) fn error_envelope(out: &mut Vec<u8>, error: &[u8]) {
    out.extend_from_slice(b"{\"error\":");
    text_string(out, error);
    out.push(b'}');
}

fn value(out: &mut Vec<u8>, reply: &Reply, encoding: Encoding) {
    match reply {
        Reply::None | Reply::Nil | Reply::NilArray => out.extend_from_slice(b"null"),
        Reply::Integer(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Reply::Boolean(yes) => out.push(if *yes { b'1' } else { b'0' }),
        Reply::Status(bytes)
        | Reply::Bulk(bytes)
        | Reply::BigNumber(bytes)
        | Reply::Verbatim(_, bytes) => {
            string(out, bytes, encoding);
        }
        Reply::Double(double) => string(out, number::format_double(*double).as_bytes(), encoding),
        Reply::Error(error) => nested_error(out, error, encoding),
        Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => {
            list(out, items.iter(), encoding)
        }
        Reply::Map(pairs) => list(
            out,
            pairs.iter().flat_map(|(key, value)| [key, value]),
            encoding,
        ),
    }
}

/// An error within an array, which a script can return. No report shows what Upstash makes of it;
/// the text as a string is the likelier.
fn nested_error(out: &mut Vec<u8>, error: &ReplyError, encoding: Encoding) {
    string(out, error.as_bytes(), encoding);
}

fn list<'r>(out: &mut Vec<u8>, items: impl Iterator<Item = &'r Reply>, encoding: Encoding) {
    out.push(b'[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        value(out, item, encoding);
    }
    out.push(b']');
}

fn string(out: &mut Vec<u8>, bytes: &[u8], encoding: Encoding) {
    match encoding {
        Encoding::Text => text_string(out, bytes),
        Encoding::Base64 => {
            out.push(b'"');
            let start = out.len();
            out.resize(start + bytes.len().div_ceil(3) * 4, 0);
            let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
            out.truncate(start + written);
            out.push(b'"');
        }
    }
}

fn text_string(out: &mut Vec<u8>, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    // Writing to a vector cannot fail, and a string always has a JSON form.
    serde_json::to_writer(&mut *out, &*text).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(reply: &Reply, encoding: Encoding) -> String {
        let mut out = Vec::new();
        envelope(&mut out, reply, encoding);
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn ok_is_bare_only_as_the_status_of_a_command() {
        assert_eq!(json(&Reply::OK, Encoding::Base64), r#"{"result":"OK"}"#);
        assert_eq!(
            json(&Reply::bulk("OK"), Encoding::Base64),
            r#"{"result":"T0s="}"#
        );
        assert_eq!(
            json(&Reply::status("PONG"), Encoding::Base64),
            r#"{"result":"UE9ORw=="}"#
        );
    }

    #[test]
    fn replies_take_the_shapes_of_resp2() {
        let map = Reply::Map(vec![(Reply::bulk("a"), Reply::Double(1.5))]);
        let all = Reply::Array(vec![
            map,
            Reply::Boolean(true),
            Reply::Nil,
            Reply::Integer(i64::MAX),
        ]);
        assert_eq!(
            json(&all, Encoding::Text),
            r#"{"result":[["a","1.5"],1,null,9223372036854775807]}"#
        );
        assert_eq!(
            json(&Reply::bulk(b"\xff\"\n"), Encoding::Text),
            "{\"result\":\"\u{fffd}\\\"\\n\"}"
        );
    }
}
