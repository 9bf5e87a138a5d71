//! The swapcheck command.
fn main() {}
