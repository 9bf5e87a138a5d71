//! A sequence of byte strings, quick at both ends.

/// A sequence of byte strings, quick at both ends.
#[derive(Debug, Clone, Default)]
pub struct List;

impl List {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        true
    }
}
