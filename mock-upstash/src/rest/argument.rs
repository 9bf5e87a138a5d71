//! JSON bodies to commands: `["SET", "k", 1.50]`, and arrays of them.
//!
//! Arguments are slices of the body wherever its bytes are what the argument says, so a request is
//! read once and copied nowhere.

use bytes::Bytes;
use redis_engine::ReplyError;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::encode;
use crate::assumption::{Assumption, Assumptions};

/// Most arguments of one command and most commands of one request; Redis bounds the former alike.
const MAX_ITEMS: usize = 1024 * 1024;

const UNREADABLE: &str = "ERR failed to parse command";
const UNREADABLE_PIPELINE: &str = "ERR failed to parse pipeline request";

/// Why a body is no command. Each text is what Upstash answers, with HTTP 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadBody(pub(crate) String);

fn bad(text: &str) -> BadBody {
    BadBody(text.to_owned())
}

/// One command of a pipeline: its arguments, or what is wrong with it.
pub(crate) type Row = Result<Vec<Bytes>, ReplyError>;

/// Reads a body of `/`: one command.
///
/// The texts for an empty body, for JSON that is no array and for nested arrays come from a probe of
/// a live database (published August 2026); that for a body that is no JSON from tests of an emulator
/// against the live service (2022).
pub(crate) fn command(body: &Bytes, assumptions: Assumptions) -> Result<Vec<Bytes>, BadBody> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(bad("EOF"));
    }
    let Some(items) = items(body) else {
        if let Some(body) = in_utf8(body) {
            return command(&body, assumptions);
        }
        let json = serde_json::from_slice::<&RawValue>(body);
        return Err(match json {
            Ok(json) if json.get().starts_with('[') => too_many(),
            Ok(_) => bad("expected JSON array"),
            Err(_) => bad(UNREADABLE),
        });
    };
    let arguments = arguments(body, &items, assumptions)?;
    if arguments.is_empty() {
        return Err(bad("ERR empty command"));
    }
    Ok(arguments)
}

/// Reads a body of `/pipeline` or `/multi-exec`: an array of commands. An empty command within is
/// left empty; what it answers is the caller's to say.
pub(crate) fn commands(body: &Bytes, assumptions: Assumptions) -> Result<Vec<Row>, BadBody> {
    let Some(rows) = items(body) else {
        return match in_utf8(body) {
            Some(body) => commands(&body, assumptions),
            None => Err(bad(UNREADABLE_PIPELINE)),
        };
    };
    if rows.is_empty() && !assumptions.has(Assumption::EmptyPipelineAnswersArray) {
        return Err(bad("ERR empty pipeline request"));
    }
    let mut commands = Vec::with_capacity(rows.len());
    let mut left = MAX_ITEMS;
    for row in rows {
        let json = body.slice_ref(row.get().as_bytes());
        let items = items(&json).ok_or_else(|| bad(UNREADABLE_PIPELINE))?;
        left = left.checked_sub(items.len()).ok_or_else(too_many)?;
        commands.push(match arguments(body, &items, assumptions) {
            Ok(arguments) => Ok(arguments),
            Err(BadBody(text)) if assumptions.has(Assumption::NullPerCommand) => {
                Err(ReplyError::new(text))
            }
            Err(bad) => return Err(bad),
        });
    }
    Ok(commands)
}

/// A body that is no UTF-8, with U+FFFD for each byte that is none, as Go's JSON reads it; `None` for one
/// that is.
fn in_utf8(body: &[u8]) -> Option<Bytes> {
    let broken = std::str::from_utf8(body).is_err();
    broken.then(|| encode::to_text(body).into_owned().into())
}

fn too_many() -> BadBody {
    BadBody(format!(
        "ERR too many arguments, a request may have {MAX_ITEMS}"
    ))
}

/// The items of a JSON array as they are written; `None` for what is no array, or one too long.
fn items(json: &[u8]) -> Option<Vec<&RawValue>> {
    struct Items;
    impl<'de> Visitor<'de> for Items {
        type Value = Vec<&'de RawValue>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "an array of at most {MAX_ITEMS} items")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = array.next_element()? {
                if items.len() == MAX_ITEMS {
                    return Err(serde::de::Error::invalid_length(MAX_ITEMS + 1, &self));
                }
                items.push(item);
            }
            Ok(items)
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let items = reader.deserialize_seq(Items).ok()?;
    reader.end().ok()?;
    Some(items)
}

fn arguments(
    body: &Bytes,
    items: &[&RawValue],
    assumptions: Assumptions,
) -> Result<Vec<Bytes>, BadBody> {
    items
        .iter()
        .map(|item| argument(body, item.get(), assumptions))
        .collect()
}

/// One argument: a string as its bytes, a number or a boolean as it is written.
fn argument(body: &Bytes, json: &str, assumptions: Assumptions) -> Result<Bytes, BadBody> {
    match json.as_bytes().first() {
        Some(b'"') => string(body, json),
        Some(b'n') => Err(bad("ERR null args are not supported")),
        Some(open @ (b'[' | b'{')) => Err(BadBody(format!(
            "ERR unsupported arg type: \"{}\": json.Delim",
            char::from(*open)
        ))),
        _ if assumptions.has(Assumption::ShortestNumbers) => Ok(shortest(json)),
        _ => Ok(body.slice_ref(json.as_bytes())),
    }
}

/// A number in its shortest spelling; an integer keeps its digits.
fn shortest(json: &str) -> Bytes {
    let number = json.parse().ok().filter(|_| json.contains(['.', 'e', 'E']));
    Bytes::from(number.map_or_else(|| json.to_owned(), redis_engine::number::format_double))
}

fn string(body: &Bytes, json: &str) -> Result<Bytes, BadBody> {
    if !json.contains('\\') {
        return Ok(body.slice_ref(&json.as_bytes()[1..json.len() - 1]));
    }
    // JavaScript may send half of a surrogate pair; Go reads it as U+FFFD.
    serde_json::from_str::<String>(json)
        .or_else(|_| serde_json::from_str::<String>(&replace_lone_surrogates(json)))
        .map(Bytes::from)
        .map_err(|_| bad(UNREADABLE))
}

/// Replaces escapes of half a surrogate pair by that of U+FFFD.
fn replace_lone_surrogates(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let unit = |text: &str| {
            text.strip_prefix("\\u")
                .and_then(|hex| u16::from_str_radix(hex.get(..4)?, 16).ok())
        };
        let length = match unit(rest) {
            Some(0xD800..=0xDBFF)
                if matches!(rest.get(6..).and_then(unit), Some(0xDC00..=0xDFFF)) =>
            {
                12
            }
            Some(0xD800..=0xDFFF) => {
                out.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            Some(_) => 6,
            None => 2,
        };
        // A backslash may stand before a character of several bytes only in text that is no JSON.
        let length = (length.min(rest.len())..=rest.len())
            .find(|&at| rest.is_char_boundary(at))
            .unwrap_or(rest.len());
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<Bytes>, BadBody> {
        command(
            &Bytes::copy_from_slice(body.as_bytes()),
            Assumptions::default(),
        )
    }

    fn error(body: &str) -> String {
        read(body).expect_err("refused").0
    }

    #[test]
    fn numbers_and_booleans_keep_their_spelling() {
        let body = r#" ["SET", "k", 1.50, 9007199254740993, true, 1e3, ""] "#;
        let want = ["SET", "k", "1.50", "9007199254740993", "true", "1e3", ""];
        assert_eq!(read(body).expect("a command"), want);
        let shortest = Assumptions::default().with(Assumption::ShortestNumbers, true);
        let want = ["SET", "k", "1.5", "9007199254740993", "true", "1000", ""];
        let body = Bytes::copy_from_slice(body.as_bytes());
        assert_eq!(command(&body, shortest).expect("a command"), want);
    }

    #[test]
    fn strings_are_unescaped() {
        let args = read(r#"["a\n\u00e9\ud83d\ude00", "\ud83d!", "\\ud83d"]"#).expect("a command");
        assert_eq!(args[0], "a\né😀");
        assert_eq!(args[1], "\u{fffd}!");
        assert_eq!(args[2], "\\ud83d");
    }

    #[test]
    fn bytes_that_are_no_utf_8_become_the_replacement_character() {
        let no_assumptions = Assumptions::default();
        let body = Bytes::from_static(b"[\"SET\",\"k\",\"a\xe2\x82b\xff\"]");
        let want = ["SET", "k", "a\u{fffd}\u{fffd}b\u{fffd}"];
        assert_eq!(command(&body, no_assumptions).expect("a command"), want);
        let rows = commands(&Bytes::from_static(b"[[\"GET\",\"\xff\"]]"), no_assumptions);
        let row = rows.expect("commands").remove(0).expect("a command");
        assert_eq!(row, ["GET", "\u{fffd}"]);
        let outside = Bytes::from_static(b"[\"GET\",\xff]");
        assert_eq!(
            command(&outside, no_assumptions).expect_err("refused").0,
            UNREADABLE
        );
    }

    #[test]
    fn what_is_no_command_is_named() {
        assert_eq!(error(""), "EOF");
        assert_eq!(error("[\"GET\""), UNREADABLE);
        assert_eq!(error("[\"GET\"] 1"), UNREADABLE);
        assert_eq!(error("[\"GET\",]"), UNREADABLE);
        assert_eq!(error("{\"a\":1}"), "expected JSON array");
        assert_eq!(error("[]"), "ERR empty command");
        assert_eq!(error("[\"SET\",null]"), "ERR null args are not supported");
        assert_eq!(
            error("[[\"GET\"]]"),
            "ERR unsupported arg type: \"[\": json.Delim"
        );
        assert_eq!(
            error("[\"SET\",{}]"),
            "ERR unsupported arg type: \"{\": json.Delim"
        );
        let pipeline = |body: &'static str| {
            commands(&Bytes::from_static(body.as_bytes()), Assumptions::default())
        };
        for body in ["[\"GET\",\"k\"]", "{\"a\":[]}", "[[\"GET\"],1]", "", "[["] {
            assert_eq!(
                pipeline(body).expect_err("refused").0,
                UNREADABLE_PIPELINE,
                "{body}"
            );
        }
        assert_eq!(
            pipeline("[]").expect_err("refused").0,
            "ERR empty pipeline request"
        );
        assert_eq!(pipeline("[[]]").expect("a command"), [Ok(Vec::new())]);
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = "[".repeat(100_000);
        assert_eq!(error(&deep), UNREADABLE);
        let closed = format!("{deep}{}", "]".repeat(100_000));
        assert_eq!(
            error(&closed),
            "ERR unsupported arg type: \"[\": json.Delim"
        );
        let long = format!("[1{}]", ",1".repeat(MAX_ITEMS));
        assert!(error(&long).starts_with("ERR too many arguments"));
    }
}
