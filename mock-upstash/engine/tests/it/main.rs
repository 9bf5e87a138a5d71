//! The engine's integration tests, a module for each topic.

mod string;
mod testing;
