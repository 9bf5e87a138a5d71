//! JSON bodies to commands: `["SET", "k", 1.50]`, and arrays of them.

use bytes::Bytes;
use serde_json::value::RawValue;

/// Why a body is no command. Each text is what Upstash answers, with HTTP 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadBody(pub(crate) String);

fn bad(text: &str) -> BadBody {
    BadBody(text.to_owned())
}

/// Reads a body of `/`: one command.
///
/// The texts for an empty body, for JSON that is no array and for nested arrays come from a probe of
/// a live database (published August 2026); that for a body that is no JSON from tests of an emulator
/// against the live service (2022).
pub(crate) fn command(body: &[u8]) -> Result<Vec<Bytes>, BadBody> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(bad("EOF"));
    }
    let raw: &RawValue =
        serde_json::from_slice(body).map_err(|_| bad("ERR failed to parse command"))?;
    let items: Vec<&RawValue> =
        serde_json::from_str(raw.get()).map_err(|_| bad("expected JSON array"))?;
    let arguments = arguments(&items)?;
    if arguments.is_empty() {
        return Err(bad("ERR empty command"));
    }
    Ok(arguments)
}

/// Reads a body of `/pipeline` or `/multi-exec`: an array of commands. An empty command within is
/// left empty; what it answers is the caller's to say.
pub(crate) fn commands(body: &[u8]) -> Result<Vec<Vec<Bytes>>, BadBody> {
    let rows: Vec<Vec<&RawValue>> =
        serde_json::from_slice(body).map_err(|_| bad("ERR failed to parse pipeline request"))?;
    if rows.is_empty() {
        return Err(bad("ERR empty pipeline request"));
    }
    rows.iter().map(|row| arguments(row)).collect()
}

fn arguments(items: &[&RawValue]) -> Result<Vec<Bytes>, BadBody> {
    items.iter().map(|item| argument(item.get())).collect()
}

/// One argument: a string as its bytes, a number or a boolean as it is written.
fn argument(json: &str) -> Result<Bytes, BadBody> {
    match json.as_bytes().first() {
        Some(b'"') => string(json),
        Some(b'n') => Err(bad("ERR null args are not supported")),
        Some(open @ (b'[' | b'{')) => Err(BadBody(format!(
            "ERR unsupported arg type: \"{}\": json.Delim",
            char::from(*open)
        ))),
        _ => Ok(Bytes::copy_from_slice(json.as_bytes())),
    }
}

fn string(json: &str) -> Result<Bytes, BadBody> {
    if !json.contains('\\') {
        return Ok(Bytes::copy_from_slice(&json.as_bytes()[1..json.len() - 1]));
    }
    // JavaScript may send half of a surrogate pair; Go reads it as U+FFFD.
    serde_json::from_str::<String>(json)
        .or_else(|_| serde_json::from_str::<String>(&replace_lone_surrogates(json)))
        .map(Bytes::from)
        .map_err(|_| bad("ERR failed to parse command"))
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
        let length = length.min(rest.len());
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(body: &str) -> String {
        command(body.as_bytes()).expect_err("refused").0
    }

    #[test]
    fn numbers_and_booleans_keep_their_spelling() {
        let args = command(br#" ["SET", "k", 1.50, 9007199254740993, true, 1e3, ""] "#);
        let want = ["SET", "k", "1.50", "9007199254740993", "true", "1e3", ""];
        assert_eq!(args.expect("a command"), want);
    }

    #[test]
    fn strings_are_unescaped() {
        let args =
            command(br#"["a\n\u00e9\ud83d\ude00", "\ud83d!", "\\ud83d"]"#).expect("a command");
        assert_eq!(args[0], "a\né😀");
        assert_eq!(args[1], "\u{fffd}!");
        assert_eq!(args[2], "\\ud83d");
    }

    #[test]
    fn what_is_no_command_is_named() {
        assert_eq!(error(""), "EOF");
        assert_eq!(error("[\"GET\""), "ERR failed to parse command");
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
        assert_eq!(
            commands(b"[\"GET\",\"k\"]").expect_err("refused").0,
            "ERR failed to parse pipeline request"
        );
        assert_eq!(
            commands(b"[]").expect_err("refused").0,
            "ERR empty pipeline request"
        );
        let deep = "[".repeat(100_000);
        assert_eq!(error(&deep), "ERR failed to parse command");
    }
}
