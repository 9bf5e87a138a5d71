//! The mock-upstash command.
fn main() {}
