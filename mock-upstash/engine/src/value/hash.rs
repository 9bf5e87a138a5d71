//! Fields with values, each field with an expiry of its own where asked for.

/// Fields with values, each field with an expiry of its own where asked for.
#[derive(Debug, Clone, Default)]
pub struct Hash;

impl Hash {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        true
    }
}

impl crate::engine::Engine {
    /// Takes out the fields whose time has come in one database.
    pub(crate) fn expire_fields(&mut self, db: usize, now_ms: u64) {
        let _ = (db, now_ms);
    }
}
