//! The data structures that keys hold. No argument parsing and no replies here.

pub mod bitmap;
pub mod hash;
pub mod hyperloglog;
pub mod json;
pub mod json_path;
pub mod list;
pub mod set;
pub mod sorted_set;
pub mod stream;

pub use hash::Hash;
pub use json::Json;
pub use list::List;
pub use set::Set;
pub use sorted_set::SortedSet;
pub use stream::Stream;

/// What a key holds.
#[derive(Debug, Clone)]
pub enum Value {
    /// Bytes; also bitmaps and HyperLogLogs.
    String(Vec<u8>),
    /// A sequence, quick at both ends.
    List(Box<List>),
    /// Distinct members.
    Set(Box<Set>),
    /// Fields with values.
    Hash(Box<Hash>),
    /// Members ordered by score.
    SortedSet(Box<SortedSet>),
    /// A log of entries with consumer groups.
    Stream(Box<Stream>),
    /// A JSON document.
    Json(Box<Json>),
}

/// The kinds of value, as TYPE names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    String,
    List,
    Set,
    Hash,
    SortedSet,
    Stream,
    Json,
}

impl Kind {
    /// The name that Redis's TYPE answers.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::Hash => "hash",
            Kind::SortedSet => "zset",
            Kind::Stream => "stream",
            Kind::Json => "ReJSON-RL",
        }
    }
}

impl Value {
    /// The kind of this value.
    pub const fn kind(&self) -> Kind {
        match self {
            Value::String(_) => Kind::String,
            Value::List(_) => Kind::List,
            Value::Set(_) => Kind::Set,
            Value::Hash(_) => Kind::Hash,
            Value::SortedSet(_) => Kind::SortedSet,
            Value::Stream(_) => Kind::Stream,
            Value::Json(_) => Kind::Json,
        }
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        /// Two allocations and a place in a table, per element.
        const PER_ELEMENT: usize = 80;
        match self {
            Value::String(bytes) => bytes.capacity(),
            Value::Hash(hash) => hash
                .iter()
                .map(|(field, value)| PER_ELEMENT + field.len() + value.len())
                .sum(),
            Value::List(list) => list.iter().map(|held| PER_ELEMENT + held.len()).sum(),
            Value::Set(set) => set.iter().map(|held| PER_ELEMENT + held.len()).sum(),
            Value::SortedSet(set) => set.iter().map(|(held, _)| PER_ELEMENT + held.len()).sum(),
            Value::Stream(stream) => PER_ELEMENT * (stream.len() + 1),
            Value::Json(json) => json.memory(),
        }
    }

    /// Whether this is a collection without elements, which no key may hold. A stream may be empty.
    pub fn is_empty_collection(&self) -> bool {
        match self {
            Value::List(list) => list.is_empty(),
            Value::Set(set) => set.is_empty(),
            Value::Hash(hash) => hash.is_empty(),
            Value::SortedSet(set) => set.is_empty(),
            Value::String(_) | Value::Stream(_) | Value::Json(_) => false,
        }
    }
}

/// A data structure that a [`Value`] can hold, for typed access to keys.
pub trait Holds: Sized {
    /// This structure, if `value` holds it.
    fn of(value: &Value) -> Option<&Self>;
    /// This structure to change, if `value` holds it.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    /// Wraps it.
    fn into_value(self) -> Value;
}

macro_rules! holds {
    ($($type:ty: $variant:ident $(, $boxed:ident)?;)*) => {$(
        impl Holds for $type {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$variant(held) = value { Some(held) } else { None }
            }
            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$variant(held) = value { Some(held) } else { None }
            }
            fn into_value(self) -> Value {
                Value::$variant($($boxed::new)?(self))
            }
        }
    )*};
}

holds! {
    Vec<u8>: String;
    List: List, Box;
    Set: Set, Box;
    Hash: Hash, Box;
    SortedSet: SortedSet, Box;
    Stream: Stream, Box;
    Json: Json, Box;
}
