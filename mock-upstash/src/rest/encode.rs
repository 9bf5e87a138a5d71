//! Replies to JSON, in the shapes of RESP2.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use redis_engine::{Reply, number};

/// How strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As JSON text; bytes that are no UTF-8 become U+FFFD.
    Text,
    /// In base64, all but the status reply `OK` of a command itself.
    Base64,
}

/// How replies within an array are written, where nothing is known of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Nested {
    /// A status `OK` stays as it is in base64 too.
    pub(crate) bare_ok: bool,
    /// An error is an object in place of its text.
    pub(crate) error_objects: bool,
}

/// Writes `{"result":…}`, or `{"error":…}` for an error reply.
pub(crate) fn envelope(out: &mut Vec<u8>, reply: &Reply, encoding: Encoding, nested: Nested) {
    if let Reply::Error(error) = reply {
        return error_envelope(out, error.as_bytes());
    }
    out.extend_from_slice(b"{\"result\":");
    match reply {
        Reply::Status(text) if text == "OK" => text_string(out, text),
        _ => Writer {
            out,
            encoding,
            nested,
        }
        .value(reply),
    }
    out.push(b'}');
}

/// Writes `{"error":…}`; errors are never in base64.
pub(crate) fn error_envelope(out: &mut Vec<u8>, error: &[u8]) {
    out.extend_from_slice(b"{\"error\":");
    text_string(out, error);
    out.push(b'}');
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    encoding: Encoding,
    nested: Nested,
}

impl Writer<'_> {
    fn value(&mut self, reply: &Reply) {
        match reply {
            Reply::None | Reply::Nil | Reply::NilArray => self.out.extend_from_slice(b"null"),
            Reply::Integer(n) => self.out.extend_from_slice(n.to_string().as_bytes()),
            Reply::Boolean(yes) => self.out.push(if *yes { b'1' } else { b'0' }),
            Reply::Status(text) if self.nested.bare_ok && text == "OK" => {
                text_string(self.out, text);
            }
            Reply::Status(bytes)
            | Reply::Bulk(bytes)
            | Reply::BigNumber(bytes)
            | Reply::Verbatim(_, bytes) => self.string(bytes),
            Reply::Double(double) => self.string(number::format_double(*double).as_bytes()),
            // A script can return an error within an array.
            Reply::Error(error) if self.nested.error_objects => {
                error_envelope(self.out, error.as_bytes());
            }
            Reply::Error(error) => self.string(error.as_bytes()),
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => self.list(items),
            Reply::Map(pairs) => self.list(pairs.iter().flat_map(|(key, value)| [key, value])),
        }
    }

    fn list<'r>(&mut self, items: impl IntoIterator<Item = &'r Reply>) {
        self.out.push(b'[');
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            self.value(item);
        }
        self.out.push(b']');
    }

    fn string(&mut self, bytes: &[u8]) {
        if self.encoding == Encoding::Text {
            return text_string(self.out, bytes);
        }
        self.out.push(b'"');
        let start = self.out.len();
        self.out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        let written = STANDARD
            .encode_slice(bytes, &mut self.out[start..])
            .unwrap_or(0);
        self.out.truncate(start + written);
        self.out.push(b'"');
    }
}

fn text_string(out: &mut Vec<u8>, bytes: &[u8]) {
    // Writing to a vector cannot fail, and a string always has a JSON form.
    serde_json::to_writer(out, &to_text(bytes)).ok();
}

/// Bytes as text; each byte that is no UTF-8 becomes a U+FFFD of its own, as Go has it.
pub(super) fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(reply: &Reply, encoding: Encoding) -> String {
        let mut out = Vec::new();
        envelope(&mut out, reply, encoding, Nested::default());
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
    fn ok_in_an_array_is_encoded_unless_assumed_otherwise() {
        let nested = Reply::Array(vec![Reply::OK]);
        assert_eq!(json(&nested, Encoding::Base64), r#"{"result":["T0s="]}"#);
        let mut out = Vec::new();
        let bare = Nested {
            bare_ok: true,
            ..Nested::default()
        };
        envelope(&mut out, &nested, Encoding::Base64, bare);
        assert_eq!(out, br#"{"result":["OK"]}"#);
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
