//! What the engine answers, as expressive as RESP3; a front encodes it for its protocol.

use bytes::Bytes;

use crate::error::ReplyError;

/// What a handler returns: a reply, or the error that is the reply.
pub type Outcome = Result<Reply, ReplyError>;

/// A reply. Handlers build the richest form; a front folds it down to what its protocol has.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Nothing is sent now: the client blocks, or what there was to say went to its outbox.
    None,
    /// A simple string such as `OK`.
    Status(Bytes),
    /// An error.
    Error(ReplyError),
    /// An integer.
    Integer(i64),
    /// A bulk string.
    Bulk(Bytes),
    /// RESP2's null bulk string, RESP3's null.
    Nil,
    /// RESP2's null array, RESP3's null.
    NilArray,
    /// A sequence.
    Array(Vec<Reply>),
    /// Pairs; in RESP2 a flat array.
    Map(Vec<(Reply, Reply)>),
    /// Members without an order; in RESP2 an array.
    Set(Vec<Reply>),
    /// A floating point number; in RESP2 a bulk string.
    Double(f64),
    /// A truth value; in RESP2 an integer.
    Boolean(bool),
    /// An integer of any size, in decimal digits; in RESP2 a bulk string.
    BigNumber(Bytes),
    /// Text with a three-letter format such as `txt`; in RESP2 a bulk string.
    Verbatim([u8; 3], Bytes),
    /// Data sent out of turn (pub/sub); in RESP2 an array.
    Push(Vec<Reply>),
}

impl Reply {
    /// The reply `OK`.
    pub const OK: Reply = Reply::Status(Bytes::from_static(b"OK"));

    /// A simple string.
    pub const fn status(text: &'static str) -> Reply {
        Reply::Status(Bytes::from_static(text.as_bytes()))
    }

    /// A bulk string that holds a copy of `bytes`.
    pub fn bulk(bytes: impl AsRef<[u8]>) -> Reply {
        Reply::Bulk(Bytes::copy_from_slice(bytes.as_ref()))
    }

    /// A bulk string, or the null bulk string.
    pub fn bulk_or_nil(bytes: Option<impl AsRef<[u8]>>) -> Reply {
        bytes.map_or(Reply::Nil, Reply::bulk)
    }

    /// An integer from a length or a count.
    pub fn count(count: usize) -> Reply {
        Reply::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// The integer 1 or 0, as commands older than RESP3 say yes and no.
    pub const fn flag(yes: bool) -> Reply {
        Reply::Integer(yes as i64)
    }

    /// An array of bulk strings.
    pub fn bulks<T: AsRef<[u8]>>(items: impl IntoIterator<Item = T>) -> Reply {
        Reply::Array(items.into_iter().map(Reply::bulk).collect())
    }

    /// A one-line number for tests and scripts: the integer, if this is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Reply::Integer(n) => Some(*n),
            _ => None,
        }
    }
}

impl From<ReplyError> for Reply {
    fn from(error: ReplyError) -> Reply {
        Reply::Error(error)
    }
}
