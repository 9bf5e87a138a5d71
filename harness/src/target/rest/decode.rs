//! From Upstash's JSON to replies: envelopes, base64, integers of 64 bits.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use scenarios::Reply;
use serde_json::Value;

/// Why JSON is not a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// Neither `result` nor `error`, or both.
    #[error("{0}")]
    Envelope(&'static str),
    /// A string that should be base64.
    #[error("the string {0:?} is not base64, which was asked for by Upstash-Encoding")]
    Encoding(String),
    /// A kind of value that Upstash does not send: results are strings, integers, null and arrays.
    #[error("a result holds {0}, and Upstash sends strings, integers, null and arrays only")]
    Kind(&'static str),
}

/// `{"result": …}` or `{"error": "…"}`, decoded.
#[derive(Debug, PartialEq)]
pub(crate) struct Envelope(pub(crate) Reply);

impl Envelope {
    pub(crate) fn decode(value: Value) -> Result<Self, DecodeError> {
        let Value::Object(mut fields) = value else {
            return Err(DecodeError::Envelope(
                "it is not an object with `result` or `error`",
            ));
        };
        match (fields.remove("result"), fields.remove("error")) {
            (Some(result), None) => Ok(Envelope(decode(result)?)),
            // Error texts are never encoded (@upstash/redis reads them raw).
            (None, Some(Value::String(text))) => Ok(Envelope(Reply::Error(text))),
            (None, Some(_)) => Err(DecodeError::Envelope("its `error` is not a string")),
            (Some(_), Some(_)) => Err(DecodeError::Envelope("it has both `result` and `error`")),
            (None, None) => Err(DecodeError::Envelope("it has neither `result` nor `error`")),
        }
    }
}

fn decode(value: Value) -> Result<Reply, DecodeError> {
    match value {
        Value::Null => Ok(Reply::Nil),
        // The status OK alone is sent as it is (Upstash docs, REST API). It has two characters and
        // padded base64 a multiple of four, so it cannot be taken for an encoded string.
        Value::String(text) if text == "OK" => Ok(Reply::Bulk(b"OK".to_vec())),
        Value::String(text) => match STANDARD.decode(&text) {
            Ok(bytes) => Ok(Reply::Bulk(bytes)),
            Err(_) => Err(DecodeError::Encoding(text.chars().take(60).collect())),
        },
        Value::Number(number) => integer(&number.to_string()),
        Value::Array(items) => Ok(Reply::Array(
            items.into_iter().map(item).collect::<Result<_, _>>()?,
        )),
        Value::Bool(_) => Err(DecodeError::Kind("a boolean")),
        Value::Object(_) => Err(DecodeError::Kind("an object")),
    }
}

/// An element of an array: a value, or an error that a script or a transaction put there.
fn item(value: Value) -> Result<Reply, DecodeError> {
    match value {
        Value::Object(fields) if fields.contains_key("error") => {
            Envelope::decode(Value::Object(fields)).map(|envelope| envelope.0)
        }
        other => decode(other),
    }
}

/// The digits as they were sent: a detour over f64 would lose integers beyond 2^53. Redis has none
/// of more than 64 bits, and `serde_json` keeps those.
fn integer(digits: &str) -> Result<Reply, DecodeError> {
    if let Ok(number) = digits.parse::<i64>() {
        return Ok(Reply::Integer(number));
    }
    if digits
        .trim_start_matches('-')
        .bytes()
        .all(|byte| byte.is_ascii_digit())
    {
        return Ok(Reply::BigNumber(digits.to_owned()));
    }
    Err(DecodeError::Kind("a number with a fraction or an exponent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Result<Reply, DecodeError>) {
        let value = serde_json::from_str(json).expect("the test's JSON is valid");
        assert_eq!(
            Envelope::decode(value).map(|envelope| envelope.0),
            expected,
            "{json}"
        );
    }

    #[test]
    fn strings_are_base64_but_for_ok() {
        check(r#"{"result":"OK"}"#, Ok(Reply::Bulk(b"OK".to_vec())));
        check(r#"{"result":"T0s="}"#, Ok(Reply::Bulk(b"OK".to_vec())));
        check(r#"{"result":""}"#, Ok(Reply::Bulk(Vec::new())));
        check(r#"{"result":"/wD+"}"#, Ok(Reply::Bulk(vec![0xff, 0, 0xfe])));
        check(
            r#"{"result":["UE9ORw==",["OK",null]]}"#,
            Ok(Reply::Array(vec![
                Reply::Bulk(b"PONG".to_vec()),
                Reply::Array(vec![Reply::Bulk(b"OK".to_vec()), Reply::Nil]),
            ])),
        );
        check(
            r#"{"result":"PONG!"}"#,
            Err(DecodeError::Encoding("PONG!".to_owned())),
        );
    }

    #[test]
    fn integers_keep_all_their_bits() {
        check(
            r#"{"result":9007199254740993}"#,
            Ok(Reply::Integer(9_007_199_254_740_993)),
        );
        check(
            r#"{"result":-9223372036854775808}"#,
            Ok(Reply::Integer(i64::MIN)),
        );
        check(
            r#"{"result":9223372036854775807}"#,
            Ok(Reply::Integer(i64::MAX)),
        );
        check(
            r#"{"result":18446744073709551615}"#,
            Ok(Reply::BigNumber("18446744073709551615".to_owned())),
        );
        check(
            r#"{"result":1.5}"#,
            Err(DecodeError::Kind("a number with a fraction or an exponent")),
        );
    }

    #[test]
    fn an_error_is_never_decoded() {
        check(r#"{"error":"T0s="}"#, Ok(Reply::Error("T0s=".to_owned())));
        check(
            r#"{"result":[{"error":"ERR boom"}]}"#,
            Ok(Reply::Array(vec![Reply::Error("ERR boom".to_owned())])),
        );
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        check(
            "[]",
            Err(DecodeError::Envelope(
                "it is not an object with `result` or `error`",
            )),
        );
        check(
            "{}",
            Err(DecodeError::Envelope("it has neither `result` nor `error`")),
        );
        check(
            r#"{"result":1,"error":"x"}"#,
            Err(DecodeError::Envelope("it has both `result` and `error`")),
        );
        check(
            r#"{"error":7}"#,
            Err(DecodeError::Envelope("its `error` is not a string")),
        );
        check(r#"{"result":true}"#, Err(DecodeError::Kind("a boolean")));
        check(r#"{"result":{"a":1}}"#, Err(DecodeError::Kind("an object")));
    }
}
