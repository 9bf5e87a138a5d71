//! What the benchmarks of the fronts share: servers to compare, and clients that cost next to nothing.

pub mod client;
pub mod server;
