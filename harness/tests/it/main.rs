//! The integration tests of the harness, a module for each topic.

mod server;
mod target;
