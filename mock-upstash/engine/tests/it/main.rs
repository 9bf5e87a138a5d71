//! The engine's integration tests, a module for each topic.

mod server;
mod string;
mod testing;
