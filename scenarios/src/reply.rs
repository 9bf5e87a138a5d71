//! What a server answers to a command, whichever way it travelled.

/// A reply, as expressive as RESP3.
///
/// A target fills in as much as its transport tells it: RESP2 never yields a [`Reply::Map`] or a
/// [`Reply::Double`], and JSON over REST cannot tell [`Reply::Status`] from [`Reply::Bulk`] (a REST
/// target yields `Bulk` for both). [`Expressiveness`] says which forms a transport keeps apart;
/// a comparison folds both sides into the lesser one first.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A simple string such as `OK`.
    Status(String),
    /// An error, its code included: `WRONGTYPE Operation against a key …`.
    Error(String),
    /// A 64-bit integer.
    Integer(i64),
    /// A string of bytes.
    Bulk(Vec<u8>),
    /// No value: RESP2's null bulk and null array, RESP3's null, JSON's `null`.
    Nil,
    /// A sequence of replies.
    Array(Vec<Reply>),
    /// Pairs, in the order sent (RESP3).
    Map(Vec<(Reply, Reply)>),
    /// Members without an order (RESP3).
    Set(Vec<Reply>),
    /// A floating point number (RESP3).
    Double(f64),
    /// A truth value (RESP3).
    Boolean(bool),
    /// An integer of more than 64 bits, in decimal digits (RESP3).
    BigNumber(String),
}

/// Which kinds of reply a transport keeps apart. Ordered: the lesser of two is what both can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expressiveness {
    /// JSON over REST: text, integer, null, array, error. A status is text; a double is text.
    Json,
    /// RESP2: adds the difference between a status and a bulk string.
    Resp2,
    /// RESP3: adds maps, sets, doubles, booleans.
    Resp3,
}

impl Reply {
    /// The bytes of a bulk string or status.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Reply::Bulk(bytes) => Some(bytes),
            Reply::Status(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// Whether this is an error reply.
    pub fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_))
    }
}
