//! What the benchmarks share: servers to compare the fronts with, clients that cost next to nothing, and
//! the summary of a run.

pub mod client;
pub mod process;
pub mod server;
pub mod summary;
pub mod turns;
