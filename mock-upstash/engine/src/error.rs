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

    /// An error with a text made for the occasion. As in Redis, line ends around it are cut and others
    /// become spaces, for a line end would end the reply.
    pub fn new(text: impl Into<Vec<u8>>) -> Self {
        let mut bytes = text.into();
        let is_text = |byte: &u8| !matches!(byte, b'\r' | b'\n');
        bytes.truncate(bytes.iter().rposition(is_text).map_or(0, |last| last + 1));
        bytes.drain(..bytes.iter().position(is_text).unwrap_or(0));
        for byte in &mut bytes {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        ReplyError(Cow::Owned(bytes))
    }

    /// An error with a text of several lines, such as a stack trace. REST answers show the lines;
    /// whoever writes RESP makes spaces of the line ends.
    pub fn lines(text: impl Into<Vec<u8>>) -> Self {
        ReplyError(Cow::Owned(text.into()))
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

    /// `ERR value is out of range, value must between 0 and 1`, as Redis words it.
    pub fn outside(lowest: i64, highest: i64) -> Self {
        Self::new(format!(
            "ERR value is out of range, value must between {lowest} and {highest}"
        ))
    }

    /// A text and an argument behind it, `ERR unknown argument: foo`; as in C, the argument ends with
    /// its first zero byte.
    pub fn naming(text: &str, argument: &[u8]) -> Self {
        Self::quoting(text, argument, "")
    }

    /// A text with an argument in it, `ERR Engine 'foo' not found`; as in C, the argument ends with
    /// its first zero byte.
    pub fn quoting(before: &str, argument: &[u8], after: &str) -> Self {
        Self::new([before.as_bytes(), as_c_text(argument), after.as_bytes()].concat())
    }

    /// What a container says of a subcommand that does not take these arguments.
    pub fn subcommand_form(args: &[bytes::Bytes]) -> Self {
        let arg = |at: usize| args.get(at).map_or(&b""[..], |arg| as_c_text(arg));
        let mut text = b"ERR unknown subcommand or wrong number of arguments for '".to_vec();
        let word = arg(1);
        text.extend_from_slice(&word[..word.len().min(128)]);
        text.extend_from_slice(b"'. Try ");
        text.extend(arg(0).to_ascii_uppercase());
        text.extend_from_slice(b" HELP.");
        Self::new(text)
    }

    /// `ERR invalid expire time in 'set' command`.
    pub fn invalid_expire(name: &str) -> Self {
        Self::new(format!(
            "ERR invalid expire time in '{}' command",
            name.to_ascii_lowercase()
        ))
    }
}

/// What C's `%s` prints of a text: it ends with the first zero byte.
pub fn as_c_text(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
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
    OUT_OF_RANGE_OFFSET = "ERR offset is out of range";
    DECREMENT_OVERFLOW = "ERR decrement would overflow";
    DIGEST_FORM = "ERR must be exactly 16 hexadecimal characters";
    CONDITION_NEEDS_STRING = "ERR Key should be of string type if conditions are specified";
    UNKNOWN_CONDITION = "ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE";
    SAME_OBJECT = "ERR source and destination objects are the same";
    EXPIRE_NX_CONFLICT = "ERR NX and XX, GT or LT options at the same time are not compatible";
    EXPIRE_GT_LT = "ERR GT and LT options at the same time are not compatible";
    NOVALUES_OUTSIDE_HSCAN = "ERR NOVALUES option can only be used in HSCAN";
    TIMEOUT_NOT_AN_INTEGER = "ERR timeout is not an integer or out of range";
    WAITAOF_WITHOUT_AOF = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";
    HASH_VALUE_NOT_AN_INTEGER = "ERR hash value is not an integer";
    HASH_VALUE_NOT_A_FLOAT = "ERR hash value is not a float";
    VALUE_NAN_OR_INFINITY = "ERR value is NaN or Infinity";
    FIELDS_MISPLACED = "ERR Mandatory argument FIELDS is missing or not at the right position";
    FIELDS_NOT_POSITIVE = "ERR Number of fields must be a positive integer";
    FIELDS_MISMATCH = "ERR The `numfields` parameter must match the number of arguments";
    FIELDS_MISSING = "ERR missing FIELDS argument";
    FIELDS_REPEATED = "ERR FIELDS keyword specified multiple times";
    FIELDS_INCOMPLETE = "ERR FIELDS requires at least numfields and one field argument";
    FIELDS_INVALID = "ERR invalid number of fields";
    NUM_FIELDS_NOT_POSITIVE = "ERR Parameter `numFields` should be greater than 0";
    WRONG_ARGUMENTS = "ERR wrong number of arguments";
    CONDITIONS_CONFLICT = "ERR Multiple condition flags specified";
    FIELD_EXPIRE_NEGATIVE = "ERR invalid expire time, must be >= 0";
    EXPIRE_TIME_MISSING = "ERR missing expire time";
    ONE_OF_EXPIRY_OR_PERSIST = "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified";
    ONE_OF_EXPIRY_OR_KEEPTTL = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
    ONE_OF_FXX_FNX = "ERR Only one of FXX or FNX arguments can be specified";
    NOT_A_HYPERLOGLOG = "WRONGTYPE Key is not a valid HyperLogLog string value.";
    CORRUPTED_HYPERLOGLOG = "INVALIDOBJ Corrupted HLL object detected";
    BIT_OFFSET = "ERR bit offset is not an integer or out of range";
    BIT_NOT_AN_INTEGER = "ERR bit is not an integer or out of range";
    BIT_NOT_ONE_OR_ZERO = "ERR The bit argument must be 1 or 0.";
    BITFIELD_TYPE = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
    BITFIELD_OVERFLOW = "ERR Invalid OVERFLOW type specified";
    BITFIELD_RO_GET = "ERR BITFIELD_RO only supports the GET subcommand";
    BUSY_KEY = "BUSYKEY Target key name already exists.";
    PAYLOAD_FOOTER = "ERR DUMP payload version or checksum are wrong";
    PAYLOAD_DATA = "ERR Bad data format";
    RESTORE_TTL_NEGATIVE = "ERR Invalid TTL value, must be >= 0";
    IDLETIME_NEGATIVE = "ERR Invalid IDLETIME value, must be >= 0";
    FREQUENCY_OUTSIDE = "ERR Invalid FREQ value, must be >= 0 and <= 255";
    INVALID_CURSOR = "ERR invalid cursor";
}
