//! A log of entries with consumer groups.

/// A log of entries with consumer groups.
#[derive(Debug, Clone, Default)]
pub struct Stream;

impl Stream {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        true
    }
}
