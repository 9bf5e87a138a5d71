//! What is done with data that is let go of and takes long to free.
//!
//! Freeing a million elements takes tens of milliseconds, during which no other client is served. So
//! large values, and databases that were flushed, are handed to a [`Disposal`]; a front that runs
//! threads frees them on one of its own.

use std::fmt;

use crate::value::{Json, Value};

/// Elements from which on a collection is worth handing over (`LAZYFREE_THRESHOLD` in Redis).
const MANY: usize = 64;
/// Bytes from which on a string is worth handing over.
const LARGE: usize = 1 << 20;

/// Takes what is costly to free. Called while the engine runs, so it must not block.
pub trait Disposal: Send {
    /// Takes it, to drop it some time.
    fn dispose(&mut self, rubbish: Rubbish);
}

/// Frees everything at once, where it stands.
#[derive(Debug, Default)]
pub struct AtOnce;

impl Disposal for AtOnce {
    fn dispose(&mut self, rubbish: Rubbish) {
        drop(rubbish);
    }
}

/// Data that nothing refers to any more. Dropping it frees it.
pub struct Rubbish(
    #[expect(dead_code, reason = "it is kept to be dropped, and for nothing else")] Box<dyn Send>,
);

impl Rubbish {
    pub(crate) fn new(data: impl Send + 'static) -> Self {
        Rubbish(Box::new(data))
    }
}

impl fmt::Debug for Rubbish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rubbish")
    }
}

impl Value {
    /// Whether freeing it takes long enough to be worth handing over.
    pub(crate) fn is_costly_to_free(&self) -> bool {
        match self {
            Value::String(bytes) => bytes.capacity() > LARGE,
            Value::List(list) => list.len() > MANY,
            Value::Set(set) => set.len() > MANY,
            Value::Hash(hash) => hash.len() > MANY,
            Value::SortedSet(set) => set.len() > MANY,
            // Entries may be few while groups hold many pending ones.
            Value::Stream(_) => true,
            // Counting the parts of a document would take as long as freeing them.
            Value::Json(json) => matches!(**json, Json::Array(_) | Json::Object(_)),
        }
    }
}
