//! The engine's integration tests, a module for each topic.

mod list;
mod server;
mod set;
mod string;
mod testing;
