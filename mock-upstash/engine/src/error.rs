//! Every error text the engine answers with, once.
//!
//! The texts are Redis's own, read from replies of redis-server 7.0 to 8.10: clients match on them.

use std::borrow::Cow;
use std::fmt;

/// An error reply: its code and text as one line, `WRONGTYPE Operation against …`.
#[derive(Clone, PartialEq, Eq)]
pub struct ReplyError(Cow<'static, [u8]>);

impl ReplyError {
    /// An error with a fixed text.
    pub const fn fixed(text: &'static str) -> Self {
        ReplyError(Cow::Borrowed(text.as_bytes()))
    }

    /// An error with a text made for the occasion. Line ends become spaces, as Redis does, for a
    /// line end would end the reply.
    pub fn new(text: impl Into<Vec<u8>>) -> Self {
        let mut bytes = text.into();
        for byte in &mut bytes {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        ReplyError(Cow::Owned(bytes))
    }

    /// The whole line.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The code, the first word: `ERR`, `WRONGTYPE`.
    pub fn code(&self) -> &[u8] {
        self.0.split(|&b| b == b' ').next().unwrap_or_default()
    }

    /// `ERR wrong number of arguments for 'get' command`; `name` in lower case, a subcommand as
    /// `config|get`.
    pub fn arity(name: &str) -> Self {
        Self::new(format!(
            "ERR wrong number of arguments for '{}' command",
            name.to_ascii_lowercase()
        ))
    }

    /// `ERR invalid expire time in 'set' command`.
    pub fn invalid_expire(name: &str) -> Self {
        Self::new(format!(
            "ERR invalid expire time in '{}' command",
            name.to_ascii_lowercase()
        ))
    }
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplyError({self})")
    }
}

impl std::error::Error for ReplyError {}

macro_rules! fixed {
    ($($name:ident = $text:literal;)*) => {
        $(#[doc = concat!("`", $text, "`")] pub const $name: ReplyError = ReplyError::fixed($text);)*
    };
}

fixed! {
    WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
    SYNTAX = "ERR syntax error";
    NOT_AN_INTEGER = "ERR value is not an integer or out of range";
    NOT_A_FLOAT = "ERR value is not a valid float";
    NO_SUCH_KEY = "ERR no such key";
    INDEX_OUT_OF_RANGE = "ERR index out of range";
    OUT_OF_RANGE = "ERR value is out of range";
    MUST_BE_POSITIVE = "ERR value is out of range, must be positive";
    INCREMENT_OVERFLOW = "ERR increment or decrement would overflow";
    NAN_OR_INFINITY = "ERR increment would produce NaN or Infinity";
    STRING_TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    NO_AUTH = "NOAUTH Authentication required.";
    EXEC_ABORT = "EXECABORT Transaction discarded because of previous errors.";
    NEGATIVE_TIMEOUT = "ERR timeout is negative";
    TIMEOUT_NOT_A_FLOAT = "ERR timeout is not a float or out of range";
    TIMEOUT_OUT_OF_RANGE = "ERR timeout is out of range";
    NUMKEYS_NOT_POSITIVE = "ERR numkeys should be greater than 0";
    DB_INDEX_OUT_OF_RANGE = "ERR DB index is out of range";
    INVALID_CURSOR = "ERR invalid cursor";
}
