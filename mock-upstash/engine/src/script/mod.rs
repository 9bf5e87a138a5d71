//! Scripts and functions: the Lua state, what is loaded into it, and how it is run.

/// Everything that EVAL and FUNCTION keep.
#[derive(Debug, Default)]
pub struct Scripts;
