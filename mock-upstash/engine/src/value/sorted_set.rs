//! Members ordered by score, then by bytes.

/// Members ordered by score, then by bytes.
#[derive(Debug, Clone, Default)]
pub struct SortedSet;

impl SortedSet {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        true
    }
}
