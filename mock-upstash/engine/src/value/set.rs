//! Distinct byte strings.

/// Distinct byte strings.
#[derive(Debug, Clone, Default)]
pub struct Set;

impl Set {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        true
    }
}
